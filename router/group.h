/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The shard's table of groups and users: who is a member, and through which gateway. Fed
 * by the gateways' Member messages alone, so it can be lost and rebuilt. Pure.
 *
 * "Group" here stands for both kinds of key, GROUP and USER.
 */
#ifndef ROUTER_GROUP_H
#define ROUTER_GROUP_H

#include <stdbool.h>
#include <stddef.h>

#include "proto/base/buf.h"
#include "proto/base/list.h"
#include "proto/base/map.h"
#include "proto/base/slice.h"
#include "router/group_top.h"
#include "router/order.h"

/* Link__Kind's GROUP. People may list these; of users there are too many. */
#define GROUP_KIND_LISTED 1

/* A gateway in the eyes of the table; embedded in the router's own struct for it. */
struct group_gateway {
	struct list members; /* all memberships it brought, by member.gateway_node */
};

/* How many members a group has at one gateway; only gateways with some are listed. */
struct group_part {
	struct group_gateway *gateway; /* borrowed */
	size_t members_n;
};

struct group {
	struct map_node node;
	struct list members; /* by member.group_node; never empty */
	uint32_t members_n;
	uint32_t parts_n;
	struct group_part *parts; /* `first`, or owned when there are more */
	struct group_part first;  /* most groups, and users, are at one gateway */
	struct order *order;	  /* owned: members by connection id; NULL: too few */
	char key[];		  /* kind, hub length, hub, name */
};

struct member {
	struct map_node node; /* the key: from `group` to the connection's end */
	struct list group_node;
	struct list gateway_node;
	uint32_t user_id_len;
	uint32_t user_name_len;
	struct group *group;	       /* borrowed */
	struct group_gateway *gateway; /* borrowed */
	char bytes[];		       /* connection, user id, user name */
};

/* Who says so, of whom. All slices are copied by group_add(). */
struct group_key {
	struct slice hub;
	int kind;
	struct slice name;
};

struct group_member {
	struct slice connection;
	struct slice user_id;
	struct slice user_name;
};

/* Who it is; borrowed from the member. */
struct group_member group_member_who(const struct member *member);

/* Which it is; borrowed from the group. */
struct group_key group_key_of(const struct group *group);

/* The bytes of a key: those of a kind and hub are one run in their order, by name. */
void group_key_write(struct buf *out, const struct group_key *key);

struct group_table {
	struct map groups;
	struct map members;
	struct order listed;  /* groups of GROUP_KIND_LISTED by hub and name */
	struct group_top top; /* the largest of them */
	struct buf scratch;   /* owned: the key that is looked up */
};

void group_table_init(struct group_table *table, uint64_t seed);
void group_table_fini(struct group_table *table);

void group_gateway_init(struct group_gateway *gateway);

/* Adding twice changes nothing; the same connection at another gateway is a member of its
 * own. */
void group_add(struct group_table *table, const struct group_key *key,
	       const struct group_member *from, struct group_gateway *gateway);

/* Only `gateway`, who brought the member, takes it away; anything else changes nothing.
 */
void group_remove(struct group_table *table, const struct group_key *key,
		  struct slice connection, const struct group_gateway *gateway);

/* What `from` has brought of the connection is what `to` has brought, from now on. False:
 * it has brought nothing. */
bool group_move(struct group_table *table, const struct group_key *key,
		struct slice connection, struct group_gateway *from,
		struct group_gateway *to);

/* The gateway is gone, and its members with it. */
void group_remove_gateway(struct group_table *table, struct group_gateway *gateway);

/* Removes so many of its members at most, and it with the last; returns how many. */
size_t group_drop(struct group_table *table, struct group *group, size_t n_max);

/* NULL: no members. */
const struct group *group_find(struct group_table *table, const struct group_key *key);

#endif
