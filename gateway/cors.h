/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which web pages may talk to a hub: the rule about the Origin header, and the answer
 * headers by which a browser lets a page of another origin read what we say. Origins are
 * compared part by part and whole, never by a pattern. Pure.
 */
#ifndef GATEWAY_CORS_H
#define GATEWAY_CORS_H

#include <stdbool.h>

#include "proto/base/buf.h"
#include "proto/base/http_parse.h"
#include "proto/base/slice.h"

enum cors_verdict {
	CORS_NO_ORIGIN, /* no browser, or a request that it sends without */
	CORS_SAME,	/* the page was loaded from here */
	CORS_LISTED,	/* of another origin, and that is allowed */
	CORS_FOREIGN	/* neither, or not to be understood */
};

/* What the request was sent to. */
struct cors_site {
	bool is_https;
	struct slice host; /* the Host header's value */
};

/* Is the option's value a list of origins, "null" and "*"? */
bool cors_is_list(const char *origins);

/* `origins` is the option's value. `*origin` is set for CORS_LISTED: what to echo,
 * borrowed from the request. */
MUST_CHECK enum cors_verdict cors_judge(const char *origins, const struct cors_site *site,
					const struct http_request *request,
					struct slice *origin);

/* Is it the question whether a request of another origin may be sent? */
bool cors_is_preflight(const struct http_request *request);

/* Appends the lines that let a page of `origin` read the answer. */
void cors_allow(struct buf *headers, struct slice origin);

/* Appends the lines of the answer to a preflight, beside those of cors_allow(). */
void cors_allow_more(struct buf *headers, const struct http_request *request);

#endif
