/* SPDX-License-Identifier: Apache-2.0 */
/*
 * SIGTERM: no new client; connections with stateful reconnect are handed to other
 * gateways (handover.h), all others told to reconnect when their calls are over, at a
 * pace that does not storm those gateways; then wait until the shards know that all are
 * gone.
 */
#ifndef GATEWAY_DRAIN_H
#define GATEWAY_DRAIN_H

#include "gateway/gateway.h"

/* So old may a connection without a handshake be and still come to its end. */
#define DRAIN_HANDSHAKE_MS 2000

void drain_start(struct gateway *gateway);
void drain_on_timer(struct timer *timer);

/* The process ends: tells how the drain went, and counts those that are still here. */
void drain_stop(struct gateway *gateway);

/* Tells the client to reconnect, as soon as its calls are over. */
void drain_evict(struct conn *conn);

/* One of its calls is over. May close it. */
void drain_on_call_over(struct conn *conn);

#endif
