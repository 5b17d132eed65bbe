/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Values: making, reading, JSON in both directions, and the limits.
 */
#include "proto/wire/value.h"

#include <criterion/criterion.h>
#include <jansson.h>
#include <math.h>
#include <stdlib.h>

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

TestSuite(value, .init = setup, .fini = teardown);

static struct value *decode(struct slice text)
{
	struct value *value = NULL;

	cr_assert_eq(value_decode_json(text, &arena, &value), OK, "%.*s",
		     SLICE_FMT(text));
	return value;
}

static enum err decode_error(struct slice text)
{
	struct value *value;

	return value_decode_json(text, &arena, &value);
}

static void expect_json(const struct value *value, const char *text)
{
	buf_clear(&out);
	value_encode_json(&out, value);
	cr_assert(slice_equal(buf_slice(&out), slice_from_str(text)), "%.*s",
		  SLICE_FMT(buf_slice(&out)));
}

/* ---- making and reading */

Test(value, makes_what_it_says)
{
	cr_assert_eq(value_nil(&arena)->type, VALUE_NIL);
	cr_assert(value_bool(&arena, true)->boolean);
	cr_assert_eq(value_int(&arena, INT64_MIN)->integer, INT64_MIN);
	cr_assert_eq(value_double(&arena, 0.5)->real, 0.5);
	cr_assert(slice_equal(value_string(&arena, SLICE("a"))->bytes, SLICE("a")));
	cr_assert_eq(value_binary(&arena, SLICE_NONE)->type, VALUE_BINARY);
	cr_assert_eq(value_raw(&arena, SLICE("[]"))->type, VALUE_RAW);
}

Test(value, array_keeps_order)
{
	struct value *array = value_array(&arena);

	for (int64_t i = 0; i < 3; i++)
		value_add(array, value_int(&arena, i));
	cr_assert_eq(array->count, 3);
	cr_assert_eq(value_at(array, 0)->integer, 0);
	cr_assert_eq(value_at(array, 2)->integer, 2);
	cr_assert_null(value_at(array, 3));
}

Test(value, map_finds_the_last_of_equal_keys)
{
	struct value *map = value_map(&arena);

	value_set(map, SLICE("a"), value_int(&arena, 1));
	value_set(map, SLICE("b"), value_int(&arena, 2));
	value_set(map, SLICE("a"), value_int(&arena, 3));
	cr_assert_eq(value_find(map, SLICE("a"))->integer, 3);
	cr_assert_eq(value_find(map, SLICE("b"))->integer, 2);
	cr_assert_null(value_find(map, SLICE("A")));
	cr_assert_eq(map->count, 3);
}

Test(value, reading_the_wrong_kind_is_null)
{
	struct value *one = value_int(&arena, 1);

	cr_assert_null(value_at(one, 0));
	cr_assert_null(value_at(NULL, 0));
	cr_assert_null(value_at(value_map(&arena), 0));
	cr_assert_null(value_find(one, SLICE("a")));
	cr_assert_null(value_find(NULL, SLICE("a")));
	cr_assert_null(value_find(value_array(&arena), SLICE("a")));
}

/* ---- decoding */

Test(value, decodes_every_kind)
{
	struct value *value =
		decode(SLICE(" [null,true,false,-7,1.5,\"a\\u0000\\n\",[],{}] "));

	cr_assert_eq(value->type, VALUE_ARRAY);
	cr_assert_eq(value->count, 8);
	cr_assert_eq(value_at(value, 0)->type, VALUE_NIL);
	cr_assert(value_at(value, 1)->boolean);
	cr_assert_not(value_at(value, 2)->boolean);
	cr_assert_eq(value_at(value, 3)->integer, -7);
	cr_assert_eq(value_at(value, 4)->real, 1.5);
	cr_assert(slice_equal(value_at(value, 5)->bytes, SLICE("a\0\n")));
	cr_assert_eq(value_at(value, 6)->count, 0);
	cr_assert_eq(value_at(value, 7)->type, VALUE_MAP);
}

Test(value, decodes_scalars_alone)
{
	cr_assert_eq(decode(SLICE("0"))->integer, 0);
	cr_assert_eq(decode(SLICE("\"\""))->bytes.len, 0);
	cr_assert_eq(decode(SLICE(" null "))->type, VALUE_NIL);
}

