/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Bytes through a socket under TLS: those that lie inside it, those the kernel does not
 * take, reads that wait for writes, a new owner amid all of it.
 */
#include <criterion/criterion.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "proto/base/mem.h"
#include "tests/unit/proto/base/sock_tls_kit.h"

#define BIG (4u << 20)
#define RECORD 16384u
#define TURNS_MAX 20000

static struct sock_pair pair;

static void start(void)
{
	sock_pair_init(&pair);
}

static void end(void)
{
	sock_pair_fini(&pair);
}

TestSuite(sock_tls_bytes, .init = start, .fini = end, .timeout = 60);

/* ---- bytes that lie inside */

Test(sock_tls_bytes, tells_of_bytes_inside_until_they_are_read)
{
	char bytes[RECORD];

	sock_pair_shake(&pair);
	memset(bytes, 'a', sizeof(bytes));
	pair.owner.piece = 100;
	tls_client_write(&pair.client, bytes, sizeof(bytes));
	for (int i = 0; i < TURNS_MAX && pair.owner.in.len < sizeof(bytes); i++)
		loop_turn(pair.loop, 0);
	cr_expect_eq(pair.owner.in.len, sizeof(bytes));
	sock_pair_turns(&pair, 3);
	cr_expect_leq(pair.owner.calls, (int)sizeof(bytes) / 100 + 2, "%d",
		      pair.owner.calls);
	pair.owner.calls = 0;
	sock_pair_turns(&pair, 3);
	cr_expect_eq(pair.owner.calls, 0);
}

Test(sock_tls_bytes, bytes_inside_wait_out_a_pause)
{
	sock_pair_shake(&pair);
	pair.owner.piece = 2;
	pair.owner.is_single = true;
	tls_client_write(&pair.client, "abcdef", 6);
	sock_pair_turns(&pair, 5);
	sock_pair_expect(&pair, "ab");
	cr_expect_eq(pair.owner.calls, 1);
	pair.owner.is_single = false;
	sock_want(&pair.owner.sock, LOOP_WRITE);
	sock_pair_turns(&pair, 5);
	sock_pair_expect(&pair, "ab");
	sock_want(&pair.owner.sock, LOOP_READ);
	sock_pair_turns(&pair, 5);
	sock_pair_expect(&pair, "abcdef");
}

Test(sock_tls_bytes, records_read_ahead_wait_out_a_pause)
{
	sock_pair_shake(&pair);
	pair.owner.piece = 3;
	pair.owner.is_single = true;
	for (int i = 0; i < 4; i++)
		tls_client_write(&pair.client, "xyz", 3);
	sock_pair_turns(&pair, 5);
	sock_pair_expect(&pair, "xyz");
	pair.owner.is_single = false;
	sock_want(&pair.owner.sock, LOOP_READ);
	sock_pair_turns(&pair, 10);
	sock_pair_expect(&pair, "xyzxyzxyzxyz");
}

/* As a descriptor would: the owner may look at other things first. */
Test(sock_tls_bytes, owner_who_does_not_read_is_told_again)
{
	sock_pair_shake(&pair);
	pair.owner.piece = 1;
	pair.owner.is_single = true;
	tls_client_write(&pair.client, "ab", 2);
	sock_pair_turns(&pair, 2);
	pair.owner.piece = 0;
	pair.owner.calls = 0;
	sock_want(&pair.owner.sock, LOOP_READ);
	sock_pair_turns(&pair, 2);
	cr_expect_gt(pair.owner.calls, 1);
	pair.owner.piece = 1;
	sock_pair_turns(&pair, 2);
	sock_pair_expect(&pair, "ab");
}

Test(sock_tls_bytes, half_a_record_inside_wakes_nobody)
{
	char record[256];
	ssize_t n;
	int ends[2];

	sock_pair_shake(&pair);
	cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends), 0);
	cr_assert_eq(SSL_set_wfd(pair.client.ssl, ends[0]), 1);
	tls_client_write(&pair.client, "abc", 3);
	n = read(ends[1], record, sizeof(record));
	cr_assert_gt(n, 10);
	cr_assert_eq(write(pair.client.fd, record, 10), 10);
	sock_pair_turns(&pair, 3);
	cr_expect_eq(pair.owner.last, ERR_AGAIN);
	pair.owner.calls = 0;
	sock_pair_turns(&pair, 3);
	cr_expect_eq(pair.owner.calls, 0);
	cr_assert_eq(write(pair.client.fd, record + 10, (size_t)n - 10), n - 10);
	sock_pair_turns(&pair, 3);
	sock_pair_expect(&pair, "abc");
	close(ends[0]);
	close(ends[1]);
}

Test(sock_tls_bytes, new_owner_gets_what_lies_inside)
{
	struct sock travels;
	struct sock_owner second = { .piece = 100 };

	sock_pair_shake(&pair);
	pair.owner.piece = 1;
	pair.owner.is_single = true;
	tls_client_write(&pair.client, "abc", 3);
	sock_pair_turns(&pair, 2);
	sock_move(&travels, &pair.owner.sock, NULL);
	sock_pair_turns(&pair, 3);
	sock_move(&second.sock, &travels, sock_owner_on_io);
	sock_pair_turns(&pair, 3);
	cr_expect_eq(second.calls, 0);
	cr_expect_eq(pair.owner.calls, 1);
	sock_want(&second.sock, LOOP_READ);
	sock_pair_turns(&pair, 3);
	cr_expect(slice_equal(buf_slice(&second.in), SLICE("bc")));
	tls_client_write(&pair.client, "d", 1);
	sock_pair_turns(&pair, 3);
	cr_expect(slice_equal(buf_slice(&second.in), SLICE("bcd")));
	buf_fini(&second.in);
	sock_move(&pair.owner.sock, &second.sock, sock_owner_on_io);
}

