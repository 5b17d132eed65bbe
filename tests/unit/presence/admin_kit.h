/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The admin API over real sockets, in one process with the store in memory, and peers
 * that dial it as gateways and routers do and answer its commands as the test says.
 */
#ifndef TESTS_UNIT_PRESENCE_ADMIN_KIT_H
#define TESTS_UNIT_PRESENCE_ADMIN_KIT_H

#include "presence/presence.h"
#include "tests/unit/proto/base/http_kit.h"

#define ADMIN_KIT_TOKEN "0123456789abcdef0123456789abcdef"

struct kit_peer;

/* Answers a command: sets what `done` has to say, and returns true; false: not now. */
typedef bool kit_peer_fn(struct kit_peer *peer, const Link__Command *command,
			 Link__CommandDone *done);

struct kit_peer {
	kit_peer_fn *fn;
	struct link *link;
	struct link_peer *presence;
	int commands_n;
	int news_n;
	struct link_stats stats;
};

struct admin_kit {
	struct presence_conf conf; /* to be changed before the first request */
	struct presence presence;
	struct http_kit http;	   /* for its clients: the server is not the kit's */
	struct http_client client; /* its last answer */
	struct kit_peer peers[4];
	size_t peers_n;
	struct {
		const char *gateway;
		uint64_t number;
	} registrations[4]; /* of gateways with the store */
	size_t registrations_n;
	char link_url[64];
	char token_path[64];
};

void admin_kit_init(struct admin_kit *kit);
void admin_kit_fini(struct admin_kit *kit);

/* Writes a token file and has it used. */
void admin_kit_use_tokens(struct admin_kit *kit, const char *text);

/* A connection of gateway `gateway` in hub "chat", known to the store. */
void admin_kit_add(struct admin_kit *kit, const char *gateway, struct slice connection,
		   struct slice user);

void admin_kit_remove(struct admin_kit *kit, const char *gateway,
		      struct slice connection);

/* A process that is up when it returns. */
struct kit_peer *admin_kit_peer(struct admin_kit *kit, Link__Role role, const char *name,
				kit_peer_fn *fn);

/* ---- requests */

/* Sends one, with Connection: close. `headers` are whole lines. */
void admin_kit_say(struct admin_kit *kit, const char *method, const char *target,
		   const char *headers, const char *body);

/* Turns until the answer is whole; returns its status. */
int admin_kit_wait(struct admin_kit *kit);

/* Both; with a body, as application/json. */
int admin_kit_ask(struct admin_kit *kit, const char *method, const char *target,
		  const char *body);
int admin_kit_get(struct admin_kit *kit, const char *target);

bool admin_kit_has(const struct admin_kit *kit, const char *text);

/* Is it a problem of that name? */
bool admin_kit_is_problem(const struct admin_kit *kit, const char *name);

/* The cursor in the last answer; empty: none. Lives until the next request. */
struct slice admin_kit_next(const struct admin_kit *kit);

#endif
