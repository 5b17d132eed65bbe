/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The life around resend.c: the timer of our acknowledgements, transports that come and
 * go, and what a client may not do.
 */
#include "gateway/stateful.h"

#include <assert.h>

#include "gateway/conn_private.h"
#include "gateway/gateway.h"
#include "gateway/resend.h"
#include "proto/base/log.h"
#include "proto/base/mem.h"

/* As the clients do. */
#define ACK_DELAY_MS 1000

/* A client that has said nothing by then has read the answer to its handshake alone. */
#define SHY_MS 500

#define TURNS_WINDOW_MS 60000

struct stateful {
	struct conn *conn; /* borrowed */
	struct resend resend;
	struct timer ack_timer;
	int64_t turns_since_ms;
	int64_t turns; /* new transports since then */
	bool is_moved; /* it came from another gateway */
	bool is_shy;   /* stateful_hold() */
};

static void pump(struct conn *conn)
{
	const size_t window = (size_t)conn->hub->conf->stateful_buffer_bytes_max;
	struct blob *blob;

	while (conn->transport != NULL && !conn->stateful->is_shy &&
	       (blob = resend_next(&conn->stateful->resend, window)) != NULL)
		conn->ops->send(conn->transport, blob);
}

void stateful_unhold(struct conn *conn)
{
	if (conn->stateful == NULL || !conn->stateful->is_shy)
		return;
	conn->stateful->is_shy = false;
	loop_timer_stop(conn->gateway->loop, &conn->stateful->ack_timer);
	pump(conn);
}

static void on_ack_timer(struct timer *timer)
{
	struct stateful *stateful = CONTAINER_OF(timer, struct stateful, ack_timer);
	struct conn *conn = stateful->conn;
	struct buf frame = BUF_INIT;
	uint64_t id;

	stateful_unhold(conn);
	/* The next transport starts the timer again. */
	if (conn->transport == NULL)
		return;
	id = resend_take_ack(&stateful->resend);
	if (id == 0)
		return;
	hub_encode_sequence(conn->codec, &frame, HUB_MESSAGE_ACK, id);
	conn_send_control(conn, buf_slice(&frame));
	buf_fini(&frame);
}

void stateful_start(struct conn *conn)
{
	struct stateful *stateful = MEM_NEW(struct stateful);

	assert(conn->stateful == NULL && conn->may_resume);
	stateful->conn = conn;
	resend_init(&stateful->resend);
	timer_init(&stateful->ack_timer, on_ack_timer);
	stateful->turns_since_ms = loop_now_ms(conn->gateway->loop);
	conn->stateful = stateful;
	conn->gateway->metrics.stateful_connections++;
}

void stateful_stop(struct conn *conn)
{
	struct stateful *stateful = conn->stateful;

	if (stateful == NULL)
		return;
	loop_timer_stop(conn->gateway->loop, &stateful->ack_timer);
	resend_fini(&stateful->resend);
	mem_free(stateful);
	conn->stateful = NULL;
	conn->gateway->metrics.stateful_connections--;
}

/* ---- out */

void stateful_hold(struct conn *conn)
{
	struct stateful *stateful = conn->stateful;

	stateful->is_shy = true;
	loop_timer_start(conn->gateway->loop, &stateful->ack_timer, SHY_MS);
}

void stateful_send(struct conn *conn, struct blob *wrapped)
{
	resend_add(&conn->stateful->resend, wrapped);
	pump(conn);
}

size_t stateful_waiting_bytes(const struct conn *conn)
{
	const struct resend *resend = &conn->stateful->resend;

	return resend->bytes - resend->given;
}

size_t stateful_kept_bytes(const struct conn *conn)
{
	return conn->stateful->resend.bytes;
}

size_t stateful_kept_bytes_max(const struct conn *conn)
{
	return (size_t)conn->gateway->conf->queue_bytes_max +
	       (size_t)conn->hub->conf->stateful_buffer_bytes_max;
}

void stateful_on_ack(struct conn *conn, uint64_t id)
{
	if (conn->stateful == NULL)
		return;
	if (resend_on_ack(&conn->stateful->resend, id) != OK) {
		/* Microsoft's JavaScript client sends an Ack up to 1 s late, also over
		 * the next connection, which it was not meant for. */
		conn->gateway->metrics.stateful_acks_ahead_total++;
		return;
	}
	pump(conn);
	conn_on_drained(conn);
}

/* ---- in */

