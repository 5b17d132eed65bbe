/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Connections: how they come, whom they belong to, what they have joined, how they end.
 */
#include "router/conn.h"

#include "router/hub_runtime.h"
#include "tests/unit/router/hub_kit.h"

static enum hub_rc hello(struct hub_call *call)
{
	hub_send(call, hub_to_all(), SLICE("hello"), hub_array(call));
	return HUB_OK;
}

static enum hub_rc bye(struct hub_call *call)
{
	struct value *arguments = hub_array(call);

	for (size_t i = 0; i < hub_groups_n(call); i++)
		hub_add(arguments, hub_string(call, hub_group_at(call, i)));
	hub_send(call, hub_to_all(), SLICE("bye"), arguments);
	return HUB_OK;
}

static enum hub_rc nothing(struct hub_call *call)
{
	(void)call;
	return HUB_OK;
}

static enum hub_rc join(struct hub_call *call)
{
	return hub_await_join(call, hub_arg_string(call, 0));
}

static enum hub_rc leave(struct hub_call *call)
{
	return hub_await_leave(call, hub_arg_string(call, 0));
}

/* Returns what is first once the first was left, and what is past the end. */
static enum hub_rc leave_first(struct hub_call *call)
{
	struct value *names = hub_array(call);
	const enum hub_rc rc = hub_await_leave(call, hub_group_at(call, 0));

	hub_add(names, hub_string(call, hub_group_at(call, 0)));
	hub_add(names, hub_string(call, hub_group_at(call, 1)));
	hub_return(call, names);
	return rc;
}

static const struct hub_method methods[] = {
	{ .name = "Nothing", .fn = nothing, .arguments = "" },
	{ .name = "Join", .fn = join, .arguments = "s" },
	{ .name = "Leave", .fn = leave, .arguments = "s" },
	{ .name = "LeaveFirst", .fn = leave_first, .arguments = "" },
};

static const struct hub_module hub = {
	.api_version = HUB_API_VERSION,
	.name = "hub",
	.methods = methods,
	.methods_n = sizeof(methods) / sizeof(methods[0]),
	.on_connected = hello,
	.on_disconnected = bye,
};

#define HELLO "deliver all {\"type\":1,\"target\":\"hello\",\"arguments\":[]}"
#define BYE(groups)                                                                      \
	"deliver all {\"type\":1,\"target\":\"bye\",\"arguments\":[" groups "]}"
#define DONE(id) "{\"type\":3,\"invocationId\":\"" id "\",\"result\":null}"
#define REFUSED "abort c1 Connection closed with an error."

static struct kit *kit_with_c1(void)
{
	struct kit *kit = kit_new(&hub);

	kit_connect(kit, kit->g1, "c1", "ann");
	kit_turn(kit);
	kit_skip(kit, kit->g1);
	kit_skip(kit, kit->g2);
	return kit;
}

static size_t conns_n(const struct kit *kit)
{
	return kit->router->conns.count;
}

static Link__Connected connected_of(Link__User *user)
{
	Link__Connected connected = LINK__CONNECTED__INIT;

	link__user__init(user);
	connected.hub = link_bytes(SLICE("hub"));
	connected.connection = link_bytes(SLICE("c1"));
	connected.user = user;
	connected.protocol = 1;
	return connected;
}

/* ---- coming */

Test(conn, a_new_connection_is_told_to_its_hub)
{
	struct kit *kit = kit_new(&hub);

	kit_connect(kit, kit->g1, "c1", "ann");
	kit_turn(kit);
	kit_expect(kit, kit->g2, HELLO);
	cr_expect_eq(conns_n(kit), 1);
	cr_expect_eq(kit->router->metrics.connected_total, 1);
	kit_free(kit);
}

Test(conn, a_resumed_connection_does_not_run_on_connected)
{
	struct kit *kit = kit_new(&hub);
	ProtobufCBinaryData groups[] = { link_bytes(SLICE("g")), link_bytes(SLICE("h")),
					 link_bytes(SLICE("g")) };
	Link__User user;
	Link__Connected connected = connected_of(&user);

	connected.is_resumed = true;
	connected.groups = groups;
	connected.n_groups = 3;
	kit_hear_connected(kit, kit->g1, &connected);
	kit_turn(kit);
	kit_expect_silence(kit, kit->g2);
	cr_expect_eq(kit->router->metrics.resumed_total, 1);
	kit_disconnect(kit, kit->g1, "c1");
	kit_turn(kit);
	kit_expect(kit, kit->g2, BYE("\"g\",\"h\""));
	kit_free(kit);
}

