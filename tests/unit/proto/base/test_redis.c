/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The client against a real redis-server: both kinds of socket, logging in, pipelines,
 * scripts that the server forgets, and servers that are paused, killed and demoted.
 */
#include <criterion/criterion.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "proto/base/redis_secrets.h"
#include "tests/unit/proto/base/redis_kit.h"

#define MANY 1000

enum { APPEND, LENGTH, SCRIPTS };

static const struct redis_script scripts[SCRIPTS] = {
	[APPEND] = { "append", "return redis.call('APPEND', KEYS[1], ARGV[1])" },
	[LENGTH] = { "length", "return redis.call('STRLEN', KEYS[1])" },
};

static struct redis_kit kit;
static struct redis_server server;

static void setup(void)
{
	redis_kit_init(&kit);
	server = (struct redis_server){ .pid = 0 };
}

static void teardown(void)
{
	redis_server_kill(&server);
	redis_kit_fini(&kit);
}

TestSuite(redis, .init = setup, .fini = teardown, .timeout = 60);

static void start(void)
{
	kit.options.scripts = scripts;
	kit.options.scripts_n = SCRIPTS;
	redis_server_start(&kit, &server, NULL);
	redis_kit_open(&kit);
	redis_kit_wait_up(&kit);
}

static void expect_text(const char *key, const char *text)
{
	struct asked asked = { .then = NULL };

	redis_kit_ask(&kit, &asked, "GET", key, NULL);
	redis_kit_wait(&kit, &asked);
	cr_expect_eq(asked.rc, OK);
	cr_expect_str_eq(asked.text, text);
}

Test(redis, answers_over_a_socket_file)
{
	struct asked set = { .then = NULL };

	start();
	redis_kit_ask(&kit, &set, "SET", "key", "value", NULL);
	cr_expect_eq(set.rc, ERR_AGAIN); /* never before it returns */
	redis_kit_wait(&kit, &set);
	cr_expect_eq(set.rc, OK);
	cr_expect_eq(set.type, REDIS_STRING);
	cr_expect_str_eq(set.text, "OK");
	expect_text("key", "value");
	cr_expect_eq(kit.ups, 1);
	cr_expect_eq(redis_away_since_ms(kit.redis), 0);
}

Test(redis, answers_over_tcp)
{
	struct asked set = { .then = NULL };

	redis_server_start(&kit, &server, NULL);
	snprintf(kit.url, sizeof(kit.url), "redis://localhost:%d", server.port);
	redis_kit_open(&kit);
	cr_expect_not(redis_is_up(kit.redis));
	cr_expect_eq(redis_away_since_ms(kit.redis), loop_unix_ms(kit.loop));
	redis_kit_ask(&kit, &set, "SET", "key", "value", NULL); /* waits until then */
	redis_kit_wait(&kit, &set);
	cr_expect_eq(set.rc, OK);
	cr_expect_eq(kit.ups, 1);
}

/* ---- logging in */

Test(redis, logs_in_with_a_password)
{
	redis_server_start(&kit, &server, "--requirepass", "secret", NULL);
	kit.options.password = SLICE("secret");
	redis_kit_open(&kit);
	redis_kit_wait_up(&kit);
}

Test(redis, logs_in_as_a_user_who_may_do_only_what_is_needed)
{
	struct asked asked = { .then = NULL };

	redis_server_start(&kit, &server, "--user", "presence", "on", ">secret", "~p:*",
			   "+auth", "+role", "+ping", "+script|load", "+evalsha",
			   "+append", NULL);
	snprintf(kit.url, sizeof(kit.url), "unix://presence@%s", server.socket);
	kit.options.scripts = scripts;
	kit.options.scripts_n = SCRIPTS;
	kit.options.password = SLICE("secret");
	redis_kit_open(&kit);
	redis_kit_wait_up(&kit);
	redis_kit_run(&kit, &asked, APPEND, "p:key", "abc");
	redis_kit_wait(&kit, &asked);
	cr_expect_eq(asked.integer, 3);
	redis_kit_ask(&kit, &asked, "FLUSHALL", NULL);
	redis_kit_wait(&kit, &asked);
	cr_expect_eq(asked.rc, OK);
	cr_expect_eq(asked.type, REDIS_ERROR);
	cr_expect_eq(kit.stats.errors_total, 1);
}

