/* SPDX-License-Identifier: Apache-2.0 */
/*
 * For the tests of the Redis client: a redis-server of the test's own, which dies with
 * it; a server that says what the test wants; and calls that remember how they ended.
 * Waiting turns the loop until a condition holds, at most REDIS_KIT_WAIT_MS.
 */
#ifndef TESTS_UNIT_PROTO_BASE_REDIS_KIT_H
#define TESTS_UNIT_PROTO_BASE_REDIS_KIT_H

#include <sys/types.h>

#include "proto/base/buf.h"
#include "proto/base/redis.h"

#define REDIS_KIT_WAIT_MS 20000
#define REDIS_KIT_ARGS_MAX 24
#define REDIS_KIT_TEXT_MAX 4096

/* ---- a client and its surroundings */

struct redis_kit {
	struct loop *loop;
	struct redis *redis; /* NULL until redis_kit_open() */
	struct redis_options options;
	struct redis_stats stats;
	char dir[64]; /* of the test's own */
	char url[160];
	int ups;
	int downs;
	char why[128]; /* of the last down */
	int ended;     /* calls, so far */
};

void redis_kit_init(struct redis_kit *kit);
void redis_kit_fini(struct redis_kit *kit);

/* With kit->options and kit->url. */
void redis_kit_open(struct redis_kit *kit);
void redis_kit_wait_up(struct redis_kit *kit);

/* One turn of a few ms; fails the test when it is past `end_ms`. */
void redis_kit_turn(struct redis_kit *kit, int64_t end_ms);

#define REDIS_KIT_WAIT(kit, condition)                                                   \
	do {                                                                             \
		const int64_t end_ms_ = loop_now_ms((kit)->loop) + REDIS_KIT_WAIT_MS;    \
		while (!(condition))                                                     \
			redis_kit_turn((kit), end_ms_);                                  \
	} while (0)

/* ---- calls */

/* Static where the test may end before the call does. */
struct asked {
	struct redis_call call;
	struct redis_kit *kit;
	enum err rc; /* ERR_AGAIN: not ended */
	int order;   /* of its end among all, from 1 */
	enum redis_type type;
	int64_t integer;
	size_t items_n;
	char text[REDIS_KIT_TEXT_MAX]; /* of the reply, or of an array's first item */
	void (*then)(struct asked *asked);
};

/* The words of a command, up to a NULL; that it is taken is asserted. */
void redis_kit_ask(struct redis_kit *kit, struct asked *asked, ...)
	__attribute__((sentinel));
enum err redis_kit_try(struct redis_kit *kit, struct asked *asked, const char *word);

/* Makes it ready to be asked otherwise. */
void redis_kit_prepare(struct redis_kit *kit, struct asked *asked);

/* A script of kit->options.scripts, with one key and one argument. */
void redis_kit_run(struct redis_kit *kit, struct asked *asked, size_t script,
		   const char *key, const char *arg);
void redis_kit_wait(struct redis_kit *kit, const struct asked *asked);

/* ---- redis-server */

struct redis_server {
	pid_t pid;
	char socket[96];
	int port;
};

/* Starts one in the kit's folder on a socket file, also on TCP; options follow, up to a
 * NULL. kit->url is its socket's. It is not waited for: the client tries until it is
 * there. */
void redis_server_start(struct redis_kit *kit, struct redis_server *server, ...)
	__attribute__((sentinel));
void redis_server_kill(struct redis_server *server);

/* A Sentinel, alone, for the master "hub" on a port of loopback; kit->url asks it. */
void redis_sentinel_start(struct redis_kit *kit, struct redis_server *sentinel,
			  int master_port);

/* ---- one that says what it is told to */

struct fake {
	int listener;
	int fd; /* -1: nobody is connected */
	int port;
	struct buf in; /* NUL-terminated behind its length */
};

/* On a kernel's port of loopback; kit->url leads there. */
void fake_open(struct redis_kit *kit, struct fake *fake);
void fake_close(struct fake *fake);

/* A socket that begins to connect to a port of loopback. */
int redis_kit_connect(int port);

void fake_wait_conn(struct redis_kit *kit, struct fake *fake);
void fake_wait(struct redis_kit *kit, struct fake *fake, const char *text);
size_t fake_read(struct fake *fake); /* how much has come in all */
void fake_say(struct fake *fake, const char *bytes, size_t len);
#define FAKE_SAY(fake, literal) fake_say((fake), (literal), sizeof(literal) - 1)

/* Whether the client has ended its connection; what came before is read. */
bool fake_is_left(struct fake *fake);

/* Ends the connection of the client. */
void fake_hang_up(struct fake *fake);

/* Accepts the client and lets it in as a master that knows no scripts; forgets what came.
 */
void fake_let_in(struct redis_kit *kit, struct fake *fake);

#endif
