/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Users who are here: by id, and in the order of their ids. Whether one is here, is about
 * to go, or has yet to be told of, is session.c's to decide. Pure.
 */
#ifndef PRESENCE_USER_H
#define PRESENCE_USER_H

#include <stddef.h>
#include <stdint.h>

#include "presence/user_order.h"
#include "proto/base/list.h"
#include "proto/base/map.h"
#include "proto/base/slice.h"

enum user_state {
	USER_HERE,    /* was told to be online */
	USER_WAITING, /* has come in the quiet phase, and is told of at its end */
	USER_LEAVING, /* without a connection; its grace runs */
};

struct user {
	struct map_node node; /* in users->by_id */
	struct list entries;  /* its connections: session.c's */
	size_t entries_n;
	struct list state_node; /* among those who wait or leave; session.c's, too */
	enum user_state state;
	uint32_t id_len;
	int64_t leave_ms;      /* when its grace is over */
	int64_t since_unix_ms; /* when the first connection opened */
	char *name;	       /* owned */
	size_t name_len;
	char id[];
};

struct users {
	struct map by_id;
	struct user_order order;
};

void users_init(struct users *users, uint64_t seed);

/* All users must have been removed. */
void users_fini(struct users *users);

struct user *users_find(const struct users *users, struct slice id);

/* A new one without connections or a name; the id must be absent. */
struct user *users_add(struct users *users, struct slice id);

/* Frees it; it has no connection any more and is in no list. */
void users_remove(struct users *users, struct user *user);

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
