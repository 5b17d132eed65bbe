/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The operator's listener that every program has: /healthz and /livez (the loop turns),
 * /readyz (200, or 503 with the reason), /metrics. A program may serve more paths on it.
 */
#ifndef PROTO_BASE_HEALTH_H
#define PROTO_BASE_HEALTH_H

#include "proto/base/http_server.h"
#include "proto/base/metrics.h"

struct health;

struct health_options {
	const char *address; /* as http_options.address */
	const struct metrics_table *metrics;
	const void *values; /* what the table is of; borrowed */
	/* Brings the values up to date before they are read; may be NULL. */
	void (*count)(void *owner);
	/* NULL when ready, else a constant sentence why not. */
	const char *(*why_not_ready)(void *owner);
	/* For the paths that are not ours; NULL: they are answered 404. The rules are
	 * those of http_request_fn. */
	void (*on_request)(void *owner, struct http_conn *conn,
			   const struct http_request *request);
	/* As http_options.on_gone, when those are answered later; else NULL. */
	http_gone_fn *on_gone;
	http_refuse_fn
		*on_refuse;	  /* as http_options.on_refuse, which gets the owner by */
	void *owner;		  /* health_owner(). */
	int64_t body_bytes_max;	  /* 0: 64 KiB */
	struct tls *tls;	  /* referenced; NULL: plain HTTP */
	struct http_stats *stats; /* counted here; borrowed, may be NULL */
};

/* Ends the program when it cannot listen. An empty address gives NULL: no such listener.
 */
struct health *health_open(struct loop *loop, const struct health_options *options);
void health_close(struct health *health); /* NULL is legal */

/* Of a connection of such a listener: options.owner. */
void *health_owner(const struct http_conn *conn);

/* Of connections from now on. */
void health_set_tls(struct health *health, struct tls *tls);

/* "127.0.0.1:8090" as it really listens, for the ready line; "-" for NULL. */
const char *health_address(const struct health *health);

#endif
