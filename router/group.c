/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Two maps: groups by key, and members by (group, connection), so that saying a thing
 * twice is one lookup. Fan-out walks group->parts, which counts members by gateway. Two
 * kinds of order beside them, for people who page through what is here: of the groups,
 * and of the members of each large one (group_order.c).
 */
#include "router/group.h"

#include <assert.h>

#include "proto/base/mem.h"
#include "router/group_order.h"

void group_table_init(struct group_table *table, uint64_t seed)
{
	map_init(&table->groups, seed);
	map_init(&table->members, seed);
	order_init(&table->listed);
	group_top_init(&table->top);
	buf_init(&table->scratch);
}

void group_gateway_init(struct group_gateway *gateway)
{
	list_init(&gateway->members);
}

#define KEY_HEAD (1 + sizeof(uint32_t)) /* before the hub: kind and length */

/* The length stands before the hub so that no hub and name can pose as another pair. */
void group_key_write(struct buf *out, const struct group_key *key)
{
	const uint32_t hub_len = (uint32_t)key->hub.len;

	buf_append_byte(out, (char)key->kind);
	buf_append(out, &hub_len, sizeof(hub_len));
	buf_append_slice(out, key->hub);
	buf_append_slice(out, key->name);
}

static struct slice group_key_bytes(struct group_table *table,
				    const struct group_key *key)
{
	buf_clear(&table->scratch);
	group_key_write(&table->scratch, key);
	return buf_slice(&table->scratch);
}

struct group_key group_key_of(const struct group *group)
{
	const struct slice bytes = group_bytes(group);
	uint32_t hub_len;

	memcpy(&hub_len, bytes.ptr + 1, sizeof(hub_len));
	return (struct group_key){
		.kind = bytes.ptr[0],
		.hub = slice_make(bytes.ptr + KEY_HEAD, hub_len),
		.name = slice_from(bytes, KEY_HEAD + hub_len),
	};
}

static bool is_listed(const struct group *group)
{
	return group->key[0] == GROUP_KIND_LISTED;
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
	group->parts = &group->first;
	memcpy(group->key, bytes.ptr, bytes.len);
	map_add(&table->groups, &group->node, slice_make(group->key, bytes.len));
	if (is_listed(group))
		group_order_add(table, group);
	return group;
}

static void group_free(struct group_table *table, struct group *group)
{
	assert(group->members_n == 0 && group->parts_n == 0 && group->order == NULL);
	if (is_listed(group)) {
		group_order_remove(table, group);
		group_top_forget(&table->top, group);
	}
	map_remove(&table->groups, &group->node);
	if (group->parts != &group->first)
		mem_free(group->parts);
	mem_free(group);
}

/* ---- the count by gateway */

static void part_append(struct group *group, struct group_part part)
{
	const size_t bytes = (group->parts_n + 1) * sizeof(part);

	if (group->parts != &group->first) {
		group->parts = mem_realloc(group->parts, bytes);
	} else if (group->parts_n > 0) {
		group->parts = mem_alloc(bytes);
		group->parts[0] = group->first;
	}
	group->parts[group->parts_n++] = part;
}

static void part_add(struct group *group, struct group_gateway *gateway)
{
	for (size_t i = 0; i < group->parts_n; i++) {
		if (group->parts[i].gateway == gateway) {
			group->parts[i].members_n++;
			return;
		}
	}
	part_append(group, (struct group_part){ gateway, 1 });
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
#define MEMBER_KEY_HEAD (offsetof(struct member, bytes) - offsetof(struct member, group))

_Static_assert(MEMBER_KEY_HEAD == sizeof(struct group *) + sizeof(struct group_gateway *),
	       "the key is one run of bytes");

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

struct group_member group_member_who(const struct member *member)
{
	const size_t connection_len = member->node.key_len - MEMBER_KEY_HEAD;
	const char *user_id = member->bytes + connection_len;

	return (struct group_member){
		.connection = slice_make(member->bytes, connection_len),
		.user_id = slice_make(user_id, member->user_id_len),
		.user_name =
			slice_make(user_id + member->user_id_len, member->user_name_len),
	};
}

static void put(char **at, struct slice s)
{
	if (s.len > 0)
		memcpy(*at, s.ptr, s.len);
	*at += s.len;
}

static void member_new(struct group_table *table, struct group *group,
		       const struct group_member *from, struct group_gateway *gateway)
{
	const size_t text_len =
		from->connection.len + from->user_id.len + from->user_name.len;
	struct member *member = mem_alloc(sizeof(*member) + text_len);
	char *at = member->bytes;

	put(&at, from->connection);
	put(&at, from->user_id);
	put(&at, from->user_name);
	member->user_id_len = (uint32_t)from->user_id.len;
	member->user_name_len = (uint32_t)from->user_name.len;
	member->group = group;
	member->gateway = gateway;
	list_init(&member->group_node);
	list_init(&member->gateway_node);
	list_append(&group->members, &member->group_node);
	list_append(&gateway->members, &member->gateway_node);
	group->members_n++;
	part_add(group, gateway);
	map_add(&table->members, &member->node,
		slice_make((const char *)member + offsetof(struct member, group),
			   MEMBER_KEY_HEAD + from->connection.len));
	if (is_listed(group)) {
		member_order_add(group, member);
		group_top_offer(&table->top, group);
	}
}

/* Frees the group with its last member. */
static void member_free(struct group_table *table, struct member *member)
{
	struct group *group = member->group;

	if (is_listed(group))
		member_order_remove(group, member);
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

/* The group stays all the while. */
bool group_move(struct group_table *table, const struct group_key *key,
		struct slice connection, struct group_gateway *from,
		struct group_gateway *to)
{
	struct group *group = find(table, key);
	struct member *member = NULL;
	struct group_member who;

	if (group != NULL)
		member = member_find(table, group, from, connection);
	if (member == NULL)
		return false;
	who = group_member_who(member);
	if (member_find(table, group, to, who.connection) == NULL)
		member_new(table, group, &who, to);
	member_free(table, member);
	return true;
}

void group_remove_gateway(struct group_table *table, struct group_gateway *gateway)
{
	LIST_EACH (node, &gateway->members)
		member_free(table, CONTAINER_OF(node, struct member, gateway_node));
}

size_t group_drop(struct group_table *table, struct group *group, size_t n_max)
{
	const size_t n = group->members_n < n_max ? group->members_n : n_max;

	for (size_t i = 0; i < n; i++)
		member_free(table,
			    CONTAINER_OF(group->members.next, struct member, group_node));
	return n;
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
	order_fini(&table->listed);
	buf_fini(&table->scratch);
}
