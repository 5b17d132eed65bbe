/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Values from and to MessagePack: every type, what JSON has no word for, the limits, and
 * random trees that come back as they were written. SEED in the environment chooses
 * other trees.
 */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>

#include "proto/wire/msgpack.h"
#include "proto/wire/value.h"

#define TREES 2000
#define NODES_MAX 40

/* Bytes of a literal; NULs count. */
#define B(literal) slice_make((literal), sizeof(literal) - 1)

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

TestSuite(value_msgpack, .init = setup, .fini = teardown);

static struct value *decode(struct slice bytes)
{
	struct value *value = NULL;

	cr_assert_eq(value_decode_msgpack(bytes, &arena, &value), OK);
	return value;
}

static void expect_error(struct slice bytes, enum err rc)
{
	struct value *value;

	cr_assert_eq(value_decode_msgpack(bytes, &arena, &value), rc, "%02x, %zu bytes",
		     bytes.len > 0 ? (unsigned char)bytes.ptr[0] : 0, bytes.len);
}

static void expect_json(struct slice bytes, const char *json)
{
	buf_clear(&out);
	value_encode_json(&out, decode(bytes));
	cr_assert(slice_equal(buf_slice(&out), slice_from_str(json)), "%.*s is not %s",
		  SLICE_FMT(buf_slice(&out)), json);
}

static void expect_bytes(const struct value *value, struct slice bytes)
{
	buf_clear(&out);
	value_encode_msgpack(&out, value);
	cr_assert(slice_equal(buf_slice(&out), bytes), "%zu bytes", out.len);
}

/* ---- decoding */

Test(value_msgpack, decodes_every_type)
{
	cr_assert_eq(decode(B("\xc0"))->type, VALUE_NIL);
	cr_assert(decode(B("\xc3"))->boolean);
	cr_assert_eq(decode(B("\xd3\x80\x00\x00\x00\x00\x00\x00\x00"))->integer,
		     INT64_MIN);
	cr_assert_eq(decode(B("\xcb\x3f\xe0\x00\x00\x00\x00\x00\x00"))->real, 0.5);
	cr_assert_eq(decode(B("\xca\x3f\x00\x00\x00"))->real, 0.5);
	cr_assert(slice_equal(decode(B("\xa2\xc3\xbc"))->bytes, SLICE("\xc3\xbc")));
	cr_assert_eq(decode(B("\xa0"))->type, VALUE_STRING);
	cr_assert_eq(decode(B("\xc4\x01\xff"))->type, VALUE_BINARY);
	expect_json(B("\x93\x01\x90\x82\xa1"
		      "a\x80\xa1"
		      "b\x91\xc2"),
		    "[1,[],{\"a\":{},\"b\":[false]}]");
}

Test(value_msgpack, an_integer_beyond_int64_is_a_double)
{
	struct value *value = decode(B("\xcf\x80\x00\x00\x00\x00\x00\x00\x00"));

	cr_assert_eq(value->type, VALUE_DOUBLE);
	cr_assert_eq(value->real, 9223372036854775808.0);
	value = decode(B("\xcf\x7f\xff\xff\xff\xff\xff\xff\xff"));
	cr_assert_eq(value->type, VALUE_INT);
	cr_assert_eq(value->integer, INT64_MAX);
}

Test(value_msgpack, what_is_decoded_outlives_the_bytes)
{
	char bytes[] = "\x81\xa1k\x92\xa1s\xc4\x01"
		       "b";
	struct value *value = decode(slice_make(bytes, sizeof(bytes) - 1));

	memset(bytes, 0, sizeof(bytes));
	cr_assert(slice_equal(value->first->key, SLICE("k")));
	cr_assert(slice_equal(value_at(value->first, 0)->bytes, SLICE("s")));
	cr_assert(slice_equal(value_at(value->first, 1)->bytes, SLICE("b")));
}

Test(value_msgpack, integer_keys_become_decimal_text)
{
	expect_json(B("\x84\x00\x01\xff\x02\xcd\x01\x00\x03"
		      "\xcf\xff\xff\xff\xff\xff\xff\xff\xff\x04"),
		    "{\"0\":1,\"-1\":2,\"256\":3,\"18446744073709551615\":4}");
}

