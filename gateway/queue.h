/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Blobs that wait for one socket, oldest first. The first few stand in the struct,
 * because most queues are empty at the end of most turns; memory beyond that is given
 * back when the queue has run empty. Pure.
 */
#ifndef GATEWAY_QUEUE_H
#define GATEWAY_QUEUE_H

#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

#include "proto/base/blob.h"

#define QUEUE_INLINE 2

/* What a write that finds nothing looks at comes first. */
struct queue {
	uint32_t n;
	uint32_t offset;		/* bytes of the oldest that are gone */
	size_t bytes;			/* that wait */
	struct blob **ring;		/* owned; NULL: `few` is the ring */
	uint32_t cap;			/* a power of two */
	uint32_t head;			/* index of the oldest */
	struct blob *few[QUEUE_INLINE]; /* one reference each, as all in the ring */
};

void queue_init(struct queue *queue);

/* Drops what waits. */
void queue_fini(struct queue *queue);

/* Takes its own reference. An empty blob is left out. */
void queue_add(struct queue *queue, struct blob *blob);

/* All of `from` goes behind `to`; `from` ends empty. */
void queue_move(struct queue *to, struct queue *from);

/* Fills at most `iov_max` entries with what waits; returns their number. */
int queue_peek(const struct queue *queue, struct iovec *iov, int iov_max);

/* The first `bytes` are written. */
void queue_consume(struct queue *queue, size_t bytes);

#endif
