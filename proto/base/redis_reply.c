/* SPDX-License-Identifier: Apache-2.0 */
/*
 * hiredis' reader knows the protocol; what it makes of it is ours: it calls the five
 * functions below, which build the reply in an arena and count. Its asynchronous context
 * is not used (docs/decisions/0017-hiredis.md).
 *
 * The reader keeps what is not complete in a buffer of its own, so that a server could
 * make it grow without end: the feed counts that, too.
 */
#include "proto/base/redis_reply.h"

#include <assert.h>
#include <hiredis/read.h>
#include <string.h>

#include "proto/base/arena.h"
#include "proto/base/log.h"
#include "proto/base/mem.h"

struct redis_reader {
	redisReader *parser; /* owned */
	redisReplyObjectFunctions functions;
	struct arena arena; /* the reply that is being built, or was given last */
	size_t items_n;	    /* in it */
	bool is_given;
	bool is_over; /* a limit */
};

/* ---- what hiredis calls */

/* Where the item of `task` belongs; NULL when that is one too many. */
static struct redis_reply *item_new(const redisReadTask *task, enum redis_type type)
{
	struct redis_reader *reader = task->privdata;
	struct redis_reply *item;

	if (task->parent != NULL) {
		struct redis_reply *array = task->parent->obj;

		assert(array->type == REDIS_ARRAY);
		assert((size_t)task->idx < array->items_n);
		item = &array->items[task->idx];
	} else {
		item = arena_zalloc(&reader->arena, sizeof(*item));
	}
	*item = (struct redis_reply){ .type = type };
	return item;
}

static void *on_string(const redisReadTask *task, char *ptr, size_t len)
{
	struct redis_reader *reader = task->privdata;
	struct redis_reply *item;

	if (reader->arena.used + len > REDIS_REPLY_BYTES_MAX) {
		reader->is_over = true;
		return NULL;
	}
	item = item_new(task,
			task->type == REDIS_REPLY_ERROR ? REDIS_ERROR : REDIS_STRING);
	item->text = arena_dup(&reader->arena, slice_make(ptr, len));
	return item;
}

static void *on_array(const redisReadTask *task, int n)
{
	struct redis_reader *reader = task->privdata;
	struct redis_reply *item;

	assert(n >= 0);
	if ((size_t)n > REDIS_REPLY_ITEMS_MAX - reader->items_n) {
		reader->is_over = true;
		return NULL;
	}
	reader->items_n += (size_t)n;
	item = item_new(task, REDIS_ARRAY);
	item->items_n = (size_t)n;
	if (n > 0)
		item->items = arena_zalloc(&reader->arena,
					   (size_t)n * sizeof(struct redis_reply));
	return item;
}

static void *on_integer(const redisReadTask *task, long long value)
{
	struct redis_reply *item = item_new(task, REDIS_INTEGER);

	item->integer = value;
	return item;
}

static void *on_nil(const redisReadTask *task)
{
	return item_new(task, REDIS_NIL);
}

static void on_free(void *item)
{
	(void)item; /* goes with its arena */
}

/* ---- life */

struct redis_reader *redis_reader_new(void)
{
	struct redis_reader *reader = MEM_NEW(struct redis_reader);

	reader->functions = (redisReplyObjectFunctions){
		.createString = on_string,
		.createArray = on_array,
		.createInteger = on_integer,
		.createNil = on_nil,
		.freeObject = on_free,
	};
	reader->parser = redisReaderCreateWithFunctions(&reader->functions);
	if (reader->parser == NULL)
		fatal("out of memory");
	reader->parser->privdata = reader;
	arena_init(&reader->arena);
	return reader;
}

void redis_reader_free(struct redis_reader *reader)
{
	if (reader == NULL)
		return;
	redisReaderFree(reader->parser);
	arena_fini(&reader->arena);
	mem_free(reader);
}

/* ---- bytes in, replies out */

/* Whether what is kept is part of something that may still become a reply. It begins
 * with a line, which the parser looks through anew each time until it ends. */
static bool may_grow(const struct redis_reader *reader)
{
	const redisReader *parser = reader->parser;
	const size_t kept = parser->len - parser->pos;

	if (kept > REDIS_REPLY_BYTES_MAX + REDIS_FEED_MAX)
		return false;
	return kept <= REDIS_REPLY_LINE_BYTES_MAX ||
	       memchr(parser->buf + parser->pos, '\n', REDIS_REPLY_LINE_BYTES_MAX) !=
		       NULL;
}

enum err redis_reader_feed(struct redis_reader *reader, struct slice bytes)
{
	assert(bytes.len <= REDIS_FEED_MAX);
	if (!may_grow(reader))
		return ERR_LIMIT;
	/* Fails for want of memory, or behind an error that was told before. */
	return redisReaderFeed(reader->parser, bytes.ptr, bytes.len) == REDIS_OK
		       ? OK
		       : ERR_MALFORMED;
}

enum err redis_reader_next(struct redis_reader *reader, const struct redis_reply **reply)
{
	void *found = NULL;

	if (reader->is_given) {
		arena_reset(&reader->arena);
		reader->items_n = 0;
		reader->is_given = false;
	}
	if (redisReaderGetReply(reader->parser, &found) != REDIS_OK)
		return reader->is_over ? ERR_LIMIT : ERR_MALFORMED;
	if (found == NULL)
		return ERR_AGAIN;
	reader->is_given = true;
	*reply = found;
	return OK;
}

/* ---- looking at one */

bool redis_reply_is_error(const struct redis_reply *reply, const char *code)
{
	const struct slice word = slice_from_str(code);

	return reply->type == REDIS_ERROR && slice_starts_with(reply->text, word) &&
	       (reply->text.len == word.len || reply->text.ptr[word.len] == ' ');
}