Test(sock_tls_bytes, endless_key_updates_do_not_keep_a_read)
{
	sock_pair_shake(&pair);
	for (int i = 0; i < 200; i++) {
		cr_assert_eq(SSL_key_update(pair.client.ssl, SSL_KEY_UPDATE_REQUESTED),
			     1);
		cr_assert_eq(SSL_do_handshake(pair.client.ssl), 1);
	}
	tls_client_write(&pair.client, "abc", 3);
	sock_pair_turns(&pair, 50);
	sock_pair_expect(&pair, "abc");
	cr_expect_eq(sock_pair_send(&pair, "x"), 1);
	tls_client_read(&pair.client);
	cr_expect_str_eq(pair.client.in.ptr, "x");
}

/* ---- writing */

/* In parts of every size, through a kernel that takes little at a time. */
Test(sock_tls_bytes, big_message_arrives_whole)
{
	char *big = mem_alloc(BIG);
	size_t at = 0;
	int blocked = 0;

	for (size_t i = 0; i < BIG; i++)
		big[i] = (char)(i * 31 + (i >> 9));
	sock_pair_shake(&pair);
	pair.owner.piece = 0;
	while (at < BIG) {
		struct iovec iov[3] = { { big + at, 1 + at % 700 } };
		ssize_t n;

		for (int i = 1; i < 3; i++) {
			iov[i].iov_base =
				(char *)iov[i - 1].iov_base + iov[i - 1].iov_len;
			iov[i].iov_len = i == 1 ? 300 : RECORD + 5;
		}
		/* The end of all: one part. */
		if (at + RECORD * 2 > BIG)
			iov[0].iov_len = BIG - at;
		n = sock_sendv(&pair.owner.sock, iov, at + RECORD * 2 > BIG ? 1 : 3);
		cr_assert(n > 0 || n == ERR_AGAIN, "%zd", n);
		if (n > 0) {
			at += (size_t)n;
			continue;
		}
		blocked++;
		pair.owner.ready = 0;
		sock_want(&pair.owner.sock, LOOP_WRITE);
		sock_pair_turns(&pair, 1);
		cr_expect_eq(pair.owner.ready, 0);
		tls_client_read(&pair.client);
		sock_pair_turns(&pair, 1);
		cr_assert_eq(pair.owner.ready, LOOP_WRITE);
	}
	tls_client_read(&pair.client);
	cr_expect_gt(blocked, 5);
	cr_assert_eq(pair.client.in.len, BIG);
	cr_expect_eq(memcmp(pair.client.in.ptr, big, BIG), 0);
	mem_free(big);
}

Test(sock_tls_bytes, many_small_parts_are_one_record)
{
	struct iovec iov[64];
	char bytes[64];

	sock_pair_shake(&pair);
	for (int i = 0; i < 64; i++) {
		bytes[i] = (char)('0' + i);
		iov[i] = (struct iovec){ bytes + i, 1 };
	}
	cr_expect_eq(sock_sendv(&pair.owner.sock, iov, 64), 64);
	cr_expect_eq(SSL_read(pair.client.ssl, buf_reserve(&pair.client.in, 100), 100),
		     64);
	cr_expect_arr_eq(pair.client.in.ptr, bytes, 64);
}

/* Raw bytes in the way of the server's own, until the kernel takes no more. */
static size_t fill(int fd)
{
	char junk[1024] = "";
	size_t total = 0;
	ssize_t n;

	while ((n = write(fd, junk, sizeof(junk))) > 0)
		total += (size_t)n;
	return total;
}

static void drain(int fd, size_t len)
{
	char junk[1024];

	while (len > 0) {
		ssize_t n = read(fd, junk, len < sizeof(junk) ? len : sizeof(junk));

		cr_assert_gt(n, 0);
		len -= (size_t)n;
	}
}

Test(sock_tls_bytes, read_that_has_to_write_waits_until_it_can)
{
	size_t len;

	cr_expect_not(tls_client_shake(&pair.client));
	len = fill(sock_fd(&pair.owner.sock));
	sock_pair_turns(&pair, 3);
	cr_expect_eq(pair.owner.last, ERR_AGAIN);
	pair.owner.calls = 0;
	sock_pair_turns(&pair, 3);
	cr_expect_eq(pair.owner.calls, 0, "spins");
	drain(pair.client.fd, len);
	sock_pair_turns(&pair, 2);
	cr_expect_gt(pair.owner.calls, 0);
	cr_expect_eq(pair.owner.ready, LOOP_READ);
	sock_pair_shake(&pair);
	tls_client_write(&pair.client, "abc", 3);
	sock_pair_turns(&pair, 2);
	sock_pair_expect(&pair, "abc");
}
