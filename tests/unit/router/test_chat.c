/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The chat hub as its clients see it.
 */
#include "router/hubs/hubs.h"
#include "tests/unit/router/hub_kit.h"

#define TO_ROOM(event, argument)                                                         \
	"deliver group room-7 {\"type\":1,\"target\":\"" event                           \
	"\",\"arguments\":[" argument "]}"
#define ANN "\"userId\":\"ann\",\"userName\":\"ann\""
#define DONE "{\"type\":3,\"invocationId\":\"a\",\"result\":null}"

static struct kit *kit;

static void setup(void)
{
	kit = kit_new(NULL);
	kit_connect(kit, kit->g1, "c1", "ann");
}

static void teardown(void)
{
	kit_free(kit);
}

TestSuite(chat, .init = setup, .fini = teardown);

static void call(const char *target, const char *arguments)
{
	kit_invoke(kit, kit->g1, "c1", "a", target, arguments);
	kit_turn(kit);
}

/* What the gateway does for "join c1 room-7". */
static void join_room(void)
{
	kit_expect(kit, kit->g1, "join c1 room-7");
	kit_member(kit, kit->g1, LINK__KIND__KIND_GROUP, "room-7", "c1", false);
	kit_joined(kit, kit->g1, "c1", "room-7", false, OK);
	kit_turn(kit);
}

static void be_in_the_room(void)
{
	call("JoinRoom", "[\"7\"]");
	join_room();
	kit_skip(kit, kit->g1);
}

Test(chat, joining_loads_messages_and_tells_the_room)
{
	call("JoinRoom", "[\"7\"]");
	join_room();
	kit_expect(kit, kit->g1,
		   "deliver connection c1 {\"type\":1,\"target\":\"LoadMessages\","
		   "\"arguments\":[[]]}");
	kit_expect(kit, kit->g1, TO_ROOM("UserJoinedRoom", "{" ANN ",\"roomId\":\"7\"}"));
	kit_ack(kit, kit->g1);
	kit_expect(kit, kit->g1,
		   "complete c1 1 "
		   "{\"type\":3,\"invocationId\":\"a\",\"result\":{\"members\":"
		   "[{\"userId\":\"user-of-c1\",\"userName\":\"user-of-c1\"}]}}");
}

Test(chat, a_refused_join_tells_nobody)
{
	call("JoinRoom", "[\"7\"]");
	kit_expect(kit, kit->g1, "join c1 room-7");
	kit_joined(kit, kit->g1, "c1", "room-7", false, ERR_LIMIT);
	kit_turn(kit);
	kit_expect(kit, kit->g1,
		   "complete c1 1 {\"type\":3,\"invocationId\":\"a\",\"error\":\"An "
		   "unexpected error occurred invoking 'JoinRoom' on the server. "
		   "HubException: There are too many rooms.\"}");
}

/* Ids and times differ: what is before the id, and between it and the time. */
Test(chat, a_message_goes_to_the_room_and_is_kept)
{
	const char *said;

	be_in_the_room();
	call("SendMessage", "[\"7\",\"hello\"]");
	said = kit_said(kit, kit->g1);
	cr_expect_not_null(strstr(said, "\"target\":\"ReceiveMessage\""), "%s", said);
	cr_expect_not_null(strstr(said, "\"roomId\":\"7\"," ANN
					",\"message\":\"hello\",\"timestamp\":"),
			   "%s", said);
	kit_ack(kit, kit->g1);
	kit_expect(kit, kit->g1, "complete c1 2 " DONE);
	call("JoinRoom", "[\"7\"]");
	join_room();
	said = kit_said(kit, kit->g1);
	cr_expect_not_null(strstr(said, "\"target\":\"LoadMessages\",\"arguments\":[[{"),
			   "%s", said);
	cr_expect_not_null(strstr(said, "\"message\":\"hello\""), "%s", said);
}

Test(chat, the_last_fifty_messages_are_loaded)
{
	const char *said;

	be_in_the_room();
	for (int i = 0; i < 51; i++) {
		call("SendMessage", kit_text(kit, "[\"7\",\"message-%d.\"]", i));
		kit_skip(kit, kit->g1);
	}
	call("JoinRoom", "[\"7\"]");
	join_room();
	said = kit_said(kit, kit->g1);
	cr_expect_null(strstr(said, "message-0."));
	cr_expect_not_null(strstr(said, "message-1."));
	cr_expect_not_null(strstr(said, "message-50."));
}

Test(chat, typing_is_told_to_the_others)
{
	be_in_the_room();
	call("StartTyping", "[\"7\"]");
	kit_expect(kit, kit->g1,
		   TO_ROOM("UserTyping", "{" ANN ",\"isTyping\":true}") " without c1");
	kit_skip(kit, kit->g1);
	call("StopTyping", "[\"7\"]");
	kit_expect(kit, kit->g1,
		   TO_ROOM("UserTyping", "{" ANN ",\"isTyping\":false}") " without c1");
}

