/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The chat hub and its state: histories with very long messages, and what becomes of
 * calls when the router that has the history cannot be asked, which is played by r2.
 */
#include "router/state/state_owner.h"
#include "tests/unit/router/hub_kit.h"

#define PAGE_BYTES (256u << 10)

static struct kit *kit;
static const char *caller;
static const char *room; /* its history is r2's, and its group */
static const char *group;

static void setup(void)
{
	static char routers[] = "r1=ipc://r1,r2=ipc://r2";
	struct router_conf conf = kit_conf();

	conf.routers = routers;
	conf.state_bytes_max = 16 << 20;
	kit = kit_new_conf(NULL, &conf);
	kit->hub = "chat";
	kit_replayed(kit, kit->g1);
	kit_replayed(kit, kit->g2);
	kit_topology(kit, true, kit->g1, kit->g2);
	kit_turn(kit);
	caller = kit_name(kit, LINK__KIND__KIND_CONNECTION, true);
	kit_connect(kit, kit->g1, caller, "ann");
	kit_turn(kit);
	group = kit_name_from(kit, LINK__KIND__KIND_GROUP, "room-", false);
	room = group + strlen("room-");
}

static void teardown(void)
{
	kit_free(kit);
}

TestSuite(chat_state, .init = setup, .fini = teardown);

static void call(const char *target, const char *arguments)
{
	kit_invoke(kit, kit->g1, caller, "a", target, arguments);
	kit_turn(kit);
}

static void expect_failed(const char *target, const char *detail)
{
	kit_expect(kit, kit->g1,
		   "complete %s %u {\"type\":3,\"invocationId\":\"a\",\"error\":\"An "
		   "unexpected error occurred invoking '%s' on the server.%s\"}",
		   caller, (unsigned)kit->last_invoke, target, detail);
}

/* ---- long messages, in a room of our own */

/* An entry of exactly so many bytes, as the hub writes them. */
static void add(const char *key, size_t bytes)
{
	const char *head = "{\"id\":\"i\",\"roomId\":\"r\",\"userId\":\"u\",\"userName\":"
			   "\"u\",\"message\":\"";
	const char *tail = "\",\"timestamp\":\"t\",\"number\":0}";
	const size_t text_len = bytes - strlen(head) - strlen(tail);
	char *text = arena_alloc(&kit->arena, bytes);
	const struct state_question question = {
		.op = STATE_APPEND,
		.hub = SLICE("chat"),
		.key = slice_from_str(key),
		.bytes = slice_make(text, bytes),
		.entries_max = 100,
		.ttl_ms = 60000,
		.expected = HUB_ANY,
	};
	struct state_answer answer;

	memcpy(text, head, strlen(head));
	memset(text + strlen(head), 'x', text_len);
	memcpy(text + strlen(head) + text_len, tail, strlen(tail));
	cr_assert_eq(state_question_check(&question), OK);
	state_table_ask(&kit->router->state.table, &question, loop_now_ms(kit->loop),
			&kit->arena, &answer);
	cr_assert_eq(answer.rc, OK);
}

/* The page has exactly the messages of these numbers, of 1 to 9. */
static void expect_page(const char *key, int before, int first, int last, bool is_more)
{
	const char *said;

	call("RoomHistory",
	     kit_text(kit, "[\"%s\",%d,100]", key + strlen("room-"), before));
	said = kit_said(kit, kit->g1);
	for (int i = 1; i <= 9; i++)
		cr_expect_eq(strstr(said, kit_text(kit, "\"number\":%d}", i)) != NULL,
			     i >= first && i <= last, "%d before %d", i, before);
	cr_expect_not_null(
		strstr(said, is_more ? "],\"isMore\":true}}" : "],\"isMore\":false}}"));
}

Test(chat_state, a_page_has_so_many_bytes)
{
	const char *own = kit_name_from(kit, LINK__KIND__KIND_GROUP, "room-", true);

	for (int i = 1; i <= 5; i++)
		add(own, PAGE_BYTES / 4);
	expect_page(own, 0, 2, 5, true);
	expect_page(own, 5, 1, 4, false);
	expect_page(own, 2, 1, 1, false);
	add(own, PAGE_BYTES / 4 + 1);
	expect_page(own, 0, 4, 6, true);
	expect_page(own, 4, 1, 3, false);
}

Test(chat_state, a_message_that_is_more_than_a_page_is_one)
{
	const char *own = kit_name_from(kit, LINK__KIND__KIND_GROUP, "room-", true);

	add(own, 200);
	add(own, PAGE_BYTES + 1);
	add(own, 200);
	expect_page(own, 0, 3, 3, true);
	expect_page(own, 3, 2, 2, true);
	expect_page(own, 2, 1, 1, false);
}

