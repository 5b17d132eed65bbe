/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A Redis client from inside: redis.c keeps its calls, redis_connect.c its connection.
 * The two meet in the functions below.
 */
#ifndef PROTO_BASE_REDIS_PRIVATE_H
#define PROTO_BASE_REDIS_PRIVATE_H

#include "proto/base/redis.h"
#include "proto/base/redis_conn.h"
#include "proto/base/redis_login.h"
#include "proto/base/redis_queue.h"
#include "proto/base/redis_secrets.h"
#include "proto/base/redis_sentinel.h"

enum redis_state {
	REDIS_AWAY,    /* until the timer starts the next attempt */
	REDIS_FINDING, /* the Sentinels are asked */
	REDIS_CONNECTING,
	REDIS_LOGIN, /* until the timer says that it takes too long */
	REDIS_UP,
	REDIS_RELOADING, /* up, but calls wait for the scripts; the timer as in LOGIN */
	REDIS_FREED,
};

struct redis {
	struct loop *loop;	      /* borrowed */
	struct redis_options options; /* with its defaults filled in */
	struct redis_stats *stats;    /* the owner's, or our own */
	struct redis_stats own_stats;
	struct redis_url url;
	struct redis_secrets secrets;  /* owned */
	size_t password_at;	       /* the one that is tried */
	char (*shas)[REDIS_SHA_BYTES]; /* owned; of the scripts */

	enum redis_state state;
	struct redis_conn conn;
	struct redis_sentinel sentinel;
	struct redis_login_options login_options;
	struct redis_login login;
	struct timer timer;
	int64_t backoff_ms;
	int64_t up_ms;		    /* when it came up, on the loop's clock */
	int64_t away_since_unix_ms; /* 0: it is up */
	int64_t away_ms;	    /* the same, of the loop's clock */
	uint64_t attempts;	    /* since it was up */
	const char *told_why;	    /* the reason logged last since then */
	int64_t told_ms;

	struct redis_queue queue;
	struct loop_flush flush;
	struct timer calls_timer; /* the first call's time */
	int64_t heard_ms;	  /* when an answer came, or was begun to be waited for */
	struct redis_call check;  /* ROLE, now and then */
	struct timer check_timer;
	bool is_checking;
	bool is_late; /* it is left because it did not answer */

	int64_t counted_waiting; /* what of it is in the gauges */
	int64_t counted_in_flight;
	uint64_t counted_in;
	uint64_t counted_out;
	struct loop_defer defer;
};

/* ---- redis_connect.c */

void redis_connect_init(struct redis *redis);
void redis_connect_fini(struct redis *redis); /* frees */

/* From now on the first of what there is is tried. */
void redis_passwords_changed(struct redis *redis);

/* Makes an attempt. */
void redis_connect(struct redis *redis);

/* Closes everything, and stays closed. */
void redis_disconnect(struct redis *redis);

/* Leaves the connection; the next attempt comes after the backoff. */
void redis_leave(struct redis *redis, const char *why);

/* The server has forgotten the scripts: loads them, then calls redis_calls_resume(). */
void redis_reload(struct redis *redis);

/* ---- redis.c */

void redis_calls_flush(struct redis *redis); /* at the end of this turn */
void redis_calls_answer(struct redis *redis, const struct redis_reply *reply);
void redis_calls_resume(struct redis *redis);

/* The connection is lost: ends what was sent. */
void redis_calls_lost(struct redis *redis);

/* Brings the stats up to date. */
void redis_count(struct redis *redis);

#endif