static bool is_counted(const struct hub_message *message)
{
	return message->type >= HUB_MESSAGE_INVOCATION &&
	       message->type <= HUB_MESSAGE_CANCEL_INVOCATION;
}

bool stateful_is_new(struct conn *conn, const struct hub_message *message)
{
	struct stateful *stateful = conn->stateful;

	stateful_unhold(conn);
	if (stateful->resend.is_out_of_step)
		return message->type == HUB_MESSAGE_SEQUENCE ||
		       message->type == HUB_MESSAGE_CLOSE;
	if (!is_counted(message))
		return true;
	if (!resend_on_message(&stateful->resend)) {
		conn->gateway->metrics.stateful_repeated_total++;
		return false;
	}
	if (!timer_is_running(&stateful->ack_timer))
		loop_timer_start(conn->gateway->loop, &stateful->ack_timer, ACK_DELAY_MS);
	return true;
}

void stateful_on_sequence(struct conn *conn, uint64_t id)
{
	if (conn->stateful == NULL)
		return;
	if (resend_on_sequence(&conn->stateful->resend, id) != OK)
		conn_close(conn, CONN_CLOSE_PROTOCOL,
			   " InvalidOperationException: Sequence ID greater than amount "
			   "of messages we've received.");
}

/* ---- transports come and go */

void stateful_detach(struct conn *conn, enum conn_close_reason reason)
{
	struct gateway *gateway = conn->gateway;
	struct transport *transport = conn->transport;

	assert(conn->state == CONN_OPEN && transport != NULL);
	log_debug("conn.detached", "reason=%s", conn_close_name(reason));
	gateway->metrics.stateful_detached_total++;
	conn->transport = NULL;
	transport->ops->abort(transport);
	/* What was read and not handled is not acknowledged: it comes again. */
	if (conn->work != NULL)
		buf_fini(&conn->work->partial);
	loop_timer_start(gateway->loop, &conn->timer,
			 gateway->conf->disconnect_timeout_ms);
}

bool stateful_may_attach(const struct conn *conn)
{
	return conn->state == CONN_OPEN && conn->stateful != NULL &&
	       !conn_is_arriving(conn);
}

const struct resend *stateful_resend(const struct conn *conn)
{
	return &conn->stateful->resend;
}

void stateful_arrive(struct conn *conn, struct resend *older, uint64_t first_id,
		     uint64_t received)
{
	resend_put_in_front(&conn->stateful->resend, older, first_id, received);
	conn->stateful->is_moved = true;
}

bool stateful_is_moved(const struct conn *conn)
{
	return conn->stateful != NULL && conn->stateful->is_moved;
}

bool stateful_take_turn(struct conn *conn)
{
	struct stateful *stateful = conn->stateful;
	struct gateway *gateway = conn->gateway;
	const int64_t now_ms = loop_now_ms(gateway->loop);

	if (now_ms - stateful->turns_since_ms >= TURNS_WINDOW_MS) {
		stateful->turns_since_ms = now_ms;
		stateful->turns = 0;
	}
	if (stateful->turns >= gateway->conf->reattach_per_minute_max) {
		gateway->metrics.stateful_refused_total++;
		return false;
	}
	stateful->turns++;
	return true;
}

void stateful_attach(struct conn *conn, struct transport *transport)
{
	struct stateful *stateful = conn->stateful;
	struct gateway *gateway = conn->gateway;
	struct buf frame = BUF_INIT;
	uint64_t first;

	assert(stateful_may_attach(conn) && transport->ops->kind == conn->ops->kind);
	if (conn->transport != NULL)
		stateful_detach(conn, CONN_CLOSE_TRANSPORT);
	gateway->metrics.stateful_attached_total++;
	stateful->is_shy = false;
	conn->transport = transport;
	conn->ops = transport->ops;
	transport->conn = conn;
	if (conn->paused != 0)
		conn->ops->pause(transport, true);
	conn->received_ms = loop_now_ms(gateway->loop);
	first = resend_again(&stateful->resend);
	hub_encode_sequence(conn->codec, &frame, HUB_MESSAGE_SEQUENCE, first);
	conn_send_control(conn, buf_slice(&frame));
	buf_fini(&frame);
	pump(conn);
	/* What the last one did not take is no sign of this one. */
	conn_on_drained(conn);
	if (!timer_is_running(&stateful->ack_timer))
		loop_timer_start(gateway->loop, &stateful->ack_timer, ACK_DELAY_MS);
	conn_timer_next(conn);
}
