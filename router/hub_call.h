/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Part of the hub API (router/hub.h): what a call is, who makes it, with which arguments,
 * and what it answers.
 */
#ifndef ROUTER_HUB_CALL_H
#define ROUTER_HUB_CALL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "proto/base/slice.h"
#include "proto/wire/value.h"
#include "router/hub_rc.h"

/* ---- the call */

enum hub_call_kind {
	HUB_CALL_CONNECTED,
	HUB_CALL_INVOKE,
	HUB_CALL_DISCONNECTED,
	HUB_CALL_USER_ONLINE,
	HUB_CALL_USER_OFFLINE,
};

enum hub_call_kind hub_call_kind(const struct hub_call *call);

/* As the hub's table writes it; of the others "on_connected", "on_disconnected",
 * "on_user_online", "on_user_offline". */
struct slice hub_method_name(const struct hub_call *call);

/* In on_disconnected why the connection ended; empty: in order, and everywhere else. */
struct slice hub_disconnect_reason(const struct hub_call *call);

/* ---- who calls */

struct slice hub_connection_id(const struct hub_call *call); /* empty: none calls */
struct slice hub_user_id(const struct hub_call *call);	     /* empty: anonymous */
struct slice hub_user_name(const struct hub_call *call); /* the name claim, else the id */
bool hub_has_role(const struct hub_call *call, struct slice role);
struct value *hub_roles(struct hub_call *call); /* an array of strings */

/* The claims of the token, a map; NULL: none. A claim of it; NULL: it has none such. */
const struct value *hub_claims(struct hub_call *call);
const struct value *hub_claim(struct hub_call *call, const char *name);

/* "WebSockets", "ServerSentEvents" or "LongPolling"; "" when none calls. */
const char *hub_transport(const struct hub_call *call);

/* Of the HTTP request that opened the transport, as far as the hub's options allow
 * (request_headers, request_query), name without regard to case; of the message of this
 * call. ptr NULL: absent. */
struct slice hub_request_header(const struct hub_call *call, const char *name);
struct slice hub_request_query(struct hub_call *call, const char *name);
struct slice hub_header(struct hub_call *call, const char *name);

/* The groups this connection has joined, as far as its calls up to now have. */
size_t hub_groups_n(const struct hub_call *call);
struct slice hub_group_at(struct hub_call *call, size_t index);

/* ---- arguments: checked against the method's letters before it runs */

size_t hub_args_n(const struct hub_call *call);
const struct value *hub_arg(const struct hub_call *call, size_t index);
struct slice hub_arg_string(const struct hub_call *call, size_t index);
int64_t hub_arg_int(const struct hub_call *call, size_t index);
double hub_arg_number(const struct hub_call *call, size_t index);
bool hub_arg_bool(const struct hub_call *call, size_t index);
struct slice hub_arg_bytes(const struct hub_call *call, size_t index);

/* ---- answering */

/* The invocation's result; without it the client gets null. */
void hub_return(struct hub_call *call, struct value *result);

/* Fails the invocation with a text for the client: `return hub_fail(call, "...")`. */
enum hub_rc hub_fail(struct hub_call *call, const char *fmt, ...) PRINTF_LIKE(2, 3);

/* Fails it with a text that only a hub with detailed_errors shows; `type` is the kind of
 * exception the text is shown under: "InvalidOperationException". */
enum hub_rc hub_throw(struct hub_call *call, const char *type, const char *fmt, ...)
	PRINTF_LIKE(3, 4);

/* Ends the caller's connection, without a reconnect, once what was sent has left. */
void hub_abort(struct hub_call *call);

#endif
