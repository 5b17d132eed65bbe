/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the files of the admin API share: the listener's state, a request as its route
 * sees it, and how it is answered.
 */
#ifndef PRESENCE_ADMIN_PRIVATE_H
#define PRESENCE_ADMIN_PRIVATE_H

#include "presence/admin.h"
#include "presence/admin_auth.h"
#include "presence/admin_page.h"
#include "presence/admin_problem.h"
#include "presence/admin_route.h"
#include "presence/presence.h"
#include "proto/base/arena.h"
#include "proto/base/health.h"

struct admin {
	struct presence *presence; /* borrowed */
	struct health *health;	   /* owned; NULL: does not listen */
	struct admin_auth auth;
	struct arena arena; /* of the request being handled */
	struct buf body;    /* of the answer being written */
	struct list tasks;
	size_t users_n; /* when the store last told */
	size_t connections_n;
	struct list watchers; /* admin_events.c's */
	uint64_t seed;	      /* random: of this life */
};

struct admin_request {
	struct http_conn *conn;
	const struct http_request *http;
	const struct admin_route *route;
	struct slice params[ADMIN_PARAMS_MAX]; /* decoded, as the path names them */
	struct admin_actor actor;
};

/* ---- answers (admin_answer.c) */

/* With what was appended to admin->body, which is empty then. */
void admin_respond(struct admin *admin, struct http_conn *conn, int status);
void admin_respond_problem(struct admin *admin, struct http_conn *conn,
			   enum admin_problem problem,
			   const struct admin_problem_details *details);

/* Of a handler that answers at once; `detail` may be NULL. */
void admin_refuse(struct admin *admin, const struct admin_request *request,
		  enum admin_problem problem, const char *detail);

/* 405, with what the path allows. */
void admin_refuse_method(struct admin *admin, const struct admin_request *request);

/* What the HTTP server refuses by itself. */
http_refuse_fn admin_on_refuse;

/* As admin_respond() with 200 and an ETag, or 304 when the client has the same. */
void admin_respond_tagged(struct admin *admin, const struct admin_request *request);

/* The same of what tells the time, too: it is another one when `version` is. */
void admin_respond_versioned(struct admin *admin, const struct admin_request *request,
			     uint64_t version);

/* `limit` and `cursor` of the query; false: refused. The cursor lives in admin->arena. */
MUST_CHECK bool admin_read_page(struct admin *admin, const struct admin_request *request,
				enum admin_list list, struct admin_page *page);

/* As above: `prefix` of the query, which may be absent. */
MUST_CHECK bool admin_read_prefix(struct admin *admin,
				  const struct admin_request *request,
				  struct slice *prefix);

#endif