Test(conn, an_unknown_hub_is_refused)
{
	struct kit *kit;

	kit_open_log();
	kit = kit_new(&hub);
	kit->hub = "chess\n";
	kit_connect(kit, kit->g1, "c1", "ann");
	kit_expect(kit, kit->g1, REFUSED);
	cr_expect_not_null(
		strstr(kit_logged(kit), " reason=unknown_hub hub=\"chess\\n\"\n"), "%s",
		kit_logged(kit));
	cr_expect_eq(conns_n(kit), 0);
	kit_free(kit);
}

Test(conn, an_unknown_protocol_is_refused)
{
	struct kit *kit = kit_new(&hub);
	Link__User user;
	Link__Connected connected = connected_of(&user);

	connected.protocol = 99;
	kit_hear_connected(kit, kit->g1, &connected);
	kit_expect(kit, kit->g1, REFUSED);
	cr_expect_eq(conns_n(kit), 0);
	kit_free(kit);
}

Test(conn, a_connection_without_a_user_is_refused)
{
	struct kit *kit = kit_new(&hub);
	Link__User user;
	Link__Connected connected = connected_of(&user);

	connected.user = NULL;
	kit_hear_connected(kit, kit->g1, &connected);
	kit_expect(kit, kit->g1, REFUSED);
	kit_free(kit);
}

Test(conn, an_id_that_is_taken_is_refused_to_another_gateway)
{
	struct kit *kit = kit_with_c1();

	kit_connect(kit, kit->g2, "c1", "eve");
	kit_expect(kit, kit->g2, REFUSED);
	kit_disconnect(kit, kit->g2, "c1");
	cr_expect_eq(conns_n(kit), 1);
	kit_invoke(kit, kit->g1, "c1", "a", "Nothing", "[]");
	kit_turn(kit);
	kit_expect(kit, kit->g1, "complete c1 1 " DONE("a"));
	kit_free(kit);
}

Test(conn, another_gateway_cannot_call_in_its_name)
{
	struct kit *kit = kit_with_c1();

	kit_invoke(kit, kit->g2, "c1", NULL, "Nothing", "[]");
	kit_expect(kit, kit->g2, "complete c1 1 -");
	cr_expect_eq(kit->router->metrics.invoke_refused_total, 1);
	kit_free(kit);
}

Test(conn, a_call_for_a_connection_that_is_not_here_is_completed)
{
	struct kit *kit = kit_new(&hub);

	kit_invoke(kit, kit->g1, "c9", "a", "Nothing", "[]");
	kit_expect(
		kit, kit->g1,
		"complete c9 1 {\"type\":3,\"invocationId\":\"a\",\"error\":\"Failed to "
		"invoke 'Nothing' due to an error on the server. HubException: The "
		"connection is not known here.\"}");
	kit_free(kit);
}

Test(conn, a_call_with_another_hubs_name_is_refused)
{
	struct kit *kit = kit_with_c1();

	kit->hub = "chat";
	kit_invoke(kit, kit->g1, "c1", NULL, "Nothing", "[]");
	kit_expect(kit, kit->g1, "complete c1 1 -");
	cr_expect_eq(kit->router->metrics.invoke_refused_total, 1);
	kit_free(kit);
}

static void connect_with_roles(struct kit *kit, size_t n)
{
	ProtobufCBinaryData roles[CONN_ROLES_MAX + 1];
	Link__User user;
	Link__Connected connected = connected_of(&user);

	for (size_t i = 0; i < n; i++)
		roles[i] = link_bytes(slice_from_str(kit_text(kit, "role-%zu", i)));
	user.roles = roles;
	user.n_roles = n;
	kit_hear_connected(kit, kit->g1, &connected);
}

static const struct conn *c1_of(const struct kit *kit)
{
	return conn_find(kit->router, link_bytes(SLICE("hub")), link_bytes(SLICE("c1")));
}

