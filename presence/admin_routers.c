/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The list of routers that is wanted: what it is, how far the cluster is on the way to
 * it, and another one.
 */
#include "presence/admin_body.h"
#include "presence/admin_handlers.h"
#include "presence/admin_task.h"
#include "presence/resharding_json.h"
#include "proto/base/mem.h"

void admin_on_routers(struct admin *admin, const struct admin_request *request)
{
	resharding_json(&admin->body, NULL, &admin->presence->resharding);
	admin_respond(admin, request->conn, 200);
}

struct routers_task {
	struct admin_task task;
	struct slice routers; /* in its arena */
};

static void on_aimed(struct admin_task *task, const struct store_answer *answer)
{
	const struct routers_task *aimed = CONTAINER_OF(task, struct routers_task, task);
	struct admin *admin = task->admin;

	if (answer->rc != OK) {
		admin_task_fail_store(task, answer->rc);
		return;
	}
	resharding_want(&admin->presence->resharding, aimed->routers);
	resharding_json(&admin->body, NULL, &admin->presence->resharding);
	admin_task_end(task, 202);
}

/* What to say of a list that will not do. */
static const char *problem_of(enum err rc)
{
	switch ((int)rc) {
	case ERR_EXISTS:
		return "A router is in the list twice.";
	case ERR_LIMIT:
		return "At most 256 routers, those that there are included, and 64 KiB.";
	case ERR_ARGUMENT:
		return "A router of the cluster has another address in the list: take "
		       "it out first, or give the new one another name.";
	default:
		return "routers is a list, name=url,name=url, of at least one router.";
	}
}

void admin_on_set_routers(struct admin *admin, const struct admin_request *request)
{
	struct resharding *resharding = &admin->presence->resharding;
	struct store *store = admin->presence->store;
	const char *problem = NULL;
	struct slice routers;
	struct routers_task *aimed;
	char *text;
	enum err rc = admin_body_routers(request->http->body, &admin->arena, &routers,
					 &problem);

	if (rc != OK) {
		admin_refuse(admin, request,
			     rc == ERR_ARGUMENT ? ADMIN_BAD_MEMBER : ADMIN_BAD_BODY,
			     problem);
		return;
	}
	if (resharding_is_option(resharding)) {
		admin_refuse(
			admin, request, ADMIN_CONFIGURED,
			"The option `routers` of presence says which there are to be: "
			"change it there, and send SIGHUP.");
		return;
	}
	text = mem_dup(routers.ptr, routers.len);
	rc = plan_check(&resharding->map, text);
	mem_free(text);
	if (rc != OK) {
		admin_refuse(admin, request, ADMIN_BAD_MEMBER, problem_of(rc));
		return;
	}
	aimed = admin_task_new(admin, request, sizeof(*aimed));
	aimed->routers = arena_dup(&aimed->task.arena, routers);
	store->ops->shards_target(store, aimed->routers, !resharding_is_begun(resharding),
				  admin_task_call(&aimed->task, on_aimed));
}
