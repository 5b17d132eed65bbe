/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a replica has told its watchers: who is online. It outlives what Redis kept. It is
 * learned by pages while events go on: what an event said holds, whatever an older or
 * newer page says, for the events behind a page say the same once they have come. Pure.
 */
#ifndef PRESENCE_STORE_MIRROR_H
#define PRESENCE_STORE_MIRROR_H

#include <stdbool.h>

#include "proto/base/list.h"
#include "proto/base/map.h"
#include "proto/base/slice.h"

enum mirror_state {
	MIRROR_NONE,
	MIRROR_LOADING, /* pages are on their way */
	MIRROR_WHOLE,
};

struct mirror {
	enum mirror_state state;
	struct map users;
	struct list gone; /* said to be offline while it was loading */
	size_t n;	  /* who are online */
};

void mirror_init(struct mirror *mirror, uint64_t seed);
void mirror_fini(struct mirror *mirror);

/* Forgets all: MIRROR_NONE. */
void mirror_clear(struct mirror *mirror);

/* Forgets all, and takes in what it is taught until mirror_loaded(). */
void mirror_load(struct mirror *mirror);
void mirror_teach(struct mirror *mirror, struct slice user); /* of a page */
void mirror_loaded(struct mirror *mirror);

/* An event said so; without effect in MIRROR_NONE. */
void mirror_set(struct mirror *mirror, struct slice user, bool is_online);

bool mirror_has(const struct mirror *mirror, struct slice user);

/* Who are online, in no order; start with NULL. */
const struct map_node *mirror_next(const struct mirror *mirror,
				   const struct map_node *node);

#endif
