/* SPDX-License-Identifier: Apache-2.0 */
/*
 * proto/base/mem.h that knows which process of the cluster has how much: one that ended
 * in order has nothing.
 */
#include "proto/base/mem.h"

#include <malloc.h>
#include <stdlib.h>
#include <string.h>

#include "tests/sim/node.h"

static void *counted(void *ptr)
{
	if (ptr == NULL)
		abort();
	sim_node_count_memory((int64_t)malloc_usable_size(ptr));
	return ptr;
}

static void uncount(void *ptr)
{
	if (ptr != NULL)
		sim_node_count_memory(-(int64_t)malloc_usable_size(ptr));
}

void *mem_alloc(size_t size)
{
	return counted(malloc(size > 0 ? size : 1));
}

void *mem_zalloc(size_t size)
{
	return counted(calloc(1, size > 0 ? size : 1));
}

void *mem_realloc(void *ptr, size_t size)
{
	uncount(ptr);
	return counted(realloc(ptr, size > 0 ? size : 1));
}

char *mem_dup(const char *ptr, size_t len)
{
	char *copy = mem_alloc(len + 1);

	if (len > 0)
		memcpy(copy, ptr, len);
	copy[len] = '\0';
	return copy;
}

void mem_free(void *ptr)
{
	uncount(ptr);
	free(ptr);
}

size_t mem_used_bytes(void)
{
	return sim_node_memory(sim_node_current());
}
