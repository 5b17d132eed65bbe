/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the owner of a key does when it is asked. `origin` is the router that asks and
 * gets the answer; NULL is this router itself, whose asks are answered directly.
 */
#ifndef ROUTER_SHARD_H
#define ROUTER_SHARD_H

#include <stdbool.h>

#include "proto/link/link.h"

struct arena;
struct group;
struct router;
struct router_gateway;

void shard_on_member(struct router *router, struct router_gateway *gateway,
		     const Link__Member *member);

/* Delivers to every gateway with members; Sent goes back when all of them have it. */
void shard_on_send(struct router *router, struct link_peer *origin,
		   const Link__Send *send);

/* Too much waits for a gateway that it goes to. */
bool shard_is_crowded(struct router *router, const Link__Send *send);

void shard_on_list_members(struct router *router, struct link_peer *origin,
			   const Link__ListMembers *list);

/* A router that asks for what is not ours goes by a map that is over, and is refused by
 * ERR_MOVED: certainly nothing was done. */
bool shard_is_fenced(struct router *router, const struct link_peer *origin,
		     ProtobufCBinaryData hub, Link__Kind kind, ProtobufCBinaryData name);

/* A gateway that has not come to our map yet names us what is another router's by now,
 * and will not tell us its end. Before there is a map everybody goes by a list of his
 * own. */
bool shard_has_moved(struct router *router, ProtobufCBinaryData hub, Link__Kind kind,
		     ProtobufCBinaryData name);

/* In `arena`; what it says of the group is borrowed from it. */
Link__GroupSize *shard_group_size(struct arena *arena, const struct group *group);

#endif
