/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Every source and who wins, the answers to --help and its like, reloads, and the exact
 * text of every error: operators read them.
 */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/unit/proto/base/conf_kit.h"

TestSuite(conf, .init = conf_kit_setup, .fini = conf_kit_teardown);

/* ---- sources */

Test(conf, defaults)
{
	struct conf_kit_values values;

	cr_expect_eq(conf_kit_load(&values, NULL), CONF_RUN);
	cr_expect_not(values.is_dev);
	cr_expect_eq(values.clients_max, 100);
	cr_expect_eq(values.offset, 0);
	cr_expect_eq(values.keepalive_ms, 15000);
	cr_expect_eq(values.frame_bytes_max, 32768);
	cr_expect_str_eq(values.listen, "127.0.0.1:8080");
	cr_expect_str_eq(values.redis, "");
	cr_expect_eq(values.store, 0);
	cr_expect_str_eq(conf_kit.error, "");
	conf_fini(&conf_kit_table, &values);
	cr_expect_null(values.listen);
	conf_fini(&conf_kit_table, &values);
}

Test(conf, the_file_wins_over_defaults)
{
	static const char text[] = "# a comment\n"
				   "\n"
				   "  \t \n"
				   "clients_max = 7\n"
				   "\tkeepalive_interval=2m   # behind white space\r\n"
				   "listen = [::1]:80#a\n"
				   "redis =\n"
				   "dev = on";
	struct conf_kit_values values;

	conf_kit_file_write(text, strlen(text));
	values = conf_kit_load_good(conf_kit.file_flag);
	cr_expect_eq(values.clients_max, 7);
	cr_expect_eq(values.keepalive_ms, 120000);
	cr_expect_str_eq(values.listen, "[::1]:80#a");
	cr_expect_str_eq(values.redis, "");
	cr_expect(values.is_dev);
	cr_expect_eq(values.frame_bytes_max, 32768);
	conf_fini(&conf_kit_table, &values);
}

Test(conf, a_value_may_hold_an_equals_sign)
{
	struct conf_kit_values values;

	conf_kit_file_write("redis = a=b = c\n", 16);
	values = conf_kit_load_good(conf_kit.file_flag);
	cr_expect_str_eq(values.redis, "a=b = c");
	conf_fini(&conf_kit_table, &values);
	values = conf_kit_load_good("--redis=a=b");
	cr_expect_str_eq(values.redis, "a=b");
	conf_fini(&conf_kit_table, &values);
}

Test(conf, the_environment_wins_over_the_file)
{
	struct conf_kit_values values;

	conf_kit_file_write("clients_max = 7\noffset = 1\n", 27);
	setenv("HELIOGRAPH_CLIENTS_MAX", "8", 1);
	values = conf_kit_load_good(conf_kit.file_flag);
	cr_expect_eq(values.clients_max, 8);
	cr_expect_eq(values.offset, 1);
	conf_fini(&conf_kit_table, &values);
}

Test(conf, the_command_line_wins_over_the_environment)
{
	struct conf_kit_values values;

	conf_kit_file_write("clients_max = 7\n", 16);
	setenv("HELIOGRAPH_CLIENTS_MAX", "8", 1);
	setenv("HELIOGRAPH_OFFSET", "-1", 1);
	cr_expect_eq(conf_kit_load(&values, "--clients_max=9", conf_kit.file_flag, NULL),
		     CONF_RUN);
	cr_expect_eq(values.clients_max, 9);
	cr_expect_eq(values.offset, -1);
	conf_fini(&conf_kit_table, &values);
}

Test(conf, the_last_of_two_equal_flags_wins)
{
	struct conf_kit_values values;

	cr_expect_eq(conf_kit_load(&values, "--redis=a", "--redis=b", NULL), CONF_RUN);
	cr_expect_str_eq(values.redis, "b");
	conf_fini(&conf_kit_table, &values);
}

Test(conf, unknown_variables_are_ignored)
{
	struct conf_kit_values values;

	setenv("HELIOGRAPH_NO_SUCH_OPTION", "x", 1);
	values = conf_kit_load_good(NULL);
	conf_fini(&conf_kit_table, &values);
}

