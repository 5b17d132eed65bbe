/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sockets without descriptors: what the client sends is read when the test says so, what
 * it is sent is kept. Definitions, for the one source of a test program, which includes
 * this before fake_proc.h.
 */
#ifndef TESTS_UNIT_GATEWAY_FAKE_SOCK_H
#define TESTS_UNIT_GATEWAY_FAKE_SOCK_H

#include "proto/base/sock.h"
#include "tests/unit/gateway/conn_kit.h"

#define FAKE_SOCKS_MAX 4

struct fake_sock {
	struct sock *sock; /* NULL: closed */
	loop_io_fn *fn;
	unsigned want;
	struct buf in;	/* from the client, not read */
	struct buf out; /* what the client got */
	bool is_stuck;	/* the client takes nothing */
	bool is_eof;	/* it has hung up behind `in` */
	bool is_shut;
};

static struct fake_sock *fake_socks[FAKE_SOCKS_MAX];

static struct fake_sock *fake_sock_of(const struct sock *sock)
{
	for (size_t i = 0; i < FAKE_SOCKS_MAX; i++) {
		if (fake_socks[i] != NULL && fake_socks[i]->sock == sock)
			return fake_socks[i];
	}
	abort();
}

static inline void fake_sock_open(struct fake_sock *fake, struct sock *sock)
{
	size_t i = 0;

	memset(fake, 0, sizeof(*fake));
	fake->sock = sock;
	while (fake_socks[i] != NULL)
		i++;
	fake_socks[i] = fake;
}

/* Frees what the client sent and got. */
static inline void fake_sock_forget(struct fake_sock *fake)
{
	for (size_t i = 0; i < FAKE_SOCKS_MAX; i++) {
		if (fake_socks[i] == fake)
			fake_socks[i] = NULL;
	}
	buf_fini(&fake->in);
	buf_fini(&fake->out);
}

/* Its owner reads what there is, as long as it wants to; then the turn ends. */
static inline void fake_sock_ready(struct fake_sock *fake, struct kit *kit)
{
	while (fake->sock != NULL && (fake->want & LOOP_READ) != 0 &&
	       (fake->in.len > 0 || fake->is_eof))
		fake->fn(&fake->sock->io, LOOP_READ);
	kit_turn(kit);
}

/* The client takes all that waits for it. */
static inline void fake_sock_unstick(struct fake_sock *fake, struct kit *kit)
{
	fake->is_stuck = false;
	if ((fake->want & LOOP_WRITE) != 0)
		fake->fn(&fake->sock->io, LOOP_WRITE);
	kit_turn(kit);
}

void sock_move(struct sock *to, struct sock *from, loop_io_fn *fn)
{
	struct fake_sock *fake = fake_sock_of(from);

	fake->sock = to;
	fake->fn = fn;
}

void sock_fini(struct sock *sock)
{
	struct fake_sock *fake = fake_sock_of(sock);

	fake->sock = NULL;
	fake->want = 0;
}

void sock_want(struct sock *sock, unsigned want)
{
	fake_sock_of(sock)->want = want;
}

ssize_t sock_recv(struct sock *sock, void *ptr, size_t len)
{
	struct fake_sock *fake = fake_sock_of(sock);
	const size_t n = fake->in.len < len ? fake->in.len : len;

	if (n == 0)
		return fake->is_eof ? 0 : ERR_AGAIN;
	memcpy(ptr, fake->in.ptr, n);
	buf_consume(&fake->in, n);
	return (ssize_t)n;
}

ssize_t sock_sendv(struct sock *sock, struct iovec *iov, int n)
{
	struct fake_sock *fake = fake_sock_of(sock);
	ssize_t sent = 0;

	if (fake->is_stuck)
		return ERR_AGAIN;
	for (int i = 0; i < n; i++) {
		buf_append(&fake->out, iov[i].iov_base, iov[i].iov_len);
		sent += (ssize_t)iov[i].iov_len;
	}
	return sent;
}

ssize_t sock_send(struct sock *sock, const void *ptr, size_t len)
{
	struct fake_sock *fake = fake_sock_of(sock);

	if (fake->is_stuck)
		return ERR_AGAIN;
	buf_append(&fake->out, ptr, len);
	return (ssize_t)len;
}

enum err sock_shut_write(struct sock *sock)
{
	fake_sock_of(sock)->is_shut = true;
	return OK;
}

#endif
