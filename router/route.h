/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Takes a message to the owner of its key: another router over its link, or this one by a
 * plain call. An ask that is given with it is numbered already and is answered in any
 * case, perhaps before the function returns.
 */
#ifndef ROUTER_ROUTE_H
#define ROUTER_ROUTE_H

#include "proto/link/link.h"
#include "router/ask.h"

struct router;

/* `send->call` is set from `ask`; NULL: nobody waits. */
void route_send(struct router *router, Link__Send *send, struct ask *ask);

/* It is for a key of ours, or for all; `origin` NULL: it is from us. */
bool route_is_own(const struct router *router, const struct link_peer *origin,
		  const Link__Send *send);

/* Too much waits for those it goes to from here; `origin` NULL: it is ours. */
bool route_is_crowded(struct router *router, const struct link_peer *origin,
		      const Link__Send *send);

void route_join(struct router *router, Link__Join *join, struct ask *ask);
void route_list_members(struct router *router, Link__ListMembers *list, struct ask *ask);
void route_question(struct router *router, Link__Question *question, struct ask *ask);

/* Back to who asked; NULL: ourselves. */
void route_joined(struct router *router, struct link_peer *origin,
		  const Link__Joined *joined);

/* By the name in it. */
void route_joined_home(struct router *router, const Link__Joined *joined);

#endif
