/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One established stream: frames out, frames in. At most one send and one receive of
 * NNG's are in flight. Receiving is driven by the loop alone (the next read starts when
 * the last one is used up, which is all the back-pressure there is); sending goes on by
 * itself from NNG's thread while frames wait, so a busy pipe does not wake the loop.
 */
#include "proto/link/pipe.h"

#include <arpa/inet.h>
#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "proto/base/buf.h"
#include "proto/base/mem.h"
#include "proto/link/pipe_set.h"

#define HEAD_BYTES 4u
#define RECV_BYTES (64u << 10)
/* A send buffer that grew larger in a jam gives its memory back afterwards. */
#define SEND_KEEP_BYTES (256u << 10)

struct pipe {
	struct list node; /* in pipe_set.pipes */
	struct pipe_set *set;
	struct pipe_owner *owner; /* borrowed */
	nng_stream *stream;	  /* owned */
	nng_aio *recv_aio;	  /* owned */
	nng_aio *send_aio;	  /* owned */
	struct pipe_done recv_done;
	struct pipe_done send_done;
	struct loop_flush flush;
	struct loop_defer defer;
	bool is_closed;
	bool is_paused;
	bool is_receiving; /* the bytes from in_end on are NNG's */
	size_t frame_bytes_max;
	char *in; /* owned; in_start..in_end is received and not yet cut */
	size_t in_cap;
	size_t in_start;
	size_t in_end;
	char peer[INET6_ADDRSTRLEN + 16];

	pthread_mutex_t lock; /* guards all that follows, against on_sent() */
	struct buf filling;   /* whole frames for the next send */
	struct buf flight;    /* NNG reads it while is_sending */
	size_t flight_sent;   /* what the kernel took of it */
	bool is_sending;
	bool is_ending;
	bool is_drain_wanted;
	int send_rc; /* NNG's error, once */
};

static void on_received(void *arg);
static void on_sent(void *arg);
static void recv_done(struct pipe_done *done);
static void send_done(struct pipe_done *done);
static void recv_start(struct pipe *pipe);
static void pipe_flush(struct loop_flush *flush);
static void pipe_describe(struct pipe *pipe);

struct pipe *pipe_new(struct pipe_set *set, nng_stream *stream)
{
	struct pipe *pipe = MEM_NEW(struct pipe);

	pipe->set = set;
	pipe->stream = stream;
	pipe->frame_bytes_max = PIPE_FRAME_BYTES_MAX;
	pipe->recv_aio = pipe_aio_new(on_received, pipe);
	pipe->send_aio = pipe_aio_new(on_sent, pipe);
	pipe_done_init(&pipe->recv_done, recv_done);
	pipe_done_init(&pipe->send_done, send_done);
	loop_flush_init(&pipe->flush, pipe_flush);
	buf_init(&pipe->filling);
	buf_init(&pipe->flight);
	pthread_mutex_init(&pipe->lock, NULL);
	list_append(&set->pipes, &pipe->node);
	set->pipe_count++;

	/* Both fail on ipc, which has no such options, and are only advice on tcp. */
	(void)nng_stream_set_bool(stream, NNG_OPT_TCP_NODELAY, true);
	(void)nng_stream_set_bool(stream, NNG_OPT_TCP_KEEPALIVE, true);
	pipe_describe(pipe);

	/* At once, owner or not: NNG's poller spins on a dead stream that was never
	 * armed. */
	recv_start(pipe);
	return pipe;
}

static void pipe_describe(struct pipe *pipe)
{
	char host[INET6_ADDRSTRLEN] = "?";
	uint64_t pid = 0;
	nng_sockaddr addr;

	if (!nng_stream_get_uint64(pipe->stream, NNG_OPT_IPC_PEER_PID, &pid)) {
		snprintf(pipe->peer, sizeof(pipe->peer), "ipc:pid=%" PRIu64, pid);
		return;
	}
	if (nng_stream_get_addr(pipe->stream, NNG_OPT_REMADDR, &addr))
		addr.s_family = NNG_AF_UNSPEC; /* the peer is gone already */
	if (addr.s_family == NNG_AF_INET) {
		inet_ntop(AF_INET, &addr.s_in.sa_addr, host, sizeof(host));
		snprintf(pipe->peer, sizeof(pipe->peer), "tcp:%s:%u", host,
			 ntohs(addr.s_in.sa_port));
	} else if (addr.s_family == NNG_AF_INET6) {
		inet_ntop(AF_INET6, addr.s_in6.sa_addr, host, sizeof(host));
		snprintf(pipe->peer, sizeof(pipe->peer), "tcp:[%s]:%u", host,
			 ntohs(addr.s_in6.sa_port));
	} else {
		snprintf(pipe->peer, sizeof(pipe->peer), "?");
	}
}

