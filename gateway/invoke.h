/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A client's calls on their way through a router: Invoke out, Complete back, exactly one
 * for each. When the router that had a call is lost, its client is told that the outcome
 * is unknown; a call that had not left yet waits for the router's return.
 */
#ifndef GATEWAY_INVOKE_H
#define GATEWAY_INVOKE_H

#include "gateway/gateway.h"
#include "proto/wire/hub_message.h"

/* Sends it to the connection's shard; pauses the connection at invocations_max. */
void invoke(struct conn *conn, const struct hub_message *message);

/* The client wants no more of a stream. */
void invoke_cancel(struct conn *conn, const struct hub_message *message);

/* Has a call under way that id? */
bool invoke_is_under_way(const struct conn *conn, struct slice invocation_id);

/* A message of a call under way, or a call that the client is to answer. */
void invoke_on_push(struct gateway *gateway, const Link__Push *push);

void invoke_on_complete(struct gateway *gateway, const Link__Complete *complete);

/* For the gateway that takes the connection over: the calls under way. The array and its
 * items are in the arena, the bytes are borrowed. */
void invoke_tell(const struct conn *conn, struct arena *arena,
		 Link__HandoverCall ***calls, size_t *n);

/* One of the calls of a connection that is taken over; `router` has it. */
void invoke_arrive(struct conn *conn, struct gateway_router *router,
		   const Link__HandoverCall *from);

/* All that the other gateway has heard is known: its calls that are not in `rest` are
 * complete. May pause the connection. */
void invoke_arrived(struct conn *conn, const Link__HandoverRest *rest);

/* The connection is gone: nobody waits for its calls. */
void invoke_forget(struct conn *conn);

/*
 * The router is gone, and the calls it had handled with it. Their clients are told at the
 * end of the turn, by router->flush: what they send next must stand behind the replay.
 */
void invoke_on_lost(struct gateway_router *router);
void invoke_on_flush(struct loop_flush *flush);

/* ---- another router takes over */

/* The connection's calls at others than its owner are waited for: reshard.h. */
void invoke_leave(struct conn *conn, const struct gateway_router *owner);

/* They have been waited for long enough: all calls of a connection that has not moved,
 * and those that were left at a router, end with an unknown outcome. */
void invoke_end(struct conn *conn);
void invoke_end_left(struct gateway_router *router);

/* It is no router of ours any more. */
void invoke_on_left(struct gateway_router *router);

#endif
