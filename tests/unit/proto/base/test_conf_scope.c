/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Options of named things: where they are set, what they inherit, what is refused, and
 * what a reload changes.
 */
#include "proto/base/conf_scope.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "tests/unit/proto/base/conf_kit.h"

struct room {
	char *path;
	int64_t size;
	char *tag;
	int64_t colors;
	bool is_fixed;
};

struct house {
	char *rooms;
	int64_t limit;
	char *tag;
	int64_t clash;
	struct conf_scoped scoped;
};

static const char *const colors[] = { "red|Rot", "green", "blue", NULL };

static const struct conf_option room_options[] = {
	{ "path", CONF_STRING, offsetof(struct room, path), "/r/<name>/x", 2, 80, NULL,
	  "Where.", true },
	{ "size", CONF_INT, offsetof(struct room, size), CONF_INHERIT("limit"), 1, 10,
	  NULL, "How large.", true },
	{ "tag", CONF_STRING, offsetof(struct room, tag), CONF_INHERIT("tag"), 0, 8, NULL,
	  "What it says.", true },
	{ "colors", CONF_SET, offsetof(struct room, colors), "red, blue", 0, 0, colors,
	  "How it looks.", true },
	{ "fixed", CONF_BOOL, offsetof(struct room, is_fixed), "off", 0, 0, NULL,
	  "Stays.", false },
};

static const char *room_problem(const struct conf_scoped *all, size_t i)
{
	const struct room *room = all->items[i].values;

	return room->size == 9 ? "size: nine is unlucky" : "";
}

static const struct conf_scope scope = {
	.prefix = "room",
	.list = "rooms",
	.options = room_options,
	.n = sizeof(room_options) / sizeof(room_options[0]),
	.bytes = sizeof(struct room),
	.field = offsetof(struct house, scoped),
	.problem = room_problem,
};

static const struct conf_option options[] = {
	{ "rooms", CONF_STRING, offsetof(struct house, rooms), "hall,Kit.chen", 1, 8192,
	  NULL, "Which there are.", false },
	{ "limit", CONF_INT, offsetof(struct house, limit), "3", 1, 10, NULL, "A limit.",
	  true },
	{ "tag", CONF_STRING, offsetof(struct house, tag), "t", 0, 8, NULL, "A tag.",
	  true },
	{ "room_hall_fixed", CONF_INT, offsetof(struct house, clash), "0", 0, 1, NULL,
	  "Looks like one of a room in the environment.", true },
};

static const struct conf_table table = {
	.program = "heliograph-test",
	.summary = "Tests scopes.",
	.options = options,
	.n = sizeof(options) / sizeof(options[0]),
	.scope = &scope,
};

static struct house house;

static void teardown(void)
{
	conf_fini(&table, &house);
	conf_kit_teardown();
}

TestSuite(conf_scope, .init = conf_kit_setup, .fini = teardown);

/* The file is `file`; `flag` may be NULL. */
static enum conf_outcome load(const char *file, const char *flag)
{
	char program[] = "heliograph-test";
	char argument[9000] = "";
	char *argv[] = { program, conf_kit.file_flag, argument, NULL };
	FILE *out = fmemopen(conf_kit.printed, sizeof(conf_kit.printed), "w");
	enum conf_outcome outcome;

	if (flag != NULL)
		(void)snprintf(argument, sizeof(argument), "%s", flag);
	conf_kit_file_write(file, strlen(file));
	conf_fini(&table, &house);
	memset(&house, 0, sizeof(house));
	conf_kit.error[0] = '\0';
	outcome = conf_load(&table, &house, flag != NULL ? 3 : 2, argv, out,
			    conf_kit.error);
	(void)fclose(out);
	return outcome;
}

static void load_good(const char *file, const char *flag)
{
	cr_assert_eq(load(file, flag), CONF_RUN, "%s", conf_kit.error);
}

static struct room *room(const char *name)
{
	struct room *found = conf_scoped_find(&house.scoped, slice_from_str(name));

	cr_assert_not_null(found, "%s", name);
	return found;
}

static void expect_refused(const char *file, const char *flag, const char *text)
{
	const char *error = conf_kit.error;
	const size_t len = strlen(conf_kit.file_path);

	cr_expect_eq(load(file, flag), CONF_FAIL, "%s %s", file, flag ? flag : "");
	if (strncmp(error, conf_kit.file_path, len) == 0)
		error += len;
	cr_expect_str_eq(error, text);
	cr_expect_null(house.scoped.items);
}

/* ---- values */

