/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The hub API: all that the author of a hub needs. A hub is a table of methods; a method
 * is straight-line C that reads its arguments, sends, awaits, and returns.
 *
 * - A method runs in a fiber on the router's only thread. Between two hub_await_*() calls
 *   nothing else runs, so there are no locks; what was read before an await may be stale
 *   after it. Methods must not block.
 * - One client's calls run one after another, in the order they were sent, unless the hub
 *   allows it more at once (invocations_parallel_max). A method that streams, either way,
 *   runs beside the others from its turn on.
 * - Everything a call makes or is given lives until the call ends: nothing is freed by
 *   hand, nothing may be kept. Values borrow the strings they are made of. A method that
 *   streams for long calls hub_scratch().
 * - An invocation is completed without error only when everything it sent is in the
 *   queues of every gateway with receivers.
 *
 * The headers included here are the API; no other of the router's is for hubs.
 */
#ifndef ROUTER_HUB_H
#define ROUTER_HUB_H

#include "router/hub_abi.h" /* HUB_EXPORT() */
#include "router/hub_await.h"
#include "router/hub_call.h"
#include "router/hub_changes.h"
#include "router/hub_item.h"
#include "router/hub_log.h"
#include "router/hub_rc.h"
#include "router/hub_redis.h"
#include "router/hub_state.h"
#include "router/hub_to.h"
#include "router/hub_typed.h"
#include "router/hub_value.h"

#define HUB_API_VERSION 4

typedef enum hub_rc hub_method_fn(struct hub_call *call);

struct hub_method {
	const char *name; /* matched without regard to case */
	hub_method_fn *fn;
	/*
	 * One letter an argument: s string, i integer, n number, b bool, y bytes (in JSON
	 * a string in base64), a array, m object, v any value; a last '*' takes any
	 * number more. Calls that do not match fail before the method runs. '~' is a
	 * stream that the client sends: it is none of the arguments and is read by its
	 * own index, the first being 0.
	 */
	const char *arguments;
	bool is_stream; /* answers with a stream: hub_await_item() */
	/* The caller needs one of these roles, "admin,ops"; "*": any user that is known.
	 * NULL: anybody. */
	const char *roles;
};

struct hub_module {
	int api_version;  /* HUB_API_VERSION; stays the first member */
	const char *name; /* the <name> in /hubs/<name>, of a-z, 0-9, _ and - */
	const struct hub_method *methods;
	size_t methods_n;
	/* Before the first method of a connection. Failing ends the connection; none of
	 * its methods runs then. May be NULL. */
	hub_method_fn *on_connected;
	/* The last call of every connection, also of one that on_connected refused; its
	 * result is ignored. Groups can still be read. May be NULL. */
	hub_method_fn *on_disconnected;
	/*
	 * A user's first connection is there; none is left. Presence says so, of all hubs
	 * and gateways together, and one router of the cluster runs the call. It has a
	 * user and no connection: hub_user_id() and hub_user_name() tell who, the rest
	 * that is known of a caller is empty. Its result is logged when it is not HUB_OK.
	 * May be NULL.
	 */
	hub_method_fn *on_user_online;
	hub_method_fn *on_user_offline;
	/*
	 * Run around methods and the four above, the first around all others: a filter
	 * goes on with hub_next() and may look at what it returned, or ends the call
	 * without it. It is called with a call whose arguments fit, and may await.
	 * Connections come and go through filters also where the hub has no function.
	 */
	hub_method_fn *const *filters;
	size_t filters_n; /* <= HUB_FILTERS_MAX */
	const struct hub_option *options;
	size_t options_n;		  /* <= HUB_OPTIONS_MAX */
	const char *const *counters;	  /* names for hub_count(), lower_case */
	size_t counters_n;		  /* <= HUB_COUNTERS_MAX */
	const struct hub_script *scripts; /* for hub_await_script() */
	size_t scripts_n;
};

#define HUB_FILTERS_MAX 16u
#define HUB_OPTIONS_MAX 64u
#define HUB_COUNTERS_MAX 64u

/* From a filter: runs what is inside it and returns what that ended with. */
enum hub_rc hub_next(struct hub_call *call);

#endif
