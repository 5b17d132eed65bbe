/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The scripts are router/state/ *.lua, made into C by router/state/state.mk.
 */
#include "router/state/state_redis.h"

#include <assert.h>

#include "proto/base/buf.h"
#include "proto/base/log.h"
#include "proto/base/mem.h"
#include "proto/base/redis_conf.h"
#include "router/state/scripts.h"

/* Keys and arguments of a script. */
#define WORDS_MAX 8
#define NUMBERS_MAX 4

enum { APPEND, READ, PUT, GET, LIST, REMOVE, FORGET, SCRIPTS };

struct state_redis {
	struct redis *redis;
	struct buf prefix; /* "prefix:state:{" */
	struct buf keys;   /* of the question that is being asked */
	state_redis_fn *done;
	void *owner;
	bool is_refusing; /* it answered the last question with an error */
};

/* A question under way; on the heap. */
struct asked {
	struct redis_call call;
	struct state_redis *redis; /* borrowed */
	uint64_t number;
	struct state_question question; /* op, hub and key of it */
	char text[];
};

/* ---- life */

struct state_redis *state_redis_new(struct loop *loop,
				    const struct state_redis_options *options)
{
	static const struct redis_script scripts[SCRIPTS] = {
		[APPEND] = { "append", script_append },
		[READ] = { "read", script_read },
		[PUT] = { "put", script_put },
		[GET] = { "get", script_get },
		[LIST] = { "list", script_list },
		[REMOVE] = { "remove", script_remove },
		[FORGET] = { "forget", script_forget },
	};
	struct state_redis *redis = MEM_NEW(struct state_redis);
	struct redis_options client = *options->redis;

	assert(redis_prefix_is_good(options->prefix));
	redis->done = options->done;
	redis->owner = options->owner;
	buf_appendf(&redis->prefix, "%s:state:{", options->prefix);
	client.name = "state";
	client.scripts = scripts;
	client.scripts_n = SCRIPTS;
	redis->redis = redis_new(loop, &client);
	return redis;
}

void state_redis_set_secrets(struct state_redis *redis,
			     const struct redis_secrets *secrets)
{
	redis_set_secrets(redis->redis, secrets);
}

void state_redis_free(struct state_redis *redis)
{
	if (redis == NULL)
		return;
	redis_free(redis->redis);
	buf_fini(&redis->prefix);
	buf_fini(&redis->keys);
	mem_free(redis);
}

/* ---- asking */

/* A script's words: first its keys, in redis->keys, then its arguments. */
struct words {
	struct slice words[WORDS_MAX];
	size_t n;
	size_t keys_n;
	char numbers[NUMBERS_MAX][SLICE_DECIMAL_BYTES];
	size_t numbers_n;
};

static void add_word(struct words *words, struct slice word)
{
	assert(words->n < WORDS_MAX);
	words->words[words->n++] = word;
}

static void add_number(struct words *words, uint64_t number)
{
	assert(words->numbers_n < NUMBERS_MAX);
	add_word(words, slice_decimal(words->numbers[words->numbers_n++], number));
}

static void add_expected(struct words *words, uint64_t expected)
{
	if (expected == HUB_ANY)
		add_word(words, SLICE(""));
	else
		add_number(words, expected);
}

/* There is room for it in redis->keys. */
static void add_key(struct state_redis *redis, const struct state_question *question,
		    const char *kind, struct words *words)
{
	struct buf *keys = &redis->keys;
	const size_t start = keys->len;

	buf_append_slice(keys, buf_slice(&redis->prefix));
	buf_append_slice(keys, question->hub);
	buf_append_byte(keys, ':');
	buf_append_slice(keys, question->key);
	buf_append_byte(keys, '}');
	buf_append_str(keys, kind);
	add_word(words, slice_from(buf_slice(keys), start));
	words->keys_n++;
}

