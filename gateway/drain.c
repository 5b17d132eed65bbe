/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Each tick sends as many away as evict_rate allows since the last one, or as must go so
 * that half of drain_timeout sees them all told. Hand-overs may go on for half of what is
 * left then.
 */
#include "gateway/drain.h"

#include <inttypes.h>

#include "gateway/conn_in.h"
#include "gateway/conn_work.h"
#include "gateway/edge.h"
#include "gateway/handover.h"
#include "gateway/stateful.h"
#include "gateway/transport_lp.h"
#include "gateway/tunnel.h"
#include "proto/base/log.h"

#define DRAIN_TICK_MS 20

/* A call that takes longer ends with an error at its client: streams may have no end. */
#define DRAIN_CALLS_MS 5000

void drain_start(struct gateway *gateway)
{
	const struct gateway_conf *conf = gateway->conf;
	const int64_t now_ms = loop_now_ms(gateway->loop);

	gateway->drain_begin_ms = now_ms + conf->drain_delay_ms;
	gateway->drain_end_ms = gateway->drain_begin_ms +
				(conf->proc.drain_ms - conf->drain_delay_ms) / 2;
	if (conf->drain_delay_ms == 0)
		edge_drain(gateway);
	gateway->metrics.drain_begin_seconds = loop_unix_ms(gateway->loop) / 1000;
	gateway->metrics.drain_end_seconds =
		(loop_unix_ms(gateway->loop) + conf->proc.drain_ms) / 1000;
	log_info("drain.start", "connections=%" PRId64, gateway->metrics.connections);
	loop_timer_start(gateway->loop, &gateway->drain_timer, 0);
}

/* ---- one connection */

static int64_t earlier(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

void drain_evict(struct conn *conn)
{
	const struct gateway *gateway = conn->gateway;

	if (conn->calls_n == 0)
		conn_close(conn, CONN_CLOSE_SHUTDOWN, NULL);
	else
		conn->work->leave_ms =
			earlier(loop_now_ms(gateway->loop) + DRAIN_CALLS_MS,
				gateway->drain_end_ms);
}

static bool is_leaving(const struct conn *conn)
{
	return conn->work != NULL && conn->work->leave_ms != 0;
}

void drain_on_call_over(struct conn *conn)
{
	if (conn->calls_n == 0 && is_leaving(conn))
		conn_close(conn, CONN_CLOSE_SHUTDOWN, NULL);
}

/* False: it stays for now, and does not count as gone. */
static bool send_away(struct conn *conn)
{
	struct gateway *gateway = conn->gateway;
	const int64_t late_ms = (gateway->drain_end_ms - gateway->drain_begin_ms) / 2;

	if (stateful_may_attach(conn) &&
	    loop_now_ms(gateway->loop) < gateway->drain_end_ms + late_ms) {
		if (!handover_may_start(conn))
			return false;
		if (handover_start(conn) == OK)
			return true;
	}
	drain_evict(conn);
	return true;
}

/* A client that reads the end of its stream together with its head never notices that it
 * has ended: the official one waits for its handshake for ever. Once it has shaken hands
 * it is told as others are. */
static bool is_shaking_hands(const struct conn *conn)
{
	const struct gateway *gateway = conn->gateway;
	const int64_t now_ms = loop_now_ms(gateway->loop);

	return conn->state == CONN_HANDSHAKE && now_ms < gateway->drain_end_ms &&
	       now_ms - conn->sent_ms < DRAIN_HANDSHAKE_MS;
}

/* ---- all of them */

/* How many more may go by now; all, when the time is over. */
static size_t drain_share(const struct gateway *gateway)
{
	const int64_t now_ms = loop_now_ms(gateway->loop);
	const int64_t left_ms = gateway->drain_end_ms - now_ms;
	const size_t ticks = left_ms > 0 ? (size_t)(left_ms / DRAIN_TICK_MS) + 1 : 1;
	const size_t must = (gateway->conns.count + ticks - 1) / ticks;
	const int64_t may = (now_ms - gateway->drain_begin_ms + DRAIN_TICK_MS) *
				    gateway->conf->evict_rate / 1000 -
			    (int64_t)gateway->drain_gone_n;

	return may > 0 && (size_t)may > must ? (size_t)may : must;
}

static void drain_send_some(struct gateway *gateway)
{
	const int64_t now_ms = loop_now_ms(gateway->loop);
	struct map_node *node = map_next(&gateway->conns, NULL);
	size_t n = drain_share(gateway);
	bool has_waited = false;

	while (node != NULL) {
		struct conn *conn = CONTAINER_OF(node, struct conn, node);

		/* One that never finished its handshake leaves the map at once. */
		node = map_next(&gateway->conns, node);
		if (conn->state == CONN_CLOSED || conn_is_arriving(conn) ||
		    is_shaking_hands(conn) || (conn->paused & CONN_PAUSE_MOVING) != 0)
			continue;
		if (is_leaving(conn)) {
			if (now_ms >= conn->work->leave_ms)
				conn_close(conn, CONN_CLOSE_SHUTDOWN, NULL);
		} else if (n > 0 && send_away(conn)) {
			n--;
			gateway->drain_gone_n++;
			gateway->metrics.drain_evicted_total++;
		} else {
			has_waited = true;
		}
	}
	if (has_waited && gateway->movings.leaving_n == HANDOVERS_MAX)
		gateway->metrics.handover_full_total++;
	tunnels_close(gateway, n);
}

/* Transports still write what was queued, and wait for the client's Close, for the end of
 * its side, or for its poll. */
static bool is_empty(const struct gateway *gateway)
{
	return gateway->conns.count == 0 && gateway->metrics.ws_sockets == 0 &&
	       gateway->metrics.sse_sockets == 0 && lp_host_is_quiet(gateway->lp);
}

void drain_on_timer(struct timer *timer)
{
	struct gateway *gateway = CONTAINER_OF(timer, struct gateway, drain_timer);
	const int64_t now_ms = loop_now_ms(gateway->loop);

	if (now_ms < gateway->drain_begin_ms) {
		loop_timer_start(gateway->loop, timer, gateway->drain_begin_ms - now_ms);
		return;
	}
	edge_drain(gateway);
	drain_send_some(gateway);
	if (now_ms >= gateway->drain_end_ms)
		tunnels_close_all(gateway);
	else if (gateway->conns.count == 0)
		tunnels_close(gateway, SIZE_MAX);
	if (is_empty(gateway) && gateway->presence.is_leaving) {
		proc_drained(gateway->proc);
		return;
	}
	/* It goes out at the end of this turn. */
	if (is_empty(gateway))
		replicas_leave(&gateway->presence);
	loop_timer_start(gateway->loop, timer, DRAIN_TICK_MS);
}

void drain_stop(struct gateway *gateway)
{
	const int64_t open = gateway->metrics.connections;

	loop_timer_stop(gateway->loop, &gateway->drain_timer);
	if (!proc_is_draining(gateway->proc))
		return;
	/* The metrics go with the process, before anybody has asked for the last ones. */
	log_info("drain.over",
		 "offered=%" PRIu64 " handed_over=%" PRIu64 " untaken=%" PRIu64
		 " failed=%" PRIu64 " cut=%" PRId64,
		 gateway->metrics.handover_total, gateway->metrics.handover_done_total,
		 gateway->metrics.handover_untaken_total,
		 gateway->metrics.handover_failed_total, open);
	if (open == 0)
		return;
	gateway->metrics.drain_cut_total += (uint64_t)open;
	log_warn("drain.cut", "connections=%" PRId64 " handovers=%" PRId64, open,
		 gateway->metrics.handovers);
}
