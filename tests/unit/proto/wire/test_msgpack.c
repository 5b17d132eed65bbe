/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The MessagePack scanner and writer: every head with its smallest and largest numbers,
 * lengths that lie, depth, UTF-8, and random values that come back as they were written.
 * SEED in the environment chooses other values.
 */
#include "proto/wire/msgpack.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#define ROUNDS 20000
#define RANDOM_BYTES_MAX 64

static struct buf out;

static void setup(void)
{
	buf_init(&out);
}

static void teardown(void)
{
	buf_fini(&out);
}

TestSuite(msgpack, .init = setup, .fini = teardown);

/* Reads from memory of exactly that size, so that reading past it shows under ASan. */
static enum err read_one(struct slice bytes, struct msgpack_token *token, size_t *used)
{
	char *exact = malloc(bytes.len + 1);
	struct msgpack_cursor cursor;
	enum err rc;

	memcpy(exact + 1, bytes.ptr, bytes.len);
	cursor = msgpack_cursor(slice_make(exact + 1, bytes.len));
	rc = msgpack_read(&cursor, token);
	*used = (size_t)(cursor.at - exact - 1);
	/* Slices of the input: the same place in what was passed. */
	if (rc == OK && (token->type == MSGPACK_STR || token->type == MSGPACK_BIN ||
			 token->type == MSGPACK_EXT))
		token->bytes.ptr = bytes.ptr + (token->bytes.ptr - exact - 1);
	free(exact);
	return rc;
}

static struct msgpack_token read_whole(struct slice bytes)
{
	struct msgpack_token token = { 0 };
	size_t used;

	cr_assert_eq(read_one(bytes, &token, &used), OK);
	cr_assert_eq(used, bytes.len);
	return token;
}

static void expect_refused(struct slice bytes)
{
	struct msgpack_token token;
	size_t used;

	cr_assert_eq(read_one(bytes, &token, &used), ERR_MALFORMED, "%02x, %zu bytes",
		     (unsigned char)bytes.ptr[0], bytes.len);
}

static void expect_out(struct slice expected)
{
	cr_assert(slice_equal(buf_slice(&out), expected), "%zu bytes, first %02x",
		  out.len, (unsigned char)out.ptr[0]);
	buf_clear(&out);
}

/* ---- integers and the like */

Test(msgpack, writes_integers_shortest_and_reads_them)
{
	static const struct {
		int64_t integer;
		struct slice bytes;
	} cases[] = {
		{ 0, { "\x00", 1 } },
		{ 127, { "\x7f", 1 } },
		{ 128, { "\xcc\x80", 2 } },
		{ 255, { "\xcc\xff", 2 } },
		{ 256, { "\xcd\x01\x00", 3 } },
		{ 65535, { "\xcd\xff\xff", 3 } },
		{ 65536, { "\xce\x00\x01\x00\x00", 5 } },
		{ UINT32_MAX, { "\xce\xff\xff\xff\xff", 5 } },
		{ INT64_C(4294967296), { "\xcf\x00\x00\x00\x01\x00\x00\x00\x00", 9 } },
		{ INT64_MAX, { "\xcf\x7f\xff\xff\xff\xff\xff\xff\xff", 9 } },
		{ -1, { "\xff", 1 } },
		{ -32, { "\xe0", 1 } },
		{ -33, { "\xd0\xdf", 2 } },
		{ -128, { "\xd0\x80", 2 } },
		{ -129, { "\xd1\xff\x7f", 3 } },
		{ -32768, { "\xd1\x80\x00", 3 } },
		{ -32769, { "\xd2\xff\xff\x7f\xff", 5 } },
		{ INT32_MIN, { "\xd2\x80\x00\x00\x00", 5 } },
		{ INT64_C(-2147483649), { "\xd3\xff\xff\xff\xff\x7f\xff\xff\xff", 9 } },
		{ INT64_MIN, { "\xd3\x80\x00\x00\x00\x00\x00\x00\x00", 9 } },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct msgpack_token token = read_whole(cases[i].bytes);

		cr_assert_eq(token.type, MSGPACK_INT);
		cr_assert_eq(token.integer, cases[i].integer);
		msgpack_write_int(&out, cases[i].integer);
		expect_out(cases[i].bytes);
	}
}