static void add_keys(struct state_redis *redis, const struct state_question *question,
		     struct words *words)
{
	const bool is_log = question->op == STATE_APPEND || question->op == STATE_READ;

	buf_clear(&redis->keys);
	(void)buf_reserve(/* nothing moves while the keys are added */
			  &redis->keys, 3 * (redis->prefix.len + question->hub.len +
					     question->key.len + sizeof(":}:fields")));
	if (is_log || question->op == STATE_FORGET)
		add_key(redis, question, ":log", words);
	if (!is_log) {
		add_key(redis, question, ":fields", words);
		add_key(redis, question, ":order", words);
	}
}

static size_t script_of(enum state_op op)
{
	return (size_t)op - STATE_APPEND; /* they are in one order */
}

static void add_arguments(const struct state_question *question, struct words *words)
{
	switch (question->op) {
	case STATE_PUT:
		add_word(words, question->name);
		__attribute__((fallthrough));
	case STATE_APPEND:
		add_word(words, question->bytes);
		add_number(words, question->entries_max);
		add_number(words, (uint64_t)question->ttl_ms);
		add_expected(words, question->expected);
		add_number(words, HUB_KEY_TOTAL_BYTES_MAX);
		break;
	case STATE_READ:
		add_number(words, question->first);
		add_number(words, question->before);
		add_number(words, question->entries_max);
		add_number(words, STATE_PAGE_BYTES_MAX);
		break;
	case STATE_LIST:
		add_number(words, question->first);
		add_number(words, question->entries_max);
		add_number(words, STATE_PAGE_BYTES_MAX);
		break;
	case STATE_GET:
		add_word(words, question->name);
		break;
	case STATE_REMOVE:
		add_word(words, question->name);
		add_expected(words, question->expected);
		break;
	case STATE_FORGET:
	case STATE_NONE:
		break;
	}
}

static redis_done_fn on_reply;

static struct asked *asked_new(struct state_redis *redis,
			       const struct state_question *question, uint64_t call)
{
	const struct slice hub = question->hub;
	const struct slice key = question->key;
	struct asked *asked = mem_zalloc(sizeof(*asked) + hub.len + key.len);

	asked->call.done = on_reply;
	asked->redis = redis;
	asked->number = call;
	asked->question.op = question->op;
	asked->question.hub = slice_make(asked->text, hub.len);
	asked->question.key = slice_make(asked->text + hub.len, key.len);
	if (hub.len > 0)
		memcpy(asked->text, hub.ptr, hub.len);
	if (key.len > 0)
		memcpy(asked->text + hub.len, key.ptr, key.len);
	return asked;
}

void state_redis_ask(struct state_redis *redis, const struct state_question *question,
		     uint64_t call)
{
	struct asked *asked = asked_new(redis, question, call);
	struct state_answer answer = { .rc = OK };
	struct words words = { .n = 0 };

	assert(question->op != STATE_NONE);
	add_keys(redis, question, &words);
	add_arguments(question, &words);
	answer.rc = redis_script(redis->redis, script_of(question->op), words.keys_n,
				 words.words, words.n, &asked->call);
	if (answer.rc == OK)
		return;
	redis->done(redis->owner, call, &asked->question, &answer);
	mem_free(asked);
}

/* ---- answers */

static bool is_number(const struct redis_reply *reply)
{
	return reply->type == REDIS_INTEGER && reply->integer >= 0;
}

/* Whether it is an array that begins with `n` numbers. */
static bool has_numbers(const struct redis_reply *reply, size_t n)
{
	if (reply->type != REDIS_ARRAY || reply->items_n < n)
		return false;
	for (size_t i = 0; i < n; i++) {
		if (!is_number(&reply->items[i]))
			return false;
	}
	return true;
}

static enum err read_change(const struct redis_reply *reply, struct state_answer *answer)
{
	if (!has_numbers(reply, 2))
		return ERR_MALFORMED;
	answer->number = (uint64_t)reply->items[1].integer;
	return reply->items[0].integer == 1 ? OK : ERR_EXISTS;
}

