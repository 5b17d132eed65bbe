/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What presence has a router do: pages of groups and members, joins; and what of that
 * waits while the shard is being rebuilt. There are two shards: r1, which is asked, and
 * r2, played by the test.
 */
#include "router/command.h"

#include "proto/link/link_private.h"
#include "router/group_page.h"
#include "tests/unit/router/command_kit.h"

static struct kit *kit;
static const char *ours; /* a group of r1 */
static const char *theirs;

static void setup_rebuilding(void)
{
	const struct router_conf conf = command_kit_conf();

	kit = command_kit_new(&conf);
	ours = kit_name(kit, LINK__KIND__KIND_GROUP, true);
	theirs = kit_name(kit, LINK__KIND__KIND_GROUP, false);
}

static void setup(void)
{
	setup_rebuilding();
	command_kit_replay(kit);
	kit_skip(kit, kit->presence);
}

static void teardown(void)
{
	kit_free(kit);
}

TestSuite(command, .init = setup, .fini = teardown, .timeout = 60);
TestSuite(command_rebuild, .init = setup_rebuilding, .fini = teardown, .timeout = 60);

static ProtobufCBinaryData bytes(const char *text)
{
	return link_bytes(slice_from_str(text));
}

static void member(struct link_peer *gateway, const char *group, const char *id)
{
	const struct group_key key = { slice_from_str(kit->hub), GROUP_KIND_LISTED,
				       slice_from_str(group) };
	const struct group_member who = {
		.connection = slice_from_str(id),
		.user_id = slice_from_str(kit_text(kit, "user-of-%s", id)),
	};

	/* Whoever owns it. */
	group_add(&kit->router->groups, &key, &who, &router_gateway_of(gateway)->members);
}

/* ---- groups */

static void groups(const char *prefix, const char *cursor, uint32_t limit)
{
	Link__Command command =
		command_kit_of(LINK__COMMAND_KIND__COMMAND_GROUPS, prefix);

	command.cursor = bytes(cursor);
	command.limit = limit;
	command_kit_hear(kit, &command);
}

Test(command, groups_are_told_by_name_with_their_sizes)
{
	member(kit->g1, "b", "c1");
	member(kit->g2, "b", "c2");
	member(kit->g1, "a", "c1");
	kit_member(kit, kit->g1, LINK__KIND__KIND_USER, "ann", "c1", false);
	groups(NULL, NULL, 10);
	command_kit_expect(kit, "OK of 2 a=1 b=2");
	cr_expect_eq(kit->call, COMMAND_KIT_CALL);
	cr_expect_eq(kit->router->metrics.command_total, 1);
	cr_expect_eq(kit->router->metrics.command_failed_total, 0);
}

Test(command, groups_of_other_hubs_are_not)
{
	kit->hub = "relay";
	member(kit->g1, "a", "c1");
	groups(NULL, NULL, 10);
	command_kit_expect(kit, "OK");
}

Test(command, a_page_of_groups_tells_where_the_next_one_begins)
{
	member(kit->g1, "a", "c1");
	member(kit->g1, "b", "c1");
	member(kit->g1, "c", "c1");
	groups(NULL, NULL, 2);
	command_kit_expect(kit, "OK of 3 a=1 b=1 next nb");
	groups(NULL, "nb", 2);
	command_kit_expect(kit, "OK of 3 c=1");
	groups(NULL, "nb", 1);
	command_kit_expect(kit, "OK of 3 c=1");
	groups(NULL, "nc", 1);
	command_kit_expect(kit, "OK of 3");
}

Test(command, a_prefix_chooses_groups)
{
	member(kit->g1, "room-1", "c1");
	member(kit->g1, "room-2", "c1");
	member(kit->g1, "rook", "c1");
	groups("room-", NULL, 1);
	command_kit_expect(kit, "OK of 2 room-1=1 next nroom-1");
	groups("room-", "nroom-1", 1);
	command_kit_expect(kit, "OK of 2 room-2=1");
}

Test(command, the_group_without_a_name_does_not_end_the_pages)
{
	member(kit->g1, "", "c1");
	member(kit->g1, "a", "c1");
	groups(NULL, NULL, 1);
	command_kit_expect(kit, "OK of 2 =1 next n");
	groups(NULL, "n", 1);
	command_kit_expect(kit, "OK of 2 a=1");
}

