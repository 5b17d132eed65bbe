/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The awaits of hub_redis.h, over one client for all hubs of the router.
 */
#include "router/hub_redis.h"

#include "proto/base/mem.h"
#include "router/hub_steps.h"
#include "router/hub_wait.h"
#include "router/redis.h"

struct hub_redis {
	struct router *router;		 /* borrowed */
	struct redis *client;		 /* owned; NULL: it is played */
	struct hub_redis_player *player; /* borrowed; NULL: there is a client */
	struct redis_script *scripts; /* owned array: those of all hubs, in their order */
};

/* A command under way; on the heap. */
struct asked {
	struct redis_call call;
	struct router *router; /* borrowed */
	uint64_t number;
};

/* ---- life */

static size_t scripts_before(const struct hub_runtime *runtime,
			     const struct hub_served *end)
{
	size_t n = 0;

	for (size_t i = 0; i < runtime->served_n && &runtime->served[i] != end; i++)
		n += runtime->served[i].module->scripts_n;
	return n;
}

struct hub_redis *hub_redis_new(struct router *router,
				const struct redis_options *options)
{
	const struct hub_runtime *runtime = router->hubs;
	struct hub_redis *redis = MEM_NEW(struct hub_redis);
	struct redis_options client = *options;
	size_t n = 0;

	redis->router = router;
	redis->scripts = mem_alloc((scripts_before(runtime, NULL) + 1) *
				   sizeof(redis->scripts[0]));
	for (size_t i = 0; i < runtime->served_n; i++) {
		const struct hub_module *module = runtime->served[i].module;

		for (size_t j = 0; j < module->scripts_n; j++)
			redis->scripts[n++] =
				(struct redis_script){ module->scripts[j].name,
						       module->scripts[j].text };
	}
	client.name = "hubs";
	client.scripts = redis->scripts;
	client.scripts_n = n;
	redis->client = redis_new(router->loop, &client);
	return redis;
}

struct hub_redis *hub_redis_new_played(struct router *router,
				       struct hub_redis_player *player)
{
	struct hub_redis *redis = MEM_NEW(struct hub_redis);

	redis->router = router;
	redis->player = player;
	return redis;
}

void hub_redis_set_secrets(struct hub_redis *redis, const struct redis_secrets *secrets)
{
	redis_set_secrets(redis->client, secrets);
}

void hub_redis_free(struct hub_redis *redis)
{
	if (redis == NULL)
		return;
	redis_free(redis->client);
	mem_free(redis->scripts);
	mem_free(redis);
}

/* ---- replies as values */

static struct value *value_plain(struct arena *arena, const struct redis_reply *reply)
{
	switch (reply->type) {
	case REDIS_STRING:
	case REDIS_ERROR:
		return value_string(arena, arena_dup(arena, reply->text));
	case REDIS_INTEGER:
		return value_int(arena, reply->integer);
	case REDIS_ARRAY:
		return value_array(arena);
	case REDIS_NIL:
		break;
	}
	return value_nil(arena);
}

/* Arrays in arrays, without recursion: where we are in each of them. */
struct place {
	const struct redis_reply *array;
	size_t at;
	struct value *to;
};

static struct value *value_of(struct arena *arena, const struct redis_reply *reply)
{
	struct place places[REDIS_REPLY_DEPTH_MAX + 1];
	struct value *value = value_plain(arena, reply);
	size_t depth = 0;

	if (reply->type == REDIS_ARRAY)
		places[depth++] = (struct place){ reply, 0, value };
	while (depth > 0) {
		struct place *place = &places[depth - 1];
		const struct redis_reply *item;
		struct value *made;

		if (place->at == place->array->items_n) {
			depth--;
			continue;
		}
		item = &place->array->items[place->at++];
		made = value_plain(arena, item);
		value_add(place->to, made);
		if (item->type == REDIS_ARRAY && depth <= REDIS_REPLY_DEPTH_MAX)
			places[depth++] = (struct place){ item, 0, made };
	}
	return value;
}

void hub_wait_take_reply(struct hub_wait *wait, const struct redis_reply *reply)
{
	struct arena *arena = hub_arena(wait->call);

	if (reply->type == REDIS_ERROR) {
		wait->hub_rc = HUB_FAILED;
		wait->redis_error = arena_dup(arena, reply->text);
	} else {
		wait->result = value_of(arena, reply);
	}
}

/* ---- asking */

static void on_reply(struct redis_call *call, enum err rc,
		     const struct redis_reply *reply)
{
	struct asked *asked = CONTAINER_OF(call, struct asked, call);
	const struct ask_answer answer = { .rc = rc, .reply = reply };

	asks_answer(&asked->router->asks, asked->number, &answer);
	mem_free(asked);
}

static struct asked *asked_new(struct hub_call *call, const struct hub_wait *wait)
{
	struct asked *asked = MEM_NEW(struct asked);

	asked->call.done = on_reply;
	asked->router = call->runtime->router;
	asked->number = wait->ask.number;
	return asked;
}

