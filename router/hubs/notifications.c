/* SPDX-License-Identifier: Apache-2.0 */
/*
 * notifications: to a user, wherever it is and whenever it comes, and to groups. What a
 * user has not read are fields of the key "pending-<userId>", named by their ids, each
 * the notification as JSON; what is read is removed.
 */
#include <inttypes.h>

#include "router/hubs/hubs.h"
#include "router/hubs/permission.h"

#include "router/hubs/notifications.gen.h"

#define USER_PREFIX "user-"
#define ROLE_PREFIX "role-"
#define PENDING_PREFIX "pending-"
#define USER_ID_BYTES_MAX (HUB_KEY_BYTES_MAX - (sizeof(PENDING_PREFIX) - 1))
#define ICON_BYTES_MAX 2048u
#define DATA_NAME_BYTES_MAX 256u
#define TTL_MS_MAX INT64_C(31536000000) /* a year */

/* Presence may know of a connection before its groups do: so often, and so long, the
 * owner of the group is asked again. */
#define ARRIVAL_TRIES 5
#define ARRIVAL_WAIT_MS 40

enum {
	OPTION_SEND_ROLES,
	OPTION_PENDING_MAX,
	OPTION_PENDING_TTL,
	OPTION_TITLE_BYTES_MAX,
	OPTION_TEXT_BYTES_MAX,
	OPTION_TELL_USERS,
};

static const struct hub_option options[] = {
	[OPTION_SEND_ROLES] = { "send_roles", HUB_OPTION_TEXT, "Admin,notify", 0, 4096,
				"Who may notify others; a role may be narrowed to users, "
				"as in notify:team-*." },
	[OPTION_PENDING_MAX] = { "pending_max", HUB_OPTION_INT, "100", 1, HUB_ENTRIES_MAX,
				 "Unread ones that a user may have; the oldest go." },
	[OPTION_PENDING_TTL] = { "pending_ttl", HUB_OPTION_MS, "30d", 1000, TTL_MS_MAX,
				 "After the last for a user, so long until all that are "
				 "unread are forgotten." },
	[OPTION_TITLE_BYTES_MAX] = { "title_bytes_max", HUB_OPTION_BYTES, "256", 1, 4096,
				     "A notification's title." },
	[OPTION_TEXT_BYTES_MAX] = { "text_bytes_max", HUB_OPTION_BYTES, "4KiB", 1, 65536,
				    "A notification's text, or a broadcast." },
	[OPTION_TELL_USERS] = { "tell_users", HUB_OPTION_BOOL, "on", 0, 0,
				"Whether all are told of users that come and go." },
};

/* The longest texts, each byte of them as \u0000, are one entry. */
_Static_assert(6 * (4096 + 65536 + ICON_BYTES_MAX) + 1024 < HUB_ENTRY_BYTES_MAX,
	       "the limits of the options");

enum {
	COUNT_SENT,
	COUNT_REFUSED,
	COUNT_PENDING,
	COUNT_READ,
	COUNT_BROADCASTS,
	COUNT_GROUPS_REFUSED,
};

static const char *const counters[] = {
	[COUNT_SENT] = "sent",
	[COUNT_REFUSED] = "refused",
	[COUNT_PENDING] = "pending_sent",
	[COUNT_READ] = "read",
	[COUNT_BROADCASTS] = "broadcasts",
	[COUNT_GROUPS_REFUSED] = "groups_refused",
};

static struct slice user_group(struct hub_call *call, struct slice user_id)
{
	return hub_concat(call, SLICE(USER_PREFIX), user_id);
}

static struct slice pending_key(struct hub_call *call, struct slice user_id)
{
	return hub_concat(call, SLICE(PENDING_PREFIX), user_id);
}

/* ---- connections */

/* A name that is no group's keeps nobody out. */
static enum hub_rc join_group(struct hub_call *call, struct slice group)
{
	const enum hub_rc rc = hub_await_join(call, group);

