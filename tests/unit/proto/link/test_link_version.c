/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Processes of different versions on one link: neighbours speak the older one's,
 * strangers are refused, and what a version does not know is not sent to it.
 */
#include <criterion/criterion.h>

#include "proto/link/link_private.h"
#include "tests/unit/proto/link/link_rig.h"

static struct node a; /* a gateway, who dials */
static struct node b; /* a router */

static void set_up(void)
{
	rig_init();
	node_init(&a, GATEWAY, "g1");
	node_init(&b, ROUTER, "r1");
}

static void tear_down(void)
{
	node_close(&a);
	node_close(&b);
	rig_fini();
}

TestSuite(link_version, .init = set_up, .fini = tear_down, .timeout = 60);

static void speaks(struct node *node, uint32_t min, uint32_t max)
{
	node->options.version_min = min;
	node->options.version_max = max;
}

static void check_talk(void)
{
	cr_assert_eq(node_send(&a, 1, SESSION_KEEP, NULL), OK);
	cr_assert_eq(node_send(&b, 2, SESSION_KEEP, NULL), OK);
	WAIT(a.calls_n == 1 && b.calls_n == 1);
}

static void check_agreed(uint32_t version)
{
	rig_connect(&a, &b);
	cr_expect_eq(link_peer_version(a.peer), version);
	cr_expect_eq(link_peer_version(b.peer), version);
	check_talk();
}

Test(link_version, the_range_of_each_side_decides)
{
	const struct {
		struct link_versions ours;
		struct link_versions theirs;
		uint32_t agreed;
	} cases[] = {
		{ { 1, 2 }, { 1, 2 }, 2 }, { { 1, 2 }, { 2, 3 }, 2 },
		{ { 2, 3 }, { 1, 2 }, 2 }, { { 1, 1 }, { 1, 2 }, 1 },
		{ { 1, 2 }, { 3, 4 }, 0 }, { { 3, 4 }, { 1, 2 }, 0 },
		{ { 1, 4 }, { 2, 3 }, 3 }, { { 1, 2 }, { 0, 0 }, 0 },
		{ { 1, 2 }, { 2, 1 }, 0 }, { { 1, 2 }, { 1, UINT32_MAX }, 2 },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		cr_expect_eq(link_versions_agree(cases[i].ours, cases[i].theirs),
			     cases[i].agreed, "case %zu", i);
}

Test(link_version, equals_speak_the_newest)
{
	check_agreed(LINK_VERSION);
}

Test(link_version, with_an_older_dialer_its_version_is_spoken)
{
	speaks(&a, LINK_VERSION - 1, LINK_VERSION - 1);
	check_agreed(LINK_VERSION - 1);
}

Test(link_version, with_a_newer_dialer_ours_is_spoken)
{
	speaks(&a, LINK_VERSION, LINK_VERSION + 1);
	check_agreed(LINK_VERSION);
}

Test(link_version, a_dialer_takes_the_older_version_of_a_listener)
{
	speaks(&b, LINK_VERSION - 1, LINK_VERSION - 1);
	check_agreed(LINK_VERSION - 1);
}

static void open_listener(void)
{
	node_open(&b, rig.loop);
	cr_assert_eq(link_listen(b.link, rig.url), OK);
}

static void check_strangers(void)
{
	open_listener();
	node_open(&a, rig.loop);
	link_dial(a.link, ROUTER, "r1", rig.url);
	WAIT(a.stats.refused_total >= 2 && b.stats.refused_total >= 2);
	cr_expect_eq(a.ups + b.ups, 0);
	cr_expect_eq(a.stats.malformed_total + b.stats.malformed_total, 0);
}

Test(link_version, two_apart_have_none_in_common)
{
	speaks(&a, LINK_VERSION + 1, LINK_VERSION + 2);
	check_strangers();
}

Test(link_version, a_listener_that_is_two_ahead_is_refused)
{
	speaks(&b, LINK_VERSION + 1, LINK_VERSION + 2);
	check_strangers();
}

/* What the processes of before this field say. */
Test(link_version, a_hello_of_version_1_is_understood)
{
	struct raw raw;

	open_listener();
	raw_open(&raw, "g1");
	raw.version = 1;
	raw.version_max = 0;
	raw_greet(&raw);
	WAIT(b.ups == 1);
	cr_expect_eq(link_peer_version(b.peer), 1);
	raw_close(&raw);
}

/* They refuse a Hello that does not say 1, in the field that they know. */
Test(link_version, ours_is_understood_by_processes_of_version_1)
{
	struct raw raw;
	Link__Frame *frame;

	open_listener();
	raw_open(&raw, "g1");
	raw_greet(&raw);
	WAIT(raw.hello_theirs.len > 0);
	frame = link__frame__unpack(NULL, raw.hello_theirs.len,
				    (const uint8_t *)raw.hello_theirs.ptr);
	cr_assert_not_null(frame);
	cr_expect_eq(frame->hello->version, 1);
	cr_expect_eq(frame->hello->version_max, LINK_VERSION);
	link__frame__free_unpacked(frame, NULL);
	raw_close(&raw);
}

Test(link_version, none_is_agreed_on_before_it_came)
{
	struct link_peer *peer;

	node_open(&a, rig.loop);
	peer = link_expect(a.link, ROUTER, "r1");
	cr_expect_eq(link_peer_version(peer), 0);
}

Test(link_version, a_resume_keeps_the_version)
{
	speaks(&b, 1, 1);
	rig_connect(&a, &b);
	node_break(&a);
	WAIT(a.ups == 2);
	cr_expect_eq(a.news, 1);
	cr_expect_eq(link_peer_version(a.peer), 1);
}

/* The one that comes back may be the older program. */
Test(link_version, a_new_incarnation_agrees_anew)
{
	rig_connect(&a, &b);
	for (uint32_t version = 1; version <= 2; version++) {
		const unsigned ups = a.ups;

		node_close(&b);
		WAIT(!link_peer_is_up(a.peer));
		cr_expect_neq(link_peer_version(a.peer), 0, "it has the last one's");
		speaks(&b, 1, version);
		open_listener();
		WAIT(a.ups > ups);
		cr_expect_eq(link_peer_version(a.peer), version);
	}
}

struct outcome {
	struct session_ticket ticket;
	unsigned called;
	enum err rc;
};

static void on_outcome(struct session_ticket *ticket, enum err rc)
{
	struct outcome *outcome = CONTAINER_OF(ticket, struct outcome, ticket);

	outcome->called++;
	outcome->rc = rc;
}

/* It was to be kept for the next incarnation, which turns out to be an older program. */
Test(link_version, what_an_older_incarnation_does_not_know_was_never_sent)
{
	struct outcome younger = { .rc = OK };
	struct outcome older = { .rc = ERR_ARGUMENT };

	session_ticket_init(&younger.ticket, on_outcome);
	session_ticket_init(&older.ticket, on_outcome);
	rig_connect(&a, &b);
	node_close(&b);
	WAIT(!link_peer_is_up(a.peer));
	/* As a message with 2 in its row is. */
	cr_assert_eq(
		session_append(&a.peer->session, SLICE("\x1a\0"), 2, &younger.ticket),
		OK);
	cr_assert_eq(node_send(&a, 7, SESSION_KEEP, &older.ticket), OK);
	speaks(&b, 1, 1);
	open_listener();
	WAIT(older.called == 1);
	cr_expect_eq(older.rc, OK);
	cr_expect_eq(younger.called, 1);
	cr_expect_eq(younger.rc, ERR_CLOSED);
	cr_expect_eq(b.calls_n, 1);
}
