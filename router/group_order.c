/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A group gets an order when it becomes large, and loses it when half of that is left: so
 * that it does not come and go with one member.
 */
#include "router/group_order.h"

#include "proto/base/mem.h"

/* ---- groups */

int group_compare(const void *item, const void *key)
{
	const struct slice *other = key;

	return slice_compare(group_bytes(item), *other);
}

void group_order_add(struct group_table *table, struct group *group)
{
	const struct slice bytes = group_bytes(group);

	order_add(&table->listed, group_compare, &bytes, group);
}

void group_order_remove(struct group_table *table, const struct group *group)
{
	const struct slice bytes = group_bytes(group);

	order_remove(&table->listed, group_compare, &bytes);
}

size_t group_order_count(const struct group_table *table)
{
	const struct order_place end = { .chunk = table->listed.chunks_n };

	return order_rank(&table->listed, end);
}

/* ---- members */

int member_compare(const void *item, const void *key)
{
	const struct member *member = item;
	const struct member_place *place = key;
	const uintptr_t ours = (uintptr_t)member->gateway;
	const uintptr_t theirs = (uintptr_t)place->gateway;
	const int by_id =
		slice_compare(group_member_who(member).connection, place->connection);

	return by_id != 0 ? by_id : (ours > theirs) - (ours < theirs);
}

static struct member_place place_of(const struct member *member)
{
	return (struct member_place){ group_member_who(member).connection,
				      member->gateway };
}

static void add(struct group *group, struct member *member)
{
	const struct member_place place = place_of(member);

	order_add(group->order, member_compare, &place, member);
}

void member_order_add(struct group *group, struct member *member)
{
	if (group->order != NULL) {
		add(group, member);
		return;
	}
	if (group->members_n < GROUP_ORDERED_MIN)
		return;
	group->order = MEM_NEW(struct order);
	order_init(group->order);
	LIST_EACH (node, &group->members)
		add(group, CONTAINER_OF(node, struct member, group_node));
}

void member_order_remove(struct group *group, const struct member *member)
{
	const struct member_place place = place_of(member);

	if (group->order == NULL)
		return;
	if (group->members_n > GROUP_ORDERED_MIN / 2) {
		order_remove(group->order, member_compare, &place);
		return;
	}
	order_fini(group->order);
	mem_free(group->order);
	group->order = NULL;
}
