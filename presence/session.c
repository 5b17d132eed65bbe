/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A few hubs, each with a map of its connections; every connection is also in its user's
 * list and in its gateway's. Hubs, users and gateways go with their last connection.
 */
#include "presence/session.h"

#include <assert.h>

#include "proto/base/mem.h"

struct session_hub {
	struct list node;   /* in sessions->hubs */
	struct map entries; /* by connection id */
	size_t name_len;
	char name[];
};

struct session_gateway {
	struct map_node node; /* in sessions->gateways, by id */
	struct list entries;
	uint64_t incarnation;
	size_t id_len;
	char id[]; /* the incarnation's bytes, then the name */
};

struct session_entry {
	struct map_node node; /* in hub->entries */
	struct list user_node;
	struct list gateway_node;
	struct session_hub *hub; /* borrowed, as are the next two */
	struct user *user;	 /* NULL: anonymous */
	struct session_gateway *gateway;
	int64_t opened_unix_ms;
	uint32_t protocol;
	int transport;
	uint32_t connection_len;
	uint32_t remote_len;
	uint32_t user_agent_len;
	char text[]; /* the three, in this order */
};

static struct session_entry *entry_of(struct map_node *node)
{
	return node != NULL ? CONTAINER_OF(node, struct session_entry, node) : NULL;
}

static struct slice entry_connection(const struct session_entry *entry)
{
	return slice_make(entry->text, entry->connection_len);
}

static struct slice entry_user_id(const struct session_entry *entry)
{
	return entry->user != NULL ? user_id(entry->user) : SLICE_NONE;
}

void sessions_init(struct sessions *sessions, size_t n_max, uint64_t last_serial,
		   uint64_t seed)
{
	assert(n_max > 0);
	*sessions = (struct sessions){ .n_max = n_max };
	users_init(&sessions->users, last_serial, seed);
	map_init(&sessions->gateways, seed);
	list_init(&sessions->hubs);
}

/* ---- hubs */

static struct session_hub *hub_find(const struct sessions *sessions, struct slice name)
{
	LIST_EACH (node, &sessions->hubs) {
		struct session_hub *hub = CONTAINER_OF(node, struct session_hub, node);

		if (slice_equal(slice_make(hub->name, hub->name_len), name))
			return hub;
	}
	return NULL;
}

static struct session_hub *hub_new(struct sessions *sessions, struct slice name)
{
	struct session_hub *hub = mem_zalloc(sizeof(*hub) + name.len);

	hub->name_len = name.len;
	memcpy(hub->name, name.ptr, name.len);
	map_init(&hub->entries, sessions->users.by_id.seed);
	list_init(&hub->node);
	list_append(&sessions->hubs, &hub->node);
	sessions->hubs_n++;
	return hub;
}

static void hub_free_when_empty(struct sessions *sessions, struct session_hub *hub)
{
	if (hub->entries.count > 0)
		return;
	list_remove(&hub->node);
	sessions->hubs_n--;
	map_fini(&hub->entries);
	mem_free(hub);
}

/* ---- gateways */

/* The key of `id` in `bytes`, which has room for it. */
static struct slice gateway_key(const struct session_gateway_id *id, char *bytes)
{
	memcpy(bytes, &id->incarnation, sizeof(id->incarnation));
	memcpy(bytes + sizeof(id->incarnation), id->name.ptr, id->name.len);
	return slice_make(bytes, sizeof(id->incarnation) + id->name.len);
}

static struct session_gateway *gateway_find(const struct sessions *sessions,
					    const struct session_gateway_id *id)
{
	char bytes[sizeof(id->incarnation) + SESSION_GATEWAY_NAME_MAX];
	struct map_node *node;

	assert(id->name.len <= SESSION_GATEWAY_NAME_MAX);
	node = map_find(&sessions->gateways, gateway_key(id, bytes));
	return node != NULL ? CONTAINER_OF(node, struct session_gateway, node) : NULL;
}

static struct session_gateway *gateway_need(struct sessions *sessions,
					    const struct session_gateway_id *id)
{
	struct session_gateway *gateway = gateway_find(sessions, id);

	if (gateway != NULL)
		return gateway;
	gateway = mem_zalloc(sizeof(*gateway) + sizeof(id->incarnation) + id->name.len);
	gateway->incarnation = id->incarnation;
	gateway->id_len = sizeof(id->incarnation) + id->name.len;
	list_init(&gateway->entries);
	map_add(&sessions->gateways, &gateway->node, gateway_key(id, gateway->id));
	return gateway;
}