Test(msgpack, reads_integers_of_any_width)
{
	static const struct slice fives[] = {
		{ "\x05", 1 },
		{ "\xcc\x05", 2 },
		{ "\xcd\x00\x05", 3 },
		{ "\xce\x00\x00\x00\x05", 5 },
		{ "\xcf\x00\x00\x00\x00\x00\x00\x00\x05", 9 },
		{ "\xd0\x05", 2 },
		{ "\xd1\x00\x05", 3 },
		{ "\xd2\x00\x00\x00\x05", 5 },
		{ "\xd3\x00\x00\x00\x00\x00\x00\x00\x05", 9 },
	};
	struct msgpack_token token;

	for (size_t i = 0; i < sizeof(fives) / sizeof(fives[0]); i++) {
		token = read_whole(fives[i]);
		cr_assert_eq(token.type, MSGPACK_INT);
		cr_assert_eq(token.integer, 5);
	}
	token = read_whole(slice_make("\xcf\x80\x00\x00\x00\x00\x00\x00\x00", 9));
	cr_assert_eq(token.type, MSGPACK_UINT);
	cr_assert_eq(token.wide, UINT64_C(1) << 63);
	token = read_whole(slice_make("\xcf\xff\xff\xff\xff\xff\xff\xff\xff", 9));
	cr_assert_eq(token.wide, UINT64_MAX);
}

Test(msgpack, reads_and_writes_nil_and_booleans)
{
	cr_assert_eq(read_whole(SLICE("\xc0")).type, MSGPACK_NIL);
	cr_assert_not(read_whole(SLICE("\xc2")).boolean);
	cr_assert(read_whole(SLICE("\xc3")).boolean);
	cr_assert_eq(read_whole(SLICE("\xc3")).type, MSGPACK_BOOL);
	msgpack_write_nil(&out);
	msgpack_write_bool(&out, false);
	msgpack_write_bool(&out, true);
	expect_out(SLICE("\xc0\xc2\xc3"));
	expect_refused(SLICE("\xc1"));
}

Test(msgpack, reads_floats_of_both_widths_and_writes_doubles)
{
	struct msgpack_token token;

	token = read_whole(slice_make("\xca\x3f\xc0\x00\x00", 5));
	cr_assert_eq(token.type, MSGPACK_DOUBLE);
	cr_assert_eq(token.real, 1.5);
	token = read_whole(slice_make("\xcb\xc0\x02\x00\x00\x00\x00\x00\x00", 9));
	cr_assert_eq(token.real, -2.25);
	cr_assert(isnan(read_whole(slice_make("\xca\x7f\xc0\x00\x00", 5)).real));
	msgpack_write_double(&out, 3.0);
	expect_out(slice_make("\xcb\x40\x08\x00\x00\x00\x00\x00\x00", 9));
}

/* ---- strings, binary, extensions */

/* `len` bytes behind a head of `head_len`. */
static void check_length(bool is_str, size_t len, const char *head, size_t head_len)
{
	char *bytes = malloc(len + 1);
	struct msgpack_token token;

	memset(bytes, 'x', len);
	if (is_str)
		msgpack_write_str(&out, slice_make(bytes, len));
	else
		msgpack_write_bin(&out, slice_make(bytes, len));
	cr_assert_eq(out.len, head_len + len);
	cr_assert_eq(memcmp(out.ptr, head, head_len), 0, "length %zu", len);
	token = read_whole(buf_slice(&out));
	cr_assert_eq(token.type, is_str ? MSGPACK_STR : MSGPACK_BIN);
	cr_assert(slice_equal(token.bytes, slice_make(bytes, len)));
	expect_refused(slice_make(out.ptr, out.len - 1));
	buf_clear(&out);
	free(bytes);
}

Test(msgpack, strings_and_binary_have_the_shortest_heads)
{
	check_length(true, 0, "\xa0", 1);
	check_length(true, 31, "\xbf", 1);
	check_length(true, 32, "\xd9\x20", 2);
	check_length(true, 255, "\xd9\xff", 2);
	check_length(true, 256, "\xda\x01\x00", 3);
	check_length(true, 65535, "\xda\xff\xff", 3);
	check_length(true, 65536, "\xdb\x00\x01\x00\x00", 5);
	check_length(false, 0, "\xc4\x00", 2);
	check_length(false, 255, "\xc4\xff", 2);
	check_length(false, 256, "\xc5\x01\x00", 3);
	check_length(false, 65535, "\xc5\xff\xff", 3);
	check_length(false, 65536, "\xc6\x00\x01\x00\x00", 5);
}

