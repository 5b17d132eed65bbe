/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the router calls to have hubs run: the served hubs, and calls put into a
 * connection's queue. Calls start at the end of the loop turn, so nothing here calls
 * back.
 */
#ifndef ROUTER_HUB_RUNTIME_H
#define ROUTER_HUB_RUNTIME_H

#include "proto/base/buf.h"
#include "router/conn.h"
#include "router/hub.h"

struct hub_runtime;
struct hub_served;
struct router;

/* Serves the built-in hubs that `names` lists; an unknown one ends the program. */
struct hub_runtime *hub_runtime_new(struct router *router, const char *names);

/* One more, which outlives the runtime. Before the first connection. */
void hub_runtime_serve(struct hub_runtime *runtime, const struct hub_module *module);

/* Cancels what is under way and runs it to its end; all connections are freed. The links
 * must still be there. */
void hub_runtime_free(struct hub_runtime *runtime);

/* Nothing is running or waiting. */
bool hub_runtime_is_idle(const struct hub_runtime *runtime);

/* NULL: not served. */
const struct hub_served *hub_find(const struct hub_runtime *runtime, struct slice name);
struct slice hub_served_name(const struct hub_served *hub);

void hub_connected(struct conn *conn);
void hub_disconnected(struct conn *conn);
void hub_invoke(struct conn *conn, const Link__Invoke *invoke);

/* The completion for a call that is not even tried. `why`: a sentence for the client. */
void hub_encode_refusal(struct buf *frame, struct slice invocation_id,
			struct slice target, const char *why);

#endif