Test(conn, roles_max_are_taken_and_one_more_is_not)
{
	struct kit *kit = kit_new(&hub);

	connect_with_roles(kit, CONN_ROLES_MAX + 1);
	cr_assert_eq(c1_of(kit)->roles_n, CONN_ROLES_MAX);
	cr_expect(slice_equal(c1_of(kit)->roles[CONN_ROLES_MAX - 1], SLICE("role-63")));
	kit_free(kit);
}

/* ---- going */

Test(conn, an_id_that_comes_again_waits_until_the_old_one_has_ended)
{
	struct kit *kit = kit_with_c1();

	kit_invoke(kit, kit->g1, "c1", NULL, "Join", "[\"g\"]");
	kit_turn(kit);
	kit_expect(kit, kit->g1, "join c1 g");
	kit_disconnect(kit, kit->g1, "c1");
	kit_connect(kit, kit->g2, "c1", "ann");
	kit_invoke(kit, kit->g2, "c1", "7", "Nothing", "[]");
	kit_turn(kit);
	kit_expect_silence(kit, kit->g2);
	cr_expect_eq(conns_n(kit), 1);
	kit_joined(kit, kit->g1, "c1", "g", false, ERR_NOT_FOUND);
	kit_turn(kit);
	kit_expect(kit, kit->g2, BYE(""));
	kit_expect(kit, kit->g2, HELLO);
	kit_expect(kit, kit->g2, "complete c1 2 " DONE("7"));
	kit_free(kit);
}

Test(conn, one_that_goes_while_it_waits_is_waited_for_as_well)
{
	struct kit *kit = kit_with_c1();

	kit_invoke(kit, kit->g1, "c1", NULL, "Join", "[\"g\"]");
	kit_turn(kit);
	kit_expect(kit, kit->g1, "join c1 g");
	kit_disconnect(kit, kit->g1, "c1");
	kit_connect(kit, kit->g2, "c1", "ann");
	kit_disconnect(kit, kit->g2, "c1");
	kit_connect(kit, kit->g2, "c1", "ann");
	kit_turn(kit);
	kit_expect_silence(kit, kit->g2);
	kit_joined(kit, kit->g1, "c1", "g", false, ERR_NOT_FOUND);
	kit_turn(kit);
	kit_expect(kit, kit->g2, BYE(""));
	kit_expect(kit, kit->g2, HELLO);
	kit_expect(kit, kit->g2, BYE(""));
	kit_expect(kit, kit->g2, HELLO);
	cr_expect_eq(kit->router->going.count, 0);
	kit_free(kit);
}

Test(conn, all_connections_of_a_lost_gateway_end)
{
	struct kit *kit = kit_with_c1();

	kit_connect(kit, kit->g1, "c2", NULL);
	kit_connect(kit, kit->g2, "c3", NULL);
	kit_turn(kit);
	kit_skip(kit, kit->g2);
	kit_gone(kit, kit->g1);
	kit_expect(kit, kit->g2, BYE(""));
	kit_expect(kit, kit->g2, BYE(""));
	kit_expect_silence(kit, kit->g2);
	cr_expect_eq(conns_n(kit), 1);
	cr_expect_eq(kit->router->metrics.gateways, 1);
	kit_free(kit);
}

Test(conn, calls_of_a_lost_gateway_run_to_their_end)
{
	struct kit *kit = kit_with_c1();

	kit_invoke(kit, kit->g1, "c1", "a", "Nothing", "[]");
	kit_invoke(kit, kit->g1, "c1", "b", "Join", "[\"g\"]");
	kit_gone(kit, kit->g1);
	kit_expect(kit, kit->g2, BYE(""));
	cr_expect_eq(kit->router->metrics.calls, 0);
	kit_free(kit);
}

Test(conn, a_gateway_that_is_another_process_starts_with_nothing)
{
	struct kit *kit = kit_with_c1();

	kit_member(kit, kit->g1, LINK__KIND__KIND_GROUP, "g", "c1", false);
	kit_restart(kit, kit->g1);
	cr_expect_eq(conns_n(kit), 0);
	cr_expect_eq(kit->router->groups.groups.count, 0);
	cr_expect_eq(kit->router->metrics.gateways, 2);
	kit_connect(kit, kit->g1, "c1", "ann");
	cr_expect_eq(conns_n(kit), 1);
	kit_free(kit);
}

