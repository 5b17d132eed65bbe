/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A connection that closes meanwhile tells of its end when it has moved: on_disconnected
 * is for the router that is the last to run its hub.
 */
#include "gateway/release.h"

#include "gateway/backlog.h"
#include "gateway/conn_private.h"
#include "gateway/gateway.h"
#include "gateway/invoke.h"
#include "proto/base/log.h"

/* Never 0, which is that of a connection that has never moved. Nobody stays for so many
 * epochs that a number comes again. */
static uint16_t mark_of(const struct gateway *gateway)
{
	return (uint16_t)(gateway->routers.map.epoch % UINT16_MAX + 1);
}

bool release_is_over(const struct conn *conn)
{
	return conn->moved_in == mark_of(conn->gateway);
}

void release_skip(struct conn *conn)
{
	if (conn->gateway->routers.map.phase == SHARD_PHASE_COMMIT)
		conn->moved_in = mark_of(conn->gateway);
}

static void release_over(struct conn *conn)
{
	if (!conn->is_releasing)
		return;
	conn->is_releasing = false;
	conn->gateway->reshard.releasing_n--;
}

/* The other router runs its hub from now on. */
static void move(struct conn *conn, const Link__Released *released)
{
	struct gateway *gateway = conn->gateway;
	struct gateway_router *owner;

	release_over(conn);
	backlog_leave(conn);
	conn_unpause(conn, CONN_PAUSE_LINK);
	conn->moved_in = mark_of(gateway);
	gateway->metrics.conns_moved_total++;
	owner = gateway_conn_owner(conn);
	invoke_leave(conn, owner);
	if (conn_announce_moved(conn, released) != OK) {
		log_warn("release.untold", "router=%s", link_peer_name(owner->peer));
		router_resync(owner);
	}
	arena_reset(&gateway->arena);
	if (conn->state == CONN_CLOSED)
		conn_disconnect(conn);
	else
		conn_on_moved(conn);
	reshard_look(gateway);
}

enum err release_begin(struct conn *conn)
{
	struct gateway *gateway = conn->gateway;
	struct gateway_router *owners[2];
	Link__Release release = LINK__RELEASE__INIT;
	enum err rc;

	if (conn->is_releasing || release_is_over(conn) ||
	    gateway_conn_owners(conn, owners) == 1)
		return OK;
	release.hub = link_bytes(slice_from_str(conn->hub->name));
	release.connection = link_bytes(slice_make(conn->id, CONN_ID_LEN));
	rc = link_send_release(owners[0]->peer, &release, NULL);
	if (rc == ERR_CLOSED) {
		/* It has been given up, and all calls with it. */
		move(conn, NULL);
		return OK;
	}
	if (rc != OK)
		return rc;
	conn->is_releasing = true;
	gateway->reshard.releasing_n++;
	return OK;
}

void release_on_released(struct gateway *gateway, const struct gateway_router *router,
			 const Link__Released *released)
{
	struct conn *conn = gateway_conn_find(gateway, link_slice(released->connection));

	/* It was given up, or another router was asked meanwhile. */
	if (conn == NULL || !conn->is_releasing || gateway_conn_owner(conn) != router) {
		gateway->metrics.released_late_total++;
		return;
	}
	/* Connected went the same way, before Release. */
	conn->is_begun = true;
	move(conn, released);
}

void release_on_lost(struct conn *conn, const struct gateway_router *router)
{
	if (!conn->is_releasing || gateway_conn_owner(conn) != router)
		return;
	if (!link_peer_is_up(router->peer)) {
		move(conn, NULL);
		return;
	}
	release_over(conn);
	/* What waited goes to its next life, before all that is read from now on. */
	conn_on_moved(conn);
	/* The walk asks again for those that are open. The end of this one, which nobody
	 * was told of, goes behind the replay that is to come. */
	if (conn->state == CONN_CLOSED)
		loop_timer_start(conn->gateway->loop, &conn->timer, 0);
}

void release_stop(struct conn *conn)
{
	release_over(conn);
	conn_on_moved(conn);
	/* It did not tell of its end while it was to move. */
	if (conn->state == CONN_CLOSED)
		conn_disconnect(conn);
}

/* Without its answer, but not without its knowledge: a method that goes on there must not
 * run on_disconnected, too. As surely as the other router is told. */
static void take_away(struct conn *conn, struct gateway_router *router)
{
	enum err rc;

	move(conn, NULL);
	link_peer_replay(router->peer, true);
	rc = conn_announce_to(conn, router);
	link_peer_replay(router->peer, false);
	if (rc != OK) {
		log_warn("release.untold", "router=%s", link_peer_name(router->peer));
		router_resync(router);
	}
	arena_reset(&conn->gateway->arena);
}

void release_force(struct conn *conn)
{
	struct gateway_router *owners[2];

	if (release_is_over(conn) || gateway_conn_owners(conn, owners) == 1)
		return;
	conn->gateway->metrics.release_timeout_total++;
	if (conn->state == CONN_CLOSED) {
		release_stop(conn);
		return;
	}
	invoke_end(conn);
	if (conn->state == CONN_OPEN)
		take_away(conn, owners[0]);
	else if (conn->is_releasing)
		release_stop(conn); /* what it was told was too much for it */
}