struct pipe *pipe_from_node(struct list *node)
{
	return CONTAINER_OF(node, struct pipe, node);
}

void pipe_set_owner(struct pipe *pipe, struct pipe_owner *owner)
{
	assert(!pipe->is_closed);
	assert(owner->ops->on_frame);
	assert(owner->ops->on_closed);
	pipe->owner = owner;
}

struct pipe_owner *pipe_owner(const struct pipe *pipe)
{
	return pipe->owner;
}

void pipe_set_frame_max(struct pipe *pipe, size_t bytes_max)
{
	assert(bytes_max <= PIPE_FRAME_BYTES_MAX);
	pipe->frame_bytes_max = bytes_max;
}

const char *pipe_peer(const struct pipe *pipe)
{
	return pipe->peer;
}

bool pipe_is_taken(const struct pipe *pipe)
{
	return pipe->owner || pipe->is_closed;
}

/* ---- the end */

static void pipe_free(struct loop_defer *defer)
{
	struct pipe *pipe = CONTAINER_OF(defer, struct pipe, defer);

	buf_fini(&pipe->filling);
	buf_fini(&pipe->flight);
	pthread_mutex_destroy(&pipe->lock);
	mem_free(pipe->in);
	mem_free(pipe);
}

/*
 * Lets go of NNG at once: closing the stream ends both operations, and waiting for their
 * two callbacks takes microseconds, since those never block. The memory stays for the
 * callers on the stack; pipe_free() touches neither the set nor NNG, so the set may go
 * first.
 */
void pipe_close(struct pipe *pipe)
{
	if (pipe->is_closed)
		return;
	pipe->is_closed = true;
	pthread_mutex_lock(&pipe->lock);
	pipe->is_ending = true;
	pthread_mutex_unlock(&pipe->lock);

	nng_stream_close(pipe->stream);
	pipe_aio_free(pipe->recv_aio);
	pipe_aio_free(pipe->send_aio);
	nng_stream_free(pipe->stream);
	pipe->recv_aio = NULL;
	pipe->send_aio = NULL;
	pipe->stream = NULL;

	pipe_done_revoke(pipe->set, &pipe->recv_done);
	pipe_done_revoke(pipe->set, &pipe->send_done);
	loop_untouch(&pipe->flush);
	list_remove(&pipe->node);
	pipe->set->pipe_count--;
	loop_defer_free(pipe->set->loop, &pipe->defer, pipe_free);
}

static void pipe_end(struct pipe *pipe, enum err rc)
{
	assert(!pipe->is_closed);
	assert(rc != OK);
	pipe_close(pipe);
	pipe->owner->ops->on_closed(pipe->owner, pipe, rc);
}

/* ---- sending */

static size_t unsent_locked(const struct pipe *pipe)
{
	return pipe->filling.len + pipe->flight.len - pipe->flight_sent;
}

static void put_u32(char *to, uint32_t value)
{
	for (unsigned i = 0; i < HEAD_BYTES; i++)
		to[i] = (char)(uint8_t)(value >> (8 * i));
}

enum err pipe_send(struct pipe *pipe, const struct slice *parts, unsigned n)
{
	char head[HEAD_BYTES];
	size_t len = 0;
	enum err rc = OK;

	assert(!pipe->is_closed);
	assert(n <= PIPE_PARTS_MAX);
	for (unsigned i = 0; i < n; i++) {
		if (parts[i].len > PIPE_FRAME_BYTES_MAX - len)
			return ERR_LIMIT;
		len += parts[i].len;
	}
	put_u32(head, (uint32_t)len);

