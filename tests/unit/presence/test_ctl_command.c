/* SPDX-License-Identifier: Apache-2.0 */
#include "presence/ctl_command.h"

#include <criterion/criterion.h>

#define WORDS(...)                                                                       \
	(const char *const[]){ __VA_ARGS__ },                                            \
		sizeof((const char *const[]){ __VA_ARGS__ }) / sizeof(const char *)

static void expect_found(const char *name, const char *const *words, size_t n)
{
	size_t name_n = 0;
	const struct ctl_command *found = ctl_command_find(words, n, &name_n);

	if (name == NULL) {
		cr_expect_null(found);
		return;
	}
	cr_assert_not_null(found);
	cr_expect_str_eq(found->name, name);
	cr_expect_eq(name_n, strchr(name, ' ') != NULL ? 2 : 1);
}

static void expect_fits(bool fits, const char *const *words, size_t n)
{
	size_t name_n = 0;
	const struct ctl_command *found = ctl_command_find(words, n, &name_n);

	cr_assert_not_null(found);
	cr_expect_eq(ctl_command_fits(found, words + name_n, n - name_n), fits,
		     "%s with %zu words", found->name, n - name_n);
}

Test(ctl_command, the_longest_name_wins)
{
	expect_found("group", WORDS("group", "chat", "room"));
	expect_found("group add", WORDS("group", "add", "chat"));
	expect_found("group", WORDS("group"));
	expect_found("users", WORDS("users"));
	expect_found(NULL, WORDS("use"));
	expect_found(NULL, WORDS(""));
}

Test(ctl_command, arguments_are_counted)
{
	expect_fits(true, WORDS("stats"));
	expect_fits(false, WORDS("stats", "x"));
	expect_fits(true, WORDS("users"));
	expect_fits(true, WORDS("users", "an"));
	expect_fits(false, WORDS("users", "an", "b"));
	expect_fits(false, WORDS("user"));
	expect_fits(false, WORDS("drain"));
}

Test(ctl_command, choices_are_checked)
{
	expect_fits(true, WORDS("disconnect", "user", "ann"));
	expect_fits(true, WORDS("disconnect", "connection", "x"));
	expect_fits(false, WORDS("disconnect", "group", "x"));
	expect_fits(false, WORDS("disconnect", "user|connection", "x"));
	expect_fits(false, WORDS("completion", "fish"));
	expect_fits(true, WORDS("send", "chat", "all", "m", "[]"));
	expect_fits(true, WORDS("send", "chat", "group", "g", "m", "[]"));
	expect_fits(false, WORDS("send", "chat", "none", "m", "[]"));
}

Test(ctl_command, a_word_of_what_it_takes_is_without_brackets)
{
	const struct ctl_command command = { .name = "x", .takes = "A b|c [D]" };
	bool is_optional = true;

	cr_expect(slice_equal(ctl_command_word(&command, 0, &is_optional), SLICE("A")));
	cr_expect_not(is_optional);
	cr_expect(slice_equal(ctl_command_word(&command, 1, &is_optional), SLICE("b|c")));
	cr_expect(slice_equal(ctl_command_word(&command, 2, &is_optional), SLICE("D")));
	cr_expect(is_optional);
	cr_expect_eq(ctl_command_word(&command, 3, &is_optional).len, 0);
}

Test(ctl_command, every_row_is_whole)
{
	for (size_t i = 0; i < ctl_commands_n; i++) {
		const struct ctl_command *command = &ctl_commands[i];

		cr_expect_not_null(command->run);
		cr_expect_gt(strlen(command->help), 0);
		cr_expect_eq(command->options & CTL_OPTIONS_COMMON, 0);
		cr_expect(ctl_command_has(command, CTL_JSON));
	}
}
