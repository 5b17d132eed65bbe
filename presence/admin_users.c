/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Questions about who is online. What connections a user has the store knows; what groups
 * a connection is in, its gateway.
 */
#include "presence/admin_handlers.h"
#include "presence/admin_json.h"
#include "presence/admin_page.h"
#include "presence/admin_task.h"

/* ---- users */

struct users_task {
	struct admin_task task;
	struct slice prefix;
	struct admin_page page;
	size_t total;
};

static void on_listed(struct admin_task *task, const struct store_answer *answer)
{
	const struct users_task *users = CONTAINER_OF(task, struct users_task, task);

	if (answer->rc != OK) {
		admin_task_fail_store(task, answer->rc);
		return;
	}
	admin_json_users(&task->admin->body, answer, users->total);
	admin_task_end(task, 200);
}

static void on_counted(struct admin_task *task, const struct store_answer *answer)
{
	struct users_task *users = CONTAINER_OF(task, struct users_task, task);
	struct store *store = task->admin->presence->store;

	if (answer->rc != OK) {
		admin_task_fail_store(task, answer->rc);
		return;
	}
	users->total = answer->users_n;
	store->ops->list(store, users->prefix, users->page.cursor, users->page.limit,
			 admin_task_call(task, on_listed));
}

void admin_on_users(struct admin *admin, const struct admin_request *request)
{
	struct store *store = admin->presence->store;
	struct users_task *users;
	struct admin_page page;
	struct slice prefix;

	if (!admin_read_page(admin, request, ADMIN_LIST_USERS, &page) ||
	    !admin_read_prefix(admin, request, &prefix))
		return;
	users = admin_task_new(admin, request, sizeof(*users));
	users->prefix = arena_dup(&users->task.arena, prefix);
	users->page = page;
	users->page.cursor = arena_dup(&users->task.arena, page.cursor);
	store->ops->count(store, admin_task_call(&users->task, on_counted));
}

static void on_user_found(struct admin_task *task, const struct store_answer *answer)
{
	if (answer->rc != OK) {
		admin_task_fail_store(task, answer->rc);
		return;
	}
	admin_json_user(&task->admin->body, answer);
	admin_task_end(task, 200);
}

void admin_on_user(struct admin *admin, const struct admin_request *request)
{
	struct store *store = admin->presence->store;
	struct admin_task *task;
	struct admin_page page;

	if (!admin_read_page(admin, request, ADMIN_LIST_CONNECTIONS, &page))
		return;
	task = admin_task_new(admin, request, sizeof(*task));
	store->ops->user(store, task->params[0], page.cursor, page.limit,
			 admin_task_call(task, on_user_found));
}

/* ---- a connection */

struct connection_task {
	struct admin_task task;
	struct admin_page page;
	struct buf body; /* what the store told */
};

static void on_connection_free(struct admin_task *task)
{
	buf_fini(&CONTAINER_OF(task, struct connection_task, task)->body);
}

/* Whether its gateway does not answer, or does not know it any more, is not the same: the
 * store hears of its end a moment later. */
static void on_groups(struct admin_task *task, const struct command_answer *answer)
{
	struct connection_task *asked = CONTAINER_OF(task, struct connection_task, task);
	struct buf *body = &task->admin->body;

	if (answer->rc == ERR_NOT_FOUND) {
		admin_task_fail_store(task, ERR_NOT_FOUND);
		return;
	}
	if (answer->rc == ERR_ARGUMENT) {
		admin_task_fail_store(task, ERR_ARGUMENT);
		return;
	}
	buf_append_slice(body, buf_slice(&asked->body));
	admin_json_groups_of(body, answer->rc == OK ? answer->done : NULL);
	admin_task_end(task, 200);
}

static void on_connection_found(struct admin_task *task,
				const struct store_answer *answer)
{
	struct connection_task *asked = CONTAINER_OF(task, struct connection_task, task);
	const struct session_info *info = answer->sessions;
	Link__Command message = LINK__COMMAND__INIT;
	const struct command_answer none = { .rc = ERR_CLOSED };

	if (answer->rc != OK) {
		admin_task_fail_store(task, answer->rc);
		return;
	}
	admin_json_connection(&asked->body, info);
	message.command = LINK__COMMAND_KIND__COMMAND_CONNECTION;
	message.hub = link_bytes(info->hub);
	message.connection = link_bytes(info->connection);
	message.cursor = link_bytes(asked->page.cursor);
	message.limit = (uint32_t)asked->page.limit;
	if (admin_task_try(task, LINK__ROLE__ROLE_GATEWAY, info->gateway.name, &message,
			   on_groups) != OK)
		on_groups(task, &none);
}

void admin_on_connection(struct admin *admin, const struct admin_request *request)
{
	struct store *store = admin->presence->store;
	struct connection_task *asked;
	struct admin_page page;

	if (!admin_read_page(admin, request, ADMIN_LIST_GROUPS_OF, &page))
		return;
	asked = admin_task_new(admin, request, sizeof(*asked));
	asked->task.on_free = on_connection_free;
	asked->page = page;
	asked->page.cursor = arena_dup(&asked->task.arena, page.cursor);
	store->ops->connection(store, asked->task.params[0],
			       admin_task_call(&asked->task, on_connection_found));
}