	if (rc != HUB_ELIMIT)
		return rc;
	hub_count(call, COUNT_GROUPS_REFUSED, 1);
	hub_log(call, LOG_WARN, "group_refused", "group=%s", hub_quote(call, group));
	return HUB_OK;
}

static enum hub_rc join_groups(struct hub_call *call)
{
	const struct value *roles = hub_roles(call);
	enum hub_rc rc = join_group(call, user_group(call, hub_user_id(call)));

	for (const struct value *role = roles->first; role != NULL && rc == HUB_OK;
	     role = role->next)
		rc = join_group(call, hub_concat(call, SLICE(ROLE_PREFIX), role->bytes));
	return rc;
}

static enum hub_rc send_pending(struct hub_call *call)
{
	const struct hub_field *fields;
	const struct slice user = hub_user_id(call);
	enum hub_rc rc;
	size_t n;

	if (user.len > USER_ID_BYTES_MAX)
		return HUB_OK; /* nothing can be kept for it */
	rc = hub_await_fields(call, pending_key(call, user), &fields, &n);
	if (rc != HUB_OK)
		return rc;
	for (size_t i = 0; i < n; i++) {
		const struct value *value = hub_decode(call, fields[i].bytes);
		struct notifications_notice pending;

		if (value == NULL ||
		    notifications_notice_read(call, value, &pending) != HUB_OK)
			continue; /* of another version of this hub */
		notifications_receive_notification(call, hub_to_caller(), &pending);
		hub_count(call, COUNT_PENDING, 1);
	}
	return HUB_OK;
}

static enum hub_rc on_connected(struct hub_call *call)
{
	enum hub_rc rc;

	if (hub_user_id(call).len == 0)
		return hub_fail(call, "Notifications are for users: a token is needed.");
	rc = join_groups(call);
	return rc == HUB_OK ? send_pending(call) : rc;
}

static enum hub_rc on_disconnected(struct hub_call *call)
{
	const struct slice reason = hub_disconnect_reason(call);

	if (reason.len > 0)
		hub_log(call, LOG_WARN, "disconnected", "user=%s reason=%.*s",
			hub_quote(call, hub_user_id(call)), SLICE_FMT(reason));
	return HUB_OK;
}

/* ---- users that come and go */

/* The user's own connections, who need not be told; at most HUB_EXCLUDED_MAX. */
static size_t own_connections(struct hub_call *call, const struct slice **ids)
{
	const struct slice group = user_group(call, hub_user_id(call));
	const struct hub_member *members = NULL;
	struct slice *list;
	size_t n = 0;

	for (int tries = 0; tries < ARRIVAL_TRIES && n == 0; tries++) {
		if (tries > 0 && hub_await_sleep(call, ARRIVAL_WAIT_MS) != HUB_OK)
			return 0;
		if (hub_await_members(call, group, &members, &n) != HUB_OK)
			return 0;
	}
	if (n > HUB_EXCLUDED_MAX)
		n = HUB_EXCLUDED_MAX;
	list = hub_alloc(call, n * sizeof(*list));
	for (size_t i = 0; i < n; i++)
		list[i] = members[i].connection_id;
	*ids = list;
	return n;
}

static enum hub_rc on_user_online(struct hub_call *call)
{
	const struct notifications_arrival user = {
		.user_id = hub_user_id(call),
		.connected_at = hub_timestamp(call),
		.status = SLICE("online"),
	};
	const struct slice *own = NULL;
	size_t own_n;

	if (!hub_option_int(call, OPTION_TELL_USERS))
		return HUB_OK;
	own_n = own_connections(call, &own);
	notifications_user_connected(call, hub_to_all_except(own, own_n), &user);
	return HUB_OK;
}

static enum hub_rc on_user_offline(struct hub_call *call)
{
	const struct notifications_departure user = {
		.user_id = hub_user_id(call),
		.disconnected_at = hub_timestamp(call),
		.status = SLICE("offline"),
	};

	if (hub_option_int(call, OPTION_TELL_USERS))
		notifications_user_disconnected(call, hub_to_all(), &user);
	return HUB_OK;
}

