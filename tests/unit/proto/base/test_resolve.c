/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Hosts that are known at once, and those that a thread asks for. The machine's own name
 * is one that any resolver knows or refuses; either way it answers once, in a later turn.
 */
#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <netinet/in.h>
#include <string.h>

#include "proto/base/resolve.h"

#define WAIT_MS 60000

static struct loop *loop;
static struct resolve resolve;
static struct resolve_addresses found;
static enum err rc;
static int answers;

static void on_answer(struct resolve *told, enum err result,
		      const struct resolve_addresses *addresses)
{
	cr_assert_eq(told, &resolve);
	rc = result;
	found = *addresses;
	answers++;
}

static void setup(void)
{
	loop = loop_new();
	resolve_init(&resolve, on_answer);
	answers = 0;
}

static void teardown(void)
{
	resolve_cancel(&resolve);
	loop_free(loop);
}

TestSuite(resolve, .init = setup, .fini = teardown, .timeout = 120);

static void wait_answer(void)
{
	const int64_t end_ms = loop_now_ms(loop) + WAIT_MS;

	while (answers == 0) {
		loop_turn(loop, 20);
		cr_assert_lt(loop_now_ms(loop), end_ms);
	}
}

static void expect_address(size_t i, int family, const char *text, unsigned port)
{
	const struct resolve_address *item = &found.items[i];
	char buf[INET6_ADDRSTRLEN] = "";

	cr_assert_lt(i, found.n);
	cr_assert_eq(item->addr.ss_family, family);
	if (family == AF_INET) {
		const struct sockaddr_in *four = (const void *)&item->addr;

		inet_ntop(family, &four->sin_addr, buf, sizeof(buf));
		cr_expect_eq(ntohs(four->sin_port), port);
		cr_expect_eq(item->len, sizeof(*four));
	} else {
		const struct sockaddr_in6 *six = (const void *)&item->addr;

		inet_ntop(family, &six->sin6_addr, buf, sizeof(buf));
		cr_expect_eq(ntohs(six->sin6_port), port);
		cr_expect_eq(item->len, sizeof(*six));
	}
	cr_expect_str_eq(buf, text);
}

Test(resolve, knows_digits_at_once)
{
	cr_assert_eq(resolve_at_once("10.1.2.3", 6379, &found), OK);
	cr_expect_eq(found.n, 1);
	expect_address(0, AF_INET, "10.1.2.3", 6379);
	cr_assert_eq(resolve_at_once("::1", 65535, &found), OK);
	cr_expect_eq(found.n, 1);
	expect_address(0, AF_INET6, "::1", 65535);
}

Test(resolve, knows_both_addresses_of_localhost_at_once)
{
	cr_assert_eq(resolve_at_once("localhost", 80, &found), OK);
	cr_expect_eq(found.n, 2);
	expect_address(0, AF_INET, "127.0.0.1", 80);
	expect_address(1, AF_INET6, "::1", 80);
}

Test(resolve, knows_no_name_at_once)
{
	cr_expect_eq(resolve_at_once("localhost.", 80, &found), ERR_AGAIN);
	cr_expect_eq(resolve_at_once("redis.example.org", 80, &found), ERR_AGAIN);
	cr_expect_eq(resolve_at_once("", 80, &found), ERR_AGAIN);
}

/* Digits come through the thread as a name would, whatever the machine's resolver. */
Test(resolve, answers_from_a_thread_in_a_later_turn)
{
	cr_assert_eq(resolve_start(&resolve, loop, "127.0.0.1", 7), OK);
	cr_expect_eq(answers, 0);
	wait_answer();
	cr_expect_eq(rc, OK);
	expect_address(0, AF_INET, "127.0.0.1", 7);
	loop_turn(loop, 0);
	cr_expect_eq(answers, 1);
	cr_assert_eq(resolve_start(&resolve, loop, "127.0.0.2", 7), OK); /* once more */
	answers = 0;
	wait_answer();
	expect_address(0, AF_INET, "127.0.0.2", 7);
}

Test(resolve, finds_nothing_for_what_is_no_name)
{
	cr_assert_eq(resolve_start(&resolve, loop, "no such host!", 7), OK);
	wait_answer();
	cr_expect_neq(rc, OK);
	cr_expect_eq(found.n, 0);
}

Test(resolve, is_silent_when_it_was_cancelled)
{
	for (int i = 0; i < 50; i++) {
		cr_assert_eq(resolve_start(&resolve, loop, "127.0.0.1", 7), OK);
		if (i % 2)
			loop_turn(loop, 0);
		resolve_cancel(&resolve);
		answers = 0;
		loop_turn(loop, 0);
		cr_expect_eq(answers, 0);
	}
	resolve_cancel(&resolve);
}
