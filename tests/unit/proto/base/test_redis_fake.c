/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The client against a server that lies, falls silent or breaks off in the middle; what
 * is told apart when a connection is lost; and the client's own limits.
 */
#include <criterion/criterion.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "proto/base/mem.h"
#include "tests/unit/proto/base/redis_kit.h"

#define BIG (1u << 20)
/* Of a SET with one argument of so many bytes. */
#define SET_BYTES (strlen("*2\r\n$3\r\nSET\r\n$1048576\r\n\r\n") + BIG)

static const struct redis_script script = { "one", "return 1" };
static const char sha[] = "e0e1f9fabfc9d4800c877a703b823ac0578ff8db";

static struct redis_kit kit;
static struct fake fake;

static void setup(void)
{
	redis_kit_init(&kit);
	fake_open(&kit, &fake);
}

static void teardown(void)
{
	redis_kit_fini(&kit);
	fake_close(&fake);
}

TestSuite(redis_fake, .init = setup, .fini = teardown, .timeout = 60);

static void start(void)
{
	redis_kit_open(&kit);
	fake_let_in(&kit, &fake);
}

/* ---- a turn */

Test(redis_fake, sends_what_was_asked_for_in_a_turn_at_its_end)
{
	static struct asked asked[3];
	static const char all[] = "*1\r\n$1\r\na\r\n*2\r\n$1\r\nb\r\n$0\r\n\r\n"
				  "*1\r\n$1\r\nc\r\n";

	start();
	redis_kit_ask(&kit, &asked[0], "a", NULL);
	redis_kit_ask(&kit, &asked[1], "b", "", NULL);
	redis_kit_ask(&kit, &asked[2], "c", NULL);
	fake_wait(&kit, &fake, "c\r\n");
	cr_expect_str_eq(fake.in.ptr, all);
}

Test(redis_fake, has_so_many_in_flight_and_no_more)
{
	static struct asked asked[5];

	kit.options.in_flight_max = 2;
	start();
	for (int i = 0; i < 5; i++)
		redis_kit_ask(&kit, &asked[i], "ask", NULL);
	fake_wait(&kit, &fake, "ask\r\n*1\r\n$3\r\nask\r\n");
	cr_expect_eq(fake.in.len, 2 * strlen("*1\r\n$3\r\nask\r\n"));
	cr_expect_eq(kit.stats.in_flight, 2);
	cr_expect_eq(kit.stats.waiting, 3);
	FAKE_SAY(&fake, ":1\r\n");
	REDIS_KIT_WAIT(&kit, asked[0].rc == OK);
	REDIS_KIT_WAIT(&kit, kit.stats.waiting == 2);
	cr_expect_eq(kit.stats.in_flight, 2);
}

/* ---- lost in the middle */

Test(redis_fake, tells_what_was_sent_from_what_was_not)
{
	static struct asked asked[4];

	kit.options.in_flight_max = 2;
	start();
	for (int i = 0; i < 4; i++)
		redis_kit_ask(&kit, &asked[i], i < 3 ? "early" : "late", NULL);
	REDIS_KIT_WAIT(&kit, kit.stats.in_flight == 2);
	FAKE_SAY(&fake, "+first\r\n$100\r\nhal");
	REDIS_KIT_WAIT(&kit, kit.stats.waiting == 1);
	fake_hang_up(&fake);
	redis_kit_wait(&kit, &asked[2]);
	cr_expect_eq(asked[0].rc, OK);
	cr_expect_str_eq(asked[0].text, "first");
	cr_expect_eq(asked[1].rc, ERR_OUTCOME);
	cr_expect_eq(asked[2].rc, ERR_OUTCOME);
	cr_expect_eq(asked[3].rc, ERR_AGAIN);
	cr_expect_eq(kit.stats.lost_total, 2);
	fake_let_in(&kit, &fake);
	fake_wait(&kit, &fake, "late\r\n");
	cr_expect_str_eq(fake.in.ptr, "*1\r\n$4\r\nlate\r\n");
	FAKE_SAY(&fake, "+fourth\r\n");
	redis_kit_wait(&kit, &asked[3]);
	cr_expect_str_eq(asked[3].text, "fourth");
}

