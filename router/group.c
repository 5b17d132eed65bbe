/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Two maps: groups by key, and members by (group, connection), so that saying a thing
 * twice is one lookup. Fan-out walks group->parts, which counts members by gateway.
 */
#include "router/group.h"

#include <assert.h>

#include "proto/base/mem.h"

void group_table_init(struct group_table *table, uint64_t seed)
{
	map_init(&table->groups, seed);
	map_init(&table->members, seed);
	buf_init(&table->scratch);
}

void group_gateway_init(struct group_gateway *gateway)
{
	list_init(&gateway->members);
}

/* The length stands before the hub so that no hub and name can pose as another pair. */
static struct slice group_key_bytes(struct group_table *table,
				    const struct group_key *key)
{
	const uint32_t hub_len = (uint32_t)key->hub.len;
	struct buf *bytes = &table->scratch;

	buf_clear(bytes);
	buf_append_byte(bytes, (char)key->kind);
	buf_append(bytes, &hub_len, sizeof(hub_len));
	buf_append_slice(bytes, key->hub);
	buf_append_slice(bytes, key->name);
	return buf_slice(bytes);
}

static struct group *find(struct group_table *table, const struct group_key *key)
{
	struct map_node *node = map_find(&table->groups, group_key_bytes(table, key));

	return node != NULL ? CONTAINER_OF(node, struct group, node) : NULL;
}

const struct group *group_find(struct group_table *table, const struct group_key *key)
{
	return find(table, key);
}

static struct group *group_new(struct group_table *table, const struct group_key *key)
{
	const struct slice bytes = group_key_bytes(table, key);
	struct group *group = mem_zalloc(sizeof(*group) + bytes.len);

	list_init(&group->members);
	memcpy(group->key, bytes.ptr, bytes.len);
	map_add(&table->groups, &group->node, slice_make(group->key, bytes.len));
	return group;
}

static void group_free(struct group_table *table, struct group *group)
{
	assert(group->members_n == 0 && group->parts_n == 0);
	map_remove(&table->groups, &group->node);
	mem_free(group->parts);
	mem_free(group);
}

/* ---- the count by gateway */

static void part_add(struct group *group, struct group_gateway *gateway)
{
	for (size_t i = 0; i < group->parts_n; i++) {
		if (group->parts[i].gateway == gateway) {
			group->parts[i].members_n++;
			return;
		}
	}
	group->parts =
		mem_realloc(group->parts, (group->parts_n + 1) * sizeof(*group->parts));
	group->parts[group->parts_n++] = (struct group_part){ gateway, 1 };
}

static void part_remove(struct group *group, const struct group_gateway *gateway)
{
	size_t i = 0;

	while (group->parts[i].gateway != gateway) {
		i++;
		assert(i < group->parts_n);
	}
	if (--group->parts[i].members_n == 0)
		group->parts[i] = group->parts[--group->parts_n];
}

/* ---- members */

/*
 * A member is a connection at a gateway: while an id is used at two, each comes and goes
 * by itself. Addresses name group and gateway while they live; members never outlive
 * them.
 */
static struct slice member_key_bytes(struct group_table *table, const struct group *group,
				     const struct group_gateway *gateway,
				     struct slice connection)
{
	buf_clear(&table->scratch);
	buf_append(&table->scratch, &group, sizeof(group));
	buf_append(&table->scratch, &gateway, sizeof(gateway));
	buf_append_slice(&table->scratch, connection);
	return buf_slice(&table->scratch);
}

static struct member *member_find(struct group_table *table, const struct group *group,
				  const struct group_gateway *gateway,
				  struct slice connection)
{
	struct map_node *node = map_find(
		&table->members, member_key_bytes(table, group, gateway, connection));

	return node != NULL ? CONTAINER_OF(node, struct member, node) : NULL;
}

static void member_new(struct group_table *table, struct group *group,
		       const struct group_member *from, struct group_gateway *gateway)
{
	const size_t key_len =
		member_key_bytes(table, group, gateway, from->connection).len;
	struct buf *bytes = &table->scratch;
	struct member *member;
	char *at;

	buf_append_slice(bytes, from->user_id);
	buf_append_slice(bytes, from->user_name);
	member = mem_zalloc(sizeof(*member) + bytes->len);
	memcpy(member->bytes, bytes->ptr, bytes->len);
	at = member->bytes + sizeof(group) + sizeof(gateway);
	member->connection = slice_make(at, from->connection.len);
	member->user_id = slice_make(at += from->connection.len, from->user_id.len);
	member->user_name = slice_make(at + from->user_id.len, from->user_name.len);
	member->group = group;
	member->gateway = gateway;
	list_init(&member->group_node);
	list_init(&member->gateway_node);
	list_append(&group->members, &member->group_node);
	list_append(&gateway->members, &member->gateway_node);
	group->members_n++;
	part_add(group, gateway);
	map_add(&table->members, &member->node, slice_make(member->bytes, key_len));
}

/* Frees the group with its last member. */
static void member_free(struct group_table *table, struct member *member)
{
	struct group *group = member->group;

	part_remove(group, member->gateway);
	map_remove(&table->members, &member->node);
	list_remove(&member->group_node);
	list_remove(&member->gateway_node);
	mem_free(member);
	if (--group->members_n == 0)
		group_free(table, group);
}

void group_add(struct group_table *table, const struct group_key *key,
	       const struct group_member *from, struct group_gateway *gateway)
{
	struct group *group = find(table, key);

	if (group == NULL)
		group = group_new(table, key);
	if (member_find(table, group, gateway, from->connection) == NULL)
		member_new(table, group, from, gateway);
}

void group_remove(struct group_table *table, const struct group_key *key,
		  struct slice connection, const struct group_gateway *gateway)
{
	struct group *group = find(table, key);
	struct member *member;

	if (group == NULL)
		return;
	member = member_find(table, group, gateway, connection);
	if (member != NULL)
		member_free(table, member);
}

void group_remove_gateway(struct group_table *table, struct group_gateway *gateway)
{
	LIST_EACH (node, &gateway->members)
		member_free(table, CONTAINER_OF(node, struct member, gateway_node));
}

void group_table_fini(struct group_table *table)
{
	struct map_node *node = map_next(&table->members, NULL);

	while (node != NULL) {
		struct member *member = CONTAINER_OF(node, struct member, node);

		node = map_next(&table->members, node);
		member_free(table, member);
	}
	map_fini(&table->members);
	map_fini(&table->groups);
	buf_fini(&table->scratch);
}
