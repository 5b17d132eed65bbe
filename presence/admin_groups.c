/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Groups: each shard lists its own, so a page is collected from router after router, in
 * the order of their names; any router tells of one group and has connections join and
 * leave, since it asks the owner itself.
 */
#include "presence/admin_each.h"
#include "presence/admin_handlers.h"
#include "presence/admin_json.h"
#include "presence/json_put.h"

/* ---- all groups of a hub */

/* The cursor is the name of the router to go on with, a NUL, and what that router said.
 */
struct groups_task {
	struct admin_task task;
	size_t left;	 /* of the page */
	struct buf body; /* its elements so far */
	struct slice prefix;
	struct slice router; /* asked now; in the arena */
	struct slice cursor; /* of that router's */
};

static void on_groups_free(struct admin_task *task)
{
	buf_fini(&CONTAINER_OF(task, struct groups_task, task)->body);
}

/* The router that comes next behind `name`; with `is_from` it may be that one itself.
 * Empty: there is none. */
static struct slice router_next(const struct presence *presence, struct slice name,
				bool is_from)
{
	struct slice next = SLICE_NONE;

	LIST_EACH (node, &presence->processes.leases.all) {
		const struct lease *lease = CONTAINER_OF(node, struct lease, node);
		const struct slice own = slice_from_str(lease->name);
		const int order = slice_compare(own, name);

		if (lease->role != LINK__ROLE__ROLE_ROUTER || order < 0 ||
		    (order == 0 && !is_from))
			continue;
		if (next.len == 0 || slice_compare(own, next) < 0)
			next = own;
	}
	return next;
}

/* `next` is what the router said; empty: it has no more, the page goes on behind it. */
static void groups_end(struct groups_task *groups, struct slice next)
{
	const struct presence *presence = groups->task.admin->presence;
	struct buf *body = &groups->task.admin->body;
	struct buf cursor = BUF_INIT;
	struct slice router = groups->router;

	if (next.len == 0 && router.len > 0)
		router = router_next(presence, groups->router, false);
	if (router.len > 0) {
		buf_append_slice(&cursor, router);
		buf_append_byte(&cursor, '\0');
		buf_append_slice(&cursor, next);
	}
	buf_append_byte(body, '{');
	json_put_open(body, "groups", '[');
	buf_append_slice(body, buf_slice(&groups->body));
	buf_append_byte(body, ']');
	admin_page_next(body, ADMIN_LIST_GROUPS, buf_slice(&cursor));
	buf_append_byte(body, '}');
	buf_fini(&cursor);
	admin_task_end(&groups->task, 200);
}

static void groups_ask(struct groups_task *groups);

static void on_groups(struct admin_task *task, const struct command_answer *answer)
{
	struct groups_task *groups = CONTAINER_OF(task, struct groups_task, task);
	const struct presence *presence = task->admin->presence;
	const Link__CommandDone *done = answer->done;
	struct slice router;

	if (answer->rc != OK) {
		admin_task_fail_command(task, answer->rc, true);
		return;
	}
	admin_json_groups(&groups->body, done);
	groups->left -= done->n_groups < groups->left ? done->n_groups : groups->left;
	router = router_next(presence, groups->router, false);
	if (groups->left == 0 || done->next.len > 0 || router.len == 0) {
		groups_end(groups, link_slice(done->next));
		return;
	}
	groups->router = arena_dup(&task->arena, router);
	groups->cursor = SLICE_NONE;
	groups_ask(groups);
}

static void groups_ask(struct groups_task *groups)
{
	Link__Command message = LINK__COMMAND__INIT;

	message.command = LINK__COMMAND_KIND__COMMAND_GROUPS;
	message.hub = link_bytes(groups->task.params[0]);
	message.name = link_bytes(groups->prefix);
	message.cursor = link_bytes(groups->cursor);
	message.limit = (uint32_t)groups->left;
	admin_task_command(&groups->task, LINK__ROLE__ROLE_ROUTER, groups->router,
			   &message, on_groups);
}

