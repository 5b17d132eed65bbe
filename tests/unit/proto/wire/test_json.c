/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The JSON scanner against vectors by hand: what it accepts and refuses, where it stops.
 * Its oracle is test_json_oracle.c.
 */
#include "proto/wire/json.h"

#include <criterion/criterion.h>
#include <stdlib.h>

#include "proto/base/text.h"

static struct arena arena;
static struct buf out;

static void setup(void)
{
	arena_init(&arena);
	buf_init(&out);
}

static void teardown(void)
{
	arena_fini(&arena);
	buf_fini(&out);
}

TestSuite(json, .init = setup, .fini = teardown);

static struct json_cursor cursor_at(struct slice text)
{
	return (struct json_cursor){ text.ptr, text.ptr + text.len,
				     JSON_CURSOR_DEPTH_MAX };
}

/* The whole text is one value. */
static enum err check(struct slice text)
{
	struct json_cursor cursor = cursor_at(text);
	struct slice raw;
	enum err rc = json_skip(&cursor, &raw);

	if (rc != OK)
		return rc;
	return json_is_done(&cursor) ? OK : ERR_MALFORMED;
}

/* In memory of exactly its size, so that a read past the end is seen. */
static enum err check_exact(struct slice text)
{
	char *copy = malloc(text.len + (text.len == 0));
	enum err rc;

	memcpy(copy, text.ptr, text.len);
	rc = check(slice_make(copy, text.len));
	free(copy);
	return rc;
}

/* Vectors stand one behind the other, '|' between them. */
static const char accepted[] =
	"null|true|false|0|-0|1|-1|10|123|0.0|-0.0|0.5|1.25|-1.25|1e5|1E5|1e+5|1e-5|"
	"1E+05|1.5e300|0e0|0e+1|-0e-1|1e999|9223372036854775807|9223372036854775808|"
	"100000000000000000000000000|0.00000000000000000000000000000000000001|\"\"|"
	"\"a\"|\" \"|\"plain text of more than sixteen bytes\"|\"\\\"\"|\"\\\\\"|"
	"\"\\/\"|\"\\b\\f\\n\\r\\t\"|\"\\u0000\"|\"\\u0041\"|\"\\u00e9\"|\"\\uABCD\"|"
	"\"\\uabcd\"|\"\\uD834\\uDD1E\"|\"\\ud800\\udc00\"|\"\\udbff\\udfff\"|"
	"\"\\uFFFF\"|\"\\\\u12\"|\"\\\\\\\"\"|\"/\"|\"\x7f\"|\"\xc2\x80\"|"
	"\"\xdf\xbf\"|\"\xe0\xa0\x80\"|\"\xed\x9f\xbf\"|\"\xee\x80\x80\"|"
	"\"\xef\xbf\xbf\"|\"\xf0\x90\x80\x80\"|\"\xf4\x8f\xbf\xbf\"|\"\xe2\x80\xa8\"|"
	"\"0123456789abcde\xc3\xa9\"|[]|[ ]|[\n]|{}|{ }|{\t\r\n }|[1]|[1,2]|"
	" [ 1 , 2 ] |[[]]|[[],[]]|[{}]|[null,true,false]|[\"a\",1,-1.5e3]|{\"a\":1}|"
	"{\"\":0}|{ \"a\" : 1 , \"b\" : 2 }|{\"a\":1,\"a\":2}|"
	"{\"a\":{\"b\":[{\"c\":[]}]}}|{\"\\u0061\":1}|{\"\\u0000\":1}|"
	"{\"a\":[],\"b\":{},\"c\":\"\"}|\n\r\t 1\n\r\t |[[[[[[[[]]]]]]]]|"
	"{\"\xc3\xa9\":\"\xc3\xa9\"}|[0,0.1,0e1]|[-0,-0]|[\"]\"]|{\"}\":\"}\"}|"
	"[1\n,2]|\"a\\u0000b\"|[\"\\\"\",\"\\\\\"]";

