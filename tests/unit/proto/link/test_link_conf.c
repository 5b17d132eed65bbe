/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What every program checks of its name and its link options, and that the tables of the
 * configuration ask for it: before a start, for -n and on a reload.
 */
#include "proto/link/link_conf.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "proto/base/conf.h"
#include "proto/link/link_name.h"

struct values {
	char *name;
	int64_t ping_interval_ms;
};

static const struct conf_option options[] = {
	{ "name", CONF_STRING, offsetof(struct values, name), "p1", 0, 100, NULL, "Name.",
	  false },
	{ "ping", CONF_MS, offsetof(struct values, ping_interval_ms), "1s", 1, 9000, NULL,
	  "Ping.", true },
};

static const char *problem(const void *values)
{
	const struct values *ours = values;

	return link_conf_problem(ours->name, ours->ping_interval_ms, 5000);
}

static const struct conf_table table = {
	.program = "heliograph-test",
	.summary = "Tests what goes together.",
	.options = options,
	.n = sizeof(options) / sizeof(options[0]),
	.problem = problem,
};

static char error[CONF_ERROR_MAX];

static enum conf_outcome load(struct values *values, char *first, char *second)
{
	char program[] = "heliograph-test";
	char *argv[] = { program, first, second };

	*values = (struct values){ .name = NULL };
	return conf_load(&table, values, second != NULL ? 3 : 2, argv, stdout, error);
}

Test(link_conf, a_ping_comes_twice_before_the_timeout)
{
	cr_expect_str_empty(link_conf_problem("p1", 2500, 5000));
	cr_expect_str_eq(link_conf_problem("p1", 2501, 5002), "");
	cr_expect_str_eq(
		link_conf_problem("p1", 2501, 5001),
		"link_ping_interval: must be at most half of link_stream_timeout");
}

Test(link_conf, a_name_is_one_that_peers_take)
{
	char name[LINK_NAME_MAX + 2] = { 0 };

	cr_expect_not_null(strstr(link_conf_problem("", 1, 2), "name:"));
	cr_expect_not_null(strstr(link_conf_problem("a b", 1, 2), "name:"));
	memset(name, 'n', LINK_NAME_MAX);
	cr_expect_str_empty(link_conf_problem(name, 1, 2));
	name[LINK_NAME_MAX] = 'n';
	cr_expect_not_null(strstr(link_conf_problem(name, 1, 2), "name:"));
}

Test(link_conf, a_problem_keeps_it_from_starting)
{
	struct values values;
	char good[] = "--ping=2500";
	char bad[] = "--ping=2501";

	cr_expect_eq(load(&values, good, NULL), CONF_RUN);
	conf_fini(&table, &values);
	cr_expect_eq(load(&values, bad, NULL), CONF_FAIL);
	cr_expect_str_eq(
		error, "link_ping_interval: must be at most half of link_stream_timeout");
	cr_expect_null(values.name);
}

Test(link_conf, a_check_finds_the_same_problem)
{
	struct values values;
	char check[] = "-n";
	char good[] = "--name=n";
	char bad[] = "--name=a b";

	cr_expect_eq(load(&values, check, good), CONF_EXIT);
	cr_expect_eq(load(&values, check, bad), CONF_FAIL);
	cr_expect_not_null(strstr(error, "name:"));
}

Test(link_conf, a_reload_with_a_problem_changes_nothing)
{
	struct values values;
	char program[] = "heliograph-test";
	char good[] = "--ping=2s";
	char bad[] = "--ping=3s";
	char *argv[] = { program, bad };

	cr_assert_eq(load(&values, good, NULL), CONF_RUN);
	cr_expect_eq(conf_reload(&table, &values, 2, argv, error), ERR_MALFORMED);
	cr_expect_eq(values.ping_interval_ms, 2000);
	argv[1] = good;
	cr_expect_eq(conf_reload(&table, &values, 2, argv, error), OK);
	conf_fini(&table, &values);
}
