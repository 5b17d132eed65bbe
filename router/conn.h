/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A connection as the shard that owns it sees it: who it is, which gateway holds it, what
 * it has joined, and its calls, which run one after another in the order they came. Being
 * connected and disconnected are calls like the others, the first and the last.
 */
#ifndef ROUTER_CONN_H
#define ROUTER_CONN_H

#include <stdbool.h>

#include "proto/base/list.h"
#include "proto/base/map.h"
#include "proto/link/link.h"

struct hub_call;
struct hub_served;
struct router;
struct router_gateway;

#define CONN_ROLES_MAX 64 /* more are not taken */

struct conn_group {
	struct list node;
	struct slice name; /* into bytes */
	char bytes[];
};

struct conn {
	struct map_node node;		/* in router->conns, by id */
	struct router *router;		/* borrowed */
	struct router_gateway *gateway; /* borrowed; NULL once the gateway is lost */
	struct list gateway_node;
	const struct hub_served *hub; /* borrowed */
	struct slice id;	      /* these point into bytes */
	struct slice user_id;
	struct slice user_name;
	struct slice *roles; /* owned */
	size_t roles_n;
	bool is_refused;    /* on_connected failed: no method runs */
	bool is_gone;	    /* Disconnected came: the last call is in the queue */
	struct list groups; /* of struct conn_group */
	size_t groups_n;
	uint64_t groups_changes; /* by which a call's index of them ages */
	struct list calls;	 /* of struct hub_call, the running one first */
	struct list confirming;	 /* calls whose method is over, but not their sends */
	size_t invokes_n;	 /* of both lists */
	char *bytes;		 /* owned */
};

/* NULL: not ours, or of another hub. */
struct conn *conn_find(const struct router *router, ProtobufCBinaryData hub,
		       ProtobufCBinaryData id);

void conn_on_connected(struct router *router, struct router_gateway *gateway,
		       const Link__Connected *connected);
void conn_on_disconnected(struct router *router, const struct router_gateway *gateway,
			  const Link__Disconnected *disconnected);
void conn_on_invoke(struct router *router, struct router_gateway *gateway,
		    const Link__Invoke *invoke);

/* Join for one of our connections: to its gateway; Joined: from there, on to who asked.
 */
void conn_on_join(struct router *router, struct link_peer *origin,
		  const Link__Join *join);
void conn_on_joined(struct router *router, const Link__Joined *joined);

/* All connections of a lost gateway end. */
void conns_on_gateway_lost(struct router *router, struct router_gateway *gateway);

/* Its last call has run, or the process ends. */
void conn_free(struct conn *conn);

#endif