Test(chat, leaving_tells_the_room)
{
	be_in_the_room();
	kit_member(kit, kit->g2, LINK__KIND__KIND_GROUP, "room-7", "c2", false);
	call("LeaveRoom", "[\"7\"]");
	kit_expect(kit, kit->g1, "leave c1 room-7");
	kit_member(kit, kit->g1, LINK__KIND__KIND_GROUP, "room-7", "c1", true);
	kit_joined(kit, kit->g1, "c1", "room-7", true, OK);
	kit_turn(kit);
	kit_expect(kit, kit->g2, TO_ROOM("UserLeftRoom", "{" ANN ",\"roomId\":\"7\"}"));
	kit_ack(kit, kit->g2);
	kit_expect(kit, kit->g1, "complete c1 2 " DONE);
}

Test(chat, the_end_of_a_connection_tells_its_rooms)
{
	be_in_the_room();
	kit_member(kit, kit->g2, LINK__KIND__KIND_GROUP, "room-7", "c2", false);
	kit_disconnect(kit, kit->g1, "c1");
	kit_turn(kit);
	kit_expect(kit, kit->g2, TO_ROOM("UserLeftRoom", "{" ANN ",\"roomId\":\"7\"}"));
}

Test(chat, each_user_is_in_the_roster_once)
{
	Link__Member member = LINK__MEMBER__INIT;

	member.hub = link_bytes(SLICE("chat"));
	member.kind = LINK__KIND__KIND_GROUP;
	member.name = link_bytes(SLICE("room-7"));
	member.connection = link_bytes(SLICE("x1"));
	member.user_id = link_bytes(SLICE("bob"));
	member.user_name = link_bytes(SLICE("Bob"));
	kit_hear_member(kit, kit->g1, &member);
	member.connection = link_bytes(SLICE("x2"));
	kit_hear_member(kit, kit->g2, &member);
	member.connection = link_bytes(SLICE("x3"));
	member.user_id = link_bytes(SLICE_NONE);
	member.user_name = link_bytes(SLICE_NONE);
	kit_hear_member(kit, kit->g2, &member);
	call("RoomMembers", "[\"7\"]");
	kit_expect(kit, kit->g1,
		   "complete c1 1 "
		   "{\"type\":3,\"invocationId\":\"a\",\"result\":{\"members\":"
		   "[{\"userId\":\"x3\",\"userName\":\"anonymous\"},{\"userId\":\"bob\","
		   "\"userName\":\"Bob\"}]}}");
}

Test(chat, someone_without_a_token_is_known_by_the_connection)
{
	kit_connect(kit, kit->g1, "c2", NULL);
	kit_member(kit, kit->g2, LINK__KIND__KIND_GROUP, "room-7", "c9", false);
	kit_invoke(kit, kit->g1, "c2", NULL, "StartTyping", "[\"7\"]");
	kit_turn(kit);
	kit_expect(kit, kit->g2,
		   TO_ROOM("UserTyping", "{\"userId\":\"c2\",\"userName\":\"anonymous\","
					 "\"isTyping\":true}") " without c2");
}

/* ---- history */

static void say(int n)
{
	call("SendMessage", kit_text(kit, "[\"7\",\"m%d.\"]", n));
	kit_skip(kit, kit->g1);
}

/* The answer has exactly the messages of these numbers. */
static void expect_page(const char *arguments, int first, int last, bool is_more)
{
	const char *said;

	call("RoomHistory", arguments);
	said = kit_said(kit, kit->g1);
	for (int i = 1; i <= 9; i++) {
		const char *text = kit_text(kit, "\"message\":\"m%d.\"", i);
		const char *number = kit_text(kit, "\"number\":%d}", i);

		cr_expect_eq(strstr(said, text) != NULL, i >= first && i <= last,
			     "%d: %s", i, said);
		cr_expect_eq(strstr(said, number) != NULL, i >= first && i <= last,
			     "%d: %s", i, said);
	}
	cr_expect_not_null(
		strstr(said, is_more ? "],\"isMore\":true}}" : "],\"isMore\":false}}"),
		"%s", said);
}

Test(chat, history_is_read_in_pages)
{
	for (int i = 1; i <= 9; i++)
		say(i);
	expect_page("[\"7\",0,4]", 6, 9, true);
	expect_page("[\"7\",6,4]", 2, 5, true);
	expect_page("[\"7\",2,4]", 1, 1, false);
	expect_page("[\"7\",1,4]", 1, 0, false);
	expect_page("[\"7\",0,9]", 1, 9, false);
	expect_page("[\"7\",0,8]", 2, 9, true);
	expect_page("[\"7\",99,100]", 1, 9, false);
	expect_page("[\"other\",0,100]", 1, 0, false);
}

Test(chat, each_message_has_the_next_number)
{
	be_in_the_room();
	for (int i = 1; i <= 3; i++) {
		call("SendMessage", "[\"7\",\"x\"]");
		cr_expect_not_null(strstr(kit_said(kit, kit->g1),
					  kit_text(kit, "\"number\":%d}]}", i)));
		kit_skip(kit, kit->g1);
	}
}

