/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The option table's defaults and the checks across options.
 */
#include "gateway/conf.h"

#include <criterion/criterion.h>
#include <stdio.h>

#include "gateway/auth_key.h"
#include "gateway/hub_conf.h"
#include "tests/unit/gateway/auth_kit.h"

static char *const ARGV[] = { (char[]){ "heliograph-gateway" },
			      (char[]){ "--routers=r1=tcp://127.0.0.1:7000" },
			      (char[]){ "--link_key_file=link.key" } };

static struct gateway_conf load(void)
{
	struct gateway_conf conf = { .worker = 0 };
	char error[CONF_ERROR_MAX] = "";

	cr_assert_eq(conf_load(&gateway_conf_table, &conf, 3, ARGV, stdout, error),
		     CONF_RUN, "%s", error);
	return conf;
}

static void expect_problem(const struct gateway_conf *conf, const char *option)
{
	const char *problem = gateway_conf_problem(conf);

	cr_expect_eq(strncmp(problem, option, strlen(option)), 0, "\"%s\" for %s",
		     problem, option);
}

Test(conf, defaults_are_those_of_the_manual)
{
	struct gateway_conf conf = load();

	cr_expect_str_eq(conf.proc.name, "g1");
	cr_expect_str_eq(conf.listen, "127.0.0.1:8080");
	cr_expect_str_eq(conf.admin_listen, "");
	cr_expect_str_eq(conf.hubs, "chat,notifications,collaboration,livedata");
	cr_expect_str_empty(conf.tls_cert);
	cr_expect_str_empty(conf.tls_key);
	cr_expect_eq(conf.workers, 1);
	cr_expect_not(conf.is_dev);
	cr_expect_eq(conf.connections_max, 16000);
	cr_expect_eq(conf.message_bytes_max, 32768);
	cr_expect_eq(conf.post_bytes_max, 1 << 20);
	cr_expect_eq(conf.queue_bytes_max, 1 << 20);
	cr_expect_eq(conf.invocations_max, 256);
	cr_expect_eq(conf.groups_per_connection_max, 1000);
	cr_expect_eq(conf.group_name_bytes_max, 1024);
	cr_expect_eq(conf.invocation_id_bytes_max, 256);
	cr_expect_eq(conf.keepalive_interval_ms, 15000);
	cr_expect_eq(conf.client_timeout_ms, 30000);
	cr_expect_eq(conf.poll_timeout_ms, 90000);
	cr_expect_eq(conf.close_timeout_ms, 5000);
	cr_expect_eq(conf.send_timeout_ms, 10000);
	/* Of what is slow nothing is left after 10 s: docs/RELIABILITY.md, row 15. */
	cr_expect_eq(conf.head_timeout_ms, 8000);
	cr_expect_eq(conf.body_timeout_ms, 8000);
	cr_expect_eq(conf.answer_timeout_ms, 4000);
	cr_expect_eq(conf.link.window_bytes_max, 16 << 20);
	cr_expect_eq(conf.link.lease_ms, 10000);
	cr_expect_not(conf.is_detailed);
	cr_expect_eq(conf.jwt.algorithm, AUTH_HS256);
	cr_expect_eq(conf.jwt.leeway_ms, 60000);
	cr_expect_str_eq(conf.jwt.user_claim, "");
	cr_expect_str_eq(conf.jwt.role_claims, "role,roles," ROLE_URI);
	cr_expect_eq(gateway_conf_dev_secret(&conf).len, 0);
	cr_expect_str_empty(gateway_conf_problem(&conf));
	conf_fini(&gateway_conf_table, &conf);
}

Test(conf, problems_name_the_option)
{
	struct gateway_conf good = load();
	struct gateway_conf conf = good;
	char listen[] = "8080";
	char beyond[] = "0.0.0.0:80";
	char high[] = "127.0.0.1:65534";
	char role_claims[] = "role,,roles";
	char long_name[] =
		"aaaaaaaaaabbbbbbbbbbccccccccccddddddddddeeeeeeeeeeffffffffffg";

	conf.listen = listen;
	expect_problem(&conf, "listen:");
	conf = good;
	conf.admin_listen = listen;
	expect_problem(&conf, "admin_listen:");
	conf = good;
	conf.admin_listen = high;
	conf.workers = 2;
	expect_problem(&conf, "");
	conf.workers = 3;
	expect_problem(&conf, "admin_listen:");
	conf = good;
	conf.listen = beyond;
	expect_problem(&conf, "");
	conf.is_dev = true;
	expect_problem(&conf, "dev:");
	conf = good;
	conf.client_timeout_ms = conf.keepalive_interval_ms;
	expect_problem(&conf, "client_timeout:");
	conf = good;
	conf.jwt.role_claims = role_claims;
	expect_problem(&conf, "auth_role_claims:");
	conf = good;
	conf.link.stream_timeout_ms = 2 * conf.link.ping_interval_ms;
	expect_problem(&conf, "");
	conf.link.stream_timeout_ms--;
	expect_problem(&conf, "link_ping_interval:");
	conf = good;
	conf.proc.name = long_name;
	expect_problem(&conf, "");
	conf.workers = 2;
	expect_problem(&conf, "name:");
	conf_fini(&gateway_conf_table, &good);
}

