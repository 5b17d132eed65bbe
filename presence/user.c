/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A map, and an array of places by serial. New users go behind; one that goes leaves a
 * hole, and the holes are closed once they are the larger part.
 */
#include "presence/user.h"

#include <assert.h>

#include "proto/base/mem.h"

#define PLACES_MIN 64

void users_init(struct users *users, uint64_t last_serial, uint64_t seed)
{
	*users = (struct users){ .last_serial = last_serial };
	map_init(&users->by_id, seed);
}

void users_fini(struct users *users)
{
	assert(users->by_id.count == 0);
	map_fini(&users->by_id);
	mem_free(users->places);
	users->places = NULL;
}

/* ---- places */

static void places_close_holes(struct users *users)
{
	size_t n = 0;

	for (size_t i = 0; i < users->places_n; i++) {
		const struct user_place place = users->places[i];

		if (place.user == NULL)
			continue;
		place.user->place = n;
		users->places[n++] = place;
	}
	assert(n == users->by_id.count);
	users->places_n = n;
}

static void places_append(struct users *users, struct user *user)
{
	if (users->places_n == users->places_cap) {
		users->places_cap =
			users->places_cap > 0 ? users->places_cap * 2 : PLACES_MIN;
		users->places = mem_realloc(users->places,
					    users->places_cap * sizeof(*users->places));
	}
	user->serial = ++users->last_serial;
	user->place = users->places_n;
	users->places[users->places_n++] =
		(struct user_place){ .serial = user->serial, .user = user };
}

/* The index of the first place behind `serial`. */
static size_t places_behind(const struct users *users, uint64_t serial)
{
	size_t low = 0;
	size_t high = users->places_n;

	while (low < high) {
		const size_t middle = low + (high - low) / 2;

		if (users->places[middle].serial <= serial)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* ---- users */

struct user *users_find(const struct users *users, struct slice id)
{
	struct map_node *node = map_find(&users->by_id, id);

	return node != NULL ? CONTAINER_OF(node, struct user, node) : NULL;
}

struct user *users_add(struct users *users, struct slice id)
{
	struct user *user = mem_zalloc(sizeof(*user) + id.len);

	assert(id.len > 0);
	user->id_len = id.len;
	memcpy(user->id, id.ptr, id.len);
	user->since_unix_ms = INT64_MAX;
	list_init(&user->entries);
	map_add(&users->by_id, &user->node, user_id(user));
	places_append(users, user);
	return user;
}

void users_remove(struct users *users, struct user *user)
{
	assert(user->entries_n == 0);
	assert(users->places[user->place].user == user);
	users->places[user->place].user = NULL;
	map_remove(&users->by_id, &user->node);
	mem_free(user->name);
	mem_free(user);
	if (users->places_n >= PLACES_MIN && users->by_id.count < users->places_n / 2)
		places_close_holes(users);
}

const struct user *users_next(const struct users *users, uint64_t serial)
{
	for (size_t i = places_behind(users, serial); i < users->places_n; i++) {
		if (users->places[i].user != NULL)
			return users->places[i].user;
	}
	return NULL;
}

void user_set_name(struct user *user, struct slice name)
{
	if (slice_equal(user_name(user), name))
		return;
	mem_free(user->name);
	user->name = name.len > 0 ? mem_dup(name.ptr, name.len) : NULL;
	user->name_len = name.len;
}
