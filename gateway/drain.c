/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Each tick closes a share of what is left, so that half of drain_timeout sees them all
 * go.
 */
#include "gateway/drain.h"

#include <inttypes.h>

#include "gateway/edge.h"
#include "proto/base/log.h"

#define DRAIN_TICK_MS 20
#define DRAIN_AT_ONCE 50 /* a tick closes at least so many */

void drain_start(struct gateway *gateway)
{
	edge_drain(gateway);
	gateway->drain_end_ms =
		loop_now_ms(gateway->loop) + gateway->conf->proc.drain_ms / 2;
	log_info("drain.start", "connections=%" PRId64, gateway->metrics.connections);
	loop_timer_start(gateway->loop, &gateway->drain_timer, 0);
}

static size_t drain_share(const struct gateway *gateway)
{
	const int64_t left_ms = gateway->drain_end_ms - loop_now_ms(gateway->loop);
	const size_t ticks = left_ms > 0 ? (size_t)(left_ms / DRAIN_TICK_MS) + 1 : 1;
	const size_t share = (gateway->conns.count + ticks - 1) / ticks;

	return share > DRAIN_AT_ONCE ? share : DRAIN_AT_ONCE;
}

static void drain_close_some(struct gateway *gateway, size_t n)
{
	struct map_node *node = map_next(&gateway->conns, NULL);

	while (node != NULL && n > 0) {
		struct conn *conn = CONTAINER_OF(node, struct conn, node);

		/* One that never finished its handshake leaves the map at once. */
		node = map_next(&gateway->conns, node);
		if (conn->state == CONN_CLOSED)
			continue;
		conn_close(conn, CONN_CLOSE_SHUTDOWN, NULL);
		n--;
	}
}

void drain_on_timer(struct timer *timer)
{
	struct gateway *gateway = CONTAINER_OF(timer, struct gateway, drain_timer);

	drain_close_some(gateway, drain_share(gateway));
	/* Transports still write what was queued, and wait for the client's Close. */
	if (gateway->conns.count == 0 && gateway->metrics.ws_sockets == 0)
		proc_drained(gateway->proc);
	else
		loop_timer_start(gateway->loop, timer, DRAIN_TICK_MS);
}