Test(redis, is_not_let_in_with_a_wrong_password)
{
	redis_server_start(&kit, &server, "--requirepass", "secret", NULL);
	kit.options.password = SLICE("Secret");
	redis_kit_open(&kit);
	/* At least one of them was no connection refused. */
	REDIS_KIT_WAIT(&kit, kit.stats.bytes_in_total > 0);
	REDIS_KIT_WAIT(&kit, kit.stats.failures_total >= 3);
	cr_expect_eq(kit.ups, 0);
	cr_expect_eq(kit.downs, 0);
}

/* The server still wants the old one, or wants the new one already. */
Test(redis, is_let_in_with_another_of_its_passwords)
{
	const struct redis_secrets passwords = {
		.password = { .items = { SLICE("new"), SLICE("newer"), SLICE("secret") },
			      .n = 3 },
	};

	redis_server_start(&kit, &server, "--requirepass", "secret", NULL);
	redis_kit_open(&kit);
	redis_set_secrets(kit.redis, &passwords);
	redis_kit_wait_up(&kit);
}

Test(redis, a_password_that_changes_is_for_the_next_connection)
{
	const struct redis_secrets passwords = { .password = SECRETS_OF(SLICE("new")) };
	struct asked asked = { .then = NULL };

	redis_server_start(&kit, &server, "--requirepass", "secret", NULL);
	kit.options.password = SLICE("secret");
	redis_kit_open(&kit);
	redis_kit_wait_up(&kit);
	redis_set_secrets(kit.redis, &passwords);
	redis_kit_ask(&kit, &asked, "CONFIG", "SET", "requirepass", "new", NULL);
	redis_kit_wait(&kit, &asked);
	cr_expect_eq(asked.rc, OK);
	cr_expect_eq(kit.downs, 0);
	redis_kit_prepare(&kit, &asked);
	redis_kit_ask(&kit, &asked, "CLIENT", "KILL", "TYPE", "normal", "SKIPME", "no",
		      NULL);
	REDIS_KIT_WAIT(&kit, kit.downs == 1);
	REDIS_KIT_WAIT(&kit, kit.ups == 2);
}

Test(redis, selects_its_database)
{
	struct asked info = { .then = NULL };

	redis_server_start(&kit, &server, NULL);
	strcat(kit.url, "?db=7");
	redis_kit_open(&kit);
	redis_kit_ask(&kit, &info, "CLIENT", "INFO", NULL);
	redis_kit_wait(&kit, &info);
	cr_expect_not_null(strstr(info.text, " db=7 "), "%s", info.text);
}

/* ---- pipelines */

Test(redis, ends_calls_in_the_order_of_asking)
{
	static struct asked asked[MANY];

	kit.options.in_flight_max = 7;
	start();
	for (int i = 0; i < MANY; i++)
		redis_kit_ask(&kit, &asked[i], "INCR", "n", NULL);
	cr_expect_eq(kit.stats.waiting, 0); /* counted once a turn */
	redis_kit_wait(&kit, &asked[MANY - 1]);
	for (int i = 0; i < MANY; i++) {
		cr_assert_eq(asked[i].integer, i + 1);
		cr_assert_eq(asked[i].order, i + 1);
	}
	cr_expect_eq(kit.stats.commands_total, MANY);
}

static void ask_again(struct asked *asked)
{
	if (asked->integer < 100)
		redis_kit_ask(asked->kit, asked, "INCR", "n", NULL);
}

Test(redis, may_be_asked_again_where_a_call_ends)
{
	struct asked asked = { .then = ask_again };

	start();
	redis_kit_ask(&kit, &asked, "INCR", "n", NULL);
	REDIS_KIT_WAIT(&kit, asked.integer == 100);
	cr_expect_eq(kit.ended, 100);
}

/* ---- scripts */

