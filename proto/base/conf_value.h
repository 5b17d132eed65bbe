/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One value of the configuration: its text form in human units, its range and its place
 * in the program's struct. Knows types, not sources; conf.c knows where a text came from.
 */
#ifndef PROTO_BASE_CONF_VALUE_H
#define PROTO_BASE_CONF_VALUE_H

#include <stdbool.h>

#include "proto/base/buf.h"
#include "proto/base/conf.h"
#include "proto/base/err.h"
#include "proto/base/slice.h"

/*
 * Parses `text` and stores it in the option's field, freeing a string that was there. On
 * ERR_MALFORMED nothing changed and `why` has what is accepted instead appended.
 */
MUST_CHECK enum err conf_value_set(const struct conf_option *option, void *values,
				   struct slice text, struct buf *why);

/* Appends the value as conf_value_set() reads it, in the largest unit that is exact. */
void conf_value_print(const struct conf_option *option, const void *values,
		      struct buf *out);

/* Appends what the option accepts: "1s..10m", "on, off", "1..64 characters". */
void conf_value_print_range(const struct conf_option *option, struct buf *out);

bool conf_value_equal(const struct conf_option *option, const void *a, const void *b);

/* Moves the value over; `from` keeps no string. */
void conf_value_move(const struct conf_option *option, void *to, void *from);

/* Copies a value from another row's place; both are of one type. */
void conf_value_copy(const struct conf_option *option, void *to,
		     const struct conf_option *source, const void *from);

/* Of a CONF_FILE; "" of all others. */
const char *conf_value_path(const struct conf_option *option, const void *values);

/* Moves a changed value over if it may be. True: it changed but waits for a restart. */
bool conf_value_reload(const struct conf_option *option, void *values, void *fresh);

/* Frees the strings. */
void conf_values_clear(const struct conf_option *options, size_t n, void *values);

/* A struct of the table's fields alone, filled with the defaults, without
 * scopes; owned by the caller. */
void *conf_values_new(const struct conf_table *table);
void conf_values_free(const struct conf_table *table, void *values);

#endif
