/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The admin API's routes: one table from which follow dispatch, what a path allows, and
 * which requests are acts; presence/openapi.json describes the same, which a test
 * compares.
 */
#ifndef PRESENCE_ADMIN_ROUTE_H
#define PRESENCE_ADMIN_ROUTE_H

#include <stdbool.h>

#include "proto/base/buf.h"
#include "proto/base/err.h"
#include "proto/base/slice.h"

#define ADMIN_PARAMS_MAX 3

struct admin;
struct admin_request;

/* Answers at once or makes a task. `request` dies on return. */
typedef void admin_handler(struct admin *admin, const struct admin_request *request);

enum admin_body { ADMIN_BODY_NONE, ADMIN_BODY_OPTIONAL, ADMIN_BODY_NEEDED };

struct admin_route {
	const char *method; /* "GET" serves HEAD as well */
	const char *path;   /* "/api/v1/users/{userId}": a parameter is a whole segment */
	const char *name;   /* its operationId; the log's act= */
	admin_handler *fn;
	enum admin_body body;
	bool is_act;	/* it changes something */
	bool is_public; /* asks for no token */
};

extern const struct admin_route admin_routes[];
extern const size_t admin_routes_n;

/*
 * `params` are the path's own, still encoded. ERR_NOT_FOUND: no such path;
 * ERR_UNSUPPORTED: not by this method.
 */
MUST_CHECK enum err admin_route_find(struct slice method, struct slice path,
				     const struct admin_route **route,
				     struct slice params[ADMIN_PARAMS_MAX]);

/* "GET, HEAD, DELETE": what may be asked of a path. */
void admin_route_allow(struct slice path, struct buf *out);

/* The name of the parameter `i` of a route's path; empty: it has no more. */
struct slice admin_route_param(const struct admin_route *route, size_t i);

#endif
