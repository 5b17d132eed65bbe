/* SPDX-License-Identifier: Apache-2.0 */
/*
 * chat: rooms with history, who is there, and who is typing. A room is the group
 * "room-<roomId>" and a log of its last messages under the same name.
 */
#include "router/hubs/hubs.h"

#define CHAT_HISTORY_MAX 50
#define CHAT_ROOM_PREFIX "room-"

static struct slice room_group(struct hub_call *call, struct slice room_id)
{
	return hub_concat(call, SLICE(CHAT_ROOM_PREFIX), room_id);
}

/* Someone without a token is known by the connection. */
static struct slice user_id(struct hub_call *call)
{
	const struct slice id = hub_user_id(call);

	return id.len > 0 ? id : hub_connection_id(call);
}

/* In events and in the roster alike. */
static struct slice shown_name(struct slice name, struct slice id)
{
	if (name.len > 0)
		return name;
	return id.len > 0 ? id : SLICE("anonymous");
}

static void set_user(struct hub_call *call, struct value *map)
{
	hub_set(map, "userId", hub_string(call, user_id(call)));
	hub_set(map, "userName",
		hub_string(call, shown_name(hub_user_name(call), hub_user_id(call))));
}

static struct value *one(struct hub_call *call, struct value *argument)
{
	struct value *arguments = hub_array(call);

	hub_add(arguments, argument);
	return arguments;
}

/* UserJoinedRoom and UserLeftRoom. */
static void tell_room(struct hub_call *call, struct slice group, struct slice event)
{
	struct value *user = hub_map(call);

	set_user(call, user);
	hub_set(user, "roomId",
		hub_string(call, slice_from(group, sizeof(CHAT_ROOM_PREFIX) - 1)));
	hub_send_group(call, group, event, one(call, user));
}

/* Who is in the room, each user once: people look at it, not at connections. */
static struct value *roster(struct hub_call *call, const struct hub_member *members,
			    size_t n)
{
	struct value *list = hub_array(call);
	struct value *result = hub_map(call);

	for (size_t i = 0; i < n; i++) {
		const bool has_user = members[i].user_id.len > 0;
		struct value *user;

		if (i > 0 && has_user &&
		    slice_equal(members[i].user_id, members[i - 1].user_id))
			continue;
		user = hub_map(call);
		hub_set(user, "userId",
			hub_string(call, has_user ? members[i].user_id
						  : members[i].connection_id));
		hub_set(user, "userName",
			hub_string(call,
				   shown_name(members[i].user_name, members[i].user_id)));
		hub_add(list, user);
	}
	hub_set(result, "members", list);
	return result;
}

static enum hub_rc return_roster(struct hub_call *call, struct slice group)
{
	const struct hub_member *members;
	size_t n;
	const enum hub_rc rc = hub_await_members(call, group, &members, &n);

	if (rc == HUB_OK)
		hub_return(call, roster(call, members, n));
	return rc;
}

static enum hub_rc load_messages(struct hub_call *call, struct slice group)
{
	struct value *messages = hub_array(call);
	const struct slice *entries;
	size_t n;
	const enum hub_rc rc =
		hub_await_log_read(call, group, CHAT_HISTORY_MAX, &entries, &n);

	if (rc != HUB_OK)
		return rc;
	for (size_t i = 0; i < n; i++) {
		struct value *message = hub_decode(call, entries[i]);

		if (message != NULL)
			hub_add(messages, message);
	}
	hub_send_caller(call, SLICE("LoadMessages"), one(call, messages));
	return HUB_OK;
}

static enum hub_rc join_room(struct hub_call *call)
{
	const struct slice group = room_group(call, hub_arg_string(call, 0));
	enum hub_rc rc;

	rc = hub_await_join(call, group);
	if (rc != HUB_OK)
		return rc;
	rc = load_messages(call, group);
	if (rc != HUB_OK)
		return rc;
	tell_room(call, group, SLICE("UserJoinedRoom"));
	return return_roster(call, group);
}

static enum hub_rc leave_room(struct hub_call *call)
{
	const struct slice group = room_group(call, hub_arg_string(call, 0));
	const enum hub_rc rc = hub_await_leave(call, group);

	if (rc == HUB_OK)
		tell_room(call, group, SLICE("UserLeftRoom"));
	return rc;
}

static enum hub_rc room_members(struct hub_call *call)
{
	return return_roster(call, room_group(call, hub_arg_string(call, 0)));
}

static enum hub_rc send_message(struct hub_call *call)
{
	const struct slice room_id = hub_arg_string(call, 0);
	const struct slice group = room_group(call, room_id);
	struct value *message = hub_map(call);
	enum hub_rc rc;

	hub_set(message, "id", hub_string(call, hub_new_id(call)));
	hub_set(message, "roomId", hub_string(call, room_id));
	set_user(call, message);
	hub_set(message, "message", hub_string(call, hub_arg_string(call, 1)));
	hub_set(message, "timestamp", hub_string(call, hub_timestamp(call)));
	rc = hub_await_log_append(call, group, hub_encode(call, message),
				  CHAT_HISTORY_MAX);
	if (rc == HUB_OK)
		hub_send_group(call, group, SLICE("ReceiveMessage"), one(call, message));
	return rc;
}

static enum hub_rc tell_typing(struct hub_call *call, bool is_typing)
{
	struct value *user = hub_map(call);

	set_user(call, user);
	hub_set(user, "isTyping", hub_bool(call, is_typing));
	hub_send_others_in_group(call, room_group(call, hub_arg_string(call, 0)),
				 SLICE("UserTyping"), one(call, user));
	return HUB_OK;
}

static enum hub_rc start_typing(struct hub_call *call)
{
	return tell_typing(call, true);
}

static enum hub_rc stop_typing(struct hub_call *call)
{
	return tell_typing(call, false);
}

static enum hub_rc on_disconnected(struct hub_call *call)
{
	for (size_t i = 0; i < hub_groups_n(call); i++) {
		const struct slice group = hub_group_at(call, i);

		if (slice_starts_with(group, SLICE(CHAT_ROOM_PREFIX)))
			tell_room(call, group, SLICE("UserLeftRoom"));
	}
	return HUB_OK;
}

static const struct hub_method methods[] = {
	{ "JoinRoom", join_room, "s" },	      { "LeaveRoom", leave_room, "s" },
	{ "RoomMembers", room_members, "s" }, { "SendMessage", send_message, "ss" },
	{ "StartTyping", start_typing, "s" }, { "StopTyping", stop_typing, "s" },
};

const struct hub_module chat_hub = {
	.api_version = HUB_API_VERSION,
	.name = "chat",
	.methods = methods,
	.methods_n = sizeof(methods) / sizeof(methods[0]),
	.on_disconnected = on_disconnected,
};
