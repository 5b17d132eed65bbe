/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sends to all of a hub, to a group, a user, a connection. Any router does it, as if a
 * hub method had; the arguments travel as they came. The answer comes when every gateway
 * with receivers has the message.
 */
#include "presence/admin_body.h"
#include "presence/admin_handlers.h"
#include "presence/admin_task.h"

static void on_sent(struct admin_task *task, const struct command_answer *answer)
{
	if (answer->rc != OK) {
		admin_task_fail_command(task, answer->rc, true);
		return;
	}
	buf_append_str(&task->admin->body, "{\"delivered\":true}");
	admin_task_end(task, 202);
}

static void send_to(struct admin *admin, const struct admin_request *request,
		    Link__Kind kind, struct slice name)
{
	Link__Command message = LINK__COMMAND__INIT;
	const char *problem = NULL;
	struct admin_send body;
	const enum err rc =
		admin_body_send(request->http->body, &admin->arena, &body, &problem);

	if (rc != OK) {
		admin_refuse(admin, request,
			     rc == ERR_ARGUMENT ? ADMIN_BAD_MEMBER : ADMIN_BAD_BODY,
			     problem);
		return;
	}
	message.command = LINK__COMMAND_KIND__COMMAND_SEND;
	message.hub = link_bytes(request->params[0]);
	message.kind = kind;
	message.name = link_bytes(name);
	message.target = link_bytes(body.target);
	message.arguments = link_bytes(body.arguments);
	message.n_excluded = body.excluded_n;
	message.excluded = arena_alloc(&admin->arena,
				       (body.excluded_n + 1) * sizeof(*message.excluded));
	for (size_t i = 0; i < body.excluded_n; i++)
		message.excluded[i] = link_bytes(body.excluded[i]);
	admin_task_command(admin_task_new(admin, request, sizeof(struct admin_task)),
			   LINK__ROLE__ROLE_ROUTER, SLICE_NONE, &message, on_sent);
}

void admin_on_send_all(struct admin *admin, const struct admin_request *request)
{
	send_to(admin, request, LINK__KIND__KIND_ALL, SLICE_NONE);
}

void admin_on_send_group(struct admin *admin, const struct admin_request *request)
{
	send_to(admin, request, LINK__KIND__KIND_GROUP, request->params[1]);
}

void admin_on_send_user(struct admin *admin, const struct admin_request *request)
{
	send_to(admin, request, LINK__KIND__KIND_USER, request->params[1]);
}

void admin_on_send_connection(struct admin *admin, const struct admin_request *request)
{
	send_to(admin, request, LINK__KIND__KIND_CONNECTION, request->params[1]);
}
