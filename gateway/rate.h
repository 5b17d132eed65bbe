/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How often somebody may do something: token buckets, and a bounded table of them by who
 * it is. A bucket is one number, the time at which it will be full again. Pure: time
 * comes in.
 */
#ifndef GATEWAY_RATE_H
#define GATEWAY_RATE_H

#include <stdbool.h>
#include <stdint.h>

#include "gateway/tally.h"
#include "proto/base/list.h"
#include "proto/base/map.h"
#include "proto/base/slice.h"

/* So many in a period, all at once if one likes; 0: any number. */
struct rate_rule {
	int64_t n;
	int64_t period_ms;
};

#define RATE_N_MAX (1LL << 40)
#define RATE_PERIOD_MS_MAX 3600000

/* All zero: full. */
struct rate {
	int64_t full_ns;
};

/* Takes one and returns 0; or takes none: the time until there is one, in ms. */
int64_t rate_take(struct rate *rate, const struct rate_rule *rule, int64_t now_ms);

/* Takes `n`, there or not: they have come already. Returns the time in ms after which
 * there is no debt, 0: there is none. */
int64_t rate_charge(struct rate *rate, const struct rate_rule *rule, int64_t n,
		    int64_t now_ms);

/* As rate_take(), but takes nothing. */
int64_t rate_look(const struct rate *rate, const struct rate_rule *rule, int64_t now_ms);

/* ---- by whom */

/* Whose buckets are not full; past it the one heard of longest ago is forgotten, as if
 * they were. */
#define RATE_ENTRIES_MAX 65536

#define RATE_KINDS 3

struct rate_table {
	struct map entries;
	struct list order; /* heard of longest ago first */
	struct tally held; /* by rate_table_enter() */
	uint64_t seed;
	uint64_t *forgotten; /* borrowed counter: early, over RATE_ENTRIES_MAX */
};

void rate_table_init(struct rate_table *table, uint64_t seed, uint64_t *forgotten);

/* Nobody may hold anything any more. */
void rate_table_fini(struct rate_table *table);

/* Of the key's bucket number `kind`: as rate_take() and rate_look(). */
int64_t rate_table_take(struct rate_table *table, struct slice key, unsigned kind,
			const struct rate_rule *rule, int64_t now_ms);
int64_t rate_table_look(const struct rate_table *table, struct slice key, unsigned kind,
			const struct rate_rule *rule, int64_t now_ms);

/* Does the key hold fewer than `max`? 0: any number will do. */
bool rate_table_has_room(const struct rate_table *table, struct slice key, int64_t max);

/* One more is held, until rate_table_leave() of what it returns; never 0. */
uint64_t rate_table_enter(struct rate_table *table, struct slice key);
void rate_table_leave(struct rate_table *table, uint64_t holder);

#endif
