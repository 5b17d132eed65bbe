/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A task is a request to the admin API that is answered in a later turn, when the store,
 * a gateway or a router has answered.
 */
#ifndef PRESENCE_ADMIN_TASK_H
#define PRESENCE_ADMIN_TASK_H

#include "presence/admin_private.h"
#include "presence/command.h"
#include "presence/store.h"

struct admin_task;
typedef void admin_task_fn(struct admin_task *task);
typedef void admin_task_store_fn(struct admin_task *task,
				 const struct store_answer *answer);
typedef void admin_task_command_fn(struct admin_task *task,
				   const struct command_answer *answer);

/*
 * First member of what a route has to remember; on the heap, freed by admin_task_end().
 * It asks one at a time: the store by `call`, or others by `command`. When the client
 * goes it goes on to its end; when the API is closed it is not called any more.
 */
struct admin_task {
	struct list node;	/* in admin->tasks */
	struct admin *admin;	/* borrowed; NULL: the API is closed */
	struct http_conn *conn; /* borrowed; NULL: the client has gone */
	struct arena arena;	/* of what it remembers */
	struct store_call call;
	struct command command;
	admin_task_store_fn *on_store;
	admin_task_command_fn *on_command;
	admin_task_fn *on_free; /* cancels what else is under way; may be NULL */
	struct slice instance;	/* the path */
	const struct admin_route *route;
	struct slice params[ADMIN_PARAMS_MAX];
	struct admin_actor actor;
	char remote[64];
	bool is_asking; /* the store: it must not be freed */
};

/* `bytes` of a struct that begins with a task, the rest zero. What the request says is
 * copied. */
void *admin_task_new(struct admin *admin, const struct admin_request *request,
		     size_t bytes);

/* Answers, when somebody waits, tells the log of an act, and frees. */
void admin_task_end(struct admin_task *task, int status);
void admin_task_fail(struct admin_task *task, enum admin_problem problem,
		     const struct admin_problem_details *details);

/* As admin_task_fail(): the store's answer was not OK. */
void admin_task_fail_store(struct admin_task *task, enum err rc);

/* As admin_task_fail(): a command's answer, or what kept it from being sent. */
void admin_task_fail_command(struct admin_task *task, enum err rc, bool is_asked);

/* What to give to the store: task->on_store is called with its answer. */
struct store_call *admin_task_call(struct admin_task *task, admin_task_store_fn *fn);

/* Sends task->command to a process, or, without a name, to any router; the errors are
 * those of command_send(). admin_task_command() fails the task with them. */
MUST_CHECK enum err admin_task_try(struct admin_task *task, Link__Role role,
				   struct slice name, Link__Command *message,
				   admin_task_command_fn *fn);
void admin_task_command(struct admin_task *task, Link__Role role, struct slice name,
			Link__Command *message, admin_task_command_fn *fn);

void admin_tasks_close(struct admin *admin);

http_gone_fn admin_on_gone;

#endif
