/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Options of named things that are not in the table of their scope: the program learns
 * them later, from a module for instance. Until then what was set is kept as text.
 */
#ifndef PROTO_BASE_CONF_EXTRA_H
#define PROTO_BASE_CONF_EXTRA_H

#include "proto/base/conf_scope.h"

struct conf_extra {
	char *name;    /* owned */
	char *value;   /* owned */
	unsigned line; /* of the file; 0: of the command line */
};

/* What was set, by the command line, the environment or the file, in this order; NULL:
 * nothing. Borrowed until the next reload. */
const char *conf_scoped_extra(const struct conf_table *table,
			      const struct conf_scoped_item *item, struct slice option);

/* Sets one, `line` as above; for conf_setting.c and for tests. */
void conf_extra_set(struct conf_scoped_item *item, struct slice option,
		    struct slice value, unsigned line);

/* ---- for conf_scope.c */

void conf_extras_free(struct conf_scoped_item *item);

/* In place of what is there; `fresh` keeps none. */
void conf_extras_move(struct conf_scoped_item *item, struct conf_scoped_item *fresh);

#endif