void admin_on_groups(struct admin *admin, const struct admin_request *request)
{
	struct groups_task *groups;
	struct admin_page page;
	struct slice prefix;
	struct slice name;
	struct slice router;

	if (!admin_read_page(admin, request, ADMIN_LIST_GROUPS, &page) ||
	    !admin_read_prefix(admin, request, &prefix))
		return;
	name = slice_cut(&page.cursor, '\0');
	router = router_next(admin->presence, name, true);
	groups = admin_task_new(admin, request, sizeof(*groups));
	groups->task.on_free = on_groups_free;
	groups->left = page.limit;
	groups->prefix = arena_dup(&groups->task.arena, prefix);
	groups->router = arena_dup(&groups->task.arena, router);
	/* Where a router that has gone had got to means nothing to another one. */
	if (slice_equal(name, router))
		groups->cursor = arena_dup(&groups->task.arena, page.cursor);
	if (router.len > 0)
		groups_ask(groups);
	else if (name.len > 0)
		groups_end(groups, SLICE_NONE);
	else
		admin_task_fail_command(&groups->task, ERR_NOT_FOUND, false);
}

/* ---- one group */

static void on_members(struct admin_task *task, const struct command_answer *answer)
{
	if (answer->rc != OK) {
		admin_task_fail_command(task, answer->rc, true);
		return;
	}
	admin_json_group(&task->admin->body, task->params[0], task->params[1],
			 answer->done);
	admin_task_end(task, 200);
}

void admin_on_group(struct admin *admin, const struct admin_request *request)
{
	Link__Command message = LINK__COMMAND__INIT;
	struct admin_page page;

	if (!admin_read_page(admin, request, ADMIN_LIST_MEMBERS, &page))
		return;
	message.command = LINK__COMMAND_KIND__COMMAND_MEMBERS;
	message.hub = link_bytes(request->params[0]);
	message.kind = LINK__KIND__KIND_GROUP;
	message.name = link_bytes(request->params[1]);
	message.cursor = link_bytes(page.cursor);
	message.limit = (uint32_t)page.limit;
	admin_task_command(admin_task_new(admin, request, sizeof(struct admin_task)),
			   LINK__ROLE__ROLE_ROUTER, SLICE_NONE, &message, on_members);
}

/* ---- joining and leaving */

static void on_joined(struct admin_task *task, const struct command_answer *answer)
{
	if (answer->rc != OK) {
		admin_task_fail_command(task, answer->rc, true);
		return;
	}
	buf_append_str(&task->admin->body, "{\"connections\":1}");
	admin_task_end(task, 200);
}

static void join(struct admin *admin, const struct admin_request *request,
		 Link__CommandKind kind)
{
	Link__Command message = LINK__COMMAND__INIT;

	message.command = kind;
	message.hub = link_bytes(request->params[0]);
	message.kind = LINK__KIND__KIND_GROUP;
	message.name = link_bytes(request->params[1]);
	message.connection = link_bytes(request->params[2]);
	admin_task_command(admin_task_new(admin, request, sizeof(struct admin_task)),
			   LINK__ROLE__ROLE_ROUTER, SLICE_NONE, &message, on_joined);
}

void admin_on_join(struct admin *admin, const struct admin_request *request)
{
	join(admin, request, LINK__COMMAND_KIND__COMMAND_JOIN);
}

void admin_on_leave(struct admin *admin, const struct admin_request *request)
{
	join(admin, request, LINK__COMMAND_KIND__COMMAND_LEAVE);
}

static void join_user(struct admin *admin, const struct admin_request *request,
		      enum admin_each_kind kind)
{
	const struct admin_each_options options = {
		.kind = kind,
		.hub = request->params[0],
		.group = request->params[1],
		.user = request->params[2],
	};

	admin_each_start(admin, request, &options);
}

void admin_on_join_user(struct admin *admin, const struct admin_request *request)
{
	join_user(admin, request, ADMIN_EACH_JOIN);
}

void admin_on_leave_user(struct admin *admin, const struct admin_request *request)
{
	join_user(admin, request, ADMIN_EACH_LEAVE);
}
