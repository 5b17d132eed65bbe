/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The insides of the hub runtime: calls, and what they hold. Hubs never include this.
 */
#ifndef ROUTER_HUB_PRIVATE_H
#define ROUTER_HUB_PRIVATE_H

#include "proto/base/arena.h"
#include "proto/base/loop.h"
#include "proto/wire/hub_codec.h"
#include "router/ask.h"
#include "router/hub.h"
#include "router/hub_runtime.h"
#include "router/hub_served.h"
#include "router/router.h"

struct fiber;
struct fiber_pool;
struct hub_item;
struct hub_modules;
struct hub_upload;
struct hub_wait;

struct hub_runtime {
	struct router *router;	     /* borrowed */
	struct hub_modules *modules; /* owned */
	struct hub_served *served;   /* owned */
	size_t served_n;
	struct fiber_pool *fibers; /* owned */
	struct list begun;	   /* calls whose turn has come and is not over */
	struct list ready;	   /* those to run at the end of the turn */
	struct list waiting;	   /* those for which there was no fiber */
	struct list held;      /* queued: those that the backlog keeps from beginning */
	struct list crediting; /* uploads of which the gateway gets credit */
	size_t confirming_n;   /* calls whose method is over, but not their sends */
	struct map questions;  /* that clients are to answer, by id */
	uint64_t last_question;
	struct timer retry; /* of those waiting, when memory was short */
	struct loop_flush flush;
	size_t user_calls_n; /* hub_user.c: under way */
	struct hub_call *running;
	bool is_starved; /* there was no memory for a fiber */
	bool is_draining;
	bool is_stopping;
};

/*
 * One call, from its place in the connection's queue to its Complete. What it holds,
 * itself included, is in its arena, unless said otherwise.
 */
struct hub_call {
	struct arena arena;
	struct arena scratch; /* what the method makes behind hub_scratch() */
	bool is_scratch;
	struct hub_runtime *runtime; /* borrowed */
	struct conn *conn;     /* borrowed; NULL when freed before the confirmation */
	struct list conn_node; /* in conn->queue, then ->begun, then ->confirming */
	struct list begun_node;
	struct list node; /* in one of the runtime's lists, or in none */
	enum hub_call_kind kind;
	bool is_over;	  /* the method has returned, or will not run */
	bool is_stream;	  /* the client asked for a stream */
	bool is_beside;	  /* streams either way: runs beside the others */
	bool is_answered; /* the client gave an invocation id */
	bool is_canceled; /* awaits return HUB_ECANCELED */
	bool is_unwanted; /* ... because the client said so, or is gone */
	uint64_t number;  /* the gateway's */
	struct slice invocation_id;
	struct slice target;
	struct slice raw_arguments;
	struct slice raw_headers;
	const struct hub_method *method; /* borrowed; NULL: there is none */
	hub_method_fn *fn;		 /* NULL: there are filters alone */
	size_t depth;			 /* how many of the filters have begun */
	struct slice reason;		 /* of on_disconnected */
	const struct value **arguments;
	size_t arguments_n;
	struct value *headers;	 /* NULL: not read yet, or none */
	struct value *claims;	 /* the same */
	struct slice *groups;	 /* the connection's, by index; where values live */
	uint64_t groups_changes; /* conn->groups_changes when it was made */
	struct fiber *fiber;	 /* owned; NULL: not started, or over */
	struct timer timer;	 /* of a sleep */
	struct hub_wait *wait;	 /* of the answer it awaits, used again and again */
	bool is_asking;		 /* that one is under way */
	struct hub_item *items;	 /* array: items that the gateway has not confirmed */
	size_t items_n;
	bool is_streaming;	    /* the first item has left */
	size_t streams_sent;	    /* by the client, as it says */
	struct hub_upload *uploads; /* array: those, when they are as many as wanted */
	size_t uploads_n;
	struct value *result;
	struct slice refusal; /* the whole text, when no method ran; ptr NULL: none */
	struct slice failure; /* what hub_fail() appends; ptr NULL: none */
	struct slice client_error; /* what a client answered last; where values live */
	struct slice passed;	   /* ... and a HUB_FAILED that an await had returned */
	enum hub_rc rc;
	size_t sends_left; /* not confirmed */
	bool has_send_failed;
	bool is_misused; /* the method broke a rule of the API */
	int64_t started_us;
};

/* Where the method's values live. */
static inline struct arena *hub_arena(struct hub_call *call)
{
	return call->is_scratch ? &call->scratch : &call->arena;
}

#endif
