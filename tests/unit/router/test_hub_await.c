/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Awaits: what goes out, what comes back, and every way in which nothing comes back. The
 * method returns the code it was given as its result.
 */
#include "router/hub_runtime.h"
#include "tests/unit/router/hub_kit.h"

static enum hub_rc tell(struct hub_call *call, enum hub_rc rc)
{
	hub_return(call, hub_int(call, rc));
	return HUB_OK;
}

static enum hub_rc join(struct hub_call *call)
{
	return tell(call, hub_await_join(call, hub_arg_string(call, 0)));
}

static enum hub_rc leave(struct hub_call *call)
{
	return tell(call, hub_await_leave(call, hub_arg_string(call, 0)));
}

static enum hub_rc join_other(struct hub_call *call)
{
	return tell(call, hub_await_join_connection(call, hub_arg_string(call, 0),
						    hub_arg_string(call, 1)));
}

static enum hub_rc leave_other(struct hub_call *call)
{
	return tell(call, hub_await_leave_connection(call, hub_arg_string(call, 0),
						     hub_arg_string(call, 1)));
}

static enum hub_rc members(struct hub_call *call)
{
	const struct hub_member *list;
	struct value *result = hub_array(call);
	size_t n;
	const enum hub_rc rc =
		hub_await_members(call, hub_arg_string(call, 0), &list, &n);

	for (size_t i = 0; i < n; i++) {
		hub_add(result, hub_string(call, list[i].connection_id));
		hub_add(result, hub_string(call, list[i].user_id));
	}
	hub_add(result, hub_int(call, rc));
	hub_return(call, result);
	return HUB_OK;
}

static const struct hub_method methods[] = {
	{ .name = "Join", .fn = join, .arguments = "s" },
	{ .name = "Leave", .fn = leave, .arguments = "s" },
	{ .name = "JoinOther", .fn = join_other, .arguments = "ss" },
	{ .name = "LeaveOther", .fn = leave_other, .arguments = "ss" },
	{ .name = "Members", .fn = members, .arguments = "s" },
};

static const struct hub_module hub = {
	.api_version = HUB_API_VERSION,
	.name = "hub",
	.methods = methods,
	.methods_n = sizeof(methods) / sizeof(methods[0]),
};

static struct kit *kit;
static const char *caller; /* owned by r1, as are ours_*; theirs_* by r2 */
static const char *theirs_conn;
static const char *ours;
static const char *theirs;

static void setup(void)
{
	static char routers[] = "r1=ipc://r1,r2=ipc://r2";
	struct router_conf conf = kit_conf();

	conf.routers = routers;
	kit = kit_new_conf(&hub, &conf);
	kit_replayed(kit, kit->g1);
	kit_replayed(kit, kit->g2);
	kit_topology(kit, true, kit->g1, kit->g2);
	caller = kit_name(kit, LINK__KIND__KIND_CONNECTION, true);
	theirs_conn = kit_name(kit, LINK__KIND__KIND_CONNECTION, false);
	ours = kit_name(kit, LINK__KIND__KIND_GROUP, true);
	theirs = kit_name(kit, LINK__KIND__KIND_GROUP, false);
	kit_connect(kit, kit->g1, caller, "ann");
	kit_turn(kit);
}

static void teardown(void)
{
	kit_free(kit);
}

TestSuite(hub_await, .init = setup, .fini = teardown);

static void call(const char *target, const char *arguments)
{
	kit_invoke(kit, kit->g1, caller, "7", target, arguments);
	kit_turn(kit);
}

static void expect_result(const char *result)
{
	kit_turn(kit);
	kit_expect(kit, kit->g1,
		   "complete %s %u {\"type\":3,\"invocationId\":\"7\",\"result\":%s}",
		   caller, (unsigned)kit->last_invoke, result);
}

static void expect_rc(enum hub_rc rc)
{
	expect_result(kit_text(kit, "%d", (int)rc));
}

static const char *args(const char *first)
{
	return kit_text(kit, "[\"%s\"]", first);
}

