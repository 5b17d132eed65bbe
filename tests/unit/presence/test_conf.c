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
	cr_expect_str_eq(conf.redis.url, "");
	cr_expect_str_eq(conf.redis.prefix, "heliograph");
	cr_expect_eq(conf.redis.timeout_ms, 5000);
	cr_expect_eq(conf.redis.connect_timeout_ms, 5000);
	cr_expect_eq(conf.redis_queue_max, 100000);
	cr_expect_eq(conf.offline_grace_ms, 0);
	cr_expect_eq(conf.events_max, 10000);
	cr_expect_str_eq(conf.admin_tls_cert, "");
	cr_expect_str_eq(conf.admin_tls_client_ca, "");
	cr_expect_eq(conf.admin_body_max, 256 * 1024);
	cr_expect_eq(conf.events_watchers_max, 100);
	cr_expect_eq(conf.events_queue_max, 1024 * 1024);
	cr_expect_eq(conf.commands_max, 1024);
	cr_expect_eq(conf.command_timeout_ms, 5000);
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
	expect("--admin_body_max=1KiB", CONF_RUN);
	expect("--admin_body_max=1023", CONF_FAIL);
	expect("--admin_body_max=2MiB", CONF_RUN);
	expect("--admin_body_max=2097153", CONF_FAIL);
	expect("--events_watchers_max=0", CONF_RUN);
	expect("--events_watchers_max=-1", CONF_FAIL);
	expect("--events_watchers_max=10000", CONF_RUN);
	expect("--events_watchers_max=10001", CONF_FAIL);
	expect("--events_queue_max=4KiB", CONF_RUN);
	expect("--events_queue_max=4095", CONF_FAIL);
	expect("--events_queue_max=64MiB", CONF_RUN);
	expect("--events_queue_max=67108865", CONF_FAIL);
	expect("--admin_tls_cert=c", CONF_FAIL);
	expect("--admin_tls_key=k", CONF_FAIL);
	expect("--admin_tls_client_ca=a", CONF_FAIL);
	expect("--commands_max=1", CONF_RUN);
	expect("--commands_max=0", CONF_FAIL);
	expect("--commands_max=65536", CONF_RUN);
	expect("--commands_max=65537", CONF_FAIL);
	expect("--command_timeout=10ms", CONF_RUN);
	expect("--command_timeout=9ms", CONF_FAIL);
	expect("--command_timeout=1m", CONF_RUN);
	expect("--command_timeout=60001ms", CONF_FAIL);
	expect("--offline_grace=0", CONF_RUN);
	expect("--offline_grace=1h", CONF_RUN);
	expect("--offline_grace=3600001ms", CONF_FAIL);
	expect("--events_max=1", CONF_RUN);
	expect("--events_max=0", CONF_FAIL);
	expect("--events_max=1000000", CONF_RUN);
	expect("--events_max=1000001", CONF_FAIL);
	expect("--redis_timeout=100ms", CONF_RUN);
	expect("--redis_timeout=99ms", CONF_FAIL);
	expect("--redis_timeout=1m", CONF_RUN);
	expect("--redis_timeout=60001ms", CONF_FAIL);
	expect("--redis_connect_timeout=100ms", CONF_RUN);
	expect("--redis_connect_timeout=99ms", CONF_FAIL);
	expect("--redis_connect_timeout=60001ms", CONF_FAIL);
	expect("--redis_queue_max=1", CONF_RUN);
	expect("--redis_queue_max=0", CONF_FAIL);
	expect("--redis_queue_max=10000000", CONF_RUN);
	expect("--redis_queue_max=10000001", CONF_FAIL);
	expect("--link_listen=", CONF_FAIL);
	expect("--admin_listen=", CONF_RUN);
}

Test(conf, where_redis_is_has_three_forms)
{
	expect("--redis=redis://10.0.0.1:6379/2", CONF_RUN);
	expect("--redis=redis://presence@redis", CONF_RUN);
	expect("--redis=unix:///run/redis.sock?db=1", CONF_RUN);
	expect("--redis=redis-sentinel://a:26379,b:26379/hub/3", CONF_RUN);
	expect("--redis=redis-sentinel://a:26379", CONF_FAIL);
	expect("--redis=http://10.0.0.1", CONF_FAIL);
	expect("--redis=10.0.0.1:6379", CONF_FAIL);
	expect("--redis_prefix=eu.chat:1_b-2", CONF_RUN);
	expect("--redis_prefix=", CONF_FAIL);
	expect("--redis_prefix=a{b}", CONF_FAIL);
}

Test(conf, options_go_together)
{
	expect("--link_ping_interval=1000ms", CONF_RUN);
	expect("--link_ping_interval=1001ms", CONF_FAIL);
	expect("--name=p=1", CONF_FAIL);
}
