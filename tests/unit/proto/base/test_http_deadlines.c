/* SPDX-License-Identifier: Apache-2.0 */
/* How long a server waits for what, and for whom it does not. */
#include <criterion/criterion.h>

#include "tests/unit/proto/base/http_kit.h"

#define GET(path) "GET " path " HTTP/1.1\r\nHost: a\r\n\r\n"

static struct http_kit kit;

static void setup(void)
{
	http_kit_init(&kit);
}

static void teardown(void)
{
	http_kit_fini(&kit);
}

TestSuite(http_deadlines, .init = setup, .fini = teardown);

static void open_and_say(struct http_client *client, const char *text)
{
	http_kit_open(&kit);
	http_client_open(&kit, client);
	http_client_say(client, text);
}

Test(http_deadlines, silent_newcomer_is_closed_without_a_word)
{
	struct http_client client;

	kit.options.head_timeout_ms = 20;
	open_and_say(&client, "");
	http_client_wait_end(&kit, &client);
	cr_expect_eq(client.in.len, 0);
	cr_expect_eq(kit.stats.timeouts_total, 1);
	cr_expect_eq(kit.stats.malformed_total, 0);
	http_client_close(&client);
}

Test(http_deadlines, unfinished_head_is_answered_408)
{
	struct http_client client;

	kit.options.head_timeout_ms = 20;
	open_and_say(&client, "GET / HTTP/1.1\r\nHost: a\r\n");
	http_client_wait_end(&kit, &client);
	cr_expect(http_client_has(&client, "HTTP/1.1 408 Request Timeout\r\n"));
	cr_expect_eq(kit.stats.timeouts_total, 1);
	http_client_close(&client);
}

Test(http_deadlines, dripping_bytes_do_not_move_the_heads_deadline)
{
	struct http_client client;
	int n = 0;

	kit.options.head_timeout_ms = 50;
	open_and_say(&client, "GET /");
	while (!client.is_closed && kit.stats.timeouts_total == 0 && n++ < 5000) {
		http_client_say(&client, "x");
		http_client_turn(&kit, &client);
		http_client_turn(&kit, &client); /* nothing there: waits */
	}
	cr_expect_eq(kit.stats.timeouts_total, 1);
	http_client_close(&client);
}

Test(http_deadlines, second_head_has_a_deadline_of_its_own)
{
	struct http_client client;

	kit.options.head_timeout_ms = 20;
	open_and_say(&client, GET("/") "GET /");
	http_client_wait(&kit, &client, "hello", 1);
	http_client_wait_end(&kit, &client);
	cr_expect(http_client_has(&client, "HTTP/1.1 408 "));
	http_client_close(&client);
}

Test(http_deadlines, unfinished_body_is_answered_408)
{
	struct http_client client;

	kit.options.body_timeout_ms = 20;
	open_and_say(&client,
		     "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhal");
	http_client_wait_end(&kit, &client);
	cr_expect(http_client_has(&client, "HTTP/1.1 408 "));
	cr_expect_eq(kit.stats.timeouts_total, 1);
	http_client_close(&client);
}

/* A head that takes its time takes it of its body's. */
Test(http_deadlines, bodys_deadline_runs_from_where_the_head_began)
{
	struct http_client client;
	int64_t opened_ms;

	kit.options.head_timeout_ms = 10000;
	kit.options.body_timeout_ms = 200;
	http_kit_open(&kit);
	http_client_open(&kit, &client);
	http_kit_wait_open(&kit, 1);
	opened_ms = loop_now_ms(kit.loop);
	while (loop_now_ms(kit.loop) < opened_ms + 150)
		http_client_turn(&kit, &client);
	http_client_say(&client,
			"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhal");
	http_client_wait_end(&kit, &client);
	cr_expect(http_client_has(&client, "HTTP/1.1 408 "));
	/* 350 ms, if it began with the body. */
	cr_expect_lt(loop_now_ms(kit.loop), opened_ms + 340);
	http_client_close(&client);
}

Test(http_deadlines, body_may_take_its_time_behind_a_whole_answer)
{
	struct http_client client;
	int64_t answered_ms;

	kit.options.head_timeout_ms = 10000;
	kit.options.body_timeout_ms = 200;
	open_and_say(&client, GET("/"));
	http_client_wait(&kit, &client, "hello", 1);
	answered_ms = loop_now_ms(kit.loop);
	while (loop_now_ms(kit.loop) < answered_ms + 250)
		http_client_turn(&kit, &client);
	http_client_say(&client,
			"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhal");
	http_client_turn(&kit, &client);
	http_client_say(&client, "lo");
	http_client_wait(&kit, &client, "hello", 2);
	cr_expect_eq(kit.stats.timeouts_total, 0);
	http_client_close(&client);
}

Test(http_deadlines, idle_connection_is_closed_without_a_word)
{
	struct http_client client;

	kit.options.idle_timeout_ms = 20;
	open_and_say(&client, GET("/"));
	http_client_wait(&kit, &client, "hello", 1);
	client.in.len = 0;
	http_client_wait_end(&kit, &client);
	cr_expect_eq(client.in.len, 0);
	cr_expect_eq(kit.stats.timeouts_total, 0);
	http_client_close(&client);
}

Test(http_deadlines, waiting_for_the_handler_has_no_deadline)
{
	struct http_client client;

	kit.options.head_timeout_ms = 10;
	kit.options.body_timeout_ms = 10;
	kit.options.idle_timeout_ms = 10;
	open_and_say(&client, GET("/later"));
	http_kit_wait_int(&kit, &kit.later_n, 1);
	for (int i = 0; i < 25; i++)
		http_client_turn(&kit, &client);
	cr_expect_eq(kit.stats.open, 1);
	cr_expect_eq(kit.gone_n, 0);
	http_client_close(&client);
}

Test(http_deadlines, reader_that_stands_still_is_closed)
{
	struct http_client client;

	kit.options.write_timeout_ms = 50;
	open_and_say(&client, GET("/big"));
	http_kit_wait_uint64(&kit, &kit.stats.timeouts_total, 1);
	cr_expect_eq(kit.stats.open, 0);
	http_client_close(&client);
}