Test(conf, an_overridden_error_shows_all_the_same)
{
	struct conf_kit_values values;

	setenv("HELIOGRAPH_CLIENTS_MAX", "0", 1);
	cr_expect_eq(conf_kit_load(&values, "--clients_max=9", NULL), CONF_FAIL);
	cr_expect_str_eq(conf_kit.error,
			 "environment: clients_max = 0: accepted range is 1..1000");
}

Test(conf, an_empty_variable_is_a_value)
{
	struct conf_kit_values values;

	setenv("HELIOGRAPH_LISTEN", "", 1);
	cr_expect_eq(conf_kit_load(&values, NULL), CONF_FAIL);
	cr_expect_str_eq(conf_kit.error,
			 "environment: listen = : accepted length is 3..20 characters");
}

/* ---- errors */

Test(conf, a_refused_value_is_shown_short_and_printable)
{
	char arg[200];
	const char *dots;

	memset(arg, 'x', sizeof(arg) - 1);
	arg[sizeof(arg) - 1] = '\0';
	memcpy(arg, "--store=\x1b\n", 10);
	cr_expect_eq(conf_kit_load(&(struct conf_kit_values){ 0 }, arg, NULL), CONF_FAIL);
	cr_expect_eq(strncmp(conf_kit.error, "command line: store = ??xxx", 27), 0);
	dots = strstr(conf_kit.error, "...: accepted are");
	cr_assert_not_null(dots);
	cr_expect_eq(dots - conf_kit.error,
		     (ptrdiff_t)strlen("command line: store = ") + 64);
}

Test(conf, unknown_flags_get_a_suggestion)
{
	conf_kit_expect_refused(
		"--client_max=5",
		"command line: unknown option --client_max; did you mean --clients_max?");
	conf_kit_expect_refused("--keepalive-interval=5s",
				"command line: unknown option --keepalive-interval; "
				"did you mean --keepalive_interval?");
	conf_kit_expect_refused(
		"--versoin",
		"command line: unknown option --versoin; did you mean --version?");
	conf_kit_expect_refused(
		"--cnof=x", "command line: unknown option --cnof; did you mean --conf?");
	conf_kit_expect_refused("--DEV=on",
				"command line: unknown option --DEV; --help lists all");
}

Test(conf, unknown_flags_far_from_all_names_get_none)
{
	char arg[80] = "--";

	conf_kit_expect_refused(
		"--frobnicate=1",
		"command line: unknown option --frobnicate; --help lists all");
	memset(arg + 2, 'a', 65);
	cr_expect_eq(conf_kit_load(&(struct conf_kit_values){ 0 }, arg, NULL), CONF_FAIL);
	cr_expect_not_null(strstr(conf_kit.error, "...; --help lists all"));
}

Test(conf, what_is_no_flag_is_refused)
{
	conf_kit_expect_refused("serve", "command line: unexpected argument \"serve\"; "
					 "options are --name=value");
	conf_kit_expect_refused("-x", "command line: unexpected argument \"-x\"; "
				      "options are --name=value");
	conf_kit_expect_refused("", "command line: unexpected argument \"\"; "
				    "options are --name=value");
	conf_kit_expect_refused("--",
				"command line: unknown option --; --help lists all");
}

Test(conf, a_flag_and_its_value_are_one_argument)
{
	struct conf_kit_values values;

	cr_expect_eq(conf_kit_load(&values, "--clients_max", "5", NULL), CONF_FAIL);
	cr_expect_str_eq(
		conf_kit.error,
		"command line: --clients_max needs a value: --clients_max=value");
	conf_kit_expect_refused("--dev",
				"command line: --dev needs a value: --dev=value");
	conf_kit_expect_refused("--conf",
				"command line: --conf needs a value: --conf=FILE");
	conf_kit_expect_refused("--conf=", "command line: --conf= needs a file's path");
}

Test(conf, two_files_are_refused)
{
	struct conf_kit_values values;

	cr_expect_eq(conf_kit_load(&values, "--conf=a", "--conf=b", NULL), CONF_FAIL);
	cr_expect_str_eq(conf_kit.error, "command line: --conf is given twice");
}

