/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The insides of the hub runtime, shared by hub_runtime.c (queues and fibers), hub_call.c
 * (identity, arguments, values), hub_send.c and hub_await.c. Hubs never include this.
 */
#ifndef ROUTER_HUB_PRIVATE_H
#define ROUTER_HUB_PRIVATE_H

#include "proto/base/arena.h"
#include "proto/base/loop.h"
#include "router/ask.h"
#include "router/hub.h"
#include "router/hub_runtime.h"
#include "router/router.h"

struct fiber;
struct fiber_pool;

struct hub_served {
	const struct hub_module *module; /* borrowed */
};

struct hub_runtime {
	struct router *router;	   /* borrowed */
	struct hub_served *served; /* owned */
	size_t served_n;
	struct fiber_pool *fibers; /* owned */
	struct list ready;	   /* calls to run at the end of the turn */
	struct list waiting;	   /* calls for which there was no fiber */
	size_t confirming_n;	   /* calls whose method is over, but not their sends */
	struct timer retry;	   /* of those waiting, when memory was short */
	struct loop_flush flush;
	struct hub_call *running;
	bool is_starved; /* there was no memory for a fiber */
	bool is_stopping;
};

enum hub_call_kind { HUB_CALL_CONNECTED, HUB_CALL_INVOKE, HUB_CALL_DISCONNECTED };

/*
 * One call, from its place in the connection's queue to its Complete. Everything it
 * holds, itself included, is in its arena.
 */
struct hub_call {
	struct arena arena;
	struct hub_runtime *runtime; /* borrowed */
	struct conn *conn;     /* borrowed; NULL when freed before the confirmation */
	struct list conn_node; /* in conn->calls, or conn->confirming once it is over */
	struct list node;      /* in one of the runtime's lists, or in none */
	enum hub_call_kind kind;
	bool is_over; /* the method has returned, or will not run */
	bool is_stream;
	bool is_answered; /* the client gave an invocation id */
	uint64_t number;  /* the gateway's */
	struct slice invocation_id;
	struct slice target;
	struct slice raw_arguments;
	hub_method_fn *fn;
	const struct value **arguments; /* in the arena */
	size_t arguments_n;
	struct slice *groups;	 /* in the arena: the connection's, by index */
	uint64_t groups_changes; /* conn->groups_changes when it was made */
	struct fiber *fiber;	 /* owned; NULL: not started, or over */
	struct value *result;
	struct slice failure; /* hub_fail()'s text; ptr NULL: none */
	enum hub_rc rc;
	size_t sends_left; /* not confirmed */
	bool has_send_failed;
	int64_t started_us;
};

/* What the call waits for has come: it runs again at the end of the turn. */
void hub_call_wake(struct hub_call *call);

/* Stops the fiber until `*is_done`. */
void hub_call_wait(struct hub_call *call, const bool *is_done);

/* One of its sends is confirmed, or will not be. */
void hub_call_confirmed(struct hub_call *call, enum err rc);

/* Reads the arguments and checks them against the method's letters. ERR_ARGUMENT,
 * ERR_MALFORMED; then `*detail` is for detailed errors, in the arena. */
MUST_CHECK enum err hub_call_bind(struct hub_call *call, const struct hub_method *method,
				  struct slice *detail);

/* Appends the completion frame that tells what became of the call; one too long for a
 * link becomes an error. */
void hub_call_encode(struct hub_call *call, struct buf *frame);

#endif
