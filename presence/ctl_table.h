/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Rows under titles, in columns as wide as what is in them. Where the terminal is
 * narrower, the widest of those columns that may be cut give way; ids are never cut, for
 * they are there to be copied. Printed a page at a time: columns do not get narrower
 * again. Pure.
 */
#ifndef PRESENCE_CTL_TABLE_H
#define PRESENCE_CTL_TABLE_H

#include <stdbool.h>
#include <stdint.h>

#include "proto/base/buf.h"
#include "proto/base/slice.h"

#define CTL_COLUMNS_MAX 16

struct ctl_table_column {
	const char *title;
	bool is_number; /* to the right */
	bool may_cut;
};

struct ctl_table {
	const struct ctl_table_column *columns; /* borrowed */
	size_t columns_n;
	size_t width;	  /* of the terminal; 0: it is none, nothing is cut */
	bool is_bold;	  /* the titles */
	bool is_headed;	  /* they have been printed */
	struct buf cells; /* owned: escaped texts, one behind the other */
	struct buf ends;  /* owned: size_t, where each ends */
	size_t cells_n;	  /* of the rows not yet printed */
	size_t widths[CTL_COLUMNS_MAX];
};

void ctl_table_init(struct ctl_table *table, const struct ctl_table_column *columns,
		    size_t columns_n);
void ctl_table_fini(struct ctl_table *table);

/* The next cell, row by row; it is escaped. */
void ctl_table_cell(struct ctl_table *table, struct slice text);

/* Appends the rows so far, under the titles if it is the first time, and forgets them. */
void ctl_table_print(struct ctl_table *table, struct buf *out);

#endif
