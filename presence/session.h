/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who is here: connections by (hub, connection id), users by id, and the connections of
 * each gateway, so that a lost one takes its own along in one walk. A user is online from
 * the first connection to the last. Pure; the store in memory is a thin coat over it.
 *
 * (The sessions between our processes are another thing: proto/link/session.h.)
 */
#ifndef PRESENCE_SESSION_H
#define PRESENCE_SESSION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "presence/user.h"
#include "proto/base/err.h"
#include "proto/base/list.h"
#include "proto/base/map.h"
#include "proto/base/slice.h"

#define SESSION_HUBS_MAX 256
#define SESSION_ID_BYTES_MAX 8192u /* a hub's, connection's or user's id, or a name */
#define SESSION_GATEWAY_NAME_MAX 64
#define SESSION_NOTE_BYTES_MAX 512u /* address and user agent are cut here */

struct session_entry; /* a connection in the table */

/* One life of a gateway. */
struct session_gateway_id {
	struct slice name;
	uint64_t incarnation;
};

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
};

struct sessions {
	struct users users;
	struct map gateways;
	struct list hubs;
	size_t hubs_n;
	size_t n; /* connections */
	size_t n_max;
};

/* `last_serial` as for users_init(). */
void sessions_init(struct sessions *sessions, size_t n_max, uint64_t last_serial,
		   uint64_t seed);
void sessions_fini(struct sessions *sessions);

/*
 * Saying it twice changes nothing. ERR_EXISTS: it is another gateway's, for whoever uses
 * a connection's token elsewhere must not take the connection away; or another user's,
 * which is fixed for a connection's life.
 * `*is_first`: the user just came online by it. ERR_LIMIT: too many, or text too long.
 * ERR_ARGUMENT: without a hub or an id.
 */
MUST_CHECK enum err sessions_add(struct sessions *sessions,
				 const struct session_info *info, bool *is_first);

/*
 * `*is_last`: the user just went offline by it. ERR_NOT_FOUND, also for a connection of
 * another gateway.
 */
MUST_CHECK enum err sessions_remove(struct sessions *sessions,
				    const struct session_gateway_id *gateway_id,
				    struct slice hub_name, struct slice connection,
				    bool *is_last);

/* Removes all that the gateway brought. Returns their number; `*users_gone` went offline.
 */
size_t sessions_remove_gateway(struct sessions *sessions,
			       const struct session_gateway_id *gateway_id,
			       size_t *users_gone);

/* ---- asking; what is returned is valid until the next change */

/* In whichever hub; NULL when absent. */
const struct session_entry *sessions_find(const struct sessions *sessions,
					  struct slice connection);

/* Start with NULL. */
const struct session_entry *session_next_of_user(const struct user *user,
						 const struct session_entry *entry);
void session_describe(const struct session_entry *entry, struct session_info *info);

#endif
