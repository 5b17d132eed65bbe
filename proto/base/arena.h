/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An arena holds everything decoded from one inbound message or made for one hub call,
 * and frees it as one. Memory is poisoned under AddressSanitizer from reset to the next
 * use.
 */
#ifndef PROTO_BASE_ARENA_H
#define PROTO_BASE_ARENA_H

#include <stddef.h>

#include "proto/base/slice.h"

struct arena_chunk;

struct arena {
	struct arena_chunk *chunks; /* owned; the newest first */
	size_t used;		    /* bytes handed out since the last reset */
};

#define ARENA_INIT ((struct arena){ NULL, 0 })

void arena_init(struct arena *arena);
void arena_fini(struct arena *arena);

/* Frees everything handed out; keeps one chunk for the next message. */
void arena_reset(struct arena *arena);

/* Uninitialised / zeroed memory aligned for any type; lives until reset or fini. */
void *arena_alloc(struct arena *arena, size_t size) __attribute__((returns_nonnull));
void *arena_zalloc(struct arena *arena, size_t size) __attribute__((returns_nonnull));

#define ARENA_NEW(arena, type) ((type *)arena_zalloc((arena), sizeof(type)))

/* A copy of `s` in the arena, NUL-terminated behind its length. */
struct slice arena_dup(struct arena *arena, struct slice s);

/* Joined as they are; the slice is NUL-terminated behind its length. */
struct slice arena_join(struct arena *arena, struct slice before, struct slice s,
			struct slice after);

/* Formats into the arena; the slice is NUL-terminated behind its length. What a peer
 * chose may have a NUL, at which "%.*s" ends: arena_join(). */
struct slice arena_printf(struct arena *arena, const char *fmt, ...) PRINTF_LIKE(2, 3);

#endif