	pthread_mutex_lock(&pipe->lock);
	if (unsent_locked(pipe) >= PIPE_UNSENT_BYTES_MAX) {
		rc = ERR_AGAIN;
	} else {
		buf_reserve(&pipe->filling, HEAD_BYTES + len);
		buf_append(&pipe->filling, head, HEAD_BYTES);
		for (unsigned i = 0; i < n; i++)
			buf_append_slice(&pipe->filling, parts[i]);
	}
	pthread_mutex_unlock(&pipe->lock);
	if (rc == OK)
		loop_touch(pipe->set->loop, &pipe->flush);
	return rc;
}

size_t pipe_unsent_bytes(struct pipe *pipe)
{
	size_t len;

	pthread_mutex_lock(&pipe->lock);
	len = unsent_locked(pipe);
	pthread_mutex_unlock(&pipe->lock);
	return len;
}

void pipe_want_drained(struct pipe *pipe)
{
	assert(!pipe->is_closed);
	assert(pipe->owner->ops->on_drained);
	pthread_mutex_lock(&pipe->lock);
	pipe->is_drain_wanted = true;
	if (!unsent_locked(pipe))
		pipe_done_post(pipe->set, &pipe->send_done);
	pthread_mutex_unlock(&pipe->lock);
}

/* The frames that gathered become the next flight; the emptied buffer gathers. */
static void flight_swap(struct pipe *pipe)
{
	struct buf empty = pipe->flight;

	if (empty.cap > SEND_KEEP_BYTES)
		buf_fini(&empty);
	buf_clear(&empty);
	pipe->flight = pipe->filling;
	pipe->filling = empty;
	pipe->flight_sent = 0;
}

/* With the lock held, on either thread. NNG calls on_sent() from a thread of its own,
 * never from inside nng_stream_send(), so holding the lock is safe. */
static void send_next(struct pipe *pipe)
{
	nng_iov iov;

	assert(!pipe->is_sending);
	if (pipe->is_ending || pipe->send_rc)
		return;
	if (pipe->flight_sent == pipe->flight.len)
		flight_swap(pipe);
	if (!pipe->flight.len)
		return;
	iov.iov_buf = pipe->flight.ptr + pipe->flight_sent;
	iov.iov_len = pipe->flight.len - pipe->flight_sent;
	nng_aio_set_iov(pipe->send_aio, 1, &iov); /* cannot fail for one part */
	pipe->is_sending = true;
	nng_stream_send(pipe->stream, pipe->send_aio);
}

static void pipe_flush(struct loop_flush *flush)
{
	struct pipe *pipe = CONTAINER_OF(flush, struct pipe, flush);

	pthread_mutex_lock(&pipe->lock);
	if (!pipe->is_sending)
		send_next(pipe);
	pthread_mutex_unlock(&pipe->lock);
}

/* On NNG's thread. A short count is normal: the rest goes next. */
static void on_sent(void *arg)
{
	struct pipe *pipe = arg;

	pthread_mutex_lock(&pipe->lock);
	pipe->is_sending = false;
	pipe->send_rc = nng_aio_result(pipe->send_aio);
	pipe->flight_sent += nng_aio_count(pipe->send_aio);
	assert(pipe->flight_sent <= pipe->flight.len);
	send_next(pipe);
	if (pipe->send_rc || (pipe->is_drain_wanted && !unsent_locked(pipe)))
		pipe_done_post(pipe->set, &pipe->send_done);
	pthread_mutex_unlock(&pipe->lock);
}

static void send_done(struct pipe_done *done)
{
	struct pipe *pipe = CONTAINER_OF(done, struct pipe, send_done);
	bool is_drained;
	int rc;

	pthread_mutex_lock(&pipe->lock);
	rc = pipe->send_rc;
	is_drained = pipe->is_drain_wanted && !unsent_locked(pipe);
	if (is_drained)
		pipe->is_drain_wanted = false;
	pthread_mutex_unlock(&pipe->lock);

	if (rc)
		pipe_end(pipe, pipe_err(rc));
	else if (is_drained)
		pipe->owner->ops->on_drained(pipe->owner, pipe);
}

/* ---- receiving */

