/* SPDX-License-Identifier: Apache-2.0 */
/*
 * text/event-stream: the same events however the bytes are cut. Input: four bytes say
 * where, the rest is the stream.
 */
#include "proto/base/event_stream.h"
#include "tests/fuzz/fuzz.h"

/* All events in one text, each field behind its length. */
static enum err read_all(struct slice bytes, uint32_t seed, struct buf *seen)
{
	struct event_stream stream = { .line = BUF_INIT };
	enum err rc = OK;

	while (bytes.len > 0 && rc == OK) {
		const size_t len = seed == 0 ? bytes.len : fuzz_piece(&seed, bytes.len);
		struct slice piece = fuzz_take(&bytes, len);
		struct event event;

		while (event_stream_next(&stream, &piece, &event, &rc)) {
			assert(rc == OK && event.name.len > 0);
			assert(slice_find(event.id, '\0') < 0);
			assert(event.data.len < EVENT_STREAM_BYTES_MAX);
			buf_appendf(seen, "%zu %zu %zu ", event.name.len, event.data.len,
				    event.id.len);
			buf_append_slice(seen, event.name);
			buf_append_slice(seen, event.data);
			buf_append_slice(seen, event.id);
		}
		assert(rc != OK || piece.len == 0);
	}
	event_stream_fini(&stream);
	return rc;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice input = fuzz_slice(data, size);
	const uint32_t seed = (uint32_t)fuzz_number(&input, 4) | 1;
	struct buf whole = BUF_INIT;
	struct buf pieces = BUF_INIT;
	const enum err rc = read_all(input, 0, &whole);

	assert(read_all(input, seed, &pieces) == rc);
	assert(slice_equal(buf_slice(&whole), buf_slice(&pieces)));
	buf_fini(&whole);
	buf_fini(&pieces);
	return 0;
}
