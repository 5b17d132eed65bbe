/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The insides that conn.c (life, timers), conn_in.c (what is read), conn_out.c (what is
 * sent), conn_shard.c (what the cluster is told) and stateful.c share.
 * Nobody else includes this.
 */
#ifndef GATEWAY_CONN_PRIVATE_H
#define GATEWAY_CONN_PRIVATE_H

#include "gateway/conn_in.h"
#include "gateway/conn_out.h"
#include "gateway/conn_work.h"

struct gateway_router;

/* ---- conn.c */

/* The handshake is done: the cluster learns of the connection. May close it. */
void conn_open(struct conn *conn);

/* Answers the handshake with `error` and closes. */
void conn_refuse_handshake(struct conn *conn, struct slice error);

/* Sets the timer to what comes first: a keep-alive, the client's timeout, the end of its
 * token. */
void conn_timer_next(struct conn *conn);

/* ---- conn_in.c */

/* Another router runs its hub: what was held for it is handled at the end of the turn. */
void conn_on_moved(struct conn *conn);

/* work->resume: reads on where the pause began. */
void conn_on_resume(struct loop_flush *flush);

/* ---- conn_rate.c: may pause the reading */

void conn_count_message(struct conn *conn);
void conn_on_rate_timer(struct timer *timer);

/* ---- conn_out.c */

void conn_send_control_wrapped(struct conn *conn, struct blob *wrapped);
void conn_send_ping(struct conn *conn);

/* Tells the shard when the client has begun, or ceased, to keep up. */
void conn_tell_flow(struct conn *conn);

/* ---- conn_shard.c */

void conn_shard_init(struct conn_work *work);

/* Leaves its keys and its shard; until both have confirmed it tries again. Then the
 * struct is freed. */
void conn_disconnect(struct conn *conn);

/* To one that is told of it, in a replay. */
MUST_CHECK enum err conn_announce_to(struct conn *conn,
				     const struct gateway_router *router);

/* Its owner runs its hub from now on; `released` is what the last one did say of it, or
 * NULL. */
MUST_CHECK enum err conn_announce_moved(struct conn *conn,
					const Link__Released *released);

MUST_CHECK enum err conn_announce_flow(struct conn *conn, bool is_blocked);

/* ---- conn.c: the rules of conn_close.h */

/* The hub is told of an end that is not in order by its name; NULL: it was in order. */
const char *conn_close_error_name(enum conn_close_reason reason);

#endif
