/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a router that watches is told, and where its next life goes on. Its link has no
 * stream: what is sent to it is read, and acknowledged, here.
 */
#include "presence/follower.h"

#include <criterion/criterion.h>
#include <stdio.h>

#include "presence/on_peer.h"
#include "presence/presence.h"
#include "presence/store_memory.h"
#include "proto/link/link_limits.h"
#include "proto/link/link_private.h"
#include "tests/unit/presence/store_slow.h"

#define LEASE_MS 600000
#define WINDOW_BYTES 65536

static struct presence presence;
static struct presence_conf conf;
static uint64_t registration;
static struct process *r1;
static struct link_peer *peer;
static char last_id[64]; /* of the change that was read last */

static void on_event(void *owner, const struct store_event *event)
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
	const struct store_memory_options store_options = { .sessions_max = 1000,
							    .events_max = 100,
							    .seed = 1 };
	const struct link_options options = {
		.role = LINK__ROLE__ROLE_PRESENCE,
		.name = "p1",
		.incarnation = 1,
		.keys = &SECRETS_OF(SLICE("0123456789abcdef0123456789abcdef")),
		.window_bytes_max = WINDOW_BYTES,
		.ping_interval_ms = 50,
		.stream_timeout_ms = 5000,
		.peer_timeout_ms = 5000,
		.ops = &presence_link_ops,
		.owner = &presence,
		.stats = &presence.metrics.link,
	};
	const struct session_gateway_id id = { SLICE("g1"), 1 };
	struct store_call call;

	conf.link.lease_ms = LEASE_MS;
	presence.conf = &conf;
	presence.loop = loop_new();
	presence.store = store_slow_new(store_memory_new(presence.loop, &store_options));
	presence.store->watcher = (struct store_watcher){ .on_event = on_event };
	feed_init(&presence.feed, &presence);
	store_call_init(&call, on_registered);
	presence.store->ops->gateway_new(presence.store, &id, LEASE_MS, &call);
	store_call_init(&call, on_ok);
	presence.store->ops->settle(presence.store, &call);
	presence.link = link_new(presence.loop, &options);
	processes_init(&presence.processes, &presence);
	resharding_init(&presence.resharding, &presence);
	homes_init(&presence.homes, &presence);
	topology_init(&presence.topology, &presence, LEASE_MS);
	peer = link_expect(presence.link, LINK__ROLE__ROLE_ROUTER, "r1");
	peer->incarnation = 7; /* as after a greeting */
	process_new(&presence.processes, peer);
	r1 = process_of(peer);
}

static void teardown(void)
{
	topology_fini(&presence.topology);
	homes_fini(&presence.homes);
	processes_fini(&presence.processes);
	resharding_fini(&presence.resharding);
	feed_fini(&presence.feed);
	link_free(presence.link);
	presence.store->ops->free(presence.store);
	loop_free(presence.loop);
}

TestSuite(follower, .init = setup, .fini = teardown, .timeout = 60);

static void turns(void)
{
	for (int i = 0; i < 5; i++)
		loop_turn(presence.loop, 2);
}

static void come(const char *user)
{
	struct store_call call;
	const struct session_info info = {
		.hub = SLICE("chat"),
		.connection = slice_from_str(user),
		.user_id = slice_from_str(user),
	};

	store_call_init(&call, on_ok);
	presence.store->ops->add(presence.store, registration, &info, &call);
}

static void watch(const char *after)
{
	Link__Watch message = LINK__WATCH__INIT;

	message.after = link_bytes(slice_from_str(after));
	follower_on_watch(r1, &message);
}

static void read_change(struct buf *text, const Link__UserChange *change)
{
	cr_assert_lt(change->id.len, sizeof(last_id));
	memcpy(last_id, change->id.data, change->id.len);
	last_id[change->id.len] = '\0';
	buf_appendf(text, "%c%.*s ", "?+-!"[change->change],
		    SLICE_FMT(link_slice(change->user_id)));
}

/* All that was sent since the last time, '?' for a place. */
static void expect_sent(const char *wanted)
{
	struct buf text = BUF_INIT;
	struct slice run;
	uint64_t first_seq;

	while (session_next(&peer->session, 1, &first_seq, &run) > 0) {
		Link__Batch *batch =
			link__batch__unpack(NULL, run.len, (const uint8_t *)run.ptr);

		cr_assert_not_null(batch);
		if (batch->envelopes[0]->body_case == LINK__ENVELOPE__BODY_USER_CHANGE)
			read_change(&text, batch->envelopes[0]->user_change);
		link__batch__free_unpacked(batch, NULL);
	}
	buf_append_byte(&text, '\0');
	cr_expect_str_eq(text.ptr, wanted);
	buf_fini(&text);
}

