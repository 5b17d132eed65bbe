/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Connections that come over from another gateway while routers change or come back: they
 * are told of once they are here.
 */
#include "gateway/arriving.h"

#include <criterion/criterion.h>

#include "gateway/reshard.h"
#include "tests/unit/gateway/fake_link.h"
#include "tests/unit/gateway/fake_loop.h"
#include "tests/unit/gateway/fake_proc.h"
#include "tests/unit/gateway/reshard_kit.h"

static void down(void)
{
	kit_stop(&kit);
}

TestSuite(arriving, .fini = down);

/* From another gateway; it has all but the rest. */
static void come_over(char letter)
{
	Link__Handover handover = LINK__HANDOVER__INIT;
	Link__User user = LINK__USER__INIT;
	static struct hub_conf conf; /* the kit's goes by it to the end */

	conf = *kit.gateway->hubs.items[0].conf;
	conf.is_stateful = true;
	kit.conf->connections_max = 10;
	kit.gateway->hubs.items[0].conf = &conf;
	handover.hub = link_bytes(SLICE("chat"));
	handover.connection = link_bytes(kit_id(letter));
	handover.call = 1;
	handover.user = &user;
	handover.protocol = HUB_PROTOCOL_JSON;
	arriving_on_handover(kit.gateway, router_named("r1"), &handover);
}

static void arrive(char letter)
{
	Link__HandoverRest rest = LINK__HANDOVER_REST__INIT;

	rest.hub = link_bytes(SLICE("chat"));
	rest.connection = link_bytes(kit_id(letter));
	rest.call = 1;
	rest.is_last = true;
	rest.first_id = 1;
	arriving_on_rest(kit.gateway, router_named("r1"), &rest);
}

Test(arriving, who_comes_over_is_told_when_it_is_here)
{
	const char letter = mover();

	start(ONE);
	kit_shards(&kit, r1, 1, SHARD_PHASE_STABLE, ONE, "");
	settle();
	come_over(letter);
	cr_assert_eq(kit.metrics->arrivals, 1);
	grow(2, SHARD_PHASE_PREPARE);
	EXPECT(r2, letter, "Replayed 0; ");
	settle();
	cr_expect_not(kit.gateway->reshard.is_done);
	arrive(letter);
	kit_wait(&kit, 20);
	EXPECT(r2, letter, "Connected @ user= resumed=1 groups= standby; ");
	kit_turn(&kit);
	kit_turn(&kit);
	EXPECT(r2, letter, "Claim @ fresh=0; ");
	settle();
	cr_expect(kit.gateway->reshard.is_done);
}

Test(arriving, nobody_comes_over_meanwhile)
{
	start(ONE);
	grow(1, SHARD_PHASE_PREPARE);
	come_over('a');
	cr_expect_eq(kit.metrics->arrival_refused_total, 1);
	phase(2, SHARD_PHASE_STABLE, ONE, "");
	come_over('a');
	cr_expect_eq(kit.metrics->arrival_refused_total, 1);
	cr_expect_eq(kit.metrics->arrivals, 1);
}

/* Its claim, told in a replay, would never be taken back. */
Test(arriving, one_that_does_not_arrive_leaves_no_claim)
{
	const char letter = mover();

	start(ONE);
	kit_shards(&kit, r1, 1, SHARD_PHASE_STABLE, ONE, "");
	settle();
	come_over(letter);
	peer_handle(r1);
	fake_peer_renew(r1, 500);
	EXPECT(r1, letter, "Replayed 0; ");
	kit_turn(&kit);
	kit_wait(&kit, 10);
	cr_expect_eq(kit.metrics->arrivals, 0);
	cr_expect_eq(kit.gateway->conns.count, 0);
	EXPECT(r1, letter, "");
}
