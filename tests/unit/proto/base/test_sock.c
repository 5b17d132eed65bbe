/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sockets without TLS, over a socketpair: bytes both ways, what the kernel does not take,
 * both kinds of end, a new owner.
 */
#include <criterion/criterion.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "proto/base/mem.h"
#include "proto/base/sock.h"

#define BIG (4u << 20)

struct owner {
	struct sock sock;
	unsigned ready; /* what the last call told */
	int calls;
	bool is_ending; /* closes the sock inside the call */
};

static struct loop *loop;
static struct owner owner;
static int peer;

static void on_io(struct loop_io *io, unsigned ready)
{
	struct owner *told = CONTAINER_OF(io, struct owner, sock.io);

	told->ready = ready;
	told->calls++;
	if (told->is_ending)
		sock_fini(&told->sock);
}

static void start(void)
{
	int ends[2];

	cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends), 0);
	loop = loop_new();
	owner = (struct owner){ .calls = 0 };
	sock_init(&owner.sock, loop, ends[0], NULL, on_io);
	peer = ends[1];
}

static void end(void)
{
	if (!owner.is_ending)
		sock_fini(&owner.sock);
	if (peer >= 0)
		close(peer);
	loop_free(loop);
}

TestSuite(sock, .init = start, .fini = end, .timeout = 30);

static ssize_t send_text(struct sock *sock, const char *a, const char *b)
{
	char first[16];
	char second[16];
	struct iovec iov[2] = { { first, strlen(a) }, { second, strlen(b) } };

	memcpy(first, a, iov[0].iov_len);
	memcpy(second, b, iov[1].iov_len);
	return sock_sendv(sock, iov, 2);
}

Test(sock, tells_its_owner_and_reads)
{
	char bytes[8];

	cr_expect_eq(sock_recv(&owner.sock, bytes, sizeof(bytes)), ERR_AGAIN);
	sock_want(&owner.sock, LOOP_READ);
	loop_turn(loop, 0);
	cr_expect_eq(owner.calls, 0);
	cr_assert_eq(write(peer, "abc", 3), 3);
	loop_turn(loop, 1000);
	cr_expect_eq(owner.ready, LOOP_READ);
	cr_expect_eq(sock_recv(&owner.sock, bytes, 2), 2);
	cr_expect_eq(sock_recv(&owner.sock, bytes + 2, 6), 1);
	cr_expect_arr_eq(bytes, "abc", 3);
	cr_expect_eq(sock_recv(&owner.sock, bytes, sizeof(bytes)), ERR_AGAIN);
}

Test(sock, is_silent_once_nothing_is_wanted)
{
	sock_want(&owner.sock, LOOP_READ);
	sock_want(&owner.sock, 0);
	cr_assert_eq(write(peer, "abc", 3), 3);
	loop_turn(loop, 20);
	cr_expect_eq(owner.calls, 0);
}

Test(sock, sends_all_parts_at_once)
{
	char bytes[8];

	cr_expect_eq(send_text(&owner.sock, "ab", "cde"), 5);
	cr_expect_eq(read(peer, bytes, sizeof(bytes)), 5);
	cr_expect_arr_eq(bytes, "abcde", 5);
}

Test(sock, sends_what_the_kernel_takes_and_goes_on_when_it_takes_more)
{
	char *big = mem_zalloc(BIG);
	char *sink = mem_alloc(BIG);
	struct iovec iov = { big, BIG };
	ssize_t n = sock_sendv(&owner.sock, &iov, 1);

	cr_assert(n > 0 && n < BIG);
	cr_expect_eq(sock_sendv(&owner.sock, &iov, 1), ERR_AGAIN);
	sock_want(&owner.sock, LOOP_WRITE);
	loop_turn(loop, 0);
	cr_expect_eq(owner.calls, 0);
	while (read(peer, sink, BIG) > 0)
		;
	loop_turn(loop, 1000);
	cr_expect_eq(owner.ready, LOOP_WRITE);
	cr_expect_gt(sock_sendv(&owner.sock, &iov, 1), 0);
	mem_free(big);
	mem_free(sink);
}

Test(sock, reads_on_behind_its_own_end)
{
	char bytes[8];

	cr_expect_eq(sock_shut_write(&owner.sock), OK);
	cr_expect_eq(read(peer, bytes, sizeof(bytes)), 0);
	cr_assert_eq(write(peer, "late", 4), 4);
	cr_expect_eq(sock_recv(&owner.sock, bytes, sizeof(bytes)), 4);
	cr_expect_eq(send_text(&owner.sock, "a", "b"), ERR_IO);
}

Test(sock, peers_end_comes_behind_its_bytes)
{
	char bytes[8];

	cr_assert_eq(write(peer, "last", 4), 4);
	cr_assert_eq(shutdown(peer, SHUT_WR), 0);
	cr_expect_eq(sock_recv(&owner.sock, bytes, sizeof(bytes)), 4);
	cr_expect_eq(sock_recv(&owner.sock, bytes, sizeof(bytes)), 0);
	cr_expect_eq(send_text(&owner.sock, "a", "b"), 2);
}

/* Without SIGPIPE, which this process has not ignored. */
Test(sock, lost_peer_is_an_error)
{
	char bytes[8];

	cr_expect_eq(send_text(&owner.sock, "a", "b"), 2);
	cr_assert_eq(close(peer), 0);
	peer = -1;
	cr_expect_eq(send_text(&owner.sock, "a", "b"), ERR_IO);
	cr_expect_eq(sock_recv(&owner.sock, bytes, sizeof(bytes)), ERR_IO);
}

Test(sock, new_owner_hears_and_the_old_one_does_not)
{
	struct sock travels;
	struct owner second = { .calls = 0 };
	char bytes[8];

	sock_want(&owner.sock, LOOP_READ);
	sock_move(&travels, &owner.sock, NULL);
	cr_assert_eq(write(peer, "abc", 3), 3);
	loop_turn(loop, 20);
	sock_move(&second.sock, &travels, on_io);
	loop_turn(loop, 20);
	cr_expect_eq(second.calls, 0);
	sock_want(&second.sock, LOOP_READ);
	loop_turn(loop, 1000);
	cr_expect_eq(owner.calls, 0);
	cr_expect_eq(second.calls, 1);
	cr_expect_eq(sock_recv(&second.sock, bytes, sizeof(bytes)), 3);
	sock_move(&owner.sock, &second.sock, on_io);
}

Test(sock, may_be_closed_by_the_function_it_calls)
{
	char byte;

	owner.is_ending = true;
	sock_want(&owner.sock, LOOP_READ | LOOP_WRITE);
	loop_turn(loop, 1000);
	loop_turn(loop, 0);
	cr_expect_eq(owner.calls, 1);
	cr_expect_eq(read(peer, &byte, 1), 0);
}
