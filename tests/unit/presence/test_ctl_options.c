/* SPDX-License-Identifier: Apache-2.0 */
#include "presence/ctl_options.h"

#include <criterion/criterion.h>
#include <stdlib.h>

static struct ctl_line line;
static char error[CTL_ERROR_BYTES];

static enum err read(int argc, const char *const *args)
{
	char *argv[32];

	for (int i = 0; i < argc; i++)
		argv[i] = (char *)(uintptr_t)args[i];
	error[0] = '\0';
	return ctl_options_read(&line, argc, argv, error);
}

#define READ(...)                                                                        \
	read((int)(sizeof((const char *const[]){ "ctl", __VA_ARGS__ }) /                 \
		   sizeof(const char *)),                                                \
	     (const char *const[]){ "ctl", __VA_ARGS__ })

static void expect_refused(enum err rc, const char *what)
{
	cr_expect_eq(rc, ERR_ARGUMENT);
	cr_expect_not_null(strstr(error, what), "\"%s\" does not say \"%s\"", error,
			   what);
}

Test(ctl_options, words_and_options_may_be_mixed)
{
	cr_assert_eq(READ("--json", "users", "--limit=7", "an"), OK);
	cr_assert_eq(line.words_n, 2);
	cr_expect_str_eq(line.words[0], "users");
	cr_expect_str_eq(line.words[1], "an");
	cr_expect_eq(line.limit, 7);
	cr_expect_not_null(line.values[CTL_JSON]);
	cr_expect_null(line.values[CTL_ALL]);
}

Test(ctl_options, a_value_stands_behind_an_equals_sign_or_next)
{
	cr_assert_eq(READ("--address=a:1", "--reason", "--x=y", "stats"), OK);
	cr_expect_str_eq(line.values[CTL_ADDRESS], "a:1");
	cr_expect_str_eq(line.values[CTL_REASON], "--x=y");
	cr_expect_eq(line.words_n, 1);
	cr_assert_eq(READ("--reason="), OK);
	cr_expect_str_empty(line.values[CTL_REASON]);
}

Test(ctl_options, behind_two_dashes_all_are_words)
{
	cr_assert_eq(READ("user", "--", "--json", "--"), OK);
	cr_assert_eq(line.words_n, 3);
	cr_expect_str_eq(line.words[1], "--json");
	cr_expect_str_eq(line.words[2], "--");
	cr_expect_null(line.values[CTL_JSON]);
}

Test(ctl_options, defaults_are_a_hundred_rows_and_ten_seconds)
{
	cr_assert_eq(READ("users"), OK);
	cr_expect_eq(line.limit, 100);
	cr_expect_eq(line.timeout_ms, 10000);
	cr_assert_eq(READ("users", "--all", "--timeout=1"), OK);
	cr_expect_eq(line.limit, INT64_MAX);
	cr_expect_eq(line.timeout_ms, 1000);
}

Test(ctl_options, what_is_wrong_is_named)
{
	expect_refused(READ("--nope"), "--nope");
	expect_refused(READ("--json=1"), "takes no value");
	expect_refused(READ("--reason"), "needs a value");
	expect_refused(READ("--json", "--json"), "twice");
	expect_refused(READ("--limit=0"), "1 to");
	expect_refused(READ("--limit=x"), "1 to");
	expect_refused(READ("--limit=1000000001"), "1 to 1000000000");
	expect_refused(READ("--timeout=3601"), "1 to 3600");
	expect_refused(READ("--all", "--limit=1"), "not together");
}

Test(ctl_options, as_many_words_as_the_limit_and_not_one_more)
{
	cr_expect_eq(READ("1", "2", "3", "4", "5", "6", "7", "8", "9", "10", "11", "12",
			  "13", "14", "15", "16"),
		     OK);
	cr_expect_eq(line.words_n, CTL_WORDS_MAX);
	expect_refused(READ("1", "2", "3", "4", "5", "6", "7", "8", "9", "10", "11", "12",
			    "13", "14", "15", "16", "17"),
		       "17");
}

Test(ctl_options, the_environment_fills_in)
{
	cr_assert_eq(setenv("HELIOGRAPH_ADMIN", "b:2", 1), 0);
	cr_assert_eq(setenv("HELIOGRAPH_ADMIN_TOKEN_FILE", "", 1), 0);
	cr_assert_eq(READ("stats"), OK);
	cr_expect_str_eq(line.values[CTL_ADDRESS], "b:2");
	cr_expect_null(line.values[CTL_TOKEN_FILE]);
	cr_assert_eq(READ("stats", "--address=c:3"), OK);
	cr_expect_str_eq(line.values[CTL_ADDRESS], "c:3");
}
