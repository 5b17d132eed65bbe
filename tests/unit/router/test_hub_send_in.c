/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sends to the clients of another hub. g1 has that hub's members, g2 has members of the
 * same names of the hub that sends.
 */
#include "tests/unit/router/hub_kit.h"

#define EVENT "{\"type\":1,\"target\":\"ev\",\"arguments\":[]}"
#define DONE "{\"type\":3,\"invocationId\":\"7\",\"result\":null}"

static struct kit *kit;

static const char *text_of(struct hub_call *call, size_t index)
{
	return hub_printf(call, "%.*s", SLICE_FMT(hub_arg_string(call, index))).ptr;
}

/* SendIn(hub, how, name) */
static enum hub_rc send_in(struct hub_call *call)
{
	const struct slice how = hub_arg_string(call, 1);
	const struct slice name = hub_arg_string(call, 2);
	struct hub_to to = hub_to_group(name);

	if (slice_equal(how, SLICE("caller")))
		to = hub_to_caller();
	else if (slice_equal(how, SLICE("others in group")))
		to = hub_to_others_in_group(name);
	else if (slice_equal(how, SLICE("user")))
		to = hub_to_user(name);
	else if (slice_equal(how, SLICE("connection")))
		to = hub_to_connection(name);
	hub_send(call, hub_to_in(text_of(call, 0), to), SLICE("ev"), hub_array(call));
	return HUB_OK;
}

static const struct hub_method methods[] = {
	{ .name = "SendIn", .fn = send_in, .arguments = "sss" },
};

static const struct hub_module hub = {
	.api_version = HUB_API_VERSION,
	.name = "hub",
	.methods = methods,
	.methods_n = sizeof(methods) / sizeof(methods[0]),
};

static void setup(void)
{
	kit = kit_new(&hub);
	kit_connect(kit, kit->g2, "c1", "ann");
	kit_member(kit, kit->g2, LINK__KIND__KIND_GROUP, "g", "c1", false);
	kit_member(kit, kit->g2, LINK__KIND__KIND_USER, "ann", "c1", false);
	kit->hub = "chat";
	kit_connect(kit, kit->g1, "c2", "ann");
	kit_member(kit, kit->g1, LINK__KIND__KIND_GROUP, "g", "c2", false);
	kit_member(kit, kit->g1, LINK__KIND__KIND_USER, "ann", "c2", false);
	kit->hub = "hub";
	kit_turn(kit);
}

static void teardown(void)
{
	kit_free(kit);
}

TestSuite(hub_send_in, .init = setup, .fini = teardown, .timeout = 60);

static void send_it(const char *in, const char *how, const char *name)
{
	kit_invoke(kit, kit->g2, "c1", "7", "SendIn",
		   kit_text(kit, "[\"%s\",\"%s\",\"%s\"]", in, how, name));
	kit_turn(kit);
}

static void expect_there(const char *how, const char *name, const char *want)
{
	send_it("chat", how, name);
	kit_expect(kit, kit->g1, "deliver %s", want);
	kit_expect_silence(kit, kit->g2);
	kit_ack(kit, kit->g1);
	kit_expect(kit, kit->g2, "complete c1 %u " DONE, (unsigned)kit->last_invoke);
}

static void expect_nobody(const char *in, const char *how, const char *name)
{
	send_it(in, how, name);
	kit_expect(kit, kit->g2, "complete c1 %u " DONE, (unsigned)kit->last_invoke);
	kit_expect_silence(kit, kit->g1);
}

Test(hub_send_in, its_groups_users_and_connections)
{
	expect_there("group", "g", "group g " EVENT);
	expect_there("user", "ann", "user ann " EVENT);
	expect_there("connection", "c2", "connection c2 " EVENT);
}

Test(hub_send_in, others_in_its_group_are_all_of_it)
{
	expect_there("others in group", "g", "group g " EVENT " without c1");
}

Test(hub_send_in, the_caller_is_none_of_its_clients)
{
	expect_nobody("chat", "caller", "");
	expect_nobody("chat", "connection", "c1");
}

Test(hub_send_in, a_hub_that_is_not_served_has_no_clients)
{
	expect_nobody("elsewhere", "group", "g");
}

Test(hub_send_in, the_hubs_own_name_is_as_none)
{
	send_it("hub", "group", "g");
	kit_expect(kit, kit->g2, "deliver group g " EVENT);
	kit_expect_silence(kit, kit->g1);
}
