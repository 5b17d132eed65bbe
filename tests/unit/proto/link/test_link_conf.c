/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What every program checks of its name and its link options, and that the tables of the
 * configuration ask for it: before a start, for -n and on a reload.
 */
#include "proto/link/link_conf.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "proto/base/conf.h"
#include "proto/link/link_name.h"

struct values {
	char *name;
	int64_t ping_interval_ms;
};

struct shared {
	struct link_conf link;
};

static const struct conf_option options[] = {
	{ "name", CONF_STRING, offsetof(struct values, name), "p1", 0, 100, NULL, "Name.",
	  false },
	{ "ping", CONF_MS, offsetof(struct values, ping_interval_ms), "1s", 1, 9000, NULL,
	  "Ping.", true },
};

/* With a lease that is long enough. */
static const char *check(const char *name, int64_t ping_interval_ms,
			 int64_t stream_timeout_ms)
{
	const struct link_conf link = { .ping_interval_ms = ping_interval_ms,
					.stream_timeout_ms = stream_timeout_ms,
					.lease_ms = 60000 };

	return link_conf_problem(name, &link, "");
}

static const char *problem(const void *values)
{
	const struct values *ours = values;

	return check(ours->name, ours->ping_interval_ms, 5000);
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
	cr_expect_str_empty(check("p1", 2500, 5000));
	cr_expect_str_eq(check("p1", 2501, 5002), "");
	cr_expect_str_eq(
		check("p1", 2501, 5001),
		"link_ping_interval: must be at most half of link_stream_timeout");
}

Test(link_conf, a_name_is_one_that_peers_take)
{
	char name[LINK_NAME_MAX + 2] = { 0 };

	cr_expect_not_null(strstr(check("", 1, 2), "name:"));
	cr_expect_not_null(strstr(check("a b", 1, 2), "name:"));
	memset(name, 'n', LINK_NAME_MAX);
	cr_expect_str_empty(check(name, 1, 2));
	name[LINK_NAME_MAX] = 'n';
	cr_expect_not_null(strstr(check(name, 1, 2), "name:"));
}

/* Else a gateway whose home stands still would be given up before it has moved. */
Test(link_conf, with_replicas_a_lease_outlives_a_move)
{
	struct link_conf link = { .ping_interval_ms = 1,
				  .stream_timeout_ms = 500,
				  .lease_ms = 500 + LINK_CONF_MOVE_MS };

	cr_expect_str_empty(link_conf_problem("g1", &link, ""));
	cr_expect_str_empty(link_conf_problem("g1", &link, "p1=tcp://a:1"));
	cr_expect_str_eq(link_conf_problem("g1", &link, "p1=tcp://a:1,p2=tcp://b:1"),
			 "lease: with several replicas of presence, must be longer than "
			 "link_stream_timeout and 2s together");
	link.lease_ms++;
	cr_expect_str_empty(link_conf_problem("g1", &link, "p1=tcp://a:1,p2=tcp://b:1"));
}

/* Its row cannot say so: a default is a text. */
Test(link_conf, the_newest_version_is_spoken_unless_told_otherwise)
{
	static const struct conf_option shared[] = { LINK_CONF_OPTIONS(struct shared,
								       link) };
	const struct conf_option *last = &shared[sizeof(shared) / sizeof(shared[0]) - 1];

	cr_assert_str_eq(last->name, "link_version_max");
	cr_expect_eq(strtol(last->initial, NULL, 10), LINK_VERSION);
	cr_expect_eq(last->max, LINK_VERSION);
	cr_expect_eq(last->min, LINK_VERSION_MIN);
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
