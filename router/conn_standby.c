/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A connection is released when all that is left of it are streams: what was sent before
 * has arrived, so nothing that the next router sends can overtake it.
 */
#include "router/conn_standby.h"

#include "proto/base/arena.h"
#include "router/hub_runtime.h"
#include "router/router.h"
#include "router/shard_links.h"

void conn_set_standby(struct conn *conn, bool is_standby)
{
	if (conn->is_standby == is_standby)
		return;
	conn->is_standby = is_standby;
	conn->router->metrics.standbys += is_standby ? 1 : -1;
}

/* Whoever was not released in time is on standby all the same: the other router runs its
 * hub's code. Its groups are as its gateway knows them: what it joined meanwhile went by
 * the other router. */
bool conn_on_told_again(const struct router *router, const struct router_gateway *gateway,
			const Link__Connected *connected)
{
	struct conn *conn = conn_find(router, connected->hub, connected->connection);

	if (conn == NULL || conn->gateway != gateway ||
	    (!conn->is_standby && !connected->is_standby))
		return false;
	conn->is_inherited = false;
	if (connected->is_standby) {
		conn_set_standby(conn, true);
		conn->is_releasing = false;
		return true;
	}
	conn_set_groups(conn, connected->groups, connected->n_groups);
	conn_set_standby(conn, false);
	hub_items_take(conn, connected->items, connected->n_items);
	conn->router->metrics.activated_total++;
	/* The router before ended, or was given up, in the midst of it. */
	if (!connected->is_resumed)
		hub_connected(conn);
	return true;
}

/* The window does not bound it: to start over with the gateway instead would have us run
 * on_connected once more of what is the next owner's by now. */
static void released_send(struct router_gateway *gateway, const Link__Released *released)
{
	enum err rc;

	link_peer_replay(gateway->peer, true);
	rc = link_send_released(gateway->peer, released, NULL);
	link_peer_replay(gateway->peer, false);
	if (rc != OK)
		router_resync(gateway);
}

void conn_on_release(struct router *router, struct router_gateway *gateway,
		     const Link__Release *release)
{
	struct conn *conn = conn_find(router, release->hub, release->connection);
	Link__Released released = LINK__RELEASED__INIT;

	if (conn != NULL && conn->gateway == gateway && !conn->is_standby) {
		conn->is_releasing = true;
		conn_look_released(conn);
		return;
	}
	released.hub = release->hub;
	released.connection = release->connection;
	released_send(gateway, &released);
}

/* Should the gateway not come to tell the next owner, that one sees to its end. */
static void bequeath(struct router *router, const Link__Released *released)
{
	const struct shard_owner next = shard_owner_of(router, link_slice(released->hub),
						       LINK__KIND__KIND_CONNECTION,
						       link_slice(released->connection));

	if (next.is_own || next.peer == NULL)
		return;
	if (link_send_released(next.peer, released, NULL) != OK)
		router->metrics.inherit_untold_total++;
}

/* Nor while its gateway is away: one that does not come back was lost with its connection
 * here, whose end is ours. */
static bool may_release(const struct conn *conn)
{
	return conn->is_releasing && !conn->is_gone && conn->gateway != NULL &&
	       conn->gateway->away_since_ms == 0 && list_is_empty(&conn->queue) &&
	       conn->begun_n <= conn->begun_beside_n && list_is_empty(&conn->confirming);
}

/* What is kept of it is in `arena`. */
static void released_write(const struct conn *conn, struct arena *arena,
			   Link__Released *released)
{
	released->hub = link_bytes(hub_served_name(conn->hub));
	released->connection = link_bytes(conn->id);
	hub_items_write(conn, arena, released);
}

void conn_look_released(struct conn *conn)
{
	Link__Released released = LINK__RELEASED__INIT;
	struct arena arena = ARENA_INIT;

	if (!may_release(conn))
		return;
	conn->is_releasing = false;
	conn_set_standby(conn, true);
	conn->router->metrics.released_total++;
	released_write(conn, &arena, &released);
	bequeath(conn->router, &released);
	released_send(conn->gateway, &released);
	arena_fini(&arena);
}

void conns_on_gateway_up(struct router_gateway *gateway)
{
	LIST_EACH (node, &gateway->conns)
		conn_look_released(CONTAINER_OF(node, struct conn, gateway_node));
}

void conn_on_released(struct router *router, const Link__Released *released)
{
	struct conn *conn = conn_find(router, released->hub, released->connection);

	if (conn == NULL) {
		router->metrics.inherit_late_total++;
		return;
	}
	/* Its gateway may have been faster. */
	if (!conn->is_standby)
		return;
	conn->is_inherited = true;
	hub_items_take(conn, released->items, released->n_items);
	router->metrics.inherited_total++;
}

/* We were to run it and never did: so is the next owner. It is not its end. */
static void bequeath_on(struct conn *conn)
{
	Link__Released released = LINK__RELEASED__INIT;
	struct arena arena = ARENA_INIT;

	conn->is_inherited = false;
	released_write(conn, &arena, &released);
	bequeath(conn->router, &released);
	arena_fini(&arena);
}

void conn_drop(struct conn *conn)
{
	if (conn->is_inherited)
		bequeath_on(conn);
	conn_end(conn, conn->is_standby ? SLICE_NONE : SLICE("moved"));
}