/* ---- joining */

Test(conn, knows_what_it_has_joined)
{
	struct kit *kit = kit_with_c1();

	kit_invoke(kit, kit->g1, "c1", NULL, "Join", "[\"g\"]");
	kit_invoke(kit, kit->g1, "c1", NULL, "Join", "[\"\"]");
	kit_invoke(kit, kit->g1, "c1", NULL, "Join", "[\"h\"]");
	kit_invoke(kit, kit->g1, "c1", NULL, "Leave", "[\"g\"]");
	kit_turn(kit);
	kit_expect(kit, kit->g1, "join c1 g");
	kit_joined(kit, kit->g1, "c1", "g", false, OK);
	kit_turn(kit);
	kit_expect(kit, kit->g1, "complete c1 1 -");
	kit_expect(kit, kit->g1, "join c1 ");
	kit_joined(kit, kit->g1, "c1", "", false, OK);
	kit_turn(kit);
	kit_expect(kit, kit->g1, "complete c1 2 -");
	kit_expect(kit, kit->g1, "join c1 h");
	kit_joined(kit, kit->g1, "c1", "h", false, ERR_LIMIT);
	kit_turn(kit);
	kit_expect(kit, kit->g1, "complete c1 3 -");
	kit_expect(kit, kit->g1, "leave c1 g");
	kit_joined(kit, kit->g1, "c1", "g", true, OK);
	kit_disconnect(kit, kit->g1, "c1");
	kit_turn(kit);
	kit_expect(kit, kit->g2, BYE("\"\""));
	kit_free(kit);
}

Test(conn, its_groups_are_those_of_the_moment)
{
	struct kit *kit = kit_with_c1();

	for (int i = 0; i < 2; i++) {
		const char *name = kit_text(kit, "g%d", i);

		kit_invoke(kit, kit->g1, "c1", NULL, "Join",
			   kit_text(kit, "[\"%s\"]", name));
		kit_turn(kit);
		kit_expect(kit, kit->g1, "join c1 %s", name);
		kit_joined(kit, kit->g1, "c1", name, false, OK);
		kit_turn(kit);
		kit_skip(kit, kit->g1);
	}
	kit_invoke(kit, kit->g1, "c1", "7", "LeaveFirst", "[]");
	kit_turn(kit);
	kit_expect(kit, kit->g1, "leave c1 g0");
	kit_joined(kit, kit->g1, "c1", "g0", true, OK);
	kit_turn(kit);
	kit_expect(kit, kit->g1,
		   "complete c1 3 {\"type\":3,\"invocationId\":\"7\",\"result\":"
		   "[\"g1\",\"\"]}");
	kit_free(kit);
}

Test(conn, a_joined_for_a_router_not_in_the_list_is_nobodys)
{
	struct kit *kit = kit_with_c1();
	Link__Joined joined = LINK__JOINED__INIT;

	kit_invoke(kit, kit->g1, "c1", "a", "Join", "[\"g\"]");
	kit_turn(kit);
	kit_expect(kit, kit->g1, "join c1 g");
	joined.hub = link_bytes(SLICE("hub"));
	joined.connection = link_bytes(SLICE("c1"));
	joined.group = link_bytes(SLICE("g"));
	joined.call = kit->call;
	joined.origin = link_bytes(SLICE("r9"));
	kit_hear_joined(kit, kit->g1, &joined);
	kit_turn(kit);
	kit_expect_silence(kit, kit->g1);
	kit_free(kit);
}

/* ---- who may say what */

Test(conn, what_a_peer_may_not_say_is_counted)
{
	struct kit *kit = kit_new(&hub);
	const Link__Topology topology = LINK__TOPOLOGY__INIT;
	const Link__Send send = LINK__SEND__INIT;

	kit_hear_send(kit, kit->g1, &send);
	kit_hear_topology(kit, kit->g1, &topology);
	kit_hear_send(kit, kit->presence, &send);
	cr_expect_eq(kit->router->metrics.envelope_unknown_total, 3);
	kit_free(kit);
}
