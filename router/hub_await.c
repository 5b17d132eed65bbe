/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Awaits: put a question, stop the fiber, go on with the answer. The answer may come
 * before the fiber stops, when the owner of the key is this very router.
 */
#include <stdlib.h>

#include "router/hub_private.h"
#include "router/route.h"

struct hub_wait {
	struct ask ask;
	struct hub_call *call;
	bool is_done;
	enum err rc;
	struct hub_member *members; /* in the call's arena */
	size_t members_n;
	struct slice *entries; /* in the call's arena */
	size_t entries_n;
};

static int member_compare(const void *a, const void *b)
{
	const struct hub_member *left = a;
	const struct hub_member *right = b;
	const int by_user = slice_compare(left->user_id, right->user_id);

	return by_user != 0 ? by_user
			    : slice_compare(left->connection_id, right->connection_id);
}

static void wait_take_members(struct hub_wait *wait, const Link__Members *members)
{
	struct arena *arena = &wait->call->arena;

	wait->members = arena_alloc(arena, members->n_members * sizeof(*wait->members));
	for (size_t i = 0; i < members->n_members; i++) {
		const Link__Member *from = members->members[i];

		wait->members[wait->members_n++] = (struct hub_member){
			.connection_id = arena_dup(arena, link_slice(from->connection)),
			.user_id = arena_dup(arena, link_slice(from->user_id)),
			.user_name = arena_dup(arena, link_slice(from->user_name)),
		};
	}
	qsort(wait->members, wait->members_n, sizeof(*wait->members), member_compare);
}

static void wait_take_entries(struct hub_wait *wait, const Link__LogEntries *entries)
{
	struct arena *arena = &wait->call->arena;

	wait->entries = arena_alloc(arena, entries->n_entries * sizeof(*wait->entries));
	for (size_t i = 0; i < entries->n_entries; i++)
		wait->entries[wait->entries_n++] =
			arena_dup(arena, link_slice(entries->entries[i]));
}

static void on_answer(struct ask *ask, const struct ask_answer *answer)
{
	struct hub_wait *wait = CONTAINER_OF(ask, struct hub_wait, ask);

	wait->is_done = true;
	wait->rc = answer->rc;
	if (answer->rc == ERR_TIMEOUT)
		wait->call->runtime->router->metrics.ask_timeout_total++;
	if (answer->rc == OK && answer->members != NULL)
		wait_take_members(wait, answer->members);
	if (answer->rc == OK && answer->entries != NULL)
		wait_take_entries(wait, answer->entries);
	hub_call_wake(wait->call);
}

/* NULL: the router is going down. */
static struct hub_wait *wait_new(struct hub_call *call)
{
	struct router *router = call->runtime->router;
	struct hub_wait *wait;

	if (call->runtime->is_stopping)
		return NULL;
	wait = ARENA_NEW(&call->arena, struct hub_wait);
	wait->call = call;
	ask_start(&wait->ask, &router->asks, router->conf->hub_await_timeout_ms,
		  on_answer);
	return wait;
}

static enum hub_rc wait_end(struct hub_wait *wait)
{
	hub_call_wait(wait->call, &wait->is_done);
	switch (wait->rc) {
	case OK:
		return HUB_OK;
	case ERR_TIMEOUT:
		return HUB_ETIMEDOUT;
	case ERR_CANCELED:
		return HUB_ECANCELED;
	case ERR_NOT_FOUND:
		return HUB_ENOTFOUND;
	case ERR_LIMIT:
	case ERR_ARGUMENT:
		return HUB_ELIMIT;
	case ERR_AGAIN:
	case ERR_CLOSED:
	case ERR_MALFORMED:
	case ERR_EXISTS:
	case ERR_DENIED:
	case ERR_UNSUPPORTED:
	case ERR_OUTCOME:
	case ERR_IO:
		break;
	}
	return HUB_EUNAVAILABLE;
}

static enum hub_rc await_join(struct hub_call *call, struct slice connection_id,
			      struct slice group, bool is_leave)
{
	struct hub_wait *wait = wait_new(call);
	Link__Join join = LINK__JOIN__INIT;

	if (wait == NULL)
		return HUB_ECANCELED;
	join.hub = link_bytes(hub_served_name(call->conn->hub));
	join.connection = link_bytes(connection_id);
	join.group = link_bytes(group);
	join.is_leave = is_leave;
	route_join(call->runtime->router, &join, &wait->ask);
	return wait_end(wait);
}

enum hub_rc hub_await_join(struct hub_call *call, struct slice group)
{
	return await_join(call, call->conn->id, group, false);
}

enum hub_rc hub_await_leave(struct hub_call *call, struct slice group)
{
	return await_join(call, call->conn->id, group, true);
}

enum hub_rc hub_await_join_connection(struct hub_call *call, struct slice connection_id,
				      struct slice group)
{
	return await_join(call, connection_id, group, false);
}

enum hub_rc hub_await_leave_connection(struct hub_call *call, struct slice connection_id,
				       struct slice group)
{
	return await_join(call, connection_id, group, true);
}

enum hub_rc hub_await_members(struct hub_call *call, struct slice group,
			      const struct hub_member **members, size_t *n)
{
	struct hub_wait *wait = wait_new(call);
	Link__ListMembers list = LINK__LIST_MEMBERS__INIT;
	enum hub_rc rc;

	*n = 0;
	if (wait == NULL)
		return HUB_ECANCELED;
	list.hub = link_bytes(hub_served_name(call->conn->hub));
	list.group = link_bytes(group);
	route_list_members(call->runtime->router, &list, &wait->ask);
	rc = wait_end(wait);
	*members = wait->members;
	*n = wait->members_n;
	return rc;
}

enum hub_rc hub_await_log_append(struct hub_call *call, struct slice key,
				 struct slice entry, uint32_t entries_max)
{
	struct hub_wait *wait = wait_new(call);
	Link__LogAppend append = LINK__LOG_APPEND__INIT;

	if (wait == NULL)
		return HUB_ECANCELED;
	append.hub = link_bytes(hub_served_name(call->conn->hub));
	append.key = link_bytes(key);
	append.entry = link_bytes(entry);
	append.entries_max = entries_max;
	route_log_append(call->runtime->router, &append, &wait->ask);
	return wait_end(wait);
}

enum hub_rc hub_await_log_read(struct hub_call *call, struct slice key,
			       uint32_t entries_max, const struct slice **entries,
			       size_t *n)
{
	struct hub_wait *wait = wait_new(call);
	Link__LogRead read = LINK__LOG_READ__INIT;
	enum hub_rc rc;

	*n = 0;
	if (wait == NULL)
		return HUB_ECANCELED;
	read.hub = link_bytes(hub_served_name(call->conn->hub));
	read.key = link_bytes(key);
	read.entries_max = entries_max;
	route_log_read(call->runtime->router, &read, &wait->ask);
	rc = wait_end(wait);
	*entries = wait->entries;
	*n = wait->entries_n;
	return rc;
}
