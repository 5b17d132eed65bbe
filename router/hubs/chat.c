/* SPDX-License-Identifier: Apache-2.0 */
/*
 * chat: rooms with history, who is there, and who is typing. A room is the group
 * "room-<roomId>" and a log of its last messages under the same name, each as JSON; a
 * message's number is that of its entry.
 */
#include <inttypes.h>

#include "router/hubs/hubs.h"
#include "router/hubs/permission.h"

#include "router/hubs/chat.gen.h"

#define CHAT_ROOM_PREFIX "room-"
#define CHAT_ROOM_ID_BYTES_MAX 1000u
#define CHAT_LOADED_MAX 50
#define CHAT_PAGE_MAX 100
#define TTL_MS_MAX INT64_C(31536000000) /* a year */

/* Of a page as JSON: what it takes to read and to write one holds up all other calls. */
#define CHAT_PAGE_BYTES_MAX (256u << 10)

enum {
	OPTION_HISTORY_MAX,
	OPTION_HISTORY_TTL,
	OPTION_TEXT_BYTES_MAX,
	OPTION_MEMBERS_ONLY,
	OPTION_ROLES_WANTED,
};

static const struct hub_option options[] = {
	[OPTION_HISTORY_MAX] = { "history_max", HUB_OPTION_INT, "500", CHAT_LOADED_MAX,
				 HUB_ENTRIES_MAX, "Messages of a room that are kept." },
	[OPTION_HISTORY_TTL] = { "history_ttl", HUB_OPTION_MS, "30d", 1000, TTL_MS_MAX,
				 "After its last message, so long until a room's history "
				 "is forgotten." },
	[OPTION_TEXT_BYTES_MAX] = { "text_bytes_max", HUB_OPTION_BYTES, "32KiB", 1, 65536,
				    "A message's text." },
	[OPTION_MEMBERS_ONLY] = { "members_only", HUB_OPTION_BOOL, "off", 0, 0,
				  "Whether a room is for those who have joined it." },
	[OPTION_ROLES_WANTED] = { "roles_wanted", HUB_OPTION_BOOL, "off", 0, 0,
				  "Whether a room is for roles that name it, as in "
				  "chat.read:team-*." },
};

/* The longest text, each byte of it as \u0000, and the rest are one entry. */
_Static_assert(6 * 65536 + 65536 < HUB_ENTRY_BYTES_MAX, "the limits of the options");

enum { COUNT_MESSAGES, COUNT_REFUSED };

static const char *const counters[] = {
	[COUNT_MESSAGES] = "messages",
	[COUNT_REFUSED] = "refused",
};

enum access { ACCESS_JOIN, ACCESS_READ, ACCESS_WRITE };

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

static struct slice user_name(struct hub_call *call)
{
	return shown_name(hub_user_name(call), hub_user_id(call));
}

/* The caller, in a room. */
static struct chat_room_change room_change(struct hub_call *call, struct slice room_id)
{
	return (struct chat_room_change){ .user_id = user_id(call),
					  .user_name = user_name(call),
					  .room_id = room_id };
}

/* ---- who may */

static bool is_member(struct hub_call *call, struct slice group)
{
	for (size_t i = 0; i < hub_groups_n(call); i++) {
		if (slice_equal(hub_group_at(call, i), group))
			return true;
	}
	return false;
}

static enum hub_rc check_room(struct hub_call *call, struct slice room_id,
			      enum access access)
{
	const struct slice role =
		access == ACCESS_WRITE ? SLICE("chat.write") : SLICE("chat.read");

	if (room_id.len == 0)
		return hub_fail(call, "roomId: there is none.");
	if (room_id.len > CHAT_ROOM_ID_BYTES_MAX)
		return hub_fail(call, "roomId: at most %u bytes are allowed.",
				CHAT_ROOM_ID_BYTES_MAX);
	if (hub_option_int(call, OPTION_ROLES_WANTED) &&
	    !permission_has(call, role, room_id)) {
		hub_count(call, COUNT_REFUSED, 1);
		return permission_check(call, role, room_id);
	}
	if (hub_option_int(call, OPTION_MEMBERS_ONLY) && access != ACCESS_JOIN &&
	    !is_member(call, room_group(call, room_id))) {
		hub_count(call, COUNT_REFUSED, 1);
		return hub_fail(call, "Join the room first.");
	}
	return HUB_OK;
}

/* Who is in the room, each user once: people look at it, not at connections. */
static enum hub_rc list_roster(struct hub_call *call, struct slice group,
			       struct chat_roster *roster)
{
	const struct hub_member *members;
	struct chat_member *list;
	size_t n;
	const enum hub_rc rc = hub_await_members(call, group, &members, &n);