Test(redis, runs_scripts)
{
	struct asked append = { .then = NULL };
	struct asked length = { .then = NULL };

	start();
	redis_kit_run(&kit, &append, APPEND, "key", "abcd");
	redis_kit_run(&kit, &length, LENGTH, "key", "");
	redis_kit_wait(&kit, &length);
	cr_expect_eq(append.integer, 4);
	cr_expect_eq(length.integer, 4);
	cr_expect_eq(kit.stats.reloads_total, 0);
}

Test(redis, loads_forgotten_scripts_and_keeps_the_order)
{
	struct asked flush = { .then = NULL };
	struct asked run[20];

	start();
	memset(run, 0, sizeof(run));
	for (int i = 0; i < 20; i++) {
		const char letter[] = { (char)('a' + i), '\0' };

		if (i == 5)
			redis_kit_ask(&kit, &flush, "SCRIPT", "FLUSH", NULL);
		redis_kit_run(&kit, &run[i], APPEND, "key", letter);
	}
	redis_kit_wait(&kit, &run[19]);
	for (int i = 0; i < 20; i++) {
		cr_expect_eq(run[i].rc, OK);
		cr_expect_eq(run[i].integer, i + 1);
		cr_expect_eq(run[i].order, i < 5 ? i + 1 : i + 2);
	}
	expect_text("key", "abcdefghijklmnopqrst");
	cr_expect_eq(kit.stats.reloads_total, 1);
	cr_expect_eq(kit.stats.dropped_total, 0);
}

Test(redis, gives_up_a_script_when_a_later_command_was_carried_out)
{
	struct asked flush = { .then = NULL };
	struct asked before = { .then = NULL };
	struct asked set = { .then = NULL };
	struct asked after = { .then = NULL };

	start();
	redis_kit_ask(&kit, &flush, "SCRIPT", "FLUSH", NULL);
	redis_kit_run(&kit, &before, APPEND, "key", "a");
	redis_kit_ask(&kit, &set, "SET", "key", "b", NULL);
	redis_kit_run(&kit, &after, APPEND, "key", "c");
	redis_kit_wait(&kit, &after);
	cr_expect_eq(before.rc, ERR_CLOSED);
	cr_expect_eq(set.rc, OK);
	cr_expect_eq(after.rc, OK);
	cr_expect(flush.order == 1 && before.order == 2 && set.order == 3);
	expect_text("key", "bc");
	cr_expect_eq(kit.stats.dropped_total, 1);
}

/* ---- a server that is lost */

Test(redis, leaves_a_server_that_does_not_answer_and_comes_back)
{
	struct asked asked = { .then = NULL };

	kit.options.command_timeout_ms = 200;
	start();
	kill(server.pid, SIGSTOP);
	redis_kit_ask(&kit, &asked, "GET", "key", NULL);
	redis_kit_wait(&kit, &asked);
	cr_expect_eq(asked.rc, ERR_TIMEOUT);
	cr_expect_eq(kit.downs, 1);
	cr_expect_str_eq(kit.why, "it did not answer in time");
	cr_expect_eq(kit.stats.timeouts_total, 1);
	cr_expect_gt(redis_away_since_ms(kit.redis), 0);
	kill(server.pid, SIGCONT);
	redis_kit_wait_up(&kit);
}

Test(redis, knows_nothing_of_what_was_sent_to_a_server_that_was_killed)
{
	struct asked sent = { .then = NULL };
	struct asked waiting = { .then = NULL };

	kit.options.in_flight_max = 1;
	start();
	kill(server.pid, SIGSTOP);
	redis_kit_ask(&kit, &sent, "SET", "key", "1", NULL);
	redis_kit_ask(&kit, &waiting, "SET", "key", "2", NULL);
	REDIS_KIT_WAIT(&kit, kit.stats.in_flight == 1);
	cr_expect_eq(kit.stats.waiting, 1);
	redis_server_kill(&server);
	redis_kit_wait(&kit, &sent);
	cr_expect_eq(sent.rc, ERR_OUTCOME);
	cr_expect_eq(waiting.rc, ERR_AGAIN);
	redis_server_start(&kit, &server, NULL);
	redis_kit_wait(&kit, &waiting);
	cr_expect_eq(waiting.rc, OK);
	expect_text("key", "2");
	cr_expect_eq(kit.ups, 2);
}

