/* SPDX-License-Identifier: Apache-2.0 */
/*
 * xxHash's XXH3 with 64 bits. Its value is defined as a number, so it is the same on
 * every machine; hash_stable() hashes lengths as eight little-endian bytes to keep it so.
 * The parts are laid out in one piece first, because keys are short and xxHash's
 * streaming state is large.
 */
#include "proto/base/hash.h"

#include <assert.h>
#include <xxhash.h>

#include "proto/base/mem.h"

#define LENGTH_BYTES 8u
#define STABLE_STACK_BYTES 512u

static char *put_part(char *to, struct slice part);

uint64_t hash_bytes(struct slice bytes, uint64_t seed)
{
	return XXH3_64bits_withSeed(bytes.len ? bytes.ptr : "", bytes.len, seed);
}

uint64_t hash_stable(const struct slice *parts, size_t n)
{
	char stack[STABLE_STACK_BYTES];
	char *heap = NULL; /* owned */
	size_t total = 0;

	for (size_t i = 0; i < n; i++)
		total += LENGTH_BYTES + parts[i].len;
	if (total > sizeof(stack))
		heap = mem_alloc(total);

	char *bytes = heap ? heap : stack;
	char *to = bytes;

	for (size_t i = 0; i < n; i++)
		to = put_part(to, parts[i]);
	assert((size_t)(to - bytes) == total);

	uint64_t hash = hash_bytes(slice_make(bytes, total), 0);

	mem_free(heap);
	return hash;
}

static char *put_part(char *to, struct slice part)
{
	uint64_t len = part.len;

	for (unsigned i = 0; i < LENGTH_BYTES; i++)
		to[i] = (char)(len >> (8 * i) & 0xff);
	to += LENGTH_BYTES;
	if (part.len)
		memcpy(to, part.ptr, part.len);
	return to + part.len;
}