static enum err read_log(const struct redis_reply *reply, struct state_answer *answer)
{
	if (!has_numbers(reply, 4))
		return ERR_MALFORMED;
	answer->last = (uint64_t)reply->items[0].integer;
	answer->life = (uint64_t)reply->items[1].integer;
	answer->is_more = reply->items[2].integer != 0;
	for (size_t i = 4; i < reply->items_n; i++) {
		if (reply->items[i].type != REDIS_STRING)
			return ERR_MALFORMED;
		answer->entries[answer->entries_n++] = (struct state_entry){
			.number = (uint64_t)reply->items[3].integer + i - 4,
			.bytes = reply->items[i].text,
		};
	}
	return OK;
}

static enum err read_field(const struct redis_reply *reply, struct state_answer *answer)
{
	if (reply->type == REDIS_NIL)
		return ERR_NOT_FOUND;
	if (!has_numbers(reply, 1) || reply->items_n != 2 ||
	    reply->items[1].type != REDIS_STRING)
		return ERR_MALFORMED;
	answer->entries[answer->entries_n++] = (struct state_entry){
		.number = (uint64_t)reply->items[0].integer,
		.bytes = reply->items[1].text,
	};
	return OK;
}

static enum err read_fields(const struct redis_reply *reply, struct state_answer *answer)
{
	if (!has_numbers(reply, 2) || (reply->items_n - 2) % 3 != 0)
		return ERR_MALFORMED;
	answer->last = (uint64_t)reply->items[0].integer;
	answer->is_more = reply->items[1].integer != 0;
	for (size_t i = 2; i < reply->items_n; i += 3) {
		const struct redis_reply *item = &reply->items[i];

		if (item[0].type != REDIS_STRING || !is_number(&item[1]) ||
		    item[2].type != REDIS_STRING)
			return ERR_MALFORMED;
		answer->entries[answer->entries_n++] = (struct state_entry){
			.name = item[0].text,
			.number = (uint64_t)item[1].integer,
			.bytes = item[2].text,
		};
	}
	return OK;
}

static enum err read_reply(enum state_op op, const struct redis_reply *reply,
			   struct state_answer *answer)
{
	switch (op) {
	case STATE_READ:
		return read_log(reply, answer);
	case STATE_GET:
		return read_field(reply, answer);
	case STATE_LIST:
		return read_fields(reply, answer);
	case STATE_APPEND:
	case STATE_PUT:
	case STATE_REMOVE:
	case STATE_FORGET:
	case STATE_NONE:
		break;
	}
	return read_change(reply, answer);
}

/* Told once, until it takes questions again: there may be many. */
static void note_refusal(struct state_redis *redis, const struct redis_reply *reply)
{
	if (!redis->is_refusing)
		log_error("state.refused", "reason=%s", log_quote(reply->text).text);
	redis->is_refusing = true;
}

static void note_taken(struct state_redis *redis)
{
	if (redis->is_refusing)
		log_info("state.taken", "redis=state");
	redis->is_refusing = false;
}

static void on_reply(struct redis_call *call, enum err rc,
		     const struct redis_reply *reply)
{
	struct asked *asked = CONTAINER_OF(call, struct asked, call);
	struct state_redis *redis = asked->redis;
	struct state_answer answer = { .rc = rc };

	if (rc == OK && reply->type == REDIS_ERROR) {
		note_refusal(redis, reply);
		answer.rc = ERR_IO;
	} else if (rc == OK) {
		note_taken(redis);
		answer.entries =
			mem_alloc((reply->items_n + 1) * sizeof(struct state_entry));
		answer.rc = read_reply(asked->question.op, reply, &answer);
	}
	redis->done(redis->owner, asked->number, &asked->question, &answer);
	mem_free(answer.entries);
	mem_free(asked);
}
