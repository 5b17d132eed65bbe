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

struct arena;
struct hub_codec;
struct hub_runtime;
struct hub_served;
struct router;

/* Serves the hubs that `names` lists; an unknown one ends the program. */
struct hub_runtime *hub_runtime_new(struct router *router, const char *names);

/* One more, which outlives the runtime. Before the first connection. */
void hub_runtime_serve(struct hub_runtime *runtime, const struct hub_module *module);

/* Cancels what is under way and runs it to its end; all connections are freed. The links
 * must still be there. */
void hub_runtime_free(struct hub_runtime *runtime);

/* Cancels all streams, also those that begin later: what is under way may be finished,
 * but they need not end. */
void hub_runtime_drain(struct hub_runtime *runtime);

/* There is room on a link: methods that stream go on. */
void hub_on_room(struct hub_runtime *runtime);

/* Sends no longer wait: calls begin again. */
void hub_on_sends_left(struct hub_runtime *runtime);

/* Nothing is running or waiting. */
bool hub_runtime_is_idle(const struct hub_runtime *runtime);

/* The configuration was read again. */
void hub_runtime_reload(struct hub_runtime *runtime);

/* The connection is freed: so is what hubs kept of it. */
void hub_items_free(struct conn *conn);

/* ... goes to another router; in `arena`, with bytes of the connection's. ... has come
 * from there. */
void hub_items_write(const struct conn *conn, struct arena *arena,
		     Link__Released *released);
void hub_items_take(struct conn *conn, Link__Item *const *items, size_t n);

/* NULL: not served. */
const struct hub_served *hub_find(const struct hub_runtime *runtime, struct slice name);
struct slice hub_served_name(const struct hub_served *hub);

void hub_connected(struct conn *conn);
void hub_disconnected(struct conn *conn, struct slice reason);
void hub_invoke(struct conn *conn, const Link__Invoke *invoke);

/* The client wants no more of this stream; an unknown one is passed over. */
void hub_cancel(struct conn *conn, struct slice invocation_id);

/* Whether streams to the client rest. */
void hub_flow(struct conn *conn, bool is_blocked);

/* An item of a stream that the client sends up; the end of such a stream, or what the
 * client answers to a question. Unknown ids are passed over. */
void hub_stream_item(struct conn *conn, const Link__StreamItem *message);
void hub_client_completion(struct conn *conn, const Link__ClientCompletion *message);

/* A router wants the client's answer; `peer` NULL: this one. */
void hub_question(struct router *router, struct link_peer *peer,
		  const Link__Question *message);

/* Whether a hub has something to do when users come or go. */
bool hub_users_wanted(const struct hub_runtime *runtime);

/* A user came or went: the hubs that want to know run, those whose user it is here. */
void hub_user_changed(struct router *router, bool is_online, struct slice user_id,
		      struct slice user_name);

/* The completion for a call that is not even tried. `why`: a sentence for the client. */
void hub_encode_refusal(const struct hub_codec *codec, struct buf *frame,
			struct slice invocation_id, struct slice target, const char *why);

#endif
