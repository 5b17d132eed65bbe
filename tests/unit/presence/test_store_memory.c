/* SPDX-License-Identifier: Apache-2.0 */
/* The store in memory does what store_kit.h asks of every store, and answers at once. */
#include <criterion/criterion.h>

#include "tests/unit/presence/store_kit.h"

static struct store *make(size_t sessions_max)
{
	return store_memory_new(sessions_max, 0, 1);
}

static const struct store_kit memory_kit = { .make = make };

#define STORE_MEMORY_TEST(name)                                                          \
	Test(store_memory, name)                                                         \
	{                                                                                \
		store_kit_run(&memory_kit, store_kit_##name);                            \
	}
STORE_KIT_TESTS(STORE_MEMORY_TEST)

static size_t answers_n;

static void on_done(struct store_call *call, const struct store_answer *answer)
{
	cr_expect_eq(answer->rc, OK);
	cr_expect(call->done == on_done);
	answers_n += answer->users_online + answer->users_n;
}

Test(store_memory, a_cursor_of_an_earlier_life_skips_nobody)
{
	struct store *store = store_memory_new(1, 5000, 1);
	const struct session_info info = { .hub = SLICE("chat"),
					   .connection = SLICE("c1"),
					   .user_id = SLICE("ann"),
					   .gateway = { SLICE("g1"), 1 } };
	struct store_call call;

	store_call_init(&call, on_done);
	store->ops->add(store, &info, &call);
	store->ops->list(store, SLICE("5000"), 1, &call);
	cr_expect_eq(answers_n, 2);
	store->ops->free(store);
}
