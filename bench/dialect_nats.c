/* SPDX-License-Identifier: Apache-2.0 */
/*
 * NATS over TCP: every client subscribes to one subject and may publish to it. Lines end
 * in CRLF; the payload of a message follows its line and has a CRLF of its own.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* memrchr */
#endif
#include <assert.h>
#include <string.h>

#include "bench/dialect.h"
#include "bench/payload.h"

#define SUBJECT "bench"
#define CRLF_LEN 2
#define LINE_BYTES_MAX 65536u /* INFO names all servers of a cluster */

/* What follows the PING is answered last: its PONG says that the server knows us. */
static void greet(struct buf *out)
{
	buf_append_str(out, "CONNECT {\"verbose\":false,\"pedantic\":false,\"echo\":true,"
			    "\"lang\":\"c\",\"version\":\"1\",\"protocol\":1}\r\n"
			    "SUB " SUBJECT " 1\r\n"
			    "PING\r\n");
}

/* "MSG subject sid [reply-to] size": all that matters stands behind the last space. */
static ssize_t hear_msg(struct slice bytes, struct slice line, struct hearing *out)
{
	const char *space = memrchr(line.ptr, ' ', line.len);
	size_t begin = line.len + CRLF_LEN;
	int64_t size;

	if (slice_to_int64(slice_from(line, (size_t)(space - line.ptr) + 1), &size) !=
		    OK ||
	    size < 0 || size > (int64_t)PAYLOAD_BYTES_MAX)
		return ERR_MALFORMED;
	if (bytes.len < begin + (size_t)size + CRLF_LEN)
		return 0;
	if (memcmp(bytes.ptr + begin + size, "\r\n", CRLF_LEN) != 0)
		return ERR_MALFORMED;
	out->heard = HEARD_MESSAGE;
	out->payload = slice_make(bytes.ptr + begin, (size_t)size);
	return (ssize_t)(begin + (size_t)size + CRLF_LEN);
}

/* False: no line of a server. */
static bool hear_line(struct slice line, bool is_ready, struct hearing *out,
		      struct buf *reply)
{
	if (slice_equal(line, SLICE("PING"))) {
		buf_append_str(reply, "PONG\r\n");
	} else if (slice_equal(line, SLICE("PONG"))) {
		out->heard = is_ready ? HEARD_NOTHING : HEARD_READY;
	} else if (slice_starts_with(line, SLICE("-ERR "))) {
		out->heard = is_ready ? HEARD_CLOSE : HEARD_REFUSED;
		out->error = slice_trim(slice_from(line, strlen("-ERR ")));
	} else {
		return slice_equal(line, SLICE("+OK")) ||
		       slice_starts_with(line, SLICE("INFO "));
	}
	return true;
}

static ssize_t hear(struct slice bytes, bool is_ready, struct arena *arena,
		    struct hearing *out, struct buf *reply)
{
	ptrdiff_t end = slice_find(bytes, '\n');
	struct slice line;

	(void)arena; /* nothing is decoded */
	*out = (struct hearing){ .heard = HEARD_NOTHING };
	if (end < 0)
		return bytes.len < LINE_BYTES_MAX ? 0 : ERR_MALFORMED;
	if (end == 0 || end >= (ptrdiff_t)LINE_BYTES_MAX || bytes.ptr[end - 1] != '\r')
		return ERR_MALFORMED;
	line = slice_make(bytes.ptr, (size_t)end - 1);
	if (slice_starts_with(line, SLICE("MSG " SUBJECT " ")))
		return hear_msg(bytes, line, out);
	return hear_line(line, is_ready, out, reply) ? end + 1 : ERR_MALFORMED;
}

static bool say(struct buf *out, const struct saying *saying)
{
	if (saying->verb != VERB_BROADCAST)
		return false;
	assert(saying->id.len == 0); /* nobody answers */
	buf_appendf(out, "PUB " SUBJECT " %zu\r\n", saying->payload.len);
	buf_append_slice(out, saying->payload);
	buf_append_str(out, "\r\n");
	return true;
}

const struct dialect dialect_nats = {
	.name = "nats",
	.is_text = true,
	.has_greeting = true,
	.greet = greet,
	.hear = hear,
	.say = say,
};
