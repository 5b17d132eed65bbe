/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What roles with lists and patterns allow.
 */
#include "router/hubs/permission.h"

#include <criterion/criterion.h>

#include "proto/base/mem.h"

TestSuite(permission, .timeout = 60);

static bool matches(const char *pattern, const char *text)
{
	return pattern_matches(slice_from_str(pattern), slice_from_str(text));
}

static bool allows(const char *role, const char *name)
{
	return permission_allows(slice_from_str(role), SLICE("relay.send"),
				 slice_from_str(name));
}

Test(permission, a_pattern_without_a_star_is_the_text_itself)
{
	cr_expect(matches("room", "room"));
	cr_expect(matches("", ""));
	cr_expect_not(matches("room", "Room"));
	cr_expect_not(matches("room", "room1"));
	cr_expect_not(matches("room", "roo"));
	cr_expect_not(matches("", "room"));
}

Test(permission, a_star_is_any_run_none_included)
{
	cr_expect(matches("*", ""));
	cr_expect(matches("*", "room"));
	cr_expect(matches("room-*", "room-"));
	cr_expect(matches("room-*", "room-12"));
	cr_expect(matches("*-room", "my-room"));
	cr_expect(matches("a*z", "az"));
	cr_expect(matches("a*m*z", "abcmnoz"));
	cr_expect(matches("**", "room"));
	cr_expect(matches("*a*", "a"));
	cr_expect(matches("room*", "room*"));
}

Test(permission, parts_may_not_overlap_and_keep_their_order)
{
	cr_expect_not(matches("room-*", "room"));
	cr_expect_not(matches("room-*", "my-room-1"));
	cr_expect_not(matches("*-room", "my-room-1"));
	cr_expect_not(matches("ab*ba", "aba"));
	cr_expect_not(matches("a*b*c", "acb"));
	cr_expect_not(matches("*aa*aa*", "aaa"));
	cr_expect_not(matches("a*a", "a"));
	cr_expect_not(matches("*a*", ""));
}

Test(permission, the_last_part_is_sought_at_the_end_not_where_it_stands_first)
{
	cr_expect(matches("*ab", "abxab"));
	cr_expect(matches("x*ab*b", "xabab"));
	cr_expect_not(matches("*ab", "abx"));
}

Test(permission, bytes_are_not_text)
{
	const struct slice name = slice_make("a\0b", 3);

	cr_expect(pattern_matches(SLICE("a*b"), name));
	cr_expect(pattern_matches(slice_make("a\0*", 3), name));
	cr_expect_not(pattern_matches(SLICE("a"), name));
}

/* The naive way: tries every split, for short texts only. */
static bool matches_slowly(const char *pattern, const char *text)
{
	bool reach[16] = { true }; /* [i]: the pattern up to here matches i bytes */
	const size_t len = strlen(text);

	for (const char *at = pattern; *at != '\0'; at++) {
		bool next[16] = { false };

		for (size_t i = 0; i <= len; i++) {
			if (*at == '*')
				next[i] = reach[i] || (i > 0 && next[i - 1]);
			else
				next[i] = i > 0 && reach[i - 1] && text[i - 1] == *at;
		}
		memcpy(reach, next, sizeof(reach));
	}
	return reach[len];
}

/* "", "a", "b", "*", "aa", ...: the number in base `n`, without a zero digit. */
static void spell(char *out, size_t number, const char *letters)
{
	const size_t n = strlen(letters);

	for (; number > 0; number = (number - 1) / n)
		*out++ = letters[(number - 1) % n];
	*out = '\0';
}

Test(permission, every_short_pattern_matches_as_the_naive_way_says)
{
	char pattern[16];
	char text[16];

	for (size_t i = 0; i < 1093; i++) { /* up to 6 of 3 letters */
		spell(pattern, i, "ab*");
		for (size_t j = 0; j < 127; j++) { /* up to 6 of 2 */
			spell(text, j, "ab");
			cr_assert_eq(matches(pattern, text),
				     matches_slowly(pattern, text), "%s %s", pattern,
				     text);
		}
	}
}

/* With a matcher that tries every split this would not end. */
Test(permission, a_hostile_pattern_costs_no_more_than_its_length)
{
	struct buf pattern = BUF_INIT;
	struct buf text = BUF_INIT;

	for (size_t i = 0; i < 2048; i++)
		buf_append_str(&pattern, "*a");
	buf_append_str(&pattern, "*b");
	for (size_t i = 0; i < 65536; i++)
		buf_append_byte(&text, 'a');
	cr_expect_not(pattern_matches(buf_slice(&pattern), buf_slice(&text)));
	buf_append_byte(&text, 'b');
	cr_expect(pattern_matches(buf_slice(&pattern), buf_slice(&text)));
	buf_fini(&pattern);
	buf_fini(&text);
}

Test(permission, a_bare_verb_allows_every_name)
{
	cr_expect(allows("relay.send", "news"));
	cr_expect(allows("relay.send", ""));
}

Test(permission, a_list_allows_what_is_in_it)
{
	cr_expect(allows("relay.send:news", "news"));
	cr_expect(allows("relay.send:a,b,c", "a"));
	cr_expect(allows("relay.send:a,b,c", "c"));
	cr_expect(allows("relay.send:lobby,room-*", "room-7"));
	cr_expect_not(allows("relay.send:a,b,c", "d"));
	cr_expect_not(allows("relay.send:a,b,c", "a,b"));
	cr_expect_not(allows("relay.send:news", "news2"));
	cr_expect_not(allows("relay.send:a,b", ""));
	cr_expect(allows("relay.send:", ""));
	cr_expect_not(allows("relay.send:", "news"));
}

Test(permission, another_verb_allows_nothing)
{
	cr_expect_not(allows("relay.join", "news"));
	cr_expect_not(allows("relay.sender", "news"));
	cr_expect_not(allows("relay.sen", "news"));
	cr_expect_not(allows("relay.send-news", "news"));
	cr_expect_not(allows("relay.*", "news"));
	cr_expect_not(allows("*", "news"));
	cr_expect_not(allows("", "news"));
}