static void gateway_free_when_empty(struct sessions *sessions,
				    struct session_gateway *gateway)
{
	if (!list_is_empty(&gateway->entries))
		return;
	map_remove(&sessions->gateways, &gateway->node);
	mem_free(gateway);
}

/* ---- connections */

/* A connection of the user: the newest one's token has the name that holds. */
static void user_join(struct user *user, struct session_entry *entry, struct slice name)
{
	list_append(&user->entries, &entry->user_node);
	user->entries_n++;
	entry->user = user;
	if (entry->opened_unix_ms < user->since_unix_ms)
		user->since_unix_ms = entry->opened_unix_ms;
	user_set_name(user, name);
}

static struct slice note_cut(struct slice note)
{
	if (note.len > SESSION_NOTE_BYTES_MAX)
		note.len = SESSION_NOTE_BYTES_MAX;
	return note;
}

static struct session_entry *entry_new(const struct session_info *info)
{
	const struct slice remote = note_cut(info->remote);
	const struct slice user_agent = note_cut(info->user_agent);
	struct session_entry *entry = mem_zalloc(sizeof(*entry) + info->connection.len +
						 remote.len + user_agent.len);
	char *at = entry->text;

	entry->opened_unix_ms = info->opened_unix_ms;
	entry->protocol = info->protocol;
	entry->transport = info->transport;
	entry->connection_len = (uint32_t)info->connection.len;
	entry->remote_len = (uint32_t)remote.len;
	entry->user_agent_len = (uint32_t)user_agent.len;
	memcpy(at, info->connection.ptr, info->connection.len);
	at += info->connection.len;
	if (remote.len > 0)
		memcpy(at, remote.ptr, remote.len);
	at += remote.len;
	if (user_agent.len > 0)
		memcpy(at, user_agent.ptr, user_agent.len);
	list_init(&entry->user_node);
	list_init(&entry->gateway_node);
	return entry;
}

/* Takes it out of everything and tells whether its user went offline. */
static bool entry_free(struct sessions *sessions, struct session_entry *entry)
{
	struct user *user = entry->user;
	bool is_last = false;

	map_remove(&entry->hub->entries, &entry->node);
	list_remove(&entry->gateway_node);
	list_remove(&entry->user_node);
	sessions->n--;
	if (user != NULL) {
		is_last = --user->entries_n == 0;
		if (is_last)
			users_remove(&sessions->users, user);
	}
	mem_free(entry);
	return is_last;
}

static enum err info_check(const struct session_info *info)
{
	if (info->hub.len == 0 || info->connection.len == 0)
		return ERR_ARGUMENT;
	if (info->hub.len > SESSION_ID_BYTES_MAX ||
	    info->connection.len > SESSION_ID_BYTES_MAX ||
	    info->user_id.len > SESSION_ID_BYTES_MAX ||
	    info->user_name.len > SESSION_ID_BYTES_MAX)
		return ERR_LIMIT;
	return OK;
}

enum err sessions_add(struct sessions *sessions, const struct session_info *info,
		      bool *is_first)
{
	struct session_hub *hub = hub_find(sessions, info->hub);
	struct session_entry *entry;
	struct session_entry *old = NULL;
	enum err rc = info_check(info);

	*is_first = false;
	if (rc != OK)
		return rc;
	if (hub != NULL)
		old = entry_of(map_find(&hub->entries, info->connection));
	if (old != NULL && (old->gateway != gateway_find(sessions, &info->gateway) ||
			    !slice_equal(entry_user_id(old), info->user_id)))
		return ERR_EXISTS;
	if (old == NULL && (sessions->n >= sessions->n_max ||
			    (hub == NULL && sessions->hubs_n >= SESSION_HUBS_MAX)))
		return ERR_LIMIT;
	if (hub == NULL)
		hub = hub_new(sessions, info->hub);
	entry = entry_new(info);
	entry->hub = hub;
	entry->gateway = gateway_need(sessions, &info->gateway);
	list_append(&entry->gateway->entries, &entry->gateway_node);
	if (info->user_id.len > 0) {
		struct user *user = users_find(&sessions->users, info->user_id);

		*is_first = user == NULL;
		if (user == NULL)
			user = users_add(&sessions->users, info->user_id);
		user_join(user, entry, info->user_name);
	}
	/* After the new one came in, so that its user does not go for a moment. */
	if (old != NULL)
		(void)entry_free(sessions, old); /* its user has the new one */
	map_add(&hub->entries, &entry->node, entry_connection(entry));
	sessions->n++;
	return OK;
}

