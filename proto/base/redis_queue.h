/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The calls of a Redis client, in the order in which they were asked for, and their bytes
 * behind one another in one buffer:
 *
 *	[ again | in flight: taken by the connection, not taken | waiting ]
 *
 * A call's bytes stay until it is answered. So one that the server did not carry out,
 * because it had forgotten the scripts, goes out again without a copy: those calls stand
 * *again* at the front as long as nothing behind them was carried out. Pure.
 */
#ifndef PROTO_BASE_REDIS_QUEUE_H
#define PROTO_BASE_REDIS_QUEUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "proto/base/buf.h"
#include "proto/base/err.h"
#include "proto/base/list.h"
#include "proto/base/redis.h"

struct redis_queue {
	struct buf bytes; /* those before `at` are done with */
	size_t at;
	size_t again_bytes;
	size_t window_bytes; /* of what is in flight */
	size_t taken_bytes;  /* of them, those that the connection took */
	struct list again;   /* of struct redis_call */
	struct list in_flight;
	struct list waiting;
	size_t again_n;
	size_t in_flight_n;
	size_t waiting_n;
};

struct redis_command {
	const struct slice *head; /* what stands before the arguments, at least one */
	size_t head_n;
	const struct slice *args;
	size_t args_n;
};

void redis_queue_init(struct redis_queue *queue);
void redis_queue_fini(struct redis_queue *queue); /* no call is left in it */

static inline size_t redis_queue_bytes(const struct redis_queue *queue)
{
	return queue->bytes.len - queue->at;
}

/* The bytes of a command in the protocol; 0: too many, or too many arguments. */
size_t redis_command_bytes(const struct redis_command *command);

/* Appends it to `out`. */
void redis_command_write(const struct redis_command *command, struct buf *out);

/* Puts a call last, with the command whose bytes are `bytes_n`. */
void redis_queue_add(struct redis_queue *queue, struct redis_call *call,
		     const struct redis_command *command, size_t bytes_n);

/*
 * Lets calls leave until `in_flight_max` are in flight, and returns the bytes that the
 * connection has not taken yet. None leaves while some stand again.
 */
struct slice redis_queue_leave(struct redis_queue *queue, size_t in_flight_max);
void redis_queue_took(struct redis_queue *queue, size_t bytes_n);

/* The call that the next answer is for; NULL: none was sent. */
struct redis_call *redis_queue_first(const struct redis_queue *queue);

/* It was answered and is out of the queue, ... */
void redis_queue_answered(struct redis_queue *queue);

/* ... or it was not carried out: it stands again. */
void redis_queue_stand(struct redis_queue *queue);

/* Nothing is in flight: what stands again is the first that waits. */
void redis_queue_resume(struct redis_queue *queue);

/* Takes what stands again out, in order, into `calls`. */
void redis_queue_take_again(struct redis_queue *queue, struct list *calls);

/* The connection is lost: takes out what it took any byte of; the rest in flight waits.
 */
void redis_queue_take_sent(struct redis_queue *queue, struct list *calls);

/* Takes all out, in order. */
void redis_queue_take_all(struct redis_queue *queue, struct list *calls);

/* Takes the first that waits out; NULL: none, or it is not the first of all. */
struct redis_call *redis_queue_take_waiting(struct redis_queue *queue);

#endif
