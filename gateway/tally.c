/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Open addressing with linear probing. A key that goes leaves no mark: those behind it
 * that had to pass its slot move up.
 */
#include "gateway/tally.h"

#include <assert.h>

#include "proto/base/mem.h"

#define SLOTS_MIN 16

void tally_fini(struct tally *tally)
{
	mem_free(tally->keys);
	mem_free(tally->counts);
	*tally = (struct tally){ 0 };
}

/* The key's slot, or the free one where it would go. */
static size_t slot_of(const struct tally *tally, uint64_t key)
{
	size_t i = key & tally->mask;

	assert(key != 0);
	while (tally->keys[i] != 0 && tally->keys[i] != key)
		i = (i + 1) & tally->mask;
	return i;
}

static void resize(struct tally *tally, size_t slots_n)
{
	struct tally bigger = { .keys = mem_zalloc(slots_n * sizeof(uint64_t)),
				.counts = mem_zalloc(slots_n * sizeof(uint32_t)),
				.mask = slots_n - 1,
				.n = tally->n };

	assert((slots_n & (slots_n - 1)) == 0 && tally->n < slots_n);
	for (size_t i = 0; tally->keys != NULL && i <= tally->mask; i++) {
		if (tally->keys[i] != 0) {
			const size_t to = slot_of(&bigger, tally->keys[i]);

			bigger.keys[to] = tally->keys[i];
			bigger.counts[to] = tally->counts[i];
		}
	}
	tally_fini(tally);
	*tally = bigger;
}

/* Before a key comes, and after one went. */
static void fit(struct tally *tally)
{
	const size_t slots_n = tally->mask + 1;

	if (tally->keys == NULL)
		resize(tally, SLOTS_MIN);
	else if (tally->n + 1 > slots_n / 4 * 3)
		resize(tally, slots_n * 2);
	else if (slots_n > SLOTS_MIN && tally->n < slots_n / 8)
		resize(tally, slots_n / 2);
}

void tally_add(struct tally *tally, uint64_t key)
{
	size_t i;

	fit(tally);
	i = slot_of(tally, key);
	if (tally->keys[i] == 0) {
		tally->keys[i] = key;
		tally->n++;
	}
	tally->counts[i]++;
	assert(tally->counts[i] > 0);
}

/* Closes the hole at `hole`. */
static void close_hole(struct tally *tally, size_t hole)
{
	const size_t mask = tally->mask;
	size_t i = (hole + 1) & mask;

	for (; tally->keys[i] != 0; i = (i + 1) & mask) {
		const size_t home = tally->keys[i] & mask;

		/* It may go there if its search begins there or before. */
		if (((i - home) & mask) < ((i - hole) & mask))
			continue;
		tally->keys[hole] = tally->keys[i];
		tally->counts[hole] = tally->counts[i];
		hole = i;
	}
	tally->keys[hole] = 0;
	tally->counts[hole] = 0;
}

void tally_remove(struct tally *tally, uint64_t key)
{
	size_t i;

	assert(tally->n > 0);
	i = slot_of(tally, key);
	assert(tally->counts[i] > 0);
	if (--tally->counts[i] > 0)
		return;
	close_hole(tally, i);
	tally->n--;
	fit(tally);
}

uint32_t tally_count(const struct tally *tally, uint64_t key)
{
	return tally->n > 0 ? tally->counts[slot_of(tally, key)] : 0;
}
