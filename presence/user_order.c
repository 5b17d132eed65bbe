/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A block that is full splits in two halves, but at the end of the order, where the next
 * user begins a new one: ids often count upwards. A block that shrinks takes in its
 * neighbour as soon as both are half a block, so that two neighbours are always more.
 */
#include "presence/user_order.h"

#include <assert.h>

#include "presence/user.h"
#include "proto/base/mem.h"

#define BLOCK_USERS 256
#define BLOCKS_MIN 16

struct user_block {
	size_t n;
	struct user *users[BLOCK_USERS];
};

void user_order_init(struct user_order *order)
{
	*order = (struct user_order){ .blocks_n = 0 };
}

void user_order_fini(struct user_order *order)
{
	for (size_t i = 0; i < order->blocks_n; i++)
		mem_free(order->blocks[i]);
	mem_free(order->blocks);
	user_order_init(order);
}

/* ---- finding */

static struct slice block_last_id(const struct user_block *block)
{
	return user_id(block->users[block->n - 1]);
}

/* The first block whose last user is `from` or behind it. */
static size_t blocks_seek(const struct user_order *order, struct slice from)
{
	size_t low = 0;
	size_t high = order->blocks_n;

	while (low < high) {
		const size_t middle = low + (high - low) / 2;

		if (slice_compare(block_last_id(order->blocks[middle]), from) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static size_t block_seek(const struct user_block *block, struct slice from)
{
	size_t low = 0;
	size_t high = block->n;

	while (low < high) {
		const size_t middle = low + (high - low) / 2;

		if (slice_compare(user_id(block->users[middle]), from) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

struct user_place user_order_seek(const struct user_order *order, struct slice from)
{
	struct user_place place = { .block = blocks_seek(order, from) };

	if (place.block < order->blocks_n)
		place.at = block_seek(order->blocks[place.block], from);
	return place;
}

const struct user *user_order_next(const struct user_order *order,
				   struct user_place *place)
{
	const struct user_block *block;

	if (place->block == order->blocks_n)
		return NULL;
	block = order->blocks[place->block];
	assert(place->at < block->n);
	if (place->at + 1 < block->n)
		return block->users[place->at++];
	*place = (struct user_place){ .block = place->block + 1 };
	return block->users[block->n - 1];
}

/* ---- blocks */

static struct user_block *block_insert(struct user_order *order, size_t at)
{
	struct user_block *block = MEM_NEW(struct user_block);

	if (order->blocks_n == order->blocks_cap) {
		order->blocks_cap =
			order->blocks_cap > 0 ? order->blocks_cap * 2 : BLOCKS_MIN;
		order->blocks = mem_realloc(
			order->blocks, order->blocks_cap * sizeof(struct user_block *));
	}
	memmove(order->blocks + at + 1, order->blocks + at,
		(order->blocks_n - at) * sizeof(struct user_block *));
	order->blocks[at] = block;
	order->blocks_n++;
	return block;
}

static void block_delete(struct user_order *order, size_t at)
{
	mem_free(order->blocks[at]);
	order->blocks_n--;
	memmove(order->blocks + at, order->blocks + at + 1,
		(order->blocks_n - at) * sizeof(struct user_block *));
}

/* The upper half of the block goes to a new one behind it. */
static void block_split(struct user_order *order, size_t at)
{
	struct user_block *upper = block_insert(order, at + 1);
	struct user_block *block = order->blocks[at];

	upper->n = block->n / 2;
	block->n -= upper->n;
	memcpy(upper->users, block->users + block->n, upper->n * sizeof(struct user *));
}

/* Takes in the block behind `at` when both are at most half a block. */
static void block_join(struct user_order *order, size_t at)
{
	struct user_block *block = order->blocks[at];
	const struct user_block *behind;

	if (at + 1 >= order->blocks_n)
		return;
	behind = order->blocks[at + 1];
	if (block->n + behind->n > BLOCK_USERS / 2)
		return;
	memcpy(block->users + block->n, behind->users, behind->n * sizeof(struct user *));
	block->n += behind->n;
	block_delete(order, at + 1);
}

/* ---- change */

void user_order_add(struct user_order *order, struct user *user)
{
	struct user_place place = user_order_seek(order, user_id(user));
	struct user_block *block;

	if (place.block == order->blocks_n) {
		if (order->blocks_n == 0 ||
		    order->blocks[order->blocks_n - 1]->n == BLOCK_USERS)
			(void)block_insert(order, order->blocks_n);
		block = order->blocks[order->blocks_n - 1];
		block->users[block->n++] = user;
		return;
	}
	block = order->blocks[place.block];
	assert(!slice_equal(user_id(block->users[place.at]), user_id(user)));
	if (block->n == BLOCK_USERS) {
		block_split(order, place.block);
		if (place.at > block->n) {
			place.at -= block->n;
			block = order->blocks[place.block + 1];
		}
	}
	memmove(block->users + place.at + 1, block->users + place.at,
		(block->n - place.at) * sizeof(struct user *));
	block->users[place.at] = user;
	block->n++;
}

void user_order_remove(struct user_order *order, const struct user *user)
{
	const struct user_place place = user_order_seek(order, user_id(user));
	struct user_block *block;

	assert(place.block < order->blocks_n);
	block = order->blocks[place.block];
	assert(block->users[place.at] == user);
	block->n--;
	memmove(block->users + place.at, block->users + place.at + 1,
		(block->n - place.at) * sizeof(struct user *));
	if (block->n == 0) {
		block_delete(order, place.block);
		return;
	}
	block_join(order, place.block);
	if (place.block > 0)
		block_join(order, place.block - 1);
}