static const char *args2(const char *first, const char *second)
{
	return kit_text(kit, "[\"%s\",\"%s\"]", first, second);
}

static void answer_joined(enum err rc)
{
	Link__Joined joined = LINK__JOINED__INIT;

	joined.call = kit->call;
	joined.rc = rc;
	joined.origin = link_bytes(SLICE("r1"));
	kit_hear_joined(kit, kit->r2, &joined);
}

static void wait_for_timeout(void)
{
	while (kit->router->metrics.ask_timeout_total == 0)
		loop_turn(kit->loop, 100);
}

/* ---- joining */

Test(hub_await, the_caller_joins_and_leaves_by_its_gateway)
{
	call("Join", args("g"));
	kit_expect(kit, kit->g1, "join %s g", caller);
	kit_ack(kit, kit->g1);
	kit_expect_silence(kit, kit->g1); /* handled is not joined */
	kit_joined(kit, kit->g1, caller, "g", false, OK);
	expect_rc(HUB_OK);
	call("Leave", args("g"));
	kit_expect(kit, kit->g1, "leave %s g", caller);
	kit_joined(kit, kit->g1, caller, "g", true, OK);
	expect_rc(HUB_OK);
}

Test(hub_await, another_connection_of_this_shard_joins_by_its_own_gateway)
{
	const char *other = kit_text(kit, "%s", caller);

	kit_connect(kit, kit->g2, "c2", NULL);
	call("JoinOther", args2(other, "g"));
	kit_expect(kit, kit->g1, "join %s g", caller);
	kit_joined(kit, kit->g1, caller, "g", false, OK);
	expect_rc(HUB_OK);
}

Test(hub_await, a_connection_of_another_shard_joins_by_that_shard)
{
	call("JoinOther", args2(theirs_conn, "g"));
	kit_expect(kit, kit->r2, "join %s g", theirs_conn);
	answer_joined(OK);
	expect_rc(HUB_OK);
	call("LeaveOther", args2(theirs_conn, "g"));
	kit_expect(kit, kit->r2, "leave %s g", theirs_conn);
	answer_joined(ERR_NOT_FOUND);
	expect_rc(HUB_ENOTFOUND);
}

Test(hub_await, another_shards_join_is_answered_there)
{
	Link__Join from = LINK__JOIN__INIT;
	Link__Joined joined = LINK__JOINED__INIT;

	from.hub = link_bytes(SLICE("hub"));
	from.connection = link_bytes(slice_from_str(caller));
	from.group = link_bytes(SLICE("g"));
	from.call = 9;
	from.origin = link_bytes(SLICE("r2"));
	kit_hear_join(kit, kit->r2, &from);
	kit_expect(kit, kit->g1, "join %s g", caller);
	joined.hub = from.hub;
	joined.connection = from.connection;
	joined.group = from.group;
	joined.call = 9;
	joined.origin = from.origin;
	kit_hear_joined(kit, kit->g1, &joined);
	kit_expect(kit, kit->r2, "joined %s OK", caller);
	cr_expect_eq(kit->call, 9);
}

Test(hub_await, another_shards_join_of_nobody_is_refused)
{
	Link__Join from = LINK__JOIN__INIT;

	from.hub = link_bytes(SLICE("hub"));
	from.connection = link_bytes(slice_from_str(
		kit_name_from(kit, LINK__KIND__KIND_CONNECTION, "nobody", true)));
	from.call = 9;
	from.origin = link_bytes(SLICE("r2"));
	kit_hear_join(kit, kit->r2, &from);
	kit_expect(kit, kit->r2, "joined  ERR_NOT_FOUND");
}

Test(hub_await, a_connection_that_is_gone_is_not_found)
{
	kit_invoke(kit, kit->g1, caller, "7", "Join", args("g"));
	kit_disconnect(kit, kit->g1, caller);
	expect_rc(HUB_ENOTFOUND);
}

Test(hub_await, a_limit_of_the_gateway_is_told)
{
	call("Join", args("g"));
	kit_expect(kit, kit->g1, "join %s g", caller);
	kit_joined(kit, kit->g1, caller, "g", false, ERR_LIMIT);
	expect_rc(HUB_ELIMIT);
}

