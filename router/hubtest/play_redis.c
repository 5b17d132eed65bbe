/* SPDX-License-Identifier: Apache-2.0 */
#include "router/hubtest/play_redis.h"

#include <assert.h>

#include "router/hub_redis.h"
#include "router/hubtest/words.h"
#include "router/router.h"

/* ---- questions */

static void on_asked(struct hub_redis_player *player,
		     const struct hub_redis_question *question, struct redis_call *call)
{
	struct play_redis *redis = CONTAINER_OF(player, struct play_redis, player);
	struct buf line = BUF_INIT;

	buf_append_str(&line, "redis asked");
	if (question->script != NULL)
		buf_appendf(&line, " script %s", question->script->name);
	for (size_t i = 0; i < question->words_n; i++) {
		buf_append_byte(&line, ' ');
		words_write(&line, question->words[i]);
	}
	lines_add(redis->lines, buf_slice(&line));
	buf_fini(&line);
	list_init(&call->node);
	list_append(&redis->calls, &call->node);
}

void play_redis_open(struct play_redis *redis, struct router *router, struct lines *lines)
{
	assert(router->hub_redis == NULL);
	redis->player.asked = on_asked;
	redis->lines = lines;
	list_init(&redis->calls);
	router->hub_redis = hub_redis_new_played(router, &redis->player);
}

bool play_redis_is_open(const struct play_redis *redis)
{
	return redis->lines != NULL;
}

/* ---- answers */

static bool end_oldest(struct play_redis *redis, enum err rc,
		       const struct redis_reply *reply)
{
	struct list *node = play_redis_is_open(redis) ? list_shift(&redis->calls) : NULL;
	struct redis_call *call;

	if (node == NULL)
		return false;
	call = CONTAINER_OF(node, struct redis_call, node);
	call->done(call, rc, reply);
	return true;
}

/* Without what is in an array. */
static void reply_fill(struct redis_reply *reply, const struct value *value,
		       struct arena *arena)
{
	*reply = (struct redis_reply){ .type = REDIS_NIL };
	if (value->type == VALUE_INT) {
		reply->type = REDIS_INTEGER;
		reply->integer = value->integer;
	} else if (value->type == VALUE_STRING) {
		reply->type = REDIS_STRING;
		reply->text = value->bytes;
	} else if (value->type == VALUE_ARRAY) {
		reply->type = REDIS_ARRAY;
		reply->items_n = value->count;
		reply->items = arena_alloc(arena, value->count * sizeof(*reply->items));
	}
}

/* An array whose items are to be made. */
struct pending {
	struct pending *next;
	struct redis_reply *reply;
	const struct value *value;
};

/* Numbers with a fraction and objects, which Redis does not have, are nil. */
static struct redis_reply *reply_of(const struct value *value, struct arena *arena)
{
	struct redis_reply *root = ARENA_NEW(arena, struct redis_reply);
	struct pending first = { NULL, root, value };
	struct pending *last = &first;

	reply_fill(root, value, arena);
	for (struct pending *at = &first; at != NULL; at = at->next) {
		size_t i = 0;

		if (at->reply->type != REDIS_ARRAY)
			continue;
		for (const struct value *item = at->value->first; item != NULL;
		     item = item->next, i++) {
			reply_fill(&at->reply->items[i], item, arena);
			last->next = ARENA_NEW(arena, struct pending);
			last = last->next;
			last->reply = &at->reply->items[i];
			last->value = item;
		}
	}
	return root;
}

bool play_redis_answer(struct play_redis *redis, const struct value *answer,
		       struct arena *arena)
{
	return end_oldest(redis, OK, reply_of(answer, arena));
}

bool play_redis_refuse(struct play_redis *redis, struct slice error)
{
	const struct redis_reply reply = { .type = REDIS_ERROR, .text = error };

	return end_oldest(redis, OK, &reply);
}

bool play_redis_lose(struct play_redis *redis)
{
	return end_oldest(redis, ERR_OUTCOME, NULL);
}

void play_redis_close(struct play_redis *redis)
{
	while (play_redis_lose(redis))
		;
}
