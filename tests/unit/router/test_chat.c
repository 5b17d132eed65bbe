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
		   "unexpected error occurred invoking 'JoinRoom' on the server.\"}");
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