	if (rc != HUB_OK)
		return rc;
	list = hub_alloc(call, n * sizeof(*list));
	roster->members = list;
	for (size_t i = 0; i < n; i++) {
		const struct slice id = members[i].user_id;

		if (i > 0 && id.len > 0 && slice_equal(id, members[i - 1].user_id))
			continue;
		list[roster->members_n++] = (struct chat_member){
			.user_id = id.len > 0 ? id : members[i].connection_id,
			.user_name = shown_name(members[i].user_name, id),
		};
	}
	return HUB_OK;
}

/* Older ones stay behind when all together would be too much for a page. The newest is
 * in it whatever its size: nobody could go on behind an empty page. */
static size_t first_that_fits(const struct hub_entry *entries, size_t n)
{
	size_t bytes = 0;
	size_t first = n;

	while (first > 0 && (first == n ||
			     bytes + entries[first - 1].bytes.len <= CHAT_PAGE_BYTES_MAX))
		bytes += entries[--first].bytes.len;
	return first;
}

/* The newest `count` below number `before`; 0: of all. */
static enum hub_rc read_history(struct hub_call *call, struct slice group,
				uint64_t before, uint32_t count,
				struct chat_history *history)
{
	struct chat_message *messages;
	const struct hub_entry *entries;
	size_t first;
	size_t n;
	const enum hub_rc rc =
		hub_await_log_read(call, group, 1, before, count + 1, &entries, &n, NULL);

	if (rc != HUB_OK)
		return rc;
	first = first_that_fits(entries, n);
	if (first == 0 && n > count)
		first = 1; /* read to know that there is one more */
	history->is_more = first > 0;
	messages = hub_alloc(call, n * sizeof(*messages));
	history->messages = messages;
	for (size_t i = first; i < n; i++) {
		const struct value *value = hub_decode(call, entries[i].bytes);
		struct chat_message *message = &messages[history->messages_n];

		if (value == NULL || chat_message_read(call, value, message) != HUB_OK)
			continue; /* of another version of this hub */
		message->number = (int64_t)entries[i].number;
		history->messages_n++;
	}
	return HUB_OK;
}

/* ---- rooms */

/* Who could not be told of is not to be there: it would hear of all that is said. */
static void take_back_join(struct hub_call *call, struct slice group)
{
	const enum hub_rc rc = hub_await_leave(call, group);

	if (rc != HUB_OK)
		hub_log(call, LOG_WARN, "join_not_taken_back", "group=%s rc=%d",
			hub_quote(call, group), rc);
}

static enum hub_rc chat_on_join_room(struct hub_call *call, struct slice room_id,
				     struct chat_roster *result)
{
	const struct slice group = room_group(call, room_id);
	const struct chat_room_change user = room_change(call, room_id);
	const bool was_member = is_member(call, group);
	struct chat_history history = { .messages_n = 0 };
	enum hub_rc rc = check_room(call, room_id, ACCESS_JOIN);

	if (rc != HUB_OK)
		return rc;
	rc = hub_await_join(call, group);
	if (rc == HUB_ELIMIT)
		return hub_fail(call, "There are too many rooms.");
	if (rc != HUB_OK)
		return rc;
	rc = read_history(call, group, 0, CHAT_LOADED_MAX, &history);
	if (rc == HUB_OK)
		rc = list_roster(call, group, result);
	if (rc != HUB_OK && !was_member)
		take_back_join(call, group);
	if (rc != HUB_OK)
		return rc;
	chat_load_messages(call, hub_to_caller(), history.messages, history.messages_n);
	chat_user_joined_room(call, hub_to_group(group), &user);
	return HUB_OK;
}

/* Who was not there does not leave. */
static enum hub_rc chat_on_leave_room(struct hub_call *call, struct slice room_id)
{
	const struct slice group = room_group(call, room_id);
	const struct chat_room_change user = room_change(call, room_id);
	const bool was_member = is_member(call, group);
	const enum hub_rc rc = hub_await_leave(call, group);

	if (rc == HUB_OK && was_member)
		chat_user_left_room(call, hub_to_group(group), &user);
	return rc;
}

static enum hub_rc chat_on_room_members(struct hub_call *call, struct slice room_id,
					struct chat_roster *result)
{
	const enum hub_rc rc = check_room(call, room_id, ACCESS_READ);

	return rc == HUB_OK ? list_roster(call, room_group(call, room_id), result) : rc;
}

