/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Users online: by id, and in the order in which they came. The order survives change:
 * whoever asks for the user behind a serial number, and then for the one behind that,
 * sees everyone who stays meanwhile exactly once. Pure.
 */
#ifndef PRESENCE_USER_H
#define PRESENCE_USER_H

#include <stddef.h>
#include <stdint.h>

#include "proto/base/list.h"
#include "proto/base/map.h"
#include "proto/base/slice.h"

struct user {
	struct map_node node; /* in users->by_id */
	struct list entries;  /* its connections: session.c's */
	size_t entries_n;
	int64_t since_unix_ms; /* when the first one opened */
	uint64_t serial;
	size_t place; /* its index in users->places */
	char *name;   /* owned */
	size_t name_len;
	size_t id_len;
	char id[];
};

/* A user's; when it has gone, nobody's. */
struct user_place {
	uint64_t serial;
	struct user *user;
};

struct users {
	struct map by_id;
	struct user_place *places; /* owned; by serial */
	size_t places_n;
	size_t places_cap;
	uint64_t last_serial;
};

/* Serials go on from `last_serial`: with a greater one in a later process, a walk that
 * was begun before skips nobody. */
void users_init(struct users *users, uint64_t last_serial, uint64_t seed);

/* All users must have been removed. */
void users_fini(struct users *users);

struct user *users_find(const struct users *users, struct slice id);

/* A new one without connections or a name; the id must be absent. */
struct user *users_add(struct users *users, struct slice id);

/* Frees it; it has no connection any more. */
void users_remove(struct users *users, struct user *user);

/* Who came next after `serial`; NULL: nobody. */
const struct user *users_next(const struct users *users, uint64_t serial);

void user_set_name(struct user *user, struct slice name);

static inline struct slice user_id(const struct user *user)
{
	return slice_make(user->id, user->id_len);
}

static inline struct slice user_name(const struct user *user)
{
	return slice_make(user->name, user->name_len);
}

#endif