Test(command, a_name_may_hold_any_byte)
{
	Link__Command command = command_kit_of(LINK__COMMAND_KIND__COMMAND_GROUPS, NULL);
	const struct group_key keys[] = { { SLICE("chat"), 1, SLICE("a\0a") },
					  { SLICE("chat"), 1, SLICE("a\0b") } };
	const struct group_member who = { .connection = SLICE("c1") };
	struct group_gateway *gateway =
		&CONTAINER_OF(kit->router->gateways.next, struct router_gateway, node)
			 ->members;

	group_add(&kit->router->groups, &keys[0], &who, gateway);
	group_add(&kit->router->groups, &keys[1], &who, gateway);
	command.cursor = link_bytes(SLICE("na\0a"));
	command_kit_hear(kit, &command);
	/* Of the text only what stands before the NUL is compared. */
	command_kit_expect(kit, "OK of 2 a");
	command.cursor = link_bytes(SLICE("na\0b"));
	command_kit_hear(kit, &command);
	command_kit_expect(kit, "OK of 2");
}

Test(command, a_cursor_that_is_none_is_refused)
{
	groups(NULL, "b", 10);
	command_kit_expect(kit, "ERR_ARGUMENT");
	cr_expect_eq(kit->router->metrics.command_failed_total, 1);
}

static void many_groups(unsigned n, int name_len)
{
	for (unsigned i = 0; i < n; i++)
		member(kit->g1, kit_text(kit, "%0*u", name_len, i), "c1");
}

/* How many groups are in the next answer, which must be OK; whether more are behind it.
 */
static size_t count_groups(bool *is_more)
{
	const char *said = kit_said(kit, kit->presence);
	size_t n = 0;

	cr_assert_eq(strncmp(said, "done OK", 7), 0, "%.100s", said);
	for (const char *at = said; (at = strchr(at, '=')) != NULL; at++)
		n++;
	*is_more = strstr(said, " next ") != NULL;
	return n;
}

Test(command, no_page_of_groups_is_longer_than_the_limit)
{
	bool is_more;

	many_groups(GROUP_PAGE_MAX, 5);
	groups(NULL, NULL, 0);
	cr_expect_eq(count_groups(&is_more), GROUP_PAGE_MAX);
	cr_expect_not(is_more);
	member(kit->g1, "z", "c1");
	groups(NULL, NULL, GROUP_PAGE_MAX + 1);
	cr_expect_eq(count_groups(&is_more), GROUP_PAGE_MAX);
	cr_expect(is_more);
}

Test(command, long_names_make_short_pages)
{
	const unsigned name_len = 4000;
	const unsigned len = name_len + (unsigned)strlen("chat");
	bool is_more;
	size_t n;

	many_groups(500, (int)name_len);
	groups(NULL, NULL, 0);
	n = count_groups(&is_more);
	cr_expect(is_more);
	cr_expect_gt(n * len, GROUP_PAGE_BYTES_MAX);
	cr_expect_leq((n - 1) * len, GROUP_PAGE_BYTES_MAX);
}

Test(command, an_answer_that_does_not_fit_the_link_is_refused)
{
	many_groups(200, 4000);
	kit->presence->session.bytes_max = 1000;
	groups(NULL, NULL, 0);
	command_kit_expect(kit, "ERR_LIMIT");
}

Test(command, a_hub_that_is_not_served_is_not_found)
{
	Link__Command command = command_kit_of(LINK__COMMAND_KIND__COMMAND_GROUPS, NULL);

	command.hub = bytes("nohub");
	command_kit_hear(kit, &command);
	command_kit_expect(kit, "ERR_NOT_FOUND");
}

Test(command, what_is_for_gateways_is_refused)
{
	Link__Command command = command_kit_of(LINK__COMMAND_KIND__COMMAND_DRAIN, NULL);

	command_kit_hear(kit, &command);
	command_kit_expect(kit, "ERR_UNSUPPORTED");
	command.command = (Link__CommandKind)99;
	command_kit_hear(kit, &command);
	command_kit_expect(kit, "ERR_UNSUPPORTED");
}

Test(command, only_presence_commands)
{
	const Link__Command command =
		command_kit_of(LINK__COMMAND_KIND__COMMAND_GROUPS, NULL);

	kit_hear_command(kit, kit->g1, &command);
	kit_hear_command(kit, kit->r2, &command);
	kit_expect_silence(kit, kit->presence);
	cr_expect_eq(kit->router->metrics.envelope_unknown_total, 2);
}

/* ---- members */

static void members(const char *group, const char *cursor, uint32_t limit)
{
	Link__Command command =
		command_kit_of(LINK__COMMAND_KIND__COMMAND_MEMBERS, group);

	command.cursor = bytes(cursor);
	command.limit = limit;
	command_kit_hear(kit, &command);
}

