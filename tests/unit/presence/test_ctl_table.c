/* SPDX-License-Identifier: Apache-2.0 */
#include "presence/ctl_table.h"

#include <criterion/criterion.h>

static const struct ctl_table_column columns[] = {
	{ "ID", false, false },
	{ "N", true, false },
	{ "NAME", false, true },
};

static struct ctl_table table;
static struct buf out;

static void setup(void)
{
	ctl_table_init(&table, columns, 3);
}

static void teardown(void)
{
	ctl_table_fini(&table);
	buf_fini(&out);
}

TestSuite(ctl_table, .init = setup, .fini = teardown);

static void row(const char *id, const char *n, const char *name)
{
	ctl_table_cell(&table, slice_from_str(id));
	ctl_table_cell(&table, slice_from_str(n));
	ctl_table_cell(&table, slice_from_str(name));
}

static void expect_printed(const char *text)
{
	buf_clear(&out);
	ctl_table_print(&table, &out);
	cr_expect(slice_equal(buf_slice(&out), slice_from_str(text)), "\n%.*snot\n%s",
		  SLICE_FMT(buf_slice(&out)), text);
}

Test(ctl_table, columns_are_as_wide_as_their_widest_cell)
{
	row("ann", "1", "Ann");
	row("b", "1000", "Bob the Builder");
	expect_printed("ID      N  NAME\n"
		       "ann     1  Ann\n"
		       "b    1000  Bob the Builder\n");
}

Test(ctl_table, without_rows_the_titles_stand_alone)
{
	expect_printed("ID  N  NAME\n");
}

Test(ctl_table, a_second_page_has_no_titles_and_no_narrower_columns)
{
	row("anna", "10", "A");
	expect_printed("ID     N  NAME\n"
		       "anna  10  A\n");
	row("b", "1", "B");
	expect_printed("b      1  B\n");
	row("christa", "1", "C");
	expect_printed("christa   1  C\n");
}

Test(ctl_table, cells_are_escaped_and_measured_so)
{
	row("\x1b[1m", "1", "\xe6\xbc\xa2");
	row("ann", "2", "x");
	expect_printed("ID       N  NAME\n"
		       "\\x1b[1m  1  \xe6\xbc\xa2\n"
		       "ann      2  x\n");
}

Test(ctl_table, a_wide_character_counts_twice)
{
	row("\xe6\xbc\xa2\xe6\xbc\xa2", "1", "x");
	row("abc", "2", "y");
	expect_printed("ID    N  NAME\n"
		       "\xe6\xbc\xa2\xe6\xbc\xa2  1  x\n"
		       "abc   2  y\n");
}

Test(ctl_table, a_narrow_terminal_cuts_names)
{
	table.width = 20;
	row("ann", "1", "Ann of Green Gables");
	row("bob", "1", "Twelve chars");
	expect_printed("ID   N  NAME\n"
		       "ann  1  Ann of Gree\xe2\x80\xa6\n"
		       "bob  1  Twelve chars\n");
}

Test(ctl_table, a_cut_is_no_wider_than_its_column)
{
	table.width = 16;
	row("ann", "1", "abcdef\xe6\xbc\xa2xyz");
	expect_printed("ID   N  NAME\n"
		       "ann  1  abcdef\xe2\x80\xa6\n");
}

Test(ctl_table, neither_ids_nor_names_below_8_columns_are_cut)
{
	table.width = 10;
	row("a-long-id-that-is-copied", "1", "Ann of Green Gables");
	expect_printed("ID                        N  NAME\n"
		       "a-long-id-that-is-copied  1  Ann of \xe2\x80\xa6\n");
}

Test(ctl_table, a_fitting_terminal_cuts_nothing)
{
	table.width = 11;
	row("ann", "1", "Ann");
	expect_printed("ID   N  NAME\n"
		       "ann  1  Ann\n");
}

Test(ctl_table, titles_may_be_bold)
{
	table.is_bold = true;
	row("a", "1", "b");
	expect_printed("\x1b[1mID  N  NAME\x1b[0m\n"
		       "a   1  b\n");
}
