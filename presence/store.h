/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where presence keeps who is here. One interface, so that a store in this process's
 * memory and one that several replicas share are the same to everyone else: every
 * operation ends in one call of `done`, before it returns or in a later turn of the loop;
 * what is passed to an operation may die when it returns. Operations take effect in the
 * order in which they were asked for.
 */
#ifndef PRESENCE_STORE_H
#define PRESENCE_STORE_H

#include <stddef.h>
#include <stdint.h>

#include "presence/session.h"
#include "proto/base/err.h"
#include "proto/base/list.h"
#include "proto/base/slice.h"

struct store;
struct store_call;

struct store_user {
	struct slice id;
	struct slice name;
	size_t connections_n;
	int64_t since_unix_ms;
};

/* What an operation found or changed; which fields it sets is said beside it. Slices and
 * arrays die when `done` returns. */
struct store_answer {
	enum err rc;
	size_t users_online;  /* came online by the change */
	size_t users_offline; /* went offline by the change */
	size_t connections_n; /* gone, or existing */
	size_t users_n;	      /* existing, or length of `users` */
	const struct store_user *users;
	const struct session_info *sessions;
	size_t sessions_n;
	struct slice next; /* the cursor of the next page; empty: this was the last */
};

typedef void store_done_fn(struct store_call *call, const struct store_answer *answer);

/* One operation under way; embedded in the struct of whoever asked, who keeps it until
 * `done` is called and may free it there. */
struct store_call {
	store_done_fn *done;
	struct list node; /* the store's, meanwhile */
};

/* Any operation may also end with ERR_IO, ERR_TIMEOUT or ERR_CLOSED: the store could not
 * be asked, or went away before it answered. */
struct store_ops {
	/* OK with users_online 1 (the user's first connection) or 0. As sessions_add().
	 */
	void (*add)(struct store *store, const struct session_info *info,
		    struct store_call *call);

	/* OK with users_offline 1 (no connection of the user is left) or 0. As
	 * sessions_remove(). */
	void (*remove)(struct store *store, const struct session_gateway_id *gateway,
		       struct slice hub, struct slice connection,
		       struct store_call *call);

	/* OK with connections_n that went and users_offline. */
	void (*remove_gateway)(struct store *store,
			       const struct session_gateway_id *gateway,
			       struct store_call *call);

	/* OK with one of `users` and at most `limit` of its connections in `sessions`;
	 * ERR_NOT_FOUND. */
	void (*user)(struct store *store, struct slice id, size_t limit,
		     struct store_call *call);

	/* OK with one of `sessions`, whichever its hub; ERR_NOT_FOUND. */
	void (*connection)(struct store *store, struct slice id, struct store_call *call);

	/*
	 * OK with at most `limit` of `users` and `next`. An empty cursor asks for the
	 * first page. Whoever stays online while all pages are read is in exactly one of
	 * them. ERR_ARGUMENT: a cursor that is none of ours.
	 */
	void (*list)(struct store *store, struct slice cursor, size_t limit,
		     struct store_call *call);

	/* OK with users_n and connections_n. */
	void (*count)(struct store *store, struct store_call *call);

	/* Ends what is under way with ERR_CLOSED. */
	void (*free)(struct store *store);
};

/* First member of a backend's struct. */
struct store {
	const struct store_ops *ops;
};

static inline void store_call_init(struct store_call *call, store_done_fn *done)
{
	call->done = done;
	list_init(&call->node);
}

/* In this process's memory: calls `done` before it returns. The arguments are those of
 * sessions_init(). */
struct store *store_memory_new(size_t sessions_max, uint64_t last_serial, uint64_t seed);

#endif