/* ---- notifications */

static bool may_notify(struct hub_call *call, struct slice user_id)
{
	struct slice roles = hub_option_text(call, OPTION_SEND_ROLES);

	if (slice_equal(user_id, hub_user_id(call)))
		return true;
	while (roles.len > 0) {
		const struct slice role = slice_trim(slice_cut(&roles, ','));

		if (role.len > 0 && permission_has(call, role, user_id))
			return true;
	}
	return false;
}

static enum hub_rc refuse(struct hub_call *call, const char *text)
{
	hub_count(call, COUNT_REFUSED, 1);
	return hub_fail(call, "%s", text);
}

static enum hub_rc check_text(struct hub_call *call, const char *name, struct slice text,
			      int64_t bytes_max)
{
	if (text.len == 0)
		return hub_fail(call, "%s: there is none.", name);
	if (text.len > (size_t)bytes_max)
		return hub_fail(call, "%s: at most %" PRId64 " bytes are allowed.", name,
				bytes_max);
	return HUB_OK;
}

static enum hub_rc check_new(struct hub_call *call,
			     const struct notifications_new_notice *wanted)
{
	enum hub_rc rc = check_text(call, "notification.title", wanted->title,
				    hub_option_int(call, OPTION_TITLE_BYTES_MAX));

	if (rc == HUB_OK)
		rc = check_text(call, "notification.message", wanted->message,
				hub_option_int(call, OPTION_TEXT_BYTES_MAX));
	if (rc == HUB_OK && wanted->icon.len > 0)
		rc = check_text(call, "notification.icon", wanted->icon, ICON_BYTES_MAX);
	return rc;
}

static enum hub_rc keep(struct hub_call *call, struct slice user_id,
			const struct notifications_notice *notification)
{
	const struct hub_bounds bounds = {
		.entries_max = (uint32_t)hub_option_int(call, OPTION_PENDING_MAX),
		.ttl_ms = hub_option_int(call, OPTION_PENDING_TTL),
	};
	const struct slice json =
		hub_encode(call, notifications_notice_value(call, notification));
	const enum hub_rc rc =
		hub_await_field_put(call, pending_key(call, user_id), notification->id,
				    json, &bounds, HUB_ANY, NULL);

	if (rc == HUB_EUNAVAILABLE || rc == HUB_ETIMEDOUT)
		return hub_fail(call, "The outcome is unknown: it may have been sent.");
	return rc;
}

/* It is kept before it is sent: a connection that comes meanwhile finds it, or gets it,
 * or both. */
static enum hub_rc notifications_on_send_notification_to_user(
	struct hub_call *call, struct slice target_user_id,
	const struct notifications_new_notice *notification)
{
	const struct notifications_notice sent = {
		.id = hub_new_id(call),
		.title = notification->title,
		.message = notification->message,
		.icon = notification->icon,
		.priority = notification->has_priority ? notification->priority
						       : NOTIFICATIONS_PRIORITY_NORMAL,
		.created_at = hub_timestamp(call),
	};
	enum hub_rc rc;

	if (target_user_id.len == 0)
		return hub_fail(call, "targetUserId: there is none.");
	if (target_user_id.len > USER_ID_BYTES_MAX)
		return hub_fail(call, "targetUserId: at most %zu bytes are allowed.",
				USER_ID_BYTES_MAX);
	if (!may_notify(call, target_user_id))
		return refuse(call, "Unauthorized to send notification to this user");
	rc = check_new(call, notification);
	if (rc == HUB_OK)
		rc = keep(call, target_user_id, &sent);
	if (rc != HUB_OK)
		return rc;
	notifications_receive_notification(call, hub_to_user(target_user_id), &sent);
	hub_count(call, COUNT_SENT, 1);
	return HUB_OK;
}

/* What is read twice, or was forgotten, is read. */
static enum hub_rc
notifications_on_mark_notification_as_read(struct hub_call *call,
					   struct slice notification_id)
{
	const struct slice user = hub_user_id(call);
	enum hub_rc rc = HUB_OK;

