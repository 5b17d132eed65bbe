/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The members of large groups: pages, within one deadline, and where it ends.
 */
#include "tests/unit/router/hub_kit.h"

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

static enum hub_rc count_members(struct hub_call *call)
{
	const struct hub_member *list;
	size_t n;
	const enum hub_rc rc =
		hub_await_members(call, hub_arg_string(call, 0), &list, &n);

	hub_return(call, hub_int(call, rc == HUB_OK ? (int64_t)n : rc));
	return HUB_OK;
}

static const struct hub_method methods[] = {
	{ .name = "Members", .fn = members, .arguments = "s" },
	{ .name = "CountMembers", .fn = count_members, .arguments = "s" },
};

static const struct hub_module hub = {
	.api_version = HUB_API_VERSION,
	.name = "hub",
	.methods = methods,
	.methods_n = sizeof(methods) / sizeof(methods[0]),
};

static struct kit *kit;
static const char *caller; /* owned by r1, as is ours; theirs by r2 */
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
	ours = kit_name(kit, LINK__KIND__KIND_GROUP, true);
	theirs = kit_name(kit, LINK__KIND__KIND_GROUP, false);
	kit_connect(kit, kit->g1, caller, "ann");
	kit_turn(kit);
}

static void teardown(void)
{
	kit_free(kit);
}

TestSuite(hub_members, .init = setup, .fini = teardown, .timeout = 60);

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

Test(hub_members, members_of_another_shard_come_in_pages)
{
	Link__Member members[] = { LINK__MEMBER__INIT, LINK__MEMBER__INIT };
	Link__Member *list[] = { &members[0], &members[1] };
	Link__Members answer = LINK__MEMBERS__INIT;

	call("Members", args(theirs));
	kit_expect(kit, kit->r2, "list_members %s", theirs);
	members[0].connection = link_bytes(SLICE("c1"));
	members[0].user_id = link_bytes(SLICE("zoe"));
	members[1].connection = link_bytes(SLICE("c2"));
	members[1].user_id = link_bytes(SLICE("ben"));
	answer.call = kit->call;
	answer.members = list;
	answer.n_members = 2;
	answer.next = link_bytes(SLICE("c2"));
	kit_hear_members(kit, kit->r2, &answer);
	kit_turn(kit);
	kit_expect(kit, kit->r2, "list_members %s after c2", theirs);
	members[0].connection = link_bytes(SLICE("c3"));
	members[0].user_id = link_bytes(SLICE("ann"));
	answer.call = kit->call;
	answer.n_members = 1;
	answer.next = link_bytes(SLICE_NONE);
	kit_hear_members(kit, kit->r2, &answer);
	expect_result("[\"c3\",\"ann\",\"c2\",\"ben\",\"c1\",\"zoe\",0]");
}

static void fill_ours(int n)
{
	for (int i = 0; i < n; i++) {
		char id[32];

		snprintf(id, sizeof(id), "connection-%012d", i);
		kit_member(kit, kit->g1, LINK__KIND__KIND_GROUP, ours, id, false);
	}
}

Test(hub_members, members_are_as_many_as_there_may_be)
{
	fill_ours(HUB_MEMBERS_MAX);
	call("CountMembers", args(ours));
	expect_result(kit_text(kit, "%d", HUB_MEMBERS_MAX));
}

Test(hub_members, more_members_than_that_are_over_a_limit)
{
	fill_ours(HUB_MEMBERS_MAX + 1);
	call("CountMembers", args(ours));
	expect_rc(HUB_ELIMIT);
}

/* When the time of the only question is over. */
static int64_t question_due_ms(void)
{
	struct map_node *node = map_next(&kit->router->asks.by_number, NULL);

	cr_assert_not_null(node);
	return CONTAINER_OF(node, struct ask, node)->timer.due_ms;
}

Test(hub_members, pages_share_one_deadline)
{
	Link__Member member = LINK__MEMBER__INIT;
	Link__Member *list[] = { &member };
	Link__Members answer = LINK__MEMBERS__INIT;
	const int64_t start_ms = loop_now_ms(kit->loop);
	int64_t due_ms;

	call("Members", args(theirs));
	kit_expect(kit, kit->r2, "list_members %s", theirs);
	due_ms = question_due_ms();
	while (loop_now_ms(kit->loop) == start_ms)
		loop_turn(kit->loop, 1);
	member.connection = link_bytes(SLICE("c1"));
	answer.call = kit->call;
	answer.members = list;
	answer.n_members = 1;
	answer.next = link_bytes(SLICE("c1"));
	kit_hear_members(kit, kit->r2, &answer);
	kit_turn(kit);
	cr_expect_neq(loop_now_ms(kit->loop), start_ms);
	cr_expect_eq(question_due_ms(), due_ms);
}

Test(hub_members, a_page_is_listed_for_another_shard)
{
	Link__ListMembers list = LINK__LIST_MEMBERS__INIT;

	fill_ours(3);
	list.hub = link_bytes(SLICE("hub"));
	list.group = link_bytes(slice_from_str(ours));
	list.limit = 1;
	list.cursor = link_bytes(SLICE("connection-000000000000"));
	kit_hear_list_members(kit, kit->r2, &list);
	kit_expect(kit, kit->r2,
		   "members OK connection-000000000001 user-of-connection-000000000001 "
		   "next connection-000000000001");
}

Test(hub_members, a_group_too_large_for_a_message_is_over_a_limit)
{
	Link__ListMembers list = LINK__LIST_MEMBERS__INIT;

	fill_ours(40000);
	list.hub = link_bytes(SLICE("hub"));
	list.group = link_bytes(slice_from_str(ours));
	list.call = 9;
	kit_hear_list_members(kit, kit->r2, &list);
	kit_expect(kit, kit->r2, "members ERR_LIMIT");
	cr_expect_eq(kit->call, 9);
}