Test(value_msgpack, refuses_other_keys)
{
	expect_error(B("\x81\xc0\x01"), ERR_MALFORMED);
	expect_error(B("\x81\xc3\x01"), ERR_MALFORMED);
	expect_error(B("\x81\xca\x3f\x00\x00\x00\x01"), ERR_MALFORMED);
	expect_error(B("\x81\xc4\x01"
		       "a\x01"),
		     ERR_MALFORMED);
	expect_error(B("\x81\x90\x01"), ERR_MALFORMED);
	expect_error(B("\x81\xd4\xff\x01\x01"), ERR_MALFORMED);
	expect_error(B("\x81\xa2"
		       "a\x00\x01"),
		     ERR_MALFORMED);
}

Test(value_msgpack, of_equal_keys_the_last_is_found)
{
	struct value *map = decode(B("\x82\xa1"
				     "a\x01\xa1"
				     "a\x02"));

	cr_assert_eq(value_find(map, SLICE("a"))->integer, 2);
}

Test(value_msgpack, timestamps_become_iso_8601)
{
	static const struct {
		struct slice bytes;
		const char *json;
	} cases[] = {
		{ { "\xd6\xff\x00\x00\x00\x00", 6 }, "\"1970-01-01T00:00:00Z\"" },
		{ { "\xd6\xff\xff\xff\xff\xff", 6 }, "\"2106-02-07T06:28:15Z\"" },
		{ { "\xd7\xff\x00\x00\x00\x04\x65\x53\xf1\x00", 10 },
		  "\"2023-11-14T22:13:20.000000001Z\"" },
		{ { "\xd7\xff\xee\x6b\x27\xfc\x00\x00\x00\x00", 10 },
		  "\"1970-01-01T00:00:00.999999999Z\"" },
		{ { "\xd7\xff\x77\x35\x94\x00\x00\x00\x00\x00", 10 },
		  "\"1970-01-01T00:00:00.5Z\"" },
		{ { "\xd7\xff\x00\x00\x00\x03\xff\xff\xff\xff", 10 },
		  "\"2514-05-30T01:53:03Z\"" },
		{ { "\xc7\x0c\xff\x00\x00\x00\x00\xff\xff\xff\xff\xff\xff\xff\xff", 15 },
		  "\"1969-12-31T23:59:59Z\"" },
		{ { "\xc7\x0c\xff\x00\x00\x00\x00\xff\xff\xff\xf1\x88\x6e\x09\x00", 15 },
		  "\"0001-01-01T00:00:00Z\"" },
		{ { "\xc7\x0c\xff\x3b\x9a\xc9\xff\x00\x00\x00\x3a\xff\xf4\x41\x7f", 15 },
		  "\"9999-12-31T23:59:59.999999999Z\"" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		cr_assert_eq(decode(cases[i].bytes)->type, VALUE_STRING);
		expect_json(cases[i].bytes, cases[i].json);
	}
}

Test(value_msgpack, refuses_timestamps_that_are_none)
{
	/* A whole second of nanoseconds; other lengths. */
	expect_error(B("\xd7\xff\xee\x6b\x28\x00\x00\x00\x00\x00"), ERR_MALFORMED);
	expect_error(B("\xc7\x0c\xff\x3b\x9a\xca\x00\x00\x00\x00\x00\x00\x00\x00\x00"),
		     ERR_MALFORMED);
	expect_error(B("\xd4\xff\x01"), ERR_MALFORMED);
	expect_error(B("\xc7\x00\xff"), ERR_MALFORMED);
	/* The seconds before year 1 and after year 9999. */
	expect_error(B("\xc7\x0c\xff\x00\x00\x00\x00\xff\xff\xff\xf1\x88\x6e\x08\xff"),
		     ERR_LIMIT);
	expect_error(B("\xc7\x0c\xff\x00\x00\x00\x00\x00\x00\x00\x3a\xff\xf4\x41\x80"),
		     ERR_LIMIT);
	expect_error(B("\xc7\x0c\xff\x00\x00\x00\x00\x80\x00\x00\x00\x00\x00\x00\x00"),
		     ERR_LIMIT);
}

Test(value_msgpack, refuses_other_extensions)
{
	expect_error(B("\xd6\x01\x00\x00\x00\x00"), ERR_MALFORMED);
	expect_error(B("\xd6\xfe\x00\x00\x00\x00"), ERR_MALFORMED);
	expect_error(B("\x91\xc7\x00\x05"), ERR_MALFORMED);
}

Test(value_msgpack, refuses_what_is_not_one_value)
{
	expect_error(SLICE_NONE, ERR_MALFORMED);
	expect_error(B("\x01\x02"), ERR_MALFORMED);
	expect_error(B("\x90\x90"), ERR_MALFORMED);
	expect_error(B("\x92\x01"), ERR_MALFORMED);
	expect_error(B("\x81\xa1"
		       "a"),
		     ERR_MALFORMED);
	expect_error(B("\xc1"), ERR_MALFORMED);
	expect_error(B("\xa1\xff"), ERR_MALFORMED);
	expect_error(B("\xdd\xff\xff\xff\xff\x01"), ERR_MALFORMED);
	expect_error(B("\xdf\xff\xff\xff\xff\xa0\x01"), ERR_MALFORMED);
}

static struct slice nested(bool is_map, size_t levels)
{
	buf_clear(&out);
	for (size_t i = 1; i < levels; i++)
		buf_append_slice(&out, is_map ? B("\x81\xa0") : B("\x91"));
	buf_append_slice(&out, is_map ? B("\x80") : B("\x90"));
	return buf_slice(&out);
}

Test(value_msgpack, nests_to_the_limit_and_no_deeper)
{
	cr_assert_eq(decode(nested(false, MSGPACK_DEPTH_MAX))->count, 1);
	cr_assert_eq(decode(nested(true, MSGPACK_DEPTH_MAX))->count, 1);
	expect_error(nested(false, MSGPACK_DEPTH_MAX + 1), ERR_LIMIT);
	expect_error(nested(true, MSGPACK_DEPTH_MAX + 1), ERR_LIMIT);
}

static struct slice array_of(size_t n)
{
	buf_clear(&out);
	msgpack_write_array(&out, n);
	for (size_t i = 0; i < n; i++)
		msgpack_write_nil(&out);
	return buf_slice(&out);
}

Test(value_msgpack, has_so_many_nodes_and_no_more)
{
	cr_assert_eq(decode(array_of(VALUE_NODES_MAX - 1))->count, VALUE_NODES_MAX - 1);
	expect_error(array_of(VALUE_NODES_MAX), ERR_LIMIT);
}

/* ---- encoding */

Test(value_msgpack, encodes_every_type)
{
	struct value *map = value_map(&arena);
	struct value *array = value_array(&arena);

	expect_bytes(value_nil(&arena), B("\xc0"));
	expect_bytes(value_bool(&arena, true), B("\xc3"));
	expect_bytes(value_int(&arena, -33), B("\xd0\xdf"));
	expect_bytes(value_double(&arena, 3.0),
		     B("\xcb\x40\x08\x00\x00\x00\x00\x00\x00"));
	expect_bytes(value_string(&arena, SLICE("")), B("\xa0"));
	expect_bytes(value_string(&arena, SLICE("\xff")), B("\xa3\xef\xbf\xbd"));
	expect_bytes(value_binary(&arena, SLICE("\xff")), B("\xc4\x01\xff"));
	expect_bytes(array, B("\x90"));
	value_set(map, SLICE("k"), array);
	value_set(map, SLICE(""), value_map(&arena));
	value_add(array, value_nil(&arena));
	expect_bytes(map, B("\x82\xa1k\x91\xc0\xa0\x80"));
}

Test(value_msgpack, a_part_is_encoded_without_its_siblings)
{
	struct value *array = decode(B("\x92\x91\x01\x02"));

	expect_bytes(array->first, B("\x91\x01"));
}

Test(value_msgpack, raw_json_becomes_what_it_says)
{
	struct value *array = value_array(&arena);

	value_add(array, value_raw(&arena, SLICE(" {\"a\":[1,2.5],\"b\":\"x\"} ")));
	value_add(array, value_raw(&arena, SLICE("[]")));
	value_add(array, value_raw(&arena, SLICE("null")));
	value_add(array, value_int(&arena, 7));
	expect_bytes(array, B("\x94\x82\xa1"
			      "a\x92\x01\xcb\x40\x04\x00\x00\x00\x00\x00\x00\xa1"
			      "b\xa1x\x90\xc0\x07"));
	expect_bytes(value_raw(&arena, SLICE("no JSON")), B("\xc0"));
}

Test(value_msgpack, encodes_as_deep_as_json_does_and_raw_below)
{
	char json[2 * VALUE_DEPTH_MAX];
	struct value *root = value_array(&arena);
	struct value *inner = root;

	memset(json, '[', VALUE_DEPTH_MAX);
	memset(json + VALUE_DEPTH_MAX, ']', VALUE_DEPTH_MAX);
	for (size_t i = 1; i < (size_t)2 * VALUE_DEPTH_MAX; i++) {
		struct value *next = value_array(&arena);

		value_add(inner, next);
		inner = next;
	}
	value_add(inner, value_raw(&arena, slice_make(json, sizeof(json))));
	value_encode_msgpack(&out, root);
	cr_assert_eq(out.len, (size_t)3 * VALUE_DEPTH_MAX);
	cr_assert_eq((unsigned char)out.ptr[out.len - 1], 0x90);
	cr_assert_eq((unsigned char)out.ptr[out.len - 2], 0x91);
}

/* ---- luck */

static uint64_t seed;

static uint32_t roll(uint32_t n)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return (uint32_t)(seed >> 32) % n;
}