Test(msgpack, reads_extensions)
{
	static const struct {
		struct slice bytes;
		size_t len;
	} cases[] = {
		{ { "\xd4\xff"
		    "1",
		    3 },
		  1 },
		{ { "\xd5\xff"
		    "12",
		    4 },
		  2 },
		{ { "\xd6\xff"
		    "1234",
		    6 },
		  4 },
		{ { "\xd7\xff"
		    "12345678",
		    10 },
		  8 },
		{ { "\xd8\xff"
		    "1234567890123456",
		    18 },
		  16 },
		{ { "\xc7\x00\xff", 3 }, 0 },
		{ { "\xc7\x03\xff"
		    "123",
		    6 },
		  3 },
		{ { "\xc8\x00\x01\xff"
		    "1",
		    5 },
		  1 },
		{ { "\xc9\x00\x00\x00\x01\xff"
		    "1",
		    7 },
		  1 },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct msgpack_token token = read_whole(cases[i].bytes);

		cr_assert_eq(token.type, MSGPACK_EXT);
		cr_assert_eq(token.ext, -1);
		cr_assert_eq(token.bytes.len, cases[i].len);
		for (size_t len = 1; len < cases[i].bytes.len; len++)
			expect_refused(slice_make(cases[i].bytes.ptr, len));
	}
	cr_assert_eq(read_whole(SLICE("\xd4\x7f!")).ext, 127);
}

Test(msgpack, strings_are_utf8)
{
	cr_assert_eq(read_whole(SLICE("\xa7\xc3\xbc\"\\\x01\n\x7f")).bytes.len, 7);
	cr_assert_eq(read_whole(SLICE("\xa4\xf0\x9f\x98\x80")).bytes.len, 4);
	cr_assert_eq(read_whole(slice_make("\xa1\x00", 2)).bytes.len, 1);
	expect_refused(SLICE("\xa1\xff"));
	expect_refused(SLICE("\xa1\xc3"));
	expect_refused(SLICE("\xa2\xc0\x80"));
	expect_refused(SLICE("\xa3\xed\xa0\x80"));
	expect_refused(SLICE("\xd9\x02"
			     "a\x80"));
	/* The sequence goes on, but the string does not. */
	expect_refused(SLICE("\xa1\xc3\xbc"));
}

Test(msgpack, writes_what_is_not_utf8_as_replacements)
{
	msgpack_write_str(&out, SLICE("a\xff\xc3\xbc\xe2\x82"));
	expect_out(SLICE("\xac"
			 "a\xef\xbf\xbd\xc3\xbc\xef\xbf\xbd\xef\xbf\xbd"));
}

/* ---- arrays, maps, depth */

Test(msgpack, containers_have_the_shortest_heads)
{
	msgpack_write_array(&out, 0);
	msgpack_write_array(&out, 15);
	msgpack_write_array(&out, 16);
	msgpack_write_array(&out, 65535);
	msgpack_write_array(&out, 65536);
	expect_out(
		slice_make("\x90\x9f\xdc\x00\x10\xdc\xff\xff\xdd\x00\x01\x00\x00", 13));
	msgpack_write_map(&out, 0);
	msgpack_write_map(&out, 15);
	msgpack_write_map(&out, 16);
	msgpack_write_map(&out, 65535);
	msgpack_write_map(&out, 65536);
	expect_out(
		slice_make("\x80\x8f\xde\x00\x10\xde\xff\xff\xdf\x00\x01\x00\x00", 13));
}

Test(msgpack, reads_the_heads_of_containers)
{
	static const struct slice arrays[] = {
		{ "\x91\x01", 2 },
		{ "\xdc\x00\x01\x01", 4 },
		{ "\xdd\x00\x00\x00\x01\x01", 6 },
	};
	static const struct slice maps[] = {
		{ "\x81\x01\x02", 3 },
		{ "\xde\x00\x01\x01\x02", 5 },
		{ "\xdf\x00\x00\x00\x01\x01\x02", 7 },
	};

	for (size_t i = 0; i < 3; i++) {
		struct msgpack_token token;
		size_t used;

		cr_assert_eq(read_one(arrays[i], &token, &used), OK);
		cr_assert(token.type == MSGPACK_ARRAY && token.count == 1);
		cr_assert_eq(used, arrays[i].len - 1);
		expect_refused(slice_make(arrays[i].ptr, arrays[i].len - 1));
		cr_assert_eq(read_one(maps[i], &token, &used), OK);
		cr_assert(token.type == MSGPACK_MAP && token.count == 1);
		cr_assert_eq(used, maps[i].len - 2);
		expect_refused(slice_make(maps[i].ptr, maps[i].len - 1));
	}
}

static enum err skip(struct slice bytes, size_t depth_max, size_t *len)
{
	struct msgpack_cursor cursor = msgpack_cursor(bytes);
	struct slice raw = SLICE_NONE;
	enum err rc = msgpack_skip(&cursor, depth_max, &raw);

	*len = raw.len;
	return rc;
}

