/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The JSON scanner against jansson: on seeded random texts, right, wrong and nearly
 * right, both accept or both refuse, wherever jansson has a verdict.
 * SEED in the environment chooses other texts.
 */
#include <criterion/criterion.h>
#include <jansson.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "proto/wire/json.h"
#include "tests/fuzz/json_oracle.h"

#define CASES 110000
#define MUTANT_BYTES_MAX 96

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

TestSuite(json_oracle, .init = setup, .fini = teardown);

static struct json_cursor cursor_at(struct slice text)
{
	return (struct json_cursor){ text.ptr, text.ptr + text.len,
				     JSON_CURSOR_DEPTH_MAX };
}

/* The whole text is one value. */
static bool is_accepted(struct slice text)
{
	struct json_cursor cursor = cursor_at(text);
	struct slice raw;

	return json_skip(&cursor, &raw) == OK && json_is_done(&cursor);
}

static uint64_t seed;

static uint32_t roll(uint32_t n)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return (uint32_t)(seed >> 32) % n;
}

/* Pieces that are likely to meet in a way that is only nearly right. */
static const char *const pieces[] = {
	"[",
	"]",
	"{",
	"}",
	",",
	":",
	"\"",
	"\"a\"",
	"\"b\":",
	"1",
	"-",
	"0",
	".5",
	"e1",
	"E-2",
	"true",
	"false",
	"null",
	" ",
	"\n",
	"\\",
	"\\n",
	"\\u0041",
	"\\ud83d\\ude00",
	"\\ud83d",
	"\xc3\xa9",
	"\xe2\x82\xac",
	"\xf0\x9f\x98\x80",
	"\xff",
	"\"\"",
	"[]",
	"{}",
	"\x1e",
	"12345678901234567890",
	"1e400",
	"\\u0000",
	"\"plain and rather long text\"",
};

static void put(const char *piece)
{
	buf_append_str(&out, piece);
}

static void make_string(void)
{
	static const char *const insides[] = { "a",
					       "key",
					       "\\n",
					       "\\u00e9",
					       "\xc3\xa9",
					       "\xe2\x82\xac",
					       "\\\"",
					       " ",
					       "\\ud83d\\ude00",
					       "\\u0000",
					       "text of a block" };

	put("\"");
	for (uint32_t n = roll(4); n > 0; n--)
		put(insides[roll(sizeof(insides) / sizeof(insides[0]))]);
	put("\"");
}

static void make_scalar(void)
{
	static const char *const scalars[] = {
		"0",	"-1",	"42",	 "1.5",	  "-2e3",
		"true", "null", "false", "1e400", "99999999999999999999"
	};

	if (roll(2) == 0)
		make_string();
	else
		put(scalars[roll(sizeof(scalars) / sizeof(scalars[0]))]);
}

/* A well-formed value; no deeper than `depth`. */
static void make_value(int depth)
{
	bool is_object = roll(2) == 0;

	if (depth == 0 || roll(3) == 0) {
		make_scalar();
		return;
	}
	put(is_object ? "{" : "[");
	for (uint32_t n = roll(4), i = 0; i < n; i++) {
		put(i > 0 ? "," : "");
		if (is_object) {
			make_string();
			put(roll(4) == 0 ? " : " : ":");
		}
		make_value(depth - 1);
	}
	put(is_object ? "}" : "]");
}

static void mutate(void)
{
	for (uint32_t n = roll(3); n > 0 && out.len > 0; n--) {
		size_t at = roll((uint32_t)out.len);

		switch (roll(4)) {
		case 0:
			out.ptr[at] = (char)roll(256);
			break;
		case 1:
			out.ptr[at] = pieces[roll(sizeof(pieces) / sizeof(pieces[0]))][0];
			break;
		case 2:
			memmove(out.ptr + at, out.ptr + at + 1, out.len - at - 1);
			out.len--;
			break;
		default:
			out.len = at;
			break;
		}
	}
}

/* Where jansson has no verdict (numbers beyond its types, NUL in a key) there is nothing
 * to compare with. (And depth: 64 here, 2048 there; no case is that deep.) */
static bool oracle_accepts(struct slice text)
{
	json_t *root;
	const enum json_verdict verdict = json_oracle(text, &root);

	json_decref(root);
	return verdict == JSON_NO_VERDICT ? is_accepted(text) : verdict == JSON_GOOD;
}

static void run_oracle(void (*make)(void))
{
	const char *given = getenv("SEED");
	uint64_t first = given ? strtoull(given, NULL, 10) : UINT64_C(20260101);
	size_t good = 0;

	printf("SEED=%llu\n", (unsigned long long)first);
	seed = first;
	for (int i = 0; i < CASES; i++) {
		struct slice text;
		bool is_good;

		buf_clear(&out);
		make();
		text = buf_slice(&out);
		is_good = is_accepted(text);
		good += is_good;
		cr_assert_eq(is_good, oracle_accepts(text), "SEED=%llu case %d: %.*s",
			     (unsigned long long)first, i, SLICE_FMT(text));
	}
	cr_assert_gt(good, 1000);
}

static void make_mutant(void)
{
	do {
		buf_clear(&out);
		make_value((int)roll(4));
	} while (out.len > MUTANT_BYTES_MAX);
	mutate();
}

static void make_pieces(void)
{
	bool is_wrapped = roll(2) == 0;

	if (is_wrapped)
		put("[\"");
	for (uint32_t n = 1 + roll(6); n > 0; n--)
		put(pieces[roll(sizeof(pieces) / sizeof(pieces[0]))]);
	if (is_wrapped)
		put("\"]");
}

Test(json_oracle, agrees_with_jansson_on_mutated_texts)
{
	run_oracle(make_mutant);
}

Test(json_oracle, agrees_with_jansson_on_pieces_of_texts)
{
	run_oracle(make_pieces);
}

Test(json_oracle, decodes_strings_as_jansson_does)
{
	seed = 7;
	for (int i = 0; i < 20000; i++) {
		struct json_cursor cursor;
		struct slice text;
		json_t *string;

		buf_clear(&out);
		make_string();
		cursor = cursor_at(buf_slice(&out));
		string = json_loadb(out.ptr, out.len, JSON_DECODE_ANY | JSON_ALLOW_NUL,
				    NULL);
		cr_assert_eq(json_text(&cursor, &arena, &text), OK);
		cr_assert(slice_equal(text, slice_make(json_string_value(string),
						       json_string_length(string))));
		json_decref(string);
		arena_reset(&arena);
	}
}
