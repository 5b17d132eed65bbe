/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An HTTP request about a connection that still waits for its answer. Who answers does
 * not know whether it waits at this gateway (reply_http.c) or at another one (forward.c).
 */
#ifndef GATEWAY_REPLY_H
#define GATEWAY_REPLY_H

#include <stdbool.h>
#include <stdint.h>

#include "proto/base/slice.h"

struct reply;

/* A poll that came in elsewhere, whose answer may be lost on its way. */
struct reply_poll {
	uint64_t id;	 /* of this poll, however often it is asked; 0: it came in here */
	unsigned doubts; /* times that it was asked before, and perhaps answered */
	int64_t wait_ms; /* for no longer than this; 0: poll_timeout alone */
};

struct reply_answer {
	int status;
	bool is_binary;	   /* application/octet-stream, else text/plain */
	struct slice body; /* copied */
};

struct reply_ops {
	/* Answers and frees it. Never calls back. */
	void (*answer)(struct reply *reply, const struct reply_answer *answer);
};

/* First member of each kind's own struct. */
struct reply {
	const struct reply_ops *ops;

	/* Set by who keeps it to answer later: whoever asked is gone. The reply is freed
	 * when the function returns. NULL: it is answered before its giver returns. */
	void (*on_gone)(struct reply *reply);
	/* Likewise: it is to be answered now, with what there is. NULL: it is soon, by
	 * itself. */
	void (*on_hurry)(struct reply *reply);
	void *owner; /* of both; borrowed */
	struct reply_poll poll;
};

static inline void reply_answer(struct reply *reply, int status, struct slice text)
{
	const struct reply_answer answer = { .status = status, .body = text };

	reply->ops->answer(reply, &answer);
}

#endif
