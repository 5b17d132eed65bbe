/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The orders in which people page through a table: the listed groups by hub and name, and
 * the members of each large one by connection id. group.c keeps them, group_page.c reads
 * them. Pure.
 */
#ifndef ROUTER_GROUP_ORDER_H
#define ROUTER_GROUP_ORDER_H

#include "router/group.h"

/* So many members are kept in an order of their own; fewer are sorted when somebody asks.
 */
#define GROUP_ORDERED_MIN 1024

/* ---- groups */

/* As group_key_write() writes them. */
static inline struct slice group_bytes(const struct group *group)
{
	return slice_make(group->key, group->node.key_len);
}

order_compare_fn group_compare; /* a group with a slice of such bytes */

void group_order_add(struct group_table *table, struct group *group);
void group_order_remove(struct group_table *table, const struct group *group);

/* How many listed groups there are. Takes a step for each chunk. */
size_t group_order_count(const struct group_table *table);

/* ---- members */

struct member_place {
	struct slice connection;
	const struct group_gateway *gateway; /* NULL: before all of that id */
};

order_compare_fn member_compare; /* a member with a struct member_place */

/* It is in the group's list. */
void member_order_add(struct group *group, struct member *member);

/* It still is. */
void member_order_remove(struct group *group, const struct member *member);

#endif
