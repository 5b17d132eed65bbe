/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Writing and waiting; what an end means is the owner's.
 */
#include "gateway/outlet.h"

#include "proto/base/mem.h"

/* As many as a range of the spool can be of. A record that TLS has begun of a range goes
 * on with the blobs of it, and may not be given fewer bytes then. */
#define WRITE_BLOBS_MAX SPOOL_LANE_BLOBS_MAX

/* Few need one at a time. */
struct outlet_timer {
	struct timer timer;
	struct outlet *outlet; /* borrowed */
	size_t bytes;	       /* that metrics->queue_bytes has of it */
};

static void timer_stop(struct outlet *outlet)
{
	if (outlet->timer == NULL)
		return;
	loop_timer_stop(outlet->host->loop, &outlet->timer->timer);
	outlet->host->metrics->queue_bytes -= (int64_t)outlet->timer->bytes;
	mem_free(outlet->timer);
	outlet->timer = NULL;
}

static void on_timer(struct timer *timer)
{
	struct outlet *outlet = CONTAINER_OF(timer, struct outlet_timer, timer)->outlet;

	timer_stop(outlet);
	outlet->host->on_timer(outlet);
}

/* Whoever is blocked, or was and is to end, has a timer. Not inlined: few are. */
static __attribute__((noinline)) void count_queued(struct outlet *outlet)
{
	struct outlet_timer *timer = outlet->timer;

	if (timer == NULL)
		return;
	outlet->host->metrics->queue_bytes +=
		(int64_t)outlet->queue.bytes - (int64_t)timer->bytes;
	timer->bytes = outlet->queue.bytes;
}

static void timer_start_anew(struct outlet *outlet, int64_t delay_ms)
{
	if (outlet->timer == NULL) {
		outlet->timer = MEM_NEW(struct outlet_timer);
		outlet->timer->outlet = outlet;
		timer_init(&outlet->timer->timer, on_timer);
	}
	loop_timer_start(outlet->host->loop, &outlet->timer->timer, delay_ms);
}

void outlet_init(struct outlet *outlet, const struct outlet_host *host, struct sock *sock,
		 loop_io_fn *on_io, loop_flush_fn *on_flush)
{
	*outlet = (struct outlet){ .host = host };
	sock_move(&outlet->sock, sock, on_io);
	queue_init(&outlet->queue);
	loop_flush_init(&outlet->flush, on_flush);
}

void outlet_fini(struct outlet *outlet)
{
	sock_fini(&outlet->sock);
	timer_stop(outlet);
	loop_untouch(&outlet->flush);
	if (outlet->host->spool != NULL)
		spool_drop(outlet->host->spool, &outlet->spooled);
	queue_fini(&outlet->queue);
}

static void want(struct outlet *outlet)
{
	const unsigned reading = outlet->is_reading ? LOOP_READ : 0;
	const unsigned writing = outlet->is_blocked ? LOOP_WRITE : 0;

	sock_want(&outlet->sock, reading | writing);
}

void outlet_read(struct outlet *outlet, bool is_reading)
{
	outlet->is_reading = is_reading;
	want(outlet);
}

void outlet_add(struct outlet *outlet, struct blob *blob)
{
	struct spool *spool = outlet->host->spool;

	/* What the kernel does not take anyway is not copied for it. */
	if (spool == NULL || outlet->queue.n > 0 ||
	    !spool_add(spool, &outlet->spooled, blob))
		queue_add(&outlet->queue, blob);
	if (outlet->is_blocked)
		count_queued(outlet);
	loop_touch(outlet->host->loop, &outlet->flush);
}

void outlet_end(struct outlet *outlet)
{
	outlet->is_ending = true;
	timer_start_anew(outlet, outlet->host->close_timeout_ms);
}

static void set_blocked(struct outlet *outlet, bool is_blocked)
{
	outlet->is_blocked = is_blocked;
	outlet->is_waiting = is_blocked;
	if (!outlet->is_ending && is_blocked)
		timer_start_anew(outlet, outlet->host->send_timeout_ms);
	else if (!outlet->is_ending)
		timer_stop(outlet);
	want(outlet);
}

/* The spool forgets this turn's bytes: what is left of them is kept by reference, before
 * all that waits behind them. */
static void unspool(struct outlet *outlet)
{
	struct queue behind = outlet->queue;

	if (spool_range_len(&outlet->spooled) == 0)
		return;
	queue_init(&outlet->queue);
	spool_move(outlet->host->spool, &outlet->spooled, &outlet->queue);
	queue_move(&outlet->queue, &behind);
}

/* Not inlined: few writes have need of the array. */
static __attribute__((noinline)) ssize_t send_many(struct outlet *outlet)
{
	struct iovec iov[WRITE_BLOBS_MAX];
	int n;

	unspool(outlet);
	n = queue_peek(&outlet->queue, iov, WRITE_BLOBS_MAX);
	return sock_sendv(&outlet->sock, iov, n);
}

static ssize_t send_some(struct outlet *outlet)
{
	struct slice bytes;

	if (outlet->queue.n > 0)
		return send_many(outlet);
	bytes = spool_slice(outlet->host->spool, &outlet->spooled);
	return sock_send(&outlet->sock, bytes.ptr, bytes.len);
}

static void consume(struct outlet *outlet, size_t bytes)
{
	outlet->host->metrics->out_bytes_total += bytes;
	if (bytes == spool_range_len(&outlet->spooled)) {
		spool_drop(outlet->host->spool, &outlet->spooled);
		return;
	}
	unspool(outlet);
	queue_consume(&outlet->queue, bytes);
}

enum err outlet_write(struct outlet *outlet)
{
	while (outlet_queued_bytes(outlet) > 0) {
		const ssize_t n = send_some(outlet);

		if (n == ERR_AGAIN) {
			unspool(outlet);
			outlet->host->metrics->write_blocked_total++;
			set_blocked(outlet, true);
			count_queued(outlet);
			return ERR_AGAIN;
		}
		if (n < 0)
			return ERR_IO;
		consume(outlet, (size_t)n);
	}
	if (outlet->is_waiting) {
		set_blocked(outlet, false);
		count_queued(outlet);
	}
	return OK;
}

/* Whether the owner's flush is to hear of it as a write that was blocked stays as it is.
 * One that fails does so there again, and is no matter of room. */
static bool write_early(struct outlet *outlet)
{
	const bool was_waiting = outlet->is_waiting;
	const enum err rc = outlet_write(outlet);

	outlet->is_waiting |= was_waiting;
	return rc != ERR_IO;
}

bool outlet_make_room(struct outlet *outlet, size_t len, size_t max)
{
	if (outlet_queued_bytes(outlet) == 0)
		return true;
	if (!outlet->is_blocked && !write_early(outlet))
		return true;
	return transport_fits(outlet_queued_bytes(outlet), len, max);
}

void outlet_on_ready(struct outlet *outlet, unsigned ready)
{
	if ((ready & LOOP_WRITE) == 0)
		return;
	outlet->is_blocked = false;
	loop_touch(outlet->host->loop, &outlet->flush);
}
