/* SPDX-License-Identifier: Apache-2.0 */
/* The defaults, and the ends of each range. */
#include "presence/conf.h"

#include <criterion/criterion.h>
#include <stdio.h>

static enum conf_outcome load(struct presence_conf *conf, const char *argument)
{
	char text[256];
	char program[] = "heliograph-presence";
	char *argv[] = { program, text };
	char error[CONF_ERROR_MAX];

	(void)snprintf(text, sizeof(text), "%s", argument);
	*conf = (struct presence_conf){ .sessions_max = 0 };
	return conf_load(&presence_conf_table, conf, argument[0] != '\0' ? 2 : 1, argv,
			 stdout, error);
}

static void expect(const char *argument, enum conf_outcome outcome)
{
	struct presence_conf conf;

	cr_expect_eq(load(&conf, argument), outcome, "%s", argument);
	if (outcome == CONF_RUN)
		conf_fini(&presence_conf_table, &conf);
}

Test(conf, defaults_are_those_of_the_manual)
{
	struct presence_conf conf;

	cr_assert_eq(load(&conf, ""), CONF_RUN);
	cr_expect_str_eq(conf.proc.name, "p1");
	cr_expect_str_eq(conf.link_listen, "tcp://127.0.0.1:7100");
	cr_expect_str_eq(conf.admin_listen, "127.0.0.1:8090");
	cr_expect_str_eq(conf.admin_token_file, "");
	cr_expect_eq(conf.link.lease_ms, 10000);
	cr_expect_eq(conf.sessions_max, 1000000);
	cr_expect_eq(conf.page_max, 1000);
	conf_fini(&presence_conf_table, &conf);
}

Test(conf, ranges_end_where_they_say)
{
	expect("--sessions_max=1", CONF_RUN);
	expect("--sessions_max=0", CONF_FAIL);
	expect("--sessions_max=100000000", CONF_RUN);
	expect("--sessions_max=100000001", CONF_FAIL);
	expect("--page_max=1", CONF_RUN);
	expect("--page_max=0", CONF_FAIL);
	expect("--page_max=10000", CONF_RUN);
	expect("--page_max=10001", CONF_FAIL);
	expect("--link_listen=", CONF_FAIL);
	expect("--admin_listen=", CONF_RUN);
}

Test(conf, options_go_together)
{
	expect("--link_ping_interval=2500ms", CONF_RUN);
	expect("--link_ping_interval=2501ms", CONF_FAIL);
	expect("--name=p=1", CONF_FAIL);
}
