/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The way from a client to the server for transports whose way back is an answer that
 * goes on: POST requests, one at a time so that they stay in order, each with all that
 * was queued meanwhile.
 */
#ifndef BENCH_POSTER_H
#define BENCH_POSTER_H

#include "bench/carrier.h"

struct poster;

/* A request was refused or got no answer; `why` is a constant. Nothing more is sent. */
typedef void poster_fn(struct poster *poster, const char *why);

struct poster {
	struct http_ask ask;
	struct http_pool *pool; /* borrowed */
	struct loop *loop;	/* borrowed */
	struct loop_flush flush;
	poster_fn *fn;
	struct buf line;    /* owned; a request without its method, up to its headers */
	struct buf pending; /* owned; what is to be sent next */
	bool is_text;
};

void poster_init(struct poster *poster, const struct carrier_target *target,
		 poster_fn *fn);

/* What is queued or under way is forgotten. */
void poster_fini(struct poster *poster);

/* At the end of this turn, or when the last request is answered. */
void poster_send(struct poster *poster, struct slice bytes);

/* Forgets what is queued, and sends a DELETE. `fn` is called when it is over, with why
 * NULL, however it went. */
void poster_delete(struct poster *poster);

#endif
