/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An answer as a client reads it: the head, which a prefix must not be taken for, and the
 * body, which must come out the same however it is cut. Input: four bytes say where, the
 * rest is the stream.
 */
#include <string.h>

#include "proto/base/http_answer.h"
#include "tests/fuzz/fuzz.h"

struct read {
	struct buf body;
	ssize_t rc;
	bool is_done;
	size_t used;
};

/* `seed` 0: in one piece. */
static void read_body(struct read *read, const struct http_answer *answer,
		      struct slice bytes, uint32_t seed)
{
	struct http_body body;

	*read = (struct read){ .body = BUF_INIT };
	http_body_init(&body, answer);
	while (read->used < bytes.len && read->rc >= 0 && !read->is_done) {
		const size_t left = bytes.len - read->used;
		const size_t len = seed == 0 ? left : fuzz_piece(&seed, left);

		read->rc = http_body_read(&body, slice_make(bytes.ptr + read->used, len),
					  &read->body, &read->is_done);
		assert(read->body.len <= HTTP_ANSWER_BODY_BYTES_MAX);
		if (read->rc < 0)
			return;
		assert((size_t)read->rc == len ||
		       (read->is_done && (size_t)read->rc < len));
		read->used += (size_t)read->rc;
	}
}

static void check_body(const struct http_answer *answer, struct slice bytes,
		       uint32_t seed)
{
	struct read whole;
	struct read pieces;

	read_body(&whole, answer, bytes, 0);
	read_body(&pieces, answer, bytes, seed);
	assert((whole.rc < 0) == (pieces.rc < 0));
	if (whole.rc >= 0) {
		assert(whole.is_done == pieces.is_done && whole.used == pieces.used);
		assert(slice_equal(buf_slice(&whole.body), buf_slice(&pieces.body)));
	} else {
		assert(whole.rc == pieces.rc);
	}
	buf_fini(&whole.body);
	buf_fini(&pieces.body);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice input = fuzz_slice(data, size);
	const uint32_t seed = (uint32_t)fuzz_number(&input, 4);
	struct http_answer answer;
	struct http_answer early;
	const size_t cut = input.len > 0 ? seed % input.len : 0;
	const ssize_t head = http_answer_read(input, &answer);
	const ssize_t prefix = http_answer_read(slice_make(input.ptr, cut), &early);

	assert(head <= (ssize_t)input.len && head <= (ssize_t)HTTP_ANSWER_HEAD_BYTES_MAX);
	assert(prefix == 0 || prefix == head);
	if (head <= 0)
		return 0;
	assert(answer.status >= 0 && answer.status <= 999);
	assert(answer.content_length <= HTTP_ANSWER_BODY_BYTES_MAX);
	assert(answer.accept.ptr == NULL ||
	       fuzz_is_inside(answer.accept, slice_make(input.ptr, (size_t)head)));
	check_body(&answer, slice_from(input, (size_t)head), seed | 1);
	return 0;
}
