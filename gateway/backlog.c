/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who waits is in the router's list, oldest first. One timer a router is enough: room
 * lets all of them go, so nobody waits longer than the first.
 */
#include "gateway/backlog.h"

#include "gateway/conn_private.h"
#include "gateway/gateway.h"
#include "proto/base/log.h"

static void release_all(struct gateway_router *router)
{
	LIST_EACH (node, &router->backlog) {
		struct conn *conn =
			CONTAINER_OF(node, struct conn_work, backlog_node)->conn;

		backlog_leave(conn);
		conn_unpause(conn, CONN_PAUSE_LINK);
	}
}

static void on_timer(struct timer *timer)
{
	struct gateway_router *router =
		CONTAINER_OF(timer, struct gateway_router, backlog_timer);

	log_warn("backlog.overdue", "peer=%s", link_peer_name(router->peer));
	router->gateway->metrics.backlog_overdue_total++;
	router->is_overdue = true;
	release_all(router);
}

void backlog_init(struct gateway_router *router)
{
	list_init(&router->backlog);
	timer_init(&router->backlog_timer, on_timer);
}

void backlog_fini(struct gateway_router *router)
{
	loop_timer_stop(router->gateway->loop, &router->backlog_timer);
}

bool backlog_takes(struct conn *conn)
{
	struct gateway *gateway = conn->gateway;
	struct gateway_router *router;

	/* Of all routers: on most days that is all there is to ask. */
	if (!link_is_crowded(gateway->link))
		return false;
	router = gateway_conn_owner(conn);
	if (!link_peer_is_crowded(router->peer) || router->is_overdue)
		return false;
	if (list_is_empty(&router->backlog))
		loop_timer_start(gateway->loop, &router->backlog_timer,
				 gateway->conf->invoke_timeout_ms);
	list_append(&router->backlog, &conn_work_need(conn)->backlog_node);
	gateway->metrics.backlog++;
	gateway->metrics.backlog_total++;
	conn_pause(conn, CONN_PAUSE_LINK);
	return true;
}

void backlog_leave(struct conn *conn)
{
	struct conn_work *work = conn->work;

	if (work == NULL || !list_is_linked(&work->backlog_node))
		return;
	list_remove(&work->backlog_node);
	conn->gateway->metrics.backlog--;
}

void backlog_on_room(struct gateway_router *router)
{
	loop_timer_stop(router->gateway->loop, &router->backlog_timer);
	router->is_overdue = false;
	release_all(router);
}