void pipe_pause(struct pipe *pipe)
{
	pipe->is_paused = true;
}

void pipe_resume(struct pipe *pipe)
{
	if (!pipe->is_paused || pipe->is_closed)
		return;
	pipe->is_paused = false;
	/* A read in flight posts by itself. */
	if (!pipe->is_receiving)
		pipe_done_post(pipe->set, &pipe->recv_done);
}

static uint32_t get_u32(const char *from)
{
	uint32_t value = 0;

	for (unsigned i = 0; i < HEAD_BYTES; i++)
		value |= (uint32_t)(uint8_t)from[i] << (8 * i);
	return value;
}

/* The buffer's size until the frame at its start is whole: only a frame that is longer
 * than the usual buffer, and within the limit, makes it grow, and only until it was cut.
 */
static size_t in_cap_wanted(const struct pipe *pipe)
{
	size_t frame = HEAD_BYTES;

	if (pipe->in_end - pipe->in_start >= HEAD_BYTES)
		frame += get_u32(pipe->in + pipe->in_start);
	assert(frame <= HEAD_BYTES + PIPE_FRAME_BYTES_MAX);
	return frame > RECV_BYTES ? frame : RECV_BYTES;
}

static void in_make_room(struct pipe *pipe)
{
	size_t len = pipe->in_end - pipe->in_start;
	size_t cap = in_cap_wanted(pipe);
	char *in = pipe->in;

	if (cap != pipe->in_cap)
		in = mem_alloc(cap);
	if (len)
		memmove(in, pipe->in + pipe->in_start, len);
	if (in != pipe->in)
		mem_free(pipe->in);
	pipe->in = in;
	pipe->in_cap = cap;
	pipe->in_start = 0;
	pipe->in_end = len;
	assert(pipe->in_end < pipe->in_cap);
}

static void recv_start(struct pipe *pipe)
{
	nng_iov iov;

	assert(!pipe->is_receiving);
	/* A wake left over from pipe_resume() must not pass for the end of this read. */
	pipe_done_revoke(pipe->set, &pipe->recv_done);
	in_make_room(pipe);
	iov.iov_buf = pipe->in + pipe->in_end;
	iov.iov_len = pipe->in_cap - pipe->in_end;
	nng_aio_set_iov(pipe->recv_aio, 1, &iov); /* cannot fail for one part */
	pipe->is_receiving = true;
	nng_stream_recv(pipe->stream, pipe->recv_aio);
}

/* On NNG's thread. The loop reads the result: NNG does not touch it again before the
 * next. */
static void on_received(void *arg)
{
	struct pipe *pipe = arg;

	pipe_done_post(pipe->set, &pipe->recv_done);
}

/* Hands over what is whole; true when more bytes are wanted. */
static bool frames_cut(struct pipe *pipe)
{
	while (!pipe->is_paused && !pipe->is_closed) {
		size_t len = pipe->in_end - pipe->in_start;
		struct slice frame;

		if (len < HEAD_BYTES)
			return true;
		frame.ptr = pipe->in + pipe->in_start + HEAD_BYTES;
		frame.len = get_u32(pipe->in + pipe->in_start);
		if (frame.len > pipe->frame_bytes_max) {
			pipe_end(pipe, ERR_LIMIT);
			return false;
		}
		if (len - HEAD_BYTES < frame.len)
			return true;
		pipe->in_start += HEAD_BYTES + frame.len;
		pipe->owner->ops->on_frame(pipe->owner, pipe, frame);
	}
	return false;
}

/* Posted by a read that ended, or by pipe_resume() when none was in flight. */
static void recv_done(struct pipe_done *done)
{
	struct pipe *pipe = CONTAINER_OF(done, struct pipe, recv_done);

	assert(!pipe->is_closed);
	if (pipe->is_receiving) {
		int rc = nng_aio_result(pipe->recv_aio);

		pipe->is_receiving = false;
		if (rc) {
			pipe_end(pipe, pipe_err(rc));
			return;
		}
		pipe->in_end += nng_aio_count(pipe->recv_aio);
		assert(pipe->in_end <= pipe->in_cap);
	}
	if (frames_cut(pipe))
		recv_start(pipe);
}
