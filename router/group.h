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
	size_t members_n;
	struct group_part *parts; /* owned */
	size_t parts_n;
	char key[]; /* kind, hub length, hub, name */
};

struct member {
	struct map_node node; /* by (group, connection) */
	struct list group_node;
	struct list gateway_node;
	struct group *group;	       /* borrowed */
	struct group_gateway *gateway; /* borrowed */
	struct slice connection;       /* these point into bytes */
	struct slice user_id;
	struct slice user_name;
	char bytes[];
};

struct group_table {
	struct map groups;
	struct map members;
	struct buf scratch; /* owned: the key that is looked up */
};

void group_table_init(struct group_table *table, uint64_t seed);
void group_table_fini(struct group_table *table);

void group_gateway_init(struct group_gateway *gateway);

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

/* Adding twice changes nothing; the same connection at another gateway is a member of its
 * own. */
void group_add(struct group_table *table, const struct group_key *key,
	       const struct group_member *from, struct group_gateway *gateway);

/* Only `gateway`, who brought the member, takes it away; anything else changes nothing.
 */
void group_remove(struct group_table *table, const struct group_key *key,
		  struct slice connection, const struct group_gateway *gateway);

/* The gateway is gone, and its members with it. */
void group_remove_gateway(struct group_table *table, struct group_gateway *gateway);

/* NULL: no members. */
const struct group *group_find(struct group_table *table, const struct group_key *key);

#endif