/* Nobody reads: the kernel takes part of it, perhaps in the middle of a command. */
Test(redis_fake, sends_again_whole_what_the_kernel_took_nothing_of)
{
	static struct asked asked[32];
	char *big = mem_zalloc(BIG + 1);
	int lost = 0;

	memset(big, 'x', BIG);
	start();
	for (int i = 0; i < 32; i++)
		redis_kit_ask(&kit, &asked[i], "SET", big, NULL);
	REDIS_KIT_WAIT(&kit, kit.stats.in_flight == 32);
	fake_hang_up(&fake);
	REDIS_KIT_WAIT(&kit, kit.downs == 1);
	while (lost < 32 && asked[lost].rc == ERR_OUTCOME)
		lost++;
	cr_assert(lost > 0 && lost < 32, "%d of 32 lost", lost);
	cr_expect_eq(kit.stats.waiting, 32 - lost);
	fake_let_in(&kit, &fake);
	fake_wait(&kit, &fake, "*2\r\n$3\r\nSET\r\n$1048576\r\nx");
	cr_expect_eq(strncmp(fake.in.ptr, "*2\r\n$3\r\nSET\r\n", 13), 0);
	REDIS_KIT_WAIT(&kit, fake_read(&fake) >= (size_t)(32 - lost) * SET_BYTES);
	cr_expect_eq(fake.in.len, (size_t)(32 - lost) * SET_BYTES);
	for (int i = lost; i < 32; i++)
		FAKE_SAY(&fake, "+OK\r\n");
	redis_kit_wait(&kit, &asked[31]);
	for (int i = lost; i < 32; i++)
		cr_expect_eq(asked[i].rc, OK);
	mem_free(big);
}

/* ---- lies */

static void expect_left(const char *bytes, size_t len, const char *why)
{
	struct asked asked = { .then = NULL };

	kit.downs = 0;
	redis_kit_ask(&kit, &asked, "ask", NULL);
	fake_wait(&kit, &fake, "ask\r\n");
	fake_say(&fake, bytes, len);
	REDIS_KIT_WAIT(&kit, kit.downs == 1);
	cr_expect_eq(asked.rc, ERR_OUTCOME);
	cr_expect_str_eq(kit.why, why);
	fake_hang_up(&fake);
	fake_let_in(&kit, &fake);
}

#define EXPECT_LEFT(literal, why) expect_left((literal), sizeof(literal) - 1, (why))

Test(redis_fake, leaves_a_server_that_breaks_the_protocol)
{
	static const char malformed[] = "what came is not Redis' protocol";

	start();
	EXPECT_LEFT("HTTP/1.1 400 Bad Request\r\n", malformed);
	EXPECT_LEFT("*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n:1\r\n",
		    malformed);
	EXPECT_LEFT("$-7\r\n", malformed);
	EXPECT_LEFT("*1152921504606846977\r\n", malformed);
	EXPECT_LEFT("*2147483647\r\n", "a reply is too large");
	EXPECT_LEFT("*131073\r\n", "a reply is too large");
}

Test(redis_fake, leaves_a_server_that_answers_what_was_not_asked)
{
	struct asked asked = { .then = NULL };

	start();
	redis_kit_ask(&kit, &asked, "ask", NULL);
	fake_wait(&kit, &fake, "ask\r\n");
	FAKE_SAY(&fake, ":1\r\n:2\r\n");
	REDIS_KIT_WAIT(&kit, kit.downs == 1);
	cr_expect_eq(asked.rc, OK);
	cr_expect_str_eq(kit.why, "it answered what was not asked");
}

/* Nobody reads, so that part of it was not sent when the answer comes. */
Test(redis_fake, leaves_a_server_that_answers_before_it_was_asked_to_the_end)
{
	static struct asked asked[16];
	char *big = mem_zalloc(BIG + 1);

	memset(big, 'x', BIG);
	start();
	for (int i = 0; i < 16; i++)
		redis_kit_ask(&kit, &asked[i], "SET", big, NULL);
	REDIS_KIT_WAIT(&kit, kit.stats.in_flight == 16);
	for (int i = 0; i < 16; i++)
		FAKE_SAY(&fake, "+OK\r\n");
	REDIS_KIT_WAIT(&kit, kit.downs == 1);
	cr_expect_str_eq(kit.why, "it answered what was not asked");
	cr_expect_eq(asked[0].rc, OK);
	cr_expect_eq(asked[15].rc, ERR_AGAIN); /* waits for the next connection */
	mem_free(big);
}