Test(value, decodes_maps_in_order_with_the_last_of_equal_keys)
{
	struct value *value = decode(SLICE("{\"z\":1,\"a\":{\"b\":2},\"z\":3}"));

	cr_assert_eq(value->count, 2);
	cr_assert(slice_equal(value->first->key, SLICE("z")));
	cr_assert_eq(value_find(value, SLICE("z"))->integer, 3);
	cr_assert_eq(value_find(value_find(value, SLICE("a")), SLICE("b"))->integer, 2);
}

Test(value, integers_beyond_int64_become_doubles)
{
	struct value *value =
		decode(SLICE("[9223372036854775807,-9223372036854775808,"
			     "9223372036854775808,-9223372036854775809,"
			     "{\"12345678901234567890\":12345678901234567890},"
			     "\"99999999999999999999\",12345678901234567890.5]"));

	cr_assert_eq(value_at(value, 0)->integer, INT64_MAX);
	cr_assert_eq(value_at(value, 1)->integer, INT64_MIN);
	cr_assert_eq(value_at(value, 2)->real, 9223372036854775808.0);
	cr_assert_eq(value_at(value, 3)->real, -9223372036854775808.0);
	cr_assert_eq(value_find(value_at(value, 4), SLICE("12345678901234567890"))->real,
		     12345678901234567890.0);
	cr_assert_eq(value_at(value, 5)->type, VALUE_STRING);
	cr_assert_eq(value_at(value, 6)->type, VALUE_DOUBLE);
	cr_assert_eq(decode(SLICE("18446744073709551616"))->real, 18446744073709551616.0);
}

Test(value, refuses_malformed_text)
{
	cr_assert_eq(decode_error(SLICE_NONE), ERR_MALFORMED);
	cr_assert_eq(decode_error(SLICE("[1] 2")), ERR_MALFORMED);
	cr_assert_eq(decode_error(SLICE("[1")), ERR_MALFORMED);
	cr_assert_eq(decode_error(SLICE("\"\\ud800\"")), ERR_MALFORMED);
	cr_assert_eq(decode_error(SLICE("{\"\\u0000\":1}")), ERR_MALFORMED);
}

Test(value, refuses_numbers_beyond_double)
{
	char text[401];

	memset(text, '9', sizeof(text));
	cr_assert_eq(decode_error(SLICE("1e999")), ERR_LIMIT);
	cr_assert_eq(decode_error(SLICE("[-1e999]")), ERR_LIMIT);
	cr_assert_eq(decode_error(slice_make(text, sizeof(text))), ERR_LIMIT);
}

Test(value, nests_to_the_limit_and_no_deeper)
{
	char text[2 * (VALUE_DEPTH_MAX + 1)];
	size_t n = VALUE_DEPTH_MAX;

	memset(text, '[', n);
	memset(text + n, ']', n);
	value_encode_json(&out, decode(slice_make(text, 2 * n)));
	cr_assert(slice_equal(buf_slice(&out), slice_make(text, 2 * n)));
	n++;
	memset(text, '[', n);
	memset(text + n, ']', n);
	cr_assert_eq(decode_error(slice_make(text, 2 * n)), ERR_LIMIT);
}

/* An array of `n` ones is n + 1 values. */
static struct slice ones(size_t n)
{
	buf_clear(&out);
	buf_append_byte(&out, '[');
	for (size_t i = 0; i < n; i++)
		buf_append_str(&out, i > 0 ? ",1" : "1");
	buf_append_byte(&out, ']');
	return buf_slice(&out);
}

Test(value, counts_values_to_the_limit_and_no_further)
{
	cr_assert_eq(decode(ones(VALUE_NODES_MAX - 1))->count, VALUE_NODES_MAX - 1);
	cr_assert_eq(decode_error(ones(VALUE_NODES_MAX)), ERR_LIMIT);
}

Test(value, counts_members_once_and_literals_once)
{
	buf_append_str(&out, "{\"true:[{\":[true,false,null,{}]");
	for (size_t i = 6; i < VALUE_NODES_MAX; i++)
		buf_appendf(&out, ",\"k%zu\":-0.5e1", i);
	buf_append_byte(&out, '}');
	cr_assert_eq(decode(buf_slice(&out))->count, VALUE_NODES_MAX - 5);
	out.len--;
	buf_append_str(&out, ",\"x\":\"\"}");
	cr_assert_eq(decode_error(buf_slice(&out)), ERR_LIMIT);
}

