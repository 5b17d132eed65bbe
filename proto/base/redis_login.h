/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is said first on a connection, all at once, and what has to be answered: AUTH,
 * SELECT, ROLE (it must be a master), PING (it must have loaded its data), and SCRIPT
 * LOAD for each script, so that no script is ever unknown while nothing goes wrong. Pure.
 */
#ifndef PROTO_BASE_REDIS_LOGIN_H
#define PROTO_BASE_REDIS_LOGIN_H

#include <stdbool.h>
#include <stddef.h>

#include "proto/base/buf.h"
#include "proto/base/err.h"
#include "proto/base/redis.h"
#include "proto/base/slice.h"

/* Hexadecimal. */
#define REDIS_SHA_BYTES 40

/* Borrowed, as is all in it. */
struct redis_login_options {
	const char *user;      /* empty: the default user */
	struct slice password; /* empty, and no user: no AUTH */
	unsigned db;	       /* 0: no SELECT */
	const struct redis_script *scripts;
	size_t scripts_n;
};

enum redis_step {
	REDIS_STEP_AUTH,
	REDIS_STEP_SELECT,
	REDIS_STEP_ROLE,
	REDIS_STEP_PING,
	REDIS_STEP_SCRIPTS,
	REDIS_STEP_DONE,
};

struct redis_login {
	const struct redis_login_options *options;
	enum redis_step step; /* the one whose answer comes next */
	size_t script;	      /* likewise, of the scripts */
	const char *problem;
};

/* Appends what is said to `out`, from `first` on: AUTH for all of it, SCRIPTS to load the
 * scripts again. */
void redis_login_start(struct redis_login *login,
		       const struct redis_login_options *options, enum redis_step first,
		       struct buf *out);

static inline bool redis_login_is_done(const struct redis_login *login)
{
	return login->step == REDIS_STEP_DONE;
}

/* Takes the next answer: not to be called when it is done. ERR_DENIED: it is not what it
 * should be, and `login->problem`, a constant, says why. */
MUST_CHECK enum err redis_login_answer(struct redis_login *login,
				       const struct redis_reply *reply);

/* What a ROLE says: OK of a master. */
MUST_CHECK enum err redis_role_is_master(const struct redis_reply *reply);

void redis_script_sha(struct slice text, char sha[REDIS_SHA_BYTES]);

#endif
