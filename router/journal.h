/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Bounded lists of bytes by key, in this process's memory: the store for hub state of a
 * cluster without Redis (a chat room's last messages). Each list keeps its newest
 * entries; past keys_max or bytes_max the list that was not touched for longest goes.
 * Bytes count with their bookkeeping, so that empty entries are not free. Lost with the
 * process. Pure.
 */
#ifndef ROUTER_JOURNAL_H
#define ROUTER_JOURNAL_H

#include <stddef.h>
#include <stdint.h>

#include "proto/base/blob.h"
#include "proto/base/list.h"
#include "proto/base/map.h"
#include "proto/base/slice.h"

#define JOURNAL_ENTRIES_MAX 1000u

struct journal_entry {
	struct list node;
	struct blob *blob; /* one reference */
};

struct journal_list {
	struct map_node node;
	struct list entries; /* oldest first */
	struct list age_node;
	uint32_t entries_n;
	size_t bytes; /* with what keeping it costs */
	char key[];
};

struct journal {
	struct map lists;
	struct list by_age; /* least recently touched first */
	size_t bytes;
	size_t bytes_max;
	size_t keys_max;
	uint64_t evicted_total;
};

void journal_init(struct journal *journal, size_t keys_max, size_t bytes_max,
		  uint64_t seed);
void journal_fini(struct journal *journal);

/* Appends a copy and drops the oldest beyond `entries_max` (1..JOURNAL_ENTRIES_MAX). */
void journal_append(struct journal *journal, struct slice key, struct slice bytes,
		    uint32_t entries_max);

/* NULL: nothing under that key. Touches it. Dies with the next append. */
const struct journal_list *journal_read(struct journal *journal, struct slice key);

#endif
