/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A redis-server of the test's own, and stores on it that write down what they tell:
 * "+ann " when she came online, "-ann " when she went, "! " for a reset. Waiting turns
 * the loop until a condition holds, or fails the test.
 */
#ifndef TESTS_UNIT_PRESENCE_REDIS_WORLD_H
#define TESTS_UNIT_PRESENCE_REDIS_WORLD_H

#include "presence/store_redis.h"
#include "proto/base/loop.h"

#define WORLD_STORES_MAX 4
#define WORLD_TEXTS_MAX (1 << 20)

/* A replica's store and its watcher. */
struct replica {
	struct store *store;
	struct store_redis_stats stats;
	struct redis_stats redis_stats;
	int lost_n;
	size_t told_n;
	size_t told_len;
	char told_id[64]; /* of the last one */
	char told[WORLD_TEXTS_MAX];
	void (*on_told)(struct replica *replica, const struct store_event *event);
};

/* How an operation ended. */
struct outcome {
	struct store_call call;
	bool is_done;
	struct store_answer answer; /* its pointers are dead */
	char users[4096];	    /* ids, a space behind each */
	char next[256];
};

struct world {
	struct loop *loop;
	struct store_redis_options options; /* of the stores to come */
	struct replica *replicas[WORLD_STORES_MAX];
};

/* The one of the test that runs; a redis-server is running, no store is there yet. */
extern struct world world;
void world_open(void);
void world_close(void);

/* More arguments of redis-server, for the next start; up to a NULL. */
void world_start(const char *more, ...) __attribute__((sentinel));
void world_kill(void);
void world_pause(void);
void world_resume(void);
void world_url(char *url, size_t size, const char *user);

/* One command over a connection of its own; its words, up to a NULL. The reply is as
 * text, with a space behind each of an array's items. */
const char *world_redis(const char *word, ...) __attribute__((sentinel));
const char *world_redis_words(const char *const *words);

/* A store with world.options; the second form waits until it is there. */
struct replica *world_add(void);
struct replica *world_join(void);
void world_remove(struct replica *replica);

/* Its store is the caller's now, who frees it before the world is closed. */
struct store *world_release(struct replica *replica);

/* One whose store is settled. */
struct replica *world_begin(void);

/* Stores to come are this user of Redis, whose rights the test may take away; NULL: as
 * before. */
void world_use(const char *user);
void world_wait_up(struct replica *replica);

void world_turn(int64_t end_us, const char *what);
#define WORLD_WAIT_US 30000000
#define WORLD_WAIT(condition)                                                            \
	do {                                                                             \
		const int64_t end_us_ = loop_clock_us() + WORLD_WAIT_US;                 \
		while (!(condition))                                                     \
			world_turn(end_us_, #condition);                                 \
	} while (0)

/* ---- operations */

struct store_call *outcome_init(struct outcome *outcome);
const struct store_answer *outcome_wait(struct outcome *outcome);

uint64_t replica_gateway(struct replica *replica, const char *name, uint64_t incarnation,
			 int64_t lease_ms);
void replica_add(struct replica *replica, uint64_t registration, const char *connection,
		 const char *user, struct outcome *outcome);
void replica_remove(struct replica *replica, uint64_t registration,
		    const char *connection, struct outcome *outcome);

/* The same, waited for. */
enum err replica_put(struct replica *replica, uint64_t registration,
		     const char *connection, const char *user);
enum err replica_take(struct replica *replica, uint64_t registration,
		      const char *connection);
void replica_settle(struct replica *replica);
size_t replica_sweep(struct replica *replica); /* until there is no more */
void replica_expect_counts(struct replica *replica, size_t users, size_t connections);

bool replica_is_away(const struct replica *replica);

/* Presence sweeps all the time, and so notices what happened to Redis. */
void replica_notice(struct replica *replica);

/* What a gateway does when its presence says so: tells all it has, "g1-ann" of "ann". */
uint64_t replica_tell(struct replica *replica, const char *gateway,
		      const char *const *users, size_t n);

/* Waits until it has told as many, then compares. */
void replica_expect_told(struct replica *replica, const char *told);

#endif