Test(redis, loads_its_scripts_into_a_server_that_began_anew)
{
	struct asked asked = { .then = NULL };

	start();
	redis_server_kill(&server);
	REDIS_KIT_WAIT(&kit, kit.downs == 1);
	redis_kit_run(&kit, &asked, APPEND, "key", "abc");
	redis_server_start(&kit, &server, NULL);
	redis_kit_wait(&kit, &asked);
	cr_expect_eq(asked.rc, OK);
	cr_expect_eq(asked.integer, 3);
	cr_expect_eq(kit.stats.reloads_total, 0);
}

Test(redis, leaves_a_master_that_is_none_any_more)
{
	struct asked demote = { .then = NULL };
	struct asked set = { .then = NULL };

	start();
	redis_kit_ask(&kit, &demote, "REPLICAOF", "127.0.0.1", "1", NULL);
	redis_kit_ask(&kit, &set, "SET", "key", "value", NULL);
	redis_kit_wait(&kit, &set);
	cr_expect_eq(demote.rc, OK);
	cr_expect_eq(set.rc, ERR_CLOSED);
	REDIS_KIT_WAIT(&kit, kit.stats.failures_total >= 2); /* it stays one */
	cr_expect_eq(kit.downs, 1);
	cr_expect_eq(kit.ups, 1);
}

Test(redis, finds_out_by_itself_that_a_master_is_none_any_more)
{
	struct asked demote = { .then = NULL };

	kit.options.check_ms = 20;
	start();
	redis_kit_ask(&kit, &demote, "REPLICAOF", "127.0.0.1", "1", NULL);
	REDIS_KIT_WAIT(&kit, kit.downs == 1);
	cr_expect_str_eq(kit.why, "it is no master any more");
}

Test(redis, leaves_a_server_that_sends_too_much)
{
	struct asked asked = { .then = NULL };

	start();
	redis_kit_ask(&kit, &asked, "EVAL", "return string.rep('x', 16777217)", "0",
		      NULL);
	redis_kit_wait(&kit, &asked);
	cr_expect_eq(asked.rc, ERR_OUTCOME);
	cr_expect_str_eq(kit.why, "a reply is too large");
	redis_kit_wait_up(&kit);
	redis_kit_ask(&kit, &asked, "EVAL", "return string.rep('x', 16777216)", "0",
		      NULL);
	redis_kit_wait(&kit, &asked);
	cr_expect_eq(asked.rc, OK);
}

/* ---- the end */

static void free_client(struct asked *asked)
{
	redis_free(asked->kit->redis);
	asked->kit->redis = NULL;
}

Test(redis, may_be_freed_where_a_call_ends)
{
	struct asked first = { .then = free_client };
	struct asked second = { .then = NULL };

	start();
	redis_kit_ask(&kit, &first, "PING", NULL);
	redis_kit_ask(&kit, &second, "PING", NULL);
	redis_kit_wait(&kit, &second);
	cr_expect_eq(first.rc, OK);
	cr_expect_str_eq(first.text, "PONG");
	cr_expect_eq(second.rc, ERR_CLOSED);
	cr_expect_eq(kit.downs, 0);
}

static enum err refused;

static void ask_too_late(struct asked *asked)
{
	static struct asked late;

	refused = redis_kit_try(asked->kit, &late, "PING");
}

Test(redis, ends_all_calls_when_it_is_freed)
{
	struct asked sent = { .then = NULL };
	struct asked waiting = { .then = ask_too_late };

	kit.options.in_flight_max = 1;
	start();
	kill(server.pid, SIGSTOP);
	redis_kit_ask(&kit, &sent, "PING", NULL);
	redis_kit_ask(&kit, &waiting, "PING", NULL);
	REDIS_KIT_WAIT(&kit, kit.stats.in_flight == 1);
	redis_free(kit.redis);
	cr_expect_eq(sent.rc, ERR_CLOSED);
	cr_expect_eq(waiting.rc, ERR_CLOSED);
	cr_expect_eq(refused, ERR_CLOSED);
	cr_expect(sent.order == 1 && waiting.order == 2);
	kit.redis = NULL;
	redis_free(NULL);
}
