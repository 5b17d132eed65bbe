/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A connection as the shard that owns it sees it: who it is, which gateway holds it, what
 * it has joined, and its calls, whose turns come in the order they were sent. Being
 * connected and disconnected are calls like the others, the first and the last.
 */
#ifndef ROUTER_CONN_H
#define ROUTER_CONN_H

#include <stdbool.h>

#include "proto/base/list.h"
#include "proto/base/map.h"
#include "proto/link/link.h"

struct conn_item;
struct handover;
struct hub_call;
struct hub_codec;
struct hub_served;
struct router;
struct router_gateway;

#define CONN_ROLES_MAX 64   /* more are not taken */
#define CONN_HEADERS_MAX 64 /* neither are these */

/* The name is as the client wrote it. */
struct conn_header {
	struct slice name; /* these point into the connection's bytes */
	struct slice value;
};

struct conn_group {
	struct list node;
	struct slice name; /* into bytes */
	char bytes[];
};

struct conn {
	struct map_node node;		/* by id: in router->conns, or gone in ->going */
	struct router *router;		/* borrowed */
	struct router_gateway *gateway; /* borrowed; NULL once the gateway is lost */
	struct list gateway_node;
	struct conn *before, *next;    /* had its id, and still ends; has its id by now */
	struct handover *handover;     /* owned; NULL: none is under way */
	const struct hub_served *hub;  /* borrowed */
	const struct hub_codec *codec; /* of its protocol */
	Link__Transport transport;
	struct slice id; /* these point into bytes */
	struct slice user_id;
	struct slice user_name;
	struct slice claims; /* JSON, or empty */
	struct slice query;  /* of the request that opened the transport */
	const struct slice *roles;
	const struct conn_header *headers; /* of that request */
	uint32_t roles_n;
	uint32_t headers_n;
	bool is_refused;    /* on_connected failed: no method runs */
	bool is_gone;	    /* Disconnected came: the last call is in the queue */
	bool is_blocked;    /* the client does not keep up: streams to it rest */
	bool is_standby;    /* another router runs its hub's code */
	bool is_releasing;  /* ... will, once the calls here are over */
	bool is_inherited;  /* on standby, and no other router runs it any more */
	struct list groups; /* of struct conn_group */
	uint32_t groups_n;
	uint32_t groups_changes; /* by which a call's index of them ages */
	struct list queue;	 /* of struct hub_call: those whose turn has not come */
	struct list begun;	 /* those under way */
	struct list confirming;	 /* those whose method is over, but not their sends */
	uint32_t begun_n;	 /* of those begun: all */
	uint32_t begun_beside_n; /* ... and those that run beside the others */
	uint32_t invokes_n;	 /* of all three lists */
	uint32_t questions_n;
	struct list uploads;	 /* streams that the client sends up, the newest last */
	struct list questions;	 /* that the client is to answer */
	struct conn_item *items; /* owned; hub_item.c: what hubs keep of it */
	struct slice bytes[];	 /* headers and roles, then all their text */
};

/* Stands for a user that comes or goes: no client's, in no table. */
struct conn *conn_new_user(struct router *router, const struct hub_served *hub,
			   struct slice user_id, struct slice user_name);

/* NULL: not ours, or of another hub. */
struct conn *conn_find(const struct router *router, ProtobufCBinaryData hub,
		       ProtobufCBinaryData id);

void conn_on_connected(struct router *router, struct router_gateway *gateway,
		       const Link__Connected *connected);
void conn_on_disconnected(struct router *router, const struct router_gateway *gateway,
			  const Link__Disconnected *disconnected);
void conn_on_invoke(struct router *router, struct router_gateway *gateway,
		    const Link__Invoke *invoke);
void conn_on_cancel(struct router *router, const struct router_gateway *gateway,
		    const Link__Cancel *cancel);
void conn_on_flow(struct router *router, const struct router_gateway *gateway,
		  const Link__Flow *flow);
void conn_on_stream_item(struct router *router, const struct router_gateway *gateway,
			 const Link__StreamItem *item);
void conn_on_client_completion(struct router *router,
			       const struct router_gateway *gateway,
			       const Link__ClientCompletion *completion);

/* Join for one of our connections: to its gateway; Joined: from there, to who asked. */
void conn_on_join(struct router *router, struct link_peer *origin,
		  const Link__Join *join);
void conn_on_joined(struct router *router, const Link__Joined *joined);

/* Those, and none but those. */
void conn_set_groups(struct conn *conn, const ProtobufCBinaryData *names, size_t n);
/* All connections of a lost gateway end. */
void conns_on_gateway_lost(struct router *router, struct router_gateway *gateway);
/* It leaves the table, and its last call comes into its queue. */
void conn_end(struct conn *conn, struct slice reason);

/* Its last call has run. Returns who has its id by now, whose calls waited, or NULL. */
struct conn *conn_over(struct conn *conn);
void conn_free(struct conn *conn);

#endif