/* ---- scripts */

static void start_scripts(void)
{
	char said[160];

	kit.options.scripts = &script;
	kit.options.scripts_n = 1;
	redis_kit_open(&kit);
	fake_wait_conn(&kit, &fake);
	fake_wait(&kit, &fake, "return 1\r\n");
	snprintf(said, sizeof(said), "*1\r\n$6\r\nmaster\r\n+PONG\r\n$40\r\n%s\r\n", sha);
	fake_say(&fake, said, strlen(said));
	redis_kit_wait_up(&kit);
	buf_clear(&fake.in);
}

Test(redis_fake, is_not_up_before_its_scripts_are_loaded)
{
	kit.options.scripts = &script;
	kit.options.scripts_n = 1;
	redis_kit_open(&kit);
	fake_wait_conn(&kit, &fake);
	fake_wait(&kit, &fake, "return 1\r\n");
	FAKE_SAY(&fake, "*1\r\n$6\r\nmaster\r\n+PONG\r\n-ERR Error compiling script\r\n");
	REDIS_KIT_WAIT(&kit, kit.stats.failures_total == 1);
	cr_expect_eq(kit.ups, 0);
}

Test(redis_fake, loads_a_forgotten_script_but_once)
{
	struct asked asked = { .then = NULL };

	start_scripts();
	redis_kit_run(&kit, &asked, 0, "key", "arg");
	fake_wait(&kit, &fake, "EVALSHA");
	cr_expect_not_null(strstr(fake.in.ptr, sha));
	FAKE_SAY(&fake, "-NOSCRIPT No matching script.\r\n");
	fake_wait(&kit, &fake, "SCRIPT\r\n$4\r\nLOAD\r\n");
	cr_expect(redis_is_up(kit.redis));
	buf_clear(&fake.in);
	FAKE_SAY(&fake, "$40\r\ne0e1f9fabfc9d4800c877a703b823ac0578ff8db\r\n");
	fake_wait(&kit, &fake, "arg\r\n");
	cr_expect_eq(strncmp(fake.in.ptr, "*5\r\n$7\r\nEVALSHA\r\n", 17), 0);
	FAKE_SAY(&fake, "-NOSCRIPT No matching script.\r\n");
	redis_kit_wait(&kit, &asked);
	cr_expect_eq(asked.rc, OK);
	cr_expect_eq(asked.type, REDIS_ERROR);
	cr_expect_eq(kit.stats.reloads_total, 1);
}

Test(redis_fake, gives_calls_up_when_a_script_cannot_be_loaded_again)
{
	static struct asked asked[2];

	start_scripts();
	redis_kit_run(&kit, &asked[0], 0, "key", "arg");
	redis_kit_run(&kit, &asked[1], 0, "key", "last");
	fake_wait(&kit, &fake, "last\r\n");
	FAKE_SAY(&fake, "-NOSCRIPT\r\n-NOSCRIPT\r\n");
	fake_wait(&kit, &fake, "LOAD\r\n");
	FAKE_SAY(&fake, "-NOPERM\r\n");
	redis_kit_wait(&kit, &asked[1]);
	cr_expect_eq(asked[0].rc, ERR_CLOSED);
	cr_expect_eq(asked[1].rc, ERR_CLOSED);
	cr_expect_eq(kit.downs, 1);
}

Test(redis_fake, gives_calls_up_that_stand_again_when_it_is_lost)
{
	static struct asked asked[2];

	start_scripts();
	redis_kit_run(&kit, &asked[0], 0, "key", "arg");
	redis_kit_run(&kit, &asked[1], 0, "key", "last");
	fake_wait(&kit, &fake, "last\r\n");
	FAKE_SAY(&fake, "-NOSCRIPT\r\n");
	fake_hang_up(&fake);
	redis_kit_wait(&kit, &asked[1]);
	cr_expect_eq(asked[0].rc, ERR_CLOSED);
	cr_expect_eq(asked[1].rc, ERR_OUTCOME);
}

