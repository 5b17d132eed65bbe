/* SPDX-License-Identifier: Apache-2.0 */
#include "router/hubs/participant.h"

#define CURSORS_KEY_PREFIX "cursors/"
/* Of the cursors of a document in which nobody has moved one for so long. */
#define CURSORS_TTL_MS INT64_C(86400000)

struct slice participant_color(struct slice user_id)
{
	/* Dark enough for white text, and told apart by most who cannot see all. */
	static const char *const colors[] = {
		"#1f77b4", "#b35806", "#1b7837", "#c51b7d", "#762a83", "#8c510a",
		"#01665e", "#d73027", "#4575b4", "#5e4fa2", "#7a6a00", "#34495e",
	};
	uint32_t hash = 2166136261u; /* FNV-1a */

	for (size_t i = 0; i < user_id.len; i++)
		hash = (hash ^ (unsigned char)user_id.ptr[i]) * 16777619u;
	return slice_from_str(colors[hash % (sizeof(colors) / sizeof(colors[0]))]);
}

static struct slice cursors_key(struct hub_call *call, struct slice document_id)
{
	return hub_concat(call, SLICE(CURSORS_KEY_PREFIX), document_id);
}

enum hub_rc participant_await_put(struct hub_call *call, struct slice document_id,
				  const struct collaboration_position *cursor)
{
	const struct hub_bounds bounds = {
		.entries_max = HUB_ENTRIES_MAX,
		.ttl_ms = CURSORS_TTL_MS,
	};
	const struct slice bytes =
		hub_encode(call, collaboration_position_value(call, cursor));

	return hub_await_field_put(call, cursors_key(call, document_id),
				   hub_connection_id(call), bytes, &bounds, HUB_ANY,
				   NULL);
}

enum hub_rc participant_await_remove(struct hub_call *call, struct slice document_id)
{
	return hub_await_field_remove(call, cursors_key(call, document_id),
				      hub_connection_id(call), HUB_ANY);
}

/* The index of the connection's cursor, or `n`. */
static size_t find_cursor(const struct hub_field *cursors, size_t n, struct slice id)
{
	size_t i = 0;

	while (i < n && !slice_equal(cursors[i].name, id))
		i++;
	return i;
}

static struct collaboration_position read_cursor(struct hub_call *call,
						 struct slice bytes)
{
	const struct value *value = hub_decode(call, bytes);
	struct collaboration_position cursor = { .line = 0 };

	if (value == NULL || collaboration_position_read(call, value, &cursor) != HUB_OK)
		cursor = (struct collaboration_position){ .line = 0 };
	return cursor;
}

/* `cursors` are ordered by when they were moved: the last one counts. */
static size_t list_users(struct hub_call *call, const struct hub_member *members,
			 size_t members_n, const struct hub_field *cursors,
			 size_t cursors_n, struct collaboration_active_user *users)
{
	size_t newest = 0; /* 1 and the index of the user's */
	size_t n = 0;

	for (size_t i = 0; i < members_n; i++) {
		const struct hub_member *member = &members[i];
		const size_t at = find_cursor(cursors, cursors_n, member->connection_id);

		if (n == 0 || !slice_equal(users[n - 1].user_id, member->user_id)) {
			newest = 0;
			users[n++] = (struct collaboration_active_user){
				.user_id = member->user_id,
				.user_name = member->user_name.len > 0 ? member->user_name
								       : member->user_id,
				.color = participant_color(member->user_id),
			};
		}
		if (at < cursors_n && at + 1 > newest) {
			newest = at + 1;
			users[n - 1].cursor = read_cursor(call, cursors[at].bytes);
		}
	}
	return n;
}

enum hub_rc participant_await_list(struct hub_call *call, struct slice document_id,
				   const struct collaboration_active_user **users,
				   size_t *n)
{
	const struct hub_member *members;
	const struct hub_field *cursors;
	struct collaboration_active_user *list;
	size_t cursors_n = 0;
	enum hub_rc rc;

	rc = hub_await_members(call, collaboration_group(call, document_id), &members, n);
	if (rc == HUB_OK)
		rc = hub_await_fields(call, cursors_key(call, document_id), &cursors,
				      &cursors_n);
	if (rc != HUB_OK)
		return rc;
	if (*n > PARTICIPANTS_MAX)
		*n = PARTICIPANTS_MAX;
	list = hub_alloc(call, (*n + 1) * sizeof(*list));
	*n = list_users(call, members, *n, cursors, cursors_n, list);
	*users = list;
	return HUB_OK;
}

enum hub_rc participant_await_has_connection(struct hub_call *call,
					     struct slice document_id,
					     struct slice connection_id, bool *is_there)
{
	const struct hub_member *members;
	size_t n;
	const enum hub_rc rc = hub_await_members(
		call, collaboration_group(call, document_id), &members, &n);

	*is_there = false;
	for (size_t i = 0; i < n && rc == HUB_OK && !*is_there; i++)
		*is_there = slice_equal(members[i].connection_id, connection_id);
	return rc;
}

enum hub_rc participant_await_has_others(struct hub_call *call, struct slice document_id,
					 bool *are_there)
{
	const struct hub_member *members;
	size_t n;
	const enum hub_rc rc = hub_await_members(
		call, collaboration_group(call, document_id), &members, &n);

	*are_there = false;
	for (size_t i = 0; i < n && rc == HUB_OK && !*are_there; i++)
		*are_there =
			slice_equal(members[i].user_id, hub_user_id(call)) &&
			!slice_equal(members[i].connection_id, hub_connection_id(call));
	return rc;
}
