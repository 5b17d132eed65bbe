/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A few hubs, each with a map of its connections; every connection is also in its user's
 * list and in its registration's. Hubs go with their last connection, users with theirs
 * or, when it was closed in order, after their grace.
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

struct session_entry {
	struct map_node node; /* in hub->entries */
	struct list user_node;
	struct list registration_node;
	struct session_hub *hub; /* borrowed, as are the next two */
	struct user *user;	 /* NULL: anonymous */
	struct registration *registration;
	uint64_t serial; /* rises along the user's list */
	int64_t opened_unix_ms;
	struct intern *agent; /* owned, one reference */
	uint32_t protocol;
	int transport;
	uint16_t connection_len;
	uint16_t remote_len;
	char text[]; /* the two, in this order */
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

void sessions_init(struct sessions *sessions, const struct session_options *options)
{
	assert(options->n_max > 0);
	assert(options->on_change != NULL);
	*sessions = (struct sessions){ .options = *options, .is_quiet = true };
	users_init(&sessions->users, options->seed);
	registrations_init(&sessions->registrations, options->seed);
	interns_init(&sessions->agents, options->seed);
	list_init(&sessions->hubs);
	list_init(&sessions->waiting);
	list_init(&sessions->leaving);
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
	map_init(&hub->entries, sessions->options.seed);
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

/* ---- users */

static void users_change(struct sessions *sessions, const struct user *user,
			 bool is_online)
{
	sessions->options.on_change(sessions->options.owner, user, is_online);
}

/* The first of its connections is here. */
static void user_come(struct sessions *sessions, struct user *user, bool is_told)
{
	if (!sessions->is_quiet) {
		users_change(sessions, user, true);
	} else if (!is_told) {
		user->state = USER_WAITING;
		list_append(&sessions->waiting, &user->state_node);
	}
}

/* Another one is here: who was about to go stays, and who waited was here before. */
static void user_stay(const struct sessions *sessions, struct user *user, bool is_told)
{
	if (user->state == USER_LEAVING ||
	    (user->state == USER_WAITING && sessions->is_quiet && is_told)) {
		list_remove(&user->state_node);
		user->state = USER_HERE;
	}
}

/* In the quiet phase without a word: at its end everybody is told to ask again. */
static void user_go(struct sessions *sessions, struct user *user)
{
	if (user->state != USER_WAITING && !sessions->is_quiet)
		users_change(sessions, user, false);
	list_remove(&user->state_node);
	users_remove(&sessions->users, user);
}

/*
 * The last connection is gone. In the quiet phase nobody goes who was here before: other
 * connections may not have been told yet. Without room for more users nobody stays.
 */
static void user_leave(struct sessions *sessions, struct user *user, int64_t now_ms,
		       int64_t grace_ms)
{
	const bool is_full = sessions->users.by_id.count > sessions->options.n_max;

	if (user->state == USER_WAITING || is_full ||
	    (grace_ms == 0 && !sessions->is_quiet)) {
		user_go(sessions, user);
		return;
	}
	user->state = USER_LEAVING;
	user->leave_ms = now_ms + grace_ms;
	if (grace_ms > 0)
		list_append(&sessions->leaving, &user->state_node);
	else /* before all who have a grace */
		list_append(sessions->leaving.next, &user->state_node);
}

static void user_join(struct sessions *sessions, struct session_entry *entry,
		      const struct session_info *info)
{
	struct user *user = users_find(&sessions->users, info->user_id);
	const bool is_first = user == NULL;

	if (is_first)
		user = users_add(&sessions->users, info->user_id);
	list_append(&user->entries, &entry->user_node);
	user->entries_n++;
	entry->user = user;
	if (entry->opened_unix_ms < user->since_unix_ms)
		user->since_unix_ms = entry->opened_unix_ms;
	/* The newest one's token has the name that holds. */
	user_set_name(user, info->user_name);
	if (is_first)
		user_come(sessions, user, info->is_told);
	else
		user_stay(sessions, user, info->is_told);
}

/* ---- connections */

static struct slice note_cut(struct slice note)
{
	if (note.len > SESSION_NOTE_BYTES_MAX)
		note.len = SESSION_NOTE_BYTES_MAX;
	return note;
}

static struct session_entry *entry_new(struct sessions *sessions,
				       const struct session_info *info)
{
	const struct slice remote = note_cut(info->remote);
	struct session_entry *entry = mem_zalloc(offsetof(struct session_entry, text) +
						 info->connection.len + remote.len);
	char *at = entry->text;

	entry->opened_unix_ms = info->opened_unix_ms;
	entry->agent = intern_take(&sessions->agents, note_cut(info->user_agent));
	entry->protocol = info->protocol;
	entry->transport = info->transport;
	entry->connection_len = (uint16_t)info->connection.len;
	entry->remote_len = (uint16_t)remote.len;
	memcpy(at, info->connection.ptr, info->connection.len);
	at += info->connection.len;
	if (remote.len > 0)
		memcpy(at, remote.ptr, remote.len);
	list_init(&entry->user_node);
	list_init(&entry->registration_node);
	return entry;
}

/* Takes it out of its hub and registration, either of which may be gone on return; its
 * user has been left. */
static void entry_free(struct sessions *sessions, struct session_entry *entry)
{
	struct session_hub *hub = entry->hub;
	struct registration *registration = entry->registration;

	assert(!list_is_linked(&entry->user_node));
	map_remove(&hub->entries, &entry->node);
	list_remove(&entry->registration_node);
	sessions->n--;
	intern_drop(&sessions->agents, entry->agent);
	mem_free(entry);
	hub_free_when_empty(sessions, hub);
	registration_shrunk(registration);
}

/* `grace_ms` is its user's, should this be the last one. */
static void entry_end(struct sessions *sessions, struct session_entry *entry,
		      int64_t now_ms, int64_t grace_ms)
{
	struct user *user = entry->user;

	list_remove(&entry->user_node);
	entry_free(sessions, entry);
	if (user != NULL && --user->entries_n == 0)
		user_leave(sessions, user, now_ms, grace_ms);
}

/* May it be told by this registration from now on? */
static bool entry_may_move(const struct session_entry *entry,
			   const struct registration *to)
{
	return entry->registration->is_retired ||
	       slice_equal(registration_gateway(entry->registration).name,
			   registration_gateway(to).name);
}

/* What is told again takes the old one's place, in its user's list as well. */
static void entry_replace(struct sessions *sessions, struct session_entry *old,
			  struct session_entry *entry, const struct session_info *info)
{
	entry->serial = old->serial;
	entry->user = old->user;
	if (old->user != NULL) {
		list_append(&old->user_node, &entry->user_node);
		list_remove(&old->user_node);
		user_stay(sessions, old->user, info->is_told);
	}
	entry_free(sessions, old);
}

enum err session_info_check(const struct session_info *info)
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

enum err sessions_add(struct sessions *sessions, uint64_t number,
		      const struct session_info *info)
{
	struct registration *registration =
		registration_find(&sessions->registrations, number);
	struct session_hub *hub = hub_find(sessions, info->hub);
	struct session_entry *entry;
	struct session_entry *old = NULL;
	enum err rc = session_info_check(info);

	if (registration == NULL)
		return ERR_NOT_FOUND;
	if (rc != OK)
		return rc;
	if (hub != NULL)
		old = entry_of(map_find(&hub->entries, info->connection));
	if (old != NULL && ((!info->is_moved && !entry_may_move(old, registration)) ||
			    !slice_equal(entry_user_id(old), info->user_id)))
		return ERR_EXISTS;
	if (old == NULL && (sessions->n >= sessions->options.n_max ||
			    (hub == NULL && sessions->hubs_n >= SESSION_HUBS_MAX)))
		return ERR_LIMIT;
	entry = entry_new(sessions, info);
	list_append(&registration->entries, &entry->registration_node);
	entry->registration = registration;
	if (old != NULL) {
		entry_replace(sessions, old, entry, info);
		hub = hub_find(sessions, info->hub); /* it was the only one */
	} else {
		entry->serial = ++sessions->last_serial;
	}
	entry->hub = hub != NULL ? hub : hub_new(sessions, info->hub);
	map_add(&entry->hub->entries, &entry->node, entry_connection(entry));
	sessions->n++;
	if (old == NULL && info->user_id.len > 0)
		user_join(sessions, entry, info);
	return OK;
}

enum err sessions_remove(struct sessions *sessions, uint64_t number,
			 struct slice hub_name, struct slice connection, int64_t now_ms)
{
	const struct registration *registration =
		registration_find(&sessions->registrations, number);
	const struct session_hub *hub = hub_find(sessions, hub_name);
	struct session_entry *entry;

	if (registration == NULL || hub == NULL)
		return ERR_NOT_FOUND;
	entry = entry_of(map_find(&hub->entries, connection));
	if (entry == NULL || entry->registration != registration)
		return ERR_NOT_FOUND;
	entry_end(sessions, entry, now_ms, sessions->options.grace_ms);
	return OK;
}

/* ---- what is due */

static size_t retired_sweep(struct sessions *sessions, size_t limit, int64_t now_ms)
{
	size_t n = 0;

	for (; n < limit; n++) {
		struct registration *registration =
			registration_first_retired(&sessions->registrations);

		if (registration == NULL)
			break;
		entry_end(sessions,
			  CONTAINER_OF(registration->entries.next, struct session_entry,
				       registration_node),
			  now_ms, 0);
	}
	return n;
}

/* Who may go now; NULL: nobody. */
static struct user *user_due(const struct sessions *sessions, int64_t now_ms)
{
	struct user *user;

	if (sessions->is_quiet || list_is_empty(&sessions->leaving))
		return NULL;
	user = CONTAINER_OF(sessions->leaving.next, struct user, state_node);
	return user->leave_ms <= now_ms ? user : NULL;
}

size_t sessions_sweep(struct sessions *sessions, size_t limit, int64_t now_ms,
		      bool *is_more)
{
	struct registrations *registrations = &sessions->registrations;
	struct registration *registration;
	struct user *user;
	size_t n;

	while ((registration = registration_expired(registrations, now_ms)) != NULL)
		registration_retire(registrations, registration);
	n = retired_sweep(sessions, limit, now_ms);
	for (size_t i = 0; i < limit && (user = user_due(sessions, now_ms)) != NULL; i++)
		user_go(sessions, user);
	*is_more = registration_first_retired(registrations) != NULL ||
		   user_due(sessions, now_ms) != NULL;
	return n;
}

bool sessions_settle(struct sessions *sessions, size_t limit)
{
	sessions->is_quiet = false;
	for (size_t i = 0; i < limit && !list_is_empty(&sessions->waiting); i++) {
		struct user *user = CONTAINER_OF(list_shift(&sessions->waiting),
						 struct user, state_node);

		user->state = USER_HERE;
		users_change(sessions, user, true);
	}
	return !list_is_empty(&sessions->waiting);
}

/* Nobody is told. */
static void ignore_change(void *owner, const struct user *user, bool is_online)
{
	(void)owner;
	(void)user;
	(void)is_online;
}

void sessions_fini(struct sessions *sessions)
{
	bool is_more = true;

	sessions->options.on_change = ignore_change;
	sessions->is_quiet = false;
	while (is_more)
		(void)sessions_sweep(sessions, SIZE_MAX, INT64_MAX, &is_more);
	assert(sessions->n == 0);
	users_fini(&sessions->users);
	registrations_fini(&sessions->registrations);
	interns_fini(&sessions->agents);
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

const struct session_entry *session_first_of_user(const struct user *user,
						  uint64_t serial)
{
	LIST_EACH (node, &user->entries) {
		const struct session_entry *entry =
			CONTAINER_OF(node, struct session_entry, user_node);

		if (entry->serial > serial)
			return entry;
	}
	return NULL;
}

const struct session_entry *session_next_of_user(const struct user *user,
						 const struct session_entry *entry)
{
	struct list *next = entry->user_node.next;

	if (next == &user->entries)
		return NULL;
	return CONTAINER_OF(next, struct session_entry, user_node);
}

uint64_t session_serial(const struct session_entry *entry)
{
	return entry->serial;
}

void session_describe(const struct session_entry *entry, struct session_info *info)
{
	const char *notes = entry->text + entry->connection_len;

	*info = (struct session_info){
		.hub = slice_make(entry->hub->name, entry->hub->name_len),
		.connection = entry_connection(entry),
		.gateway = registration_gateway(entry->registration),
		.remote = slice_make(notes, entry->remote_len),
		.user_agent = intern_text(entry->agent),
		.protocol = entry->protocol,
		.transport = entry->transport,
		.opened_unix_ms = entry->opened_unix_ms,
	};
	if (entry->user == NULL)
		return;
	info->user_id = user_id(entry->user);
	info->user_name = user_name(entry->user);
}
