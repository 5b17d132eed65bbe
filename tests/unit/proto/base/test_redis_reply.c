/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Replies out of bytes, in pieces of any size; and what a server could send to hurt: each
 * limit is tried exactly and one past.
 */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "proto/base/buf.h"
#include "proto/base/redis_reply.h"

static struct redis_reader *reader;
static struct buf bytes;

static void setup(void)
{
	reader = redis_reader_new();
	bytes = BUF_INIT;
}

static void teardown(void)
{
	redis_reader_free(reader);
	buf_fini(&bytes);
}

TestSuite(redis_reply, .init = setup, .fini = teardown, .timeout = 30);

/* Feeds in pieces of `piece` until something other than ERR_AGAIN comes. */
static enum err feed(struct slice all, size_t piece, const struct redis_reply **reply)
{
	enum err rc = ERR_AGAIN;

	while (all.len > 0 && rc == ERR_AGAIN) {
		const size_t len = all.len < piece ? all.len : piece;

		rc = redis_reader_feed(reader, slice_make(all.ptr, len));
		if (rc == OK)
			rc = redis_reader_next(reader, reply);
		all = slice_from(all, len);
	}
	return rc;
}

static const struct redis_reply *read_one(const char *text)
{
	const struct redis_reply *reply = NULL;

	cr_assert_eq(feed(slice_from_str(text), REDIS_FEED_MAX, &reply), OK, "%s", text);
	cr_assert_not_null(reply);
	return reply;
}

static void expect_refused(struct slice text, enum err expected)
{
	const struct redis_reply *reply = NULL;
	struct redis_reader *other = redis_reader_new();

	redis_reader_free(reader);
	reader = other;
	cr_expect_eq(feed(text, REDIS_FEED_MAX, &reply), expected, "%.*s",
		     (int)(text.len < 40 ? text.len : 40), text.ptr);
	/* And stays so. */
	cr_expect_neq(redis_reader_next(reader, &reply), OK);
}

Test(redis_reply, reads_every_type)
{
	cr_expect_eq(read_one("$-1\r\n")->type, REDIS_NIL);
	cr_expect_eq(read_one("*-1\r\n")->type, REDIS_NIL);
	cr_expect_eq(read_one("+OK\r\n")->type, REDIS_STRING);
	cr_expect(slice_equal(read_one("$3\r\na\nb\r\n")->text, SLICE("a\nb")));
	cr_expect_eq(read_one("$0\r\n\r\n")->text.len, 0);
	cr_expect_eq(read_one(":-42\r\n")->integer, -42);
	cr_expect_eq(read_one(":9223372036854775807\r\n")->integer, INT64_MAX);
	cr_expect_eq(read_one("-ERR no\r\n")->type, REDIS_ERROR);
	cr_expect_eq(read_one("*0\r\n")->items_n, 0);
}

Test(redis_reply, knows_an_error_by_its_first_word)
{
	cr_expect(redis_reply_is_error(read_one("-NOSCRIPT No\r\n"), "NOSCRIPT"));
	cr_expect(redis_reply_is_error(read_one("-NOSCRIPT\r\n"), "NOSCRIPT"));
	cr_expect_not(redis_reply_is_error(read_one("-NOSCRIPTS a\r\n"), "NOSCRIPT"));
	cr_expect_not(redis_reply_is_error(read_one("-NO\r\n"), "NOSCRIPT"));
	cr_expect_not(redis_reply_is_error(read_one("+NOSCRIPT\r\n"), "NOSCRIPT"));
}

static void expect_nested(const struct redis_reply *reply)
{
	cr_assert_eq(reply->type, REDIS_ARRAY);
	cr_assert_eq(reply->items_n, 4);
	cr_expect_eq(reply->items[0].integer, 1);
	cr_assert_eq(reply->items[1].items_n, 2);
	cr_expect(slice_equal(reply->items[1].items[0].text, SLICE("ab")));
	cr_expect_eq(reply->items[1].items[1].type, REDIS_NIL);
	cr_expect_eq(reply->items[2].items_n, 0);
	cr_expect_eq(reply->items[3].type, REDIS_ERROR);
}

