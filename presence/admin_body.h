/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Bodies of requests: JSON objects of few members, read strictly. A member that is not
 * known is refused, for it might be one that a later version takes for something. Pure.
 */
#ifndef PRESENCE_ADMIN_BODY_H
#define PRESENCE_ADMIN_BODY_H

#include <stdbool.h>

#include "proto/base/arena.h"
#include "proto/base/err.h"
#include "proto/base/slice.h"

#define ADMIN_TARGET_BYTES_MAX 1024u
#define ADMIN_REASON_BYTES_MAX 1024u
#define ADMIN_EXCLUDED_MAX 1000u

/* {"target": "...", "arguments": [...], "excluded": ["connection id", ...]} */
struct admin_send {
	struct slice target;
	struct slice arguments; /* as it stands in the body; "[]" when absent */
	struct slice *excluded; /* in the arena */
	size_t excluded_n;
};

/* {"reason": "...", "allowReconnect": false} */
struct admin_reason {
	struct slice reason;
	bool allow_reconnect;
};

/*
 * ERR_MALFORMED: it is no JSON; ERR_ARGUMENT: not this JSON, and `problem` is a constant
 * that says why. What is decoded lives in the arena or in `body`.
 */
MUST_CHECK enum err admin_body_send(struct slice body, struct arena *arena,
				    struct admin_send *send, const char **problem);

/* {"routers": "r1=tcp://...,r2=tcp://..."} */
MUST_CHECK enum err admin_body_routers(struct slice body, struct arena *arena,
				       struct slice *routers, const char **problem);

/* An empty body is legal and says nothing. */
MUST_CHECK enum err admin_body_reason(struct slice body, struct arena *arena,
				      struct admin_reason *reason, const char **problem);

#endif
