/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where presence keeps who is here. One interface, so that a store in this process's
 * memory and one that several replicas share are the same to everyone else: every
 * operation ends in one call of `done`, before it returns or in a later turn of the loop;
 * what is passed to an operation may die when it returns. Operations take effect in the
 * order in which they were asked for.
 *
 * A gateway is *registered* when it begins to tell its connections, and again each time
 * it begins anew; its connections belong to a registration. One that is *retired* (it was
 * replaced, or its lease ran out) ends, and its connections with it, slice by slice.
 */
#ifndef PRESENCE_STORE_H
#define PRESENCE_STORE_H

#include "presence/store_answer.h"

struct store;

/*
 * Any operation may also end with ERR_IO, ERR_TIMEOUT or ERR_CLOSED: the store could not
 * be asked, or went away before it answered. ERR_NOT_FOUND of the first six: there is no
 * such registration (any more), or, of remove(), no such connection in it.
 */
struct store_ops {
	/* OK with `registration`: the gateway begins to tell its connections. Those of
	 * other incarnations of the same name are retired. */
	void (*gateway_new)(struct store *store, const struct session_gateway_id *gateway,
			    int64_t lease_ms, struct store_call *call);
	/* It lives: its lease begins again. */
	void (*gateway_renew)(struct store *store, uint64_t registration,
			      int64_t lease_ms, struct store_call *call);
	/* It has told all: its earlier registrations, with what they still hold, are
	 * retired. */
	void (*gateway_replayed)(struct store *store, uint64_t registration,
				 struct store_call *call);
	/* It is gone. */
	void (*gateway_retire)(struct store *store, uint64_t registration,
			       struct store_call *call);
	/*
	 * OK with users_online 1 (the user's first connection) or 0. From an earlier
	 * registration of the same gateway, or a retired one, it moves to this one.
	 * ERR_EXISTS: it is another gateway's, or another user's. ERR_LIMIT,
	 * ERR_ARGUMENT: as sessions_add(). `info->gateway` is not looked at: it is the
	 * registration's.
	 */
	void (*add)(struct store *store, uint64_t registration,
		    const struct session_info *info, struct store_call *call);
	/* OK with users_offline 1 (no connection of the user is left) or 0. */
	void (*remove)(struct store *store, uint64_t registration, struct slice hub,
		       struct slice connection, struct store_call *call);

	/*
	 * One slice: retires registrations whose lease has run out, removes at most
	 * `limit` connections of retired ones (their users get no grace), lets at most
	 * `limit` users go whose grace is over. OK with connections_n, users_offline,
	 * is_more.
	 */
	void (*sweep)(struct store *store, size_t limit, struct store_call *call);
	/*
	 * A store that was empty is quiet at first: who comes by a connection that was
	 * told before (session_info.is_told) is no newcomer and makes no event; who comes
	 * by another one waits; and nobody who was here before goes. This ends it: one
	 * RESET event, then those who waited, and were not here before, come online. OK
	 * with users_online, is_more (ask again). Harmless when the store is not quiet.
	 */
	void (*settle)(struct store *store, struct store_call *call);

	/* OK with one of `users` and at most `limit` of its connections in `sessions`,
	 * with `next` as in list(); ERR_NOT_FOUND. */
	void (*user)(struct store *store, struct slice id, struct slice cursor,
		     size_t limit, struct store_call *call);
	/* OK with one of `sessions`, whichever its hub; ERR_NOT_FOUND. */
	void (*connection)(struct store *store, struct slice id, struct store_call *call);
	/*
	 * OK with at most `limit` of `users` whose id begins with `prefix`, in the order
	 * of their ids' bytes, and `next`. An empty cursor asks for the first page.
	 * Whoever stays online while all pages are read is in exactly one of them.
	 * ERR_ARGUMENT: a cursor that is none of ours.
	 */
	void (*list)(struct store *store, struct slice prefix, struct slice cursor,
		     size_t limit, struct store_call *call);
	/* OK with users_n and connections_n. */
	void (*count)(struct store *store, struct store_call *call);
	/* OK with at most `limit` events behind `after`, `next`, the last id looked at,
	 * and is_more: ask again behind it. Empty `after`: only the newest id.
	 * ERR_NOT_FOUND: what followed it is forgotten, or never was. */
	void (*events)(struct store *store, struct slice after, size_t limit,
		       struct store_call *call);
	/* Remembers how far `name` has got (ERR_LIMIT: too many names), which is never
	 * less far than before; and tells it (`next`; empty: unknown). */
	void (*mark)(struct store *store, struct slice name, struct slice id,
		     struct store_call *call);
	void (*marked)(struct store *store, struct slice name, struct store_call *call);

	/* Tells what this replica knows: a greater map, and a target where there is none,
	 * are kept. Asks to lead, or to go on, for `lease_ms`. OK with `shards`. */
	void (*shards)(struct store *store, const struct store_shards *known,
		       int64_t lease_ms, struct store_call *call);
	/* The map behind that of `after`, of the same leader. ERR_EXISTS: another one is
	 * kept, or another leads. */
	void (*shards_step)(struct store *store, const struct store_shards *after,
			    const struct shard_offer *map, struct store_call *call);
	/* The routers that are wanted now. `is_first`: of those who have no map yet. */
	void (*shards_target)(struct store *store, struct slice target, bool is_first,
			      struct store_call *call);

	/* Since when it cannot be asked, in unix time; 0: it answers. */
	int64_t (*away_since_ms)(const struct store *store);
	/* Ends what is under way with ERR_CLOSED. */
	void (*free)(struct store *store);
};

/* First member of a backend's struct. */
struct store {
	const struct store_ops *ops;
	struct store_watcher watcher; /* set by its owner; borrowed */
};

#endif
