/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The lists hold the calls, the counters say where in the buffer each part ends. Calls
 * leave at the front only (what is taken out of the middle when a connection is lost has
 * nothing before it by then), so that the bytes never move but to close the gap there.
 */
#include "proto/base/redis_queue.h"

#include <assert.h>
#include <inttypes.h>

/* The gap at the front is closed when it is this large and half of all. */
#define GAP_BYTES_MIN 65536u
/* An empty buffer keeps no more than this. */
#define KEPT_BYTES_MAX (1u << 20)

static struct redis_call *call_of(struct list *node)
{
	return CONTAINER_OF(node, struct redis_call, node);
}

static void list_prepend_all(struct list *list, struct list *from)
{
	struct list rest;

	list_init(&rest);
	list_splice(&rest, list);
	list_splice(list, from);
	list_splice(list, &rest);
}

void redis_queue_init(struct redis_queue *queue)
{
	*queue = (struct redis_queue){ .bytes = BUF_INIT };
	list_init(&queue->again);
	list_init(&queue->in_flight);
	list_init(&queue->waiting);
}

void redis_queue_fini(struct redis_queue *queue)
{
	assert(queue->again_n == 0);
	assert(queue->in_flight_n == 0);
	assert(queue->waiting_n == 0);
	buf_fini(&queue->bytes);
}

/* ---- the bytes of a command */

static size_t digits(size_t number)
{
	size_t n = 1;

	for (; number >= 10; number /= 10)
		n++;
	return n;
}

/* "*3\r\n" or "$3\r\n" */
static size_t prefix_bytes(size_t number)
{
	return 1 + digits(number) + 2;
}

static void prefix_write(struct buf *out, char type, size_t number)
{
	buf_append_byte(out, type);
	buf_append_int64(out, (int64_t)number);
	buf_append(out, "\r\n", 2);
}

/* False: it is over the limit. */
static bool args_bytes(const struct slice *args, size_t n, size_t *sum)
{
	for (size_t i = 0; i < n; i++) {
		if (args[i].len > REDIS_COMMAND_BYTES_MAX)
			return false;
		*sum += prefix_bytes(args[i].len) + args[i].len + 2;
		if (*sum > REDIS_COMMAND_BYTES_MAX)
			return false;
	}
	return true;
}

static void args_write(const struct slice *args, size_t n, struct buf *out)
{
	for (size_t i = 0; i < n; i++) {
		prefix_write(out, '$', args[i].len);
		buf_append_slice(out, args[i]);
		buf_append(out, "\r\n", 2);
	}
}

size_t redis_command_bytes(const struct redis_command *command)
{
	size_t sum = prefix_bytes(command->head_n + command->args_n);

	if (command->head_n + command->args_n > REDIS_ARGS_MAX ||
	    !args_bytes(command->head, command->head_n, &sum) ||
	    !args_bytes(command->args, command->args_n, &sum))
		return 0;
	return sum;
}

void redis_command_write(const struct redis_command *command, struct buf *out)
{
	assert(command->head_n + command->args_n > 0);
	prefix_write(out, '*', command->head_n + command->args_n);
	args_write(command->head, command->head_n, out);
	args_write(command->args, command->args_n, out);
}

void redis_queue_add(struct redis_queue *queue, struct redis_call *call,
		     const struct redis_command *command, size_t bytes_n)
{
	const size_t before = queue->bytes.len;

	assert(call->done != NULL);
	(void)buf_reserve(&queue->bytes, bytes_n); /* at once */
	redis_command_write(command, &queue->bytes);
	assert(queue->bytes.len - before == bytes_n);
	call->bytes_n = bytes_n;
	list_append(&queue->waiting, &call->node);
	queue->waiting_n++;
}

/* ---- out */

struct slice redis_queue_leave(struct redis_queue *queue, size_t in_flight_max)
{
	const size_t from = queue->at + queue->again_bytes + queue->taken_bytes;

