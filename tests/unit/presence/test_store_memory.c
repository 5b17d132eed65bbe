/* SPDX-License-Identifier: Apache-2.0 */
/* The store in memory does what store_kit.h asks of every store, and answers at once. */
#include <criterion/criterion.h>
#include <stdio.h>

#include "presence/marks.h"
#include "presence/store_memory.h"
#include "proto/base/loop.h"
#include "tests/unit/presence/store_ask.h"

static struct loop *loop;

static void setup(void)
{
	loop = loop_new();
}

static void teardown(void)
{
	loop_free(loop);
}

TestSuite(store_memory, .init = setup, .fini = teardown, .timeout = 60);

static struct store *make(const struct store_kit_options *options)
{
	const struct store_memory_options memory_options = {
		.sessions_max = options->sessions_max,
		.offline_grace_ms = options->offline_grace_ms,
		.events_max = options->events_max,
		.seed = 1,
	};

	return store_memory_new(loop, &memory_options);
}

static void turn(void)
{
	loop_turn(loop, 1);
}

static const struct store_kit memory_kit = { .make = make, .turn = turn };

#define STORE_MEMORY_TEST(name)                                                          \
	Test(store_memory, name)                                                         \
	{                                                                                \
		store_kit_run(&memory_kit, store_kit_##name);                            \
	}
STORE_KIT_TESTS(STORE_MEMORY_TEST)

struct pages {
	struct store_call call;
	struct store_call next;
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
	store->ops->list(store, SLICE_NONE, answer->next, 40, &pages->next);
	cr_expect(slice_equal(answer->users[0].id, SLICE("u00")));
}

static void ask_while_answered(void)
{
	struct pages pages = { .users_n = 0 };
	char id[8];

	for (int i = 0; i < 80; i++) {
		(void)snprintf(id, sizeof(id), "u%02d", i);
		(void)add(g1, id, id);
	}
	store_call_init(&pages.call, on_first_page);
	store->ops->list(store, SLICE_NONE, SLICE_NONE, 40, &pages.call);
	cr_expect_eq(pages.users_n, 80);
}

Test(store_memory, an_answer_may_ask_for_the_next_page)
{
	store_kit_run(&memory_kit, ask_while_answered);
}

static void answer_at_once(void)
{
	store->ops->add(store, g1, &(struct session_info){ .hub = SLICE("chat") }, ask());
	cr_expect(asked.is_done);
	cr_expect_eq(store->ops->away_since_ms(store), 0);
}

Test(store_memory, it_answers_at_once_and_is_never_away)
{
	store_kit_run(&memory_kit, answer_at_once);
}

/* Without room for more users nobody has a grace: at most one too many is kept. */
static void fill_with_leavers(void)
{
	const struct store_kit_options options = { .sessions_max = 2,
						   .offline_grace_ms = LONG_MS,
						   .events_max = ROOM };

	use_store(&options);
	(void)settle();
	for (int i = 0; i < 2; i++) {
		const char *name = i == 0 ? "ann" : "ben";

		(void)add(g1, name, name);
		cr_expect_eq(take(g1, "chat", name)->users_offline, 0);
	}
	(void)add(g1, "c3", "cid");
	cr_expect_eq(take(g1, "chat", "c3")->users_offline, 1);
	expect_counts(2, 0);
}

Test(store_memory, users_in_their_grace_have_a_limit)
{
	store_kit_run(&memory_kit, fill_with_leavers);
}

static void fill_marks(void)
{
	char name[16];

	for (int i = 0; i < MARKS_MAX; i++) {
		(void)snprintf(name, sizeof(name), "r%d", i);
		store->ops->mark(store, slice_from_str(name), SLICE("1"), ask());
		cr_assert_eq(wait_answer()->rc, OK);
	}
	store->ops->mark(store, SLICE("one more"), SLICE("1"), ask());
	cr_expect_eq(wait_answer()->rc, ERR_LIMIT);
	store->ops->mark(store, SLICE("r7"), SLICE("2"), ask());
	cr_expect_eq(wait_answer()->rc, OK);
}

Test(store_memory, marks_have_a_limit)
{
	store_kit_run(&memory_kit, fill_marks);
}
