/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Allocation that does not fail: out of memory ends the process with a log line. Sizes
 * that a peer chose must have passed a named limit before they come here.
 */
#ifndef PROTO_BASE_MEM_H
#define PROTO_BASE_MEM_H

#include <stddef.h>

/* Uninitialised memory of `size` bytes, owned by the caller; size 0 gives a unique
 * pointer. */
void *mem_alloc(size_t size) __attribute__((malloc, alloc_size(1), returns_nonnull));

/* Zeroed memory, owned by the caller. */
void *mem_zalloc(size_t size) __attribute__((malloc, alloc_size(1), returns_nonnull));

/* As realloc; `ptr` may be NULL. */
void *mem_realloc(void *ptr, size_t size) __attribute__((alloc_size(2), returns_nonnull));

/* A NUL-terminated copy of `len` bytes at `ptr`, owned by the caller. */
char *mem_dup(const char *ptr, size_t len) __attribute__((returns_nonnull));

/* NULL is legal. */
void mem_free(void *ptr);

/* That are allocated now, by all threads. Takes microseconds. */
size_t mem_used_bytes(void);

#define MEM_NEW(type) ((type *)mem_zalloc(sizeof(type)))

#endif
