/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Parsing of the shard list, and the hash that places a key on the ring. The hash is part
 * of the link format: two releases that disagree about it cannot share a cluster.
 */
#include "proto/link/shards.h"

#include <assert.h>
#include <stdlib.h>

#include "proto/base/hash.h"
#include "proto/base/mem.h"
#include "proto/link/link_name.h"

static int shard_compare(const void *a, const void *b)
{
	const struct shard *left = a;
	const struct shard *right = b;

	return strcmp(left->name, right->name);
}

static enum err shards_parse_one(struct shards *shards, struct slice entry)
{
	struct slice url = entry;
	const struct slice name = slice_trim(slice_cut(&url, '='));

	url = slice_trim(url);
	if (!link_name_is_valid(name) || url.len == 0)
		return ERR_MALFORMED;
	if (shards->n == RING_MEMBERS_MAX)
		return ERR_LIMIT;
	if (shards_find(shards, name) >= 0)
		return ERR_EXISTS;
	shards->items =
		mem_realloc(shards->items, (shards->n + 1) * sizeof(*shards->items));
	shards->items[shards->n++] = (struct shard){
		.name = mem_dup(name.ptr, name.len),
		.url = mem_dup(url.ptr, url.len),
	};
	return OK;
}

enum err shards_parse(struct shards *shards, const char *list)
{
	struct slice rest = slice_from_str(list);

	*shards = (struct shards){ 0 };
	ring_init(&shards->ring);
	do {
		const enum err rc = shards_parse_one(shards, slice_cut(&rest, ','));

		if (rc != OK)
			return rc;
	} while (rest.ptr != NULL);
	qsort(shards->items, shards->n, sizeof(*shards->items), shard_compare);
	for (size_t i = 0; i < shards->n; i++) {
		const enum err rc =
			ring_add(&shards->ring, slice_from_str(shards->items[i].name));

		if (rc != OK)
			return rc;
	}
	return OK;
}

void shards_fini(struct shards *shards)
{
	for (size_t i = 0; i < shards->n; i++) {
		mem_free(shards->items[i].name);
		mem_free(shards->items[i].url);
	}
	mem_free(shards->items);
	ring_fini(&shards->ring);
	*shards = (struct shards){ 0 };
}

size_t shards_owner(const struct shards *shards, struct slice hub, int kind,
		    struct slice name)
{
	const char kind_byte = (char)kind;
	const struct slice parts[] = { hub, slice_make(&kind_byte, 1), name };

	assert(kind > 0 && kind < 128);
	return ring_owner(&shards->ring, hash_stable(parts, 3));
}

ptrdiff_t shards_find(const struct shards *shards, struct slice name)
{
	for (size_t i = 0; i < shards->n; i++) {
		if (slice_equal(slice_from_str(shards->items[i].name), name))
			return (ptrdiff_t)i;
	}
	return -1;
}
