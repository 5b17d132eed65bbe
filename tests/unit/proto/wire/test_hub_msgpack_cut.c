/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The framing of the MessagePack hub protocol: frames cut at every split, lengths of
 * every width and past their limits, and the prefixes that are written.
 */
#include <criterion/criterion.h>
#include <stdlib.h>

#include "proto/wire/hub_msgpack.h"

/* Bytes of a literal; NULs count. */
#define B(literal) slice_make((literal), sizeof(literal) - 1)

static struct slice inside;

/* A frame with `prefix` and `body` bytes, whole and at every split. */
static void check_cut(struct slice prefix, size_t body)
{
	const size_t whole = prefix.len + body;

	for (size_t len = 0; len <= whole + 1; len += len < 8 ? 1 : body / 16 + 1) {
		char *exact = malloc(len + 1);
		const size_t head = len < prefix.len ? len : prefix.len;

		memset(exact, 'x', len + 1);
		memcpy(exact, prefix.ptr, head);
		cr_assert_eq(hub_msgpack_cut(slice_make(exact, len), whole, &inside),
			     len < whole ? 0 : (ssize_t)whole);
		if (len >= whole) {
			cr_assert_eq(inside.ptr, exact + prefix.len);
			cr_assert_eq(inside.len, body);
		}
		free(exact);
	}
}

Test(hub_msgpack_cut, cuts_at_every_split)
{
	check_cut(B("\x00"), 0);
	check_cut(B("\x02"), 2);
	check_cut(B("\x7f"), 127);
	check_cut(B("\x80\x01"), 128);
	check_cut(B("\xff\x7f"), 16383);
	check_cut(B("\x80\x80\x01"), 16384);
	check_cut(B("\x80\x80\x80\x01"), 2097152);
	/* Longer than need be. */
	check_cut(B("\x82\x00"), 2);
	check_cut(B("\x82\x80\x80\x80\x00"), 2);
}

Test(hub_msgpack_cut, cuts_at_the_limit_and_refuses_one_more)
{
	const struct slice frame = B("\x02\x91\x06");

	cr_assert_eq(hub_msgpack_cut(frame, 3, &inside), 3);
	cr_assert_eq(hub_msgpack_cut(frame, 2, &inside), ERR_LIMIT);
	cr_assert_eq(hub_msgpack_cut(slice_make(frame.ptr, 1), 3, &inside), 0);
	cr_assert_eq(hub_msgpack_cut(slice_make(frame.ptr, 1), 2, &inside), ERR_LIMIT);
	cr_assert_eq(hub_msgpack_cut(SLICE_NONE, 1, &inside), 0);
	/* The prefix is not whole, yet what is there is too much. */
	cr_assert_eq(hub_msgpack_cut(B("\xff"), 129, &inside), 0);
	cr_assert_eq(hub_msgpack_cut(B("\xff"), 128, &inside), ERR_LIMIT);
	cr_assert_eq(hub_msgpack_cut(B("\x80\x80"), 2, &inside), ERR_LIMIT);
}

Test(hub_msgpack_cut, lengths_end_at_31_bits)
{
	const size_t most = (size_t)INT32_MAX + 5;

	cr_assert_eq(hub_msgpack_cut(B("\xff\xff\xff\xff\x07"), most, &inside), 0);
	cr_assert_eq(hub_msgpack_cut(B("\xff\xff\xff\xff\x07"), most - 1, &inside),
		     ERR_LIMIT);
	cr_assert_eq(hub_msgpack_cut(B("\x80\x80\x80\x80\x08"), most, &inside),
		     ERR_MALFORMED);
	cr_assert_eq(hub_msgpack_cut(B("\x80\x80\x80\x80\x80"), most, &inside),
		     ERR_MALFORMED);
	cr_assert_eq(hub_msgpack_cut(B("\x80\x80\x80\x80\x80\x00"), most, &inside),
		     ERR_MALFORMED);
}

/* The prefix is one byte longer from 128 bytes on, and from 16384. */
static void check_prefix(size_t body, struct slice prefix)
{
	struct arena arena = ARENA_INIT;
	struct buf out = BUF_INIT;
	struct hub_message message;
	const char *reason;
	char *text = arena_alloc(&arena, body);
	struct hub_message close = {
		.type = HUB_MESSAGE_CLOSE,
		.has_error = true,
	};

	memset(text, 'x', body);
	/* 93 07, the string with its head, c2 */
	close.error = slice_make(text, body - 3 - (body > 258 ? 3 : 2));
	buf_append_str(&out, "before");
	hub_msgpack_encode(&out, &close);
	cr_assert_eq(out.len, 6 + prefix.len + body);
	cr_assert_eq(memcmp(out.ptr, "before", 6), 0);
	cr_assert_eq(memcmp(out.ptr + 6, prefix.ptr, prefix.len), 0);
	cr_assert_eq(hub_msgpack_cut(slice_from(buf_slice(&out), 6), out.len, &inside),
		     (ssize_t)(prefix.len + body));
	cr_assert_eq(hub_msgpack_decode(inside, &arena, &message, &reason), OK);
	cr_assert(slice_equal(message.error, close.error));
	buf_fini(&out);
	arena_fini(&arena);
}

Test(hub_msgpack_cut, prefixes_grow_with_the_message)
{
	check_prefix(127, B("\x7f"));
	check_prefix(128, B("\x80\x01"));
	check_prefix(16383, B("\xff\x7f"));
	check_prefix(16384, B("\x80\x80\x01"));
}
