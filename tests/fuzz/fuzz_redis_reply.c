/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a Redis server may send, whole and in pieces: both must yield the same replies and
 * the same end. Every reply keeps within its limits, and all of it can be read.
 */
#include "proto/base/arena.h"
#include "proto/base/buf.h"
#include "proto/base/redis_reply.h"
#include "tests/fuzz/fuzz.h"

#define STACK_MAX (REDIS_REPLY_DEPTH_MAX + 1)

/* Writes what a reply says; the reader's depth is bounded, so is this stack. */
static void write_reply(const struct redis_reply *root, struct buf *out)
{
	const struct redis_reply *stack[STACK_MAX];
	size_t left[STACK_MAX];
	size_t depth = 0;
	size_t items_n = 0;

	stack[0] = root;
	left[0] = 1;
	for (;;) {
		const struct redis_reply *reply = stack[depth];

		if (left[depth] == 0) {
			if (depth-- == 0)
				break;
			continue;
		}
		left[depth]--;
		stack[depth]++;
		assert(reply->type <= REDIS_ARRAY);
		buf_append_byte(out, (char)('a' + reply->type));
		buf_append_int64(out, reply->integer);
		buf_append_slice(out, reply->text);
		buf_append_int64(out, (int64_t)reply->items_n);
		if (reply->items_n == 0)
			continue;
		assert(reply->type == REDIS_ARRAY);
		items_n += reply->items_n;
		assert(items_n <= REDIS_REPLY_ITEMS_MAX);
		depth++;
		assert(depth < STACK_MAX);
		stack[depth] = reply->items;
		left[depth] = reply->items_n;
	}
}

/* All replies of the input and its end, in pieces of a size that depends on `*seed`;
 * NULL: as large as they may be. */
static void read_all(struct slice input, uint32_t *seed, struct buf *out)
{
	struct redis_reader *reader = redis_reader_new();
	const struct redis_reply *reply = NULL;
	enum err rc = ERR_AGAIN;

	while (input.len > 0 && rc == ERR_AGAIN) {
		const size_t most =
			input.len < REDIS_FEED_MAX ? input.len : REDIS_FEED_MAX;
		const size_t len = seed != NULL ? fuzz_piece(seed, most) : most;

		rc = redis_reader_feed(reader, fuzz_take(&input, len));
		while (rc == OK) {
			rc = redis_reader_next(reader, &reply);
			if (rc == OK)
				write_reply(reply, out);
		}
	}
	buf_append_str(out, err_name(rc));
	redis_reader_free(reader);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice input = fuzz_slice(data, size);
	uint32_t seed = (uint32_t)fuzz_number(&input, 2);
	struct buf whole = BUF_INIT;
	struct buf pieces = BUF_INIT;

	read_all(input, NULL, &whole);
	read_all(input, &seed, &pieces);
	assert(slice_equal(buf_slice(&whole), buf_slice(&pieces)));
	buf_fini(&whole);
	buf_fini(&pieces);
	return 0;
}
