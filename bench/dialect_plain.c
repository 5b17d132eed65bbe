/* SPDX-License-Identifier: Apache-2.0 */
/*
 * For servers that pass on what they get and know no protocol: the publisher says the
 * very bytes that a SignalR server would send to a receiver. So the floor and uWebSockets
 * deliver the same bytes as a hub does, to a client that does the same work.
 */
#include <assert.h>
#include <string.h>

#include "bench/dialect.h"
#include "bench/payload.h"

#define HEAD "{\"type\":1,\"target\":\"Receive\",\"arguments\":[\""
#define TAIL "\"]}\x1e"
#define END '\x1e'
#define HEAD_LEN (sizeof(HEAD) - 1)
#define TAIL_LEN (sizeof(TAIL) - 1)
#define MESSAGE_BYTES_MAX (HEAD_LEN + PAYLOAD_BYTES_MAX + TAIL_LEN)

static ssize_t hear(struct slice bytes, bool is_ready, struct arena *arena,
		    struct hearing *out, struct buf *reply)
{
	ptrdiff_t end = slice_find(bytes, END);
	size_t len = (size_t)(end + 1);

	(void)is_ready, (void)arena, (void)reply; /* of no use without a greeting */
	*out = (struct hearing){ .heard = HEARD_MESSAGE };
	if (end < 0)
		return bytes.len < MESSAGE_BYTES_MAX ? 0 : ERR_MALFORMED;
	if (len < HEAD_LEN + TAIL_LEN || len > MESSAGE_BYTES_MAX ||
	    memcmp(bytes.ptr, HEAD, HEAD_LEN) != 0 ||
	    memcmp(bytes.ptr + len - TAIL_LEN, TAIL, TAIL_LEN) != 0)
		return ERR_MALFORMED;
	out->payload = slice_make(bytes.ptr + HEAD_LEN, len - HEAD_LEN - TAIL_LEN);
	return (ssize_t)len;
}

static bool say(struct buf *out, const struct saying *saying)
{
	if (saying->verb != VERB_BROADCAST)
		return false;
	assert(saying->id.len == 0); /* nobody answers */
	buf_append_str(out, HEAD);
	buf_append_slice(out, saying->payload);
	buf_append_str(out, TAIL);
	return true;
}

const struct dialect dialect_plain = {
	.name = "plain",
	.is_text = true,
	.hear = hear,
	.say = say,
};
