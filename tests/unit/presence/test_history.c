/* SPDX-License-Identifier: Apache-2.0 */
/* Ids that grow whatever the clock does, and a ring that forgets the oldest. */
#include "presence/history.h"

#include <criterion/criterion.h>

#define START_MS 1763800000000

static struct history history;

static void setup(void)
{
	history_init(&history, 3, START_MS);
}

static void teardown(void)
{
	history_fini(&history);
}

TestSuite(history, .init = setup, .fini = teardown);

static void add(const char *user, int64_t at_unix_ms, const char *id)
{
	const struct store_event event = { .change = STORE_ONLINE,
					   .user_id = slice_from_str(user),
					   .user_name = SLICE("N"),
					   .at_unix_ms = at_unix_ms };
	const struct store_event kept = history_add(&history, &event);

	cr_expect(slice_equal(kept.id, slice_from_str(id)), "%.*s, not %s",
		  SLICE_FMT(kept.id), id);
	cr_expect(slice_equal(kept.user_id, event.user_id));
	cr_expect_neq(kept.user_id.ptr, event.user_id.ptr);
	cr_expect(slice_equal(kept.user_name, SLICE("N")));
}

static size_t after(const char *id)
{
	size_t at = 99;

	cr_expect_eq(history_after(&history, slice_from_str(id), &at), OK, "%s", id);
	return at;
}

static void expect_not_found(const char *id)
{
	size_t at;

	cr_expect_eq(history_after(&history, slice_from_str(id), &at), ERR_NOT_FOUND,
		     "%s", id);
}

Test(history, ids_grow_whatever_the_clock_does)
{
	add("a", START_MS, "01763800000000-00000001");
	add("b", START_MS, "01763800000000-00000002");
	add("c", START_MS + 5, "01763800000005-00000000");
	add("d", START_MS - 1000, "01763800000005-00000001");
	history.last_in = 99999999;
	add("e", START_MS + 5, "01763800000006-00000000");
	cr_expect(
		slice_equal(history_last_id(&history), SLICE("01763800000006-00000000")));
}

Test(history, what_followed_an_id_is_found)
{
	cr_expect_eq(after("01763800000000-00000000"), 0); /* where it began */
	cr_expect_eq(history.n, 0);
	add("a", START_MS + 1, "01763800000001-00000000");
	add("b", START_MS + 3, "01763800000003-00000000");
	cr_expect_eq(after("01763800000000-00000000"), 0);
	cr_expect_eq(after("01763800000001-00000000"), 1);
	cr_expect_eq(after("01763800000002-00000000"), 1);
	cr_expect_eq(after("01763800000003-00000000"), 2);
	cr_expect(slice_equal(history_event(&history, 1).user_id, SLICE("b")));
}

Test(history, what_is_forgotten_or_never_was_is_not_found)
{
	expect_not_found("01763799999999-99999999"); /* of an earlier life */
	add("a", START_MS, "01763800000000-00000001");
	add("b", START_MS, "01763800000000-00000002");
	add("c", START_MS, "01763800000000-00000003");
	cr_expect_eq(after("01763800000000-00000000"), 0);
	add("d", START_MS, "01763800000000-00000004");
	expect_not_found("01763800000000-00000000");
	cr_expect_eq(after("01763800000000-00000001"), 0);
	cr_expect_eq(history.n, 3);
	expect_not_found("01763800000000-00000005");
	expect_not_found("");
	expect_not_found("0176380000000000000004");
	expect_not_found("01763800000000+00000004");
	expect_not_found("0176380000000x-00000004");
	expect_not_found("01763800000000-000000040");
}
