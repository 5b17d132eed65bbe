/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Open addressing with linear probing, since rows are never removed. A row is looked up
 * for every delivery, so it is small and nothing is behind a pointer.
 */
#include "bench/ledger.h"

#include <assert.h>
#include <stdbool.h>
#include <stddef.h>

#include "proto/base/mem.h"

#define SLOTS_MIN 64u
#define WINDOW 64u
#define NEIGHBOURS 8u

struct row {
	uint32_t receiver_next; /* the receiver + 1; 0: this slot is free */
	uint32_t sender;
	uint32_t target;
	uint32_t high; /* the highest number seen */
	uint64_t seen; /* bit i: high - 1 - i was seen, or never was due */
};

struct ledger {
	struct row *rows; /* owned */
	uint32_t mask;	  /* slots - 1, a power of two */
	uint32_t n;
	uint32_t rows_max;
	uint64_t missing;
};

struct ledger *ledger_new(uint32_t rows_max)
{
	struct ledger *ledger = MEM_NEW(struct ledger);

	assert(rows_max > 0);
	assert(rows_max <= LEDGER_ROWS_MAX);
	ledger->rows = mem_zalloc(SLOTS_MIN * sizeof(struct row));
	ledger->mask = SLOTS_MIN - 1;
	ledger->rows_max = rows_max;
	return ledger;
}

void ledger_free(struct ledger *ledger)
{
	if (ledger == NULL)
		return;
	mem_free(ledger->rows);
	mem_free(ledger);
}

/* A message comes to one receiver after the other: neighbours have their rows side by
 * side, where one cache miss brings several. */
static uint32_t slot_of(const struct ledger *ledger, const struct row *key)
{
	uint64_t h = ((uint64_t)key->sender << 32) | key->target;

	h = (h ^ (h >> 31)) * UINT64_C(0x9e3779b97f4a7c15);
	h ^= key->receiver_next / NEIGHBOURS;
	h = (h ^ (h >> 29)) * UINT64_C(0xbf58476d1ce4e5b9);
	return ((uint32_t)(h >> 32) * NEIGHBOURS + key->receiver_next % NEIGHBOURS) &
	       ledger->mask;
}

static bool is_same(const struct row *row, const struct row *key)
{
	return row->receiver_next == key->receiver_next && row->sender == key->sender &&
	       row->target == key->target;
}

/* The row of that key, or the free slot where it belongs. */
static struct row *row_find(const struct ledger *ledger, const struct row *key)
{
	uint32_t slot = slot_of(ledger, key);

	while (ledger->rows[slot].receiver_next != 0 &&
	       !is_same(&ledger->rows[slot], key))
		slot = (slot + 1) & ledger->mask;
	return &ledger->rows[slot];
}

static void ledger_grow(struct ledger *ledger)
{
	struct row *const old = ledger->rows;
	const size_t slots = (size_t)ledger->mask + 1;

	ledger->rows = mem_zalloc(2 * slots * sizeof(struct row));
	ledger->mask = (uint32_t)(2 * slots - 1);
	for (size_t i = 0; i < slots; i++)
		if (old[i].receiver_next != 0)
			*row_find(ledger, &old[i]) = old[i];
	mem_free(old);
}

/* A new row has seen 0 and all below: 1 is due. NULL: there are too many rows. */
static struct row *row_get(struct ledger *ledger, const struct row *key)
{
	struct row *row = row_find(ledger, key);

	if (row->receiver_next != 0)
		return row;
	if (ledger->n == ledger->rows_max)
		return NULL;
	if (4 * ((uint64_t)ledger->n + 1) > 3 * ((uint64_t)ledger->mask + 1)) {
		ledger_grow(ledger);
		row = row_find(ledger, key);
	}
	ledger->n++;
	*row = *key;
	row->high = 0;
	row->seen = UINT64_MAX;
	return row;
}

void ledger_begin(struct ledger *ledger, uint32_t receiver, uint32_t sender,
		  uint32_t target, uint32_t seq)
{
	const struct row key = { .receiver_next = receiver + 1,
				 .sender = sender,
				 .target = target };
	struct row *row;

	assert(receiver < UINT32_MAX);
	row = row_get(ledger, &key);
	if (row == NULL)
		return;
	row->high = seq;
	row->seen = UINT64_MAX;
}

static enum ledger_verdict note_newer(struct ledger *ledger, struct row *row,
				      uint32_t ahead)
{
	row->seen = ahead < WINDOW ? row->seen << ahead : 0;
	if (ahead <= WINDOW)
		row->seen |= UINT64_C(1) << (ahead - 1); /* what was the highest */
	row->high += ahead;
	ledger->missing += ahead - 1;
	return ahead == 1 ? LEDGER_NEXT : LEDGER_GAP;
}

static enum ledger_verdict note_older(struct ledger *ledger, struct row *row,
				      uint32_t behind)
{
	uint64_t bit;

	if (behind == 0)
		return LEDGER_DUPLICATE;
	if (behind > WINDOW)
		return LEDGER_STALE;
	bit = UINT64_C(1) << (behind - 1);
	if ((row->seen & bit) != 0)
		return LEDGER_DUPLICATE;
	row->seen |= bit;
	assert(ledger->missing > 0);
	ledger->missing--;
	return LEDGER_LATE;
}

enum ledger_verdict ledger_note(struct ledger *ledger, uint32_t receiver, uint32_t sender,
				uint32_t target, uint32_t seq)
{
	const struct row key = { .receiver_next = receiver + 1,
				 .sender = sender,
				 .target = target };
	struct row *row;

	assert(receiver < UINT32_MAX);
	row = row_get(ledger, &key);
	if (row == NULL)
		return LEDGER_STALE;
	if (seq > row->high)
		return note_newer(ledger, row, seq - row->high);
	return note_older(ledger, row, row->high - seq);
}

uint64_t ledger_missing(const struct ledger *ledger)
{
	return ledger->missing;
}
