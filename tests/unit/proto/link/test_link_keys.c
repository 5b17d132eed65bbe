/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Keys that change while links stand: each step of the way from one to the next, on
 * either side first, and what does not find together.
 */
#include <criterion/criterion.h>

#include "proto/link/link_private.h"
#include "tests/unit/proto/link/link_rig.h"

#define OLD "0123456789abcdef0123456789abcdef"
#define NEW "fedcba9876543210fedcba9876543210"

static struct node a; /* dials */
static struct node b;

static void set_up(void)
{
	rig_init();
	node_init(&a, GATEWAY, "g1");
	node_init(&b, ROUTER, "r1");
}

static void tear_down(void)
{
	if (a.link != NULL)
		node_close(&a);
	if (b.link != NULL)
		node_close(&b);
	rig_fini();
}

TestSuite(link_keys, .init = set_up, .fini = tear_down, .timeout = 100);

static struct secrets two(const char *first, const char *second)
{
	return (struct secrets){
		.items = { slice_from_str(first), slice_from_str(second) }, .n = 2
	};
}

/* Ends the stream; both greet anew with what they have now. */
static void greet_again(void)
{
	const unsigned a_ups = a.ups;
	const unsigned b_ups = b.ups;

	link_stream_close(a.peer->stream);
	link_peer_down(a.peer);
	WAIT(a.ups > a_ups && b.ups > b_ups);
}

static void set(const struct node *node, struct secrets keys)
{
	link_set_keys(node->link, &keys);
}

/* The session survives every step: nothing is lost on the way. */
Test(link_keys, go_from_one_to_the_next_step_by_step)
{
	rig_connect(&a, &b);
	set(&a, two(OLD, NEW));
	greet_again();
	set(&b, two(OLD, NEW));
	greet_again();
	set(&b, two(NEW, OLD));
	greet_again();
	set(&a, two(NEW, OLD));
	greet_again();
	set(&a, SECRETS_OF(SLICE(NEW)));
	greet_again();
	set(&b, SECRETS_OF(SLICE(NEW)));
	greet_again();
	cr_expect_eq(a.news, 1);
	cr_expect_eq(b.news, 1);
	cr_expect_eq(a.losts + b.losts, 0);
	cr_expect_eq(a.stats.refused_total + b.stats.refused_total, 0);
}

Test(link_keys, a_new_session_has_one_number_whichever_is_first)
{
	a.keys = two(NEW, OLD);
	b.keys = two(OLD, NEW);
	rig_connect(&a, &b);
	cr_expect_neq(a.peer->session_number, 0);
	cr_expect_eq(a.peer->session_number, b.peer->session_number);
	greet_again();
	cr_expect_eq(a.news, 1);
}

Test(link_keys, the_listeners_first_must_be_one_of_the_dialers)
{
	a.keys = SECRETS_OF(SLICE(OLD));
	b.keys = two(NEW, OLD);
	node_open(&b, rig.loop);
	cr_assert_eq(link_listen(b.link, rig.url), OK);
	node_open(&a, rig.loop);
	a.peer = link_dial(a.link, ROUTER, "r1", rig.url);
	WAIT(a.stats.refused_total >= 2 && b.stats.refused_total >= 2);
	cr_expect_eq(a.ups + b.ups, 0);
	/* Which mends itself when one of them learns. */
	set(&a, two(OLD, NEW));
	WAIT(a.ups == 1 && b.ups == 1);
}

Test(link_keys, a_link_that_stands_is_left_alone)
{
	rig_connect(&a, &b);
	set(&a, SECRETS_OF(SLICE(NEW)));
	set(&b, SECRETS_OF(SLICE(NEW)));
	cr_assert_eq(node_send(&a, 1, SESSION_KEEP, NULL), OK);
	WAIT(b.calls_n == 1);
	cr_expect_eq(a.downs + b.downs, 0);
	cr_expect_eq(a.ups, 1);
}

/* A listener keeps to the key that it has shown in this greeting. */
Test(link_keys, a_key_that_changes_within_a_greeting_does_not_break_it)
{
	struct raw raw;

	node_open(&b, rig.loop);
	cr_assert_eq(link_listen(b.link, rig.url), OK);
	raw_open(&raw, "g1");
	raw_send_hello(&raw);
	WAIT(raw.has_proof);
	set(&b, SECRETS_OF(SLICE(NEW)));
	raw_send_proof(&raw);
	WAIT(b.ups == 1);
	raw_close(&raw);
}

Test(link_keys, both_tell_the_same_fingerprint)
{
	rig_connect(&a, &b);
	cr_expect_neq(a.stats.key_fingerprint, 0);
	cr_expect_eq(a.stats.key_fingerprint, b.stats.key_fingerprint);
	set(&a, two(KEY, NEW));
	cr_expect_neq(a.stats.key_fingerprint, b.stats.key_fingerprint);
	set(&b, two(KEY, NEW));
	cr_expect_eq(a.stats.key_fingerprint, b.stats.key_fingerprint);
}