Test(conf_scope, starts_from_its_defaults_and_those_of_the_program)
{
	load_good("limit = 5\n", "--tag=hi");
	cr_assert_eq(house.scoped.n, 2);
	cr_expect_str_eq(house.scoped.items[0].name, "hall");
	cr_expect_str_eq(house.scoped.items[1].name, "kit.chen");
	cr_expect_str_eq(room("KIT.chen")->path, "/r/kit.chen/x");
	cr_expect_eq(room("hall")->size, 5);
	cr_expect_str_eq(room("hall")->tag, "hi");
	cr_expect_eq(room("hall")->colors, 5);
	cr_expect_not(room("hall")->is_fixed);
	cr_expect_null(conf_scoped_find(&house.scoped, SLICE("attic")));
}

Test(conf_scope, is_set_in_the_file_before_the_list_and_what_it_inherits)
{
	load_good("room.Attic.size = 7\nroom.attic.tag =\n"
		  "room.attic.colors = Rot,green\nrooms = hall, attic\nlimit = 2\n",
		  NULL);
	cr_expect_eq(room("attic")->size, 7);
	cr_expect_str_eq(room("attic")->tag, "");
	cr_expect_eq(room("attic")->colors, 3);
	cr_expect_eq(room("hall")->size, 2);
	cr_expect_str_eq(room("hall")->tag, "t");
}

Test(conf_scope, a_name_may_have_dots)
{
	load_good("room.kit.chen.size = 4\n", NULL);
	cr_expect_eq(room("kit.chen")->size, 4);
}

Test(conf_scope, flags_win_over_the_environment_and_that_over_the_file)
{
	setenv("HELIOGRAPH_ROOM_KIT_CHEN_SIZE", "6", 1);
	setenv("HELIOGRAPH_ROOM_KIT_CHEN_TAG", "env", 1);
	load_good("room.kit.chen.size = 4\nroom.kit.chen.tag = file\n"
		  "room.kit.chen.path = /file\n",
		  "--room.kit.chen.tag=flag");
	cr_expect_eq(room("kit.chen")->size, 6);
	cr_expect_str_eq(room("kit.chen")->tag, "flag");
	cr_expect_str_eq(room("kit.chen")->path, "/file");
	load_good("", "--room.hall.tag=a=b");
	cr_expect_str_eq(room("hall")->tag, "a=b");
}

Test(conf_scope, variables_of_other_programs_are_not_ours)
{
	setenv("HELIOGRAPH_ROOM_HALL_DOORS", "2", 1);
	setenv("HELIOGRAPH_ROOM_ATTIC_SIZE", "2", 1);
	load_good("", NULL);
}

/* ---- what is refused */

Test(conf_scope, errors_name_place_scope_option_and_range)
{
	expect_refused("\nroom.hall.size = 11\n", NULL,
		       ":2: room.hall.size = 11: accepted range is 1..10");
	expect_refused("room.Hall.colors = red,pink\n", NULL,
		       ":1: room.Hall.colors = red,pink: accepted is a list of red, "
		       "green, blue");
	expect_refused("room.hall.colors =\n", NULL,
		       ":1: room.hall.colors = : accepted is a list of red, green, blue");
	expect_refused("room.hall.fixed = yes\n", NULL,
		       ":1: room.hall.fixed = yes: accepted are on, off");
	expect_refused("", "--room.hall.tag=123456789",
		       "command line: room.hall.tag = 123456789: accepted length is 0..8 "
		       "characters");
	setenv("HELIOGRAPH_ROOM_HALL_SIZE", "0", 1);
	expect_refused("", "--room.hall.size=1",
		       "environment: room.hall.size = 0: accepted range is 1..10");
}

Test(conf_scope, a_line_that_is_overridden_is_read_all_the_same)
{
	expect_refused("room.hall.size = x\n", "--room.hall.size=1",
		       ":1: room.hall.size = x: not a whole number; accepted range is "
		       "1..10");
}

Test(conf_scope, names_that_are_not_in_the_list_are_refused)
{
	expect_refused("room.hell.size = 1\n", NULL,
		       ":1: room.hell.size: hell is not in rooms; did you mean "
		       "room.hall.size?");
	expect_refused("", "--room.observatory.size=1",
		       "command line: room.observatory.size: observatory is not in "
		       "rooms");
	expect_refused("rooms = hall\nroom.kit.chen.size = 1\n", NULL,
		       ":2: room.kit.chen.size: kit.chen is not in rooms");
}

