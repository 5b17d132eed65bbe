/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One map of keys; each key lists its members, each connection its memberships. Whether a
 * connection is a member is asked of the shorter of the two lists.
 */
#include "gateway/index.h"

#include <assert.h>

#include "proto/base/mem.h"

void index_init(struct index *index, uint64_t seed)
{
	map_init(&index->keys, seed);
	buf_init(&index->scratch);
	index->memberships_n = 0;
	index->users_n = 0;
}

void index_fini(struct index *index)
{
	assert(index->keys.count == 0);
	map_fini(&index->keys);
	buf_fini(&index->scratch);
}

/* A hub lives as long as the index: its address is its name here. */
static struct slice key_write(struct index *index, const struct hub *hub, Link__Kind kind,
			      struct slice name)
{
	struct buf *out = &index->scratch;

	buf_clear(out);
	buf_append(out, &hub, sizeof(hub));
	buf_append_byte(out, (char)kind);
	buf_append_slice(out, name);
	return buf_slice(out);
}

struct index_key *index_find(struct index *index, const struct hub *hub, Link__Kind kind,
			     struct slice name)
{
	struct map_node *node = map_find(&index->keys, key_write(index, hub, kind, name));

	return node != NULL ? CONTAINER_OF(node, struct index_key, node) : NULL;
}

static struct membership *find_in_key(const struct index_key *key,
				      const struct conn *conn)
{
	LIST_EACH (node, &key->members) {
		struct membership *membership =
			CONTAINER_OF(node, struct membership, key_node);

		if (membership->conn == conn)
			return membership;
	}
	return NULL;
}

struct membership *index_find_membership(const struct index_key *key,
					 const struct conn *conn)
{
	if (key->members_n < conn->memberships_n)
		return find_in_key(key, conn);
	LIST_EACH (node, &conn->memberships) {
		struct membership *membership =
			CONTAINER_OF(node, struct membership, conn_node);

		if (membership->key == key)
			return membership;
	}
	return NULL;
}

static struct index_key *key_new(struct index *index, struct hub *hub, Link__Kind kind,
				 struct slice name)
{
	const struct slice text = key_write(index, hub, kind, name);
	const size_t key_at = offsetof(struct index_key, hub);
	struct index_key *key = mem_zalloc(key_at + text.len);
	char *bytes = (char *)key + key_at;

	memcpy(bytes, text.ptr, text.len);
	assert(key->hub == hub && key->kind == kind);
	list_init(&key->members);
	map_add(&index->keys, &key->node, slice_make(bytes, text.len));
	if (kind == LINK__KIND__KIND_USER)
		index->users_n++;
	return key;
}

enum err index_add(struct index *index, struct conn *conn, Link__Kind kind,
		   struct slice name)
{
	struct index_key *key = index_find(index, conn->hub, kind, name);
	struct membership *membership;

	if (key == NULL)
		key = key_new(index, conn->hub, kind, name);
	else if (index_find_membership(key, conn) != NULL)
		return ERR_EXISTS;
	membership = MEM_NEW(struct membership);
	membership->key = key;
	membership->conn = conn;
	membership->served = key->serial;
	list_init(&membership->key_node);
	list_init(&membership->conn_node);
	list_append(&key->members, &membership->key_node);
	list_append(&conn->memberships, &membership->conn_node);
	key->members_n++;
	conn->memberships_n++;
	if (kind == LINK__KIND__KIND_GROUP)
		conn->groups_n++;
	index->memberships_n++;
	return OK;
}

void index_remove(struct index *index, struct membership *membership)
{
	struct index_key *key = membership->key;

	list_remove(&membership->key_node);
	list_remove(&membership->conn_node);
	membership->conn->memberships_n--;
	if (key->kind == LINK__KIND__KIND_GROUP)
		membership->conn->groups_n--;
	index->memberships_n--;
	mem_free(membership);
	if (--key->members_n > 0)
		return;
	assert(key->sweep == NULL);
	if (key->kind == LINK__KIND__KIND_USER)
		index->users_n--;
	map_remove(&index->keys, &key->node);
	mem_free(key);
}
