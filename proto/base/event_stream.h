/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reads text/event-stream as the HTML standard has it: bytes in, however they are cut,
 * events out. Comments and fields it does not know are skipped. Pure.
 */
#ifndef PROTO_BASE_EVENT_STREAM_H
#define PROTO_BASE_EVENT_STREAM_H

#include <stdbool.h>

#include "proto/base/buf.h"
#include "proto/base/err.h"
#include "proto/base/slice.h"

/* One line, and the data of one event. */
#define EVENT_STREAM_BYTES_MAX 65536u

struct event_stream {
	struct buf line; /* owned: not whole yet */
	struct buf name; /* owned: of the event under way */
	struct buf data;
	struct buf id;	  /* the last one, which outlives its event */
	bool is_after_cr; /* the last line ended so: a line feed next is part of that */
	bool is_given;	  /* name and data are of an event that is over */
};

/* Borrowed from the stream, until the next call. */
struct event {
	struct slice name; /* "message" when none was given */
	struct slice data;
	struct slice id; /* or empty */
};

/* All zero at first. */
void event_stream_fini(struct event_stream *stream);

/*
 * Takes bytes off the front of `*bytes` up to the end of an event, or all of them. True:
 * `*event` is filled; call again for the rest. ERR_LIMIT in `*rc`: too long, the stream
 * cannot be read any further.
 */
bool event_stream_next(struct event_stream *stream, struct slice *bytes,
		       struct event *event, enum err *rc);

#endif
