/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Lists that keep their newest entries, and which list goes when there is no more room.
 */
#include "router/journal.h"

#include <criterion/criterion.h>
#include <stdio.h>

static struct journal journal;
static char text[256];

static void setup(void)
{
	journal_init(&journal, 3, 4096, 7);
}

static void teardown(void)
{
	journal_fini(&journal);
}

TestSuite(journal, .init = setup, .fini = teardown);

static void append(const char *key, const char *entry, uint32_t entries_max)
{
	journal_append(&journal, slice_from_str(key), slice_from_str(entry), entries_max);
}

/* "a b c", oldest first; "none" when there is no list. */
static const char *entries(const char *key)
{
	const struct journal_list *list = journal_read(&journal, slice_from_str(key));
	size_t len = 0;

	text[0] = '\0';
	if (list == NULL)
		return "none";
	LIST_EACH (node, &list->entries) {
		const struct slice entry =
			blob_slice(CONTAINER_OF(node, struct journal_entry, node)->blob);

		len += (size_t)snprintf(text + len, sizeof(text) - len, "%s%.*s",
					len > 0 ? " " : "", SLICE_FMT(entry));
	}
	return text;
}

/* What `n` lists of one entry of one byte under a key of one byte cost. */
static size_t cost(size_t n)
{
	return n * (sizeof(struct journal_list) + sizeof(struct journal_entry) +
		    sizeof(struct blob) + 2);
}

Test(journal, nothing_is_under_an_unknown_key)
{
	cr_expect_str_eq(entries("a"), "none");
}

Test(journal, entries_come_back_in_order)
{
	append("a", "1", 10);
	append("b", "x", 10);
	append("a", "2", 10);
	cr_expect_str_eq(entries("a"), "1 2");
	cr_expect_str_eq(entries("b"), "x");
}

Test(journal, entries_max_stay_and_one_more_drops_the_oldest)
{
	append("a", "1", 2);
	append("a", "2", 2);
	cr_expect_str_eq(entries("a"), "1 2");
	append("a", "3", 2);
	cr_expect_str_eq(entries("a"), "2 3");
}

Test(journal, a_smaller_entries_max_cuts_the_list)
{
	append("a", "1", 3);
	append("a", "2", 3);
	append("a", "3", 1);
	cr_expect_str_eq(entries("a"), "3");
}

Test(journal, keys_max_stay_and_one_more_evicts_the_least_recently_used)
{
	append("a", "1", 10);
	append("b", "1", 10);
	append("c", "1", 10);
	cr_expect_eq(journal.evicted_total, 0);
	entries("a");
	append("d", "1", 10);
	cr_expect_eq(journal.evicted_total, 1);
	cr_expect_str_eq(entries("b"), "none");
	cr_expect_str_eq(entries("a"), "1");
	cr_expect_str_eq(entries("c"), "1");
	cr_expect_str_eq(entries("d"), "1");
}

Test(journal, bytes_max_stay_and_one_more_evicts)
{
	journal.bytes_max = cost(2) + 1;
	append("a", "1", 10);
	append("b", "2", 10);
	cr_expect_eq(journal.bytes, cost(2));
	entries("a");
	append("b", "", 1);
	append("b", "22", 1);
	cr_expect_eq(journal.bytes, journal.bytes_max);
	cr_expect_eq(journal.evicted_total, 0);
	append("b", "333", 1);
	cr_expect_eq(journal.evicted_total, 1);
	cr_expect_str_eq(entries("a"), "none");
	cr_expect_str_eq(entries("b"), "333");
}

Test(journal, one_list_alone_drops_its_own_oldest_over_bytes_max)
{
	journal.bytes_max = cost(1);
	append("a", "1", 10);
	append("a", "2", 10);
	cr_expect_str_eq(entries("a"), "2");
	cr_expect_eq(journal.evicted_total, 0);
}

Test(journal, an_entry_larger_than_all_stays_alone)
{
	journal.bytes_max = 1;
	append("a", "12345", 10);
	append("b", "67890", 10);
	cr_expect_str_eq(entries("a"), "none");
	cr_expect_str_eq(entries("b"), "67890");
}

Test(journal, empty_entries_are_not_free)
{
	journal.bytes_max = 1000;
	for (int i = 0; i < 1000; i++)
		append("a", "", JOURNAL_ENTRIES_MAX);
	cr_expect_leq(journal.bytes, 1000);
}

Test(journal, keys_and_entries_may_be_empty)
{
	journal_append(&journal, SLICE_NONE, SLICE_NONE, 1);
	cr_expect_str_eq(entries(""), "");
}

Test(journal, bytes_are_zero_when_all_is_gone)
{
	append("a", "1", 10);
	append("b", "22", 10);
	journal_fini(&journal);
	cr_expect_eq(journal.bytes, 0);
	setup();
}
