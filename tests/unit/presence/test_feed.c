/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Every change once and in order, whenever a watcher came, and however the store's
 * answers and what it tells by itself are mixed.
 */
#include "presence/feed.h"

#include <criterion/criterion.h>
#include <stdio.h>

#include "presence/presence.h"
#include "presence/store_memory.h"
#include "tests/unit/presence/store_slow.h"

#define EVENTS_MAX 1000

static struct presence presence;
static uint64_t registration;

struct seen {
	struct feed_watcher watcher;
	char text[32768]; /* "+u1 -u1 ! " */
	size_t len;
	int n;
	int pause_at;  /* at the n-th it pauses, */
	int remove_at; /* or goes */
};

static struct seen seen;
static struct seen other;

static void on_told(void *owner, const struct store_event *event)
{
	(void)owner;
	feed_on_event(&presence.feed, event);
}

static void on_registered(struct store_call *call, const struct store_answer *answer)
{
	(void)call;
	registration = answer->registration;
}

static void on_ok(struct store_call *call, const struct store_answer *answer)
{
	(void)call;
	cr_assert_eq(answer->rc, OK);
}

static void setup(void)
{
	const struct store_memory_options options = { .sessions_max = 100000,
						      .events_max = EVENTS_MAX,
						      .seed = 1 };
	const struct session_gateway_id id = { SLICE("g1"), 1 };
	struct store_call call;

	presence.loop = loop_new();
	presence.store = store_slow_new(store_memory_new(presence.loop, &options));
	presence.store->watcher = (struct store_watcher){ .on_event = on_told };
	feed_init(&presence.feed, &presence);
	store_call_init(&call, on_registered);
	presence.store->ops->gateway_new(presence.store, &id, 600000, &call);
	store_call_init(&call, on_ok);
	presence.store->ops->settle(presence.store, &call);
}

static void teardown(void)
{
	feed_remove(&seen.watcher);
	feed_remove(&other.watcher);
	feed_fini(&presence.feed);
	presence.store->ops->free(presence.store);
	loop_free(presence.loop);
}

TestSuite(feed, .init = setup, .fini = teardown);

static void come(unsigned i)
{
	char id[16];
	struct store_call call;
	const struct session_info info = {
		.hub = SLICE("chat"),
		.connection = { id, (size_t)snprintf(id, sizeof(id), "u%u", i) },
		.user_id = info.connection,
	};

	store_call_init(&call, on_ok);
	presence.store->ops->add(presence.store, registration, &info, &call);
}

static void go(unsigned i)
{
	char id[16];
	struct store_call call;
	const struct slice connection = { id,
					  (size_t)snprintf(id, sizeof(id), "u%u", i) };

	store_call_init(&call, on_ok);
	presence.store->ops->remove(presence.store, registration, SLICE("chat"),
				    connection, &call);
}

static void on_event(struct feed_watcher *watcher, const struct store_event *event)
{
	struct seen *into = CONTAINER_OF(watcher, struct seen, watcher);
	static const char marks[] = {
		[STORE_ONLINE] = '+', [STORE_OFFLINE] = '-', [STORE_RESET] = '!'
	};

	into->len += (size_t)snprintf(into->text + into->len,
				      sizeof(into->text) - into->len, "%c%.*s ",
				      marks[event->change], SLICE_FMT(event->user_id));
	cr_expect(slice_equal(event->id, feed_watcher_id(watcher)));
	into->n++;
	if (into->n == into->pause_at)
		feed_pause(watcher);
	if (into->n == into->remove_at)
		feed_remove(watcher);
}

static void watch(struct seen *into, const char *after)
{
	feed_add(&presence.feed, &into->watcher, slice_from_str(after), on_event);
}

static void turns(int n)
{
	while (n-- > 0)
		loop_turn(presence.loop, 2);
}

static void expect_seen(const char *text)
{
	cr_expect_str_eq(seen.text, text);
}

static void newest_id(char *text, size_t size)
{
	const struct slice id = feed_watcher_id(&other.watcher);

	cr_assert_lt(id.len, size);
	memcpy(text, id.ptr, id.len);
	text[id.len] = '\0';
}

