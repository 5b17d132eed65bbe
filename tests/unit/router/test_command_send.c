/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What people send through the admin API: to whom it goes, when it is done, and what of
 * it is refused. There are two shards: r1, which is asked, and r2, played by the test.
 */
#include "router/command.h"

#include "proto/wire/value.h"
#include "tests/unit/router/command_kit.h"

static struct kit *kit;
static const char *ours; /* a group of r1 */
static const char *theirs;

static void setup(void)
{
	const struct router_conf conf = command_kit_conf();

	kit = command_kit_new(&conf);
	ours = kit_name(kit, LINK__KIND__KIND_GROUP, true);
	theirs = kit_name(kit, LINK__KIND__KIND_GROUP, false);
	command_kit_replay(kit);
	kit_skip(kit, kit->presence);
}

static void teardown(void)
{
	kit_free(kit);
}

TestSuite(command_send, .init = setup, .fini = teardown, .timeout = 60);

static ProtobufCBinaryData bytes(const char *text)
{
	return link_bytes(slice_from_str(text));
}

static void member(struct link_peer *gateway, const char *group, const char *id)
{
	kit_member(kit, gateway, LINK__KIND__KIND_GROUP, group, id, false);
}

/* ---- sends */

static void send_to(Link__Kind kind, const char *name)
{
	const Link__Command command = command_kit_send(kind, name, "[ 1, \"two\" ]");

	command_kit_hear(kit, &command);
}

#define NEWS "{\"type\":1,\"target\":\"News\",\"arguments\":[1,\"two\"]}"

Test(command_send, a_send_is_done_when_every_gateway_with_members_has_it)
{
	member(kit->g1, ours, "c1");
	member(kit->g2, ours, "c2");
	send_to(LINK__KIND__KIND_GROUP, ours);
	kit_expect(kit, kit->g1, "deliver group %s " NEWS, ours);
	kit_expect(kit, kit->g2, "deliver group %s " NEWS, ours);
	kit_ack(kit, kit->g1);
	kit_expect_silence(kit, kit->presence);
	kit_ack(kit, kit->g2);
	command_kit_expect(kit, "OK");
}

Test(command_send, a_send_goes_to_the_shard_that_owns_the_group)
{
	Link__Sent sent = LINK__SENT__INIT;

	send_to(LINK__KIND__KIND_GROUP, theirs);
	kit_expect(kit, kit->r2, "send group %s " NEWS, theirs);
	sent.call = kit->call;
	sent.rc = ERR_NOT_FOUND;
	kit_hear_sent(kit, kit->r2, &sent);
	command_kit_expect(kit, "ERR_NOT_FOUND");
}

Test(command_send, a_user_a_connection_and_all_can_be_sent_to)
{
	const char *user = kit_name(kit, LINK__KIND__KIND_USER, true);
	const char *id = command_kit_connect(kit);

	kit_member(kit, kit->g2, LINK__KIND__KIND_USER, user, "c1", false);
	send_to(LINK__KIND__KIND_USER, user);
	kit_expect(kit, kit->g2, "deliver user %s " NEWS, user);
	kit_ack(kit, kit->g2);
	command_kit_expect(kit, "OK");
	send_to(LINK__KIND__KIND_CONNECTION, id);
	kit_expect(kit, kit->g1, "deliver connection %s " NEWS, id);
	kit_ack(kit, kit->g1);
	command_kit_expect(kit, "OK");
	send_to(LINK__KIND__KIND_ALL, NULL);
	kit_expect(kit, kit->g1, "deliver all " NEWS);
	kit_expect(kit, kit->g2, "deliver all " NEWS);
	kit_ack(kit, kit->g1);
	kit_ack(kit, kit->g2);
	command_kit_expect(kit, "OK");
}

Test(command_send, where_nobody_is_a_send_finds_nobody)
{
	send_to(LINK__KIND__KIND_GROUP, ours);
	command_kit_expect(kit, "ERR_NOT_FOUND");
	send_to(LINK__KIND__KIND_USER, kit_name(kit, LINK__KIND__KIND_USER, true));
	command_kit_expect(kit, "ERR_NOT_FOUND");
	send_to(LINK__KIND__KIND_CONNECTION,
		kit_name(kit, LINK__KIND__KIND_CONNECTION, true));
	command_kit_expect(kit, "ERR_NOT_FOUND");
	cr_expect_eq(kit->router->metrics.send_failed_total, 0);
}

Test(command_send, a_gateway_lost_under_way_leaves_the_outcome_open)
{
	member(kit->g1, ours, "c1");
	send_to(LINK__KIND__KIND_GROUP, ours);
	kit_expect(kit, kit->g1, "deliver group %s " NEWS, ours);
	kit_gone(kit, kit->g1);
	command_kit_expect(kit, "ERR_OUTCOME");
}

Test(command_send, some_connections_can_be_left_out)
{
	ProtobufCBinaryData excluded[] = { bytes("c1"), bytes("c9") };
	Link__Command command = command_kit_send(LINK__KIND__KIND_GROUP, ours, "[]");

	member(kit->g1, ours, "c1");
	command.excluded = excluded;
	command.n_excluded = 2;
	command_kit_hear(kit, &command);
	kit_expect(kit, kit->g1,
		   "deliver group %s {\"type\":1,\"target\":\"News\",\"arguments\":[]}"
		   " without c1 without c9",
		   ours);
}

