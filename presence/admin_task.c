/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A task is in three hands: the client's connection, which may go first; the store or a
 * command, which always answers; the API, which may be closed meanwhile. It is freed when
 * none of them can call it any more. What an act came to is told to the log here.
 */
#include "presence/admin_task.h"

#include <assert.h>
#include <inttypes.h>

#include "proto/base/log.h"
#include "proto/base/mem.h"

void *admin_task_new(struct admin *admin, const struct admin_request *request,
		     size_t bytes)
{
	struct admin_task *task = mem_zalloc(bytes);

	assert(bytes >= sizeof(*task));
	task->admin = admin;
	task->conn = request->conn;
	task->route = request->route;
	task->actor = request->actor;
	arena_init(&task->arena);
	task->instance = arena_dup(&task->arena, request->http->path);
	for (size_t i = 0; i < ADMIN_PARAMS_MAX; i++)
		task->params[i] = arena_dup(&task->arena, request->params[i]);
	(void)snprintf(task->remote, sizeof(task->remote), "%s",
		       http_conn_remote(request->conn)); /* HTTP_REMOTE_BYTES: it fits */
	list_init(&task->node);
	list_append(&admin->tasks, &task->node);
	http_conn_set_owner(request->conn, task);
	return task;
}

static void task_free(struct admin_task *task)
{
	assert(!task->is_asking);
	command_cancel(&task->command);
	if (task->on_free != NULL)
		task->on_free(task);
	list_remove(&task->node);
	arena_fini(&task->arena);
	mem_free(task);
}

static const char *actor_text(const struct admin_actor *actor)
{
	switch (actor->kind) {
	case ADMIN_ANYBODY:
		return "anybody";
	case ADMIN_TOKEN:
		return actor->token == 0 ? "token-1" : "token-2";
	case ADMIN_CERTIFICATE:
		break;
	}
	return "certificate";
}

/* Whom it was done to, and who wanted it; never what was said. */
static void audit(const struct admin_task *task, int status)
{
	struct buf whom = BUF_INIT;

	for (size_t i = 0; i < ADMIN_PARAMS_MAX; i++) {
		const struct slice name = admin_route_param(task->route, i);

		if (name.len > 0)
			buf_appendf(&whom, " %.*s=%s", SLICE_FMT(name),
				    log_quote(task->params[i]).text);
	}
	if (task->actor.kind == ADMIN_CERTIFICATE)
		buf_appendf(&whom, " certificate=%s",
			    log_quote(slice_from_str(task->actor.name)).text);
	log_audit("admin.act", "act=%s status=%d remote=%s by=%s%.*s", task->route->name,
		  status, task->remote, actor_text(&task->actor),
		  SLICE_FMT(buf_slice(&whom)));
	buf_fini(&whom);
	task->admin->presence->metrics.admin_acts_total++;
}

/* The answer is on its way: the rest is the log's. */
static void task_close(struct admin_task *task, int status)
{
	if (task->conn != NULL)
		http_conn_set_owner(task->conn, NULL);
	if (task->route->is_act)
		audit(task, status);
	task_free(task);
}

void admin_task_end(struct admin_task *task, int status)
{
	struct admin *admin = task->admin;

	if (task->conn != NULL)
		admin_respond(admin, task->conn, status);
	buf_clear(&admin->body);
	task_close(task, status);
}

void admin_task_fail(struct admin_task *task, enum admin_problem problem,
		     const struct admin_problem_details *details)
{
	struct admin_problem_details mine = *details;

	mine.instance = task->instance;
	if (task->conn != NULL)
		admin_respond_problem(task->admin, task->conn, problem, &mine);
	buf_clear(&task->admin->body);
	task_close(task, admin_problem_status(problem));
}

/* ---- the store */

void admin_task_fail_store(struct admin_task *task, enum err rc)
{
	struct admin_problem_details details = ADMIN_PROBLEM_DETAILS;
	struct presence *presence = task->admin->presence;
	const int64_t since_ms = presence->store->ops->away_since_ms(presence->store);

	if (rc == ERR_NOT_FOUND) {
		details.detail = "Not online.";
		admin_task_fail(task, ADMIN_NOT_HERE, &details);
	} else if (rc == ERR_ARGUMENT) {
		admin_task_fail(task, ADMIN_BAD_CURSOR, &details);
	} else {
		details.stale_ms =
			since_ms > 0 ? loop_unix_ms(presence->loop) - since_ms : 0;
		admin_task_fail(task, ADMIN_STORE_AWAY, &details);
	}
}

static void on_store(struct store_call *call, const struct store_answer *answer)
{
	struct admin_task *task = CONTAINER_OF(call, struct admin_task, call);

	task->is_asking = false;
	if (task->admin != NULL)
		task->on_store(task, answer);
	else
		task_free(task);
}

struct store_call *admin_task_call(struct admin_task *task, admin_task_store_fn *fn)
{
	assert(!task->is_asking);
	task->is_asking = true;
	task->on_store = fn;
	store_call_init(&task->call, on_store);
	return &task->call;
}

/* ---- commands */

void admin_task_fail_command(struct admin_task *task, enum err rc, bool is_asked)
{
	struct admin_problem_details details = ADMIN_PROBLEM_DETAILS;

	enum admin_problem problem = admin_problem_of(rc, is_asked);

	/* Of what is asked for by GET, only a cursor may be wrong. */
	if (is_asked && rc == ERR_ARGUMENT && !task->route->is_act)
		problem = ADMIN_BAD_CURSOR;
	if (problem == ADMIN_REFUSED)
		details.detail = err_text(rc);
	admin_task_fail(task, problem, &details);
}

static void on_command(struct command *command, const struct command_answer *answer)
{
	struct admin_task *task = CONTAINER_OF(command, struct admin_task, command);

	task->on_command(task, answer);
}

enum err admin_task_try(struct admin_task *task, Link__Role role, struct slice name,
			Link__Command *message, admin_task_command_fn *fn)
{
	struct presence *presence = task->admin->presence;

	task->on_command = fn;
	if (name.len == 0)
		return command_send_any(presence, &task->command, message, on_command);
	return command_send(presence, &task->command, role, name, message, on_command);
}

void admin_task_command(struct admin_task *task, Link__Role role, struct slice name,
			Link__Command *message, admin_task_command_fn *fn)
{
	const enum err rc = admin_task_try(task, role, name, message, fn);

	if (rc != OK)
		admin_task_fail_command(task, rc, false);
}

/* ---- the end */

void admin_on_gone(struct http_conn *conn)
{
	struct admin_task *task = http_conn_owner(conn);

	task->conn = NULL;
}

void admin_tasks_close(struct admin *admin)
{
	LIST_EACH (node, &admin->tasks) {
		struct admin_task *task = CONTAINER_OF(node, struct admin_task, node);

		assert(task->conn == NULL); /* the listener is closed */
		if (task->route->is_act)
			audit(task, 0);
		if (!task->is_asking) {
			task_free(task);
			continue;
		}
		/* The store holds it until it answers. */
		list_remove(&task->node);
		task->admin = NULL;
	}
}
