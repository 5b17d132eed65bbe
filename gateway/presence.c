/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A full link means that the home is far behind: what does not fit is dropped, and the
 * link is started over so that the replay sets things right.
 *
 * Opened says whether some presence has handled it before, for one that has lost what it
 * knew must tell newcomers from those it is only told of again. So each Opened has a
 * ticket, but those of a replay, a million perhaps, share the one of its Replayed.
 */
#include "gateway/presence.h"

#include "gateway/replay.h"
#include "gateway/stateful.h"
#include "proto/base/mem.h"

/* An Opened on its way. By id, for the connection may be gone before. */
struct telling {
	struct session_ticket ticket;
	struct gateway *gateway; /* borrowed */
	char id[CONN_ID_LEN];
};

static void telling_free(struct telling *telling)
{
	telling->gateway->metrics.opened_waiting--;
	mem_free(telling);
}

static void on_told(struct session_ticket *ticket, enum err rc)
{
	struct telling *telling = CONTAINER_OF(ticket, struct telling, ticket);
	struct conn *conn =
		gateway_conn_find(telling->gateway, slice_make(telling->id, CONN_ID_LEN));

	if (rc == OK && conn != NULL)
		conn->is_told = true;
	telling_free(telling);
}

static struct telling *telling_new(const struct conn *conn)
{
	struct telling *telling = MEM_NEW(struct telling);

	session_ticket_init(&telling->ticket, on_told);
	telling->gateway = conn->gateway;
	telling->gateway->metrics.opened_waiting++;
	memcpy(telling->id, conn->id, CONN_ID_LEN);
	return telling;
}

/* ---- who is open */

static enum err send_opened(const struct conn *conn, struct link_peer *home,
			    struct session_ticket *ticket)
{
	const struct user *user = conn->user;
	ProtobufCBinaryData roles[USER_ROLES_MAX];
	Link__User who = LINK__USER__INIT;
	Link__Opened opened = LINK__OPENED__INIT;

	who.id = link_bytes(user_id(user));
	who.name = link_bytes(user_name(user));
	who.roles = roles;
	for (size_t i = 0; i < user->roles_n; i++)
		roles[who.n_roles++] = link_bytes(user_role(user, i));
	opened.hub = link_bytes(slice_from_str(conn->hub->name));
	opened.connection = link_bytes(slice_make(conn->id, CONN_ID_LEN));
	opened.user = &who;
	opened.protocol = conn->codec->protocol;
	opened.transport = conn->ops->kind;
	opened.remote = link_bytes(slice_from_str(conn_remote(conn)));
	opened.user_agent = link_bytes(intern_text(conn->agent));
	opened.opened_unix_ms = conn->opened_unix_ms;
	opened.is_told = conn->is_told;
	opened.is_moved = stateful_is_moved(conn);
	return link_send_opened(home, &opened, ticket);
}

void presence_opened(const struct conn *conn)
{
	struct replicas *presence = &conn->gateway->presence;
	struct link_peer *home = replicas_home(presence);
	struct telling *telling;

	if (home == NULL)
		return;
	telling = telling_new(conn);
	if (send_opened(conn, home, &telling->ticket) == OK)
		return;
	telling_free(telling);
	replicas_resync(presence);
}

void presence_closed(const struct conn *conn)
{
	struct replicas *presence = &conn->gateway->presence;
	struct link_peer *home = replicas_home(presence);
	Link__Closed closed = LINK__CLOSED__INIT;

	closed.hub = link_bytes(slice_from_str(conn->hub->name));
	closed.connection = link_bytes(slice_make(conn->id, CONN_ID_LEN));
	if (home != NULL && link_send_closed(home, &closed, NULL) != OK)
		replicas_resync(presence);
}

/* ---- everything again */

enum err presence_replay_opened(struct conn *conn, struct link_peer *home)
{
	conn->is_telling = true;
	return send_opened(conn, home, NULL);
}

/* All that was open when the last replay began has been heard of. */
static void on_replayed(struct session_ticket *ticket, enum err rc)
{
	struct gateway *gateway = CONTAINER_OF(ticket, struct gateway, told);

	if (rc != OK)
		return;
	for (struct map_node *node = map_next(&gateway->conns, NULL); node != NULL;
	     node = map_next(&gateway->conns, node)) {
		struct conn *conn = CONTAINER_OF(node, struct conn, node);

		conn->is_told |= conn->is_telling;
	}
}

enum err presence_replayed(struct gateway *gateway, struct link_peer *home,
			   const Link__Replayed *replayed)
{
	session_ticket_cancel(&gateway->told);
	return link_send_replayed(home, replayed, &gateway->told);
}

/* ---- the replicas */

static void fill_lease(void *owner, Link__Lease *lease)
{
	const struct gateway *gateway = owner;

	lease->connections = gateway->metrics.connections;
}

static void fill_report(void *owner, Link__Report *report, struct arena *arena)
{
	const struct gateway *gateway = owner;
	const struct gateway_metrics *metrics = &gateway->metrics;
	uint8_t *buckets = arena_alloc(arena, HISTOGRAM_BYTES);

	histogram_encode(&metrics->invoke_seconds, buckets);
	report->latency_buckets.data = buckets;
	report->latency_buckets.len = HISTOGRAM_BYTES;
	report->connections = metrics->connections;
	report->messages_in_total = metrics->messages_in_total;
	report->messages_out_total = metrics->messages_out_total;
	report->bytes_in_total = metrics->in_bytes_total;
	report->bytes_out_total = metrics->out_bytes_total;
	report->queue_bytes = metrics->queue_bytes;
	report->memberships = (int64_t)gateway->index.memberships_n;
	report->users = (int64_t)gateway->index.users_n;
	report->calls = metrics->invocations;
	report->is_draining = proc_is_draining(gateway->proc);
}

static void tell_home(void *owner, struct link_peer *home)
{
	replay_to_presence(owner, home);
}

static const struct replicas_ops replicas_ops = {
	.fill_lease = fill_lease,
	.fill_report = fill_report,
	.tell_home = tell_home,
};

void presence_open(struct gateway *gateway)
{
	session_ticket_init(&gateway->told, on_replayed);
	replicas_init(&gateway->presence, gateway->loop, gateway->conf->link.lease_ms,
		      &gateway->metrics.presence, &replicas_ops, gateway);
	replicas_open(&gateway->presence, gateway->link,
		      slice_from_str(proc_name(gateway->proc)), gateway->conf->presence);
}

void presence_close(struct gateway *gateway)
{
	session_ticket_cancel(&gateway->told);
	replicas_fini(&gateway->presence);
}
