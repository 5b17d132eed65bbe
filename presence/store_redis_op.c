/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The kinds, and the answers that are numbers. Those that are texts:
 * store_redis_answer.c.
 */
#include "presence/store_redis_op.h"

#include <assert.h>

#include "presence/store_redis_answer.h"
#include "presence/store_redis_private.h"
#include "proto/base/mem.h"

#define NUMBERS_MAX 3

struct op *op_new(const struct op_kind *kind, struct store_call *call,
		  const struct slice *args, size_t n)
{
	size_t bytes = offsetof(struct op, args) + n * sizeof(struct slice);
	struct op *op;
	char *at;

	for (size_t i = 0; i < n; i++)
		bytes += args[i].len;
	op = mem_alloc(bytes);
	*op = (struct op){ .kind = kind, .call = call, .cost = 1, .bytes = bytes };
	op->args_n = n;
	list_init(&op->node);
	at = (char *)&op->args[n];
	for (size_t i = 0; i < n; i++) {
		if (args[i].len > 0)
			memcpy(at, args[i].ptr, args[i].len);
		op->args[i] = slice_make(at, args[i].len);
		at += args[i].len;
	}
	return op;
}

void op_end(struct store_redis *redis, struct op *op, enum err rc,
	    const struct redis_reply *reply)
{
	assert(!list_is_linked(&op->node));
	op->kind->done(redis, op, rc, reply);
	mem_free(op);
}

void op_end_kept(struct store_redis *redis, struct op *op, struct slice kept)
{
	const struct redis_reply reply = { .type = REDIS_STRING, .text = kept };

	op_end(redis, op, OK, &reply);
}

/* ---- numbers */

/* "1 2 3", or an integer alone; those that are missing are 0. */
static enum err parse_numbers(const struct redis_reply *reply,
			      int64_t numbers[NUMBERS_MAX])
{
	struct slice rest = reply->text;

	for (size_t i = 0; i < NUMBERS_MAX; i++)
		numbers[i] = 0;
	if (reply->type == REDIS_INTEGER) {
		numbers[0] = reply->integer;
		return OK;
	}
	if (reply->type != REDIS_STRING)
		return ERR_MALFORMED;
	for (size_t i = 0; i < NUMBERS_MAX && rest.len > 0; i++) {
		if (slice_to_int64(slice_cut(&rest, ' '), &numbers[i]) != OK)
			return ERR_MALFORMED;
	}
	return OK;
}

enum err op_read_number(const struct redis_reply *reply, int64_t *number)
{
	int64_t numbers[NUMBERS_MAX];
	const enum err rc = parse_numbers(reply, numbers);

	*number = numbers[0];
	return rc;
}

/* The answer's rc; a negative first number is the script's. */
static enum err read_numbers(enum err rc, const struct redis_reply *reply,
			     int64_t numbers[NUMBERS_MAX])
{
	if (rc != OK)
		return rc;
	if (parse_numbers(reply, numbers) != OK)
		return ERR_IO;
	return numbers[0] < 0 ? (enum err)numbers[0] : OK;
}

static void on_registered(struct store_redis *redis, struct op *op, enum err rc,
			  const struct redis_reply *reply)
{
	struct store_answer answer = { .rc = OK };
	int64_t numbers[NUMBERS_MAX];

	answer.rc = read_numbers(rc, reply, numbers);
	if (answer.rc == OK) {
		answer.registration = (uint64_t)numbers[0];
		redis->registration_newest = answer.registration;
	}
	op->call->done(op->call, &answer);
}

static void on_plain(struct store_redis *redis, struct op *op, enum err rc,
		     const struct redis_reply *reply)
{
	struct store_answer answer = { .rc = OK };
	int64_t numbers[NUMBERS_MAX];

	(void)redis;
	answer.rc = read_numbers(rc, reply, numbers);
	op->call->done(op->call, &answer);
}