Test(msgpack, lengths_that_lie_are_refused)
{
	static const char *const heads[] = {
		"\xc6\xff\xff\xff\xff", "\xc9\xff\xff\xff\xff", "\xdb\xff\xff\xff\xff",
		"\xdd\xff\xff\xff\xff", "\xdf\xff\xff\xff\xff", "\xdf\x80\x00\x00\x01",
	};
	char bytes[16];

	for (size_t i = 0; i < sizeof(heads) / sizeof(heads[0]); i++) {
		size_t len;

		memset(bytes, 0x01, sizeof(bytes));
		memcpy(bytes, heads[i], 5);
		expect_refused(slice_make(bytes, 5));
		expect_refused(slice_make(bytes, sizeof(bytes)));
		cr_assert_eq(skip(slice_make(bytes, sizeof(bytes)), 1, &len),
			     ERR_MALFORMED);
	}
}

Test(msgpack, skips_whole_values)
{
	static const struct slice values[] = {
		{ "\x01", 1 },
		{ "\x90", 1 },
		{ "\x80", 1 },
		{ "\x93\x01\x92\x02\x90\x03", 6 },
		{ "\x82\xa1"
		  "a\x81\x01\x91\x02\x80\xc0",
		  9 },
		{ "\x92\x90\x90", 3 },
		{ "\x91\xd4\x05!", 4 },
	};
	char more[16];
	size_t len;

	for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
		memset(more, '\x01', sizeof(more));
		memcpy(more, values[i].ptr, values[i].len);
		cr_assert_eq(skip(slice_make(more, sizeof(more)), 4, &len), OK);
		cr_assert_eq(len, values[i].len);
		for (size_t cut = 0; cut < values[i].len; cut++)
			cr_assert_eq(skip(slice_make(more, cut), 4, &len), ERR_MALFORMED);
	}
}

Test(msgpack, nests_to_the_limit_and_no_deeper)
{
	char bytes[MSGPACK_DEPTH_MAX + 1];
	size_t len;

	memset(bytes, '\x91', sizeof(bytes));
	bytes[MSGPACK_DEPTH_MAX] = '\x01';
	cr_assert_eq(skip(slice_make(bytes, sizeof(bytes)), MSGPACK_DEPTH_MAX, &len), OK);
	cr_assert_eq(len, sizeof(bytes));
	cr_assert_eq(skip(slice_make(bytes, sizeof(bytes)), MSGPACK_DEPTH_MAX - 1, &len),
		     ERR_LIMIT);
	bytes[MSGPACK_DEPTH_MAX] = '\x90';
	cr_assert_eq(skip(slice_make(bytes, sizeof(bytes)), MSGPACK_DEPTH_MAX, &len),
		     ERR_LIMIT);
	cr_assert_eq(skip(SLICE("\x80"), 0, &len), ERR_LIMIT);
	cr_assert_eq(skip(SLICE("\xc0"), 0, &len), OK);
}

/* ---- luck */

static uint64_t seed;

static uint64_t roll(uint64_t n)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return (seed >> 11) % n;
}

static void take_seed(void)
{
	const char *text = getenv("SEED");

	seed = text ? strtoull(text, NULL, 0) : 0x5eed;
	(void)fprintf(stderr, "SEED=%#llx\n", (unsigned long long)seed);
}

Test(msgpack, random_integers_come_back)
{
	take_seed();
	for (int i = 0; i < ROUNDS; i++) {
		const int64_t integer =
			(int64_t)((roll(UINT64_C(1) << 53) << 11 ^ roll(1 << 11)) >>
				  roll(64)) *
			(roll(2) ? 1 : -1);
		struct msgpack_token token;

		buf_clear(&out);
		msgpack_write_int(&out, integer);
		token = read_whole(buf_slice(&out));
		cr_assert_eq(token.integer, integer);
	}
}

/* Whatever the bytes: an answer, within them. */
Test(msgpack, random_bytes_are_read_or_refused)
{
	take_seed();
	for (int i = 0; i < ROUNDS; i++) {
		const size_t n = 1 + roll(RANDOM_BYTES_MAX);
		char *exact = malloc(n);
		struct slice raw = SLICE_NONE;
		struct msgpack_cursor cursor;
		enum err rc;

		/* More heads than anything else. */
		for (size_t j = 0; j < n; j++)
			exact[j] = (char)(roll(3) ? 0x80 + roll(0x60) : roll(256));
		cursor = msgpack_cursor(slice_make(exact, n));
		rc = msgpack_skip(&cursor, MSGPACK_DEPTH_MAX, &raw);
		cr_assert(rc == OK || rc == ERR_MALFORMED || rc == ERR_LIMIT);
		cr_assert(cursor.at <= cursor.end);
		cr_assert(rc != OK || (raw.ptr == exact && raw.len <= n && raw.len > 0));
		free(exact);
	}
}
