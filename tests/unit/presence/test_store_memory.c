/* SPDX-License-Identifier: Apache-2.0 */
/* The store in memory does what store_kit.h asks of every store, and answers at once. */
#include <criterion/criterion.h>
#include <stdio.h>

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

struct pages {
	struct store_call call;
	struct store_call next;
	struct store *store;
	size_t users_n;
};

static void on_last_page(struct store_call *call, const struct store_answer *answer)
{
	CONTAINER_OF(call, struct pages, next)->users_n += answer->users_n;
}

static void on_first_page(struct store_call *call, const struct store_answer *answer)
{
	struct pages *pages = CONTAINER_OF(call, struct pages, call);

	pages->users_n += answer->users_n;
	store_call_init(&pages->next, on_last_page);
	pages->store->ops->list(pages->store, answer->next, 40, &pages->next);
	cr_expect(slice_equal(answer->users[0].id, SLICE("u00")));
}

Test(store_memory, an_answer_may_ask_for_the_next_page)
{
	struct pages pages = { .store = store_memory_new(80, 0, 1) };
	struct store_call call;

	store_call_init(&call, on_done);
	for (int i = 0; i < 80; i++) {
		char id[8];
		struct session_info info = { .hub = SLICE("chat"),
					     .gateway = { SLICE("g1"), 1 } };

		(void)snprintf(id, sizeof(id), "u%02d", i);
		info.connection = slice_from_str(id);
		info.user_id = slice_from_str(id);
		pages.store->ops->add(pages.store, &info, &call);
	}
	store_call_init(&pages.call, on_first_page);
	pages.store->ops->list(pages.store, SLICE_NONE, 40, &pages.call);
	cr_expect_eq(pages.users_n, 80);
	pages.store->ops->free(pages.store);
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
