/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which replica of presence is a process's home: the one that hears of its connections,
 * or tells it of users. Each process has an order of its own among all replicas, so that
 * many processes spread over few replicas, and takes the first one that is up. It stays
 * for a moment with a home that went down, and goes back to a better one only when that
 * has been up for a while: telling everything again is dear. Pure; time is a parameter.
 */
#ifndef PROTO_LINK_HOME_CHOICE_H
#define PROTO_LINK_HOME_CHOICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "proto/base/slice.h"
#include "proto/link/shards.h"

/* A replica that has been down for so long is not waited for. */
#define HOME_LEAVE_MS 1000

/* A better one that has been up for so long is gone back to. */
#define HOME_RETURN_MS 5000

struct home_replica {
	uint64_t place;	  /* the lowest one is the best */
	size_t index;	  /* in the list of replicas */
	int64_t since_ms; /* up or down */
	bool is_up;
};

struct home_choice {
	struct home_replica *replicas; /* owned; the best first */
	size_t n;
	ptrdiff_t chosen; /* in `replicas`; -1: none */
};

/* All are down. `name` is ours; of `list` the names count. */
void home_choice_init(struct home_choice *choice, struct slice name,
		      const struct shards *list, int64_t now_ms);
void home_choice_fini(struct home_choice *choice);

/* The replica of that index in the list came up or went down. */
void home_choice_set(struct home_choice *choice, size_t index, bool is_up,
		     int64_t now_ms);

/* Chooses; true: another one than before. */
bool home_choice_make(struct home_choice *choice, int64_t now_ms);

/* The index in the list; -1: none. */
ptrdiff_t home_choice_index(const struct home_choice *choice);

/* When time alone may make another choice; -1: never. */
int64_t home_choice_due_ms(const struct home_choice *choice);

#endif
