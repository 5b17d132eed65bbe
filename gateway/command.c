/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A drain waits for its answer to be heard, at most COMMAND_DRAIN_MS: a gateway without
 * connections is gone a moment after it began.
 */
#include "gateway/command.h"

#include <assert.h>
#include <stdlib.h>

#include "gateway/conn_in.h"
#include "gateway/workers.h"
#include "proto/base/log.h"
#include "proto/link/group_cursor.h"

/* Of one answer; the next page has the rest. */
#define COMMAND_GROUPS_MAX 1000u
#define COMMAND_NAMES_BYTES_MAX ((size_t)256 * 1024)

#define COMMAND_DRAIN_MS 250

/* The one that presence was told of; its hub may be left out. */
static struct conn *find_open(const struct gateway *gateway, const Link__Command *command)
{
	struct conn *conn = gateway_conn_find(gateway, link_slice(command->connection));

	if (conn == NULL || conn->state != CONN_OPEN || conn_is_arriving(conn))
		return NULL;
	if (command->hub.len > 0 &&
	    !slice_equal(slice_from_str(conn->hub->name), link_slice(command->hub)))
		return NULL;
	return conn;
}

/* ---- CONNECTION */

static int name_compare(const void *a, const void *b)
{
	return slice_compare(*(const struct slice *)a, *(const struct slice *)b);
}

/* Its groups in the order of their names' bytes. */
static struct slice *groups_sorted(const struct conn *conn, struct arena *arena)
{
	struct slice *names = arena_alloc(arena, conn->groups_n * sizeof(*names));
	size_t n = 0;

	LIST_EACH (node, &conn->memberships) {
		const struct membership *membership =
			CONTAINER_OF(node, struct membership, conn_node);

		if (membership->key->kind == LINK__KIND__KIND_GROUP)
			names[n++] = index_key_name(membership->key);
	}
	assert(n == conn->groups_n);
	qsort(names, n, sizeof(*names), name_compare);
	return names;
}

static enum err page_begin(const struct slice *names, size_t n, struct slice cursor,
			   size_t *at)
{
	struct slice after;
	const enum err rc = group_cursor_decode(cursor, &after);

	*at = 0;
	while (after.ptr != NULL && *at < n && slice_compare(names[*at], after) <= 0)
		++*at;
	return rc;
}

static enum err on_connection(struct gateway *gateway, const Link__Command *command,
			      Link__CommandDone *done)
{
	const struct conn *conn = find_open(gateway, command);
	struct arena *arena = &gateway->arena;
	size_t limit = COMMAND_GROUPS_MAX;
	size_t bytes = 0;
	struct slice *names;
	size_t at;

	if (conn == NULL)
		return ERR_NOT_FOUND;
	if (command->limit > 0 && command->limit < limit)
		limit = command->limit;
	names = groups_sorted(conn, arena);
	if (page_begin(names, conn->groups_n, link_slice(command->cursor), &at) != OK)
		return ERR_ARGUMENT;
	done->size = conn->groups_n;
	done->groups = arena_alloc(arena, limit * sizeof(Link__GroupSize *));
	for (; at < conn->groups_n && done->n_groups < limit; at++) {
		Link__GroupSize *group = ARENA_NEW(arena, Link__GroupSize);

		bytes += names[at].len;
		if (done->n_groups > 0 && bytes > COMMAND_NAMES_BYTES_MAX)
			break;
		link__group_size__init(group);
		group->hub = link_bytes(slice_from_str(conn->hub->name));
		group->name = link_bytes(names[at]);
		done->groups[done->n_groups++] = group;
	}
	if (at < conn->groups_n)
		done->next = link_bytes(group_cursor_encode(arena, names[at - 1]));
	return OK;
}

/* ---- DISCONNECT */

static enum err on_disconnect(const struct gateway *gateway, const Link__Command *command)
{
	struct conn *conn = find_open(gateway, command);

	if (conn == NULL)
		return ERR_NOT_FOUND;
	conn_abort(conn, link_slice(command->text), command->allow_reconnect);
	return OK;
}

/* ---- DRAIN */

static void drain_now(struct gateway *gateway)
{
	session_ticket_cancel(&gateway->commands.drain_told);
	loop_timer_stop(gateway->loop, &gateway->commands.drain_timer);
	workers_drain(gateway);
}

static void on_drain_told(struct session_ticket *ticket, enum err rc)
{
	(void)rc; /* heard or lost: there is nothing more to wait for */
	drain_now(CONTAINER_OF(ticket, struct gateway, commands.drain_told));
}

static void on_drain_timer(struct timer *timer)
{
	drain_now(CONTAINER_OF(timer, struct gateway, commands.drain_timer));
}

/* The ticket that its answer is to have; NULL: it drains already. */
static struct session_ticket *on_drain(struct gateway *gateway,
				       const struct link_peer *presence)
{
	struct commands *commands = &gateway->commands;

	if (commands->is_draining || proc_is_draining(gateway->proc))
		return NULL;
	log_info("command.drain", "peer=%s", link_peer_name(presence));
	commands->is_draining = true;
	loop_timer_start(gateway->loop, &commands->drain_timer, COMMAND_DRAIN_MS);
	return &commands->drain_told;
}

/* ---- all */

void commands_init(struct commands *commands)
{
	*commands = (struct commands){ .is_draining = false };
	session_ticket_init(&commands->drain_told, on_drain_told);
	timer_init(&commands->drain_timer, on_drain_timer);
}

void commands_fini(struct gateway *gateway)
{
	session_ticket_cancel(&gateway->commands.drain_told);
	loop_timer_stop(gateway->loop, &gateway->commands.drain_timer);
}

void command_on_command(struct gateway *gateway, struct link_peer *presence,
			const Link__Command *command)
{
	Link__CommandDone done = LINK__COMMAND_DONE__INIT;
	struct session_ticket *ticket = NULL;

	gateway->metrics.command_total++;
	done.call = command->call;
	switch ((int)command->command) {
	case LINK__COMMAND_KIND__COMMAND_CONNECTION:
		done.rc = on_connection(gateway, command, &done);
		break;
	case LINK__COMMAND_KIND__COMMAND_DISCONNECT:
		done.rc = on_disconnect(gateway, command);
		break;
	case LINK__COMMAND_KIND__COMMAND_DRAIN:
		ticket = on_drain(gateway, presence);
		break;
	default: /* a router's, or a newer presence's */
		done.rc = ERR_UNSUPPORTED;
	}
	/* Who asked gives up in time. */
	if (link_send_command_done(presence, &done, ticket) != OK)
		gateway->metrics.command_refused_total++;
	arena_reset(&gateway->arena);
}
