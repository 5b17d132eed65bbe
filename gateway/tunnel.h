/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A WebSocket here for a connection that another gateway holds. Its frames are read here
 * and their payloads sent on through the router; what comes back is written as it is.
 * transport_tunnel.h is the other end. The tunnel ends with its socket, its router or the
 * other gateway; the connection then waits for the client's next socket.
 */
#ifndef GATEWAY_TUNNEL_H
#define GATEWAY_TUNNEL_H

#include <stdbool.h>
#include <stdint.h>

#include "proto/base/slice.h"
#include "proto/link/link.h"

/* Of one direction, sent and not yet passed on: no client fills a link that all share. */
#define TUNNEL_WINDOW_BYTES (256u << 10)

/* So old is a tunnel before a drain ends it, if there is time. */
#define TUNNEL_SETTLE_MS 500

/* One message holds no more, but one frame at least. */
#define TUNNEL_DATA_BYTES_MAX (64u << 10)

struct forward;
struct gateway;
struct gateway_router;
struct transport;

/* What either end knows of the two directions. */
struct tunnel_flow {
	uint64_t sent;
	uint64_t sent_taken; /* ... and passed on by the other end */
	uint64_t received;
	uint64_t told; /* of received: what the other end knows to be passed on */
};

/* May more be sent now? */
bool tunnel_flow_is_open(const struct tunnel_flow *flow);

/* `held` of the received bytes are not passed on yet: is it time to tell of the others?
 */
bool tunnel_flow_owes(const struct tunnel_flow *flow, size_t held);

/* The request that `forward` was made for is answered: gateway `holder` holds the
 * connection. Takes the transport, a WebSocket that has no connection, and starts it. */
void tunnel_open(struct gateway *gateway, const struct forward *forward,
		 struct slice holder, struct transport *transport);

/* The answer opened one, but its client is gone: the other end is told. */
void tunnel_refuse(struct gateway_router *router, const Link__Response *response);

void tunnel_on_message(struct gateway *gateway, const Link__Tunnel *message);

void tunnels_on_lost(struct gateway_router *router);

/* The gateway leaves: some clients at most come back through another one, of those that
 * have spoken and been here for TUNNEL_SETTLE_MS. */
void tunnels_close(struct gateway *gateway, size_t some);

void tunnels_close_all(struct gateway *gateway);

#endif
