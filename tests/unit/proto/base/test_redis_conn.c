/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One connection by itself: how its socket is set up, that what is said stays in front of
 * what is sent, and that it may be closed and opened again inside its own callbacks.
 */
#include <criterion/criterion.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>

#include "proto/base/mem.h"
#include "proto/base/redis_conn.h"
#include "tests/unit/proto/base/redis_kit.h"

#define BIG (8u << 20)

static struct redis_kit kit;
static struct fake fake;
static struct redis_conn conn;
static struct redis_address address;
static int opened;
static int writable;
static int replies;
static int ended;
static bool is_reopening; /* on a reply */
static char last[64];

static void on_open(struct redis_conn *told)
{
	cr_assert_eq(told, &conn);
	opened++;
}

static void on_reply(struct redis_conn *told, const struct redis_reply *reply)
{
	replies++;
	if (is_reopening) {
		redis_conn_close(told);
		redis_conn_open(told, &address, 5000);
	}
	/* It lives until we return. */
	cr_assert_lt(reply->text.len, sizeof(last));
	memcpy(last, reply->text.ptr, reply->text.len);
	last[reply->text.len] = '\0';
}

static void on_writable(struct redis_conn *told)
{
	cr_assert(told->is_open);
	writable++;
}

static void on_end(struct redis_conn *told, const char *why)
{
	cr_assert_not(told->is_open);
	cr_assert_not_null(why);
	ended++;
}

static const struct redis_conn_events events = {
	.on_open = on_open,
	.on_reply = on_reply,
	.on_writable = on_writable,
	.on_end = on_end,
};

static void setup(void)
{
	redis_kit_init(&kit);
	fake_open(&kit, &fake);
	cr_assert_eq(redis_address_set(&address, SLICE("127.0.0.1"), fake.port), OK);
	redis_conn_init(&conn, kit.loop, &events);
}

static void teardown(void)
{
	redis_conn_fini(&conn);
	redis_kit_fini(&kit);
	fake_close(&fake);
}

TestSuite(redis_conn, .init = setup, .fini = teardown, .timeout = 60);

static void start(void)
{
	const int before = opened;

	redis_conn_open(&conn, &address, 5000);
	cr_expect_eq(opened, before); /* in a later turn */
	fake_wait_conn(&kit, &fake);
	REDIS_KIT_WAIT(&kit, opened > before);
}

static int option(int level, int name)
{
	int value = -1;
	socklen_t len = sizeof(value);

	cr_assert_eq(getsockopt(sock_fd(&conn.sock), level, name, &value, &len), 0);
	return value;
}

Test(redis_conn, does_not_wait_to_send_and_keeps_alive)
{
	start();
	cr_expect_neq(option(IPPROTO_TCP, TCP_NODELAY), 0);
	cr_expect_neq(option(SOL_SOCKET, SO_KEEPALIVE), 0);
	cr_expect_eq(option(IPPROTO_TCP, TCP_KEEPIDLE), 180);
	cr_expect_eq(option(IPPROTO_TCP, TCP_KEEPINTVL), 60);
	cr_expect_eq(option(IPPROTO_TCP, TCP_KEEPCNT), 3);
}

Test(redis_conn, sends_behind_what_was_said)
{
	char *big = mem_alloc(BIG);

	memset(big, 's', BIG);
	start();
	redis_conn_say(&conn, slice_make(big, BIG));
	redis_conn_say(&conn, SLICE("."));
	cr_expect_gt(conn.said.len, 1);	   /* the kernel did not take all of it */
	cr_expect_gt(fake_read(&fake), 0); /* now it would take more */
	cr_expect_eq(redis_conn_send(&conn, SLICE("sent")), 0);
	cr_expect_eq(writable, 0);
	REDIS_KIT_WAIT(&kit, (fake_read(&fake), writable) > 0);
	cr_expect_eq(redis_conn_send(&conn, SLICE("sent")), 4);
	REDIS_KIT_WAIT(&kit, fake_read(&fake) == BIG + 5);
	cr_expect_str_eq(fake.in.ptr + BIG, ".sent");
	cr_expect_null(conn.said.ptr); /* secrets may have been in it */
	mem_free(big);
}

Test(redis_conn, may_be_opened_again_where_a_reply_came)
{
	start();
	is_reopening = true;
	FAKE_SAY(&fake, "+first\r\n+never\r\n");
	REDIS_KIT_WAIT(&kit, replies == 1);
	cr_expect_str_eq(last, "first");
	is_reopening = false;
	fake_hang_up(&fake);
	fake_wait_conn(&kit, &fake);
	REDIS_KIT_WAIT(&kit, opened == 2);
	FAKE_SAY(&fake, "+second\r\n");
	REDIS_KIT_WAIT(&kit, replies == 2);
	cr_expect_str_eq(last, "second");
	cr_expect_eq(ended, 0);
}

Test(redis_conn, tells_once_that_nobody_listens)
{
	fake_close(&fake);
	redis_conn_open(&conn, &address, 5000);
	cr_expect_eq(ended, 0);
	REDIS_KIT_WAIT(&kit, ended > 0);
	loop_turn(kit.loop, 0);
	cr_expect_eq(ended, 1);
	cr_expect_eq(opened, 0);
}

Test(redis_conn, is_silent_when_it_was_closed)
{
	redis_conn_open(&conn, &address, 5000);
	redis_conn_close(&conn);
	start();
	FAKE_SAY(&fake, "+reply\r\n");
	redis_conn_close(&conn);
	redis_conn_close(&conn);
	loop_turn(kit.loop, 20);
	cr_expect_eq(replies + ended, 0);
	cr_expect_eq(opened, 1);
}
