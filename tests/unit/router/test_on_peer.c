/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whom a router gives up, and whom it keeps.
 */
#include "router/on_peer.h"

#include "proto/link/link_private.h"
#include "tests/unit/router/hub_kit.h"

static struct kit *kit;
static struct link_stream stream; /* of presence: it is up */

static void set_up(void)
{
	static char presence[] = "p1=ipc://p1";

	kit = kit_new(NULL);
	kit->conf.presence = presence;
	kit->presence->stream = &stream;
}

static void tear_down(void)
{
	kit->presence->stream = NULL;
	kit_free(kit);
}

TestSuite(on_peer, .init = set_up, .fini = tear_down, .timeout = 60);

static int64_t gateways(void)
{
	return kit->router->metrics.gateways;
}

static int64_t kept(void)
{
	return kit->router->metrics.kept_gateways;
}

static void say(bool is_settled, const struct link_peer *a, const struct link_peer *b)
{
	kit_topology(kit, is_settled, a, b);
	kit_turn(kit);
}

Test(on_peer, whom_presence_hears_is_not_given_up)
{
	cr_assert_eq(gateways(), 2);
	say(true, kit->g1, kit->g2);
	kit_gone(kit, kit->g2);
	cr_expect_eq(gateways(), 2);
	cr_expect_eq(kept(), 1);
	kit_gone(kit, kit->g2);
	cr_expect_eq(kept(), 1);
	say(true, kit->g1, NULL);
	kit_gone(kit, kit->g2);
	cr_expect_eq(gateways(), 1);
	cr_expect_eq(kept(), 0);
}

Test(on_peer, who_is_in_no_list_keeps_nobody)
{
	say(true, kit->g1, kit->g2);
	kit->router->shards.self = SHARD_LINKS_NOWHERE;
	kit_gone(kit, kit->g2);
	cr_expect_eq(gateways(), 1);
}

Test(on_peer, a_presence_that_may_not_know_all_is_waited_for)
{
	say(false, kit->g1, NULL);
	kit_gone(kit, kit->g2);
	cr_expect_eq(gateways(), 2);
	say(true, kit->g1, NULL);
	kit_gone(kit, kit->g2);
	cr_expect_eq(gateways(), 1);
}

Test(on_peer, while_presence_is_away_nobody_is_given_up)
{
	say(true, kit->g1, NULL);
	kit->presence->stream = NULL;
	kit_gone(kit, kit->g2);
	cr_expect_eq(gateways(), 2);
	cr_expect_eq(kept(), 1);
	kit->presence->stream = &stream;
	kit_gone(kit, kit->g2);
	cr_expect_eq(gateways(), 1);
}

Test(on_peer, where_there_is_no_presence_the_own_clock_decides)
{
	static char none[] = "";

	kit->conf.presence = none;
	kit_gone(kit, kit->g2);
	cr_expect_eq(gateways(), 1);
}