static enum err ask(const struct hub_redis *redis,
		    const struct hub_redis_question *question, struct redis_call *call)
{
	if (redis->player != NULL) {
		redis->player->asked(redis->player, question, call);
		return OK;
	}
	if (question->script == NULL)
		return redis_command(redis->client, question->words, question->words_n,
				     call);
	return redis_script(redis->client, question->script_index, question->keys_n,
			    question->words, question->words_n, call);
}

/* `rc` of asking; what was not even asked for is answered here. */
static enum hub_rc asked_end(struct asked *asked, enum err rc, struct hub_wait *wait,
			     const struct value **reply)
{
	const struct ask_answer answer = { .rc = rc };
	enum hub_rc hub_rc;

	if (rc != OK) {
		asks_answer(&asked->router->asks, asked->number, &answer);
		mem_free(asked);
	}
	hub_rc = hub_wait_end(wait);
	*reply = wait->result;
	return hub_rc;
}

bool hub_has_redis(const struct hub_call *call)
{
	return call->runtime->router->hub_redis != NULL;
}

struct slice hub_redis_error(const struct hub_call *call)
{
	return call->wait != NULL ? call->wait->redis_error : SLICE_NONE;
}

/* Those that answer later, never, or more than once, or change what the connection is. */
static bool is_refused(const struct slice *words, size_t n)
{
	static const char *const names[] = {
		"AUTH",	      "BLMOVE",	     "BLMPOP",	     "BLPOP",	  "BRPOP",
		"BRPOPLPUSH", "BZMPOP",	     "BZPOPMAX",     "BZPOPMIN",  "CLIENT",
		"DISCARD",    "EXEC",	     "HELLO",	     "MONITOR",	  "MULTI",
		"PSUBSCRIBE", "PSYNC",	     "PUNSUBSCRIBE", "QUIT",	  "REPLCONF",
		"RESET",      "SELECT",	     "SSUBSCRIBE",   "SUBSCRIBE", "SUNSUBSCRIBE",
		"SYNC",	      "UNSUBSCRIBE", "UNWATCH",	     "WAIT",	  "WAITAOF",
		"WATCH",
	};
	const bool may_block = slice_equal_nocase(words[0], SLICE("XREAD")) ||
			       slice_equal_nocase(words[0], SLICE("XREADGROUP"));

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (slice_equal_nocase(words[0], slice_from_str(names[i])))
			return true;
	}
	for (size_t i = 1; may_block && i < n; i++) {
		if (slice_equal_nocase(words[i], SLICE("GROUP")))
			i += 2; /* a group and a consumer, whatever their names */
		else if (slice_equal_nocase(words[i], SLICE("STREAMS")))
			return false; /* names follow */
		else if (slice_equal_nocase(words[i], SLICE("BLOCK")))
			return true;
	}
	return false;
}

static void refuse(struct hub_wait *wait)
{
	const struct redis_reply reply = {
		.type = REDIS_ERROR,
		.text = SLICE("REFUSED it would block or end the connection of all hubs"),
	};
	const struct ask_answer answer = { .rc = OK, .reply = &reply };

	asks_answer(&wait->call->runtime->router->asks, wait->ask.number, &answer);
}

enum hub_rc hub_await_redis(struct hub_call *call, const struct slice *words, size_t n,
			    const struct value **reply)
{
	const struct hub_redis *redis = call->runtime->router->hub_redis;
	const struct hub_redis_question question = { .words = words, .words_n = n };
	struct hub_wait *wait;
	struct asked *asked;

	*reply = NULL;
	if (redis == NULL)
		return HUB_EUNAVAILABLE;
	if (n == 0)
		return HUB_ELIMIT;
	wait = hub_wait_new(call);
	if (wait == NULL)
		return HUB_ECANCELED;
	if (is_refused(words, n)) {
		refuse(wait);
		return hub_wait_end(wait);
	}
	asked = asked_new(call, wait);
	return asked_end(asked, ask(redis, &question, &asked->call), wait, reply);
}

enum hub_rc hub_await_script(struct hub_call *call, size_t script,
			     const struct hub_script_args *args,
			     const struct value **reply)
{
	const struct hub_redis *redis = call->runtime->router->hub_redis;
	const struct hub_served *hub = call->conn->hub;
	struct hub_redis_question question = { .keys_n = args->keys_n };
	struct hub_wait *wait;
	struct asked *asked;
	struct slice *words;

	*reply = NULL;
	if (redis == NULL)
		return HUB_EUNAVAILABLE;
	if (script >= hub->module->scripts_n || args->keys_n > REDIS_ARGS_MAX ||
	    args->args_n > REDIS_ARGS_MAX)
		return HUB_ELIMIT;
	wait = hub_wait_new(call);
	if (wait == NULL)
		return HUB_ECANCELED;
	question.words_n = args->keys_n + args->args_n;
	words = arena_alloc(hub_arena(call), question.words_n * sizeof(*words));
	if (args->keys_n > 0)
		memcpy(words, args->keys, args->keys_n * sizeof(*words));
	if (args->args_n > 0)
		memcpy(words + args->keys_n, args->args, args->args_n * sizeof(*words));
	question.words = words;
	question.script = &hub->module->scripts[script];
	question.script_index = scripts_before(call->runtime, hub) + script;
	asked = asked_new(call, wait);
	return asked_end(asked, ask(redis, &question, &asked->call), wait, reply);
}
