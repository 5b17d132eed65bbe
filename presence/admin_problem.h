/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What can be the matter with a request to the admin API (RFC 9457): one list of
 * problems, each with a type that never changes, its status and its title. docs/API.md
 * tells what to do about each. Pure.
 */
#ifndef PRESENCE_ADMIN_PROBLEM_H
#define PRESENCE_ADMIN_PROBLEM_H

#include <stdbool.h>
#include <stdint.h>

#include "proto/base/buf.h"
#include "proto/base/err.h"
#include "proto/base/slice.h"

/* The type is "urn:heliograph:problem:" and the second column. */
#define ADMIN_PROBLEMS(X)                                                                \
	X(ADMIN_BAD_REQUEST, "bad-request", 400, "The request is not understood")        \
	X(ADMIN_BAD_CURSOR, "bad-cursor", 400, "The cursor is none of this API's")       \
	X(ADMIN_BAD_BODY, "bad-body", 400, "The body is not JSON")                       \
	X(ADMIN_UNAUTHORIZED, "unauthorized", 401, "The token is missing or wrong")      \
	X(ADMIN_NO_CERTIFICATE, "no-certificate", 403, "A client certificate is needed") \
	X(ADMIN_FOREIGN, "foreign", 403, "The request comes from a foreign page")        \
	X(ADMIN_NO_PATH, "no-path", 404, "There is no such path")                        \
	X(ADMIN_NOT_HERE, "not-here", 404, "There is no such thing here")                \
	X(ADMIN_METHOD, "method", 405, "The path does not know the method")              \
	X(ADMIN_CONFIGURED, "configured", 409, "The configuration says otherwise")       \
	X(ADMIN_TOO_LARGE, "too-large", 413, "The body is too large")                    \
	X(ADMIN_MEDIA_TYPE, "media-type", 415, "The body is not application/json")       \
	X(ADMIN_BAD_MEMBER, "bad-member", 422, "A member of the body will not do")       \
	X(ADMIN_REFUSED, "refused", 422, "The cluster refuses to do it")                 \
	X(ADMIN_STORE_AWAY, "store-away", 503, "The store does not answer")              \
	X(ADMIN_BUSY, "busy", 503, "Too much is under way")                              \
	X(ADMIN_UNAVAILABLE, "unavailable", 503, "Nobody is there to do it")             \
	X(ADMIN_UNKNOWN, "outcome-unknown", 503, "It may have been done, or not")        \
	X(ADMIN_TIMEOUT, "timeout", 504, "No answer in time: it may have been done")

enum admin_problem {
#define ADMIN_PROBLEM_ENUM(name, type, status, title) name,
	ADMIN_PROBLEMS(ADMIN_PROBLEM_ENUM)
#undef ADMIN_PROBLEM_ENUM
};

#define ADMIN_PROBLEM_TYPE "urn:heliograph:problem:"

int admin_problem_status(enum admin_problem problem);

struct admin_problem_details {
	const char *detail;    /* for people; NULL: the title says it all */
	struct slice instance; /* the path asked for, as it was sent; empty: not known */
	int64_t stale_ms;      /* STORE_AWAY: for so long; -1: not said */
	int64_t done_n;	       /* how many were done before; -1: not said */
};

#define ADMIN_PROBLEM_DETAILS                                                            \
	((struct admin_problem_details){ .stale_ms = -1, .done_n = -1 })

void admin_problem_write(struct buf *out, enum admin_problem problem,
			 const struct admin_problem_details *details);

/* One that the HTTP server itself found: without a type of ours. */
void admin_problem_write_status(struct buf *out, int status, const char *title);

/* Of what a gateway or router answered (`is_asked`), or of why it was not asked. */
enum admin_problem admin_problem_of(enum err rc, bool is_asked);

#endif
