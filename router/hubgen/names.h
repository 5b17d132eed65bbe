/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Names of the wire as names of C and TypeScript. What is returned is in the arena.
 */
#ifndef ROUTER_HUBGEN_NAMES_H
#define ROUTER_HUBGEN_NAMES_H

#include "proto/base/arena.h"

/* "userId" user_id, "HTTPPort" http_port, "room-2" room_2. */
const char *name_snake(struct arena *arena, struct slice name);

/* The same in upper case. */
const char *name_upper(struct arena *arena, struct slice name);

/* "live-data" LiveData. */
const char *name_camel(struct arena *arena, struct slice name);

/* chat, ChatMessage: chat_message; chat, User: chat_user. */
const char *name_prefixed(struct arena *arena, const char *prefix, struct slice name);

/* Where in C a member or an argument stands. */
enum name_place {
	NAME_IN_STRUCT,
	NAME_IN_CLIENT, /* a function that calls clients, which has parameters of its own
			 */
	NAME_IN_SERVER, /* a method */
};

/* There: a name that means something else gets a "_". */
const char *name_part(struct arena *arena, struct slice name, enum name_place place);

/* Of an argument in TypeScript, the same. */
struct slice name_argument(struct arena *arena, struct slice name);

/* How many characters have to change, come or go; both are cut at 64. */
size_t name_distance(struct slice a, struct slice b);

#endif