Test(conf, a_file_that_cannot_be_read_is_named)
{
	conf_kit_expect_refused("--conf=/nonexistent/x.conf",
				"/nonexistent/x.conf: No such file or directory");
	conf_kit_expect_refused("--conf=/", "/: not a regular file");
	conf_kit_expect_refused("--conf=/dev/zero", "/dev/zero: not a regular file");
}

Test(conf, file_errors_name_the_line)
{
	conf_kit_expect_file_refused(
		"\n# c\nkeepalive_interval = 7h\n",
		":3: keepalive_interval = 7h: accepted range is 1s..10m");
	conf_kit_expect_file_refused(
		"client_max = 5\n",
		":1: unknown option client_max; did you mean clients_max?");
	conf_kit_expect_file_refused("zzzzzzzz = 5\n",
				     ":1: unknown option zzzzzzzz; --help lists all");
	conf_kit_expect_file_refused("\n= 5\n", ":2: unknown option ; --help lists all");
	conf_kit_expect_file_refused("dev = on\nlisten\n",
				     ":2: \"listen\": expected name = value");
	conf_kit_expect_file_refused("help = 5\n",
				     ":1: unknown option help; --help lists all");
}

Test(conf, a_duplicate_in_one_file_is_refused)
{
	conf_kit_expect_file_refused("dev = on\n\noffset = 1\ndev = on\n",
				     ":4: dev is already set in line 1");
}

Test(conf, a_nul_byte_in_the_file_is_refused)
{
	struct conf_kit_values values;

	conf_kit_file_write("dev = on\nredis = a\0b\n", 21);
	cr_expect_eq(conf_kit_load(&values, conf_kit.file_flag, NULL), CONF_FAIL);
	cr_expect_str_eq(conf_kit.error + strlen(conf_kit.file_path),
			 ":2: a NUL byte; this is no configuration file");
}

Test(conf, a_file_at_its_limit_and_one_past_it)
{
	size_t len = 256 << 10;
	char *text = malloc(len + 1);
	struct conf_kit_values values;

	cr_assert_not_null(text);
	memset(text, '\n', len + 1);
	conf_kit_file_write(text, len);
	values = conf_kit_load_good(conf_kit.file_flag);
	conf_fini(&conf_kit_table, &values);
	conf_kit_file_write(text, len + 1);
	cr_expect_eq(conf_kit_load(&values, conf_kit.file_flag, NULL), CONF_FAIL);
	cr_expect_str_eq(conf_kit.error + strlen(conf_kit.file_path),
			 ": larger than 262144 bytes");
	free(text);
}

Test(conf, a_long_error_is_cut)
{
	char arg[1000] = "--conf=/";
	struct conf_kit_values values;

	memset(arg + 8, 'x', sizeof(arg) - 9);
	cr_expect_eq(conf_kit_load(&values, arg, NULL), CONF_FAIL);
	cr_expect_eq(strlen(conf_kit.error), CONF_ERROR_MAX - 1);
}

/* ---- answers */

Test(conf, check_says_good_and_exits)
{
	struct conf_kit_values values;

	cr_expect_eq(conf_kit_load(&values, "-n", "--dev=on", NULL), CONF_EXIT);
	cr_expect_str_eq(conf_kit.printed,
			 "heliograph-test: the configuration is good\n");
	cr_expect_null(values.listen);
}

Test(conf, check_fails_like_a_start)
{
	struct conf_kit_values values;

	cr_expect_eq(conf_kit_load(&values, "--offset=9", "-n", NULL), CONF_FAIL);
	cr_expect_str_eq(conf_kit.error,
			 "command line: offset = 9: accepted range is -5..5");
	cr_expect_str_eq(conf_kit.printed, "");
}

