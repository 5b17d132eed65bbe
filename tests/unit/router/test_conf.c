/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The option table: its defaults, and that it can be printed and read back.
 */
#include "router/conf.h"

#include <criterion/criterion.h>
#include <stdio.h>

static char *const ARGV[] = { (char[]){ "heliograph-router" },
			      (char[]){ "--routers=r1=tcp://127.0.0.1:7000" },
			      (char[]){ "--link_key_file=link.key" } };

static enum conf_outcome load(struct router_conf *conf, char *option,
			      char error[CONF_ERROR_MAX])
{
	char *argv[] = { ARGV[0], ARGV[1], ARGV[2], option };

	*conf = (struct router_conf){ .is_detailed = false };
	return conf_load(&router_conf_table, conf, option != NULL ? 4 : 3, argv, stdout,
			 error);
}

Test(conf, defaults_are_those_of_the_manual)
{
	char error[CONF_ERROR_MAX] = "";
	struct router_conf conf;

	cr_assert_eq(load(&conf, NULL, error), CONF_RUN, "%s", error);
	cr_expect_str_eq(conf.proc.name, "r1");
	cr_expect_str_eq(conf.hubs, "relay,chat");
	cr_expect_str_empty(conf.presence);
	cr_expect_str_empty(conf.admin_listen);
	cr_expect_str_empty(conf.link_listen);
	cr_expect_not(conf.is_detailed);
	cr_expect_eq(conf.hub_calls_max, 4096);
	cr_expect_eq(conf.hub_await_timeout_ms, 10000);
	cr_expect_eq(conf.hub_slow_ms, 10);
	cr_expect_eq(conf.conn_calls_max, 1024);
	cr_expect_eq(conf.rebuild_wait_ms, 1000);
	cr_expect_eq(conf.rebuild_timeout_ms, 5000);
	cr_expect_eq(conf.rebuild_bytes_max, 16 << 20);
	cr_expect_eq(conf.journal_keys_max, 10000);
	cr_expect_eq(conf.journal_bytes_max, 64 << 20);
	cr_expect_eq(conf.link.lease_ms, 10000);
	conf_fini(&router_conf_table, &conf);
}

/* The value at the end of its range, and one past it. */
static void expect_max(const char *option, const char *at, const char *past)
{
	char error[CONF_ERROR_MAX] = "";
	struct router_conf conf;
	char text[64];

	snprintf(text, sizeof(text), "--%s=%s", option, at);
	cr_expect_eq(load(&conf, text, error), CONF_RUN, "%s: %s", text, error);
	conf_fini(&router_conf_table, &conf);
	snprintf(text, sizeof(text), "--%s=%s", option, past);
	cr_expect_neq(load(&conf, text, error), CONF_RUN, "%s", text);
	cr_expect_not_null(strstr(error, option), "\"%s\" for %s", error, text);
	conf_fini(&router_conf_table, &conf);
}

Test(conf, numbers_have_a_range)
{
	expect_max("hub_calls_max", "30000", "30001");
	expect_max("hub_calls_max", "1", "0");
	expect_max("connection_calls_max", "65536", "65537");
	expect_max("connection_calls_max", "1", "0");
	expect_max("hub_await_timeout", "10ms", "9ms");
	expect_max("rebuild_bytes_max", "65536", "65535");
	expect_max("journal_keys_max", "1", "0");
	expect_max("journal_bytes_max", "65536", "65535");
	expect_max("link_ping_interval", "2500ms", "2501ms"); /* half the timeout */
}
