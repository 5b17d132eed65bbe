/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The notifications hub as its clients see it: who may send what to whom, and what waits
 * for users who are away.
 */
#include "router/hub.h"
#include "tests/unit/router/notifications_kit.h"

#define DONE "{\"type\":3,\"invocationId\":\"7\",\"result\":null}"
#define TO_BOB "[\"bob\",{\"title\":\"Hi\",\"message\":\"there\"}]"

static struct kit *kit;

static void setup(void)
{
	kit = notifications_kit();
}

static void teardown(void)
{
	kit_free(kit);
}

TestSuite(notifications, .init = setup, .fini = teardown);

static void call(const char *id, const char *target, const char *arguments)
{
	kit_invoke(kit, kit->g1, id, "7", target, arguments);
	kit_turn(kit);
}

static void expect_done(const char *id)
{
	kit_ack(kit, kit->g1);
	kit_expect(kit, kit->g1, "complete %s %u " DONE, id, (unsigned)kit->last_invoke);
}

static void expect_failed(const char *id, const char *target, const char *arguments,
			  const char *text)
{
	call(id, target, arguments);
	kit_expect(kit, kit->g1,
		   "complete %s %u {\"type\":3,\"invocationId\":\"7\",\"error\":\"An "
		   "unexpected error occurred invoking '%s' on the server. HubException: "
		   "%s\"}",
		   id, (unsigned)kit->last_invoke, target, text);
}

/* Of the event that is next: its text up to where ids and times differ, and its id. */
static const char *expect_notice(const char *to)
{
	const char *head =
		kit_text(kit, TO("%s", "ReceiveNotification") "{\"id\":\"", to);
	const char *said = kit_said(kit, kit->g1);
	const char *id = said + strlen(head);

	cr_assert(slice_starts_with(slice_from_str(said), slice_from_str(head)),
		  "said: %s\nwant: %s", said, head);
	cr_expect_not_null(strstr(said, ",\"read\":false}]}"), "%s", said);
	return arena_dup(&kit->arena, slice_make(id, (size_t)(strchr(id, '"') - id))).ptr;
}

static void expect_broadcast(const char *group, const char *message, const char *sender)
{
	const char *head = kit_text(
		kit,
		TO("group %s", "ReceiveBroadcast") "{\"groupName\":\"%s\",\"message\":"
						   "\"%s\",\"senderId\":\"%s\","
						   "\"timestamp\":\"2",
		group, group, message, sender);
	const char *said = kit_said(kit, kit->g1);

	cr_expect(slice_starts_with(slice_from_str(said), slice_from_str(head)),
		  "said: %s\nwant: %s", said, head);
}

/* As a1, to bob, who is away. */
static void send_to_bob(const char *notification)
{
	call("a1", "SendNotificationToUser", kit_text(kit, "[\"bob\",%s]", notification));
	expect_done("a1");
}

static const char *text_of(size_t len)
{
	char *text = arena_alloc(&kit->arena, len + 1);

	memset(text, 'x', len);
	text[len] = '\0';
	return text;
}

/* ---- connections */

Test(notifications, a_connection_joins_its_groups)
{
	arrive(kit, "c1", "ann", "staff,on call");
	join(kit, "c1", "user-ann");
	join(kit, "c1", "role-staff");
	join(kit, "c1", "role-on call");
	kit_expect_silence(kit, kit->g1);
}

Test(notifications, without_a_user_nobody_comes_in)
{
	arrive(kit, "c1", "", "");
	kit_expect(kit, kit->g1, "abort c1 Connection closed with an error.");
}

Test(notifications, a_role_that_makes_no_group_keeps_nobody_out)
{
	arrive(kit, "c1", "ann", "long,staff");
	join(kit, "c1", "user-ann");
	kit_expect(kit, kit->g1, "join c1 role-long");
	kit_joined(kit, kit->g1, "c1", "role-long", false, ERR_LIMIT);
	kit_turn(kit);
	join(kit, "c1", "role-staff");
	kit_expect_silence(kit, kit->g1);
}

/* ---- notifications */

