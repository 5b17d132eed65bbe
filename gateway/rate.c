/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The arithmetic is that of GCRA: taking one puts off the time of fullness by the time
 * that one needs to come back, and a bucket whose fullness is a whole period away is
 * empty.
 */
#include "gateway/rate.h"

#include <assert.h>
#include <string.h>

#include "proto/base/hash.h"
#include "proto/base/mem.h"

#define NS 1000000LL

/* In nanoseconds, since a byte of 100 MiB/s takes ten. */
static int64_t interval_ns(const struct rate_rule *rule)
{
	assert(rule->n > 0 && rule->n <= RATE_N_MAX);
	assert(rule->period_ms > 0 && rule->period_ms <= RATE_PERIOD_MS_MAX);
	return rule->period_ms * NS / rule->n;
}

/* Were `n` taken now, when would it be full? */
static int64_t full_with(const struct rate *rate, const struct rate_rule *rule, int64_t n,
			 int64_t now_ms)
{
	const int64_t now_ns = now_ms * NS;

	return (rate->full_ns > now_ns ? rate->full_ns : now_ns) + n * interval_ns(rule);
}

/* From now until there is no debt in a bucket that is full then. */
static int64_t wait_ms(int64_t full_ns, const struct rate_rule *rule, int64_t now_ms)
{
	const int64_t debt_ns = full_ns - (now_ms + rule->period_ms) * NS;

	return debt_ns > 0 ? (debt_ns + NS - 1) / NS : 0;
}

int64_t rate_look(const struct rate *rate, const struct rate_rule *rule, int64_t now_ms)
{
	if (rule->n == 0)
		return 0;
	return wait_ms(full_with(rate, rule, 1, now_ms), rule, now_ms);
}

int64_t rate_take(struct rate *rate, const struct rate_rule *rule, int64_t now_ms)
{
	const int64_t wait = rate_look(rate, rule, now_ms);

	if (rule->n > 0 && wait == 0)
		rate->full_ns = full_with(rate, rule, 1, now_ms);
	return wait;
}

int64_t rate_charge(struct rate *rate, const struct rate_rule *rule, int64_t n,
		    int64_t now_ms)
{
	assert(n >= 0 && n <= UINT32_MAX);
	if (rule->n == 0)
		return 0;
	rate->full_ns = full_with(rate, rule, n, now_ms);
	return wait_ms(rate->full_ns, rule, now_ms);
}

/* ---- by whom */

/* A hash under a secret seed stands for a key of any length. */
struct rate_entry {
	struct map_node node;
	struct list order;
	uint64_t key;
	struct rate rates[RATE_KINDS];
};

void rate_table_init(struct rate_table *table, uint64_t seed, uint64_t *forgotten)
{
	*table = (struct rate_table){ .seed = seed };
	table->forgotten = forgotten;
	map_init(&table->entries, ~seed);
	list_init(&table->order);
}

static uint64_t key_of(const struct rate_table *table, struct slice bytes)
{
	const uint64_t key = hash_bytes(bytes, table->seed);

	return key != 0 ? key : 1;
}

static struct slice key_slice(const uint64_t *key)
{
	return slice_make((const char *)key, sizeof(*key));
}

static void forget(struct rate_table *table, struct rate_entry *entry)
{
	list_remove(&entry->order);
	map_remove(&table->entries, &entry->node);
	mem_free(entry);
}

static struct rate_entry *oldest(const struct rate_table *table)
{
	return CONTAINER_OF(table->order.next, struct rate_entry, order);
}

void rate_table_fini(struct rate_table *table)
{
	assert(table->held.n == 0);
	while (table->entries.count > 0)
		forget(table, oldest(table));
	map_fini(&table->entries);
	tally_fini(&table->held);
}

static bool is_full(const struct rate_entry *entry, int64_t now_ms)
{
	for (size_t i = 0; i < RATE_KINDS; i++) {
		if (entry->rates[i].full_ns > now_ms * NS)
			return false;
	}
	return true;
}

/* Who has full buckets need not be known. */
static void tidy(struct rate_table *table, int64_t now_ms)
{
	while (table->entries.count > 0 && is_full(oldest(table), now_ms))
		forget(table, oldest(table));
	while (table->entries.count > RATE_ENTRIES_MAX) {
		forget(table, oldest(table));
		(*table->forgotten)++;
	}
}

static struct rate_entry *find(const struct rate_table *table, struct slice bytes)
{
	const uint64_t key = key_of(table, bytes);
	struct map_node *node = map_find(&table->entries, key_slice(&key));

	return node != NULL ? CONTAINER_OF(node, struct rate_entry, node) : NULL;
}

static struct rate_entry *find_or_add(struct rate_table *table, struct slice bytes)
{
	struct rate_entry *entry = find(table, bytes);

	if (entry != NULL)
		return entry;
	entry = MEM_NEW(struct rate_entry);
	list_init(&entry->order);
	entry->key = key_of(table, bytes);
	map_add(&table->entries, &entry->node, key_slice(&entry->key));
	return entry;
}

int64_t rate_table_look(const struct rate_table *table, struct slice key, unsigned kind,
			const struct rate_rule *rule, int64_t now_ms)
{
	const struct rate_entry *entry = rule->n > 0 ? find(table, key) : NULL;

	assert(kind < RATE_KINDS);
	return entry != NULL ? rate_look(&entry->rates[kind], rule, now_ms) : 0;
}

int64_t rate_table_take(struct rate_table *table, struct slice key, unsigned kind,
			const struct rate_rule *rule, int64_t now_ms)
{
	struct rate_entry *entry;
	int64_t wait;

	assert(kind < RATE_KINDS);
	if (rule->n == 0)
		return 0;
	entry = find_or_add(table, key);
	wait = rate_take(&entry->rates[kind], rule, now_ms);
	list_remove(&entry->order);
	list_append(&table->order, &entry->order);
	tidy(table, now_ms);
	return wait;
}

bool rate_table_has_room(const struct rate_table *table, struct slice key, int64_t max)
{
	return max == 0 || tally_count(&table->held, key_of(table, key)) < max;
}

uint64_t rate_table_enter(struct rate_table *table, struct slice key)
{
	const uint64_t holder = key_of(table, key);

	tally_add(&table->held, holder);
	return holder;
}

void rate_table_leave(struct rate_table *table, uint64_t holder)
{
	tally_remove(&table->held, holder);
}