Test(redis_reply, reads_nested_arrays_in_pieces_of_any_size)
{
	const struct slice text =
		SLICE("*4\r\n:1\r\n*2\r\n$2\r\nab\r\n$-1\r\n*0\r\n-ERR x\r\n");

	for (size_t piece = 1; piece <= text.len; piece++) {
		const struct redis_reply *reply = NULL;

		cr_assert_eq(feed(text, piece, &reply), OK, "pieces of %zu", piece);
		expect_nested(reply);
		cr_expect_eq(redis_reader_next(reader, &reply), ERR_AGAIN);
	}
}

Test(redis_reply, gives_one_after_the_other)
{
	const struct redis_reply *reply = NULL;

	cr_assert_eq(redis_reader_feed(reader, SLICE(":1\r\n:2\r\n:3\r\n:")), OK);
	for (int64_t i = 1; i <= 3; i++) {
		cr_assert_eq(redis_reader_next(reader, &reply), OK);
		cr_expect_eq(reply->integer, i);
	}
	cr_expect_eq(redis_reader_next(reader, &reply), ERR_AGAIN);
	cr_assert_eq(redis_reader_feed(reader, SLICE("4\r\n")), OK);
	cr_assert_eq(redis_reader_next(reader, &reply), OK);
	cr_expect_eq(reply->integer, 4);
}

Test(redis_reply, refuses_what_is_not_the_protocol)
{
	expect_refused(SLICE("HTTP/1.1 400 Bad Request\r\n\r\n"), ERR_MALFORMED);
	expect_refused(SLICE("$abc\r\n"), ERR_MALFORMED);
	expect_refused(SLICE("$-2\r\n"), ERR_MALFORMED);
	expect_refused(SLICE("$99999999999999999999\r\n"), ERR_MALFORMED);
	expect_refused(SLICE("*-2\r\n"), ERR_MALFORMED);
	expect_refused(SLICE("*4294967297\r\n"), ERR_MALFORMED);
	expect_refused(SLICE("*1152921504606846977\r\n"), ERR_MALFORMED);
	expect_refused(SLICE(":12a\r\n"), ERR_MALFORMED);
	expect_refused(SLICE(":9223372036854775808\r\n"), ERR_MALFORMED);
	expect_refused(SLICE("*1\r\n!\r\n"), ERR_MALFORMED);
	expect_refused(SLICE("%1\r\n+a\r\n+b\r\n"), ERR_MALFORMED); /* RESP 3 */
}

static void nest(int depth)
{
	buf_clear(&bytes);
	for (int i = 0; i < depth; i++)
		buf_append_str(&bytes, "*1\r\n");
	buf_append_str(&bytes, ":7\r\n");
}

Test(redis_reply, nests_so_deep_and_no_deeper)
{
	const struct redis_reply *reply = NULL;

	nest(REDIS_REPLY_DEPTH_MAX);
	cr_assert_eq(feed(buf_slice(&bytes), REDIS_FEED_MAX, &reply), OK);
	for (int i = 0; i < REDIS_REPLY_DEPTH_MAX; i++)
		reply = &reply->items[0];
	cr_expect_eq(reply->integer, 7);
	nest(REDIS_REPLY_DEPTH_MAX + 1);
	expect_refused(buf_slice(&bytes), ERR_MALFORMED);
	nest(100000);
	expect_refused(buf_slice(&bytes), ERR_MALFORMED);
}

/* An array of `n` in all, half of them inside another one. */
static void items(unsigned n)
{
	const unsigned inner = n / 2;

	buf_clear(&bytes);
	buf_appendf(&bytes, "*%u\r\n*%u\r\n", n - inner, inner);
	for (unsigned i = 0; i < inner + n - inner - 1; i++)
		buf_append_str(&bytes, ":1\r\n");
}

