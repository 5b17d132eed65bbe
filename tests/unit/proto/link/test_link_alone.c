/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who is cut off from everybody gives nobody up; and nobody is whom the owner keeps.
 */
#include <criterion/criterion.h>

#include "tests/unit/proto/link/link_rig.h"

enum { ABSENCE_MS = 40, LONG_MS = 5 * ABSENCE_MS };

static struct node a;	  /* a gateway, who dials */
static struct node b;	  /* a router, who listens */
static struct node other; /* one more gateway */

static void set_up(void)
{
	rig_init();
	node_init(&a, GATEWAY, "g1");
	node_init(&b, ROUTER, "r1");
	node_init(&other, GATEWAY, "g2");
	b.options.peer_timeout_ms = ABSENCE_MS;
	b.options.keeps_when_alone = true;
}

static void tear_down(void)
{
	if (other.link != NULL)
		node_close(&other);
	node_close(&b);
	rig_fini();
}

TestSuite(link_alone, .init = set_up, .fini = tear_down, .timeout = 60);

static void other_comes(void)
{
	node_open(&other, rig.loop);
	other.peer = link_dial(other.link, ROUTER, "r1", rig.url);
}

/* Of more than those that come by themselves, else nobody could be missed. */
static void is_of_a_cluster(void)
{
	link_expect(b.link, ROUTER, "r2");
}

Test(link_alone, nobody_is_given_up_while_nobody_is_there)
{
	rig_connect(&a, &b);
	is_of_a_cluster();
	node_close(&a);
	WAIT(b.downs == 1);
	rig_idle(LONG_MS);
	cr_expect_eq(b.losts, 0);
}

/* A router without presence and other routers, whose only gateway has died. */
Test(link_alone, who_knows_nobody_by_name_gives_up)
{
	rig_connect(&a, &b);
	node_close(&a);
	WAIT(b.losts == 1);
}

Test(link_alone, with_the_first_that_is_back_waiting_begins_anew)
{
	rig_connect(&a, &b);
	is_of_a_cluster();
	node_close(&a);
	WAIT(b.downs == 1);
	rig_idle(LONG_MS);
	cr_expect_eq(b.losts, 0);
	cr_expect_eq(b.stats.peers, 2); /* r2, and g1, which is away */
	other_comes();
	WAIT(b.stats.peers_up == 1);
	WAIT(b.losts == 1);
	cr_expect_eq(b.stats.peers_up, 1);
	cr_expect_eq(b.stats.peers, 2); /* r2 and g2 */
}

Test(link_alone, who_is_not_alone_gives_up)
{
	rig_connect(&a, &b);
	is_of_a_cluster();
	other_comes();
	WAIT(b.stats.peers_up == 2);
	node_close(&a);
	WAIT(b.losts == 1);
}

/* ---- the owner knows better */

static int kept_n;

static bool may_forget(const struct link_peer *peer)
{
	cr_expect_str_eq(link_peer_name(peer), "g1");
	return ++kept_n > 2;
}

Test(link_alone, whom_the_owner_keeps_is_asked_about_again_and_may_come_back)
{
	struct link_ops ops = *b.options.ops;

	ops.may_forget = may_forget;
	b.options.ops = &ops;
	rig_connect(&a, &b);
	node_break(&a);
	WAIT(b.ups == 2);
	cr_expect_eq(b.losts, 0);
	node_close(&a);
	WAIT(kept_n == 2);
	cr_expect_eq(b.losts, 0);
	WAIT(b.losts == 1);
	cr_expect_eq(kept_n, 3);
}