Test(command, members_of_a_group_of_ours_come_in_pages)
{
	member(kit->g1, ours, "c3");
	member(kit->g2, ours, "c1");
	member(kit->g1, ours, "c2");
	members(ours, NULL, 2);
	command_kit_expect(kit, "OK of 3 c1 c2 next c2");
	members(ours, "c2", 2);
	command_kit_expect(kit, "OK of 3 c3");
	members(ours, "c3", 2);
	command_kit_expect(kit, "OK of 3");
}

Test(command, a_group_without_members_is_not_found)
{
	members(ours, NULL, 0);
	command_kit_expect(kit, "ERR_NOT_FOUND");
}

Test(command, members_of_a_group_of_another_shard_are_asked_there)
{
	Link__Member one = LINK__MEMBER__INIT;
	Link__Member *list[] = { &one };
	Link__Members answer = LINK__MEMBERS__INIT;

	members(theirs, "c1", 1);
	kit_expect(kit, kit->r2, "list_members %s after c1", theirs);
	cr_expect_eq(kit->router->commands.n, 1);
	one.connection = bytes("c2");
	answer.call = kit->call;
	answer.members = list;
	answer.n_members = 1;
	answer.size = 9;
	answer.next = bytes("c2");
	kit_hear_members(kit, kit->r2, &answer);
	command_kit_expect(kit, "OK of 9 c2 next c2");
	cr_expect_eq(kit->call, COMMAND_KIT_CALL);
	cr_expect_eq(kit->router->commands.n, 0);
}

Test(command, a_page_of_another_shard_that_is_empty_is_not_found)
{
	Link__Members answer = LINK__MEMBERS__INIT;

	members(theirs, NULL, 1);
	kit_expect(kit, kit->r2, "list_members %s", theirs);
	answer.call = kit->call;
	kit_hear_members(kit, kit->r2, &answer);
	command_kit_expect(kit, "ERR_NOT_FOUND");
}

Test(command, the_shard_is_lost_before_it_answers)
{
	members(theirs, NULL, 1);
	kit_expect(kit, kit->r2, "list_members %s", theirs);
	kit_ack(kit, kit->r2);
	kit_restart(kit, kit->r2);
	command_kit_expect(kit, "ERR_OUTCOME");
}

Test(command, the_shard_does_not_answer_in_time)
{
	Link__Command command =
		command_kit_of(LINK__COMMAND_KIND__COMMAND_MEMBERS, theirs);
	bool is_over = false;

	command.timeout_ms = 1;
	command_kit_hear(kit, &command);
	for (int i = 0; i < 100 && !is_over; i++) {
		loop_turn(kit->loop, 100);
		is_over = kit->router->commands.n == 0;
	}
	command_kit_expect(kit, "ERR_TIMEOUT");
	cr_expect_eq(kit->router->metrics.ask_timeout_total, 1);
}

Test(command, those_that_wait_are_so_many_at_most)
{
	for (int i = 0; i < COMMANDS_MAX; i++)
		members(theirs, NULL, 1);
	kit_expect_silence(kit, kit->presence);
	members(theirs, NULL, 1);
	command_kit_expect(kit, "ERR_LIMIT");
	cr_expect_eq(kit->router->metrics.command_refused_total, 1);
}

Test(command, those_that_wait_are_answered_when_the_router_ends)
{
	members(theirs, NULL, 1);
	commands_cancel(kit->router);
	command_kit_expect(kit, "ERR_CANCELED");
	members(theirs, NULL, 1); /* and for the teardown */
}

/* ---- joins */

static void join(Link__CommandKind kind, const char *connection, const char *group)
{
	Link__Command command = command_kit_of(kind, group);

	command.connection = bytes(connection);
	command_kit_hear(kit, &command);
}

Test(command, a_connection_joins_and_leaves_when_its_gateway_says_so)
{
	const char *id = command_kit_connect(kit);

	join(LINK__COMMAND_KIND__COMMAND_JOIN, id, "g");
	kit_expect(kit, kit->g1, "join %s g", id);
	kit_expect_silence(kit, kit->presence);
	kit_joined(kit, kit->g1, id, "g", false, OK);
	command_kit_expect(kit, "OK");
	join(LINK__COMMAND_KIND__COMMAND_LEAVE, id, "g");
	kit_expect(kit, kit->g1, "leave %s g", id);
	kit_joined(kit, kit->g1, id, "g", true, OK);
	command_kit_expect(kit, "OK");
}

Test(command, a_join_that_the_gateway_refuses_is_refused)
{
	const char *id = command_kit_connect(kit);

	join(LINK__COMMAND_KIND__COMMAND_JOIN, id, "g");
	kit_expect(kit, kit->g1, "join %s g", id);
	kit_joined(kit, kit->g1, id, "g", false, ERR_LIMIT);
	command_kit_expect(kit, "ERR_LIMIT");
}

