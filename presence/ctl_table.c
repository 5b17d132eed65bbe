/* SPDX-License-Identifier: Apache-2.0 */
#include "presence/ctl_table.h"

#include <assert.h>

#include "presence/ctl_text.h"

#define GAP 2			/* between columns */
#define CUT_MIN 8		/* a column is not cut below this */
#define CUT_MARK "\xe2\x80\xa6" /* one column wide */
#define BOLD "\x1b[1m"
#define PLAIN "\x1b[0m"

void ctl_table_init(struct ctl_table *table, const struct ctl_table_column *columns,
		    size_t columns_n)
{
	assert(columns_n > 0 && columns_n <= CTL_COLUMNS_MAX);
	*table = (struct ctl_table){ .columns = columns, .columns_n = columns_n };
	for (size_t i = 0; i < columns_n; i++)
		table->widths[i] = ctl_text_width(slice_from_str(columns[i].title));
}

void ctl_table_fini(struct ctl_table *table)
{
	buf_fini(&table->cells);
	buf_fini(&table->ends);
}

void ctl_table_cell(struct ctl_table *table, struct slice text)
{
	const size_t start = table->cells.len;
	size_t *width = &table->widths[table->cells_n % table->columns_n];
	size_t own;

	ctl_text_escape(&table->cells, text);
	own = ctl_text_width(slice_from(buf_slice(&table->cells), start));
	if (own > *width)
		*width = own;
	buf_append(&table->ends, &table->cells.len, sizeof(table->cells.len));
	table->cells_n++;
}

/* ---- layout */

static size_t total_width(const struct ctl_table *table, const size_t *widths)
{
	size_t total = GAP * (table->columns_n - 1);

	for (size_t i = 0; i < table->columns_n; i++)
		total += widths[i];
	return total;
}

/* The widest column that can still give way; columns_n: none. */
static size_t widest(const struct ctl_table *table, const size_t *widths)
{
	size_t found = table->columns_n;

	for (size_t i = 0; i < table->columns_n; i++) {
		if (table->columns[i].may_cut && widths[i] > CUT_MIN &&
		    (found == table->columns_n || widths[i] > widths[found]))
			found = i;
	}
	return found;
}

/* Column by column, so that those that give way end up as wide as each other. */
static void layout(const struct ctl_table *table, size_t *widths)
{
	size_t total;

	for (size_t i = 0; i < table->columns_n; i++)
		widths[i] = table->widths[i];
	total = total_width(table, widths);
	while (table->width > 0 && total > table->width) {
		const size_t column = widest(table, widths);

		if (column == table->columns_n)
			break;
		widths[column]--;
		total--;
	}
}

/* ---- printing */

static void print_spaces(struct buf *out, size_t n)
{
	while (n-- > 0)
		buf_append_byte(out, ' ');
}

/* A cell, cut to `width` if it is longer, and what is between it and the next one. */
static void print_text(const struct ctl_table *table, size_t column, size_t width,
		       struct slice text, struct buf *out)
{
	const bool is_number = table->columns[column].is_number;
	const bool is_cut = ctl_text_width(text) > width;
	size_t space;

	if (is_cut)
		text = ctl_text_cut(text, width - 1);
	space = width - ctl_text_width(text) - (is_cut ? 1 : 0);
	if (is_number)
		print_spaces(out, space);
	buf_append_slice(out, text);
	if (is_cut)
		buf_append_str(out, CUT_MARK);
	if (column + 1 == table->columns_n)
		buf_append_byte(out, '\n');
	else
		print_spaces(out, GAP + (is_number ? 0 : space));
}

static void print_titles(struct ctl_table *table, const size_t *widths, struct buf *out)
{
	if (table->is_bold)
		buf_append_str(out, BOLD);
	for (size_t i = 0; i < table->columns_n; i++)
		print_text(table, i, widths[i], slice_from_str(table->columns[i].title),
			   out);
	if (table->is_bold) {
		out->len--; /* the end of the line is not part of it */
		buf_append_str(out, PLAIN "\n");
	}
	table->is_headed = true;
}

void ctl_table_print(struct ctl_table *table, struct buf *out)
{
	size_t widths[CTL_COLUMNS_MAX];
	size_t start = 0;

	assert(table->cells_n % table->columns_n == 0);
	layout(table, widths);
	if (!table->is_headed)
		print_titles(table, widths, out);
	for (size_t i = 0; i < table->cells_n; i++) {
		const size_t column = i % table->columns_n;
		size_t end;

		memcpy(&end, table->ends.ptr + i * sizeof(end), sizeof(end));
		print_text(table, column, widths[column],
			   slice_make(table->cells.ptr + start, end - start), out);
		start = end;
	}
	buf_clear(&table->cells);
	buf_clear(&table->ends);
	table->cells_n = 0;
}
