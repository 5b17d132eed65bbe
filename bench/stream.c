/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Half a message is put back in front of the shared buffer before the next read, so that
 * whoever reads messages sees them whole and keeps no state between reads.
 */
#include "bench/stream.h"

#include <assert.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

void intake_init(struct intake *intake, struct loop *loop, uint64_t seed)
{
	intake->loop = loop;
	intake->read_at_us = loop_clock_us();
	intake->random = seed != 0 ? seed : 1; /* zero would stay zero */
	buf_init(&intake->buf);
}

void intake_fini(struct intake *intake)
{
	buf_fini(&intake->buf);
}

/* xorshift64*: Marsaglia's shifts, Vigna's factor. */
uint64_t intake_random(struct intake *intake)
{
	intake->random ^= intake->random >> 12;
	intake->random ^= intake->random << 25;
	intake->random ^= intake->random >> 27;
	return intake->random * UINT64_C(0x2545f4914f6cdd1d);
}

/* ---- the end */

static void stream_shut(struct stream *stream)
{
	const int fd = loop_io_fd(&stream->io);

	assert(stream->is_open);
	stream->is_open = false;
	loop_untouch(&stream->flush);
	loop_io_fini(&stream->io);
	(void)close(fd); /* whatever it says, the descriptor is gone */
	buf_fini(&stream->out);
	buf_fini(&stream->kept);
}

static void stream_end(struct stream *stream, const char *why)
{
	stream_shut(stream);
	stream->ops->on_end(stream, why);
}

/* ---- writing */

/* Without what the kernel took; its memory goes with the last of it. */
static void out_consume(struct buf *out, size_t n)
{
	if (n < out->len)
		buf_consume(out, n);
	else
		buf_fini(out);
}

/* False: the connection is lost. */
static bool stream_write(struct stream *stream)
{
	const int fd = loop_io_fd(&stream->io);
	ssize_t n;

	if (stream->out.len == 0)
		return true;
	n = send(fd, stream->out.ptr, stream->out.len, MSG_NOSIGNAL | MSG_DONTWAIT);
	if (n < 0)
		return errno == EAGAIN || errno == EINTR;
	out_consume(&stream->out, (size_t)n);
	return true;
}

static void stream_push(struct stream *stream)
{
	if (!stream_write(stream)) {
		stream_end(stream, "the connection was lost while writing");
		return;
	}
	if (stream->out.len > STREAM_WAITING_BYTES_MAX) {
		stream_end(stream, "the server reads too slowly");
		return;
	}
	loop_io_want(&stream->io, LOOP_READ | (stream->out.len > 0 ? LOOP_WRITE : 0u));
}

static void on_flush(struct loop_flush *flush)
{
	struct stream *stream = CONTAINER_OF(flush, struct stream, flush);

	if (stream->is_connected)
		stream_push(stream);
}

struct buf *stream_out(struct stream *stream)
{
	assert(stream->is_open);
	loop_touch(stream->intake->loop, &stream->flush);
	return &stream->out;
}

void stream_close(struct stream *stream)
{
	if (!stream->is_open)
		return;
	if (stream->is_connected)
		(void)stream_write(stream); /* a goodbye that may go unheard */
	stream_shut(stream);
}

/* ---- reading */

static void keep(struct stream *stream, struct slice rest)
{
	if (rest.len == 0) {
		buf_fini(&stream->kept);
		return;
	}
	buf_clear(&stream->kept);
	buf_append_slice(&stream->kept, rest);
}

static void on_read(struct stream *stream)
{
	struct buf *buf = &stream->intake->buf;
	size_t used;
	ssize_t n;

	buf_clear(buf);
	(void)buf_reserve(buf, stream->kept.len + STREAM_READ_BYTES);
	buf_append_slice(buf, buf_slice(&stream->kept));
	n = recv(loop_io_fd(&stream->io), buf->ptr + buf->len, STREAM_READ_BYTES,
		 MSG_DONTWAIT);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0) {
		stream_end(stream, n == 0 ? "the server closed the connection"
					  : "the connection was lost while reading");
		return;
	}
	stream->intake->read_at_us = loop_clock_us();
	buf->len += (size_t)n;
	used = stream->ops->on_bytes(stream, buf_slice(buf));
	if (!stream->is_open || !stream->is_connected) /* closed, or opened again */
		return;
	assert(used <= buf->len);
	if (buf->len - used > STREAM_KEPT_BYTES_MAX)
		stream_end(stream, "the server sent a message that is too long");
	else
		keep(stream, slice_from(buf_slice(buf), used));
}

static void on_connect(struct stream *stream)
{
	const int fd = loop_io_fd(&stream->io);
	socklen_t len = sizeof(int);
	int error = 0;

	(void)getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &len);
	if (error != 0) {
		stream_end(stream, error == ECONNREFUSED ? "connection refused"
				   : error == ETIMEDOUT	 ? "connecting timed out"
							 : "could not connect");
		return;
	}
	stream->is_connected = true;
	stream_push(stream);
}

static void on_io(struct loop_io *io, unsigned ready)
{
	struct stream *stream = CONTAINER_OF(io, struct stream, io);

	if (!stream->is_connected) {
		on_connect(stream);
		return;
	}
	if (ready & LOOP_WRITE)
		stream_push(stream);
	if (stream->is_open && stream->is_connected && (ready & LOOP_READ))
		on_read(stream);
}

/* ---- the beginning */

/* Many connections from one address: the kernel chooses the port when it knows both ends,
 * so that a port serves once for each server address, not once in all. */
static bool bind_source(int fd, struct in_addr source)
{
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr = source };
	const int on = 1;

	if (source.s_addr == htonl(INADDR_ANY))
		return true;
	return setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof(on)) ==
		       0 &&
	       bind(fd, (const struct sockaddr *)&address, sizeof(address)) == 0;
}

static int start_connect(const struct sockaddr_in *server, struct in_addr source)
{
	const int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	const int on = 1;
	int error;

	if (fd < 0)
		return -1;
	if (bind_source(fd, source) &&
	    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)) == 0 &&
	    (connect(fd, (const struct sockaddr *)server, sizeof(*server)) == 0 ||
	     errno == EINPROGRESS))
		return fd;
	error = errno;
	(void)close(fd);
	errno = error;
	return -1;
}

enum err stream_open(struct stream *stream, struct intake *intake,
		     const struct sockaddr_in *server, struct in_addr source,
		     const struct stream_ops *ops)
{
	int fd;

	assert(!stream->is_open);
	fd = start_connect(server, source);
	if (fd < 0)
		return ERR_IO;
	stream->ops = ops;
	stream->intake = intake;
	stream->is_open = true;
	stream->is_connected = false;
	buf_init(&stream->out);
	buf_init(&stream->kept);
	loop_flush_init(&stream->flush, on_flush);
	loop_io_init(&stream->io, intake->loop, fd, on_io);
	loop_io_want(&stream->io, LOOP_WRITE);
	return OK;
}
