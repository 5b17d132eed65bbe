/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A task with several commands under way instead of one. The store may answer before it
 * returns, so pages are asked for in a loop, never from inside an answer.
 */
#include "presence/admin_each.h"

#include <assert.h>

#include "presence/json_put.h"
#include "proto/base/mem.h"

/* Commands of one such act at a time, and connections that it knows ahead. */
#define EACH_PARALLEL 16
#define EACH_PAGE 256

struct each;

struct each_slot {
	struct command command;
	struct each *each; /* borrowed */
	bool is_busy;
};

struct each_target {
	struct slice hub;
	struct slice connection;
	struct slice gateway;
};

struct each {
	struct admin_task task;
	struct admin_each_options options;
	struct arena page; /* of the targets */
	struct each_target *targets;
	size_t targets_n;
	size_t at; /* the next of them */
	struct buf cursor;
	bool has_more; /* pages, behind the cursor */
	bool is_first_page;
	bool is_looping;
	size_t busy_n;
	int64_t done_n;
	enum err failed; /* the first that failed, or OK */
	bool failed_asked;
	struct each_slot slots[EACH_PARALLEL];
};

static void each_run(struct each *each);

/* ---- commands */

static void each_failed(struct each *each, enum err rc, bool is_asked)
{
	if (each->failed != OK)
		return;
	each->failed = rc;
	each->failed_asked = is_asked;
}

static void on_done(struct command *command, const struct command_answer *answer)
{
	struct each_slot *slot = CONTAINER_OF(command, struct each_slot, command);
	struct each *each = slot->each;

	slot->is_busy = false;
	each->busy_n--;
	if (answer->rc == OK)
		each->done_n++;
	else if (answer->rc != ERR_NOT_FOUND) /* it has gone by itself */
		each_failed(each, answer->rc, true);
	each_run(each);
}

static struct each_slot *slot_free(struct each *each)
{
	for (size_t i = 0; i < EACH_PARALLEL; i++) {
		if (!each->slots[i].is_busy)
			return &each->slots[i];
	}
	return NULL;
}

static enum err target_send(struct each *each, const struct each_target *target,
			    struct each_slot *slot)
{
	const struct admin_each_options *options = &each->options;
	struct presence *presence = each->task.admin->presence;
	Link__Command message = LINK__COMMAND__INIT;

	message.hub = link_bytes(target->hub);
	message.connection = link_bytes(target->connection);
	message.name = link_bytes(options->group);
	message.kind = LINK__KIND__KIND_GROUP;
	switch (options->kind) {
	case ADMIN_EACH_DISCONNECT:
		message.command = LINK__COMMAND_KIND__COMMAND_DISCONNECT;
		message.text = link_bytes(options->reason);
		message.allow_reconnect = options->allow_reconnect;
		return command_send(presence, &slot->command, LINK__ROLE__ROLE_GATEWAY,
				    target->gateway, &message, on_done);
	case ADMIN_EACH_JOIN:
		message.command = LINK__COMMAND_KIND__COMMAND_JOIN;
		break;
	case ADMIN_EACH_LEAVE:
		message.command = LINK__COMMAND_KIND__COMMAND_LEAVE;
		break;
	}
	return command_send_any(presence, &slot->command, &message, on_done);
}

/* As many as may be under way. When there is no room for another the rest is given up. */
static void each_send(struct each *each)
{
	struct each_slot *slot;

	while (each->at < each->targets_n && (slot = slot_free(each)) != NULL) {
		const enum err rc = target_send(each, &each->targets[each->at++], slot);

		if (rc == OK) {
			slot->is_busy = true;
			each->busy_n++;
			continue;
		}
		each_failed(each, rc, false);
		if (rc == ERR_LIMIT) {
			each->at = each->targets_n;
			each->has_more = false;
		}
	}
}

/* ---- pages */

static void page_take(struct each *each, const struct store_answer *answer)
{
	const struct slice hub = each->options.hub;

	arena_reset(&each->page);
	each->targets = arena_alloc(&each->page,
				    (answer->sessions_n + 1) * sizeof(*each->targets));
	each->targets_n = 0;
	each->at = 0;
	for (size_t i = 0; i < answer->sessions_n; i++) {
		const struct session_info *info = &answer->sessions[i];

		if (hub.len > 0 && !slice_equal(info->hub, hub))
			continue;
		each->targets[each->targets_n++] = (struct each_target){
			.hub = arena_dup(&each->page, info->hub),
			.connection = arena_dup(&each->page, info->connection),
			.gateway = arena_dup(&each->page, info->gateway.name),
		};
	}
	buf_clear(&each->cursor);
	buf_append_slice(&each->cursor, answer->next);
	each->has_more = answer->next.len > 0;
}

static void on_page(struct admin_task *task, const struct store_answer *answer)
{
	struct each *each = CONTAINER_OF(task, struct each, task);

	each->has_more = false;
	if (answer->rc == OK)
		page_take(each, answer);
	else if (answer->rc != ERR_NOT_FOUND || each->is_first_page)
		each_failed(each, answer->rc, false);
	each->is_first_page = false;
	each_run(each);
}

static void page_ask(struct each *each)
{
	struct store *store = each->task.admin->presence->store;

	store->ops->user(store, each->options.user, buf_slice(&each->cursor), EACH_PAGE,
			 admin_task_call(&each->task, on_page));
}

/* ---- the whole */

static void each_end(struct each *each)
{
	struct admin_problem_details details = ADMIN_PROBLEM_DETAILS;
	struct admin_task *task = &each->task;
	struct buf *body = &task->admin->body;

	if (each->failed != OK && each->targets == NULL) {
		admin_task_fail_store(task, each->failed);
		return;
	}
	if (each->failed != OK) {
		details.detail = "Not all connections of the user have answered.";
		details.done_n = each->done_n;
		admin_task_fail(task, admin_problem_of(each->failed, each->failed_asked),
				&details);
		return;
	}
	buf_append_byte(body, '{');
	json_put_number(body,
			each->options.kind == ADMIN_EACH_DISCONNECT ? "disconnected"
								    : "connections",
			each->done_n);
	buf_append_byte(body, '}');
	admin_task_end(task, 200);
}

static void each_run(struct each *each)
{
	if (each->is_looping)
		return;
	each->is_looping = true;
	do {
		each_send(each);
		if (each->busy_n > 0 || !each->has_more)
			break;
		page_ask(each);
	} while (!each->task.is_asking);
	each->is_looping = false;
	if (each->busy_n == 0 && !each->task.is_asking)
		each_end(each);
}

static void on_free(struct admin_task *task)
{
	struct each *each = CONTAINER_OF(task, struct each, task);

	for (size_t i = 0; i < EACH_PARALLEL; i++)
		command_cancel(&each->slots[i].command);
	arena_fini(&each->page);
	buf_fini(&each->cursor);
}

void admin_each_start(struct admin *admin, const struct admin_request *request,
		      const struct admin_each_options *options)
{
	struct each *each = admin_task_new(admin, request, sizeof(*each));
	struct arena *arena = &each->task.arena;

	each->task.on_free = on_free;
	each->options = *options;
	each->options.user = arena_dup(arena, options->user);
	each->options.hub = arena_dup(arena, options->hub);
	each->options.group = arena_dup(arena, options->group);
	each->options.reason = arena_dup(arena, options->reason);
	arena_init(&each->page);
	for (size_t i = 0; i < EACH_PARALLEL; i++)
		each->slots[i].each = each;
	each->is_first_page = true;
	each->has_more = true;
	each_run(each);
}
