/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A command that others must be asked for is an ask and who is to be told then. What
 * comes in is checked here: a process of ours sends it, but it says what people wrote.
 */
#include "router/command.h"

#include <assert.h>

#include "proto/base/arena.h"
#include "proto/base/log.h"
#include "proto/base/mem.h"
#include "proto/base/text.h"
#include "proto/link/group_cursor.h"
#include "proto/wire/value.h"
#include "router/group_page.h"
#include "router/hub.h"
#include "router/hub_event.h"
#include "router/hub_runtime.h"
#include "router/route.h"
#include "router/router.h"
#include "router/shard.h"

#define TIMEOUT_MS_MAX 60000u

/* One that waits. */
struct command_run {
	struct ask ask;
	struct list node;	/* in router->commands */
	struct router *router;	/* borrowed */
	struct link_peer *peer; /* borrowed: it is dialed and never freed */
	uint64_t call;
	bool is_list; /* MEMBERS */
};

void commands_init(struct commands *commands)
{
	*commands = (struct commands){ .n = 0 };
	list_init(&commands->all);
}

/* ---- answers */

/* A page may be too long for a message, and the window full. */
static void done_send(struct router *router, struct link_peer *peer,
		      const Link__CommandDone *done)
{
	Link__CommandDone refusal = LINK__COMMAND_DONE__INIT;

	if (done->rc != OK)
		router->metrics.command_failed_total++;
	if (link_send_command_done(peer, done, NULL) == OK)
		return;
	refusal.call = done->call;
	refusal.rc = ERR_LIMIT;
	if (link_send_command_done(peer, &refusal, NULL) != OK)
		log_warn("command.answer_refused", "peer=%s", link_peer_name(peer));
}

static void answer(struct router *router, struct link_peer *peer, uint64_t call,
		   enum err rc)
{
	Link__CommandDone done = LINK__COMMAND_DONE__INIT;

	done.call = call;
	done.rc = rc;
	done_send(router, peer, &done);
}

static void answer_members(const struct command_run *run, const Link__Members *members)
{
	Link__CommandDone done = LINK__COMMAND_DONE__INIT;

	done.call = run->call;
	done.size = members->size;
	done.n_members = members->n_members;
	done.members = members->members;
	done.next = members->next;
	if (done.size == 0 && done.n_members == 0)
		done.rc = ERR_NOT_FOUND;
	done_send(run->router, run->peer, &done);
}

static void on_answer(struct ask *ask, const struct ask_answer *from)
{
	struct command_run *run = CONTAINER_OF(ask, struct command_run, ask);

	if (from->rc == ERR_TIMEOUT)
		run->router->metrics.ask_timeout_total++;
	list_remove(&run->node);
	run->router->commands.n--;
	if (from->rc == OK && run->is_list)
		answer_members(run, from->members);
	else
		answer(run->router, run->peer, run->call, from->rc);
	mem_free(run);
}

static struct command_run *run_new(struct router *router, struct link_peer *peer,
				   const Link__Command *command)
{
	struct command_run *run = MEM_NEW(struct command_run);
	int64_t timeout_ms = TIMEOUT_MS_MAX;

	if (command->timeout_ms > 0 && command->timeout_ms < TIMEOUT_MS_MAX)
		timeout_ms = (int64_t)command->timeout_ms;
	run->router = router;
	run->peer = peer;
	run->call = command->call;
	list_init(&run->node);
	list_append(&router->commands.all, &run->node);
	router->commands.n++;
	ask_start(&run->ask, &router->asks, timeout_ms, on_answer);
	return run;
}

void commands_cancel(struct router *router)
{
	LIST_EACH (node, &router->commands.all)
		ask_cancel(&CONTAINER_OF(node, struct command_run, node)->ask);
	assert(router->commands.n == 0);
}

/* ---- asking the owner */

static enum err on_members(struct router *router, struct link_peer *peer,
			   const Link__Command *command)
{
	Link__ListMembers list = LINK__LIST_MEMBERS__INIT;
	struct command_run *run = run_new(router, peer, command);

	run->is_list = true;
	list.hub = command->hub;
	list.group = command->name;
	list.cursor = command->cursor;
	list.limit = command->limit > 0 ? command->limit : GROUP_PAGE_MAX;
	route_list_members(router, &list, &run->ask);
	return OK;
}

static enum err on_join(struct router *router, struct link_peer *peer,
			const Link__Command *command, bool is_leave)
{
	Link__Join join = LINK__JOIN__INIT;

	if (command->connection.len == 0)
		return ERR_ARGUMENT;
	join.hub = command->hub;
	join.connection = command->connection;
	join.group = command->name;
	join.is_leave = is_leave;
	route_join(router, &join, &run_new(router, peer, command)->ask);
	return OK;
}

/* ---- sending */

static bool is_text(struct slice text)
{
	const char *at = text.ptr;
	const char *end = at + text.len;

	while (at < end) {
		const size_t len = (unsigned char)*at < 0x80 ? 1 : text_utf8_len(at, end);

		if (len == 0)
			return false;
		at += len;
	}
	return true;
}

static enum err check_key(const Link__Command *command)
{
	switch (command->kind) {
	case LINK__KIND__KIND_GROUP:
		return OK;
	case LINK__KIND__KIND_USER:
	case LINK__KIND__KIND_CONNECTION:
		return command->name.len > 0 ? OK : ERR_ARGUMENT;
	case LINK__KIND__KIND_ALL:
		return command->name.len == 0 ? OK : ERR_ARGUMENT;
	case LINK__KIND__KIND_NONE:
	default:
		return ERR_ARGUMENT;
	}
}

