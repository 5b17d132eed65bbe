/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The store of one presence without Redis: in this process's memory. It calls `done`
 * before it returns, and takes the time of its loop.
 */
#ifndef PRESENCE_STORE_MEMORY_H
#define PRESENCE_STORE_MEMORY_H

#include "presence/store.h"

struct loop;

struct store_memory_options {
	size_t sessions_max;
	int64_t offline_grace_ms;
	size_t events_max;
	uint64_t seed;
};

struct store *store_memory_new(struct loop *loop,
			       const struct store_memory_options *options);

#endif
