/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What hubs may know of the HTTP request that opened a connection's transport: the
 * headers and the query that the hub's options name. Credentials are never among them.
 */
#ifndef GATEWAY_HEADERS_H
#define GATEWAY_HEADERS_H

#include "gateway/hub_conf.h"
#include "proto/base/http_parse.h"
#include "proto/link/link.h"

struct headers;

/* A copy; NULL: nothing. */
struct headers *headers_take(const struct http_request *request,
			     const struct hub_conf *conf);
void headers_free(struct headers *headers);

/* As another gateway took them; NULL: nothing. */
struct headers *headers_from(const Link__Handover *handover);

/* What the client calls itself, cut to a length; borrowed from the request. */
struct slice headers_agent(const struct http_request *request);

/* Fills headers and query; the array is in the arena, the bytes are borrowed. `headers`
 * may be NULL. */
void headers_tell(const struct headers *headers, struct arena *arena,
		  Link__Connected *connected);

#endif
