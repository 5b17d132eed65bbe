/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Options of named things, such as one hub of many: "hub.chat.path = /chat" in the file,
 * --hub.chat.path=/chat, HELIOGRAPH_HUB_CHAT_PATH (upper case; what is no letter or digit
 * is '_'). The names are those in a list option of the program's. A variable that fits
 * two options is refused: they are to be set elsewhere.
 *
 * Each named thing has a struct with the fields of the scope's table. It stays where it
 * is for as long as the program's values do; a reload changes fields in it.
 */
#ifndef PROTO_BASE_CONF_SCOPE_H
#define PROTO_BASE_CONF_SCOPE_H

#include <stdbool.h>
#include <stddef.h>

#include "proto/base/buf.h"
#include "proto/base/conf.h"
#include "proto/base/err.h"
#include "proto/base/slice.h"

#define CONF_SCOPES_MAX 64
#define CONF_SCOPE_NAME_MAX 64

/*
 * As `initial` of a row: not set, it is as the program's option, whose type and range are
 * the same. "<name>" in any other `initial` stands for the name, in lower case.
 */
#define CONF_INHERIT(option) "=" option

struct conf_extra; /* conf_extra.h */

struct conf_scoped_item {
	char *name;		   /* owned; lower case */
	void *values;		   /* owned; the scope's struct */
	struct conf_extra *extras; /* owned; set, and not in the table */
	size_t extras_n;
};

/* In the program's struct; in the order of the list. */
struct conf_scoped {
	struct conf_scoped_item *items; /* owned */
	size_t n;
};

/* `initial` of one name's option instead of the row's. */
struct conf_preset {
	const char *name, *option, *initial;
};

struct conf_scope {
	const char *prefix; /* "hub" */
	const char *list;   /* the CONF_STRING option that names all: "hubs"; no reload */
	const struct conf_option *options;
	size_t n;
	size_t bytes; /* of a scope's struct */
	size_t field; /* offsetof the program's struct conf_scoped */
	const struct conf_preset *presets;
	size_t presets_n;
	/* As that of conf_table, of one item; it may look at the others. May be NULL. */
	const char *(*problem)(const struct conf_scoped *all, size_t i);

	/*
	 * Of an option that the table does not have. OK: it is kept as text, for the
	 * program to read with conf_scoped_extra(). ERR_NOT_FOUND: nobody knows it,
	 * and `why` has what may have been meant appended, or nothing; ERR_MALFORMED:
	 * `why` has what is accepted appended. NULL: there are none.
	 */
	enum err (*check)(struct slice scope, struct slice option, struct slice value,
			  struct buf *why);

	/* The i-th option of that kind that is known beforehand, and whose it is: for
	 * texts about the program. False: there are no more. May be NULL. */
	bool (*known)(size_t i, const char **scope, struct conf_option *option);
};

/* By name, without regard to case; NULL: not in the list. */
void *conf_scoped_find(const struct conf_scoped *scoped, struct slice name);

/* Makes a scope for each name in the list, with its defaults. For conf_settings_read()
 * and for tests, which fill the program's values by hand. */
void conf_scoped_init(const struct conf_table *table, void *values);
void conf_scoped_fini(const struct conf_table *table, void *values);

/* ---- for conf*.c; `table->scope` may be NULL where nothing else is said */

/* Where the program has its scopes; there is a table->scope. */
struct conf_scoped *conf_scoped_of(const struct conf_table *table, void *values);

/* scoped->n: not in the list. */
size_t conf_scoped_index(const struct conf_scoped *scoped, struct slice name);

/* Does the name start with the prefix? */
bool conf_scope_is_meant(const struct conf_table *table, struct slice name);

/* Is it the option that names the scopes? */
bool conf_scope_is_list(const struct conf_table *table, const struct conf_option *option);

/* ERR_MALFORMED: this is no list of names; `why` has the reason appended. */
MUST_CHECK enum err conf_scope_check_list(struct slice list, struct buf *why);

/* The first problem, "hub.chat." before it, into `error`. */
MUST_CHECK enum err conf_scoped_check(const struct conf_table *table, const void *values,
				      char error[CONF_ERROR_MAX]);

/* As conf_reload(), of all that is in both lists. */
void conf_scoped_reload(const struct conf_table *table, void *values, void *fresh);

/* The program's option that the row inherits, or NULL. */
const struct conf_option *conf_scope_inherited(const struct conf_table *table,
					       const struct conf_option *option);

#endif