Test(conf, the_groups_of_a_connection_fit_one_message)
{
	struct gateway_conf good = load();
	struct gateway_conf conf = good;

	conf.groups_per_connection_max = 1 << 13;
	conf.group_name_bytes_max = 252;
	expect_problem(&conf, "");
	conf.group_name_bytes_max = 253;
	expect_problem(&conf, "group_name_bytes_max:");
	conf_fini(&gateway_conf_table, &good);
}

Test(conf, a_post_holds_any_hubs_message)
{
	struct gateway_conf conf = load();
	struct hub_conf *hub = conf_scoped_find(&conf.hub_confs, SLICE("chat"));

	conf.post_bytes_max = conf.message_bytes_max;
	expect_problem(&conf, "");
	hub->message_bytes_max = conf.post_bytes_max + 1;
	expect_problem(&conf, "post_bytes_max:");
	hub->message_bytes_max = conf.post_bytes_max;
	expect_problem(&conf, "");
	conf.post_bytes_max--;
	expect_problem(&conf, "post_bytes_max:");
	conf_fini(&gateway_conf_table, &conf);
}

Test(conf, a_check_finds_what_a_start_would)
{
	struct gateway_conf conf = { .worker = 0 };
	char error[CONF_ERROR_MAX] = "";
	char check[] = "-n";
	char *argv[] = { ARGV[0], ARGV[1], check };

	cr_expect_eq(conf_load(&gateway_conf_table, &conf, 3, argv, stdout, error),
		     CONF_FAIL);
	cr_expect_str_eq(error, "link_key_file: needed");
	argv[1] = ARGV[2];
	cr_expect_eq(conf_load(&gateway_conf_table, &conf, 3, argv, stdout, error),
		     CONF_FAIL);
	cr_expect_str_eq(error, "routers: at least one is needed");
}

Test(conf, routers_and_link_key_are_needed)
{
	struct gateway_conf good = load();
	struct gateway_conf conf = good;
	char empty[] = "";
	char file[] = "a.pem";

	conf.routers = empty;
	expect_problem(&conf, "routers:");
	conf = good;
	conf.link.key_file = empty;
	expect_problem(&conf, "link_key_file:");
	conf = good;
	conf.tls_cert = file;
	expect_problem(&conf, "tls_key:");
	conf.tls_key = file;
	cr_expect_str_empty(gateway_conf_problem(&conf));
	conf.tls_cert = empty;
	expect_problem(&conf, "tls_cert:");
	conf_fini(&gateway_conf_table, &good);
}

Test(conf, addresses_are_split_at_the_last_colon)
{
	struct slice host;
	uint16_t port;

	cr_assert_eq(gateway_conf_address("127.0.0.1:0", &host, &port), OK);
	cr_expect(slice_equal(host, SLICE("127.0.0.1")));
	cr_expect_eq(port, 0);
	cr_assert_eq(gateway_conf_address("[::1]:65535", &host, &port), OK);
	cr_expect(slice_equal(host, SLICE("[::1]")));
	cr_expect_eq(port, 65535);
	cr_expect_eq(gateway_conf_address("[::1]:65536", &host, &port), ERR_ARGUMENT);
	cr_expect_eq(gateway_conf_address("a:-1", &host, &port), ERR_ARGUMENT);
	cr_expect_eq(gateway_conf_address(":80", &host, &port), ERR_ARGUMENT);
	cr_expect_eq(gateway_conf_address("a:", &host, &port), ERR_ARGUMENT);
	cr_expect_eq(gateway_conf_address("localhost", &host, &port), ERR_ARGUMENT);
}

Test(conf, addresses_are_printed_with_their_end)
{
	struct buf text = BUF_INIT;

	gateway_conf_address_print(&text, SLICE("[::1]"), 80);
	cr_expect_str_eq(text.ptr, "[::1]:80");
	buf_fini(&text);
}

Test(conf, loopback_is_what_only_this_machine_reaches)
{
	cr_expect(gateway_conf_is_loopback("127.0.0.1:80"));
	cr_expect(gateway_conf_is_loopback("127.9.9.9:80"));
	cr_expect(gateway_conf_is_loopback("[::1]:80"));
	cr_expect(gateway_conf_is_loopback("LocalHost:80"));
	cr_expect_not(gateway_conf_is_loopback("0.0.0.0:80"));
	cr_expect_not(gateway_conf_is_loopback("[::]:80"));
	cr_expect_not(gateway_conf_is_loopback("128.0.0.1:80"));
	cr_expect_not(gateway_conf_is_loopback("localhost.example:80"));
	cr_expect_not(gateway_conf_is_loopback("localhost"));
}
