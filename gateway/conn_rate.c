/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How fast one client may send. What has come is handled; while it was too much nothing
 * more is read, and TCP, or the POST that is not answered, slows the client down.
 */
#include "gateway/conn_private.h"
#include "gateway/gateway.h"

#define SECOND_MS 1000

/* Shorter pauses would cost more than they hold back. */
#define PAUSE_MS_MIN 50

static void slow_down(struct conn *conn, int64_t wait_ms)
{
	if (wait_ms == 0 || conn->state == CONN_CLOSED ||
	    (conn->paused & CONN_PAUSE_RATE) != 0)
		return;
	conn->gateway->metrics.rate_paused_total++;
	loop_timer_start(conn->gateway->loop, &conn_work_need(conn)->rate_timer,
			 wait_ms > PAUSE_MS_MIN ? wait_ms : PAUSE_MS_MIN);
	conn_pause(conn, CONN_PAUSE_RATE);
}

void conn_count_bytes(struct conn *conn, size_t n)
{
	const struct rate_rule rule = { conn->gateway->conf->bytes_per_second_max,
					SECOND_MS };

	slow_down(conn, rate_charge(&conn->bytes_rate, &rule, (int64_t)n,
				    loop_now_ms(conn->gateway->loop)));
}

void conn_count_message(struct conn *conn)
{
	const struct rate_rule rule = { conn->gateway->conf->messages_per_second_max,
					SECOND_MS };

	slow_down(conn, rate_charge(&conn->messages_rate, &rule, 1,
				    loop_now_ms(conn->gateway->loop)));
}

void conn_on_rate_timer(struct timer *timer)
{
	conn_unpause(CONTAINER_OF(timer, struct conn_work, rate_timer)->conn,
		     CONN_PAUSE_RATE);
}
