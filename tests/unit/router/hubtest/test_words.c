/* SPDX-License-Identifier: Apache-2.0 */
#include "router/hubtest/words.h"

#include <criterion/criterion.h>

static void expect_words(const char *line, const char *joined)
{
	struct words words;
	struct buf all = BUF_INIT;

	cr_assert_eq(words_split(slice_from_str(line), &words), OK, "%s", line);
	for (size_t i = 0; i < words.n; i++) {
		buf_append_slice(&all, words.items[i]);
		buf_append_byte(&all, '|');
	}
	buf_append_byte(&all, '\0');
	cr_expect_str_eq(all.ptr, joined);
	buf_fini(&all);
}

static void expect_error(const char *line, enum err rc)
{
	struct words words;

	cr_expect_eq(words_split(slice_from_str(line), &words), rc, "%s", line);
}

Test(words, stand_between_blanks)
{
	expect_words("", "");
	expect_words(" \t ", "");
	expect_words(" c1  invoke\tVote ", "c1|invoke|Vote|");
}

Test(words, a_json_value_is_one)
{
	expect_words("a \"b c\" [1, [2, \"] \"]] {\"d e\": 1} f",
		     "a|\"b c\"|[1, [2, \"] \"]]|{\"d e\": 1}|f|");
	expect_words("name=\"Ann \\\" Lee\" x", "name=\"Ann \\\" Lee\"|x|");
	expect_words("claims={\"a\": [1]} y", "claims={\"a\": [1]}|y|");
}

Test(words, stray_ends_are_text)
{
	expect_words("] }", "]|}|");
}

Test(words, what_is_open_at_the_end)
{
	expect_error("a \"b", ERR_MALFORMED);
	expect_error("a [1", ERR_MALFORMED);
	expect_error("{\"a\"", ERR_MALFORMED);
	expect_error("\"a\\", ERR_MALFORMED);
	expect_error("\"a\\\"", ERR_MALFORMED);
}

Test(words, as_many_as_may_be_and_one_more)
{
	struct buf line = BUF_INIT;
	struct words words;

	for (int i = 0; i < WORDS_MAX; i++)
		buf_append_str(&line, "w ");
	cr_expect_eq(words_split(buf_slice(&line), &words), OK);
	cr_expect_eq(words.n, WORDS_MAX);
	buf_append_str(&line, "w");
	cr_expect_eq(words_split(buf_slice(&line), &words), ERR_LIMIT);
	buf_fini(&line);
}

static void expect_written(struct slice text, const char *wanted)
{
	struct buf out = BUF_INIT;

	words_write(&out, text);
	buf_append_byte(&out, '\0');
	cr_expect_str_eq(out.ptr, wanted);
	buf_fini(&out);
}

Test(words, are_quoted_only_when_they_need_it)
{
	expect_written(SLICE("room-1:a.b/c@d_E+f"), "room-1:a.b/c@d_E+f");
	expect_written(SLICE(""), "\"\"");
	expect_written(SLICE("a b"), "\"a b\"");
	expect_written(SLICE("a\"b"), "\"a\\\"b\"");
	expect_written(SLICE("a\0b"), "\"a\\u0000b\"");
}
