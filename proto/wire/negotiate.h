/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The negotiate answer, versions 0 and 1. Errors are HTTP 200 with {"error"}.
 */
#ifndef PROTO_WIRE_NEGOTIATE_H
#define PROTO_WIRE_NEGOTIATE_H

#include <stdbool.h>
#include <stdint.h>

#include "proto/base/arena.h"
#include "proto/base/buf.h"
#include "proto/base/err.h"
#include "proto/base/slice.h"

/* Bits of a hub's or listener's transports, in the order they are offered. */
#define TRANSPORT_WEBSOCKETS 1u
#define TRANSPORT_SSE 2u
#define TRANSPORT_LONG_POLLING 4u

struct negotiate_answer {
	int version;	     /* 0 or 1 */
	struct slice id;     /* connectionId */
	struct slice token;  /* connectionToken, version 1 only */
	unsigned transports; /* TRANSPORT_ bits */
	bool is_stateful;    /* useStatefulReconnect, only when asked and allowed */
};

/*
 * The version to answer with, from the raw query string. ERR_MALFORMED (not an integer)
 * and ERR_UNSUPPORTED (below `version_min`) set `*error`, in the arena, to the text of
 * the answer.
 */
MUST_CHECK enum err negotiate_version(struct slice query, int version_min,
				      struct arena *arena, int *version,
				      struct slice *error);

void negotiate_encode(struct buf *out, const struct negotiate_answer *answer);

/* The client is to negotiate at `url`, and with `token` from then on; empty: its own. */
void negotiate_encode_redirect(struct buf *out, struct slice url, struct slice token);
void negotiate_encode_error(struct buf *out, struct slice error);

#endif
