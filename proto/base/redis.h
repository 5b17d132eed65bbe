/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The one Redis client: asynchronous and pipelined, on the loop. It finds the server
 * (also by asking Sentinels), logs in, makes sure that it speaks to a master, loads its
 * scripts, and does all of it again, with backoff and jitter, for as long as it lives.
 * What is asked for while it is away waits, bounded in number, bytes and time. It knows
 * nothing of what is stored.
 *
 * Calls are carried out, and end, in the order in which they were asked for. One that
 * blocks (XREAD BLOCK) holds up those behind it: it needs a client of its own. Nothing is
 * called back before the function that asked has returned.
 */
#ifndef PROTO_BASE_REDIS_H
#define PROTO_BASE_REDIS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "proto/base/err.h"
#include "proto/base/list.h"
#include "proto/base/loop.h"
#include "proto/base/redis_limits.h"
#include "proto/base/redis_stats.h"
#include "proto/base/slice.h"

struct redis;
struct redis_call;

enum redis_type { REDIS_NIL, REDIS_STRING, REDIS_INTEGER, REDIS_ERROR, REDIS_ARRAY };

/* A reply; it and what it points to die when the callback returns. */
struct redis_reply {
	enum redis_type type;
	int64_t integer;	   /* INTEGER */
	struct slice text;	   /* STRING, also of statuses; ERROR */
	struct redis_reply *items; /* ARRAY */
	size_t items_n;
};

/* Whether it is an ERROR whose first word is `code`: "NOPERM". */
bool redis_reply_is_error(const struct redis_reply *reply, const char *code);

/*
 * OK: `reply` is there, perhaps an ERROR of Redis's. Otherwise it is NULL, and:
 * ERR_CLOSED: it was not carried out. It waited too long, or the server refused it
 * because it is no master any more, or had forgotten its scripts when the calls behind
 * this one were carried out. (Of redis_free() it means nothing: it may have been sent.)
 * ERR_TIMEOUT: it was sent, and the server has said nothing at all for the command
 * timeout. ERR_OUTCOME: it was sent, and the connection was lost before its answer.
 */
typedef void redis_done_fn(struct redis_call *call, enum err rc,
			   const struct redis_reply *reply);

/* Embedded in whatever its owner must remember, where it stays until `done` is called;
 * may be freed or used again there. */
struct redis_call {
	redis_done_fn *done;
	/* the client's, meanwhile */
	struct list node;
	int64_t end_ms;
	size_t bytes_n;
	bool is_script;
	bool was_again;
};

/* Borrowed for the client's life: usually one static table, in the order of an enum. */
struct redis_script {
	const char *name; /* for logs */
	const char *text;
};

struct redis_options {
	const char *name; /* for logs: what it is for. Static */
	/* Its forms: redis_url.h, which also checks one. */
	const char *url;
	struct slice password;		/* copied; empty: no AUTH. redis_secrets.h */
	struct slice sentinel_password; /* likewise, for the Sentinels themselves */
	const struct redis_script *scripts;
	size_t scripts_n;
	/* 0: the constants of redis_limits.h. */
	int64_t connect_timeout_ms;
	int64_t command_timeout_ms; /* longer than what a call may block */
	int64_t patience_ms; /* away for longer: nothing waits any more; 0: for ever */
	size_t waiting_max;
	size_t waiting_bytes_max;
	size_t in_flight_max; /* sent, but not answered */
	int64_t check_ms;     /* how often the master is asked whether it still is */
	/* It can be asked; what waited is sent at the end of this turn. May be NULL. */
	void (*on_up)(void *owner);
	/* It was up, and is not any more: what was sent has ended, what was not waits.
	 * `why` is a constant. May be NULL. */
	void (*on_down)(void *owner, const char *why);
	void *owner;
	struct redis_stats *stats; /* borrowed; several clients may share them */
};

/* Begins to connect. A url that redis_url_parse() refuses is a programmer's error. */
struct redis *redis_new(struct loop *loop, const struct redis_options *options);

/* Ends all calls with ERR_CLOSED before it returns. In any callback, and of NULL. */
void redis_free(struct redis *redis);

bool redis_is_up(const struct redis *redis);

/* Since when it is not up, in unix time; 0: it is. */
int64_t redis_away_since_ms(const struct redis *redis);

/* Asks for one command; the arguments are copied. OK: `call->done` will be called.
 * ERR_LIMIT: too much waits, or it is too large. ERR_CLOSED: patience_ms, or freed. */
MUST_CHECK enum err redis_command(struct redis *redis, const struct slice *args, size_t n,
				  struct redis_call *call);

/* The same of a script, by its place in the table: `args` are `keys_n` keys, and the
 * script's arguments behind them. */
MUST_CHECK enum err redis_script(struct redis *redis, size_t script, size_t keys_n,
				 const struct slice *args, size_t n,
				 struct redis_call *call);

#endif