Test(notifications, one_is_sent_to_a_user)
{
	const char *said;

	be_here(kit, "a1", "ann", "Admin");
	be_here(kit, "b1", "bob", NULL);
	call("a1", "SendNotificationToUser",
	     "[\"bob\",{\"title\":\"Hi\",\"message\":\"there\",\"icon\":\"/i.png\","
	     "\"priority\":\"high\",\"id\":\"mine\",\"read\":true}]");
	said = kit_said(kit, kit->g1);
	cr_expect_null(strstr(said, "mine"));
	cr_expect_not_null(strstr(said, TO("user bob", "ReceiveNotification")), "%s",
			   said);
	cr_expect_not_null(strstr(said, "\",\"title\":\"Hi\",\"message\":\"there\","
					"\"icon\":\"/i.png\",\"priority\":\"high\","
					"\"createdAt\":\"2"),
			   "%s", said);
	cr_expect_not_null(strstr(said, "Z\",\"read\":false}]}"), "%s", said);
	expect_done("a1");
}

Test(notifications, without_a_word_its_priority_is_normal)
{
	const char *said;

	be_here(kit, "b1", "bob", NULL);
	call("b1", "SendNotificationToUser", TO_BOB);
	said = kit_said(kit, kit->g1);
	cr_expect_not_null(strstr(said, "\"message\":\"there\",\"priority\":\"normal\""),
			   "%s", said);
}

Test(notifications, what_waits_comes_with_each_connection_oldest_first)
{
	const char *first;
	const char *second;

	be_here(kit, "a1", "ann", "Admin");
	for (int i = 1; i <= 3; i++)
		send_to_bob(kit_text(kit, "{\"title\":\"%d\",\"message\":\"m\"}", i));
	arrive(kit, "b1", "bob", "");
	join(kit, "b1", "user-bob");
	first = expect_notice("connection b1");
	second = expect_notice("connection b1");
	cr_expect_str_neq(first, expect_notice("connection b1"));
	kit_expect_silence(kit, kit->g1);

	call("b1", "MarkNotificationAsRead", kit_text(kit, "[\"%s\"]", first));
	kit_expect(kit, kit->g1, TO("connection b1", "NotificationRead") "\"%s\"]}",
		   first);
	expect_done("b1");
	arrive(kit, "b2", "bob", "");
	join(kit, "b2", "user-bob");
	cr_expect_str_eq(expect_notice("connection b2"), second);
	(void)expect_notice("connection b2"); /* the third */
	kit_expect_silence(kit, kit->g1);
}

Test(notifications, reading_twice_is_reading)
{
	be_here(kit, "b1", "bob", NULL);
	for (int i = 0; i < 2; i++) {
		call("b1", "MarkNotificationAsRead", "[\"never was\"]");
		kit_expect(kit, kit->g1,
			   TO("connection b1", "NotificationRead") "\"never was\"]}");
		expect_done("b1");
	}
}

Test(notifications, an_id_that_is_no_name_was_read)
{
	be_here(kit, "b1", "bob", NULL);
	for (size_t i = 0; i < 2; i++) {
		const char *id = text_of(HUB_KEY_BYTES_MAX + i);

		call("b1", "MarkNotificationAsRead", kit_text(kit, "[\"%s\"]", id));
		kit_expect(kit, kit->g1,
			   TO("connection b1", "NotificationRead") "\"%s\"]}", id);
		expect_done("b1");
	}
}

Test(notifications, past_pending_max_the_oldest_goes)
{
	kit_hub_option(kit, "pending_max", "2");
	be_here(kit, "a1", "ann", "Admin");
	for (int i = 1; i <= 3; i++)
		send_to_bob(kit_text(kit, "{\"title\":\"%d\",\"message\":\"m\"}", i));
	arrive(kit, "b1", "bob", "");
	join(kit, "b1", "user-bob");
	cr_expect_not_null(strstr(kit_said(kit, kit->g1), "\"title\":\"2\""));
	cr_expect_not_null(strstr(kit_said(kit, kit->g1), "\"title\":\"3\""));
	kit_expect_silence(kit, kit->g1);
}

/* ---- who may */

#define UNAUTHORIZED "Unauthorized to send notification to this user"