Test(feed, from_now_on_each_change_comes_once)
{
	come(1);
	watch(&seen, "");
	come(2);
	turns(2);
	go(1);
	turns(2);
	expect_seen("+u2 -u1 ");
	cr_expect_eq(presence.metrics.watchers, 1);
	cr_expect_eq(presence.metrics.events_told_total, 2);
}

Test(feed, what_was_missed_comes_first_and_not_within_add)
{
	char after[64];

	watch(&other, "");
	come(1);
	newest_id(after, sizeof(after));
	come(2);
	go(1);
	watch(&seen, after);
	expect_seen("");
	come(3);
	turns(3);
	come(4);
	expect_seen("+u2 -u1 +u3 +u4 ");
}

Test(feed, many_pages_come_one_a_turn)
{
	char after[64];

	watch(&other, "");
	come(0);
	newest_id(after, sizeof(after));
	for (unsigned i = 1; i <= 350; i++)
		come(i);
	watch(&seen, after);
	turns(1);
	cr_expect_eq(seen.n, 100);
	come(351);
	turns(5);
	cr_expect_eq(seen.n, 351);
	cr_expect_eq(strncmp(seen.text, "+u1 +u2 +u3 ", 12), 0);
	come(352);
	cr_expect_eq(seen.n, 352);
	cr_expect(seen.watcher.is_live);
}

Test(feed, who_comes_too_late_is_reset_and_goes_on)
{
	char after[64];

	watch(&other, "");
	come(0);
	newest_id(after, sizeof(after));
	for (unsigned i = 1; i <= EVENTS_MAX + 1; i++)
		come(i);
	watch(&seen, after);
	turns(3);
	expect_seen("! ");
	cr_expect_eq(presence.metrics.events_reset_total, 1);
	come(5000);
	expect_seen("! +u5000 ");
}

Test(feed, an_id_that_is_none_is_reset)
{
	char longer[FEED_ID_BYTES_MAX + 2];

	memset(longer, '1', sizeof(longer) - 1);
	longer[sizeof(longer) - 1] = '\0';
	watch(&seen, longer);
	watch(&other, "x");
	turns(3);
	expect_seen("! ");
	cr_expect_str_eq(other.text, "! ");
	come(1);
	expect_seen("! +u1 ");
}

/* The store answers late, and tells meanwhile: what it tells may be in the answer. */
Test(feed, what_is_told_while_the_store_is_asked_comes_once)
{
	char after[64];

	watch(&other, "");
	come(0);
	newest_id(after, sizeof(after));
	come(1);
	store_slow_hold(presence.store, true);
	watch(&seen, after);
	turns(1);
	come(2);
	cr_expect_eq(store_slow_release(presence.store), 1);
	expect_seen("+u1 +u2 "); /* the answer is made when it is given */
	come(3);
	turns(1);
	cr_expect_eq(store_slow_release(presence.store), 1);
	turns(1);
	expect_seen("+u1 +u2 +u3 ");
	come(4);
	expect_seen("+u1 +u2 +u3 +u4 ");
}

Test(feed, from_now_on_begins_when_the_store_answers)
{
	store_slow_hold(presence.store, true);
	watch(&seen, "");
	cr_expect_eq(store_slow_release(presence.store), 1);
	come(1);
	turns(1);
	expect_seen("+u1 ");
}

Test(feed, a_store_that_fails_is_asked_again)
{
	char after[64];

	watch(&other, "");
	come(0);
	newest_id(after, sizeof(after));
	come(1);
	store_slow_fail(presence.store, ERR_TIMEOUT);
	watch(&seen, after);
	turns(1);
	expect_seen("");
	store_slow_fail(presence.store, OK);
	for (int i = 0; i < 5000 && seen.n < 1; i++)
		turns(1);
	expect_seen("+u1 ");
	cr_expect_eq(presence.metrics.store_failed_total, 1);
}

Test(feed, one_that_paused_goes_on_where_it_was)
{
	seen.pause_at = 2;
	watch(&seen, "");
	for (unsigned i = 1; i <= 5; i++)
		come(i);
	turns(2);
	expect_seen("+u1 +u2 ");
	feed_resume(&seen.watcher);
	turns(2);
	come(6);
	expect_seen("+u1 +u2 +u3 +u4 +u5 +u6 ");
}