/* ---- members */

Test(hub_await, members_of_our_own_group_in_order)
{
	kit_member(kit, kit->g2, LINK__KIND__KIND_GROUP, ours, "b", false);
	kit_member(kit, kit->g1, LINK__KIND__KIND_GROUP, ours, "a", false);
	call("Members", args(ours));
	expect_result("[\"a\",\"user-of-a\",\"b\",\"user-of-b\",0]");
}

Test(hub_await, an_empty_group_has_no_members)
{
	call("Members", args(ours));
	expect_result("[0]");
}

Test(hub_await, members_of_a_group_of_another_shard)
{
	Link__Member member = LINK__MEMBER__INIT;
	Link__Member *list[] = { &member };
	Link__Members answer = LINK__MEMBERS__INIT;

	call("Members", args(theirs));
	kit_expect(kit, kit->r2, "list_members %s", theirs);
	member.connection = link_bytes(SLICE("c9"));
	answer.call = kit->call;
	answer.members = list;
	answer.n_members = 1;
	kit_hear_members(kit, kit->r2, &answer);
	expect_result("[\"c9\",\"\",0]");
}

Test(hub_await, members_are_listed_for_another_shard)
{
	Link__ListMembers list = LINK__LIST_MEMBERS__INIT;

	kit_member(kit, kit->g1, LINK__KIND__KIND_GROUP, ours, "a", false);
	list.hub = link_bytes(SLICE("hub"));
	list.group = link_bytes(slice_from_str(ours));
	kit_hear_list_members(kit, kit->r2, &list);
	kit_expect(kit, kit->r2, "members OK a user-of-a");
}

/* ---- nothing comes back */

Test(hub_await, no_answer_in_time)
{
	kit_hub_conf(kit)->await_timeout_ms = 1;
	call("Members", args(theirs));
	wait_for_timeout();
	expect_result("[-3]");
}

Test(hub_await, the_shard_is_lost_after_it_took_the_question)
{
	call("Members", args(theirs));
	kit_expect(kit, kit->r2, "list_members %s", theirs);
	kit_ack(kit, kit->r2);
	kit_restart(kit, kit->r2);
	expect_result("[-4]");
}

Test(hub_await, the_shard_is_lost_with_the_question_under_way)
{
	call("Members", args(theirs));
	kit_expect(kit, kit->r2, "list_members %s", theirs);
	kit_restart(kit, kit->r2);
	expect_result("[-4]");
}

Test(hub_await, a_question_that_was_never_sent_goes_to_the_next_process)
{
	Link__Members answer = LINK__MEMBERS__INIT;

	call("Members", args(theirs));
	kit_restart(kit, kit->r2);
	kit_expect(kit, kit->r2, "list_members %s", theirs);
	answer.call = kit->call;
	kit_hear_members(kit, kit->r2, &answer);
	expect_result("[0]");
}

Test(hub_await, the_gateway_is_lost_after_it_took_the_join)
{
	kit_connect(kit, kit->g2, "c2", NULL);
	kit_invoke(kit, kit->g2, "c2", "7", "JoinOther", args2(caller, "g"));
	kit_turn(kit);
	kit_expect(kit, kit->g1, "join %s g", caller);
	kit_ack(kit, kit->g1);
	kit_gone(kit, kit->g1);
	kit_expect(kit, kit->g2,
		   "complete c2 1 {\"type\":3,\"invocationId\":\"7\",\"result\":-4}");
}

Test(hub_await, the_gateway_is_lost_before_it_took_the_join)
{
	kit_connect(kit, kit->g2, "c2", NULL);
	kit_invoke(kit, kit->g2, "c2", "7", "JoinOther", args2(caller, "g"));
	kit_turn(kit);
	kit_gone(kit, kit->g1);
	kit_turn(kit);
	kit_expect(kit, kit->g2,
		   "complete c2 1 {\"type\":3,\"invocationId\":\"7\",\"result\":-4}");
}