Test(command, a_connection_that_is_not_there_is_not_found)
{
	join(LINK__COMMAND_KIND__COMMAND_JOIN,
	     kit_name(kit, LINK__KIND__KIND_CONNECTION, true), "g");
	command_kit_expect(kit, "ERR_NOT_FOUND");
	join(LINK__COMMAND_KIND__COMMAND_LEAVE, NULL, "g");
	command_kit_expect(kit, "ERR_ARGUMENT");
}

Test(command, a_connection_of_another_shard_is_asked_there)
{
	const char *id = kit_name(kit, LINK__KIND__KIND_CONNECTION, false);

	join(LINK__COMMAND_KIND__COMMAND_JOIN, id, "g");
	kit_expect(kit, kit->r2, "join %s g", id);
	kit_joined(kit, kit->r2, id, "g", false, ERR_NOT_FOUND);
	command_kit_expect(kit, "ERR_NOT_FOUND");
}

/* ---- while the shard is being rebuilt */

static void send_to(Link__Kind kind, const char *name)
{
	const Link__Command command = command_kit_send(kind, name, "[ 1, \"two\" ]");

	command_kit_hear(kit, &command);
}

#define NEWS "{\"type\":1,\"target\":\"News\",\"arguments\":[1,\"two\"]}"

Test(command_rebuild, what_asks_its_tables_waits)
{
	const char *id = kit_name(kit, LINK__KIND__KIND_CONNECTION, true);

	groups(NULL, NULL, 0);
	members(ours, NULL, 0);
	join(LINK__COMMAND_KIND__COMMAND_JOIN, id, "g");
	send_to(LINK__KIND__KIND_GROUP, ours);
	kit_turn(kit);
	kit_expect_silence(kit, kit->presence);
	kit_connect(kit, kit->g1, id, "ann");
	kit_turn(kit);
	kit_skip(kit, kit->g1);
	member(kit->g1, ours, "c1");
	command_kit_replay(kit);
	command_kit_expect(kit, "OK of 1 %s=1", ours);
	command_kit_expect(kit, "OK of 1 c1");
	kit_expect(kit, kit->g1, "join %s g", id);
	kit_joined(kit, kit->g1, id, "g", false, OK);
	command_kit_expect(kit, "OK");
	kit_expect(kit, kit->g1, "deliver group %s " NEWS, ours);
	kit_ack(kit, kit->g1);
	command_kit_expect(kit, "OK");
	cr_expect_eq(kit->router->metrics.command_total, 4);
	cr_expect_eq(kit->router->metrics.join_total, 1);
}

Test(command_rebuild, a_connection_that_does_not_come_is_not_found_then)
{
	join(LINK__COMMAND_KIND__COMMAND_JOIN,
	     kit_name(kit, LINK__KIND__KIND_CONNECTION, true), "g");
	send_to(LINK__KIND__KIND_GROUP, ours);
	kit_expect_silence(kit, kit->presence);
	command_kit_replay(kit);
	command_kit_expect(kit, "ERR_NOT_FOUND");
	command_kit_expect(kit, "ERR_NOT_FOUND");
}

Test(command_rebuild, more_than_can_wait_is_refused)
{
	kit->conf.rebuild_bytes_max = 1;
	groups(NULL, NULL, 0);
	command_kit_expect(kit, "ERR_LIMIT");
	members(ours, NULL, 0);
	command_kit_expect(kit, "ERR_LIMIT");
	join(LINK__COMMAND_KIND__COMMAND_JOIN,
	     kit_name(kit, LINK__KIND__KIND_CONNECTION, true), "g");
	command_kit_expect(kit, "ERR_LIMIT");
	send_to(LINK__KIND__KIND_GROUP, ours);
	command_kit_expect(kit, "ERR_LIMIT");
}

/* A gateway that presence names never comes: it may have members, or the connection. */
Test(command_rebuild, after_a_timeout_nobody_is_not_for_certain)
{
	struct router_conf conf = command_kit_conf();

	kit_free(kit);
	conf.rebuild_timeout_ms = 1;
	kit = command_kit_new(&conf);
	ours = kit_name(kit, LINK__KIND__KIND_GROUP, true);
	kit_topology(kit, true, kit->g1, kit->g2);
	kit_replayed(kit, kit->g1);
	kit_turn_until(kit, &kit->router->rebuild.is_done);
	send_to(LINK__KIND__KIND_GROUP, ours);
	command_kit_expect(kit, "ERR_OUTCOME");
	send_to(LINK__KIND__KIND_CONNECTION,
		kit_name(kit, LINK__KIND__KIND_CONNECTION, true));
	command_kit_expect(kit, "ERR_OUTCOME");
}
