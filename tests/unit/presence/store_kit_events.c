/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tests of store_kit.h: what is told of changes, and remembered.
 */
#include <criterion/criterion.h>
#include <stdio.h>

#include "tests/unit/presence/store_ask.h"

void store_kit_events_tell_who_came_and_went(void)
{
	(void)add(g1, "c1", "ann");
	(void)add(g2, "c2", "ann");
	(void)add(g1, "c3", "");
	(void)add(g1, "c4", "ben");
	(void)take(g1, "chat", "c1");
	(void)take(g1, "chat", "c4");
	(void)take(g2, "chat", "c2");
	(void)take(g1, "chat", "c3");
	(void)add(g1, "c5", "ann");
	expect_told("+ann +ben -ben -ann +ann ");
}

void store_kit_events_are_kept_for_those_who_come_late(void)
{
	char start[sizeof(asked.next)];

	cr_expect_eq(find_events("", ROOM)->rc, OK);
	cr_expect_eq(asked.answer.events_n, 0);
	cr_assert_str_not_empty(asked.next);
	memcpy(start, asked.next, sizeof(start));
	(void)add(g1, "c1", "ann");
	(void)add(g1, "c2", "ben");
	(void)take(g1, "chat", "c1");
	cr_expect_eq(find_events(start, ROOM)->rc, OK);
	cr_expect_str_eq(asked.events, "+ann +ben -ann ");
	cr_expect_eq(find_events(asked.next, ROOM)->rc, OK);
	cr_expect_str_eq(asked.events, "");
	cr_expect_str_not_empty(asked.next);
	cr_expect_not(asked.answer.is_more);
	cr_expect_eq(find_events(start, 2)->rc, OK);
	cr_expect_str_eq(asked.events, "+ann +ben ");
	cr_expect(asked.answer.is_more);
	cr_expect_eq(find_events(asked.next, 2)->rc, OK);
	cr_expect_str_eq(asked.events, "-ann ");
	memcpy(start, asked.next, sizeof(start));
	expect_told("+ann +ben -ann ");
	/* The same ids as were told. */
	(void)find_events(start, ROOM);
	cr_expect_eq(strncmp(asked.next, told_id, strlen(asked.next)), 0);
}

void store_kit_too_old_an_event_is_not_found(void)
{
	const struct store_kit_options options = { .sessions_max = MANY,
						   .events_max = 10 };
	char early[sizeof(asked.next)];
	char name[16];

	use_store(&options);
	(void)settle();
	(void)find_events("", ROOM);
	memcpy(early, asked.next, sizeof(early));
	/* A store may keep more than it must. */
	for (int i = 0; i < 2000; i++) {
		(void)snprintf(name, sizeof(name), "u%d", i);
		(void)add(g1, name, name);
	}
	cr_expect_eq(find_events(early, ROOM)->rc, ERR_NOT_FOUND);
	cr_expect_eq(find_events("x", ROOM)->rc, ERR_NOT_FOUND);
	cr_expect_eq(find_events("00000000000000-00000000", ROOM)->rc, ERR_NOT_FOUND);
	cr_expect_eq(find_events("99999999999999-99999999", ROOM)->rc, ERR_NOT_FOUND);
	(void)find_events("", ROOM);
	memcpy(early, asked.next, sizeof(early));
	for (int i = 0; i < 10; i++) {
		(void)snprintf(name, sizeof(name), "u%d", i);
		(void)take(g1, "chat", name);
	}
	cr_expect_eq(find_events(early, ROOM)->rc, OK);
	cr_expect_str_eq(asked.events, "-u0 -u1 -u2 -u3 -u4 -u5 -u6 -u7 -u8 -u9 ");
}

static void on_event_found(struct store_call *call, const struct store_answer *answer)
{
	cr_assert_eq(answer->events_n, 2);
	cr_expect_eq(answer->events[0].change, STORE_ONLINE);
	cr_expect(slice_equal(answer->events[0].user_id, SLICE("a\0nn")));
	cr_expect(slice_equal(answer->events[0].user_name, SLICE("Ann \xff")));
	cr_expect_gt(answer->events[0].at_unix_ms, 1600000000000);
	cr_expect_eq(answer->events[1].change, STORE_OFFLINE);
	cr_expect(slice_equal(answer->events[1].user_id, SLICE("a\0nn")));
	cr_expect(slice_equal(answer->events[1].user_name, SLICE("Ann \xff")));
	cr_expect(slice_equal(answer->next, answer->events[1].id));
	on_asked(call, answer);
}

void store_kit_an_event_names_the_user(void)
{
	const struct session_info info = { .hub = SLICE("chat"),
					   .connection = SLICE("c1"),
					   .user_id = SLICE("a\0nn"),
					   .user_name = SLICE("Ann \xff") };
	char start[sizeof(asked.next)];

	(void)find_events("", ROOM);
	memcpy(start, asked.next, sizeof(start));
	(void)add_info(g1, &info);
	(void)take(g1, "chat", "c1");
	store->ops->events(store, slice_from_str(start), ROOM, ask_with(on_event_found));
	cr_expect_eq(wait_answer()->rc, OK);
}

static const char *marked(struct slice name)
{
	store->ops->marked(store, name, ask());
	cr_expect_eq(wait_answer()->rc, OK);
	return asked.next;
}

void store_kit_marks_are_kept_by_name(void)
{
	cr_expect_str_empty(marked(SLICE("r1")));
	store->ops->mark(store, SLICE("r1"), SLICE("12"), ask());
	cr_expect_eq(wait_answer()->rc, OK);
	store->ops->mark(store, SLICE("r2"), SLICE("7"), ask());
	wait_answer();
	cr_expect_str_eq(marked(SLICE("r1")), "12");
	store->ops->mark(store, SLICE("r1"), SLICE("13"), ask());
	wait_answer();
	cr_expect_str_eq(marked(SLICE("r1")), "13");
	cr_expect_str_eq(marked(SLICE("r2")), "7");
	cr_expect_str_empty(marked(SLICE("r")));
}

/* Two replicas may say where a router is, one of which is late. */
void store_kit_a_mark_never_goes_back(void)
{
	static const char *const ids[] = {
		"01795336372955-0000000042",
		"01795336372955-0000000041",
		"01795336372954-9999999999",
		"0179533637295",
		"",
		"01795336372955-0000000042",
	};

	for (size_t i = 0; i < sizeof(ids) / sizeof(ids[0]); i++) {
		store->ops->mark(store, SLICE("r1"), slice_from_str(ids[i]), ask());
		cr_expect_eq(wait_answer()->rc, OK);
		cr_expect_str_eq(marked(SLICE("r1")), ids[0]);
	}
	store->ops->mark(store, SLICE("r1"), SLICE("01795336372956-0000000000"), ask());
	wait_answer();
	cr_expect_str_eq(marked(SLICE("r1")), "01795336372956-0000000000");
}
