/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A TCP connection of a client to the server: connects, from an address of its own where
 * asked to, reads into a buffer that all streams of a worker share, keeps only what is
 * half a message, and writes what was queued once at the end of a turn. While nothing is
 * under way it holds no memory but its struct.
 */
#ifndef BENCH_STREAM_H
#define BENCH_STREAM_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>

#include "proto/base/buf.h"
#include "proto/base/loop.h"
#include "proto/base/slice.h"

/* Read at once; more than this is kept only of one message. */
#define STREAM_READ_BYTES 65536u

/* Half a message that is longer ends the stream. */
#define STREAM_KEPT_BYTES_MAX (4u << 20)

/* A server that takes nothing for so long that more than this waits for it is given up:
 * an open loop would fill the machine's memory. */
#define STREAM_WAITING_BYTES_MAX (64u << 20)

/* What the streams of a worker share. */
struct intake {
	struct loop *loop;  /* borrowed */
	struct buf buf;	    /* owned; what one read brought */
	int64_t read_at_us; /* when: loop_clock_us(), once a read */
	uint64_t random;    /* state; seeded */
};

void intake_init(struct intake *intake, struct loop *loop, uint64_t seed);
void intake_fini(struct intake *intake);

/* Fast and unguessable enough for masks; nothing secret comes from it. */
uint64_t intake_random(struct intake *intake);

struct stream;

struct stream_ops {
	/*
	 * What has come and was not used before. Returns how much of it is used now; the
	 * rest comes again with more behind it. May close the stream, and open it again;
	 * then the answer does not matter.
	 */
	size_t (*on_bytes)(struct stream *stream, struct slice bytes);

	/* The stream has ended by itself and is closed; `why` is a constant. */
	void (*on_end)(struct stream *stream, const char *why);
};

struct stream {
	struct loop_io io;
	const struct stream_ops *ops;
	struct intake *intake; /* borrowed */
	struct loop_flush flush;
	struct buf out;	 /* queued; freed when all of it is written */
	struct buf kept; /* half a message; freed when it is used */
	bool is_open;
	bool is_connected;
};

/* All zero is a closed stream. Begins to connect; the source INADDR_ANY binds to none.
 * On ERR_IO errno says why. Nothing is called back before it returns. */
MUST_CHECK enum err stream_open(struct stream *stream, struct intake *intake,
				const struct sockaddr_in *server, struct in_addr source,
				const struct stream_ops *ops);

/* What is to be written at the end of this turn, to append to; also before it is
 * connected. Only while open. */
struct buf *stream_out(struct stream *stream);

/* Writes what is queued as far as the kernel takes it, and closes. Legal in callbacks and
 * when closed. Nothing is called back any more. */
void stream_close(struct stream *stream);

#endif
