/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A request about a connection that is not held here: the router that owns the connection
 * is asked, which passes it to the gateway that holds it, or lets this one hold it.
 */
#ifndef GATEWAY_FORWARD_H
#define GATEWAY_FORWARD_H

#include <stdbool.h>
#include <stdint.h>

#include "proto/base/err.h"
#include "proto/base/list.h"
#include "proto/base/loop.h"
#include "proto/base/map.h"
#include "proto/link/link.h"

/* "Ask again soon" means after this. */
#define FORWARD_AGAIN_MS 50

/* A request is not done any more when all but this part of its time is over: its client
 * must not be told that it is unknown, say something else, and see that overtaken. */
#define FORWARD_MARGIN_SHARE 4

/* Of forward_timeout: what a poll is answered earlier than it must be. */
#define FORWARD_POLL_MARGIN_SHARE 2

/* How much of its time a request has left that is good for so long. */
static inline int64_t forward_left_ms(int64_t good_ms)
{
	return good_ms * FORWARD_MARGIN_SHARE / (FORWARD_MARGIN_SHARE - 1);
}

struct forward;
struct gateway;
struct gateway_router;
struct hub;

/* What there is to answer. When nothing was to be had in time, or when the router that
 * had a POST was lost, 503; 404 to a poll whose answer may be lost: its client must not
 * poll on as if there had been none. It is over, and may be freed or started again. */
typedef void forward_fn(struct forward *forward, const Link__Response *response);

/* Part of the gateway. */
struct forwards {
	struct map pending; /* by number */
	uint64_t last_number;
};

/* Embedded in whoever asks, who sets these before the start; the slices stay as long. */
struct forward {
	struct gateway *gateway; /* borrowed */
	const struct hub *hub;	 /* borrowed */
	struct slice id;
	struct slice body;
	Link__RequestKind kind;
	bool may_claim;
	forward_fn *fn;

	/* Its own. */
	struct gateway_router *router; /* that was asked last */
	uint64_t number; /* of the request that is out, else of the last one */
	struct map_node node;
	struct list router_node; /* linked while a request is out */
	struct session_ticket ticket;
	struct timer timer;
	int64_t end_ms;
	uint64_t poll_id;
	unsigned doubts; /* times that it may have been answered, and the answer lost */
	bool is_started;
	bool is_handled; /* the router has it: only the answer is missing */
	bool is_lost;	 /* ... and is gone */
};

void forwards_init(struct gateway *gateway, uint64_t seed);

/* Nothing may be left. */
void forwards_fini(struct gateway *gateway);

/* ERR_LIMIT: forwards_max are under way. While the router's link is full it waits; `fn`
 * is not called from inside. */
MUST_CHECK enum err forward_start(struct forward *forward);

/* Nobody waits any more; harmless when it is over or never began. */
void forward_stop(struct forward *forward);

void forward_on_response(struct gateway_router *router, const Link__Response *response);

/* What the router knew is gone. */
void forwards_on_lost(struct gateway_router *router);

/* A router that leaves, and is there, has not answered all of ours. */
bool forwards_are_owed(const struct gateway *gateway);

/* It is no router of ours any more. */
void forwards_on_left(struct gateway_router *router);

/* gateway_router->forward_flush */
void forward_on_flush(struct loop_flush *flush);

#endif