/* ---- encoding */

Test(value, encodes_every_kind)
{
	struct value *map = value_map(&arena);
	struct value *array = value_array(&arena);

	value_add(array, value_nil(&arena));
	value_add(array, value_bool(&arena, true));
	value_add(array, value_bool(&arena, false));
	value_add(array, value_map(&arena));
	value_set(map, SLICE("a\""), array);
	value_set(map, SLICE("i"), value_int(&arena, INT64_MIN));
	value_set(map, SLICE("s"), value_string(&arena, SLICE("\n")));
	value_set(map, SLICE("b"), value_binary(&arena, SLICE("\0\xff")));
	value_set(map, SLICE("r"), value_raw(&arena, SLICE("{\"x\": 1}")));
	value_set(map, SLICE(""), value_array(&arena));
	expect_json(map, "{\"a\\\"\":[null,true,false,{}],\"i\":-9223372036854775808,"
			 "\"s\":\"\\n\",\"b\":\"AP8=\",\"r\":{\"x\": 1},\"\":[]}");
	expect_json(array, "[null,true,false,{}]");
}

Test(value, encodes_doubles_shortly_and_exactly)
{
	expect_json(value_double(&arena, 0.1), "0.1");
	expect_json(value_double(&arena, 3.0), "3");
	expect_json(value_double(&arena, -1e300), "-1e+300");
	expect_json(value_double(&arena, 1.0 / 3), "0.3333333333333333");
	expect_json(value_double(&arena, 5e-324), "4.94065645841247e-324");
	expect_json(value_double(&arena, 1.7976931348623157e308),
		    "1.7976931348623157e+308");
	expect_json(value_double(&arena, (double)NAN), "null");
	expect_json(value_double(&arena, (double)INFINITY), "null");
}

Test(value, encodes_deeper_than_it_decodes)
{
	struct value *value = value_nil(&arena);

	for (int i = 0; i < 2 * VALUE_DEPTH_MAX; i++) {
		struct value *array = value_array(&arena);

		value_add(array, value);
		value = array;
	}
	value_encode_json(&out, value);
	cr_assert_eq(out.len, 4 * VALUE_DEPTH_MAX + 4);
}

/* ---- there and back */

Test(value, what_it_encodes_is_what_jansson_read)
{
	static const char *const texts[] = {
		"[]",
		"{\"a\":[1,2,{\"b\":[[],{},[0]]}],\"c\":{\"d\":{\"e\":null}}}",
		"[1.5,-2.25e-10,123456789.123,1e22,0.1]",
		"[\"\\ud83d\\ude00\",\"\xc3\xa9\\u00e9\",\"\\\"\\b\\u001f\\u0000\"]",
		"{\"\":{\"\":{\"\":[true,false]}}}",
		"[9223372036854775807,-9223372036854775808]",
		"[[[1],[2]],[[3],[]],{\"k\":[{\"l\":1},{\"l\":2}]}]",
	};

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		json_t *before = json_loads(texts[i], JSON_ALLOW_NUL, NULL);
		json_t *after;

		buf_clear(&out);
		value_encode_json(&out, decode(slice_from_str(texts[i])));
		after = json_loadb(out.ptr, out.len, JSON_ALLOW_NUL, NULL);
		cr_assert(before && after && json_equal(before, after), "%s became %.*s",
			  texts[i], SLICE_FMT(buf_slice(&out)));
		json_decref(before);
		json_decref(after);
	}
}

Test(value, random_doubles_survive)
{
	uint64_t bits = 88172645463325252;

	for (int i = 0; i < 20000; i++) {
		double real;

		bits ^= bits << 13;
		bits ^= bits >> 7;
		bits ^= bits << 17;
		memcpy(&real, &bits, sizeof(real));
		if (!isfinite(real))
			continue;
		buf_clear(&out);
		value_encode_json(&out, value_double(&arena, real));
		buf_append_byte(&out, '\0');
		cr_assert_eq(strtod(out.ptr, NULL), real, "%s", out.ptr);
	}
}