static const char rejected[] =
	"| |\n|\0|1\0|nul|nulL|NULL|True|tru|truee|falsy|fals|n|t|f|undefined|NaN|"
	"Infinity|-Infinity|-|+1|--1|01|-01|00|1.|.5|-.5|1.e5|1e|1e+|1E-|1e1.5|1.2.3|"
	"1 2|1,|0x10|1a|1_000|0b1|1e5e5|- 1|\xef\xbc\x91|\"|\"a|\"a\\|\"\\\"|"
	"\"\\x41\"|\"\\a\"|\"\\'\"|\"\\0\"|\"\\U0041\"|\"\\u\"|\"\\u1\"|\"\\u12\"|"
	"\"\\u123\"|\"\\u123|\"\\u123g\"|\"\\u-123\"|\"\\u 123\"|\"\\ud800\"|"
	"\"\\udc00\"|\"\\ud800\\n\"|\"\\ud800\\ud800\"|\"\\ud800\\u0041\"|"
	"\"\\udc00\\ud800\"|\"\\ud800\\udc0\"|\"\\ud800u dc00\"|\"\\ud800\\\"|\"\n\"|"
	"\"\t\"|\"\r\"|\"\0\"|\"\x1f\"|\"\x01\"|\"\x80\"|\"\xbf\"|\"\xc0\x80\"|"
	"\"\xc1\xbf\"|\"\xc2\"|\"\xc2|\"\xc2\x41\"|\"\xc2\xc2\"|\"\xe0\x9f\xbf\"|"
	"\"\xe0\xa0\"|\"\xe0\xa0|\"\xe1\x41\x80\"|\"\xed\xa0\x80\"|\"\xed\xbf\xbf\"|"
	"\"\xf0\x8f\xbf\xbf\"|\"\xf0\x90\x80\"|\"\xf4\x90\x80\x80\"|"
	"\"\xf5\x80\x80\x80\"|\"\xf8\x88\x80\x80\x80\"|\"\xfe\"|\"\xff\"|'a'|a|[|]|"
	"[1|[1,|[,]|[,1]|[1,]|[1,,2]|[1 2]|[1:2]|[}|[1}|[1]]|[[1]|[]x|[] []|{|}|{]|"
	"{\"a\"}|{\"a\":}|{\"a\" 1}|{\"a\":1|{\"a\":1,|{\"a\":1,}|{,}|{,\"a\":1}|"
	"{\"a\":1,,\"b\":2}|{\"a\":1 \"b\":2}|{a:1}|{1:1}|{null:1}|{\"a\"::1}|"
	"{\"a\":1:2}|{\"a\":1]|{\"a\",1}|{\"a\\\":1}|{\"\\ud800\":1}|{[]:1}|{}{}|"
	"[1]//|/**/1|1#|\xef\xbb\xbf[]|[\v1]|[\f1]|[\xc2\xa0]|\x1e|{}\x1e|[\"a\nb\"]|"
	"[\"\x1e\"]|[*]|{\"a\":\"a\x80\"}|[1,\0]|\"0123456789abcdef\n\"|"
	"\"0123456\n\"|\"0123456789abcdef0123456789\xff\"";

/* Every vector must give OK, or every one ERR_MALFORMED. Returns how many there are. */
static size_t check_vectors(struct slice vectors, enum err rc)
{
	size_t n = 0;

	while (vectors.ptr) {
		struct slice vector = slice_cut(&vectors, '|');

		cr_expect_eq(check_exact(vector), rc, "%zu: %.*s", n, SLICE_FMT(vector));
		n++;
	}
	return n;
}

Test(json, accepts_every_good_vector)
{
	cr_assert_eq(check_vectors(SLICE(accepted), OK), 91);
}

Test(json, rejects_every_bad_vector)
{
	cr_assert_eq(check_vectors(SLICE(rejected), ERR_MALFORMED), 156);
}

Test(json, rejects_every_prefix_of_a_good_text)
{
	struct slice text =
		SLICE("{\"k\":[\"\\u00e9\xc3\xa9 \\ud83d\\ude00\",{\"a\":-1.5e-7}],"
		      "\"l\":[true,false,null,\"a string longer than a block\"]}");

	for (size_t len = 0; len < text.len; len++)
		cr_assert_eq(check_exact(slice_make(text.ptr, len)), ERR_MALFORMED);
	cr_assert_eq(check_exact(text), OK);
}