Test(feed, one_may_pause_in_the_middle_of_a_page)
{
	char after[64];

	watch(&other, "");
	come(0);
	newest_id(after, sizeof(after));
	for (unsigned i = 1; i <= 5; i++)
		come(i);
	seen.pause_at = 3;
	watch(&seen, after);
	turns(3);
	expect_seen("+u1 +u2 +u3 ");
	feed_resume(&seen.watcher);
	turns(3);
	expect_seen("+u1 +u2 +u3 +u4 +u5 ");
}

Test(feed, one_may_go_at_any_change)
{
	char after[64];

	watch(&other, "");
	come(0);
	newest_id(after, sizeof(after));
	for (unsigned i = 1; i <= 5; i++)
		come(i);
	seen.remove_at = 2;
	watch(&seen, after);
	turns(3);
	come(6);
	expect_seen("+u1 +u2 ");
	cr_expect_eq(presence.metrics.watchers, 1);
	seen = (struct seen){ .remove_at = 1 };
	watch(&seen, "");
	come(7);
	come(8);
	expect_seen("+u7 ");
	feed_remove(&seen.watcher); /* harmless */
}

Test(feed, one_may_go_while_the_store_is_asked)
{
	store_slow_hold(presence.store, true);
	watch(&seen, "x");
	turns(1);
	feed_remove(&seen.watcher);
	cr_expect_eq(store_slow_release(presence.store), 1);
	turns(2);
	expect_seen("");
}

/* As a store does that knows no better: the id is that of the last change. */
static void reset_at(const struct feed_watcher *watcher)
{
	const struct slice id = feed_watcher_id(watcher);
	char text[FEED_ID_BYTES_MAX];
	const struct store_event event = { .id = { text, id.len },
					   .change = STORE_RESET };

	memcpy(text, id.ptr, id.len);
	feed_on_event(&presence.feed, &event);
}

Test(feed, a_reset_that_is_no_change_is_told)
{
	watch(&seen, "");
	come(1);
	reset_at(&seen.watcher);
	go(1);
	expect_seen("+u1 ! -u1 ");
}

Test(feed, a_reset_before_the_last_change_turns_nobody_back)
{
	char place[FEED_ID_BYTES_MAX + 1];
	const struct store_event event = { .id = SLICE("0"), .change = STORE_RESET };

	watch(&seen, "");
	watch(&other, "");
	come(1);
	newest_id(place, sizeof(place));
	feed_on_event(&presence.feed, &event);
	expect_seen("+u1 ! ");
	cr_expect(slice_equal(feed_watcher_id(&seen.watcher), slice_from_str(place)));
}

Test(feed, who_paused_hears_the_reset_when_it_goes_on)
{
	seen.pause_at = 1;
	watch(&seen, "");
	watch(&other, "");
	come(1);
	reset_at(&other.watcher);
	turns(2);
	expect_seen("+u1 ");
	cr_expect_str_eq(other.text, "+u1 ! ");
	feed_resume(&seen.watcher);
	turns(2);
	come(2);
	expect_seen("+u1 ! +u2 ");
}

/* Two pages: one that holds none, as of a store that left them out, and one with one. */
static void on_short_events(struct store *store, struct slice after, size_t limit,
			    struct store_call *call)
{
	const struct store_event event = { .id = SLICE("3"), .change = STORE_RESET };
	const bool is_second = slice_equal(after, SLICE("2"));
	const struct store_answer answer = {
		.rc = OK,
		.events = &event,
		.events_n = is_second ? 1 : 0,
		.next = is_second ? SLICE("3") : SLICE("2"),
		.is_more = !is_second,
	};

	(void)store;
	(void)limit;
	call->done(call, &answer);
}

Test(feed, a_short_page_is_not_the_end)
{
	struct store_ops ops = *presence.store->ops;
	const struct store_ops *all = presence.store->ops;

	ops.events = on_short_events;
	presence.store->ops = &ops;
	watch(&seen, "1");
	turns(1);
	cr_expect(slice_equal(feed_watcher_id(&seen.watcher), SLICE("2")));
	cr_expect_not(seen.watcher.is_live);
	turns(1);
	expect_seen("! ");
	cr_expect(seen.watcher.is_live);
	presence.store->ops = all;
}