static struct value *random_leaf(void)
{
	switch (roll(6)) {
	case 0:
		return value_nil(&arena);
	case 1:
		return value_bool(&arena, roll(2) == 1);
	case 2:
		return value_int(&arena,
				 (int64_t)(seed >> roll(64)) - (int64_t)roll(300));
	case 3:
		return value_double(&arena, (double)roll(1000) / 8.0);
	case 4:
		return value_binary(
			&arena, arena_dup(&arena, slice_make((char *)&seed, roll(9))));
	default:
		return value_string(
			&arena, arena_printf(&arena, "%0*u", (int)roll(40), roll(100)));
	}
}

/* Below a container that is some way up, so that trees are deep as well as wide. */
static struct value *random_tree(void)
{
	struct value *open[MSGPACK_DEPTH_MAX];
	size_t depth = 1;

	open[0] = roll(2) ? value_array(&arena) : value_map(&arena);
	for (uint32_t n = roll(NODES_MAX); n > 0; n--) {
		struct value *parent = open[depth - 1];
		struct value *item = random_leaf();
		const bool is_deeper = roll(3) == 0 && depth < MSGPACK_DEPTH_MAX;

		if (is_deeper)
			item = roll(2) ? value_array(&arena) : value_map(&arena);
		if (parent->type == VALUE_ARRAY)
			value_add(parent, item);
		else
			value_set(parent, arena_printf(&arena, "k%u", n), item);
		if (is_deeper)
			open[depth++] = item;
		else if (roll(3) == 0 && depth > 1)
			depth--;
	}
	return open[0];
}

Test(value_msgpack, random_trees_come_back)
{
	const char *text = getenv("SEED");
	struct buf again = BUF_INIT;

	seed = text ? strtoull(text, NULL, 0) : 0x5eed;
	(void)fprintf(stderr, "SEED=%#llx\n", (unsigned long long)seed);
	for (int i = 0; i < TREES; i++) {
		struct value *tree = random_tree();
		struct value *decoded;
		struct buf json = BUF_INIT;

		buf_clear(&out);
		buf_clear(&again);
		value_encode_msgpack(&out, tree);
		decoded = decode(buf_slice(&out));
		value_encode_msgpack(&again, decoded);
		cr_assert(slice_equal(buf_slice(&out), buf_slice(&again)));
		/* The same tree by another way of looking at it. */
		buf_clear(&again);
		value_encode_json(&json, tree);
		value_encode_json(&again, decoded);
		cr_assert(slice_equal(buf_slice(&json), buf_slice(&again)));
		buf_fini(&json);
		arena_reset(&arena);
	}
	buf_fini(&again);
}