Test(conf, help_lists_every_option)
{
	struct conf_kit_values values;

	cr_expect_eq(conf_kit_load(&values, "--help", "--nonsense", NULL), CONF_EXIT);
	cr_expect_eq(
		strncmp(conf_kit.printed, "usage: heliograph-test [--conf=FILE]", 36), 0);
	cr_expect_not_null(strstr(conf_kit.printed, "\nTests the configuration.\n"));
	cr_expect_not_null(strstr(conf_kit.printed,
				  "\n  --keepalive_interval=15s\n"
				  "      Between two pings.\n"
				  "      time, 1s..10m; SIGHUP changes it\n"));
	for (size_t i = 0; i < conf_kit_table.n; i++) {
		char flag[64];

		(void)snprintf(flag, sizeof(flag),
			       "\n  --%s=", conf_kit_table.options[i].name);
		cr_expect_not_null(strstr(conf_kit.printed, flag), "%s", flag);
	}
}

Test(conf, version_tells_compiler_and_library)
{
	struct conf_kit_values values;

	cr_expect_eq(conf_kit_load(&values, "--version", NULL), CONF_EXIT);
	cr_expect_eq(strncmp(conf_kit.printed, "heliograph-test ", 16), 0);
	cr_expect_not_null(strstr(conf_kit.printed, "\ncompiler: "));
	cr_expect_not_null(strstr(conf_kit.printed, "\nC library: glibc "));
}

Test(conf, print_conf_says_what_each_option_takes)
{
	struct conf_kit_values values;

	cr_expect_eq(conf_kit_load(&values, "--print-conf", NULL), CONF_EXIT);
	cr_expect_not_null(strstr(conf_kit.printed, "\n# For trying things.\n"
						    "# switch, on, off\n"
						    "dev = off\n"));
	cr_expect_not_null(strstr(conf_kit.printed,
				  "\n# number, -5..5; SIGHUP changes it\n"
				  "offset = 0\n"));
	cr_expect_not_null(strstr(conf_kit.printed,
				  "\n# time, 1s..10m; SIGHUP changes it\n"
				  "keepalive_interval = 15s\n"));
	cr_expect_not_null(strstr(conf_kit.printed, "\n# size, 1B..4GiB\n"
						    "frame_bytes_max = 32KiB\n"));
	cr_expect_not_null(strstr(conf_kit.printed,
				  "\n# text, 0..20 characters; SIGHUP changes it\n"
				  "redis = \n"));
	cr_expect_not_null(strstr(conf_kit.printed, "\n# choice, memory, redis\n"
						    "store = memory\n"));
}

Test(conf, print_conf_reads_back_to_the_defaults)
{
	struct conf_kit_values first;
	struct conf_kit_values again;

	cr_expect_eq(conf_kit_load(&first, "--print-conf", NULL), CONF_EXIT);
	conf_kit_file_write(conf_kit.printed, strlen(conf_kit.printed));
	cr_expect_eq(conf_kit_load(&first, NULL), CONF_RUN);
	again = conf_kit_load_good(conf_kit.file_flag);
	cr_expect_eq(again.is_dev, first.is_dev);
	cr_expect_eq(again.clients_max, first.clients_max);
	cr_expect_eq(again.offset, first.offset);
	cr_expect_eq(again.keepalive_ms, first.keepalive_ms);
	cr_expect_eq(again.frame_bytes_max, first.frame_bytes_max);
	cr_expect_str_eq(again.listen, first.listen);
	cr_expect_str_eq(again.redis, first.redis);
	cr_expect_eq(again.store, first.store);
	conf_fini(&conf_kit_table, &first);
	conf_fini(&conf_kit_table, &again);
}

/* ---- reload */

static enum err reload(struct conf_kit_values *values)
{
	char program[] = "heliograph-test";
	char *argv[] = { program, conf_kit.file_flag, NULL };

	return conf_reload(&conf_kit_table, values, 2, argv, conf_kit.error);
}

Test(conf, reload_changes_what_is_reloadable)
{
	static const char text[] =
		"clients_max = 8\nredis = b\nkeepalive_interval = 1m\n";
	struct conf_kit_values values;

	conf_kit_file_write("clients_max = 7\nredis = a\n", 26);
	values = conf_kit_load_good(conf_kit.file_flag);
	conf_kit_file_write(text, strlen(text));
	cr_expect_eq(reload(&values), OK);
	cr_expect_eq(values.clients_max, 8);
	cr_expect_str_eq(values.redis, "b");
	cr_expect_eq(values.keepalive_ms, 60000);
	conf_fini(&conf_kit_table, &values);
}

