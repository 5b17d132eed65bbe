/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The long polling transport: hub messages wait until the client asks for them with a
 * GET, a poll, which waits in its turn until there are some. What the client sends comes
 * by POST (inbox.h).
 *
 * A transport outlives its connection: what was queued is polled still, and the poll
 * after that is told the end. Its host finds it by the connection's id until then.
 *
 * The answer to a poll that came in at another gateway may be lost with the router that
 * passes it on. It is kept until the client polls on, and given to the same poll again.
 */
#ifndef GATEWAY_TRANSPORT_LP_H
#define GATEWAY_TRANSPORT_LP_H

#include <stdbool.h>

#include "gateway/conf.h"
#include "gateway/inbox.h"
#include "gateway/metrics.h"
#include "gateway/reply.h"
#include "gateway/transport.h"

/* One answer holds whole hub messages, at least one and no more than this: it has to fit
 * into a message between gateways. The rest is for the next poll. */
#define LP_ANSWER_BYTES_MAX (1u << 20)

struct gateway;
struct hub;
struct lp_host;

/* `conf` and `metrics` are borrowed; poll_timeout and disconnect_timeout are read when
 * they are needed. */
struct lp_host *lp_host_new(struct loop *loop, const struct gateway_conf *conf,
			    struct gateway_metrics *metrics, uint64_t seed);

/* Ends those whose connections are gone, as all must be. */
void lp_host_free(struct lp_host *host);

/* The transport of that id is freed, and its host does not find it any more. */
typedef void lp_gone_fn(struct gateway *gateway, const struct hub *hub, struct slice id);

/* Tells `gateway` from now on. */
void lp_host_set_on_gone(struct lp_host *host, struct gateway *gateway,
			 lp_gone_fn *on_gone);

/* A client that has not polled for that long may have gone: its poll was cut at another
 * gateway, say, and it has begun anew. */
#define LP_COMES_BACK_MS 2000

/* Nothing is left that a client should still be given, and may still come for. NULL is
 * legal. */
bool lp_host_is_quiet(const struct lp_host *host);

/* By its connection's id, on that hub; NULL: none. A NULL host has none. */
struct transport *lp_host_find(const struct lp_host *host, const struct hub *hub,
			       struct slice id);

/* For a connection of that id, which nobody has yet; set transport->conn before the first
 * poll. */
struct transport *transport_lp_new(struct lp_host *host, const struct hub *hub,
				   struct slice id);

/* A poll: answered at once when it is the first, or was answered before; else with the
 * next bytes, after poll_timeout, when a newer one takes its place, or at the end. */
void transport_lp_poll(struct transport *transport, struct reply *reply);

/* The client wants no more: ends connection and transport, and forgets what is queued. */
void transport_lp_delete(struct transport *transport);

extern const struct transport_ops transport_lp_ops;

#endif
