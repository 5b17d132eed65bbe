/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The client that asks Sentinels: made-up ones that know nothing, lie or are not there,
 * and real ones while a real master dies.
 */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "proto/base/redis_secrets.h"
#include "tests/unit/proto/base/redis_kit.h"

static struct redis_kit kit;
static struct fake sentinels[3];
static struct fake master;
static struct fake other;

static void setup(void)
{
	redis_kit_init(&kit);
	for (size_t i = 0; i < 3; i++)
		fake_open(&kit, &sentinels[i]);
	fake_open(&kit, &master);
	fake_open(&kit, &other);
	snprintf(kit.url, sizeof(kit.url),
		 "redis-sentinel://127.0.0.1:%d,127.0.0.1:%d,127.0.0.1:%d/hub",
		 sentinels[0].port, sentinels[1].port, sentinels[2].port);
}

static void teardown(void)
{
	redis_kit_fini(&kit);
	for (size_t i = 0; i < 3; i++)
		fake_close(&sentinels[i]);
	fake_close(&master);
	fake_close(&other);
}

TestSuite(redis_sentinel, .init = setup, .fini = teardown, .timeout = 90);

static const char question[] =
	"*3\r\n$8\r\nSENTINEL\r\n$23\r\nGET-MASTER-ADDR-BY-NAME\r\n$3\r\nhub\r\n";

/* Waits for the question, and answers it with `bytes`. */
static void sentinel_say(size_t i, const char *bytes)
{
	struct fake *sentinel = &sentinels[i];

	fake_wait_conn(&kit, sentinel);
	fake_wait(&kit, sentinel, "hub\r\n");
	cr_expect_str_eq(sentinel->in.ptr, question);
	fake_say(sentinel, bytes, strlen(bytes));
}

static void sentinel_hang_up(size_t i)
{
	fake_hang_up(&sentinels[i]);
}

static void sentinel_name(size_t i, const struct fake *server)
{
	char port[16];
	char bytes[64];

	snprintf(port, sizeof(port), "%d", server->port);
	snprintf(bytes, sizeof(bytes), "*2\r\n$9\r\n127.0.0.1\r\n$%zu\r\n%s\r\n",
		 strlen(port), port);
	sentinel_say(i, bytes);
}

Test(redis_sentinel, asks_each_until_one_knows_and_that_one_first_the_next_time)
{
	fake_close(&sentinels[0]); /* not there */
	redis_kit_open(&kit);
	sentinel_say(1, "*-1\r\n"); /* knows no such master */
	sentinel_name(2, &master);
	fake_let_in(&kit, &master);
	sentinel_hang_up(1);
	sentinel_hang_up(2);
	fake_hang_up(&master);
	sentinel_name(2, &other);
	fake_let_in(&kit, &other);
	cr_expect_eq(kit.ups, 2);
	cr_expect_lt(accept(sentinels[1].listener, NULL, NULL), 0, "it was asked, too");
	cr_expect_eq(kit.stats.failures_total, 0);
}

Test(redis_sentinel, tries_again_when_none_of_them_knows)
{
	redis_kit_open(&kit);
	for (size_t i = 0; i < 3; i++) {
		sentinel_say(i, "-ERR no\r\n");
		sentinel_hang_up(i);
	}
	REDIS_KIT_WAIT(&kit, kit.stats.failures_total == 1);
	sentinel_name(0, &master);
	fake_let_in(&kit, &master);
}

Test(redis_sentinel, takes_no_answer_that_is_no_address)
{
	static const char *const bad[] = {
		"*0\r\n",
		"*1\r\n$1\r\na\r\n",
		"*3\r\n$1\r\na\r\n$1\r\n1\r\n$1\r\n1\r\n",
		"*2\r\n:1\r\n$1\r\n1\r\n",
		"*2\r\n$1\r\na\r\n:1\r\n",
		"*2\r\n$1\r\na\r\n$1\r\n0\r\n",
		"*2\r\n$1\r\na\r\n$5\r\n65536\r\n",
		"*2\r\n$0\r\n\r\n$1\r\n1\r\n",
		"*2\r\n$4\r\n/a/b\r\n$1\r\n1\r\n",
		"+OK\r\n",
		"$1\r\na\r\n",
		"no protocol at all",
	};

	redis_kit_open(&kit);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		sentinel_say(i % 3, bad[i]);
		/* The next is asked, or, after the third, the first again. */
		REDIS_KIT_WAIT(&kit, fake_is_left(&sentinels[i % 3]));
		sentinel_hang_up(i % 3);
	}
	cr_expect_eq(kit.ups, 0);
	REDIS_KIT_WAIT(&kit,
		       kit.stats.failures_total == sizeof(bad) / sizeof(bad[0]) / 3);
}

Test(redis_sentinel, goes_on_when_one_is_silent)
{
	kit.options.connect_timeout_ms = 100;
	redis_kit_open(&kit);
	sentinel_say(0, "*2\r\n$1\r\n");
	sentinel_name(1, &master);
	fake_let_in(&kit, &master);
}

Test(redis_sentinel, asks_again_when_the_master_turns_out_to_be_none)
{
	redis_kit_open(&kit);
	sentinel_name(0, &master);
	fake_wait_conn(&kit, &master);
	fake_wait(&kit, &master, "PING\r\n");
	FAKE_SAY(&master, "*1\r\n$5\r\nslave\r\n+PONG\r\n");
	sentinel_hang_up(0);
	sentinel_name(0, &other);
	fake_let_in(&kit, &other);
	cr_expect_eq(kit.stats.failures_total, 1);
}

