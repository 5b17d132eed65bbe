/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Options of named things that only the program knows: kept as text, from every source,
 * and refused when the program says so.
 */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>

#include "proto/base/conf_extra.h"
#include "tests/unit/proto/base/conf_kit.h"

struct room {
	int64_t size;
};

struct house {
	char *rooms;
	struct conf_scoped scoped;
};

static const struct conf_option room_options[] = {
	{ "size", CONF_INT, offsetof(struct room, size), "3", 1, 10, NULL, "How large.",
	  true },
};

/* Rooms have doors, in words; a hall has windows, too. */
static enum err door_check(struct slice name, struct slice option, struct slice value,
			   struct buf *why)
{
	if (slice_equal(option, SLICE("windows")) && slice_equal(name, SLICE("hall")))
		return OK;
	if (slice_equal(option, SLICE("door")))
		buf_append_str(why, "doors");
	if (!slice_equal(option, SLICE("doors")))
		return ERR_NOT_FOUND;
	if (!slice_equal(value, SLICE("many")))
		return OK;
	buf_append_str(why, "a number is wanted");
	return ERR_MALFORMED;
}

static bool door_known(size_t i, const char **name, struct conf_option *option)
{
	static const struct conf_option doors = { "doors", CONF_INT,	  0,   "2", 0, 9,
						  NULL,	   "In and out.", true };

	if (i > 1)
		return false;
	*name = i == 0 ? "hall" : "kit.chen";
	*option = doors;
	return true;
}

static const struct conf_scope scope = {
	.prefix = "room",
	.list = "rooms",
	.options = room_options,
	.n = 1,
	.bytes = sizeof(struct room),
	.field = offsetof(struct house, scoped),
	.check = door_check,
	.known = door_known,
};

static const struct conf_option options[] = {
	{ "rooms", CONF_STRING, offsetof(struct house, rooms), "hall,Kit.chen", 1, 80,
	  NULL, "Which there are.", false },
};

static const struct conf_table table = {
	.program = "heliograph-test",
	.summary = "Tests options that the program knows.",
	.options = options,
	.n = 1,
	.scope = &scope,
};

static struct house house;

static void teardown(void)
{
	conf_fini(&table, &house);
	conf_kit_teardown();
}

TestSuite(conf_extra, .init = conf_kit_setup, .fini = teardown);

static char program[] = "heliograph-test";

static enum conf_outcome load(const char *file, const char *flag)
{
	char argument[80] = "";
	char *argv[] = { program, conf_kit.file_flag, argument, NULL };

	if (flag != NULL)
		(void)snprintf(argument, sizeof(argument), "%s", flag);
	conf_kit_file_write(file, strlen(file));
	conf_fini(&table, &house);
	memset(&house, 0, sizeof(house));
	return conf_load(&table, &house, flag != NULL ? 3 : 2, argv, stdout,
			 conf_kit.error);
}

static enum err reload(const char *file)
{
	char *argv[] = { program, conf_kit.file_flag, NULL };

	conf_kit_file_write(file, strlen(file));
	return conf_reload(&table, &house, 2, argv, conf_kit.error);
}

static const char *extra(const char *name, const char *option)
{
	const size_t i = conf_scoped_index(&house.scoped, slice_from_str(name));

	cr_assert_lt(i, house.scoped.n);
	return conf_scoped_extra(&table, &house.scoped.items[i], slice_from_str(option));
}

Test(conf_extra, what_only_the_program_knows_is_kept_as_text)
{
	cr_assert_eq(load("room.hall.doors = two\nroom.kit.chen.doors = none\n",
			  "--room.hall.windows=a=b"),
		     CONF_RUN, "%s", conf_kit.error);
	cr_expect_str_eq(extra("hall", "doors"), "two");
	cr_expect_str_eq(extra("hall", "windows"), "a=b");
	cr_expect_str_eq(extra("kit.chen", "doors"), "none");
	cr_expect_null(extra("kit.chen", "windows"));
	cr_expect_eq(house.scoped.items[0].extras_n, 2);
}

Test(conf_extra, what_it_knows_comes_from_all_sources_in_their_order)
{
	static const char file[] = "room.kit.chen.doors = file\n";

	cr_assert_eq(load(file, NULL), CONF_RUN);
	cr_expect_str_eq(extra("kit.chen", "doors"), "file");
	setenv("HELIOGRAPH_ROOM_KIT_CHEN_DOORS", "environment", 1);
	cr_expect_str_eq(extra("kit.chen", "doors"), "environment");
	cr_assert_eq(load(file, "--room.kit.chen.doors=flag"), CONF_RUN);
	cr_expect_str_eq(extra("kit.chen", "doors"), "flag");
}

Test(conf_extra, what_it_does_not_know_is_refused)
{
	cr_expect_eq(load("room.hall.roof = flat\n", NULL), CONF_FAIL);
	cr_expect_not_null(
		strstr(conf_kit.error, ":1: unknown option room.hall.roof; --help"));
	cr_expect_eq(load("room.hall.sice = 1\n", NULL), CONF_FAIL);
	cr_expect_not_null(strstr(conf_kit.error, "did you mean room.hall.size?"));
	cr_expect_eq(load("room.hall.door = 1\n", NULL), CONF_FAIL);
	cr_expect_not_null(strstr(conf_kit.error, "did you mean room.hall.doors?"));
	cr_expect_eq(load("\nroom.hall.doors = many\n", NULL), CONF_FAIL);
	cr_expect_not_null(
		strstr(conf_kit.error, ":2: room.hall.doors = many: a number is wanted"));
	cr_expect_eq(load("room.hall.doors = 1\nroom.Hall.doors = 2\n", NULL), CONF_FAIL);
	cr_expect_not_null(
		strstr(conf_kit.error, ":2: room.Hall.doors is already set in line 1"));
}

static const char *printed(const char *flag)
{
	char argument[32];
	char *argv[] = { program, argument, NULL };
	FILE *out = fmemopen(conf_kit.printed, sizeof(conf_kit.printed), "w");

	(void)snprintf(argument, sizeof(argument), "%s", flag);
	cr_assert_eq(conf_load(&table, &house, 2, argv, out, conf_kit.error), CONF_EXIT);
	(void)fclose(out);
	return conf_kit.printed;
}

Test(conf_extra, what_is_known_beforehand_is_printed)
{
	cr_expect_not_null(strstr(printed("--print-conf"),
				  "\n# In and out.\n# number, 0..9; SIGHUP changes it\n"
				  "#room.hall.doors = 2\n\n# In and out.\n"));
	cr_expect_not_null(strstr(printed("--help"),
				  "  --room.kit.chen.doors=2\n      In and out.\n      "
				  "number, 0..9; SIGHUP changes it\n"));
}

Test(conf_extra, reload_changes_what_only_the_program_knows)
{
	cr_assert_eq(load("room.hall.doors = one\nroom.hall.windows = x\n", NULL),
		     CONF_RUN);
	cr_assert_eq(reload("room.hall.doors = many\n"), ERR_MALFORMED);
	cr_expect_str_eq(extra("hall", "doors"), "one");
	cr_assert_eq(reload("room.hall.doors = two\n"), OK);
	cr_expect_str_eq(extra("hall", "doors"), "two");
	cr_expect_null(extra("hall", "windows"));
}