static void expect_failed(const char *target, const char *arguments, const char *text)
{
	call(target, arguments);
	kit_expect(kit, kit->g1,
		   "complete c1 %u {\"type\":3,\"invocationId\":\"a\",\"error\":\"An "
		   "unexpected error occurred invoking '%s' on the server. HubException: "
		   "%s\"}",
		   (unsigned)kit->last_invoke, target, text);
}

Test(chat, a_page_is_of_1_to_100)
{
	expect_failed("RoomHistory", "[\"7\",0,0]", "count: 1 to 100 are allowed.");
	expect_failed("RoomHistory", "[\"7\",0,101]", "count: 1 to 100 are allowed.");
	expect_failed("RoomHistory", "[\"7\",-1,1]",
		      "before: a message's number is wanted, or 0.");
}

Test(chat, past_history_max_the_oldest_go)
{
	const char *said;

	kit_hub_option(kit, "history_max", "50");
	for (int i = 1; i <= 51; i++)
		say(i);
	call("RoomHistory", "[\"7\",3,100]");
	said = kit_said(kit, kit->g1);
	cr_expect_null(strstr(said, "\"m1.\""), "%s", said);
	cr_expect_not_null(strstr(said, "\"m2.\""), "%s", said);
	cr_expect_not_null(strstr(said, "\"isMore\":false"), "%s", said);
}

/* ---- limits and permissions */

static const char *text_of(size_t len)
{
	char *text = arena_alloc(&kit->arena, len + 1);

	memset(text, 'x', len);
	text[len] = '\0';
	return text;
}

Test(chat, texts_and_rooms_have_limits)
{
	kit_hub_option(kit, "text_bytes_max", "16");
	call("SendMessage", kit_text(kit, "[\"7\",\"%s\"]", text_of(16)));
	kit_expect(kit, kit->g1, "complete c1 1 " DONE);
	expect_failed("SendMessage", kit_text(kit, "[\"7\",\"%s\"]", text_of(17)),
		      "message: at most 16 bytes are allowed.");
	expect_failed("SendMessage", "[\"7\",\"\"]", "message: there is none.");
	expect_failed("JoinRoom", "[\"\"]", "roomId: there is none.");
	expect_failed("JoinRoom", kit_text(kit, "[\"%s\"]", text_of(1001)),
		      "roomId: at most 1000 bytes are allowed.");
	call("JoinRoom", kit_text(kit, "[\"%s\"]", text_of(1000)));
	kit_expect(kit, kit->g1, "join c1 room-%s", text_of(1000));
}

Test(chat, a_room_may_be_for_its_members)
{
	static const char *const methods[] = { "StartTyping", "StopTyping",
					       "RoomMembers" };

	kit_hub_option(kit, "members_only", "on");
	for (size_t i = 0; i < sizeof(methods) / sizeof(methods[0]); i++)
		expect_failed(methods[i], "[\"7\"]", "Join the room first.");
	expect_failed("SendMessage", "[\"7\",\"x\"]", "Join the room first.");
	expect_failed("RoomHistory", "[\"7\",0,1]", "Join the room first.");
	be_in_the_room();
	call("StartTyping", "[\"7\"]");
	kit_expect(kit, kit->g1,
		   TO_ROOM("UserTyping", "{" ANN ",\"isTyping\":true}") " without c1");
}

/* Ann on c2, with a role. */
static void connect_as(const char *role)
{
	ProtobufCBinaryData roles[] = { link_bytes(slice_from_str(role)) };
	Link__User user = LINK__USER__INIT;
	Link__Connected connected = LINK__CONNECTED__INIT;

	user.id = link_bytes(SLICE("ann"));
	user.roles = roles;
	user.n_roles = 1;
	connected.hub = link_bytes(SLICE("chat"));
	connected.connection = link_bytes(SLICE("c2"));
	connected.user = &user;
	connected.protocol = 1;
	kit_hear_connected(kit, kit->g1, &connected);
}

Test(chat, a_room_may_be_for_roles)
{
	kit_hub_option(kit, "roles_wanted", "on");
	expect_failed("JoinRoom", "[\"7\"]", "Not allowed: chat.read:7 is missing.");
	expect_failed("SendMessage", "[\"7\",\"x\"]",
		      "Not allowed: chat.write:7 is missing.");
	connect_as("chat.read:7*");
	kit_invoke(kit, kit->g1, "c2", "a", "JoinRoom", "[\"70\"]");
	kit_turn(kit);
	kit_expect(kit, kit->g1, "join c2 room-70");
}

Test(chat, who_was_not_there_does_not_leave)
{
	kit_member(kit, kit->g2, LINK__KIND__KIND_GROUP, "room-7", "c2", false);
	call("LeaveRoom", "[\"7\"]");
	kit_expect(kit, kit->g1, "leave c1 room-7");
	kit_joined(kit, kit->g1, "c1", "room-7", true, OK);
	kit_turn(kit);
	kit_expect_silence(kit, kit->g2);
	kit_expect(kit, kit->g1, "complete c1 1 " DONE);
}
