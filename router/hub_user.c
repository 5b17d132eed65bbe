/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Users that come and go, by presence's word. A hub's calls for one user hang on a
 * connection that stands for the user and is no client's: it has no id, no gateway and
 * no place among the connections, and lives as long as such calls do. So they run one
 * after another, in the order of the changes, while those for other users run beside
 * them.
 */
#include "router/hub_user.h"

#include <assert.h>

#include "proto/base/crypto.h"
#include "proto/base/log.h"
#include "router/hub_steps.h"

void hub_users_init(struct hub_served *hub)
{
	map_init(&hub->users, crypto_random_uint64());
}

void hub_users_fini(struct hub_served *hub)
{
	assert(hub->users.count == 0);
	map_fini(&hub->users);
}

/* ---- who hears of it */

static hub_method_fn *function_of(const struct hub_module *module, bool is_online)
{
	return is_online ? module->on_user_online : module->on_user_offline;
}

bool hub_users_wanted(const struct hub_runtime *runtime)
{
	for (size_t i = 0; i < runtime->served_n; i++) {
		const struct hub_module *module = runtime->served[i].module;

		if (function_of(module, true) != NULL ||
		    function_of(module, false) != NULL)
			return true;
	}
	return false;
}

/* Of all routers the one that owns the user, as a receiver on that hub, runs the call. */
static bool is_ours(const struct router *router, const struct hub_served *hub,
		    struct slice user_id)
{
	return shard_owner_of(router, hub_served_name(hub), LINK__KIND__KIND_USER,
			      user_id)
		.is_own;
}

/* ---- calls */

static struct conn *user_conn(struct router *router, struct hub_served *hub,
			      struct slice user_id, struct slice user_name)
{
	struct map_node *node = map_find(&hub->users, user_id);
	struct conn *conn;

	if (node != NULL)
		return CONTAINER_OF(node, struct conn, node);
	conn = conn_new_user(router, hub, user_id, user_name);
	map_add(&hub->users, &conn->node, conn->user_id);
	return conn;
}

static void user_changed(struct hub_runtime *runtime, struct hub_served *hub,
			 enum hub_call_kind kind, struct slice user_id,
			 struct slice user_name)
{
	struct router *router = runtime->router;

	if (runtime->user_calls_n >= (size_t)router->conf->user_calls_max) {
		router->metrics.user_call_refused_total++;
		log_warn("user.refused", "hub=%s waiting=%zu", hub->module->name,
			 runtime->user_calls_n);
		return;
	}
	runtime->user_calls_n++;
	router->metrics.user_call_total++;
	hub_user_call(user_conn(router, hub, user_id, user_name), kind);
}

void hub_user_changed(struct router *router, bool is_online, struct slice user_id,
		      struct slice user_name)
{
	struct hub_runtime *runtime = router->hubs;

	for (size_t i = 0; i < runtime->served_n; i++) {
		struct hub_served *hub = &runtime->served[i];

		if (function_of(hub->module, is_online) != NULL &&
		    is_ours(router, hub, user_id))
			user_changed(runtime, hub,
				     is_online ? HUB_CALL_USER_ONLINE
					       : HUB_CALL_USER_OFFLINE,
				     user_id, user_name);
	}
}

/* ---- the end */

static const char *rc_name(enum hub_rc rc)
{
	switch (rc) {
	case HUB_OK:
		return "a send failed";
	case HUB_FAILED:
	case HUB_END:
		break;
	case HUB_ECANCELED:
		return "canceled";
	case HUB_ETIMEDOUT:
		return "timed out";
	case HUB_EUNAVAILABLE:
		return "unavailable";
	case HUB_ENOTFOUND:
		return "not found";
	case HUB_ELIMIT:
		return "over a limit";
	case HUB_ECONFLICT:
		return "conflict";
	}
	return "failed";
}

void hub_user_call_over(const struct hub_call *call)
{
	struct hub_runtime *runtime = call->runtime;

	assert(runtime->user_calls_n > 0);
	runtime->user_calls_n--;
	if (!hub_call_has_failed(call))
		return;
	runtime->router->metrics.user_call_failed_total++;
	log_warn("user.call_failed", "hub=%s method=%s reason=\"%s\" text=%s",
		 call->conn->hub->module->name, hub_method_name(call).ptr,
		 rc_name(call->rc), log_quote(call->failure).text);
}

void hub_user_rest(struct conn *conn)
{
	struct hub_runtime *runtime = conn->router->hubs;
	struct hub_served *hub = &runtime->served[conn->hub - runtime->served];

	if (!list_is_empty(&conn->queue) || conn->begun_n > 0)
		return;
	map_remove(&hub->users, &conn->node);
	conn->is_gone = true; /* it is in no table any more */
	conn_free(conn);
}
