/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A client of the scenario, as a gateway and the client itself would know it: who it is,
 * its groups, what it has called, what it sends up, what it was asked. Pure.
 */
#ifndef ROUTER_HUBTEST_PLAYER_H
#define ROUTER_HUBTEST_PLAYER_H

#include "proto/base/arena.h"
#include "proto/wire/hub_codec.h"

#define PLAYER_GROUPS_MAX 256
#define PLAYER_CALLS_MAX 64 /* under way at once; so many questions and uploads, too */

struct player_call {
	struct slice id;    /* the invocation's */
	struct slice label; /* the method's name, "#2" behind it for a second one */
};

/* A stream that it sends: "~readings" in the scenario. */
struct player_upload {
	struct slice name;
	struct slice id;
};

struct player_question {
	struct slice id;
	struct slice event;
};

/* Texts are in the arena that the player was made in. */
struct player {
	struct arena *arena; /* borrowed */
	struct slice name;   /* also the connection's id */
	struct slice hub;
	struct slice user_id;
	struct slice user_name;
	const struct hub_codec *codec;
	bool is_open;
	struct slice groups[PLAYER_GROUPS_MAX];
	size_t groups_n;
	struct player_call calls[PLAYER_CALLS_MAX];
	size_t calls_n;
	struct player_upload uploads[PLAYER_CALLS_MAX];
	size_t uploads_n;
	struct player_question questions[PLAYER_CALLS_MAX];
	size_t questions_n;
};

struct player *player_new(struct arena *arena, struct slice name);

/* ---- groups */

bool player_is_in(const struct player *player, struct slice group);
/* ERR_EXISTS, ERR_LIMIT. */
MUST_CHECK enum err player_join(struct player *player, struct slice group);
MUST_CHECK enum err player_leave(struct player *player, struct slice group);

/* ---- calls */

/* ERR_LIMIT. */
MUST_CHECK enum err player_call_add(struct player *player, struct slice id,
				    struct slice method);
/* NULL: none of that id, or label. */
const struct player_call *player_call_of(const struct player *player, struct slice id);
const struct player_call *player_call_named(const struct player *player,
					    struct slice label);
void player_call_remove(struct player *player, struct slice id);

/* ---- streams it sends */

MUST_CHECK enum err player_upload_add(struct player *player, struct slice id,
				      struct slice name);
/* The newest of that name. */
const struct player_upload *player_upload_named(const struct player *player,
						struct slice name);
void player_upload_remove(struct player *player, struct slice id);

/* ---- questions it has not answered */

MUST_CHECK enum err player_question_add(struct player *player, struct slice id,
					struct slice event);
/* Takes the oldest one. False: there is none. */
bool player_question_take(struct player *player, struct player_question *question);

#endif