Test(redis_reply, has_so_many_items_and_no_more)
{
	const struct redis_reply *reply = NULL;

	items(REDIS_REPLY_ITEMS_MAX);
	cr_assert_eq(feed(buf_slice(&bytes), REDIS_FEED_MAX, &reply), OK);
	cr_expect_eq(reply->items_n, REDIS_REPLY_ITEMS_MAX / 2);
	/* The next one is counted anew. */
	cr_assert_eq(feed(buf_slice(&bytes), REDIS_FEED_MAX, &reply), OK);
	items(REDIS_REPLY_ITEMS_MAX + 1);
	expect_refused(buf_slice(&bytes), ERR_LIMIT);
	expect_refused(SLICE("*2147483647\r\n"), ERR_LIMIT);
}

/* A string of `n` bytes. */
static void text(unsigned n)
{
	buf_clear(&bytes);
	buf_appendf(&bytes, "$%u\r\n", n);
	memset(buf_reserve(&bytes, n), 'x', n);
	bytes.len += n;
	buf_append_str(&bytes, "\r\n");
}

Test(redis_reply, has_so_many_bytes_and_no_more)
{
	const struct redis_reply *reply = NULL;

	text(REDIS_REPLY_BYTES_MAX);
	cr_assert_eq(feed(buf_slice(&bytes), REDIS_FEED_MAX, &reply), OK);
	cr_expect_eq(reply->text.len, REDIS_REPLY_BYTES_MAX);
	text(REDIS_REPLY_BYTES_MAX + 1);
	expect_refused(buf_slice(&bytes), ERR_LIMIT);
}

Test(redis_reply, does_not_keep_what_never_ends)
{
	/* A string of 4 GiB. */
	buf_append_str(&bytes, "$4294967296\r\n");
	memset(buf_reserve(&bytes, 2 * REDIS_REPLY_BYTES_MAX), 'x',
	       2 * REDIS_REPLY_BYTES_MAX);
	bytes.len += 2 * REDIS_REPLY_BYTES_MAX;
	expect_refused(buf_slice(&bytes), ERR_LIMIT);
}

static void line(char type, size_t n)
{
	buf_clear(&bytes);
	buf_append_byte(&bytes, type);
	memset(buf_reserve(&bytes, n), '1', n);
	bytes.len += n;
}

/* To the piece: a line is looked at when more is to be taken in behind it. */
Test(redis_reply, has_lines_so_long_and_no_longer)
{
	const struct redis_reply *reply = NULL;

	line('+', REDIS_REPLY_LINE_BYTES_MAX - 1);
	buf_append_str(&bytes, "\r\n");
	cr_assert_eq(feed(buf_slice(&bytes), REDIS_FEED_MAX, &reply), OK);
	cr_expect_eq(reply->text.len, REDIS_REPLY_LINE_BYTES_MAX - 1);
	line('+', REDIS_REPLY_LINE_BYTES_MAX + REDIS_FEED_MAX);
	buf_append_str(&bytes, "\r\n");
	expect_refused(buf_slice(&bytes), ERR_LIMIT);
	line('$', REDIS_REPLY_LINE_BYTES_MAX + REDIS_FEED_MAX);
	buf_append_str(&bytes, "\r\n");
	expect_refused(buf_slice(&bytes), ERR_LIMIT);
}

Test(redis_reply, counts_many_texts_together)
{
	const size_t each = 1u << 20;

	buf_append_str(&bytes, "*32\r\n");
	for (int i = 0; i < 32; i++) {
		buf_appendf(&bytes, "$%zu\r\n", each);
		memset(buf_reserve(&bytes, each), 'x', each);
		bytes.len += each;
		buf_append_str(&bytes, "\r\n");
	}
	expect_refused(buf_slice(&bytes), ERR_LIMIT);
}