/* Every place of a stop in a block and at every distance from the end. */
Test(json, finds_the_end_of_a_plain_run_at_every_offset)
{
	static const char stops[] = { '"', '\\', '\n', '\x1f', '\0', '\x80', '\xff' };
	char text[40];

	for (size_t len = 1; len <= sizeof(text); len++) {
		for (size_t at = 0; at < len; at++) {
			memset(text, '~', sizeof(text));
			text[at] = stops[(len + at) % sizeof(stops)];
			cr_assert_eq(text_plain_end(text, text + len), text + at);
		}
	}
	memset(text, '\x7f', sizeof(text));
	cr_assert_eq(text_plain_end(text, text + sizeof(text)), text + sizeof(text));
}

/* ---- depth */

static enum err check_depth(int depth, int depth_max, char bracket)
{
	char text[400];
	size_t n = 0;
	struct json_cursor cursor;
	struct slice raw;

	for (int i = 0; i < depth; i++) {
		memcpy(text + n, bracket == '{' ? "{\"\":" : "[", bracket == '{' ? 4 : 1);
		n += bracket == '{' ? 4 : 1;
	}
	text[n++] = '1';
	for (int i = 0; i < depth; i++)
		text[n++] = bracket == '{' ? '}' : ']';
	cursor = (struct json_cursor){ text, text + n, depth_max };
	return json_skip(&cursor, &raw);
}

Test(json, skips_as_deep_as_allowed_and_no_deeper)
{
	cr_assert_eq(check_depth(64, 64, '['), OK);
	cr_assert_eq(check_depth(65, 64, '['), ERR_LIMIT);
	cr_assert_eq(check_depth(64, 64, '{'), OK);
	cr_assert_eq(check_depth(65, 64, '{'), ERR_LIMIT);
	cr_assert_eq(check_depth(0, 0, '['), OK);
	cr_assert_eq(check_depth(1, 0, '['), ERR_LIMIT);
}

Test(json, open_takes_a_level_and_the_end_gives_it_back)
{
	struct slice text = SLICE("[[]]");
	struct json_cursor cursor = { text.ptr, text.ptr + text.len, 1 };
	struct slice raw;
	bool is_first = true;
	bool more = false;

	cr_assert_eq(json_open(&cursor, '['), OK);
	cr_assert_eq(json_next_element(&cursor, &is_first, &more), OK);
	cr_assert_eq(json_open(&cursor, '['), ERR_LIMIT);
	cr_assert_eq(json_skip(&cursor, &raw), ERR_LIMIT);
	cursor.depth_max++;
	cr_assert_eq(json_skip(&cursor, &raw), OK);
	cr_assert_eq(json_next_element(&cursor, &is_first, &more), OK);
	cr_assert_not(more);
	cr_assert_eq(cursor.depth_max, 2);
}

/* ---- reading */

Test(json, skip_gives_the_exact_text)
{
	struct json_cursor cursor = cursor_at(SLICE("  [ 1 , {} ]  ,"));
	struct slice raw;

	cr_assert_eq(json_skip(&cursor, &raw), OK);
	cr_assert(slice_equal(raw, SLICE("[ 1 , {} ]")));
	cr_assert_eq(json_peek(&cursor), ',');
}

Test(json, peek_is_nul_at_the_end)
{
	struct json_cursor cursor = cursor_at(SLICE(" \t"));

	cr_assert_eq(json_peek(&cursor), '\0');
	cr_assert(json_is_done(&cursor));
}

static void expect_text(struct slice json, struct slice text)
{
	struct json_cursor cursor = cursor_at(json);
	struct slice found;

	cr_assert_eq(json_text(&cursor, &arena, &found), OK);
	cr_assert(slice_equal(found, text), "%.*s", SLICE_FMT(json));
	cr_assert(json_is_done(&cursor));
}

Test(json, text_decodes_every_escape)
{
	expect_text(SLICE(" \"\" "), SLICE(""));
	expect_text(SLICE("\"abc\""), SLICE("abc"));
	expect_text(SLICE("\"\\\"\\\\\\/\\b\\f\\n\\r\\t\""), SLICE("\"\\/\b\f\n\r\t"));
	expect_text(SLICE("\"\\u0000x\\u0041\""), SLICE("\0xA"));
	expect_text(SLICE("\"\\u007f\\u0080\\u07ff\""), SLICE("\x7f\xc2\x80\xdf\xbf"));
	expect_text(SLICE("\"\\u0800\\ud7ff\\uffff\""),
		    SLICE("\xe0\xa0\x80\xed\x9f\xbf\xef\xbf\xbf"));
	expect_text(SLICE("\"\\ud83d\\ude00\""), SLICE("\xf0\x9f\x98\x80"));
	expect_text(SLICE("\"\\ud800\\udc00\\udbff\\udfff\""),
		    SLICE("\xf0\x90\x80\x80\xf4\x8f\xbf\xbf"));
	expect_text(SLICE("\"a\\nb\\\\n\""), SLICE("a\nb\\n"));
}

