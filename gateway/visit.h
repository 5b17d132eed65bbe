/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One request on its way through the routes of the client listener, and what all routes
 * need of it. A visit lives while its request is being handled.
 */
#ifndef GATEWAY_VISIT_H
#define GATEWAY_VISIT_H

#include <stdbool.h>

#include "gateway/conn.h"
#include "gateway/proxy.h"
#include "gateway/token.h"
#include "proto/base/arena.h"
#include "proto/base/buf.h"
#include "proto/base/err.h"
#include "proto/base/http_server.h"
#include "proto/link/link.h"

struct visit {
	struct gateway *gateway;
	struct http_conn *conn;
	const struct http_request *request;
	struct proxy_view view; /* who it comes from, and to where */
	struct hub *hub;	/* NULL until the path was found to name one */
	struct user *user;	/* owned; NULL until it is asked who it is */
	struct buf headers;	/* whole lines that every answer carries */
	struct arena arena;
};

/* The connection that a request names by its token. */
struct visit_id {
	struct token token;
	bool is_there; /* else nothing of it is set */
	bool is_fresh; /* it may open a connection; else only belong to an open one */
};

/* `headers` are whole lines beside those of the visit. */
void visit_respond_empty(struct visit *visit, int status, struct slice headers);

void visit_respond_text(struct visit *visit, int status, const char *text);

/* 503: counted, and the client is asked to come again. */
void visit_respond_busy(struct visit *visit);

/* 429: the client is asked to come again after so many seconds. */
void visit_respond_later(struct visit *visit, int64_t seconds);

void visit_respond_json(struct visit *visit, struct slice body);

/* The user of the access token, anonymous without one. NULL: a token was there and bad,
 * or it is not enough for the hub; answered. */
MUST_CHECK struct user *visit_authenticate(struct visit *visit);

/* Of the request's user, who must be known. Not OK: it names none of ours; answered. */
MUST_CHECK enum err visit_find_id(struct visit *visit, struct visit_id *id);

/* What the hub's clients may connect by: TRANSPORT_ bits of proto/wire/negotiate.h. */
unsigned visit_transports(const struct visit *visit);

/* Who answers the request later, with the visit's headers and those of its kind. */
struct reply *visit_reply(struct visit *visit, Link__RequestKind kind);

/* How long a token may open a connection. */
int64_t visit_id_age_max_s(const struct gateway *gateway);

#endif
