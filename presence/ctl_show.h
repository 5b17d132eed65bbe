/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Answers of the API for people: members of objects, by their paths, as the columns of a
 * list or the lines of a card. What presence does not say is left out of cards, and "-"
 * in lists.
 */
#ifndef PRESENCE_CTL_SHOW_H
#define PRESENCE_CTL_SHOW_H

#include "presence/ctl_private.h"
#include "presence/ctl_table.h"

enum ctl_kind {
	CTL_TEXT,   /* as it is; of a list of texts, all of them */
	CTL_NAME,   /* the same, and may be cut */
	CTL_NUMBER, /* to the right */
	CTL_RATE,   /* a second */
	CTL_MS,	    /* a short time */
	CTL_SPAN,   /* a long one, given in ms */
	CTL_BYTES,
	CTL_SHARE, /* of 1, as a percentage */
	CTL_UP,	   /* of a list of links: those that are up, of all */
};

struct ctl_column {
	const char *title;
	const char *path; /* "store.kind" */
	enum ctl_kind kind;
};

struct ctl_list {
	struct ctl *ctl; /* borrowed */
	const struct ctl_column *columns;
	struct ctl_table_column titles[CTL_COLUMNS_MAX];
	struct ctl_table table;
	int64_t left; /* rows that may still come */
};

void ctl_list_init(struct ctl_list *list, struct ctl *ctl,
		   const struct ctl_column *columns, size_t n);
void ctl_list_fini(struct ctl_list *list);

/* A row for each object of the array, while there may be more; they go to ctl->out. */
void ctl_list_add(struct ctl_list *list, const struct value *array);

/* The member `key`, an array, as a list behind an empty line, unless it is empty. */
void ctl_show_list(struct ctl *ctl, const struct value *answer, struct slice key,
		   const struct ctl_column *columns, size_t n);

/* A line for each member that is there. */
void ctl_card(struct ctl *ctl, const struct ctl_column *columns, size_t n,
	      const struct value *object);

/* Appends the member as that kind says. False, and nothing, when it is not there, or
 * null.
 */
bool ctl_show(struct buf *out, const struct value *object, const char *path,
	      enum ctl_kind kind);

#endif