static void on_added(struct store_redis *redis, struct op *op, enum err rc,
		     const struct redis_reply *reply)
{
	struct store_answer answer = { .rc = OK };
	int64_t numbers[NUMBERS_MAX];

	(void)redis;
	answer.rc = read_numbers(rc, reply, numbers);
	if (answer.rc == OK)
		answer.users_online = (size_t)numbers[0];
	op->call->done(op->call, &answer);
}

static void on_removed(struct store_redis *redis, struct op *op, enum err rc,
		       const struct redis_reply *reply)
{
	struct store_answer answer = { .rc = OK };
	int64_t numbers[NUMBERS_MAX];

	(void)redis;
	answer.rc = read_numbers(rc, reply, numbers);
	if (answer.rc == OK)
		answer.users_offline = (size_t)numbers[0];
	op->call->done(op->call, &answer);
}

static void on_swept(struct store_redis *redis, struct op *op, enum err rc,
		     const struct redis_reply *reply)
{
	struct store_answer answer = { .rc = OK };
	int64_t numbers[NUMBERS_MAX];

	(void)redis;
	answer.rc = read_numbers(rc, reply, numbers);
	if (answer.rc == OK) {
		answer.connections_n = (size_t)numbers[0];
		answer.users_offline = (size_t)numbers[1];
		answer.is_more = numbers[2] != 0;
	}
	op->call->done(op->call, &answer);
}

static void on_settled(struct store_redis *redis, struct op *op, enum err rc,
		       const struct redis_reply *reply)
{
	struct store_answer answer = { .rc = OK };
	int64_t numbers[NUMBERS_MAX];

	(void)redis;
	answer.rc = read_numbers(rc, reply, numbers);
	if (answer.rc == OK) {
		answer.users_online = (size_t)numbers[0];
		answer.users_offline = (size_t)numbers[1];
		answer.is_more = numbers[2] != 0;
	}
	op->call->done(op->call, &answer);
}

static void on_counted(struct store_redis *redis, struct op *op, enum err rc,
		       const struct redis_reply *reply)
{
	struct store_answer answer = { .rc = OK };
	int64_t numbers[NUMBERS_MAX];

	(void)redis;
	answer.rc = read_numbers(rc, reply, numbers);
	if (answer.rc == OK) {
		answer.users_n = (size_t)numbers[0];
		answer.connections_n = (size_t)numbers[1];
	}
	op->call->done(op->call, &answer);
}

/* ---- kinds: letter, is_change, is_waiting, is_of_gateway */

const struct op_kind op_gateway_new = { 'N', true, true, false, on_registered };
const struct op_kind op_gateway_renew = { 'R', true, false, true, on_plain };
const struct op_kind op_gateway_replayed = { 'P', true, true, true, on_plain };
const struct op_kind op_gateway_retire = { 'X', true, true, true, on_plain };
const struct op_kind op_add = { 'A', true, true, true, on_added };
const struct op_kind op_remove = { 'D', true, true, true, on_removed };
const struct op_kind op_sweep = { 'S', true, false, false, on_swept };
const struct op_kind op_settle = { 'E', true, false, false, on_settled };
const struct op_kind op_mark = { 'K', true, false, false, on_plain };
const struct op_kind op_user = { 'u', false, false, false, answer_user };
const struct op_kind op_connection = { 'c', false, false, false, answer_connection };
const struct op_kind op_list = { 'l', false, false, false, answer_list };
const struct op_kind op_count = { 'n', false, false, false, on_counted };
const struct op_kind op_events = { 'e', false, false, false, answer_events };
const struct op_kind op_marked = { 'k', false, false, false, answer_marked };

/* What is told is told again: nobody need know whether it was. */
const struct op_kind op_shards = { 'L', false, false, false, answer_shards };
const struct op_kind op_shards_step = { 'M', true, false, false, on_plain };
const struct op_kind op_shards_target = { 'T', true, false, false, on_plain };
