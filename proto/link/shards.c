/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Parsing of the shard list, and the hash that places a key on the ring. The hash is part
 * of the link format: two releases that disagree about it cannot share a cluster.
 */
#include "proto/link/shards.h"

#include <assert.h>
#include <stdlib.h>

#include "proto/base/buf.h"
#include "proto/base/hash.h"
#include "proto/base/mem.h"
#include "proto/link/link_name.h"

static int shard_compare(const void *a, const void *b)
{
	const struct shard *left = a;
	const struct shard *right = b;

	return strcmp(left->name, right->name);
}

static enum err shards_add(struct shards *shards, struct slice name, struct slice url)
{
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

/* ---- ranges: "r{1..3}=tcp://r{}:7000", "r{0..<3}=tcp://r{}:7000" */

struct range {
	struct slice before; /* of the name */
	struct slice behind;
	int64_t first;
	int64_t last;
};

/* Not negative: a number's sign would be part of a name. */
static enum err range_number(struct slice digits, int64_t *number)
{
	if (digits.len == 0 || digits.ptr[0] == '-')
		return ERR_MALFORMED;
	return slice_to_int64(digits, number);
}

/* `name` has a {. */
static enum err range_parse(struct range *range, struct slice name)
{
	struct slice rest = name;
	struct slice first;
	bool is_open;
	enum err rc;

	range->before = slice_cut(&rest, '{');
	first = slice_cut(&rest, '.');
	if (rest.len == 0 || rest.ptr[0] != '.')
		return ERR_MALFORMED;
	is_open = rest.len > 1 && rest.ptr[1] == '<';
	rest = slice_from(rest, is_open ? 2 : 1);
	rc = range_number(first, &range->first);
	if (rc == OK)
		rc = range_number(slice_cut(&rest, '}'), &range->last);
	if (rc != OK)
		return rc;
	range->last -= is_open;
	range->behind = rest;
	if (rest.ptr == NULL || slice_find(rest, '{') >= 0 || range->last < range->first)
		return ERR_MALFORMED;
	return range->last - range->first < RING_MEMBERS_MAX ? OK : ERR_LIMIT;
}

/* Each {} in `url` is the number. */
static void range_url(struct buf *to, struct slice url, struct slice number)
{
	while (url.len > 0) {
		if (slice_starts_with(url, SLICE("{}"))) {
			buf_append_slice(to, number);
			url = slice_from(url, 2);
		} else {
			buf_append_byte(to, url.ptr[0]);
			url = slice_from(url, 1);
		}
	}
}

static enum err shards_add_range(struct shards *shards, struct slice entry,
				 struct slice url)
{
	struct buf name = BUF_INIT;
	struct buf at = BUF_INIT;
	struct range range;
	enum err rc = range_parse(&range, entry);

	for (int64_t i = rc == OK ? range.first : 0; rc == OK && i <= range.last; i++) {
		char text[SLICE_DECIMAL_BYTES];
		const struct slice number = slice_decimal(text, (uint64_t)i);

		buf_clear(&name);
		buf_append_slice(&name, range.before);
		buf_append_slice(&name, number);
		buf_append_slice(&name, range.behind);
		buf_clear(&at);
		range_url(&at, url, number);
		rc = shards_add(shards, buf_slice(&name), buf_slice(&at));
	}
	buf_fini(&name);
	buf_fini(&at);
	return rc;
}

static enum err shards_parse_one(struct shards *shards, struct slice entry)
{
	struct slice url = entry;
	const struct slice name = slice_trim(slice_cut(&url, '='));

	url = slice_trim(url);
	if (slice_find(name, '{') >= 0)
		return shards_add_range(shards, name, url);
	return shards_add(shards, name, url);
}

static enum err shards_place(struct shards *shards)
{
	struct slice *names = mem_zalloc(shards->n * sizeof(*names));
	enum err rc;

	for (size_t i = 0; i < shards->n; i++)
		names[i] = slice_from_str(shards->items[i].name);
	rc = ring_add_all(&shards->ring, names, shards->n);
	mem_free(names);
	return rc;
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
	return shards_place(shards);
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

uint64_t shards_hash(struct slice hub, int kind, struct slice name)
{
	const char kind_byte = (char)kind;
	const struct slice parts[] = { hub, slice_make(&kind_byte, 1), name };

	assert(kind > 0 && kind < 128);
	return hash_stable(parts, 3);
}

size_t shards_owner(const struct shards *shards, struct slice hub, int kind,
		    struct slice name)
{
	return ring_owner(&shards->ring, shards_hash(hub, kind, name));
}

ptrdiff_t shards_find(const struct shards *shards, struct slice name)
{
	for (size_t i = 0; i < shards->n; i++) {
		if (slice_equal(slice_from_str(shards->items[i].name), name))
			return (ptrdiff_t)i;
	}
	return -1;
}
