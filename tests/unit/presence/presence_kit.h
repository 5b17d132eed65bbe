/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A whole presence process, and links of the test's own that say what gateways and
 * routers say. The loop of these actors turns while the test waits for something.
 */
#ifndef TESTS_UNIT_PRESENCE_PRESENCE_KIT_H
#define TESTS_UNIT_PRESENCE_PRESENCE_KIT_H

#include "presence/presence.h"
#include "proto/link/link_stats.h"
#include "tests/unit/proto/base/proc_kit.h"

#define LONG_MS 60000

/* A gateway or router as this test plays it. */
struct actor {
	struct link *link;
	struct link_peer *presence;
	struct link_stats stats;
	int news_n; /* on_up with is_new */
	int losts_n;
	int topologies_n;
	char peers[256]; /* names in the last topology */
	bool is_settled;
	int changes_n;
	char changes[4096]; /* "+ann -ann ! " */
	char change_id[64]; /* of the last one */
	int shards_n;
	char shards[256]; /* the last map it was told: "2 prepare r1=.. -> r2=.." */
};

extern struct child child;
extern struct loop *loop; /* of the actors: asking does not turn it */

/* Around each test. */
void presence_setup(void);
void presence_teardown(void);

void start_presence(const char *lease);
void start_presence_with(const char *lease, const char *extra);
const char *presence_key_path(void);

int64_t now_ms(void);
bool answer_has(const char *target, const char *text);
/* Asks for these routers, as people do. */
bool takes_routers(const char *list);
void until_answer(const char *target, const char *text);
void until_users(const char *text);
void until_int(const int *value, int wanted);
void until_peers(const struct actor *actor, const char *peers);
void until_changes(const struct actor *actor, const char *changes);

struct actor *actor_new(Link__Role role, const char *name, uint64_t incarnation);
void actor_free(struct actor *actor);

/* One that has begun to tell what it holds. */
struct actor *gateway_new(const char *name, uint64_t incarnation);
void say_opened(struct actor *actor, const char *connection, const char *user_id);
void say_closed(struct actor *actor, const char *connection);
void say_lease(struct actor *actor, int64_t lease_ms);
void say_watch(struct actor *actor, const char *after);
void say_shards(struct actor *actor, uint64_t epoch, enum shard_phase phase,
		const char *routers, const char *next, bool is_done);
void until_shards(const struct actor *actor, const char *shards);

#endif