Test(redis_sentinel, leaves_a_master_that_is_not_named_any_more)
{
	kit.options.check_ms = 50;
	redis_kit_open(&kit);
	sentinel_name(0, &master);
	fake_let_in(&kit, &master);
	sentinel_hang_up(0);
	sentinel_name(0, &other);
	REDIS_KIT_WAIT(&kit, kit.downs == 1);
	cr_expect_str_eq(kit.why, "the Sentinels name another master");
	sentinel_hang_up(0);
	sentinel_name(0, &other);
	fake_let_in(&kit, &other);
}

Test(redis_sentinel, stays_with_its_master_when_no_sentinel_knows)
{
	kit.options.check_ms = 50;
	redis_kit_open(&kit);
	sentinel_name(0, &master);
	fake_let_in(&kit, &master);
	sentinel_hang_up(0);
	for (size_t i = 0; i < 3; i++) {
		sentinel_say(i, "*-1\r\n");
		sentinel_hang_up(i);
	}
	sentinel_name(0, &master); /* the next check; it was still up for it */
	cr_expect_eq(kit.downs, 0);
}

Test(redis_sentinel, has_a_password_for_them)
{
	kit.options.sentinel_password = SLICE("pw");
	redis_kit_open(&kit);
	fake_wait_conn(&kit, &sentinels[0]);
	fake_wait(&kit, &sentinels[0], "*2\r\n$4\r\nAUTH\r\n$2\r\npw\r\n*3\r\n");
	FAKE_SAY(&sentinels[0], "-WRONGPASS no\r\n");
	fake_wait_conn(&kit, &sentinels[1]);
	fake_wait(&kit, &sentinels[1], "AUTH");
	FAKE_SAY(&sentinels[1], "+OK\r\n*-1\r\n");
	fake_wait_conn(&kit, &sentinels[2]);
}

Test(redis_sentinel, has_another_password_for_the_next_one)
{
	const struct redis_secrets passwords = {
		.sentinel_password = { .items = { SLICE("new"), SLICE("old") }, .n = 2 },
	};

	redis_kit_open(&kit);
	redis_set_secrets(kit.redis, &passwords);
	fake_wait_conn(&kit, &sentinels[0]);
	fake_wait(&kit, &sentinels[0], "*2\r\n$4\r\nAUTH\r\n$3\r\nnew\r\n*3\r\n");
	FAKE_SAY(&sentinels[0], "-WRONGPASS no\r\n");
	fake_wait_conn(&kit, &sentinels[1]);
	fake_wait(&kit, &sentinels[1], "*2\r\n$4\r\nAUTH\r\n$3\r\nold\r\n*3\r\n");
}

/* ---- real ones */

static struct redis_kit folders[2]; /* of the servers, no more */
static struct redis_server servers[2];
static struct redis_server sentinel;

static void start_failover(void)
{
	char port[16];

	redis_kit_init(&folders[0]);
	redis_kit_init(&folders[1]);
	redis_server_start(&folders[0], &servers[0], "--repl-diskless-sync-delay", "0",
			   NULL);
	snprintf(port, sizeof(port), "%d", servers[0].port);
	redis_server_start(&folders[1], &servers[1], "--replicaof", "127.0.0.1", port,
			   NULL);
}

/* Until the replica has what was set. A Sentinel that is started then hears of it first
 * thing; it would ask again only after 10 s. */
static void replicate(const char *key, const char *value)
{
	struct asked set = { .then = NULL };
	struct asked wait = { .then = NULL };

	snprintf(kit.url, sizeof(kit.url), "redis://127.0.0.1:%d", servers[0].port);
	redis_kit_open(&kit);
	redis_kit_ask(&kit, &set, "SET", key, value, NULL);
	do {
		redis_kit_ask(&kit, &wait, "WAIT", "1", "1000", NULL);
		redis_kit_wait(&kit, &wait);
	} while (wait.integer != 1);
	redis_free(kit.redis);
}

static void end_failover(void)
{
	redis_server_kill(&servers[0]);
	redis_server_kill(&servers[1]);
	redis_server_kill(&sentinel);
	redis_kit_fini(&folders[0]);
	redis_kit_fini(&folders[1]);
}

/* Until the Sentinel has heard of the replica. */
static void wait_replica(void)
{
	static const char ask[] =
		"*3\r\n$8\r\nSENTINEL\r\n$8\r\nREPLICAS\r\n$3\r\nhub\r\n";
	struct fake client = { .fd = redis_kit_connect(sentinel.port), .listener = -1 };

	FAKE_SAY(&client, ask);
	fake_wait(&kit, &client, "\r\n");
	while (strncmp(client.in.ptr, "*0", 2) == 0) {
		buf_clear(&client.in);
		FAKE_SAY(&client, ask);
		fake_wait(&kit, &client, "\r\n");
	}
	fake_close(&client);
}

Test(redis_sentinel, follows_a_real_master_that_dies)
{
	struct asked get = { .then = NULL };

	start_failover();
	replicate("key", "value");
	redis_sentinel_start(&kit, &sentinel, servers[0].port);
	kit.options.connect_timeout_ms = 500;
	kit.options.command_timeout_ms = REDIS_KIT_WAIT_MS;
	redis_kit_open(&kit);
	redis_kit_wait_up(&kit);
	wait_replica();
	redis_server_kill(&servers[0]);
	REDIS_KIT_WAIT(&kit, kit.downs == 1);
	redis_kit_ask(&kit, &get, "GET", "key", NULL);
	redis_kit_wait(&kit, &get);
	cr_expect_eq(get.rc, OK);
	cr_expect_str_eq(get.text, "value");
	cr_expect_eq(kit.downs, 1);
	end_failover();
}
