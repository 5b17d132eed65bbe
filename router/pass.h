/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Requests that came in at one gateway for a connection that another one holds: passed
 * on, and their answers back. Each is remembered until it is answered, and a tunnel until
 * one end closes it, so that both gateways hear of it when the other one is lost.
 */
#ifndef ROUTER_PASS_H
#define ROUTER_PASS_H

#include "proto/base/map.h"
#include "proto/link/link.h"

struct router;
struct router_gateway;

struct passes {
	struct map by_call; /* by the asker's name and number */
};

void passes_init(struct passes *passes, uint64_t seed);
void passes_fini(struct passes *passes);

void pass_on_request(struct router *router, struct router_gateway *origin,
		     const Link__Request *request);
void pass_on_response(struct router *router, struct router_gateway *holder,
		      const Link__Response *response);
void pass_on_tunnel(struct router *router, struct router_gateway *from,
		    const Link__Tunnel *tunnel);

/* Before the gateway's claims are forgotten. */
void passes_on_gateway_lost(struct router *router, struct router_gateway *gateway);

#endif
