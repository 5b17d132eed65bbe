/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which changes a router takes, and where it says it has got to.
 */
#include "router/watch.h"

#include "router/hub_runtime.h"
#include "tests/unit/router/hub_kit.h"

static enum hub_rc nothing(struct hub_call *call)
{
	(void)call;
	return HUB_OK;
}

static const struct hub_module watcher = {
	.api_version = HUB_API_VERSION,
	.name = "watcher",
	.on_user_online = nothing,
	.on_user_offline = nothing,
};

static void online(struct kit *kit, const char *id)
{
	kit_user(kit, id, LINK__CHANGE__CHANGE_ONLINE, "ann", "");
}

static uint64_t taken(const struct kit *kit)
{
	return kit->router->metrics.user_call_total;
}

Test(watch, only_with_a_hub_that_wants_to_know)
{
	struct kit *kit = kit_new(NULL);

	kit_expect(kit, kit->presence, "lease 0 home");
	kit_expect_silence(kit, kit->presence);
	online(kit, "01"); /* what nobody asked for is harmless */
	kit_turn(kit);
	cr_expect_eq(taken(kit), 0);
	kit_free(kit);
}

Test(watch, a_new_router_asks_without_a_place)
{
	struct kit *kit = kit_new(&watcher);

	kit_expect(kit, kit->presence, "lease 0 home");
	kit_expect(kit, kit->presence, "watch ");
	kit_expect_silence(kit, kit->presence);
	kit_free(kit);
}

Test(watch, a_new_life_of_presence_is_asked_from_where_we_are)
{
	struct kit *kit = kit_new(&watcher);

	online(kit, "07");
	online(kit, "08");
	kit_restart(kit, kit->presence);
	kit_expect(kit, kit->presence, "lease 0 home");
	kit_expect(kit, kit->presence, "watch 08");
	kit_free(kit);
}

Test(watch, what_was_taken_is_not_taken_twice)
{
	struct kit *kit = kit_new(&watcher);

	online(kit, "07");
	online(kit, "07");
	online(kit, "06");
	cr_expect_eq(taken(kit), 1);
	cr_expect_eq(kit->router->metrics.user_change_repeated_total, 2);
	online(kit, "08");
	cr_expect_eq(taken(kit), 2);
	kit_free(kit);
}

Test(watch, another_than_the_home_is_not_heard)
{
	struct kit *kit = kit_new(&watcher);
	Link__UserChange change = LINK__USER_CHANGE__INIT;
	struct link_peer *other =
		link_expect(kit->router->link, LINK__ROLE__ROLE_PRESENCE, "p2");

	change.id = link_bytes(SLICE("09"));
	change.change = LINK__CHANGE__CHANGE_ONLINE;
	kit_hear_user_change(kit, other, &change);
	cr_expect_eq(taken(kit), 0);
	online(kit, "08");
	cr_expect_eq(taken(kit), 1, "it moved nothing");
	kit_free(kit);
}

Test(watch, behind_a_reset_ids_may_begin_anew)
{
	struct kit *kit = kit_new(&watcher);

	online(kit, "70");
	kit_user(kit, "01", LINK__CHANGE__CHANGE_RESET, "", "");
	cr_expect_eq(kit->router->metrics.user_reset_total, 1);
	cr_expect_eq(taken(kit), 1);
	online(kit, "02");
	cr_expect_eq(taken(kit), 2);
	kit_restart(kit, kit->presence);
	kit_expect(kit, kit->presence, "lease 0 home");
	kit_expect(kit, kit->presence, "watch 02");
	kit_free(kit);
}

Test(watch, an_unknown_change_is_passed_over)
{
	struct kit *kit = kit_new(&watcher);

	kit_user(kit, "01", (Link__Change)77, "ann", "");
	cr_expect_eq(taken(kit), 0);
	online(kit, "02");
	cr_expect_eq(taken(kit), 1);
	kit_free(kit);
}

Test(watch, a_place_is_gone_on_from)
{
	struct kit *kit = kit_new(&watcher);

	kit_user(kit, "40", LINK__CHANGE__CHANGE_NONE, "", "");
	cr_expect_eq(taken(kit), 0);
	kit_skip(kit, kit->presence);
	kit_restart(kit, kit->presence);
	kit_expect(kit, kit->presence, "lease 0 home");
	kit_expect(kit, kit->presence, "watch 40");
	kit_free(kit);
}
