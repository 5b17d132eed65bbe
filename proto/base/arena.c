/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A bump allocator over a list of chunks. Chunks double from ARENA_CHUNK_MIN to
 * ARENA_CHUNK_MAX; what is larger gets a chunk of its own behind the current one. A reset
 * keeps the largest ordinary chunk, so a settled arena serves a message without malloc
 * and one huge message does not stay in memory.
 */
#include "proto/base/arena.h"

#include <assert.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>

#include "proto/base/mem.h"
#include "proto/base/sanitize.h"

#define ARENA_CHUNK_MIN 4096u
#define ARENA_CHUNK_MAX 65536u
#define ARENA_ALIGN _Alignof(max_align_t)

/* Bytes that stay poisoned behind each allocation, so that an overrun is seen. */
#define ARENA_GAP (SANITIZE_ADDRESS ? ARENA_ALIGN : 0)

struct arena_chunk {
	struct arena_chunk *next; /* owned */
	size_t cap;		  /* of data */
	size_t used;
	_Alignas(max_align_t) char data[];
};

static struct arena_chunk *arena_chunk_add(struct arena *arena, size_t need);
static void arena_chunk_free(struct arena_chunk *chunk);

void arena_init(struct arena *arena)
{
	*arena = ARENA_INIT;
}

void arena_fini(struct arena *arena)
{
	while (arena->chunks) {
		struct arena_chunk *chunk = arena->chunks;

		arena->chunks = chunk->next;
		arena_chunk_free(chunk);
	}
	*arena = ARENA_INIT;
}

void arena_reset(struct arena *arena)
{
	struct arena_chunk *kept = NULL;

	while (arena->chunks) {
		struct arena_chunk *chunk = arena->chunks;

		arena->chunks = chunk->next;
		if (chunk->cap > ARENA_CHUNK_MAX || (kept && kept->cap >= chunk->cap)) {
			arena_chunk_free(chunk);
			continue;
		}
		if (kept)
			arena_chunk_free(kept);
		kept = chunk;
	}
	if (kept) {
		kept->next = NULL;
		kept->used = 0;
		sanitize_poison(kept->data, kept->cap);
	}
	arena->chunks = kept;
	arena->used = 0;
}

void *arena_alloc(struct arena *arena, size_t size)
{
	struct arena_chunk *chunk = arena->chunks;
	size_t need = (size ? size : 1) + ARENA_GAP;

	assert(size <= SIZE_MAX / 4);
	need = (need + ARENA_ALIGN - 1) / ARENA_ALIGN * ARENA_ALIGN;
	if (!chunk || chunk->cap - chunk->used < need)
		chunk = arena_chunk_add(arena, need);
	assert(chunk->cap - chunk->used >= need);

	char *ptr = chunk->data + chunk->used;

	chunk->used += need;
	arena->used += size;
	sanitize_unpoison(ptr, size);
	return ptr;
}

void *arena_zalloc(struct arena *arena, size_t size)
{
	return memset(arena_alloc(arena, size), 0, size);
}

struct slice arena_dup(struct arena *arena, struct slice s)
{
	char *copy = arena_alloc(arena, s.len + 1);

	if (s.len)
		memcpy(copy, s.ptr, s.len);
	copy[s.len] = '\0';
	return slice_make(copy, s.len);
}

static char *put(char *to, struct slice s)
{
	if (s.len)
		memcpy(to, s.ptr, s.len);
	return to + s.len;
}

struct slice arena_join(struct arena *arena, struct slice before, struct slice s,
			struct slice after)
{
	const size_t len = before.len + s.len + after.len;
	char *text = arena_alloc(arena, len + 1);

	*put(put(put(text, before), s), after) = '\0';
	return slice_make(text, len);
}

struct slice arena_printf(struct arena *arena, const char *fmt, ...)
{
	va_list args;
	int n;

	va_start(args, fmt);
	n = vsnprintf(NULL, 0, fmt, args);
	va_end(args);
	assert(n >= 0);

	char *text = arena_alloc(arena, (size_t)n + 1);

	va_start(args, fmt);
	n = vsnprintf(text, (size_t)n + 1, fmt, args);
	va_end(args);
	assert(n >= 0);
	return slice_make(text, (size_t)n);
}

static struct arena_chunk *arena_chunk_add(struct arena *arena, size_t need)
{
	struct arena_chunk *newest = arena->chunks;
	size_t cap = newest ? newest->cap * 2 : ARENA_CHUNK_MIN;

	while (cap < need && cap < ARENA_CHUNK_MAX)
		cap *= 2;
	if (cap > ARENA_CHUNK_MAX)
		cap = ARENA_CHUNK_MAX;
	if (cap < need)
		cap = need;

	struct arena_chunk *chunk = mem_alloc(sizeof(*chunk) + cap);

	chunk->cap = cap;
	chunk->used = 0;
	sanitize_poison(chunk->data, cap);
	if (newest && need > ARENA_CHUNK_MAX) {
		/* It is full at once: what is left in the newest goes on being used. */
		chunk->next = newest->next;
		newest->next = chunk;
	} else {
		chunk->next = newest;
		arena->chunks = chunk;
	}
	return chunk;
}

static void arena_chunk_free(struct arena_chunk *chunk)
{
	sanitize_unpoison(chunk->data, chunk->cap);
	mem_free(chunk);
}
