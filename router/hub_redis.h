/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Part of the hub API (router/hub.h): Redis itself, for hubs that need more of it than
 * hub_state.h. Only with the router's option `redis`; otherwise every await here is
 * HUB_EUNAVAILABLE. Keys are written as they are: begin yours with something that neither
 * presence nor hub_state.h uses.
 *
 * Strings become VALUE_STRING, whatever their bytes, integers VALUE_INT, arrays
 * VALUE_ARRAY, nil VALUE_NIL. An error of Redis's is HUB_FAILED, which without more ado
 * fails the invocation, and hub_redis_error() has its text. So is a command that would
 * block or end the one connection that all hubs of a router share (SUBSCRIBE, MULTI,
 * BLPOP, ...).
 */
#ifndef ROUTER_HUB_REDIS_H
#define ROUTER_HUB_REDIS_H

#include <stdbool.h>
#include <stddef.h>

#include "proto/base/slice.h"
#include "proto/wire/value.h"
#include "router/hub_rc.h"

/* An entry of the module's table `scripts`; it is sent by its digest. One that Redis
 * refuses keeps all hubs of the router from using it here. */
struct hub_script {
	const char *name;
	const char *text;
};

struct hub_script_args {
	const struct slice *keys;
	size_t keys_n;
	const struct slice *args;
	size_t args_n;
};

bool hub_has_redis(const struct hub_call *call);

/* The command's words. HUB_EUNAVAILABLE: it may have happened. */
enum hub_rc hub_await_redis(struct hub_call *call, const struct slice *words, size_t n,
			    const struct value **reply);

/* `script`: its place in the table. */
enum hub_rc hub_await_script(struct hub_call *call, size_t script,
			     const struct hub_script_args *args,
			     const struct value **reply);

struct slice hub_redis_error(const struct hub_call *call); /* until the next await */

#endif
