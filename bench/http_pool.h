/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Short requests of all clients of a worker (negotiate, POST, DELETE, tokens) over a few
 * connections that are kept alive, as from behind a proxy: a connection of its own for
 * each would cost a descriptor a client, and a port that stays taken for a minute.
 */
#ifndef BENCH_HTTP_POOL_H
#define BENCH_HTTP_POOL_H

#include "bench/stream.h"
#include "proto/base/list.h"

/* At once; more requests wait. */
#define HTTP_POOL_CONNS_MAX 256

struct http_pool; /* opaque */
struct http_ask;

/* `status` 0: no answer came, and `body` says why in a few words. */
typedef void http_ask_fn(struct http_ask *ask, int status, struct slice body);

/* One request at a time; embedded in its owner. */
struct http_ask {
	struct list node;
	http_ask_fn *fn;
	struct http_pool_conn *conn; /* borrowed; NULL: not begun */
	struct buf request;	     /* owned; whole: head and body */
	bool is_busy;
	bool is_retried;
};

/* What the connections go to is borrowed. */
struct http_pool *http_pool_new(struct intake *intake, const struct sockaddr_in *server);

/* Who still waits hears that there is no answer. NULL is legal. */
void http_pool_free(struct http_pool *pool);

/* A request waits or is under way. */
bool http_pool_is_busy(const struct http_pool *pool);

void http_ask_init(struct http_ask *ask, http_ask_fn *fn);

/* Forgets what is under way; the server may act on it all the same. */
void http_ask_fini(struct http_ask *ask);

/* Sends ask->request, which is whole. Calls back later, once; then it may ask again. */
void http_pool_ask(struct http_pool *pool, struct http_ask *ask);

#endif
