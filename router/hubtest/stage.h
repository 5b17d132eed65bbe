/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A whole router without sockets. The router, its link and its peers are real; the peers
 * have no stream, so what is sent to them waits in their sessions, where it is read here,
 * and what they say is handed to the router from here. Presence is one of them, up and
 * the router's home from the start.
 */
#ifndef ROUTER_HUBTEST_STAGE_H
#define ROUTER_HUBTEST_STAGE_H

#include "proto/link/link.h"
#include "router/router.h"

struct stage {
	struct loop *loop;     /* owned */
	struct router *router; /* owned */
	struct link_peer *presence;
};

/* Makes the router, which is r1, on a loop that is the stage's from now on; `conf` is
 * filled in and outlives both. */
void stage_init(struct stage *stage, struct loop *loop, const struct router_conf *conf);

/* Gives it its link, and presence. */
void stage_open(struct stage *stage);

/* Stops the router as the program does. */
void stage_fini(struct stage *stage);

/* A gateway that has just come up, and has not replayed. */
struct link_peer *stage_gateway(struct stage *stage, const char *name);

/* The next message for that peer, the only one in its batch; NULL: there is none. Owned
 * by the caller, for link__batch__free_unpacked(). */
Link__Batch *stage_said(struct link_peer *peer);

/* The peer has handled all that stage_said() returned. */
void stage_ack(struct link_peer *peer);

/* The peer says this; packed and unpacked once, so that nothing of it outlives the call.
 */
void stage_hear(struct link_peer *peer, const Link__Envelope *envelope);

#endif
