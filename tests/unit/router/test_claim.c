/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who holds a connection: how a claim begins, whose it is, how it ends.
 */
#include "router/claim.h"

#include "tests/unit/router/hub_kit.h"

#define CHAT link_bytes(SLICE("chat"))
#define REFUSED "abort c1 Connection closed with an error."

static struct router_gateway *holder(const struct kit *kit, const char *hub,
				     const char *id)
{
	return claim_holder(kit->router, link_bytes(slice_from_str(hub)),
			    link_bytes(slice_from_str(id)));
}

static struct router_gateway *of(struct link_peer *gateway)
{
	return router_gateway_of(gateway);
}

static void claim_fresh(struct kit *kit, struct link_peer *gateway, const char *id,
			uint32_t fresh_ms)
{
	Link__Claim message = LINK__CLAIM__INIT;

	message.hub = CHAT;
	message.connection = link_bytes(slice_from_str(id));
	message.fresh_ms = fresh_ms;
	kit_hear_claim(kit, gateway, &message);
}

static void claim(struct kit *kit, struct link_peer *gateway, const char *id,
		  bool is_gone)
{
	Link__Claim message = LINK__CLAIM__INIT;

	message.hub = CHAT;
	message.connection = link_bytes(slice_from_str(id));
	message.is_gone = is_gone;
	kit_hear_claim(kit, gateway, &message);
}

static bool is_gone(const struct kit *kit, const char *id)
{
	return claim_is_gone(kit->router, CHAT, link_bytes(slice_from_str(id)));
}

static enum err add(struct kit *kit, struct link_peer *gateway, const char *id)
{
	return claim_add(kit->router, of(gateway), CHAT, link_bytes(slice_from_str(id)));
}

static struct kit *kit_of_chat(void)
{
	struct kit *kit = kit_new(NULL);

	kit->hub = "chat";
	return kit;
}

Test(claim, a_claim_is_held_until_its_gateway_gives_it_up)
{
	struct kit *kit = kit_of_chat();

	cr_expect_null(holder(kit, "chat", "c1"));
	claim(kit, kit->g1, "c1", false);
	claim(kit, kit->g1, "c1", false);
	cr_expect_eq(holder(kit, "chat", "c1"), of(kit->g1));
	cr_expect_null(holder(kit, "relay", "c1"));
	claim(kit, kit->g2, "c1", true);
	cr_expect_eq(holder(kit, "chat", "c1"), of(kit->g1), "not g2's to end");
	claim(kit, kit->g1, "c1", true);
	cr_expect_null(holder(kit, "chat", "c1"));
	claim(kit, kit->g1, "c1", true);
	kit_free(kit);
}

Test(claim, outlives_the_hub_connection)
{
	struct kit *kit = kit_of_chat();

	claim(kit, kit->g1, "c1", false);
	kit_connect(kit, kit->g1, "c1", "ann");
	kit_disconnect(kit, kit->g1, "c1");
	kit_turn(kit);
	cr_expect_eq(holder(kit, "chat", "c1"), of(kit->g1));
	kit_free(kit);
}

Test(claim, a_connection_without_one_is_held_while_it_lasts)
{
	struct kit *kit = kit_of_chat();

	kit_connect(kit, kit->g2, "c1", "ann");
	cr_expect_eq(holder(kit, "chat", "c1"), of(kit->g2));
	cr_expect_eq(add(kit, kit->g1, "c1"), ERR_EXISTS);
	cr_expect_eq(add(kit, kit->g2, "c1"), OK);
	kit_free(kit);
}

Test(claim, the_first_gateway_keeps_it)
{
	struct kit *kit = kit_of_chat();

	claim(kit, kit->g1, "c1", false);
	claim(kit, kit->g2, "c1", false);
	kit_expect(kit, kit->g2, REFUSED);
	kit_connect(kit, kit->g2, "c1", "ann");
	kit_expect(kit, kit->g2, REFUSED);
	cr_expect_eq(holder(kit, "chat", "c1"), of(kit->g1));
	kit_free(kit);
}

Test(claim, one_without_an_id_is_passed_over)
{
	struct kit *kit = kit_of_chat();

	claim(kit, kit->g1, "", false);
	cr_expect_eq(kit->router->claims.by_id.count, 0);
	kit_expect_silence(kit, kit->g1);
	kit_free(kit);
}

Test(claim, an_id_is_of_one_hub)
{
	struct kit *kit = kit_of_chat();

	cr_assert_eq(add(kit, kit->g1, "c1"), OK);
	cr_expect_eq(claim_add(kit->router, of(kit->g1), link_bytes(SLICE("relay")),
			       link_bytes(SLICE("c1"))),
		     ERR_EXISTS);
	kit_free(kit);
}

Test(claim, has_a_limit)
{
	struct kit *kit = kit_of_chat();

	kit->conf.claims_max = 2;
	cr_assert_eq(add(kit, kit->g1, "c1"), OK);
	cr_assert_eq(add(kit, kit->g1, "c2"), OK);
	cr_expect_eq(add(kit, kit->g1, "c3"), ERR_LIMIT);
	cr_expect_eq(add(kit, kit->g1, "c2"), OK, "it is there already");
	claim(kit, kit->g2, "c3", false);
	kit_expect(kit, kit->g2, "abort c3 Connection closed with an error.");
	cr_expect_eq(kit->router->metrics.claim_refused_total, 2);
	claim(kit, kit->g1, "c1", true);
	cr_expect_eq(add(kit, kit->g1, "c3"), OK);
	kit_free(kit);
}

Test(claim, goes_with_its_gateway)
{
	struct kit *kit = kit_of_chat();

	claim(kit, kit->g1, "c1", false);
	claim(kit, kit->g2, "c2", false);
	kit_restart(kit, kit->g1);
	cr_expect_null(holder(kit, "chat", "c1"));
	cr_expect_eq(holder(kit, "chat", "c2"), of(kit->g2));
	kit_free(kit);
}

/* A client with stateful reconnect comes back with the same token. */
Test(claim, that_went_with_its_gateway_opens_no_other_while_its_token_is_fresh)
{
	struct kit *kit = kit_of_chat();

	claim_fresh(kit, kit->g1, "c1", 60000);
	claim_fresh(kit, kit->g1, "c2", 0);
	kit_restart(kit, kit->g1);
	cr_expect(is_gone(kit, "c1"));
	cr_expect_not(is_gone(kit, "c2"));
	cr_expect_eq(kit->router->claims.by_id.count, 1);
	cr_expect_eq(add(kit, kit->g2, "c1"), ERR_EXISTS);
	claim(kit, kit->g2, "c1", true);
	cr_expect(is_gone(kit, "c1"), "not g2's to end");
	kit_free(kit);
}

Test(claim, is_held_again_by_a_gateway_that_only_started_over)
{
	struct kit *kit = kit_of_chat();

	claim_fresh(kit, kit->g1, "c1", 60000);
	kit_restart(kit, kit->g1);
	claim_fresh(kit, kit->g1, "c1", 50000);
	cr_expect_eq(holder(kit, "chat", "c1"), of(kit->g1));
	cr_expect_not(is_gone(kit, "c1"));
	claim(kit, kit->g1, "c1", true);
	cr_expect_eq(kit->router->claims.by_id.count, 0, "its token is too old");
	claim_fresh(kit, kit->g1, "c1", 50000);
	claim_fresh(kit, kit->g1, "c1", 60000);
	cr_expect_eq(holder(kit, "chat", "c1"), of(kit->g1));
	kit_free(kit);
}
