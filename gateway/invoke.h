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

void invoke_on_complete(struct gateway *gateway, const Link__Complete *complete);

/* The connection is gone: nobody waits for its calls. */
void invoke_forget(struct conn *conn);

/*
 * The router is gone, and the calls it had handled with it. Their clients are told at the
 * end of the turn, by router->flush: what they send next must stand behind the replay.
 */
void invoke_on_lost(struct gateway_router *router);
void invoke_on_flush(struct loop_flush *flush);

#endif