	if (user.len <= USER_ID_BYTES_MAX && notification_id.len <= HUB_KEY_BYTES_MAX)
		rc = hub_await_field_remove(call, pending_key(call, user),
					    notification_id, HUB_ANY);
	if (rc != HUB_OK)
		return rc;
	notifications_notification_read(call, hub_to_caller(), notification_id);
	hub_count(call, COUNT_READ, 1);
	return HUB_OK;
}

/* ---- groups */

/* The groups of a role are its members', a user's are of those who may notify it. */
static bool may_broadcast(struct hub_call *call, struct slice group)
{
	const struct slice role = SLICE(ROLE_PREFIX);
	const struct slice user = SLICE(USER_PREFIX);

	if (slice_starts_with(group, role))
		return hub_has_role(call, slice_from(group, role.len)) ||
		       hub_has_role(call, SLICE("Admin"));
	if (slice_starts_with(group, user))
		return may_notify(call, slice_from(group, user.len));
	return true;
}

static enum hub_rc notifications_on_broadcast_to_group(struct hub_call *call,
						       struct slice group_name,
						       struct slice message)
{
	const struct notifications_broadcast broadcast = {
		.group_name = group_name,
		.message = message,
		.sender_id = hub_user_id(call),
		.timestamp = hub_timestamp(call),
	};
	enum hub_rc rc;

	if (group_name.len == 0)
		return hub_fail(call, "groupName: there is none.");
	if (!may_broadcast(call, group_name))
		return refuse(call, "Unauthorized to broadcast to this group");
	rc = check_text(call, "message", message,
			hub_option_int(call, OPTION_TEXT_BYTES_MAX));
	if (rc != HUB_OK)
		return rc;
	notifications_receive_broadcast(call, hub_to_group(group_name), &broadcast);
	hub_count(call, COUNT_BROADCASTS, 1);
	return HUB_OK;
}

/* "data-<dataType>-<filter>"; the filter may be empty. */
static enum hub_rc data_group(struct hub_call *call, struct slice data_type,
			      struct slice filter, struct slice *group)
{
	enum hub_rc rc = check_text(call, "dataType", data_type, DATA_NAME_BYTES_MAX);

	if (rc == HUB_OK && filter.len > 0)
		rc = check_text(call, "filter", filter, DATA_NAME_BYTES_MAX);
	*group = hub_concat(call, SLICE("data-"), data_type);
	*group = hub_concat(call, *group, SLICE("-"));
	*group = hub_concat(call, *group, filter);
	return rc;
}

static enum hub_rc notifications_on_subscribe_to_data_updates(struct hub_call *call,
							      struct slice data_type,
							      struct slice filter)
{
	struct slice group;
	enum hub_rc rc = data_group(call, data_type, filter, &group);

	if (rc != HUB_OK)
		return rc;
	rc = hub_await_join(call, group);
	return rc == HUB_ELIMIT ? hub_fail(call, "There are too many subscriptions.")
				: rc;
}

static enum hub_rc notifications_on_unsubscribe_from_data_updates(struct hub_call *call,
								  struct slice data_type,
								  struct slice filter)
{
	struct slice group;
	const enum hub_rc rc = data_group(call, data_type, filter, &group);

	return rc == HUB_OK ? hub_await_leave(call, group) : rc;
}

const struct hub_module notifications_hub = {
	.api_version = HUB_API_VERSION,
	.name = "notifications",
	.methods = notifications_methods,
	.methods_n = sizeof(notifications_methods) / sizeof(notifications_methods[0]),
	.on_connected = on_connected,
	.on_disconnected = on_disconnected,
	.on_user_online = on_user_online,
	.on_user_offline = on_user_offline,
	.options = options,
	.options_n = sizeof(options) / sizeof(options[0]),
	.counters = counters,
	.counters_n = sizeof(counters) / sizeof(counters[0]),
};