static void acknowledge(void)
{
	cr_assert_eq(session_on_ack(&peer->session, peer->session.sent_seq), OK);
}

/* The router is there again as another process, and presence wrote its mark. */
static void restart(void)
{
	struct session_kept kept;

	process_lost(&presence.processes, r1);
	session_reset(&peer->session, LINK_VERSION, &kept);
	peer->incarnation++;
	session_restore(&peer->session, &kept);
	process_new(&presence.processes, peer);
	r1 = process_of(peer);
}

Test(follower, a_router_without_a_place_is_told_one)
{
	come("ann");
	watch("");
	turns();
	expect_sent("? ");
	come("bob");
	turns();
	expect_sent("+bob ");
}

Test(follower, from_its_place_on_nothing_is_missed)
{
	char place[sizeof(last_id)];

	watch("");
	turns();
	expect_sent("? ");
	(void)snprintf(place, sizeof(place), "%s", last_id);
	watch(""); /* another presence is its home, say */
	turns();
	expect_sent("? ");
	follower_end(r1);
	come("ann");
	watch(place);
	turns();
	expect_sent("+ann ");
}

Test(follower, a_router_that_was_told_no_change_has_a_mark)
{
	watch("");
	turns();
	expect_sent("? ");
	acknowledge();
	restart();
	come("ann");
	watch("");
	turns();
	expect_sent("+ann ");
}

Test(follower, what_was_not_handled_is_told_again)
{
	watch("");
	come("ann");
	turns();
	expect_sent("? +ann ");
	acknowledge();
	come("bob");
	turns();
	expect_sent("+bob ");
	restart();
	watch("");
	turns();
	expect_sent("+bob ");
}

/* It has chosen another home, and passes over what this one still says. */
static void leave(void)
{
	Link__Envelope envelope = LINK__ENVELOPE__INIT;
	Link__Lease lease = LINK__LEASE__INIT;

	lease.lease_ms = LEASE_MS;
	envelope.body_case = LINK__ENVELOPE__BODY_LEASE;
	envelope.lease = &lease;
	presence_link_ops.on_envelope(peer, &envelope);
}

Test(follower, what_it_heard_while_it_left_may_be_told_again)
{
	watch("");
	turns();
	expect_sent("? ");
	acknowledge();
	restart(); /* its mark is written */
	watch("");
	come("ann");
	turns();
	expect_sent("+ann ");
	acknowledge();
	leave();
	cr_expect_null(r1->follower);
	watch(""); /* of its next life */
	turns();
	expect_sent("+ann ");
}

static void until_failed(uint64_t n)
{
	const int64_t end_us = loop_clock_us() + 30000000;

	while (presence.metrics.store_failed_total < n) {
		cr_assert_lt(loop_clock_us(), end_us);
		loop_turn(presence.loop, 2);
	}
}

static void until_watching(void)
{
	const int64_t end_us = loop_clock_us() + 30000000;

	while (presence.feed.watchers_n == 0) {
		cr_assert_lt(loop_clock_us(), end_us);
		loop_turn(presence.loop, 2);
	}
	turns();
}

/* Its mark is in the store, which cannot be asked just then. */
Test(follower, while_the_store_is_away_its_place_is_not_lost)
{
	watch("");
	turns();
	expect_sent("? ");
	acknowledge();
	restart();
	come("ann");
	store_slow_fail(presence.store, ERR_IO);
	watch("");
	until_failed(2); /* and asked again */
	expect_sent("");
	store_slow_fail(presence.store, OK);
	until_watching();
	expect_sent("+ann ");
}

/* One that has no mark is told where it begins, once that is known. */
Test(follower, while_the_store_is_away_nobody_begins)
{
	store_slow_fail(presence.store, ERR_IO);
	watch("");
	until_failed(1);
	expect_sent("");
	store_slow_fail(presence.store, OK);
	until_watching();
	expect_sent("? ");
	come("ann");
	turns();
	expect_sent("+ann ");
}

Test(follower, one_that_leaves_is_not_asked_for_any_more)
{
	store_slow_fail(presence.store, ERR_IO);
	watch("");
	until_failed(1);
	follower_end(r1);
	store_slow_fail(presence.store, OK);
	watch("");
	turns();
	expect_sent("? ");
	cr_expect_eq(presence.feed.watchers_n, 1);
}

Test(follower, one_that_is_too_late_is_reset)
{
	watch("nonsense");
	turns();
	expect_sent("! ");
	come("ann");
	turns();
	expect_sent("+ann ");
}

Test(follower, a_full_link_starts_over)
{
	watch("");
	turns();
	expect_sent("? ");
	peer->session_number = 1; /* as after a greeting */
	peer->session.bytes_max = 10;
	come("ann");
	turns();
	expect_sent("");
	cr_expect_eq(peer->session_number, 0);
}
