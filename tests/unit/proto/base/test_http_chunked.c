/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The chunked coding: legal and refused bodies, whole and split at every byte, the body's
 * limit and the size line's, at and one past.
 */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "proto/base/http_parse.h"

#define BODY_MAX 64u

struct vector {
	const char *bytes;
	size_t len;
	ssize_t expected; /* OK: complete with `body`; else the error */
	const char *body;
};

/* clang-format off */
#define GOOD(text, body) { text, sizeof(text) - 1, OK, body },
#define BAD(text) { text, sizeof(text) - 1, ERR_MALFORMED, "" },
#define BIG(text) { text, sizeof(text) - 1, ERR_LIMIT, "" },

static const struct vector VECTORS[] = {
	GOOD("0\r\n\r\n", "")
	GOOD("000\r\n\r\n", "")
	GOOD("5\r\nhello\r\n0\r\n\r\n", "hello")
	GOOD("5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n", "hello world")
	GOOD("00005\r\nhello\r\n0\r\n\r\n", "hello")
	GOOD("A\r\n0123456789\r\n0\r\n\r\n", "0123456789")
	GOOD("a\r\n0123456789\r\n0\r\n\r\n", "0123456789")
	GOOD("4\r\n\r\n\r\n\r\n0\r\n\r\n", "\r\n\r\n")
	GOOD("5;name=value\r\nhello\r\n0;last\r\n\r\n", "hello")
	GOOD("5;a=\"b c\";\td\r\nhello\r\n0\r\n\r\n", "hello")
	GOOD("40\r\n0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef\r\n"
	     "0\r\n\r\n", "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef")
	BAD("\r\n")
	BAD("\n")
	BAD(";a\r\nhello\r\n0\r\n\r\n")
	BAD("g\r\n")
	BAD(" 5\r\nhello\r\n0\r\n\r\n")
	BAD("5 \r\nhello\r\n0\r\n\r\n")
	BAD("5\t;a\r\nhello\r\n0\r\n\r\n")
	BAD("+5\r\nhello\r\n0\r\n\r\n")
	BAD("-5\r\nhello\r\n0\r\n\r\n")
	BAD("0x5\r\nhello\r\n0\r\n\r\n")
	BAD("5.\r\nhello\r\n0\r\n\r\n")
	BAD("5\nhello\r\n0\r\n\r\n")
	BAD("5\rhello\r\n0\r\n\r\n")
	BAD("5\r\r\nhello\r\n0\r\n\r\n")
	BAD("5;a\nhello\r\n0\r\n\r\n")
	BAD("5;\n\r\nhello\r\n0\r\n\r\n")
	BAD("5;a\rb\r\nhello\r\n0\r\n\r\n")
	BAD("5;a\0b\r\nhello\r\n0\r\n\r\n")
	BAD("5;a\x7f\r\nhello\r\n0\r\n\r\n")
	BAD("5\r\nhello0\r\n\r\n")
	BAD("5\r\nhello\n0\r\n\r\n")
	BAD("5\r\nhello\r0\r\n\r\n")
	BAD("5\r\nhello!\r\n0\r\n\r\n")
	BAD("5\r\nhell\r\n0\r\n\r\n")
	BAD("0\r\n\n")
	BAD("0\r\n\r0")
	BAD("0\r\nTrailer: a\r\n\r\n")
	BAD("0\r\nContent-Length: 5\r\n\r\n")
	BIG("41\r\n")
	BIG("ffffffffffffffff\r\n")
	BIG("10000000000000005\r\nhello\r\n0\r\n\r\n")
	BIG("5\r\nhello\r\n3c\r\n")
};
/* clang-format on */

#define VECTORS_N (sizeof(VECTORS) / sizeof(VECTORS[0]))

