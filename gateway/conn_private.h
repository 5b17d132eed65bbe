/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The insides that conn.c (life, timers, the cluster) and conn_in.c (what is read) share.
 * Nobody else includes this.
 */
#ifndef GATEWAY_CONN_PRIVATE_H
#define GATEWAY_CONN_PRIVATE_H

#include "gateway/conn.h"

/* ---- conn.c */

/* The handshake is done: the cluster learns of the connection. May close it. */
void conn_open(struct conn *conn);

/* Answers the handshake with `error` and closes. */
void conn_refuse_handshake(struct conn *conn, struct slice error);

/* Sets the timer to what comes first, a keep-alive or the client's timeout. */
void conn_timer_next(struct conn *conn);

/* ---- conn_in.c */

/* conn->resume: reads on where the pause began. */
void conn_on_resume(struct loop_flush *flush);

#endif