	while (queue->again_n == 0 && queue->waiting_n > 0 &&
	       queue->in_flight_n < in_flight_max) {
		struct list *node = list_shift(&queue->waiting);

		list_append(&queue->in_flight, node);
		queue->window_bytes += call_of(node)->bytes_n;
		queue->in_flight_n++;
		queue->waiting_n--;
	}
	if (queue->window_bytes == queue->taken_bytes)
		return SLICE_NONE;
	return slice_make(queue->bytes.ptr + from,
			  queue->window_bytes - queue->taken_bytes);
}

void redis_queue_took(struct redis_queue *queue, size_t bytes_n)
{
	queue->taken_bytes += bytes_n;
	assert(queue->taken_bytes <= queue->window_bytes);
}

/* ---- answers */

/* The first `bytes_n` bytes of all are done with. */
static void queue_drop(struct redis_queue *queue, size_t bytes_n)
{
	struct buf *bytes = &queue->bytes;

	queue->at += bytes_n;
	assert(queue->at <= bytes->len);
	if (queue->at == bytes->len) {
		queue->at = 0;
		if (bytes->cap > KEPT_BYTES_MAX)
			buf_fini(bytes);
		else
			buf_clear(bytes);
	} else if (queue->at >= GAP_BYTES_MIN && queue->at > bytes->len / 2) {
		buf_consume(bytes, queue->at);
		queue->at = 0;
	}
}

struct redis_call *redis_queue_first(const struct redis_queue *queue)
{
	struct redis_call *call;

	if (queue->in_flight_n == 0)
		return NULL;
	call = call_of(queue->in_flight.next);
	/* An answer to what was not even sent is none. */
	return call->bytes_n <= queue->taken_bytes ? call : NULL;
}

static struct redis_call *take_first(struct redis_queue *queue)
{
	struct redis_call *call = redis_queue_first(queue);

	assert(call != NULL);
	list_remove(&call->node);
	queue->in_flight_n--;
	queue->window_bytes -= call->bytes_n;
	queue->taken_bytes -= call->bytes_n;
	return call;
}

void redis_queue_answered(struct redis_queue *queue)
{
	const struct redis_call *call = take_first(queue);

	assert(queue->again_n == 0);
	queue_drop(queue, call->bytes_n);
}

void redis_queue_stand(struct redis_queue *queue)
{
	struct redis_call *call = take_first(queue);

	list_append(&queue->again, &call->node);
	queue->again_n++;
	queue->again_bytes += call->bytes_n;
}

void redis_queue_resume(struct redis_queue *queue)
{
	assert(queue->in_flight_n == 0);
	list_prepend_all(&queue->waiting, &queue->again);
	queue->waiting_n += queue->again_n;
	queue->again_n = 0;
	queue->again_bytes = 0;
}

void redis_queue_take_again(struct redis_queue *queue, struct list *calls)
{
	const size_t bytes_n = queue->again_bytes;

	list_splice(calls, &queue->again);
	queue->again_n = 0;
	queue->again_bytes = 0;
	queue_drop(queue, bytes_n);
}

void redis_queue_take_sent(struct redis_queue *queue, struct list *calls)
{
	size_t touched = 0;

	assert(queue->again_n == 0);
	while (touched < queue->taken_bytes) {
		struct list *node = list_shift(&queue->in_flight);

		touched += call_of(node)->bytes_n;
		queue->in_flight_n--;
		list_append(calls, node);
	}
	list_prepend_all(&queue->waiting, &queue->in_flight);
	queue->waiting_n += queue->in_flight_n;
	queue->in_flight_n = 0;
	queue->window_bytes = 0;
	queue->taken_bytes = 0;
	queue_drop(queue, touched);
}

void redis_queue_take_all(struct redis_queue *queue, struct list *calls)
{
	list_splice(calls, &queue->again);
	list_splice(calls, &queue->in_flight);
	list_splice(calls, &queue->waiting);
	buf_fini(&queue->bytes);
	redis_queue_init(queue);
}

struct redis_call *redis_queue_take_waiting(struct redis_queue *queue)
{
	struct redis_call *call;

	if (queue->waiting_n == 0 || queue->in_flight_n > 0 || queue->again_n > 0)
		return NULL;
	call = call_of(list_shift(&queue->waiting));
	queue->waiting_n--;
	queue_drop(queue, call->bytes_n);
	return call;
}
