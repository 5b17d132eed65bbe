/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The cluster as a whole: its numbers, its processes, a gateway sent home, and the
 * document that describes this API.
 */
#include "presence/admin_handlers.h"
#include "presence/admin_json.h"
#include "presence/admin_task.h"
#include "presence/cluster_json.h"
#include "presence/embed.h"
#include "presence/json_put.h"

void admin_on_openapi(struct admin *admin, const struct admin_request *request)
{
	buf_append_slice(&admin->body, embed_text("openapi.json"));
	admin_respond_tagged(admin, request);
}

/* ---- numbers */

/* When the store is away its last numbers are told: `store` says how old they are. */
static void on_counted(struct admin_task *task, const struct store_answer *answer)
{
	struct admin *admin = task->admin;

	if (answer->rc == OK) {
		admin->users_n = answer->users_n;
		admin->connections_n = answer->connections_n;
	}
	cluster_json_stats(&admin->body, admin->presence, admin->users_n,
			   admin->connections_n);
	admin_task_end(task, 200);
}

void admin_on_stats(struct admin *admin, const struct admin_request *request)
{
	struct store *store = admin->presence->store;
	struct admin_task *task = admin_task_new(admin, request, sizeof(*task));

	store->ops->count(store, admin_task_call(task, on_counted));
}

void admin_on_stats_history(struct admin *admin, const struct admin_request *request)
{
	cluster_json_history(&admin->body, admin->presence);
	admin_respond(admin, request->conn, 200);
}

/* ---- processes */

void admin_on_cluster(struct admin *admin, const struct admin_request *request)
{
	struct presence *presence = admin->presence;
	const struct presence_metrics *metrics = &presence->metrics;

	cluster_json(&admin->body, presence);
	/* It changes when somebody was heard, or is not heard any more. */
	admin_respond_versioned(admin, request,
				presence->topology.version +
					presence->resharding.version +
					metrics->report_total + metrics->lease_total +
					metrics->process_lost_total);
}

void admin_on_processes(struct admin *admin, const struct admin_request *request)
{
	const struct presence *presence = admin->presence;

	admin_json_processes(&admin->body, &presence->processes.leases,
			     loop_now_ms(presence->loop));
	admin_respond(admin, request->conn, 200);
}

static bool has_gateway(const struct presence *presence, struct slice name)
{
	LIST_EACH (node, &presence->processes.leases.all) {
		const struct lease *lease = CONTAINER_OF(node, struct lease, node);

		if (lease->role == LINK__ROLE__ROLE_GATEWAY &&
		    slice_equal(slice_from_str(lease->name), name))
			return true;
	}
	return false;
}

static void on_draining(struct admin_task *task, const struct command_answer *answer)
{
	struct buf *body = &task->admin->body;

	if (answer->rc != OK) {
		admin_task_fail_command(task, answer->rc, true);
		return;
	}
	buf_append_byte(body, '{');
	json_put_text(body, "gateway", task->params[0]);
	json_put_bool(body, "isDraining", true);
	buf_append_byte(body, '}');
	admin_task_end(task, 202);
}

void admin_on_drain(struct admin *admin, const struct admin_request *request)
{
	Link__Command message = LINK__COMMAND__INIT;

	if (!has_gateway(admin->presence, request->params[0])) {
		admin_refuse(admin, request, ADMIN_NOT_HERE, "No such gateway lives.");
		return;
	}
	message.command = LINK__COMMAND_KIND__COMMAND_DRAIN;
	admin_task_command(admin_task_new(admin, request, sizeof(struct admin_task)),
			   LINK__ROLE__ROLE_GATEWAY, request->params[0], &message,
			   on_draining);
}
