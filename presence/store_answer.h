/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a store (store.h) answers and tells, and the handle of an operation under way.
 */
#ifndef PRESENCE_STORE_ANSWER_H
#define PRESENCE_STORE_ANSWER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "presence/session.h"
#include "proto/base/err.h"
#include "proto/base/list.h"
#include "proto/base/slice.h"
#include "proto/link/shard_map.h"

struct store_call;

struct store_user {
	struct slice id;
	struct slice name;
	size_t connections_n;
	int64_t since_unix_ms;
};

enum store_change {
	STORE_ONLINE,
	STORE_OFFLINE,
	STORE_RESET, /* what was told before may be wrong: ask again who is here */
};

/* One change of who is here. `id` grows from event to event, in the order of bytes of
 * equal length ("01795336372955-0000000042"), and is the same at every replica. */
struct store_event {
	struct slice id;
	enum store_change change;
	struct slice user_id;	/* empty with RESET */
	struct slice user_name; /* empty: none */
	int64_t at_unix_ms;
};

/* What replicas share about shards. */
struct store_shards {
	struct shard_offer map; /* the greatest that was told; epoch 0: none was */
	struct slice target;	/* the list of routers that is wanted, or empty */
	struct slice leader;	/* the replica that makes maps, or empty */
	/* Of shards_step(): nobody goes by the map any more, and what was wanted of those
	 * who did is not wanted of those who go by the next one. */
	bool is_over;
};

/* What an operation found or changed; which fields it sets is said beside it. Slices and
 * arrays die when `done` returns. */
struct store_answer {
	enum err rc;
	uint64_t registration;
	size_t users_online;  /* came online by the change */
	size_t users_offline; /* went offline by the change */
	size_t connections_n; /* gone, or existing */
	size_t users_n;	      /* existing, or length of `users` */
	bool is_more;	      /* there is more to do at once */
	const struct store_user *users;
	const struct session_info *sessions;
	size_t sessions_n;
	const struct store_event *events;
	size_t events_n;
	const struct store_shards *shards;
	struct slice next; /* the cursor of the next page; empty: this was the last */
};

typedef void store_done_fn(struct store_call *call, const struct store_answer *answer);

/* One operation under way; embedded in the struct of whoever asked, who keeps it until
 * `done` is called and may free it there. */
struct store_call {
	store_done_fn *done;
	struct list node; /* the store's, meanwhile */
};

static inline void store_call_init(struct store_call *call, store_done_fn *done)
{
	call->done = done;
	list_init(&call->node);
}

/* Whom the store tells. Both may be called from inside an operation; NULL: nobody. */
struct store_watcher {
	/* A change, whichever replica made it: every change once, in the order of ids. */
	void (*on_event)(void *owner, const struct store_event *event);

	/*
	 * What was kept is lost, or could not be written: every registration is void
	 * (ERR_NOT_FOUND from now on). The owner has its gateways begin anew.
	 */
	void (*on_lost)(void *owner);
	void *owner;
};

#endif