/* ---- messages */

static enum hub_rc chat_on_room_history(struct hub_call *call, struct slice room_id,
					int64_t before, int64_t count,
					struct chat_history *result)
{
	const enum hub_rc rc = check_room(call, room_id, ACCESS_READ);

	if (rc != HUB_OK)
		return rc;
	if (before < 0)
		return hub_fail(call, "before: a message's number is wanted, or 0.");
	if (count < 1 || count > CHAT_PAGE_MAX)
		return hub_fail(call, "count: 1 to %d are allowed.", CHAT_PAGE_MAX);
	return read_history(call, room_group(call, room_id), (uint64_t)before,
			    (uint32_t)count, result);
}

static enum hub_rc check_message(struct hub_call *call, struct slice message)
{
	const int64_t bytes_max = hub_option_int(call, OPTION_TEXT_BYTES_MAX);

	if (message.len == 0)
		return hub_fail(call, "message: there is none.");
	if (message.len > (size_t)bytes_max)
		return hub_fail(call, "message: at most %" PRId64 " bytes are allowed.",
				bytes_max);
	return HUB_OK;
}

/* Numbered by the log, which is the room's order wherever its members are. */
static enum hub_rc append(struct hub_call *call, struct slice group,
			  struct chat_message *message)
{
	const struct hub_bounds kept = {
		.entries_max = (uint32_t)hub_option_int(call, OPTION_HISTORY_MAX),
		.ttl_ms = hub_option_int(call, OPTION_HISTORY_TTL),
	};
	const struct slice entry = hub_encode(call, chat_message_value(call, message));
	uint64_t number;
	const enum hub_rc rc =
		hub_await_log_append(call, group, entry, &kept, HUB_ANY, &number);

	if (rc == HUB_EUNAVAILABLE || rc == HUB_ETIMEDOUT)
		return hub_fail(call, "The outcome is unknown: it may have been sent.");
	if (rc == HUB_OK)
		message->number = (int64_t)number;
	return rc;
}

static enum hub_rc chat_on_send_message(struct hub_call *call, struct slice room_id,
					struct slice message)
{
	const struct slice group = room_group(call, room_id);
	struct chat_message sent = {
		.id = hub_new_id(call),
		.room_id = room_id,
		.user_id = user_id(call),
		.user_name = user_name(call),
		.message = message,
		.timestamp = hub_timestamp(call),
	};
	enum hub_rc rc = check_room(call, room_id, ACCESS_WRITE);

	if (rc == HUB_OK)
		rc = check_message(call, message);
	if (rc == HUB_OK)
		rc = append(call, group, &sent);
	if (rc != HUB_OK)
		return rc;
	chat_receive_message(call, hub_to_group(group), &sent);
	hub_count(call, COUNT_MESSAGES, 1);
	return HUB_OK;
}

static enum hub_rc tell_typing(struct hub_call *call, struct slice room_id,
			       bool is_typing)
{
	const struct chat_typing user = { .user_id = user_id(call),
					  .user_name = user_name(call),
					  .is_typing = is_typing };
	const enum hub_rc rc = check_room(call, room_id, ACCESS_WRITE);

	if (rc == HUB_OK)
		chat_user_typing(call, hub_to_others_in_group(room_group(call, room_id)),
				 &user);
	return rc;
}

static enum hub_rc chat_on_start_typing(struct hub_call *call, struct slice room_id)
{
	return tell_typing(call, room_id, true);
}

static enum hub_rc chat_on_stop_typing(struct hub_call *call, struct slice room_id)
{
	return tell_typing(call, room_id, false);
}

static enum hub_rc on_disconnected(struct hub_call *call)
{
	for (size_t i = 0; i < hub_groups_n(call); i++) {
		const struct slice group = hub_group_at(call, i);
		struct chat_room_change user;

		if (!slice_starts_with(group, SLICE(CHAT_ROOM_PREFIX)))
			continue;
		user = room_change(call, slice_from(group, sizeof(CHAT_ROOM_PREFIX) - 1));
		chat_user_left_room(call, hub_to_group(group), &user);
	}
	return HUB_OK;
}

const struct hub_module chat_hub = {
	.api_version = HUB_API_VERSION,
	.name = "chat",
	.methods = chat_methods,
	.methods_n = sizeof(chat_methods) / sizeof(chat_methods[0]),
	.on_disconnected = on_disconnected,
	.options = options,
	.options_n = sizeof(options) / sizeof(options[0]),
	.counters = counters,
	.counters_n = sizeof(counters) / sizeof(counters[0]),
};
