/* SPDX-License-Identifier: Apache-2.0 */
#include "proto/base/event_stream.h"

void event_stream_fini(struct event_stream *stream)
{
	buf_fini(&stream->line);
	buf_fini(&stream->name);
	buf_fini(&stream->data);
	buf_fini(&stream->id);
}

static void take_field(struct event_stream *stream, struct slice line)
{
	struct slice value = line;
	const struct slice field = slice_cut(&value, ':');

	if (value.len > 0 && value.ptr[0] == ' ')
		value = slice_from(value, 1);
	if (slice_equal(field, SLICE("event"))) {
		buf_clear(&stream->name);
		buf_append_slice(&stream->name, value);
	} else if (slice_equal(field, SLICE("data"))) {
		buf_append_slice(&stream->data, value);
		buf_append_byte(&stream->data, '\n');
	} else if (slice_equal(field, SLICE("id")) && slice_find(value, '\0') < 0) {
		buf_clear(&stream->id);
		buf_append_slice(&stream->id, value);
	}
}

/* A blank line: there is an event, unless it has no data. */
static bool dispatch(struct event_stream *stream, struct event *event)
{
	if (stream->data.len == 0) {
		buf_clear(&stream->name);
		return false;
	}
	event->name = stream->name.len > 0 ? buf_slice(&stream->name) : SLICE("message");
	/* Without the newline behind its last line. */
	event->data = slice_make(stream->data.ptr, stream->data.len - 1);
	event->id = buf_slice(&stream->id);
	return true;
}

/* A whole line has been read. True: it ended an event. */
static bool take_line(struct event_stream *stream, struct event *event)
{
	const bool is_blank = stream->line.len == 0;

	if (!is_blank)
		take_field(stream, buf_slice(&stream->line));
	buf_clear(&stream->line);
	return is_blank && dispatch(stream, event);
}

/* Bytes before the first that ends a line; all when none does. */
static size_t line_len(struct slice bytes)
{
	size_t i = 0;

	while (i < bytes.len && bytes.ptr[i] != '\r' && bytes.ptr[i] != '\n')
		i++;
	return i;
}

bool event_stream_next(struct event_stream *stream, struct slice *bytes,
		       struct event *event, enum err *rc)
{
	*rc = OK;
	/* The event that was given out before is over. */
	if (stream->is_given) {
		buf_clear(&stream->name);
		buf_clear(&stream->data);
		stream->is_given = false;
	}
	while (bytes->len > 0) {
		size_t len;

		if (stream->is_after_cr && bytes->ptr[0] == '\n')
			*bytes = slice_from(*bytes, 1);
		stream->is_after_cr = false;
		len = line_len(*bytes);
		if (stream->line.len + stream->data.len + len > EVENT_STREAM_BYTES_MAX) {
			*rc = ERR_LIMIT;
			return false;
		}
		buf_append(&stream->line, bytes->ptr, len);
		if (len == bytes->len) {
			*bytes = SLICE_NONE;
			return false;
		}
		stream->is_after_cr = bytes->ptr[len] == '\r';
		*bytes = slice_from(*bytes, len + 1);
		if (take_line(stream, event)) {
			stream->is_given = true;
			return true;
		}
	}
	return false;
}
