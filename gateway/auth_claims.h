/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the claims of a token with a good signature mean: is it meant for us, is it valid
 * now, whom does it speak for. Pure; time is a parameter.
 */
#ifndef GATEWAY_AUTH_CLAIMS_H
#define GATEWAY_AUTH_CLAIMS_H

#include "gateway/auth_conf.h"
#include "gateway/auth_object.h"
#include "gateway/auth_rc.h"
#include "gateway/user.h"
#include "proto/base/buf.h"

#define AUTH_NAMES_MAX 8
#define AUTH_AUDIENCES_MAX 64
/* The end of the year 9999: later is no date, and could not be counted in ms. */
#define AUTH_TIME_MAX_S 253402300799

struct auth_names {
	struct slice items[AUTH_NAMES_MAX]; /* borrowed */
	size_t n;
};

/* "a,b", borrowed; "" is no name. ERR_LIMIT: too many, ERR_ARGUMENT: an empty one. */
MUST_CHECK enum err auth_names_read(struct auth_names *names, const char *text);

struct auth_rules {
	struct buf text; /* owned; the slices below point into it, or to constants */
	struct slice issuer;
	struct slice audience;
	struct auth_names users;
	struct auth_names names;
	struct auth_names roles;
	bool is_user_needed; /* without one of `users` the token is refused */
	int64_t leeway_s;
};

/* Copies. `conf` has passed auth_conf_problem(). */
void auth_rules_init(struct auth_rules *rules, const struct auth_conf *conf);
void auth_rules_fini(struct auth_rules *rules);

/* `payload` is the text that `claims` was read from. OK: the user is owned by the caller.
 */
enum auth_rc auth_claims_check(const struct auth_rules *rules,
			       const struct auth_object *claims, struct slice payload,
			       int64_t now_s, struct arena *arena, struct user **user);

#endif
