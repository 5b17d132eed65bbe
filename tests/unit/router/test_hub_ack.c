/* SPDX-License-Identifier: Apache-2.0 */
/*
 * When a call's completion leaves: when all gateways have what it sent, or when the
 * shards have.
 */
#include "router/hub_conf.h"

#include "tests/unit/router/hub_kit.h"

#define DONE "{\"type\":3,\"invocationId\":\"7\",\"result\":null}"
#define EVENT "{\"type\":1,\"target\":\"e\",\"arguments\":[]}"

static enum hub_rc send_event(struct hub_call *call)
{
	const struct slice group = hub_arg_string(call, 0);

	hub_send(call, hub_to_group(group), SLICE("e"), hub_array(call));
	return HUB_OK;
}

static const struct hub_method methods[] = {
	{ .name = "Send", .fn = send_event, .arguments = "s" },
};

static const struct hub_module hub = {
	.api_version = HUB_API_VERSION,
	.name = "hub",
	.methods = methods,
	.methods_n = sizeof(methods) / sizeof(methods[0]),
};

static struct kit *kit;
static const char *group;

static void set_up_for(bool is_own)
{
	static char routers[] = "r1=ipc://r1,r2=ipc://r2";
	struct router_conf conf = kit_conf();

	conf.routers = routers;
	kit = kit_new_conf(&hub, &conf);
	kit_replayed(kit, kit->g1);
	kit_replayed(kit, kit->g2);
	kit_topology(kit, true, kit->g1, kit->g2);
	kit_connect(kit, kit->g1, kit_name(kit, LINK__KIND__KIND_CONNECTION, true),
		    "ann");
	group = kit_name(kit, LINK__KIND__KIND_GROUP, is_own);
	if (is_own)
		kit_member(kit, kit->g2, LINK__KIND__KIND_GROUP, group, "c2", false);
	kit_turn(kit);
	kit_skip(kit, kit->g1);
	kit_skip(kit, kit->g2);
}

static void call_it(void)
{
	kit_invoke(kit, kit->g1, kit_name(kit, LINK__KIND__KIND_CONNECTION, true), "7",
		   "Send", kit_text(kit, "[\"%s\"]", group));
	kit_turn(kit);
}

static void expect_done(void)
{
	kit_expect(kit, kit->g1, "complete %s 1 " DONE,
		   kit_name(kit, LINK__KIND__KIND_CONNECTION, true));
}

Test(hub_ack, of_the_gateways_is_waited_for)
{
	set_up_for(true);
	call_it();
	kit_expect(kit, kit->g2, "deliver group %s " EVENT, group);
	kit_expect_silence(kit, kit->g1);
	kit_ack(kit, kit->g2);
	expect_done();
	kit_free(kit);
}

Test(hub_ack, of_the_shard_is_enough_where_the_hub_says_so)
{
	set_up_for(true);
	kit_hub_conf(kit)->ack = HUB_ACK_SHARD;
	call_it();
	expect_done();
	kit_expect(kit, kit->g2, "deliver group %s " EVENT, group);
	kit_free(kit);
}

Test(hub_ack, of_another_shard_is_waited_for_all_the_same)
{
	Link__Sent sent = LINK__SENT__INIT;

	set_up_for(false);
	kit_hub_conf(kit)->ack = HUB_ACK_SHARD;
	call_it();
	kit_expect(kit, kit->r2, "send group %s " EVENT, group);
	kit_expect_silence(kit, kit->g1);
	sent.call = kit->call;
	kit_hear_sent(kit, kit->r2, &sent);
	kit_turn(kit);
	expect_done();
	kit_free(kit);
}