Test(conf_scope, unknown_options_are_refused)
{
	expect_refused("room.hall.sice = 1\n", NULL,
		       ":1: unknown option room.hall.sice; did you mean "
		       "room.hall.size?");
	expect_refused("", "--room.hall.limitation=1",
		       "command line: unknown option room.hall.limitation; --help lists "
		       "all");
}

Test(conf_scope, names_of_another_form_are_refused)
{
	expect_refused("room.size = 1\n", NULL,
		       ":1: room.size: expected room.<name>.<option>");
	expect_refused("room..size = 1\n", NULL,
		       ":1: room..size: expected room.<name>.<option>");
	expect_refused("room.hall. = 1\n", NULL,
		       ":1: room.hall.: expected room.<name>.<option>");
	expect_refused("room. = 1\n", NULL, ":1: room.: expected room.<name>.<option>");
}

Test(conf_scope, a_flag_needs_a_value)
{
	expect_refused("", "--room.hall.size",
		       "command line: --room.hall.size needs a value: "
		       "--room.hall.size=value");
}

Test(conf_scope, a_second_line_for_the_same_is_refused)
{
	expect_refused("room.hall.size = 1\nroom.kit.chen.size = 1\nroom.HALL.size = 2\n",
		       NULL, ":3: room.HALL.size is already set in line 1");
}

Test(conf_scope, a_variable_that_fits_two_scopes_is_refused)
{
	setenv("HELIOGRAPH_ROOM_A_B_SIZE", "1", 1);
	expect_refused("rooms = a-b,a_b\n", NULL,
		       "environment: HELIOGRAPH_ROOM_A_B_SIZE is both room.a-b.size and "
		       "room.a_b.size: set them elsewhere");
	load_good("rooms = a-b,b\n", NULL);
	cr_expect_eq(room("a-b")->size, 1);
}

Test(conf_scope, a_variable_that_fits_the_program_too_is_refused)
{
	setenv("HELIOGRAPH_ROOM_HALL_FIXED", "1", 1);
	expect_refused("", NULL,
		       "environment: HELIOGRAPH_ROOM_HALL_FIXED is both room.hall.fixed "
		       "and room_hall_fixed: set them elsewhere");
	load_good("rooms = attic\n", NULL);
	cr_expect_eq(house.clash, 1);
}

Test(conf_scope, a_problem_names_the_scope)
{
	expect_refused("room.kit.chen.size = 9\n", NULL,
		       "room.kit.chen.size: nine is unlucky");
	expect_refused("limit = 9\n", NULL, "room.hall.size: nine is unlucky");
}

/* ---- the list */

/* As many as `n`, h0, h1, ... */
static const char *many(size_t n)
{
	static char text[1024];
	size_t len = 0;

	for (size_t i = 0; i < n; i++)
		len += (size_t)snprintf(text + len, sizeof(text) - len, "%sh%zu",
					i > 0 ? "," : "--rooms=", i);
	return text;
}

Test(conf_scope, there_are_64_at_most)
{
	load_good("room.h63.size = 8\n", many(64));
	cr_expect_eq(house.scoped.n, 64);
	cr_expect_eq(room("h63")->size, 8);
	cr_expect_eq(load("", many(65)), CONF_FAIL);
	cr_expect_not_null(strstr(conf_kit.error, ": at most 64 names"));
}

Test(conf_scope, a_name_has_64_bytes_at_most)
{
	char flag[80];

	(void)snprintf(flag, sizeof(flag), "--rooms=%064d", 0);
	load_good("", flag);
	cr_expect_eq(strlen(house.scoped.items[0].name), 64);
	(void)snprintf(flag, sizeof(flag), "--rooms=%065d", 0);
	cr_expect_eq(load("", flag), CONF_FAIL);
	cr_expect_not_null(strstr(conf_kit.error, "a name is 1..64 letters"));
}

Test(conf_scope, a_bad_list_is_refused)
{
	static const char names[] = ": a name is 1..64 letters, digits, '.', '_', '-'";
	char text[128];

	(void)snprintf(text, sizeof(text), ":1: rooms = hall,%s", names);
	expect_refused("rooms = hall,\n", NULL, text);
	(void)snprintf(text, sizeof(text), ":1: rooms = a/b%s", names);
	expect_refused("rooms = a/b\n", NULL, text);
	(void)snprintf(text, sizeof(text), ":1: rooms = a,,b%s", names);
	expect_refused("rooms = a,,b\n", NULL, text);
	expect_refused("rooms = hall, b,Hall\n", NULL,
		       ":1: rooms = hall, b,Hall: Hall stands there twice");
}

/* ---- what is printed */

