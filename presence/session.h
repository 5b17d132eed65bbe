/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who is here: connections by (hub, connection id), users by id, and the connections of
 * each registration of a gateway, so that a lost one can take its own along. A user is
 * online from the first connection to the last, and for a grace after it. Pure; the store
 * in memory is a thin coat over it, and store.h tells what the words mean.
 *
 * (The sessions between our processes are another thing: proto/link/session.h.)
 */
#ifndef PRESENCE_SESSION_H
#define PRESENCE_SESSION_H

#include "presence/registration.h"
#include "presence/user.h"
#include "proto/base/err.h"
#include "proto/base/intern.h"

#define SESSION_HUBS_MAX 256
#define SESSION_ID_BYTES_MAX 8192u /* a hub's, connection's or user's id, or a name */
#define SESSION_GATEWAY_NAME_MAX 64
#define SESSION_NOTE_BYTES_MAX 512u /* address and user agent are cut here */

struct session_entry; /* a connection in the table */

/* A connection, as it is told and as it is given back; all slices are borrowed. */
struct session_info {
	struct slice hub;
	struct slice connection;
	struct slice user_id; /* empty: anonymous */
	struct slice user_name;
	struct session_gateway_id gateway;
	struct slice remote;
	struct slice user_agent;
	uint32_t protocol;
	int transport; /* Link__Transport */
	int64_t opened_unix_ms;
	bool is_told;  /* it was said before; only told, not given back, as is the next */
	bool is_moved; /* another gateway has handed it over */
};

/* The user came online, or went. May ask, and must not change the sessions. */
typedef void session_change_fn(void *owner, const struct user *user, bool is_online);

struct session_options {
	size_t n_max; /* connections */
	int64_t grace_ms;
	uint64_t seed;
	session_change_fn *on_change;
	void *owner;
};

struct sessions {
	struct session_options options;
	struct users users;
	struct registrations registrations;
	struct interns agents; /* what clients call themselves */
	struct list hubs;
	size_t hubs_n;
	size_t n; /* connections */
	uint64_t last_serial;
	bool is_quiet;
	struct list waiting; /* users; who came first is first */
	struct list leaving; /* whose grace ends first is first */
};

/* They are quiet until sessions_settle(). */
void sessions_init(struct sessions *sessions, const struct session_options *options);
void sessions_fini(struct sessions *sessions);

/* May it be told? ERR_ARGUMENT: without a hub or an id. ERR_LIMIT: text too long. */
MUST_CHECK enum err session_info_check(const struct session_info *info);

/*
 * Saying it twice changes nothing. ERR_EXISTS: it is another gateway's, which has not
 * handed it over, for whoever uses a connection's token elsewhere must not take the
 * connection away; or another user's, which is fixed for a connection's life. ERR_LIMIT:
 * too many, or text too long. ERR_ARGUMENT: without a hub or an id. ERR_NOT_FOUND: no
 * such registration.
 */
MUST_CHECK enum err sessions_add(struct sessions *sessions, uint64_t registration,
				 const struct session_info *info);

/* ERR_NOT_FOUND, also for a connection of another registration. */
MUST_CHECK enum err sessions_remove(struct sessions *sessions, uint64_t registration,
				    struct slice hub_name, struct slice connection,
				    int64_t now_ms);

/* As sweep() of store.h; returns how many connections it has removed. */
size_t sessions_sweep(struct sessions *sessions, size_t limit, int64_t now_ms,
		      bool *is_more);

/* Ends the quiet phase and tells of at most `limit` who waited; true: there are more. */
bool sessions_settle(struct sessions *sessions, size_t limit);

/* ---- asking; what is returned is valid until the next change */

/* In whichever hub; NULL when absent. */
const struct session_entry *sessions_find(const struct sessions *sessions,
					  struct slice connection);

/* The user's first connection with a serial above `serial`, or NULL: start with 0. */
const struct session_entry *session_first_of_user(const struct user *user,
						  uint64_t serial);
const struct session_entry *session_next_of_user(const struct user *user,
						 const struct session_entry *entry);
uint64_t session_serial(const struct session_entry *entry);
void session_describe(const struct session_entry *entry, struct session_info *info);

#endif