/* The check has no effect: it is no reason to give a script up that stands again. */
Test(redis_fake, asks_a_check_again_with_the_scripts_before_it)
{
	static struct asked asked;

	kit.options.check_ms = 20;
	start_scripts();
	redis_kit_run(&kit, &asked, 0, "key", "arg");
	fake_wait(&kit, &fake, "arg\r\n");
	fake_wait(&kit, &fake, "ROLE\r\n");
	buf_clear(&fake.in);
	FAKE_SAY(&fake, "-NOSCRIPT No matching script.\r\n*1\r\n$6\r\nmaster\r\n");
	fake_wait(&kit, &fake, "LOAD\r\n");
	FAKE_SAY(&fake, "$40\r\ne0e1f9fabfc9d4800c877a703b823ac0578ff8db\r\n");
	fake_wait(&kit, &fake, "arg\r\n*1\r\n$4\r\nROLE\r\n");
	FAKE_SAY(&fake, ":1\r\n*1\r\n$6\r\nmaster\r\n");
	redis_kit_wait(&kit, &asked);
	cr_expect_eq(asked.rc, OK);
	cr_expect_eq(asked.integer, 1);
}

/* ---- silence */

/* At least half of 50, 100, 200, 400 and 800 ms lies between six attempts. */
Test(redis_fake, waits_longer_before_each_attempt)
{
	int64_t began_ms;

	fake_close(&fake);
	redis_kit_open(&kit);
	began_ms = loop_now_ms(kit.loop);
	REDIS_KIT_WAIT(&kit, kit.stats.failures_total == 6);
	cr_expect_geq(loop_now_ms(kit.loop) - began_ms, (50 + 100 + 200 + 400 + 800) / 2);
}

Test(redis_fake, leaves_a_server_that_never_lets_it_in)
{
	kit.options.command_timeout_ms = 50;
	redis_kit_open(&kit);
	fake_wait_conn(&kit, &fake);
	REDIS_KIT_WAIT(&kit, kit.stats.failures_total == 1);
	fake_hang_up(&fake);
	fake_let_in(&kit, &fake); /* it tries again */
}

/* The kernel holds two connections for it, and answers no third. */
Test(redis_fake, leaves_a_server_that_never_accepts)
{
	int held[4];

	kit.options.connect_timeout_ms = 50;
	cr_assert_eq(listen(fake.listener, 0), 0);
	for (size_t i = 0; i < 4; i++)
		held[i] = redis_kit_connect(fake.port);
	redis_kit_open(&kit);
	REDIS_KIT_WAIT(&kit, kit.stats.failures_total == 1);
	for (size_t i = 0; i < 4; i++)
		close(held[i]);
}

