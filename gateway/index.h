/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The gateway's own index: which of its connections are in a group or belong to a user.
 * It is the truth about them; the owning shard's table is told by Member messages. Pure.
 *
 * A key is (hub, kind, name). Each membership hangs in two lists, its key's and its
 * connection's, so that fan-out, leaving and closing are walks without a lookup.
 */
#ifndef GATEWAY_INDEX_H
#define GATEWAY_INDEX_H

#include "gateway/conn.h"
#include "proto/base/buf.h"
#include "proto/base/list.h"
#include "proto/base/map.h"

struct sweep;

struct index_key {
	struct map_node node;
	struct list members; /* by membership.key_node; never empty */
	uint32_t members_n;
	uint32_t serial;     /* sweep.h */
	struct sweep *sweep; /* of sweep.c; NULL: none is active */
	struct hub *hub;     /* borrowed; here the map's key begins */
	uint8_t kind;	     /* Link__Kind */
	char name[];
};

static inline struct slice index_key_name(const struct index_key *key)
{
	const size_t head =
		offsetof(struct index_key, name) - offsetof(struct index_key, hub);

	return slice_make(key->name, key->node.key_len - head);
}

struct membership {
	struct list key_node;
	struct list conn_node;
	struct index_key *key; /* borrowed */
	struct conn *conn;     /* borrowed */
	uint32_t served;       /* sweep.h */
};

struct index {
	struct map keys;
	size_t memberships_n;
	size_t users_n;	    /* keys of users: one in two hubs counts twice */
	struct buf scratch; /* a key that is being looked up */
};

void index_init(struct index *index, uint64_t seed);
void index_fini(struct index *index); /* all connections must have left */

/* NULL: nobody here. */
struct index_key *index_find(struct index *index, const struct hub *hub, Link__Kind kind,
			     struct slice name);

/* NULL: not a member. */
struct membership *index_find_membership(const struct index_key *key,
					 const struct conn *conn);

/* ERR_EXISTS: was a member already. */
MUST_CHECK enum err index_add(struct index *index, struct conn *conn, Link__Kind kind,
			      struct slice name);

/* Frees the membership, and its key with the last one: no sweep may hold it then. */
void index_remove(struct index *index, struct membership *membership);

#endif
