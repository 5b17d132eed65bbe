/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the owner of a key does when it is asked. `origin` is the router that asks and
 * gets the answer; NULL is this router itself, whose asks are answered directly.
 */
#ifndef ROUTER_SHARD_H
#define ROUTER_SHARD_H

#include "proto/link/link.h"

struct router;
struct router_gateway;

void shard_on_member(struct router *router, struct router_gateway *gateway,
		     const Link__Member *member);

/* Delivers to every gateway with members; Sent goes back when all of them have it. */
void shard_on_send(struct router *router, struct link_peer *origin,
		   const Link__Send *send);

void shard_on_list_members(struct router *router, struct link_peer *origin,
			   const Link__ListMembers *list);
void shard_on_log_append(struct router *router, struct link_peer *origin,
			 const Link__LogAppend *append);
void shard_on_log_read(struct router *router, struct link_peer *origin,
		       const Link__LogRead *read);

#endif
