/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A map for those who know an id, an order for those who look around.
 */
#include "presence/user.h"

#include <assert.h>

#include "proto/base/mem.h"

void users_init(struct users *users, uint64_t seed)
{
	map_init(&users->by_id, seed);
	user_order_init(&users->order);
}

void users_fini(struct users *users)
{
	assert(users->by_id.count == 0);
	map_fini(&users->by_id);
	user_order_fini(&users->order);
}

struct user *users_find(const struct users *users, struct slice id)
{
	struct map_node *node = map_find(&users->by_id, id);

	return node != NULL ? CONTAINER_OF(node, struct user, node) : NULL;
}

struct user *users_add(struct users *users, struct slice id)
{
	struct user *user = mem_zalloc(offsetof(struct user, id) + id.len);

	assert(id.len > 0 && id.len <= UINT32_MAX);
	user->id_len = (uint32_t)id.len;
	memcpy(user->id, id.ptr, id.len);
	user->since_unix_ms = INT64_MAX;
	list_init(&user->entries);
	list_init(&user->state_node);
	map_add(&users->by_id, &user->node, user_id(user));
	user_order_add(&users->order, user);
	return user;
}

void users_remove(struct users *users, struct user *user)
{
	assert(user->entries_n == 0);
	assert(!list_is_linked(&user->state_node));
	user_order_remove(&users->order, user);
	map_remove(&users->by_id, &user->node);
	mem_free(user->name);
	mem_free(user);
}

void user_set_name(struct user *user, struct slice name)
{
	if (slice_equal(user_name(user), name))
		return;
	mem_free(user->name);
	user->name = name.len > 0 ? mem_dup(name.ptr, name.len) : NULL;
	user->name_len = name.len;
}
