/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A chunk that is full is cut in two halves, but at the very end, where a new one is
 * begun: what comes in order fills its chunks. Two neighbours that have become small are
 * made one.
 */
#include "router/order.h"

#include <assert.h>
#include <string.h>

#include "proto/base/mem.h"

#define CHUNK_ROOM_MIN 8u
#define CHUNK_SMALL (ORDER_CHUNK_MAX / 4)      /* looks for a neighbour */
#define CHUNK_MERGED (ORDER_CHUNK_MAX / 4 * 3) /* larger would soon be cut again */

void order_init(struct order *order)
{
	*order = (struct order){ .chunks = NULL };
}

void order_fini(struct order *order)
{
	for (size_t i = 0; i < order->chunks_n; i++)
		mem_free(order->chunks[i].items);
	mem_free(order->chunks);
	order_init(order);
}

/* ---- searching */

/* The last chunk whose first item is not behind the key; 0 also when there is none. */
static size_t chunk_find(const struct order *order, order_compare_fn *compare,
			 const void *key)
{
	size_t low = 0;
	size_t n = order->chunks_n;

	while (n > 1) {
		const size_t half = n / 2;

		if (compare(order->chunks[low + half].items[0], key) <= 0) {
			low += half;
			n -= half;
		} else {
			n = half;
		}
	}
	return low;
}

struct order_place order_seek(const struct order *order, order_compare_fn *compare,
			      const void *key)
{
	struct order_place place = { .chunk = chunk_find(order, compare, key) };
	size_t n = order->chunks_n > 0 ? order->chunks[place.chunk].n : 0;

	while (n > 0) {
		const size_t half = n / 2;

		if (compare(order->chunks[place.chunk].items[place.i + half], key) < 0) {
			place.i += half + 1;
			n -= half + 1;
		} else {
			n = half;
		}
	}
	return place;
}

void *order_next(const struct order *order, struct order_place *place)
{
	while (place->chunk < order->chunks_n) {
		const struct order_chunk *chunk = &order->chunks[place->chunk];

		if (place->i < chunk->n)
			return chunk->items[place->i++];
		place->chunk++;
		place->i = 0;
	}
	return NULL;
}

size_t order_rank(const struct order *order, struct order_place place)
{
	size_t rank = place.i;

	for (size_t i = 0; i < place.chunk; i++)
		rank += order->chunks[i].n;
	return rank;
}

/* ---- chunks */

static void chunk_insert(struct order *order, size_t at)
{
	if (order->chunks_n == order->chunks_room) {
		order->chunks_room = order->chunks_room * 2 + 1;
		order->chunks = mem_realloc(order->chunks,
					    order->chunks_room * sizeof(*order->chunks));
	}
	memmove(&order->chunks[at + 1], &order->chunks[at],
		(order->chunks_n - at) * sizeof(*order->chunks));
	order->chunks[at] = (struct order_chunk){ .items = NULL };
	order->chunks_n++;
}

static void chunk_drop(struct order *order, size_t at)
{
	mem_free(order->chunks[at].items);
	order->chunks_n--;
	memmove(&order->chunks[at], &order->chunks[at + 1],
		(order->chunks_n - at) * sizeof(*order->chunks));
}

static void chunk_reserve(struct order_chunk *chunk, uint32_t room)
{
	if (room <= chunk->room)
		return;
	if (room < chunk->room * 2)
		room = chunk->room * 2;
	if (room < CHUNK_ROOM_MIN)
		room = CHUNK_ROOM_MIN;
	chunk->items = mem_realloc(chunk->items, room * sizeof(*chunk->items));
	chunk->room = room;
}

static void chunk_take(struct order_chunk *chunk, const struct order_chunk *from,
		       uint32_t first)
{
	const uint32_t n = from->n - first;

	chunk_reserve(chunk, chunk->n + n);
	memcpy(&chunk->items[chunk->n], &from->items[first], n * sizeof(*from->items));
	chunk->n += n;
}

/* Makes room for one item at `*place` or, when the chunk is full, where it then is. */
static void chunk_cut(struct order *order, struct order_place *place)
{
	const bool is_end = place->chunk + 1 == order->chunks_n &&
			    place->i == order->chunks[place->chunk].n;
	struct order_chunk *full;

	chunk_insert(order, place->chunk + 1);
	full = &order->chunks[place->chunk];
	if (!is_end) {
		chunk_take(full + 1, full, ORDER_CHUNK_MAX / 2);
		full->n = ORDER_CHUNK_MAX / 2;
	}
	if (place->i > full->n || is_end) {
		place->i -= full->n;
		place->chunk++;
	}
}

void order_add(struct order *order, order_compare_fn *compare, const void *key,
	       void *item)
{
	struct order_place place = order_seek(order, compare, key);
	struct order_chunk *chunk;

	if (order->chunks_n == 0)
		chunk_insert(order, 0);
	else if (order->chunks[place.chunk].n == ORDER_CHUNK_MAX)
		chunk_cut(order, &place);
	chunk = &order->chunks[place.chunk];
	chunk_reserve(chunk, chunk->n + 1);
	assert(place.i <= chunk->n && chunk->n < ORDER_CHUNK_MAX);
	memmove(&chunk->items[place.i + 1], &chunk->items[place.i],
		(chunk->n - place.i) * sizeof(*chunk->items));
	chunk->items[place.i] = item;
	chunk->n++;
}

/* With the one behind it, when both are small enough. */
static void chunk_merge(struct order *order, size_t at)
{
	struct order_chunk *chunk = &order->chunks[at];

	if (at + 1 >= order->chunks_n || chunk->n + chunk[1].n > CHUNK_MERGED)
		return;
	chunk_take(chunk, &chunk[1], 0);
	chunk_drop(order, at + 1);
}

void order_remove(struct order *order, order_compare_fn *compare, const void *key)
{
	const struct order_place place = order_seek(order, compare, key);
	struct order_chunk *chunk;

	assert(place.chunk < order->chunks_n);
	chunk = &order->chunks[place.chunk];
	assert(place.i < chunk->n && compare(chunk->items[place.i], key) == 0);
	chunk->n--;
	memmove(&chunk->items[place.i], &chunk->items[place.i + 1],
		(chunk->n - place.i) * sizeof(*chunk->items));
	if (chunk->n == 0) {
		chunk_drop(order, place.chunk);
	} else if (chunk->n <= CHUNK_SMALL) {
		chunk_merge(order, place.chunk);
		if (place.chunk > 0)
			chunk_merge(order, place.chunk - 1);
	}
}
