/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Users in the order of their ids' bytes, for pages and prefixes. Sorted blocks of
 * pointers: a search looks at some twenty ids among a million, and a user costs 8 to 32
 * bytes, 8 when ids come in order and about 12 when they come in none. Pure.
 */
#ifndef PRESENCE_USER_ORDER_H
#define PRESENCE_USER_ORDER_H

#include <stdbool.h>
#include <stddef.h>

#include "proto/base/slice.h"

struct user;
struct user_block;

struct user_order {
	struct user_block **blocks; /* owned, none of them empty */
	size_t blocks_n;
	size_t blocks_cap;
};

/* Between two users, or at the end; valid until the next change. */
struct user_place {
	size_t block;
	size_t at;
};

void user_order_init(struct user_order *order);
void user_order_fini(struct user_order *order);

/* Its id is in no other one's place. The user is borrowed. */
void user_order_add(struct user_order *order, struct user *user);

/* It is there. */
void user_order_remove(struct user_order *order, const struct user *user);

/* Before the first user whose id is `from` or greater. */
struct user_place user_order_seek(const struct user_order *order, struct slice from);

/* The user behind the place, which goes on behind it; NULL at the end. */
const struct user *user_order_next(const struct user_order *order,
				   struct user_place *place);

#endif