Test(notifications, who_has_no_role_may_notify_itself_alone)
{
	be_here(kit, "a1", "ann", "staff");
	be_here(kit, "b1", "bob", NULL);
	expect_failed("a1", "SendNotificationToUser", TO_BOB, UNAUTHORIZED);
	call("b1", "SendNotificationToUser", TO_BOB);
	(void)expect_notice("user bob"); /* not its id */
	expect_done("b1");
}

Test(notifications, the_role_may_be_narrowed_to_users)
{
	be_here(kit, "a1", "ann", "notify:b*");
	send_to_bob("{\"title\":\"t\",\"message\":\"m\"}");
	expect_failed("a1", "SendNotificationToUser",
		      "[\"cid\",{\"title\":\"t\",\"message\":\"m\"}]", UNAUTHORIZED);
}

Test(notifications, which_roles_may_is_an_option)
{
	kit_hub_option(kit, "send_roles", "staff, , boss");
	be_here(kit, "a1", "ann", "boss");
	send_to_bob("{\"title\":\"t\",\"message\":\"m\"}");
	be_here(kit, "c1", "cid", "Admin");
	expect_failed("c1", "SendNotificationToUser", TO_BOB, UNAUTHORIZED);
	kit_hub_option(kit, "send_roles", "");
	expect_failed("a1", "SendNotificationToUser", TO_BOB, UNAUTHORIZED);
}

#define NO_BROADCAST "Unauthorized to broadcast to this group"

Test(notifications, a_roles_group_is_its_members_and_the_admins)
{
	be_here(kit, "a1", "ann", "staff");
	be_here(kit, "b1", "bob", "Admin");
	be_here(kit, "c1", "cid", NULL);
	call("a1", "BroadcastToGroup", "[\"role-staff\",\"lunch\"]");
	expect_broadcast("role-staff", "lunch", "ann");
	expect_done("a1");
	call("b1", "BroadcastToGroup", "[\"role-staff\",\"work\"]");
	expect_broadcast("role-staff", "work", "bob");
	expect_done("b1");
	expect_failed("c1", "BroadcastToGroup", "[\"role-staff\",\"me\"]", NO_BROADCAST);
	expect_failed("c1", "BroadcastToGroup", "[\"role-\",\"me\"]", NO_BROADCAST);
}

Test(notifications, a_users_group_is_of_those_who_may_notify_it)
{
	be_here(kit, "a1", "ann", "notify:bob");
	be_here(kit, "b1", "bob", NULL);
	call("a1", "BroadcastToGroup", "[\"user-bob\",\"hello\"]");
	expect_broadcast("user-bob", "hello", "ann");
	expect_done("a1");
	call("b1", "BroadcastToGroup", "[\"user-bob\",\"self\"]");
	expect_broadcast("user-bob", "self", "bob");
	expect_done("b1");
	expect_failed("b1", "BroadcastToGroup", "[\"user-ann\",\"hi\"]", NO_BROADCAST);
}

Test(notifications, other_groups_are_everybodys)
{
	be_here(kit, "b1", "bob", NULL);
	kit_member(kit, kit->g1, LINK__KIND__KIND_GROUP, "data-a-b", "b1", false);
	call("b1", "BroadcastToGroup", "[\"data-a-b\",\"news\"]");
	expect_broadcast("data-a-b", "news", "bob");
	expect_done("b1");
	expect_failed("b1", "BroadcastToGroup", "[\"\",\"news\"]",
		      "groupName: there is none.");
}

/* ---- limits */