/* "localhost" has two addresses, of which the first one hangs, or refuses. */
static void expect_second_address(bool is_first_there)
{
	struct sockaddr_in6 addr = { .sin6_family = AF_INET6,
				     .sin6_addr = IN6ADDR_LOOPBACK_INIT,
				     .sin6_port = htons((uint16_t)fake.port) };
	struct fake six = { .fd = -1 };
	int held[4];

	six.listener = socket(AF_INET6, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (six.listener < 0 || bind(six.listener, (void *)&addr, sizeof(addr)) != 0)
		cr_skip("no IPv6 here");
	cr_assert_eq(listen(six.listener, 8), 0);
	cr_assert_eq(listen(fake.listener, 0), 0);
	for (size_t i = 0; i < 4; i++)
		held[i] = redis_kit_connect(fake.port);
	if (!is_first_there) {
		close(fake.listener);
		fake.listener = -1;
	}
	kit.options.connect_timeout_ms = 200;
	snprintf(kit.url, sizeof(kit.url), "redis://localhost:%d", fake.port);
	redis_kit_open(&kit);
	fake_let_in(&kit, &six);
	cr_expect_eq(kit.stats.failures_total, 0);
	fake_close(&six);
	for (size_t i = 0; i < 4; i++)
		close(held[i]);
}

Test(redis_fake, tries_the_next_address_when_one_hangs)
{
	expect_second_address(true);
}

Test(redis_fake, tries_the_next_address_when_one_refuses)
{
	expect_second_address(false);
}

Test(redis_fake, does_not_leave_a_server_that_is_slow_but_answers)
{
	static struct asked asked[4];

	kit.options.command_timeout_ms = 300;
	start();
	for (int i = 0; i < 4; i++)
		redis_kit_ask(&kit, &asked[i], "ask", NULL);
	for (int i = 0; i < 4; i++) {
		const int64_t since_ms = loop_now_ms(kit.loop);

		REDIS_KIT_WAIT(&kit, loop_now_ms(kit.loop) - since_ms >= 150);
		FAKE_SAY(&fake, ":1\r\n");
	}
	redis_kit_wait(&kit, &asked[3]);
	cr_expect_eq(asked[3].rc, OK);
	cr_expect_eq(kit.downs, 0);
}

Test(redis_fake, finds_out_by_itself_that_a_server_is_silent)
{
	kit.options.check_ms = 20;
	kit.options.command_timeout_ms = 50;
	start();
	REDIS_KIT_WAIT(&kit, kit.downs == 1);
	cr_expect_str_eq(kit.why, "it did not answer in time");
}

/* ---- the client's limits */

Test(redis_fake, lets_so_many_wait_and_no_more)
{
	static struct asked asked[4];

	kit.options.waiting_max = 3;
	kit.options.command_timeout_ms = 100;
	redis_kit_open(&kit);
	for (int i = 0; i < 3; i++)
		cr_expect_eq(redis_kit_try(&kit, &asked[i], "ask"), OK);
	cr_expect_eq(redis_kit_try(&kit, &asked[3], "ask"), ERR_LIMIT);
	cr_expect_eq(kit.stats.refused_total, 1);
	/* None of them for ever. */
	redis_kit_wait(&kit, &asked[2]);
	for (int i = 0; i < 3; i++) {
		cr_expect_eq(asked[i].rc, ERR_CLOSED);
		cr_expect_eq(asked[i].order, i + 1);
	}
	cr_expect_eq(kit.stats.dropped_total, 3);
	cr_expect_eq(redis_kit_try(&kit, &asked[3], "ask"), OK);
}

Test(redis_fake, lets_nothing_wait_once_it_has_been_away_for_long)
{
	static struct asked asked[2];

	kit.options.patience_ms = 50;
	kit.options.command_timeout_ms = 200;
	redis_kit_open(&kit);
	cr_expect_eq(redis_kit_try(&kit, &asked[0], "ask"), OK);
	redis_kit_wait(&kit, &asked[0]);
	cr_expect_eq(asked[0].rc, ERR_CLOSED);
	cr_expect_eq(redis_kit_try(&kit, &asked[1], "ask"), ERR_CLOSED);
	cr_expect_eq(kit.stats.dropped_total, 2);
}

Test(redis_fake, lets_so_many_bytes_wait_and_no_more)
{
	static struct asked asked[3];

	kit.options.waiting_bytes_max = 2 * strlen("*1\r\n$3\r\nask\r\n");
	redis_kit_open(&kit);
	cr_expect_eq(redis_kit_try(&kit, &asked[0], "ask"), OK);
	cr_expect_eq(redis_kit_try(&kit, &asked[1], "asks"), ERR_LIMIT);
	cr_expect_eq(redis_kit_try(&kit, &asked[1], "ask"), OK);
	cr_expect_eq(redis_kit_try(&kit, &asked[2], "a"), ERR_LIMIT);
}

static enum err try_args(size_t n, size_t len)
{
	static struct asked asked;
	struct slice *args = mem_alloc(n * sizeof(args[0]));
	char *text = mem_zalloc(len);
	enum err rc;

	for (size_t i = 0; i < n; i++)
		args[i] = slice_make(text, len);
	redis_kit_open(&kit);
	redis_kit_prepare(&kit, &asked);
	rc = redis_command(kit.redis, args, n, &asked.call);
	redis_free(kit.redis);
	kit.redis = NULL;
	mem_free(args);
	mem_free(text);
	return rc;
}

Test(redis_fake, takes_so_large_a_command_and_no_larger)
{
	const size_t frame = strlen("*1\r\n$4194286\r\n\r\n");

	cr_expect_eq(try_args(REDIS_ARGS_MAX, 1), OK);
	cr_expect_eq(try_args(REDIS_ARGS_MAX + 1, 1), ERR_LIMIT);
	cr_expect_eq(try_args(1, REDIS_COMMAND_BYTES_MAX - frame), OK);
	cr_expect_eq(try_args(1, REDIS_COMMAND_BYTES_MAX - frame + 1), ERR_LIMIT);
	cr_expect_eq(try_args(1, 5 * REDIS_COMMAND_BYTES_MAX), ERR_LIMIT);
}
