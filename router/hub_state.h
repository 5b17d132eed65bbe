/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Part of the hub API (router/hub.h): what hubs keep between calls. With the router's
 * option `redis` it is there and outlives every router; without, it is in the memory of
 * the shard that owns the key and ends with that process. Same functions, same results.
 *
 * Keys are private to the hub and have at most HUB_KEY_BYTES_MAX bytes. There are logs
 * and sets of fields, each with names of its own: a log and a set may have the same key.
 * Each call is one atomic change, whoever else changes the key. What was read may be
 * stale when it is used: changes that depend on it say what they expect.
 */
#ifndef ROUTER_HUB_STATE_H
#define ROUTER_HUB_STATE_H

#include <stddef.h>
#include <stdint.h>

#include "proto/base/slice.h"
#include "router/hub_rc.h"

#define HUB_KEY_BYTES_MAX 1024u		      /* of a key, or a field's name */
#define HUB_ENTRIES_MAX 1000u		      /* of one key */
#define HUB_ENTRY_BYTES_MAX (512u << 10)      /* of one entry or field */
#define HUB_KEY_TOTAL_BYTES_MAX (16u << 20)   /* of all that are under a key */
#define HUB_TTL_MS_MAX INT64_C(3155692600000) /* a hundred years */

/* What a change need not find. */
#define HUB_ANY UINT64_MAX

/* What a key may hold, and how long it is kept after it was last changed. */
struct hub_bounds {
	uint32_t entries_max; /* 1..HUB_ENTRIES_MAX: past it the oldest goes */
	int64_t ttl_ms;	      /* 1..HUB_TTL_MS_MAX */
};

/* ---- logs: entries numbered from 1 on without gaps, for as long as the log lives */

struct hub_entry {
	uint64_t number;
	struct slice bytes;
};

/* `expected`: HUB_ANY, or the number that the entry must get; HUB_ECONFLICT when it would
 * get another one. `*number`: what it got, or would have got. NULL: not wanted. */
enum hub_rc hub_await_log_append(struct hub_call *call, struct slice key,
				 struct slice bytes, const struct hub_bounds *bounds,
				 uint64_t expected, uint64_t *number);

/*
 * Of the entries from number `first` on and below `before` (0: no such end) the newest
 * `entries_max` that are left, oldest first. `*last`: the newest number of all, 0: the
 * log is empty. NULL: not wanted.
 */
enum hub_rc hub_await_log_read(struct hub_call *call, struct slice key, uint64_t first,
			       uint64_t before, uint32_t entries_max,
			       const struct hub_entry **entries, size_t *n,
			       uint64_t *last);

/* ---- fields: named values, whose versions grow with every change under the key */

struct hub_field {
	struct slice name;
	struct slice bytes;
	uint64_t version; /* > 0, < 2^53 */
};

/*
 * `expected`: HUB_ANY, the field's version, or 0: there must be none; HUB_ECONFLICT
 * otherwise. `*version`: of the field now, 0: there is none. NULL: not wanted. When there
 * are more than entries_max, the one put longest ago goes.
 */
enum hub_rc hub_await_field_put(struct hub_call *call, struct slice key,
				struct slice name, struct slice bytes,
				const struct hub_bounds *bounds, uint64_t expected,
				uint64_t *version);

/* HUB_ENOTFOUND: there is none. */
enum hub_rc hub_await_field_get(struct hub_call *call, struct slice key,
				struct slice name, struct hub_field *field);

/* All of them, the one put longest ago first. More than a MiB is read in pages: what is
 * changed meanwhile is there as it was before or is after. */
enum hub_rc hub_await_fields(struct hub_call *call, struct slice key,
			     const struct hub_field **fields, size_t *n);

/* With HUB_ANY also HUB_OK when there was none. */
enum hub_rc hub_await_field_remove(struct hub_call *call, struct slice key,
				   struct slice name, uint64_t expected);

/* Forgets the key's log and its fields. */
enum hub_rc hub_await_forget(struct hub_call *call, struct slice key);

#endif
