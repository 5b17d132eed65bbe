/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Names and shapes of the admin API's JSON. Times are RFC 3339 in UTC; an incarnation is
 * text, because a number of 64 bits does not survive every reader.
 */
#include "presence/admin_json.h"

#include <inttypes.h>
#include <time.h>

#include "proto/base/json_write.h"
#include "proto/link/link.h"

#define UNIX_MS_MAX 253402300799999 /* the end of the year 9999 */

static const char *role_name(int role)
{
	switch (role) {
	case LINK__ROLE__ROLE_GATEWAY:
		return "gateway";
	case LINK__ROLE__ROLE_ROUTER:
		return "router";
	default:
		return "unknown";
	}
}

/* As clients and servers of SignalR spell them. */
static const char *transport_name(int transport)
{
	switch (transport) {
	case LINK__TRANSPORT__TRANSPORT_WEB_SOCKETS:
		return "WebSockets";
	case LINK__TRANSPORT__TRANSPORT_SERVER_SENT_EVENTS:
		return "ServerSentEvents";
	case LINK__TRANSPORT__TRANSPORT_LONG_POLLING:
		return "LongPolling";
	default:
		return "unknown";
	}
}

static const char *protocol_name(uint32_t protocol)
{
	switch (protocol) {
	case 1:
		return "json";
	case 2:
		return "messagepack";
	default:
		return "unknown";
	}
}

/* ---- members */

static void write_key(struct buf *out, const char *key)
{
	const char last = out->len > 0 ? out->ptr[out->len - 1] : '{';

	if (last != '{')
		buf_append_byte(out, ',');
	json_write_string(out, slice_from_str(key));
	buf_append_byte(out, ':');
}

static void write_text(struct buf *out, const char *key, struct slice text)
{
	write_key(out, key);
	json_write_string(out, text);
}

static void write_number(struct buf *out, const char *key, int64_t number)
{
	write_key(out, key);
	buf_append_int64(out, number);
}

static void write_bool(struct buf *out, const char *key, bool is_true)
{
	write_key(out, key);
	buf_append_str(out, is_true ? "true" : "false");
}

/* Values over the range are taken to its nearer end. */
static void write_time(struct buf *out, const char *key, int64_t unix_ms)
{
	struct tm tm = { .tm_mday = 1 };
	time_t seconds;

	if (unix_ms < 0)
		unix_ms = 0;
	if (unix_ms > UNIX_MS_MAX)
		unix_ms = UNIX_MS_MAX;
	seconds = (time_t)(unix_ms / 1000);
	(void)gmtime_r(&seconds, &tm); /* in range by now */
	write_key(out, key);
	buf_appendf(out, "\"%04d-%02d-%02dT%02d:%02d:%02d.%03dZ\"", tm.tm_year + 1900,
		    tm.tm_mon + 1, tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec,
		    (int)(unix_ms % 1000));
}

/* A comma before all elements but the first. */
static void write_element(struct buf *out, size_t i)
{
	buf_append_str(out, i > 0 ? ",{" : "{");
}

/* ---- bodies */

void admin_json_stats(struct buf *out, const struct admin_stats *stats)
{
	buf_append_byte(out, '{');
	write_number(out, "users", (int64_t)stats->users);
	write_number(out, "connections", (int64_t)stats->connections);
	write_number(out, "gateways", (int64_t)stats->gateways);
	write_number(out, "routers", (int64_t)stats->routers);
	write_number(out, "uptimeMs", stats->uptime_ms);
	write_bool(out, "isSettled", stats->is_settled);
	buf_append_byte(out, '}');
}

static void write_user(struct buf *out, const struct store_user *user)
{
	write_text(out, "userId", user->id);
	write_text(out, "name", user->name);
}

void admin_json_users(struct buf *out, const struct store_answer *answer)
{
	buf_append_str(out, "{\"users\":[");
	for (size_t i = 0; i < answer->users_n; i++) {
		const struct store_user *user = &answer->users[i];

		write_element(out, i);
		write_user(out, user);
		write_number(out, "connections", (int64_t)user->connections_n);
		write_time(out, "since", user->since_unix_ms);
		buf_append_byte(out, '}');
	}
	buf_append_byte(out, ']');
	if (answer->next.len > 0)
		write_text(out, "next", answer->next);
	buf_append_byte(out, '}');
}

static void write_connection(struct buf *out, const struct session_info *info)
{
	write_text(out, "connectionId", info->connection);
	write_text(out, "hub", info->hub);
	write_text(out, "gateway", info->gateway.name);
	write_text(out, "transport", slice_from_str(transport_name(info->transport)));
	write_text(out, "protocol", slice_from_str(protocol_name(info->protocol)));
	write_text(out, "remote", info->remote);
	write_text(out, "userAgent", info->user_agent);
	write_time(out, "openedAt", info->opened_unix_ms);
}

void admin_json_user(struct buf *out, const struct store_answer *answer)
{
	const struct store_user *user = &answer->users[0];

	buf_append_byte(out, '{');
	write_user(out, user);
	write_time(out, "since", user->since_unix_ms);
	write_number(out, "connectionCount", (int64_t)user->connections_n);
	write_key(out, "connections");
	buf_append_byte(out, '[');
	for (size_t i = 0; i < answer->sessions_n; i++) {
		write_element(out, i);
		write_connection(out, &answer->sessions[i]);
		buf_append_byte(out, '}');
	}
	buf_append_str(out, "]}");
}

void admin_json_connection(struct buf *out, const struct store_answer *answer)
{
	const struct session_info *info = &answer->sessions[0];

	buf_append_byte(out, '{');
	write_connection(out, info);
	write_text(out, "userId", info->user_id);
	write_text(out, "name", info->user_name);
	buf_append_byte(out, '}');
}

void admin_json_processes(struct buf *out, const struct leases *leases, int64_t now_ms)
{
	size_t i = 0;

	buf_append_str(out, "{\"processes\":[");
	LIST_EACH (node, &leases->all) {
		const struct lease *lease = CONTAINER_OF(node, struct lease, node);

		write_element(out, i++);
		write_text(out, "role", slice_from_str(role_name(lease->role)));
		write_text(out, "name", slice_from_str(lease->name));
		write_key(out, "incarnation");
		buf_appendf(out, "\"%016" PRIx64 "\"", lease->incarnation);
		write_number(out, "connections", lease->connections);
		write_number(out, "leaseMs", lease->lease_ms);
		write_number(out, "seenMs", now_ms - lease->seen_ms);
		buf_append_byte(out, '}');
	}
	buf_append_str(out, "]}");
}

static const char *problem_title(int status)
{
	switch (status) {
	case 400:
		return "Bad Request";
	case 401:
		return "Unauthorized";
	case 404:
		return "Not Found";
	case 405:
		return "Method Not Allowed";
	default:
		return "Service Unavailable";
	}
}

void admin_json_problem(struct buf *out, int status, const char *detail)
{
	buf_append_byte(out, '{');
	write_text(out, "type", SLICE("about:blank"));
	write_text(out, "title", slice_from_str(problem_title(status)));
	write_number(out, "status", status);
	write_text(out, "detail", slice_from_str(detail));
	buf_append_byte(out, '}');
}
