/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The transport of a stateful connection whose WebSocket is at another gateway
 * (tunnel.h). What it sends is wrapped as for a WebSocket here, so that it is shared with
 * those.
 */
#ifndef GATEWAY_TRANSPORT_TUNNEL_H
#define GATEWAY_TRANSPORT_TUNNEL_H

#include "gateway/gateway.h"

/* A WEB_SOCKET that came in elsewhere for a connection that may take it: answers and, if
 * it is not too often, gives the connection its new transport. */
void transport_tunnel_accept(struct conn *conn, struct gateway_router *router,
			     const Link__Request *request);

/* From the end that has the socket. What is for nobody is passed over. */
void transport_tunnel_on_message(struct gateway *gateway, const Link__Tunnel *message);

/* Those through this router end; their connections wait. */
void transport_tunnels_on_lost(struct gateway_router *router);

/* The same, and it is no router of ours any more. */
void transport_tunnels_on_left(struct gateway_router *router);

extern const struct transport_ops transport_tunnel_ops;

#endif