Test(json, text_without_escapes_borrows_the_input)
{
	struct slice json = SLICE("\"gr\xc3\xbc\xc3\x9f"
				  "e\"");
	struct json_cursor cursor = cursor_at(json);
	struct slice text;

	cr_assert_eq(json_text(&cursor, &arena, &text), OK);
	cr_assert_eq(text.ptr, json.ptr + 1);
	cr_assert_eq(arena.used, 0);
}

Test(json, text_refuses_what_is_no_string)
{
	struct slice vectors = SLICE("|1|null|[\"a\"]|\"a");

	while (vectors.ptr) {
		struct slice vector = slice_cut(&vectors, '|');
		struct json_cursor cursor = cursor_at(vector);
		struct slice text;

		cr_assert_eq(json_text(&cursor, &arena, &text), ERR_MALFORMED);
	}
}

Test(json, walks_members_in_order)
{
	struct json_cursor cursor =
		cursor_at(SLICE(" { \"a\" : 1 , \"\\u0062\" : [2] } "));
	struct slice key;
	struct slice raw;
	bool is_first = true;
	bool more = false;

	cr_assert_eq(json_open(&cursor, '{'), OK);
	cr_assert_eq(json_next_member(&cursor, &arena, &is_first, &key, &more), OK);
	cr_assert(more && slice_equal(key, SLICE("a")));
	cr_assert_eq(json_skip(&cursor, &raw), OK);
	cr_assert_eq(json_next_member(&cursor, &arena, &is_first, &key, &more), OK);
	cr_assert(more && slice_equal(key, SLICE("b")));
	cr_assert_eq(json_skip(&cursor, &raw), OK);
	cr_assert(slice_equal(raw, SLICE("[2]")));
	cr_assert_eq(json_next_member(&cursor, &arena, &is_first, &key, &more), OK);
	cr_assert_not(more);
	cr_assert(json_is_done(&cursor));
}

/* The cursor functions must refuse what json_skip() refuses. */
static enum err walk(struct slice text, char bracket)
{
	struct json_cursor cursor = cursor_at(text);
	struct slice ignored;
	bool is_first = true;
	bool more = true;
	enum err rc = json_open(&cursor, bracket);

	while (rc == OK) {
		rc = bracket == '[' ? json_next_element(&cursor, &is_first, &more)
				    : json_next_member(&cursor, &arena, &is_first,
						       &ignored, &more);
		if (rc == OK && !more)
			return json_is_done(&cursor) ? OK : ERR_MALFORMED;
		if (rc == OK)
			rc = json_skip(&cursor, &ignored);
	}
	return rc;
}

Test(json, walking_and_skipping_agree_on_all_vectors)
{
	struct slice vectors = SLICE(rejected);

	while (vectors.ptr) {
		struct slice vector = slice_cut(&vectors, '|');

		cr_assert_neq(walk(vector, '['), OK, "%.*s", SLICE_FMT(vector));
		cr_assert_neq(walk(vector, '{'), OK, "%.*s", SLICE_FMT(vector));
	}
	vectors = SLICE(accepted);
	while (vectors.ptr) {
		struct slice vector = slice_cut(&vectors, '|');
		struct json_cursor cursor = cursor_at(vector);
		char first = json_peek(&cursor);

		if (first == '[' || first == '{')
			cr_assert_eq(walk(vector, first), OK, "%.*s", SLICE_FMT(vector));
	}
}

Test(json, reads_back_every_byte_it_writes)
{
	char text[128];

	for (size_t i = 0; i < sizeof(text); i++)
		text[i] = (char)i;
	json_write_string(&out, slice_make(text, sizeof(text)));
	expect_text(buf_slice(&out), slice_make(text, sizeof(text)));
}