Test(notifications, each_text_has_its_limit)
{
	kit_hub_option(kit, "title_bytes_max", "8");
	kit_hub_option(kit, "text_bytes_max", "16");
	be_here(kit, "a1", "ann", "Admin");
	send_to_bob(kit_text(kit, "{\"title\":\"%s\",\"message\":\"%s\",\"icon\":\"%s\"}",
			     text_of(8), text_of(16), text_of(2048)));
	send_to_bob("{\"title\":\"t\",\"message\":\"m\",\"icon\":\"\"}");
	expect_failed("a1", "SendNotificationToUser",
		      kit_text(kit, "[\"bob\",{\"title\":\"%s\",\"message\":\"m\"}]",
			       text_of(9)),
		      "notification.title: at most 8 bytes are allowed.");
	expect_failed("a1", "SendNotificationToUser",
		      kit_text(kit, "[\"bob\",{\"title\":\"t\",\"message\":\"%s\"}]",
			       text_of(17)),
		      "notification.message: at most 16 bytes are allowed.");
	expect_failed("a1", "SendNotificationToUser",
		      kit_text(kit,
			       "[\"bob\",{\"title\":\"t\",\"message\":\"m\",\"icon\":"
			       "\"%s\"}]",
			       text_of(2049)),
		      "notification.icon: at most 2048 bytes are allowed.");
	expect_failed("a1", "BroadcastToGroup",
		      kit_text(kit, "[\"role-Admin\",\"%s\"]", text_of(17)),
		      "message: at most 16 bytes are allowed.");
}

Test(notifications, what_is_no_notification_is_refused)
{
	be_here(kit, "a1", "ann", "Admin");
	expect_failed("a1", "SendNotificationToUser",
		      "[\"bob\",{\"title\":\"\",\"message\":\"m\"}]",
		      "notification.title: there is none.");
	expect_failed("a1", "SendNotificationToUser", "[\"bob\",{\"title\":\"t\"}]",
		      "notification.message: a string is wanted, there is none.");
	expect_failed("a1", "SendNotificationToUser",
		      "[\"bob\",{\"title\":\"t\",\"message\":\"m\",\"priority\":\"x\"}]",
		      "notification.priority: one of low, normal, high is wanted.");
	expect_failed("a1", "SendNotificationToUser",
		      "[\"\",{\"title\":\"t\",\"message\":\"m\"}]",
		      "targetUserId: there is none.");
	expect_failed("a1", "SendNotificationToUser",
		      kit_text(kit, "[\"%s\",{\"title\":\"t\",\"message\":\"m\"}]",
			       text_of(1017)),
		      "targetUserId: at most 1016 bytes are allowed.");
	call("a1", "SendNotificationToUser",
	     kit_text(kit, "[\"%s\",{\"title\":\"t\",\"message\":\"m\"}]",
		      text_of(1016)));
	expect_done("a1");
}

/* ---- data */

Test(notifications, data_updates_are_groups)
{
	be_here(kit, "b1", "bob", NULL);
	call("b1", "SubscribeToDataUpdates", "[\"price\",\"EUR\"]");
	join(kit, "b1", "data-price-EUR");
	expect_done("b1");
	call("b1", "UnsubscribeFromDataUpdates", "[\"price\",\"EUR\"]");
	kit_expect(kit, kit->g1, "leave b1 data-price-EUR");
	kit_joined(kit, kit->g1, "b1", "data-price-EUR", true, OK);
	kit_turn(kit);
	expect_done("b1");
	call("b1", "SubscribeToDataUpdates", "[\"price\",\"\"]");
	join(kit, "b1", "data-price-");
}

Test(notifications, names_of_data_have_limits)
{
	be_here(kit, "b1", "bob", NULL);
	expect_failed("b1", "SubscribeToDataUpdates", "[\"\",\"x\"]",
		      "dataType: there is none.");
	expect_failed("b1", "SubscribeToDataUpdates",
		      kit_text(kit, "[\"%s\",\"x\"]", text_of(257)),
		      "dataType: at most 256 bytes are allowed.");
	expect_failed("b1", "UnsubscribeFromDataUpdates",
		      kit_text(kit, "[\"x\",\"%s\"]", text_of(257)),
		      "filter: at most 256 bytes are allowed.");
	call("b1", "SubscribeToDataUpdates",
	     kit_text(kit, "[\"%s\",\"%s\"]", text_of(256), text_of(256)));
	kit_expect(kit, kit->g1, "join b1 data-%s-%s", text_of(256), text_of(256));
	kit_joined(kit, kit->g1, "b1",
		   kit_text(kit, "data-%s-%s", text_of(256), text_of(256)), false,
		   ERR_LIMIT);
	kit_turn(kit);
	cr_expect_not_null(strstr(kit_said(kit, kit->g1),
				  "HubException: There are too many subscriptions."));
}