enum err sessions_remove(struct sessions *sessions,
			 const struct session_gateway_id *gateway_id,
			 struct slice hub_name, struct slice connection, bool *is_last)
{
	struct session_gateway *gateway = gateway_find(sessions, gateway_id);
	struct session_hub *hub = hub_find(sessions, hub_name);
	struct session_entry *entry;

	*is_last = false;
	if (gateway == NULL || hub == NULL)
		return ERR_NOT_FOUND;
	entry = entry_of(map_find(&hub->entries, connection));
	if (entry == NULL || entry->gateway != gateway)
		return ERR_NOT_FOUND;
	*is_last = entry_free(sessions, entry);
	hub_free_when_empty(sessions, hub);
	gateway_free_when_empty(sessions, gateway);
	return OK;
}

static size_t gateway_clear(struct sessions *sessions, struct session_gateway *gateway,
			    size_t *users_gone)
{
	size_t n = 0;

	LIST_EACH (node, &gateway->entries) {
		struct session_entry *entry =
			CONTAINER_OF(node, struct session_entry, gateway_node);
		struct session_hub *hub = entry->hub;

		if (entry_free(sessions, entry))
			++*users_gone;
		hub_free_when_empty(sessions, hub);
		n++;
	}
	gateway_free_when_empty(sessions, gateway);
	return n;
}

size_t sessions_remove_gateway(struct sessions *sessions,
			       const struct session_gateway_id *gateway_id,
			       size_t *users_gone)
{
	struct session_gateway *gateway = gateway_find(sessions, gateway_id);

	*users_gone = 0;
	return gateway != NULL ? gateway_clear(sessions, gateway, users_gone) : 0;
}

void sessions_fini(struct sessions *sessions)
{
	struct map_node *node = map_next(&sessions->gateways, NULL);
	size_t users_gone = 0;

	while (node != NULL) {
		struct session_gateway *gateway =
			CONTAINER_OF(node, struct session_gateway, node);

		node = map_next(&sessions->gateways, node);
		(void)gateway_clear(sessions, gateway, &users_gone); /* nobody asks */
	}
	assert(sessions->n == 0);
	users_fini(&sessions->users);
	map_fini(&sessions->gateways);
}

/* ---- asking */

const struct session_entry *sessions_find(const struct sessions *sessions,
					  struct slice connection)
{
	LIST_EACH (node, &sessions->hubs) {
		const struct session_hub *hub =
			CONTAINER_OF(node, struct session_hub, node);
		struct map_node *found = map_find(&hub->entries, connection);

		if (found != NULL)
			return entry_of(found);
	}
	return NULL;
}

const struct session_entry *session_next_of_user(const struct user *user,
						 const struct session_entry *entry)
{
	struct list *next = entry != NULL ? entry->user_node.next : user->entries.next;

	if (next == &user->entries)
		return NULL;
	return CONTAINER_OF(next, struct session_entry, user_node);
}

void session_describe(const struct session_entry *entry, struct session_info *info)
{
	const struct session_gateway *gateway = entry->gateway;
	const size_t name_at = sizeof(gateway->incarnation);
	const char *notes = entry->text + entry->connection_len;

	*info = (struct session_info){
		.hub = slice_make(entry->hub->name, entry->hub->name_len),
		.connection = entry_connection(entry),
		.gateway.name =
			slice_make(gateway->id + name_at, gateway->id_len - name_at),
		.gateway.incarnation = gateway->incarnation,
		.remote = slice_make(notes, entry->remote_len),
		.user_agent =
			slice_make(notes + entry->remote_len, entry->user_agent_len),
		.protocol = entry->protocol,
		.transport = entry->transport,
		.opened_unix_ms = entry->opened_unix_ms,
	};
	if (entry->user == NULL)
		return;
	info->user_id = user_id(entry->user);
	info->user_name = user_name(entry->user);
}
