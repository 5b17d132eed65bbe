/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Allocation that ends the process when memory is out: nothing we could do then is better
 * than a restart with the state rebuilt from the peers. The line goes out by write(2),
 * because the logger itself allocates.
 */
#include "proto/base/mem.h"

#include <malloc.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "proto/base/sanitize.h"

#if SANITIZE_ADDRESS
#include <sanitizer/allocator_interface.h>
#endif

static void *mem_checked(void *ptr) __attribute__((returns_nonnull));

void *mem_alloc(size_t size)
{
	return mem_checked(malloc(size ? size : 1));
}

void *mem_zalloc(size_t size)
{
	return mem_checked(calloc(1, size ? size : 1));
}

void *mem_realloc(void *ptr, size_t size)
{
	return mem_checked(realloc(ptr, size ? size : 1));
}

char *mem_dup(const char *ptr, size_t len)
{
	char *copy = mem_alloc(len + 1);

	if (len)
		memcpy(copy, ptr, len);
	copy[len] = '\0';
	return copy;
}

void mem_free(void *ptr)
{
	free(ptr);
}

static void *mem_checked(void *ptr)
{
	static const char text[] = "level=error event=mem.exhausted\n";

	if (!ptr) {
		ssize_t n = write(STDERR_FILENO, text, sizeof(text) - 1);

		(void)n; /* the process ends here; there is no one left to tell */
		abort();
	}
	return ptr;
}

size_t mem_used_bytes(void)
{
#if SANITIZE_ADDRESS
	/* The sanitizer's allocator is not the one that mallinfo2() knows. */
	return __sanitizer_get_current_allocated_bytes();
#else
	const struct mallinfo2 info = mallinfo2();

	return info.uordblks + info.hblkhd;
#endif
}
