/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The store in Redis, for its own files. How it works together is told in store_redis.c.
 */
#ifndef PRESENCE_STORE_REDIS_PRIVATE_H
#define PRESENCE_STORE_REDIS_PRIVATE_H

#include "presence/store_event_id.h"
#include "presence/store_mirror.h"
#include "presence/store_redis.h"
#include "presence/store_redis_op.h"
#include "proto/base/buf.h"
#include "proto/base/loop.h"
#include "proto/base/redis.h"

#define EPOCH_BYTES 32
#define REPLICA_BYTES 16

enum { SCRIPT_OPEN, SCRIPT_BATCH, SCRIPTS };

struct batch;

/* The connection that reads events, and what they have told. */
struct store_reader {
	struct redis *redis; /* owned */
	struct redis_call call;
	bool is_asking;
	bool is_following; /* it knows from where on to read */
	uint64_t follow_n; /* times it was told; answers to older questions are void */
	uint64_t asked_n;
	struct event_id at; /* the newest event */
	struct mirror mirror;
	uint64_t load_n;   /* pages of earlier loads are void */
	bool is_reset_due; /* once all are settled: watchers may believe wrong things */
};

struct store_redis {
	struct store store;
	struct loop *loop;		    /* borrowed */
	struct store_redis_options options; /* without the texts */
	struct store_redis_stats *stats;    /* borrowed */
	struct redis *redis;		    /* owned */
	struct buf prefix;		    /* "{prefix}:" */
	char replica[REPLICA_BYTES + 1];
	char epoch[EPOCH_BYTES + 1]; /* empty: none is known yet */
	uint64_t generation;	     /* of our connections */

	struct redis_call open_call;
	bool is_opening;
	bool is_open;	 /* operations may be sent */
	bool is_lost;	 /* tell the owner once it is open again */
	bool is_freeing; /* nobody is called but those who wait */
	int64_t away_since_ms;
	struct timer retry;
	struct loop_flush flush;

	struct list queue; /* struct op */
	size_t queue_n;
	size_t queue_bytes;
	uint64_t registration_newest;
	uint64_t registration_void; /* this and older ones */

	struct batch *building; /* owned; the memory of the next one */
	struct redis_call batch_call;
	struct list sent;     /* the operations of the batch under way */
	bool is_sent;	      /* it is under way */
	bool is_unknown;      /* it was, and nobody knows what became of it */
	uint64_t batch;	      /* its number; 0: it changes nothing */
	uint64_t batch_acked; /* the last one that changed something */
	struct buf scratch;
	struct store_reader reader;
};

/* ---- store_redis_open.c: from a connection to a store */

/* Asks Redis how things stand; the answer opens the store. Once at a time. */
void store_open(struct store_redis *redis);
void store_on_up(void *owner);
void store_on_down(void *owner, const char *why);

/* It refuses what it is asked: again, a little later. */
void store_retry(struct store_redis *redis, struct slice reason);

/* Every registration is void, what waits ends; the owner is told once it is open. */
void store_lose(struct store_redis *redis, const char *reason);
void store_tell_lost(struct store_redis *redis);

/* ---- store_redis_batch.c: operations to Redis and their answers */

/* Takes `op`, answers it at once, or lets it wait. */
void store_ask(struct store_redis *redis, struct op *op);
void store_flush(struct loop_flush *flush);

/* What was under way, now that the store is open: `batch` is the last one that Redis has
 * carried out, `kept` the answers of it. False: it has forgotten some that it had. */
MUST_CHECK bool store_batch_recover(struct store_redis *redis, uint64_t batch,
				    struct slice kept);

/* Ends the operations that cannot wait; with `is_all`, all but those under way. */
void store_batch_give_up(struct store_redis *redis, bool is_all);

/* ---- store_redis_events.c: changes of who is online */

void reader_init(struct store_redis *redis, const struct redis_options *options);
void reader_fini(struct store_redis *redis);

/* The newest event is `at`; `is_same`: in the stream that it knows. */
void reader_follow(struct store_redis *redis, struct event_id at, bool is_same);

/* What was kept is lost, and another stream begins. `phase` as Redis says. */
void reader_lose(struct store_redis *redis, struct slice phase);

/* Learns who is online, unless it knows; while the store is quiet nobody can. */
void reader_load(struct store_redis *redis);

#endif
