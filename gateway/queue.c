/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A ring of blob references that starts inside its struct.
 */
#include "gateway/queue.h"

#include <assert.h>
#include <string.h>

#include "proto/base/mem.h"

static struct blob **slots(struct queue *queue)
{
	return queue->ring ? queue->ring : queue->few;
}

void queue_init(struct queue *queue)
{
	memset(queue, 0, sizeof(*queue));
	queue->cap = QUEUE_INLINE;
}

void queue_fini(struct queue *queue)
{
	for (uint32_t i = 0; i < queue->n; i++)
		blob_unref(slots(queue)[(queue->head + i) & (queue->cap - 1)]);
	mem_free(queue->ring);
	queue_init(queue);
}

static void grow(struct queue *queue)
{
	uint32_t cap = queue->cap * 2;
	struct blob **ring = mem_alloc(cap * sizeof(struct blob *));

	for (uint32_t i = 0; i < queue->n; i++)
		ring[i] = slots(queue)[(queue->head + i) & (queue->cap - 1)];
	mem_free(queue->ring);
	queue->ring = ring;
	queue->cap = cap;
	queue->head = 0;
}

void queue_add(struct queue *queue, struct blob *blob)
{
	assert(blob);
	if (blob->len == 0)
		return;
	if (queue->n == queue->cap)
		grow(queue);
	slots(queue)[(queue->head + queue->n) & (queue->cap - 1)] = blob_ref(blob);
	queue->n++;
	queue->bytes += blob->len;
}

void queue_move(struct queue *to, struct queue *from)
{
	assert(from->offset == 0);
	for (uint32_t i = 0; i < from->n; i++)
		queue_add(to, slots(from)[(from->head + i) & (from->cap - 1)]);
	queue_fini(from);
}

int queue_peek(const struct queue *queue, struct iovec *iov, int iov_max)
{
	struct blob *const *ring = queue->ring ? queue->ring : queue->few;
	uint32_t skip = queue->offset;
	int n = 0;

	assert(iov_max > 0);
	for (uint32_t i = 0; i < queue->n && n < iov_max; i++) {
		struct blob *blob = ring[(queue->head + i) & (queue->cap - 1)];

		iov[n].iov_base = blob->data + skip;
		iov[n].iov_len = blob->len - skip;
		skip = 0;
		n++;
	}
	return n;
}

void queue_consume(struct queue *queue, size_t bytes)
{
	assert(bytes <= queue->bytes);
	queue->bytes -= bytes;
	while (bytes > 0) {
		struct blob *blob = slots(queue)[queue->head];
		size_t left = blob->len - queue->offset;

		if (bytes < left) {
			queue->offset += (uint32_t)bytes;
			return;
		}
		bytes -= left;
		blob_unref(blob);
		queue->offset = 0;
		queue->head = (queue->head + 1) & (queue->cap - 1);
		queue->n--;
	}
	if (queue->n == 0 && queue->ring) {
		mem_free(queue->ring);
		queue_init(queue);
	}
}