Test(conf_scope, help_lists_the_options)
{
	cr_expect_eq(load("", "--help"), CONF_EXIT);
	cr_expect_not_null(strstr(conf_kit.printed,
				  "For each <name> in rooms, as \"room.<name>.option"));
	cr_expect_not_null(strstr(conf_kit.printed, "HELIOGRAPH_ROOM_NAME_OPTION"));
	cr_expect_not_null(strstr(conf_kit.printed,
				  "  --room.<name>.path=/r/<name>/x\n      Where.\n"));
	cr_expect_not_null(strstr(conf_kit.printed,
				  "  --room.<name>.size=3\n      How large. Not set: as "
				  "limit.\n      number, 1..10; SIGHUP changes it\n"));
}

Test(conf_scope, the_default_file_holds_them_as_comments)
{
	char *copy;

	cr_expect_eq(load("", "--print-conf"), CONF_EXIT);
	cr_expect_not_null(strstr(conf_kit.printed,
				  "\n# How it looks.\n# choices, red, green, "
				  "blue; SIGHUP changes it\n"
				  "#room.<name>.colors = red, blue\n"));
	copy = strdup(conf_kit.printed);
	load_good(copy, NULL);
	free(copy);
}

/* ---- reload */

static enum err reload(const char *file)
{
	char program[] = "heliograph-test";
	char *argv[] = { program, conf_kit.file_flag, NULL };

	conf_kit_file_write(file, strlen(file));
	return conf_reload(&table, &house, 2, argv, conf_kit.error);
}

Test(conf_scope, reload_changes_fields_where_they_are)
{
	const struct room *hall;

	load_good("room.hall.size = 4\nroom.hall.tag = a\n", NULL);
	hall = room("hall");
	cr_assert_eq(reload("limit = 5\nroom.hall.tag = b\nroom.hall.path = /p\n"), OK);
	cr_expect_eq(room("hall"), hall);
	cr_expect_eq(hall->size, 5);
	cr_expect_str_eq(hall->tag, "b");
	cr_expect_str_eq(hall->path, "/p");
	cr_expect_eq(room("kit.chen")->size, 5);
}

/* Reloads with stderr in a file, and leaves what was logged in `conf_kit.printed`. */
static enum err reload_logged(const char *text)
{
	FILE *file = tmpfile();
	int saved = dup(STDERR_FILENO);
	enum err rc;
	size_t n;

	dup2(fileno(file), STDERR_FILENO);
	rc = reload(text);
	dup2(saved, STDERR_FILENO);
	close(saved);
	rewind(file);
	n = fread(conf_kit.printed, 1, sizeof(conf_kit.printed) - 1, file);
	conf_kit.printed[n] = '\0';
	fclose(file);
	return rc;
}

Test(conf_scope, reload_names_what_needs_a_restart)
{
	load_good("", NULL);
	cr_assert_eq(reload_logged("room.hall.fixed = on\nroom.hall.size = 2\n"), OK);
	cr_expect_not_null(strstr(conf_kit.printed,
				  "event=conf.needs_restart option=room.hall.fixed\n"));
	cr_expect_null(strstr(conf_kit.printed, "room.hall.size"));
	cr_expect_not(room("hall")->is_fixed);
	cr_expect_eq(room("hall")->size, 2);
}

Test(conf_scope, reload_keeps_the_scopes_of_the_start)
{
	load_good("room.hall.size = 2\n", NULL);
	cr_assert_eq(reload_logged("rooms = kit.chen,attic\nroom.attic.size = 1\n"
				   "room.kit.chen.size = 6\n"),
		     OK);
	cr_expect_not_null(
		strstr(conf_kit.printed, "event=conf.needs_restart option=rooms\n"));
	cr_expect_eq(house.scoped.n, 2);
	cr_expect_eq(room("hall")->size, 2);
	cr_expect_eq(room("kit.chen")->size, 6);
}

Test(conf_scope, a_bad_reload_leaves_all_as_it_was)
{
	load_good("room.hall.size = 2\n", NULL);
	cr_expect_eq(reload("room.hall.tag = b\nroom.hall.size = 11\n"), ERR_MALFORMED);
	cr_expect_str_eq(conf_kit.error + strlen(conf_kit.file_path),
			 ":2: room.hall.size = 11: accepted range is 1..10");
	cr_expect_eq(reload("room.hall.tag = b\nroom.hall.size = 9\n"), ERR_MALFORMED);
	cr_expect_eq(room("hall")->size, 2);
	cr_expect_str_eq(room("hall")->tag, "t");
}