static void expect_refused(const Link__Command *command, const char *why)
{
	command_kit_hear(kit, command);
	command_kit_expect(kit, "%s", why);
	kit_expect_silence(kit, kit->g1);
}

Test(command_send, arguments_must_be_an_array)
{
	static const char *const bad[] = { "", "{}", "1", "[1", "[1]x", "[1,]", "null" };

	member(kit->g1, ours, "c1");
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		const Link__Command command =
			command_kit_send(LINK__KIND__KIND_GROUP, ours, bad[i]);

		expect_refused(&command, "ERR_ARGUMENT");
	}
}

Test(command_send, there_must_be_a_target_and_it_must_be_text)
{
	Link__Command command = command_kit_send(LINK__KIND__KIND_GROUP, ours, "[]");

	member(kit->g1, ours, "c1");
	command.target = bytes("");
	expect_refused(&command, "ERR_ARGUMENT");
	command.target = bytes("a\xff");
	expect_refused(&command, "ERR_ARGUMENT");
	command.target = bytes("\xc3\xa4\xe2\x82\xac");
	command_kit_hear(kit, &command);
	kit_expect(kit, kit->g1,
		   "deliver group %s {\"type\":1,\"target\":\"\xc3\xa4\xe2\x82\xac\","
		   "\"arguments\":[]}",
		   ours);
}

Test(command_send, there_must_be_somebody_to_send_to)
{
	const Link__Command none = command_kit_send(LINK__KIND__KIND_NONE, ours, "[]");
	const Link__Command user = command_kit_send(LINK__KIND__KIND_USER, NULL, "[]");
	const Link__Command conn =
		command_kit_send(LINK__KIND__KIND_CONNECTION, NULL, "[]");
	const Link__Command all = command_kit_send(LINK__KIND__KIND_ALL, "g", "[]");
	const Link__Command unknown = command_kit_send((Link__Kind)17, "g", "[]");

	expect_refused(&none, "ERR_ARGUMENT");
	expect_refused(&user, "ERR_ARGUMENT");
	expect_refused(&conn, "ERR_ARGUMENT");
	expect_refused(&all, "ERR_ARGUMENT");
	expect_refused(&unknown, "ERR_ARGUMENT");
}

/* ---- limits of a send: the last that is taken, and the next */

static struct slice long_text(size_t len)
{
	char *text = arena_alloc(&kit->arena, len);

	memset(text, 'x', len);
	return slice_make(text, len);
}

/* An array with one string, so long in all. */
static struct slice long_array(size_t len)
{
	char *text = arena_alloc(&kit->arena, len);

	memset(text, 'x', len);
	text[0] = '[';
	text[1] = text[len - 2] = '"';
	text[len - 1] = ']';
	return slice_make(text, len);
}

static void expect_taken(const Link__Command *command)
{
	command_kit_hear(kit, command);
	cr_expect_eq(strncmp(kit_said(kit, kit->g1), "deliver", 7), 0);
	kit_ack(kit, kit->g1);
	command_kit_expect(kit, "OK");
}

Test(command_send, arguments_have_a_length)
{
	Link__Command command = command_kit_send(LINK__KIND__KIND_GROUP, ours, "[]");

	member(kit->g1, ours, "c1");
	command.arguments = link_bytes(long_array(COMMAND_ARGUMENTS_BYTES_MAX));
	expect_taken(&command);
	command.arguments = link_bytes(long_array(COMMAND_ARGUMENTS_BYTES_MAX + 1));
	expect_refused(&command, "ERR_LIMIT");
}

Test(command_send, arguments_have_a_depth)
{
	Link__Command command = command_kit_send(LINK__KIND__KIND_GROUP, ours, "[]");
	struct buf deep = BUF_INIT;

	member(kit->g1, ours, "c1");
	for (int i = 0; i < VALUE_DEPTH_MAX; i++)
		buf_append_byte(&deep, '[');
	for (int i = 0; i < VALUE_DEPTH_MAX; i++)
		buf_append_byte(&deep, ']');
	command.arguments = link_bytes(buf_slice(&deep));
	expect_taken(&command);
	buf_clear(&deep);
	for (int i = 0; i <= VALUE_DEPTH_MAX; i++)
		buf_append_byte(&deep, '[');
	for (int i = 0; i <= VALUE_DEPTH_MAX; i++)
		buf_append_byte(&deep, ']');
	command.arguments = link_bytes(buf_slice(&deep));
	expect_refused(&command, "ERR_LIMIT");
	buf_fini(&deep);
}

Test(command_send, a_target_has_a_length)
{
	Link__Command command = command_kit_send(LINK__KIND__KIND_GROUP, ours, "[]");

	member(kit->g1, ours, "c1");
	command.target = link_bytes(long_text(COMMAND_TARGET_BYTES_MAX));
	expect_taken(&command);
	command.target = link_bytes(long_text(COMMAND_TARGET_BYTES_MAX + 1));
	expect_refused(&command, "ERR_LIMIT");
}

Test(command_send, so_many_can_be_left_out)
{
	static ProtobufCBinaryData excluded[HUB_EXCLUDED_MAX + 1];
	Link__Command command = command_kit_send(LINK__KIND__KIND_GROUP, ours, "[]");

	member(kit->g1, ours, "c1");
	command.excluded = excluded;
	command.n_excluded = HUB_EXCLUDED_MAX;
	expect_taken(&command);
	command.n_excluded = HUB_EXCLUDED_MAX + 1;
	expect_refused(&command, "ERR_LIMIT");
}
