/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The option table: its defaults, and that it can be printed and read back.
 */
#include "router/conf.h"

#include <criterion/criterion.h>
#include <stdio.h>

#include "router/hub_conf.h"

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
	cr_expect_str_eq(conf.hubs, "chat,notifications,collaboration,livedata");
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
	cr_expect_eq(conf.shards_hold_bytes_max, 16 << 20);
	cr_expect_eq(conf.rebuild_bytes_max, 16 << 20);
	cr_expect_str_eq(conf.redis.url, "");
	cr_expect_str_eq(conf.redis.prefix, "heliograph");
	cr_expect_eq(conf.redis.timeout_ms, 5000);
	cr_expect_eq(conf.state_keys_max, 10000);
	cr_expect_eq(conf.state_waits_max, 65536);
	cr_expect_eq(conf.state_bytes_max, 64 << 20);
	cr_expect_eq(conf.link.lease_ms, 10000);
	cr_expect_eq(conf.invocations_parallel_max, 1);
	cr_expect_eq(conf.client_result_timeout_ms, 30000);
	conf_fini(&router_conf_table, &conf);
}

Test(conf, a_hub_is_as_the_router_says_unless_it_says_otherwise)
{
	char error[CONF_ERROR_MAX] = "";
	struct router_conf conf = { .is_detailed = false };
	const struct hub_conf *relay;
	const struct hub_conf *chat;
	char *argv[] = { ARGV[0],
			 ARGV[1],
			 ARGV[2],
			 (char[]){ "--hubs=relay,chat" },
			 (char[]){ "--detailed_errors=on" },
			 (char[]){ "--hub_await_timeout=1s" },
			 (char[]){ "--client_result_timeout=2s" },
			 (char[]){ "--invocations_parallel_max=4" },
			 (char[]){ "--hub.chat.detailed_errors=off" },
			 (char[]){ "--hub.chat.await_timeout=3s" },
			 (char[]){ "--hub.chat.client_result_timeout=4s" },
			 (char[]){ "--hub.chat.invocations_parallel_max=5" } };

	cr_assert_eq(conf_load(&router_conf_table, &conf,
			       (int)(sizeof(argv) / sizeof(argv[0])), argv, stdout,
			       error),
		     CONF_RUN, "%s", error);
	relay = hub_conf_find(&conf, "relay");
	cr_expect(relay->is_detailed);
	cr_expect_eq(relay->await_timeout_ms, 1000);
	cr_expect_eq(relay->client_result_timeout_ms, 2000);
	cr_expect_eq(relay->invocations_parallel_max, 4);
	chat = hub_conf_find(&conf, "chat");
	cr_expect_not(chat->is_detailed);
	cr_expect_eq(chat->await_timeout_ms, 3000);
	cr_expect_eq(chat->client_result_timeout_ms, 4000);
	cr_expect_eq(chat->invocations_parallel_max, 5);
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
	expect_max("invocations_parallel_max", "1000", "1001");
	expect_max("invocations_parallel_max", "1", "0");
	expect_max("client_result_timeout", "10ms", "9ms");
	expect_max("hub.chat.invocations_parallel_max", "1000", "1001");
	expect_max("hub.chat.await_timeout", "10m", "600001");
	expect_max("hub_await_timeout", "10ms", "9ms");
	expect_max("shards_hold_bytes_max", "65536", "65535");
	expect_max("rebuild_bytes_max", "65536", "65535");
	expect_max("state_keys_max", "1", "0");
	expect_max("state_bytes_max", "65536", "65535");
	expect_max("link_ping_interval", "1000ms", "1001ms"); /* half the timeout */
}