/* OK: `*arguments` is the array. */
static enum err check_send(const Link__Command *command, struct arena *arena,
			   struct value **arguments)
{
	enum err rc = check_key(command);

	if (rc != OK)
		return rc;
	if (command->target.len > COMMAND_TARGET_BYTES_MAX ||
	    command->arguments.len > COMMAND_ARGUMENTS_BYTES_MAX ||
	    command->n_excluded > HUB_EXCLUDED_MAX)
		return ERR_LIMIT;
	if (command->target.len == 0 || !is_text(link_slice(command->target)))
		return ERR_ARGUMENT;
	rc = value_decode_json(link_slice(command->arguments), arena, arguments);
	if (rc == ERR_LIMIT)
		return rc;
	return rc == OK && (*arguments)->type == VALUE_ARRAY ? OK : ERR_ARGUMENT;
}

static enum err on_send(struct router *router, struct link_peer *peer,
			const Link__Command *command)
{
	struct arena arena = ARENA_INIT;
	struct value *arguments = NULL;
	const enum err rc = check_send(command, &arena, &arguments);

	if (rc == OK) {
		const struct hub_receivers to = {
			.hub = link_slice(command->hub),
			.kind = command->kind,
			.name = link_slice(command->name),
			.excluded = command->excluded,
			.excluded_n = command->n_excluded,
			.must_exist = true,
		};
		struct hub_event event;

		hub_event_init(&event, link_slice(command->target), arguments);
		hub_event_send(&event, router, &to, &run_new(router, peer, command)->ask);
		hub_event_fini(&event);
	}
	arena_fini(&arena);
	return rc;
}

/* ---- the shard's groups */

static void groups_fill(const struct router *router, const struct group_query *query,
			size_t limit, struct arena *arena, Link__CommandDone *done)
{
	const struct group *group;
	struct group_page page;
	size_t bytes = 0;

	done->size = group_page_count(&router->groups, query);
	done->groups = arena_alloc(arena, limit * sizeof(*done->groups));
	group_page_init(&page, &router->groups, query);
	while ((group = group_page_next(&page)) != NULL) {
		if (done->n_groups == limit || bytes > GROUP_PAGE_BYTES_MAX) {
			done->next = link_bytes(group_cursor_encode(
				arena,
				link_slice(done->groups[done->n_groups - 1]->name)));
			break;
		}
		done->groups[done->n_groups++] = shard_group_size(arena, group);
		bytes += group_bytes(group).len;
	}
	group_page_fini(&page);
}

static enum err on_groups(struct router *router, struct link_peer *peer,
			  const Link__Command *command)
{
	struct group_query query = {
		.hub = link_slice(command->hub),
		.prefix = link_slice(command->name),
	};
	Link__CommandDone done = LINK__COMMAND_DONE__INIT;
	struct arena arena = ARENA_INIT;
	size_t limit = GROUP_PAGE_MAX;

	if (group_cursor_decode(link_slice(command->cursor), &query.after) != OK)
		return ERR_ARGUMENT;
	if (command->limit > 0 && command->limit < limit)
		limit = command->limit;
	done.call = command->call;
	groups_fill(router, &query, limit, &arena, &done);
	done_send(router, peer, &done);
	arena_fini(&arena);
	return OK;
}

/* ---- dispatch */

/* OK: it is answered, or will be. */
static enum err command_begin(struct router *router, struct link_peer *peer,
			      const Link__Command *command)
{
	if (router->commands.n >= COMMANDS_MAX) {
		router->metrics.command_refused_total++;
		return ERR_LIMIT;
	}
	if (hub_find(router->hubs, link_slice(command->hub)) == NULL)
		return ERR_NOT_FOUND;
	switch (command->command) {
	case LINK__COMMAND_KIND__COMMAND_GROUPS:
		return on_groups(router, peer, command);
	case LINK__COMMAND_KIND__COMMAND_MEMBERS:
		return on_members(router, peer, command);
	case LINK__COMMAND_KIND__COMMAND_JOIN:
		return on_join(router, peer, command, false);
	case LINK__COMMAND_KIND__COMMAND_LEAVE:
		return on_join(router, peer, command, true);
	case LINK__COMMAND_KIND__COMMAND_SEND:
		return on_send(router, peer, command);
	case LINK__COMMAND_KIND__COMMAND_NONE:
	case LINK__COMMAND_KIND__COMMAND_CONNECTION:
	case LINK__COMMAND_KIND__COMMAND_DISCONNECT:
	case LINK__COMMAND_KIND__COMMAND_DRAIN:
	default:
		return ERR_UNSUPPORTED;
	}
}

void command_on_command(struct router *router, struct link_peer *presence,
			const Link__Command *command)
{
	enum err rc = ERR_AGAIN;

	if (command->command == LINK__COMMAND_KIND__COMMAND_GROUPS &&
	    !router->rebuild.is_done)
		rc = rebuild_hold_command(&router->rebuild, presence, command);
	if (rc == OK)
		return;
	router->metrics.command_total++;
	if (rc == ERR_AGAIN)
		rc = command_begin(router, presence, command);
	if (rc != OK)
		answer(router, presence, command->call, rc);
}
