/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Everything is in arrays of fixed size, in the order in which it came.
 */
#include "router/hubtest/player.h"

#include <string.h>

struct player *player_new(struct arena *arena, struct slice name)
{
	struct player *player = ARENA_NEW(arena, struct player);

	player->arena = arena;
	player->name = arena_dup(arena, name);
	player->codec = hub_codec(HUB_PROTOCOL_JSON);
	return player;
}

/* Takes out item `i` of an array of `*n`. */
static void array_remove(void *items, size_t bytes, size_t i, size_t *n)
{
	char *at = (char *)items + i * bytes;

	memmove(at, at + bytes, (*n - i - 1) * bytes);
	*n -= 1;
}

/* ---- groups */

static size_t group_index(const struct player *player, struct slice group)
{
	size_t i = 0;

	while (i < player->groups_n && !slice_equal(player->groups[i], group))
		i++;
	return i;
}

bool player_is_in(const struct player *player, struct slice group)
{
	return group_index(player, group) < player->groups_n;
}

enum err player_join(struct player *player, struct slice group)
{
	if (player_is_in(player, group))
		return ERR_EXISTS;
	if (player->groups_n == PLAYER_GROUPS_MAX)
		return ERR_LIMIT;
	player->groups[player->groups_n++] = arena_dup(player->arena, group);
	return OK;
}

enum err player_leave(struct player *player, struct slice group)
{
	const size_t i = group_index(player, group);

	if (i == player->groups_n)
		return ERR_NOT_FOUND;
	array_remove(player->groups, sizeof(player->groups[0]), i, &player->groups_n);
	return OK;
}

/* ---- calls */

const struct player_call *player_call_of(const struct player *player, struct slice id)
{
	for (size_t i = 0; i < player->calls_n; i++) {
		if (slice_equal(player->calls[i].id, id))
			return &player->calls[i];
	}
	return NULL;
}

const struct player_call *player_call_named(const struct player *player,
					    struct slice label)
{
	for (size_t i = 0; i < player->calls_n; i++) {
		if (slice_equal(player->calls[i].label, label))
			return &player->calls[i];
	}
	return NULL;
}

enum err player_call_add(struct player *player, struct slice id, struct slice method)
{
	struct slice label = arena_dup(player->arena, method);

	if (player->calls_n == PLAYER_CALLS_MAX)
		return ERR_LIMIT;
	for (int i = 2; player_call_named(player, label) != NULL; i++)
		label = arena_printf(player->arena, "%.*s#%d", SLICE_FMT(method), i);
	player->calls[player->calls_n++] = (struct player_call){
		.id = arena_dup(player->arena, id),
		.label = label,
	};
	return OK;
}

void player_call_remove(struct player *player, struct slice id)
{
	const struct player_call *call = player_call_of(player, id);

	if (call != NULL)
		array_remove(player->calls, sizeof(player->calls[0]),
			     (size_t)(call - player->calls), &player->calls_n);
}

/* ---- streams it sends */

enum err player_upload_add(struct player *player, struct slice id, struct slice name)
{
	if (player->uploads_n == PLAYER_CALLS_MAX)
		return ERR_LIMIT;
	player->uploads[player->uploads_n++] = (struct player_upload){
		.id = arena_dup(player->arena, id),
		.name = arena_dup(player->arena, name),
	};
	return OK;
}

const struct player_upload *player_upload_named(const struct player *player,
						struct slice name)
{
	for (size_t i = player->uploads_n; i > 0; i--) {
		if (slice_equal(player->uploads[i - 1].name, name))
			return &player->uploads[i - 1];
	}
	return NULL;
}

void player_upload_remove(struct player *player, struct slice id)
{
	for (size_t i = 0; i < player->uploads_n; i++) {
		if (!slice_equal(player->uploads[i].id, id))
			continue;
		array_remove(player->uploads, sizeof(player->uploads[0]), i,
			     &player->uploads_n);
		return;
	}
}

/* ---- questions */

enum err player_question_add(struct player *player, struct slice id, struct slice event)
{
	if (player->questions_n == PLAYER_CALLS_MAX)
		return ERR_LIMIT;
	player->questions[player->questions_n++] = (struct player_question){
		.id = arena_dup(player->arena, id),
		.event = arena_dup(player->arena, event),
	};
	return OK;
}

bool player_question_take(struct player *player, struct player_question *question)
{
	if (player->questions_n == 0)
		return false;
	*question = player->questions[0];
	array_remove(player->questions, sizeof(player->questions[0]), 0,
		     &player->questions_n);
	return true;
}
