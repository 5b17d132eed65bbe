/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Stateful reconnect: a connection that outlives its transport. What was sent is kept
 * until the client has acknowledged it; when the transport breaks, the connection waits
 * disconnect_timeout for the next one, and both sides say again what the other lacks.
 */
#ifndef GATEWAY_STATEFUL_H
#define GATEWAY_STATEFUL_H

#include "gateway/conn.h"

struct resend;

/* The handshake asked for it and the connection may. */
void stateful_start(struct conn *conn);

/* Behind the handshake: what is sent waits until the client says something, which
 * official clients do at once, or for half a second. Microsoft's JavaScript client does
 * not count what comes together with the answer to its handshake, and takes what is sent
 * again for new, or new for sent again. */
void stateful_hold(struct conn *conn);

/* Harmless on a connection that is none or holds nothing. */
void stateful_unhold(struct conn *conn);

/* Ends it with its connection. */
void stateful_stop(struct conn *conn);

/* A counted message for the client: kept, and sent as far as the window lets it. */
void stateful_send(struct conn *conn, struct blob *wrapped);

/* Kept and not given to a transport: the window is full, or there is none. */
size_t stateful_waiting_bytes(const struct conn *conn);

/* All that is kept, given to a transport or not. */
size_t stateful_kept_bytes(const struct conn *conn);

/* ... and how much may be: a window of them, and what may wait. */
size_t stateful_kept_bytes_max(const struct conn *conn);

/* A message was read; false: the client says again what was handled. May close. */
bool stateful_is_new(struct conn *conn, const struct hub_message *message);

void stateful_on_ack(struct conn *conn, uint64_t id);
void stateful_on_sequence(struct conn *conn, uint64_t id);

/* The transport is gone; the connection waits for another. */
void stateful_detach(struct conn *conn, enum conn_close_reason reason);

/* What is kept, for the gateway that takes the connection over; borrowed. */
const struct resend *stateful_resend(const struct conn *conn);

/* It is taken over, as resend_put_in_front() says. */
void stateful_arrive(struct conn *conn, struct resend *older, uint64_t first_id,
		     uint64_t received);

bool stateful_is_moved(const struct conn *conn);

/* There is a connection that would take a new transport. */
bool stateful_may_attach(const struct conn *conn);

/* ... and not too often of late: false, counted, when it was. */
bool stateful_take_turn(struct conn *conn);

/* It goes on with `transport`, of conn->ops' kind, which has not been started yet; one
 * that it still has is aborted. */
void stateful_attach(struct conn *conn, struct transport *transport);

#endif
