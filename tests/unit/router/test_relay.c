/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The relay hub: each method under the roles that allow it, and without them.
 */
#include "router/hubs/hubs.h"
#include "router/hubs/permission.h"
#include "tests/unit/router/hub_kit.h"

#define EVENT "{\"type\":1,\"target\":\"ev\",\"arguments\":[1,{\"a\":[2]}]}"
#define DONE "{\"type\":3,\"invocationId\":\"7\",\"result\":null}"

static struct kit *kit;

static void setup(void)
{
	kit = kit_new(NULL);
	kit->hub = "relay";
}

static void teardown(void)
{
	kit_free(kit);
}

TestSuite(relay, .init = setup, .fini = teardown);

/* Connection c1 with one role, or none for NULL. */
static void connect_as(const char *role)
{
	ProtobufCBinaryData roles[] = { link_bytes(slice_from_str(role)) };
	Link__User user = LINK__USER__INIT;
	Link__Connected connected = LINK__CONNECTED__INIT;

	user.roles = roles;
	user.n_roles = role != NULL;
	connected.hub = link_bytes(SLICE("relay"));
	connected.connection = link_bytes(SLICE("c1"));
	connected.user = &user;
	connected.protocol = 1;
	kit_hear_connected(kit, kit->g1, &connected);
}

static void call(const char *target, const char *arguments)
{
	kit_invoke(kit, kit->g1, "c1", "7", target, arguments);
	kit_turn(kit);
}

static void expect_refusal(const char *target, const char *arguments, const char *missing)
{
	call(target, arguments);
	kit_expect(kit, kit->g1,
		   "complete c1 %u {\"type\":3,\"invocationId\":\"7\",\"error\":\"An "
		   "unexpected error occurred invoking '%s' on the server. HubException: "
		   "Not allowed: %s is missing.\"}",
		   (unsigned)kit->last_invoke, target, missing);
}

static void expect_delivery(const char *to)
{
	kit_expect(kit, kit->g1, "deliver %s", to);
	kit_skip(kit, kit->g2);
	kit_ack(kit, kit->g1);
	kit_expect(kit, kit->g1, "complete c1 %u " DONE, (unsigned)kit->last_invoke);
}

Test(relay, without_roles_nothing_is_allowed)
{
	connect_as(NULL);
	expect_refusal("JoinGroup", "[\"g\"]", "relay.join:g");
	expect_refusal("LeaveGroup", "[\"g\"]", "relay.join:g");
	expect_refusal("SendToGroup", "[\"g\",\"ev\"]", "relay.send:g");
	expect_refusal("SendToOthersInGroup", "[\"g\",\"ev\"]", "relay.send:g");
	expect_refusal("SendToUser", "[\"u\",\"ev\"]", "relay.user:u");
	expect_refusal("SendToConnection", "[\"c\",\"ev\"]", "relay.connection:c");
	expect_refusal("SendToAll", "[\"ev\"]", "relay.all");
	expect_refusal("SendToOthers", "[\"ev\"]", "relay.all");
	kit_expect_silence(kit, kit->g2);
}

Test(relay, a_role_for_one_group_allows_that_one)
{
	connect_as("relay.send:g");
	call("SendToGroup", "[\"g\",\"ev\"]");
	kit_expect(kit, kit->g1, "complete c1 1 " DONE);
	expect_refusal("SendToGroup", "[\"gg\",\"ev\"]", "relay.send:gg");
	expect_refusal("SendToGroup", "[\"\",\"ev\"]", "relay.send:");
	expect_refusal("JoinGroup", "[\"g\"]", "relay.join:g");
}

Test(relay, a_list_and_a_pattern_allow_what_they_name)
{
	connect_as("relay.send:lobby,room-*");
	call("SendToGroup", "[\"lobby\",\"ev\"]");
	kit_expect(kit, kit->g1, "complete c1 1 " DONE);
	call("SendToOthersInGroup", "[\"room-7\",\"ev\"]");
	kit_expect(kit, kit->g1, "complete c1 2 " DONE);
	expect_refusal("SendToGroup", "[\"room\",\"ev\"]", "relay.send:room");
	expect_refusal("SendToOthersInGroup", "[\"lobby2\",\"ev\"]", "relay.send:lobby2");
}

Test(relay, users_and_connections_by_pattern)
{
	connect_as("relay.user:ann,b*");
	call("SendToUser", "[\"bob\",\"ev\"]");
	kit_expect(kit, kit->g1, "complete c1 1 " DONE);
	expect_refusal("SendToUser", "[\"carl\",\"ev\"]", "relay.user:carl");
	expect_refusal("SendToConnection", "[\"ann\",\"ev\"]", "relay.connection:ann");
}

/* Names are what a client makes up; so is the time it takes to compare them. */
Test(relay, a_name_one_past_the_limit_is_refused)
{
	const int max = (int)PERMISSION_NAME_BYTES_MAX;
	char name[PERMISSION_NAME_BYTES_MAX + 2];

	memset(name, 'g', sizeof(name));
	connect_as("relay.send");
	call("SendToGroup", kit_text(kit, "[\"%.*s\",\"ev\"]", max, name));
	kit_expect(kit, kit->g1, "complete c1 1 " DONE);
	expect_refusal("SendToGroup", kit_text(kit, "[\"%.*s\",\"ev\"]", max + 1, name),
		       kit_text(kit, "relay.send:%.*s", max + 1, name));
}

Test(relay, joins_and_leaves)
{
	connect_as("relay.join");
	call("JoinGroup", "[\"g\"]");
	kit_expect(kit, kit->g1, "join c1 g");
	kit_joined(kit, kit->g1, "c1", "g", false, OK);
	kit_turn(kit);
	kit_expect(kit, kit->g1, "complete c1 1 " DONE);
	call("LeaveGroup", "[\"g\"]");
	kit_expect(kit, kit->g1, "leave c1 g");
	kit_joined(kit, kit->g1, "c1", "g", true, OK);
	kit_turn(kit);
	kit_expect(kit, kit->g1, "complete c1 2 " DONE);
}

Test(relay, sends_to_groups)
{
	connect_as("relay.send");
	kit_member(kit, kit->g1, LINK__KIND__KIND_GROUP, "g", "c2", false);
	call("SendToGroup", "[\"g\",\"ev\",1,{\"a\":[2]}]");
	expect_delivery("group g " EVENT);
	call("SendToOthersInGroup", "[\"g\",\"ev\",1,{\"a\":[2]}]");
	expect_delivery("group g " EVENT " without c1");
}

Test(relay, sends_to_users)
{
	connect_as("relay.user");
	kit_member(kit, kit->g1, LINK__KIND__KIND_USER, "u", "c2", false);
	call("SendToUser", "[\"u\",\"ev\",1,{\"a\":[2]}]");
	expect_delivery("user u " EVENT);
}

Test(relay, sends_to_connections)
{
	connect_as("relay.connection");
	call("SendToConnection", "[\"c1\",\"ev\",1,{\"a\":[2]}]");
	expect_delivery("connection c1 " EVENT);
}

Test(relay, sends_to_all)
{
	connect_as("relay.all");
	call("SendToAll", "[\"ev\",1,{\"a\":[2]}]");
	expect_delivery("all " EVENT);
	call("SendToOthers", "[\"ev\",1,{\"a\":[2]}]");
	expect_delivery("all " EVENT " without c1");
}

Test(relay, an_event_without_arguments)
{
	connect_as("relay.all");
	call("SendToAll", "[\"ev\"]");
	expect_delivery("all {\"type\":1,\"target\":\"ev\",\"arguments\":[]}");
}
