/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a client does before it has a connection: gets an access token from a server under
 * development, when it is to, and negotiates. One is made for each time.
 */
#ifndef BENCH_NEGOTIATION_H
#define BENCH_NEGOTIATION_H

#include <stdbool.h>

#include "bench/carrier.h"
#include "proto/base/slice.h"

struct client;
struct negotiation; /* opaque */

struct negotiation_plan {
	const struct carrier_site *site; /* outlives the negotiation */
	const char *transport; /* as negotiate names it; NULL: skip negotiation */
	struct slice user;     /* ask POST /dev/token for him; empty: do not */
	struct slice bearer;   /* the token, unless asked for; may be empty */
};

/* The slices are valid during the call. */
struct negotiation_result {
	const char *why;     /* what went wrong, a constant; NULL: nothing */
	struct slice detail; /* of what went wrong; may be empty */
	struct slice id;     /* for the query: connection token, or id of older servers */
	struct slice connection_id;
	struct slice bearer;
};

/* Called once, later; the negotiation is freed after it. */
typedef void negotiation_fn(struct client *client,
			    const struct negotiation_result *result);

struct negotiation *negotiation_start(struct client *client,
				      const struct negotiation_plan *plan,
				      negotiation_fn *fn);

/* Forgets it. NULL is legal. */
void negotiation_cancel(struct negotiation *negotiation);

#endif