Test(conf, reload_brings_back_the_default_of_a_line_that_is_gone)
{
	struct conf_kit_values values;

	conf_kit_file_write("clients_max = 7\nredis = a\n", 26);
	values = conf_kit_load_good(conf_kit.file_flag);
	conf_kit_file_write("", 0);
	cr_expect_eq(reload(&values), OK);
	cr_expect_eq(values.clients_max, 100);
	cr_expect_str_eq(values.redis, "");
	conf_fini(&conf_kit_table, &values);
}

/* Reloads with stderr in a file, and leaves what was logged in `conf_kit.printed`. */
static enum err reload_logged(struct conf_kit_values *values)
{
	FILE *file = tmpfile();
	int saved = dup(STDERR_FILENO);
	enum err rc;
	size_t n;

	dup2(fileno(file), STDERR_FILENO);
	rc = reload(values);
	dup2(saved, STDERR_FILENO);
	close(saved);
	rewind(file);
	n = fread(conf_kit.printed, 1, sizeof(conf_kit.printed) - 1, file);
	conf_kit.printed[n] = '\0';
	fclose(file);
	return rc;
}

Test(conf, reload_names_what_needs_a_restart)
{
	static const char text[] =
		"listen = 0.0.0.0:80\ndev = on\nstore = redis\noffset = 2\n"
		"frame_bytes_max = 1KiB\n";
	struct conf_kit_values values = conf_kit_load_good(NULL);

	conf_kit_file_write(text, strlen(text));
	cr_expect_eq(reload_logged(&values), OK);
	cr_expect_not_null(strstr(conf_kit.printed,
				  "level=warn event=conf.needs_restart option=listen\n"));
	cr_expect_not_null(
		strstr(conf_kit.printed, "event=conf.needs_restart option=dev\n"));
	cr_expect_not_null(
		strstr(conf_kit.printed, "event=conf.needs_restart option=store\n"));
	cr_expect_not_null(strstr(conf_kit.printed,
				  "event=conf.needs_restart option=frame_bytes_max\n"));
	cr_expect_null(strstr(conf_kit.printed, "option=offset"));
	cr_expect_str_eq(values.listen, "127.0.0.1:8080");
	cr_expect_not(values.is_dev);
	cr_expect_eq(values.store, 0);
	cr_expect_eq(values.frame_bytes_max, 32768);
	cr_expect_eq(values.offset, 2);
	conf_fini(&conf_kit_table, &values);
}

Test(conf, reload_of_the_same_file_changes_and_says_nothing)
{
	struct conf_kit_values values;

	conf_kit_file_write("listen = 0.0.0.0:80\n", 20);
	values = conf_kit_load_good(conf_kit.file_flag);
	cr_expect_eq(reload_logged(&values), OK);
	cr_expect_str_eq(conf_kit.printed, "");
	cr_expect_str_eq(values.listen, "0.0.0.0:80");
	conf_fini(&conf_kit_table, &values);
}

Test(conf, a_bad_reload_leaves_all_as_it_was)
{
	struct conf_kit_values values;

	conf_kit_file_write("clients_max = 7\n", 16);
	values = conf_kit_load_good(conf_kit.file_flag);
	conf_kit_file_write("clients_max = 8\noffset = 6\n", 27);
	cr_expect_eq(reload(&values), ERR_MALFORMED);
	cr_expect_str_eq(conf_kit.error + strlen(conf_kit.file_path),
			 ":2: offset = 6: accepted range is -5..5");
	cr_expect_eq(values.clients_max, 7);
	unlink(conf_kit.file_path);
	cr_expect_eq(reload(&values), ERR_MALFORMED);
	cr_expect_str_eq(conf_kit.error + strlen(conf_kit.file_path),
			 ": No such file or directory");
	cr_expect_eq(values.clients_max, 7);
	conf_fini(&conf_kit_table, &values);
}
