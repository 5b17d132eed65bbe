/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The table, and finding in it. Paths are compared segment by segment before anything is
 * decoded, so that an encoded slash belongs to an id.
 */
#include "presence/admin_route.h"

#include "presence/admin_handlers.h"

#define V1 "/api/v1"
#define GROUP V1 "/hubs/{hub}/groups/{group}"

#define READ(path, name, fn)                                                             \
	{                                                                                \
		"GET", path, name, fn, ADMIN_BODY_NONE, false, false                     \
	}
#define ACT(method, path, name, fn, body)                                                \
	{                                                                                \
		method, path, name, fn, ADMIN_BODY_##body, true, false                   \
	}

/* clang-format off */
const struct admin_route admin_routes[] = {
	{ "GET", "/api/openapi.json", "getOpenapi", admin_on_openapi, ADMIN_BODY_NONE, false, true },
	READ(V1 "/stats", "getStats", admin_on_stats),
	READ(V1 "/stats/history", "getStatsHistory", admin_on_stats_history),
	READ(V1 "/cluster", "getCluster", admin_on_cluster),
	READ(V1 "/cluster/routers", "getRouters", admin_on_routers),
	READ(V1 "/processes", "listProcesses", admin_on_processes),
	READ(V1 "/events", "watchEvents", admin_on_events),
	READ(V1 "/users", "listUsers", admin_on_users),
	READ(V1 "/users/{userId}", "getUser", admin_on_user),
	READ(V1 "/connections/{connectionId}", "getConnection", admin_on_connection),
	READ(V1 "/hubs/{hub}/groups", "listGroups", admin_on_groups),
	READ(GROUP, "getGroup", admin_on_group),
	ACT("DELETE", V1 "/users/{userId}/connections", "disconnectUser", admin_on_disconnect_user, OPTIONAL),
	ACT("DELETE", V1 "/connections/{connectionId}", "disconnectConnection", admin_on_disconnect, OPTIONAL),
	ACT("PUT", GROUP "/connections/{connectionId}", "addConnectionToGroup", admin_on_join, NONE),
	ACT("DELETE", GROUP "/connections/{connectionId}", "removeConnectionFromGroup", admin_on_leave, NONE),
	ACT("PUT", GROUP "/users/{userId}", "addUserToGroup", admin_on_join_user, NONE),
	ACT("DELETE", GROUP "/users/{userId}", "removeUserFromGroup", admin_on_leave_user, NONE),
	ACT("PUT", V1 "/cluster/routers", "setRouters", admin_on_set_routers, NEEDED),
	ACT("POST", V1 "/hubs/{hub}/send", "sendToAll", admin_on_send_all, NEEDED),
	ACT("POST", GROUP "/send", "sendToGroup", admin_on_send_group, NEEDED),
	ACT("POST", V1 "/hubs/{hub}/users/{userId}/send", "sendToUser", admin_on_send_user, NEEDED),
	ACT("POST", V1 "/hubs/{hub}/connections/{connectionId}/send", "sendToConnection",
	    admin_on_send_connection, NEEDED),
	ACT("POST", V1 "/gateways/{gateway}/drain", "drainGateway", admin_on_drain, NONE),
};
/* clang-format on */

const size_t admin_routes_n = sizeof(admin_routes) / sizeof(admin_routes[0]);

static bool is_param(struct slice segment)
{
	return segment.len > 2 && segment.ptr[0] == '{';
}

static bool path_matches(const char *template, struct slice path,
			 struct slice params[ADMIN_PARAMS_MAX])
{
	struct slice left = slice_from_str(template);
	size_t n = 0;

	for (size_t i = 0; i < ADMIN_PARAMS_MAX; i++)
		params[i] = SLICE_NONE;
	while (left.ptr != NULL && path.ptr != NULL) {
		const struct slice wanted = slice_cut(&left, '/');
		const struct slice segment = slice_cut(&path, '/');

		if (!is_param(wanted)) {
			if (!slice_equal(wanted, segment))
				return false;
			continue;
		}
		if (segment.len == 0)
			return false;
		params[n++] = segment;
	}
	return left.ptr == NULL && path.ptr == NULL;
}

static bool method_matches(const struct admin_route *route, struct slice method)
{
	const struct slice own = slice_from_str(route->method);

	return slice_equal(method, own) ||
	       (slice_equal(method, SLICE("HEAD")) && slice_equal(own, SLICE("GET")));
}

enum err admin_route_find(struct slice method, struct slice path,
			  const struct admin_route **route,
			  struct slice params[ADMIN_PARAMS_MAX])
{
	enum err rc = ERR_NOT_FOUND;

	for (size_t i = 0; i < admin_routes_n; i++) {
		if (!path_matches(admin_routes[i].path, path, params))
			continue;
		if (method_matches(&admin_routes[i], method)) {
			*route = &admin_routes[i];
			return OK;
		}
		rc = ERR_UNSUPPORTED;
	}
	return rc;
}

void admin_route_allow(struct slice path, struct buf *out)
{
	struct slice params[ADMIN_PARAMS_MAX];
	const char *comma = "";

	for (size_t i = 0; i < admin_routes_n; i++) {
		const struct slice method = slice_from_str(admin_routes[i].method);

		if (!path_matches(admin_routes[i].path, path, params))
			continue;
		buf_append_str(out, comma);
		buf_append_slice(out, method);
		if (slice_equal(method, SLICE("GET")))
			buf_append_str(out, ", HEAD");
		comma = ", ";
	}
}

struct slice admin_route_param(const struct admin_route *route, size_t i)
{
	struct slice left = slice_from_str(route->path);

	while (left.ptr != NULL) {
		const struct slice segment = slice_cut(&left, '/');

		if (is_param(segment) && i-- == 0)
			return slice_make(segment.ptr + 1, segment.len - 2);
	}
	return SLICE_NONE;
}