Test(chat_state, what_is_loaded_is_a_page)
{
	const char *own = kit_name_from(kit, LINK__KIND__KIND_GROUP, "room-", true);
	const char *said;

	for (int i = 1; i <= 5; i++)
		add(own, PAGE_BYTES / 4);
	call("JoinRoom", kit_text(kit, "[\"%s\"]", own + strlen("room-")));
	kit_expect(kit, kit->g1, "join %s %s", caller, own);
	kit_joined(kit, kit->g1, caller, own, false, OK);
	kit_turn(kit);
	said = kit_said(kit, kit->g1);
	cr_assert_not_null(strstr(said, "\"target\":\"LoadMessages\""));
	cr_expect_null(strstr(said, "\"number\":1}"));
	cr_expect_not_null(strstr(said, "\"number\":2}"));
	cr_expect_not_null(strstr(said, "\"number\":5}"));
}

/* ---- a room of r2's */

static void lose_owner(void)
{
	kit_ack(kit, kit->r2);
	kit_restart(kit, kit->r2);
	kit_turn(kit);
}

/* Up to where its history is asked for. */
static void begin_to_join(void)
{
	call("JoinRoom", kit_text(kit, "[\"%s\"]", room));
	kit_expect(kit, kit->g1, "join %s %s", caller, group);
	kit_member(kit, kit->g1, LINK__KIND__KIND_GROUP, group, caller, false);
	kit_joined(kit, kit->g1, caller, group, false, OK);
	kit_turn(kit);
	kit_expect(kit, kit->r2, "state read %s max 51", group);
}

static void hear_history(enum err rc)
{
	Link__StateDone done = LINK__STATE_DONE__INIT;

	done.call = kit->call;
	done.rc = rc;
	kit_hear_state_done(kit, kit->r2, &done);
	kit_turn(kit);
}

static void leave_again(void)
{
	kit_expect(kit, kit->g1, "leave %s %s", caller, group);
	kit_member(kit, kit->g1, LINK__KIND__KIND_GROUP, group, caller, true);
	kit_joined(kit, kit->g1, caller, group, true, OK);
	kit_turn(kit);
}

Test(chat_state, a_join_without_history_is_taken_back)
{
	begin_to_join();
	hear_history(ERR_LIMIT);
	leave_again();
	expect_failed("JoinRoom", "");
	kit_expect_silence(kit, kit->r2);
}

Test(chat_state, a_join_without_roster_is_taken_back_and_tells_nobody)
{
	begin_to_join();
	hear_history(OK);
	kit_expect(kit, kit->r2, "list_members %s", group);
	lose_owner();
	leave_again();
	expect_failed("JoinRoom", "");
}

Test(chat_state, a_join_that_cannot_be_taken_back_fails_as_well)
{
	begin_to_join();
	hear_history(ERR_LIMIT);
	kit_expect(kit, kit->g1, "leave %s %s", caller, group);
	kit_joined(kit, kit->g1, caller, group, true, ERR_LIMIT);
	kit_turn(kit);
	expect_failed("JoinRoom", "");
}

Test(chat_state, who_was_in_the_room_stays_when_joining_again_fails)
{
	Link__Members answer = LINK__MEMBERS__INIT;

	begin_to_join();
	hear_history(OK);
	kit_expect(kit, kit->r2, "list_members %s", group);
	answer.call = kit->call;
	kit_hear_members(kit, kit->r2, &answer);
	kit_turn(kit);
	kit_skip(kit, kit->r2);
	kit_skip(kit, kit->g1);
	begin_to_join();
	hear_history(ERR_LIMIT);
	expect_failed("JoinRoom", "");
}

Test(chat_state, a_message_whose_history_is_lost_may_have_been_sent)
{
	call("SendMessage", kit_text(kit, "[\"%s\",\"hello\"]", room));
	cr_assert_not_null(strstr(kit_said(kit, kit->r2), "state append"));
	lose_owner();
	expect_failed("SendMessage", " HubException: The outcome is unknown: it may have "
				     "been sent.");
}

/* One that was surely not kept is no such thing. */
Test(chat_state, a_message_that_is_refused_was_not_sent)
{
	call("SendMessage", kit_text(kit, "[\"%s\",\"hello\"]", room));
	cr_assert_not_null(strstr(kit_said(kit, kit->r2), "state append"));
	hear_history(ERR_LIMIT);
	expect_failed("SendMessage", "");
}
