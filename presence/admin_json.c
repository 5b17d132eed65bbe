/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who is here, and which processes live, as JSON.
 */
#include "presence/admin_json.h"

#include <inttypes.h>

#include "presence/admin_page.h"
#include "presence/json_put.h"
#include "proto/base/json_write.h"

struct slice admin_json_role(int role)
{
	switch (role) {
	case LINK__ROLE__ROLE_GATEWAY:
		return SLICE("gateway");
	case LINK__ROLE__ROLE_ROUTER:
		return SLICE("router");
	case LINK__ROLE__ROLE_PRESENCE:
		return SLICE("presence");
	default:
		return SLICE("unknown");
	}
}

/* As clients and servers of SignalR spell them. */
static struct slice transport_name(int transport)
{
	switch (transport) {
	case LINK__TRANSPORT__TRANSPORT_WEB_SOCKETS:
		return SLICE("WebSockets");
	case LINK__TRANSPORT__TRANSPORT_SERVER_SENT_EVENTS:
		return SLICE("ServerSentEvents");
	case LINK__TRANSPORT__TRANSPORT_LONG_POLLING:
		return SLICE("LongPolling");
	default:
		return SLICE("unknown");
	}
}

static struct slice protocol_name(uint32_t protocol)
{
	switch (protocol) {
	case 1:
		return SLICE("json");
	case 2:
		return SLICE("messagepack");
	default:
		return SLICE("unknown");
	}
}

/* ---- users and connections */

static void put_user(struct buf *out, const struct store_user *user)
{
	json_put_text(out, "userId", user->id);
	json_put_text(out, "name", user->name);
}

void admin_json_users(struct buf *out, const struct store_answer *answer, size_t total)
{
	buf_append_byte(out, '{');
	json_put_open(out, "users", '[');
	for (size_t i = 0; i < answer->users_n; i++) {
		const struct store_user *user = &answer->users[i];

		json_put_open(out, NULL, '{');
		put_user(out, user);
		json_put_number(out, "connections", (int64_t)user->connections_n);
		json_put_time(out, "since", user->since_unix_ms);
		buf_append_byte(out, '}');
	}
	buf_append_byte(out, ']');
	json_put_number(out, "total", (int64_t)total);
	admin_page_next(out, ADMIN_LIST_USERS, answer->next);
	buf_append_byte(out, '}');
}

static void put_connection(struct buf *out, const struct session_info *info)
{
	json_put_text(out, "connectionId", info->connection);
	json_put_text(out, "hub", info->hub);
	json_put_text(out, "gateway", info->gateway.name);
	json_put_text(out, "transport", transport_name(info->transport));
	json_put_text(out, "protocol", protocol_name(info->protocol));
	json_put_text(out, "remote", info->remote);
	json_put_text(out, "userAgent", info->user_agent);
	json_put_time(out, "openedAt", info->opened_unix_ms);
}

void admin_json_user(struct buf *out, const struct store_answer *answer)
{
	const struct store_user *user = &answer->users[0];

	buf_append_byte(out, '{');
	put_user(out, user);
	json_put_time(out, "since", user->since_unix_ms);
	json_put_number(out, "connectionCount", (int64_t)user->connections_n);
	json_put_open(out, "connections", '[');
	for (size_t i = 0; i < answer->sessions_n; i++) {
		json_put_open(out, NULL, '{');
		put_connection(out, &answer->sessions[i]);
		buf_append_byte(out, '}');
	}
	buf_append_byte(out, ']');
	admin_page_next(out, ADMIN_LIST_CONNECTIONS, answer->next);
	buf_append_byte(out, '}');
}

void admin_json_connection(struct buf *out, const struct session_info *info)
{
	buf_append_byte(out, '{');
	put_connection(out, info);
	json_put_text(out, "userId", info->user_id);
	json_put_text(out, "name", info->user_name);
}

void admin_json_groups_of(struct buf *out, const Link__CommandDone *done)
{
	if (done == NULL) {
		json_put_key(out, "groups");
		buf_append_str(out, "null}");
		return;
	}
	json_put_open(out, "groups", '[');
	for (size_t i = 0; i < done->n_groups; i++) {
		if (i > 0)
			buf_append_byte(out, ',');
		json_write_string(out, link_slice(done->groups[i]->name));
	}
	buf_append_byte(out, ']');
	admin_page_next(out, ADMIN_LIST_GROUPS_OF, link_slice(done->next));
	buf_append_byte(out, '}');
}

/* ---- groups */

void admin_json_groups(struct buf *out, const Link__CommandDone *done)
{
	for (size_t i = 0; i < done->n_groups; i++) {
		json_put_open(out, NULL, '{');
		json_put_text(out, "name", link_slice(done->groups[i]->name));
		json_put_count(out, "members", done->groups[i]->members);
		buf_append_byte(out, '}');
	}
}

void admin_json_group(struct buf *out, struct slice hub, struct slice name,
		      const Link__CommandDone *done)
{
	buf_append_byte(out, '{');
	json_put_text(out, "hub", hub);
	json_put_text(out, "name", name);
	json_put_count(out, "size", done->size);
	json_put_open(out, "members", '[');
	for (size_t i = 0; i < done->n_members; i++) {
		const Link__Member *member = done->members[i];

		json_put_open(out, NULL, '{');
		json_put_text(out, "connectionId", link_slice(member->connection));
		json_put_text(out, "userId", link_slice(member->user_id));
		json_put_text(out, "name", link_slice(member->user_name));
		buf_append_byte(out, '}');
	}
	buf_append_byte(out, ']');
	admin_page_next(out, ADMIN_LIST_MEMBERS, link_slice(done->next));
	buf_append_byte(out, '}');
}

/* ---- processes */

void admin_json_incarnation(struct buf *out, uint64_t incarnation)
{
	json_put_key(out, "incarnation");
	buf_appendf(out, "\"%016" PRIx64 "\"", incarnation);
}

void admin_json_processes(struct buf *out, const struct leases *leases, int64_t now_ms)
{
	buf_append_byte(out, '{');
	json_put_open(out, "processes", '[');
	LIST_EACH (node, &leases->all) {
		const struct lease *lease = CONTAINER_OF(node, struct lease, node);

		json_put_open(out, NULL, '{');
		json_put_text(out, "role", admin_json_role(lease->role));
		json_put_text(out, "name", slice_from_str(lease->name));
		admin_json_incarnation(out, lease->incarnation);
		json_put_number(out, "connections", lease->connections);
		json_put_number(out, "leaseMs", lease->lease_ms);
		json_put_number(out, "seenMs", now_ms - lease->seen_ms);
		buf_append_byte(out, '}');
	}
	buf_append_str(out, "]}");
}
