/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Many items in an order, so that a page of them can begin anywhere. They are pointers,
 * kept sorted in chunks of some hundred, and the chunks in a list of them: to find, add
 * or remove one takes a binary search of both and moves a chunk's worth of pointers at
 * most. An item costs 8 bytes and its share of the room that is left in its chunk. Pure.
 */
#ifndef ROUTER_ORDER_H
#define ROUTER_ORDER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct order_chunk {
	void **items; /* owned */
	uint32_t n;   /* never 0 */
	uint32_t room;
};

struct order {
	struct order_chunk *chunks; /* owned */
	size_t chunks_n;
	size_t chunks_room;
};

/* Below 0 when the item stands before the key, 0 when it is the key's, else above. */
typedef int order_compare_fn(const void *item, const void *key);

/* A place; the next change moves what is there. */
struct order_place {
	size_t chunk;
	size_t i;
};

#define ORDER_CHUNK_MAX 512

void order_init(struct order *order);

/* The items are the owner's. */
void order_fini(struct order *order);

/* No item may have that key. */
void order_add(struct order *order, order_compare_fn *compare, const void *key,
	       void *item);

/* Some item must have it. */
void order_remove(struct order *order, order_compare_fn *compare, const void *key);

/* Of the first item that is not before the key. */
struct order_place order_seek(const struct order *order, order_compare_fn *compare,
			      const void *key);

/* The item there, and the place moves on; NULL: behind the last one. */
void *order_next(const struct order *order, struct order_place *place);

/* How many stand before it. */
size_t order_rank(const struct order *order, struct order_place place);

#endif