/* Feeds pieces of at most `step` bytes, each in memory of exactly its size. */
static ssize_t decode(const struct vector *v, size_t step, struct buf *body, size_t *used)
{
	struct http_chunked state = { 0 };
	bool is_done = false;

	for (*used = 0; *used < v->len && !is_done;) {
		size_t len = v->len - *used < step ? v->len - *used : step;
		char *piece = malloc(len);
		ssize_t n;

		cr_assert(piece != NULL);
		memcpy(piece, v->bytes + *used, len);
		n = http_chunked_decode(&state, piece, len, BODY_MAX, body, &is_done);
		free(piece);
		if (n < 0)
			return n;
		cr_assert_eq((size_t)n, len);
		*used += len;
	}
	return is_done ? OK : ERR_AGAIN;
}

static void check(const struct vector *v, size_t step)
{
	struct buf body = BUF_INIT;
	size_t used = 0;
	ssize_t rc = decode(v, step, &body, &used);

	cr_expect_eq(rc, v->expected, "%zd, step %zu: %s", rc, step, v->bytes);
	if (v->expected == OK) {
		cr_expect_eq(used, v->len, "step %zu: %s", step, v->bytes);
		cr_expect(slice_equal(buf_slice(&body), slice_from_str(v->body)),
			  "step %zu: %s", step, v->bytes);
	}
	buf_fini(&body);
}

Test(http_chunked, gives_each_vector_its_verdict)
{
	for (size_t i = 0; i < VECTORS_N; i++)
		check(&VECTORS[i], SIZE_MAX);
}

Test(http_chunked, gives_the_same_verdict_in_pieces_of_any_size)
{
	for (size_t i = 0; i < VECTORS_N; i++) {
		for (size_t step = 1; step < 8; step++)
			check(&VECTORS[i], step);
	}
}

Test(http_chunked, every_prefix_of_a_legal_body_wants_more)
{
	for (size_t i = 0; i < VECTORS_N; i++) {
		struct vector v = VECTORS[i];

		for (size_t len = 0; v.expected == OK && len < VECTORS[i].len; len++) {
			struct buf body = BUF_INIT;
			size_t used;

			v.len = len;
			cr_expect_eq(decode(&v, SIZE_MAX, &body, &used), ERR_AGAIN);
			buf_fini(&body);
		}
	}
}

Test(http_chunked, leaves_what_follows)
{
	struct http_chunked state = { 0 };
	struct buf body = BUF_INIT;
	const char *text = "1\r\na\r\n0\r\n\r\nGET /";
	bool is_done = false;
	ssize_t n = http_chunked_decode(&state, text, strlen(text), BODY_MAX, &body,
					&is_done);

	cr_expect_eq(n, 11);
	cr_expect(is_done);
	buf_fini(&body);
}

static ssize_t decode_size_line(size_t len)
{
	struct http_chunked state = { 0 };
	struct buf body = BUF_INIT;
	char line[HTTP_CHUNK_LINE_MAX + 8];
	bool is_done = false;
	ssize_t rc;

	memset(line, 'x', sizeof(line));
	memcpy(line, "1;", 2);
	line[len - 1] = '\r';
	rc = http_chunked_decode(&state, line, len, BODY_MAX, &body, &is_done);
	buf_fini(&body);
	return rc;
}

Test(http_chunked, takes_a_size_line_at_its_limit_and_no_longer)
{
	cr_expect_eq(decode_size_line(HTTP_CHUNK_LINE_MAX), HTTP_CHUNK_LINE_MAX);
	cr_expect_eq(decode_size_line(HTTP_CHUNK_LINE_MAX + 1), ERR_MALFORMED);
}

Test(http_chunked, counts_each_size_line_anew)
{
	struct http_chunked state = { 0 };
	struct buf body = BUF_INIT;
	bool is_done = false;

	for (unsigned i = 0; i < BODY_MAX; i++) {
		const char *text = "1;extension\r\na\r\n";

		cr_expect(http_chunked_decode(&state, text, strlen(text), BODY_MAX, &body,
					      &is_done) > 0);
	}
	cr_expect_eq(body.len, BODY_MAX);
	buf_fini(&body);
}
