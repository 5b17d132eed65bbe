/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Ends connections: one, which its gateway is asked to, or all that a user has.
 */
#include "presence/admin_body.h"
#include "presence/admin_each.h"
#include "presence/admin_handlers.h"
#include "presence/json_put.h"

/* False: refused. */
static bool read_reason(struct admin *admin, const struct admin_request *request,
			struct admin_reason *reason)
{
	const char *problem = NULL;
	const enum err rc =
		admin_body_reason(request->http->body, &admin->arena, reason, &problem);

	if (rc == ERR_ARGUMENT)
		admin_refuse(admin, request, ADMIN_BAD_MEMBER, problem);
	else if (rc != OK)
		admin_refuse(admin, request, ADMIN_BAD_BODY, NULL);
	return rc == OK;
}

struct disconnect_task {
	struct admin_task task;
	struct slice reason;
	bool allow_reconnect;
};

static void on_disconnected(struct admin_task *task, const struct command_answer *answer)
{
	struct buf *body = &task->admin->body;

	if (answer->rc != OK) {
		admin_task_fail_command(task, answer->rc, true);
		return;
	}
	buf_append_str(body, "{\"disconnected\":1}");
	admin_task_end(task, 200);
}

static void on_found(struct admin_task *task, const struct store_answer *answer)
{
	const struct disconnect_task *mine =
		CONTAINER_OF(task, struct disconnect_task, task);
	Link__Command message = LINK__COMMAND__INIT;

	if (answer->rc != OK) {
		admin_task_fail_store(task, answer->rc);
		return;
	}
	message.command = LINK__COMMAND_KIND__COMMAND_DISCONNECT;
	message.hub = link_bytes(answer->sessions[0].hub);
	message.connection = link_bytes(answer->sessions[0].connection);
	message.text = link_bytes(mine->reason);
	message.allow_reconnect = mine->allow_reconnect;
	admin_task_command(task, LINK__ROLE__ROLE_GATEWAY,
			   answer->sessions[0].gateway.name, &message, on_disconnected);
}

void admin_on_disconnect(struct admin *admin, const struct admin_request *request)
{
	struct store *store = admin->presence->store;
	struct disconnect_task *mine;
	struct admin_reason reason;

	if (!read_reason(admin, request, &reason))
		return;
	mine = admin_task_new(admin, request, sizeof(*mine));
	mine->reason = arena_dup(&mine->task.arena, reason.reason);
	mine->allow_reconnect = reason.allow_reconnect;
	store->ops->connection(store, mine->task.params[0],
			       admin_task_call(&mine->task, on_found));
}

void admin_on_disconnect_user(struct admin *admin, const struct admin_request *request)
{
	struct admin_each_options options = { .kind = ADMIN_EACH_DISCONNECT,
					      .user = request->params[0] };
	struct admin_reason reason;

	if (!read_reason(admin, request, &reason))
		return;
	options.reason = reason.reason;
	options.allow_reconnect = reason.allow_reconnect;
	admin_each_start(admin, request, &options);
}
