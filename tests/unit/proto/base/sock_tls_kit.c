/* SPDX-License-Identifier: Apache-2.0 */
/* The pair of sock_tls_kit.h. */
#include "tests/unit/proto/base/sock_tls_kit.h"

#include <criterion/criterion.h>
#include <string.h>
#include <sys/socket.h>

void sock_owner_on_io(struct loop_io *io, unsigned ready)
{
	struct sock_owner *told = CONTAINER_OF(io, struct sock_owner, sock.io);

	told->ready = ready;
	told->calls++;
	if (!(ready & LOOP_READ) || told->piece == 0)
		return;
	told->last =
		sock_recv(&told->sock, buf_reserve(&told->in, told->piece), told->piece);
	if (told->last > 0)
		told->in.len += (size_t)told->last;
	if (told->last == 0 || told->last == ERR_IO ||
	    (told->last > 0 && told->is_single))
		sock_want(&told->sock, 0);
}

void sock_pair_open(struct sock_pair *pair, int version)
{
	int ends[2];

	cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends), 0);
	pair->owner = (struct sock_owner){ .piece = 65536, .last = ERR_AGAIN };
	sock_init(&pair->owner.sock, pair->loop, ends[0], pair->certs.tls,
		  sock_owner_on_io);
	sock_want(&pair->owner.sock, LOOP_READ);
	tls_client_init(&pair->client, ends[1], version);
}

void sock_pair_close(struct sock_pair *pair)
{
	sock_fini(&pair->owner.sock);
	buf_fini(&pair->owner.in);
	tls_client_fini(&pair->client);
}

void sock_pair_init(struct sock_pair *pair)
{
	tls_kit_init(&pair->certs);
	pair->loop = loop_new();
	sock_pair_open(pair, TLS1_3_VERSION);
}

void sock_pair_fini(struct sock_pair *pair)
{
	sock_pair_close(pair);
	loop_free(pair->loop);
	tls_kit_fini(&pair->certs);
}

void sock_pair_turns(struct sock_pair *pair, int n)
{
	for (int i = 0; i < n; i++)
		loop_turn(pair->loop, 0);
}

void sock_pair_shake(struct sock_pair *pair)
{
	for (int i = 0; i < 20 && !tls_client_shake(&pair->client); i++)
		loop_turn(pair->loop, 10);
	cr_assert(tls_client_shake(&pair->client));
	sock_pair_turns(pair, 3);
	cr_assert(sock_is_open(&pair->owner.sock));
	cr_expect_eq(pair->owner.last, ERR_AGAIN);
	cr_expect_null(sock_tls_problem(&pair->owner.sock));
	pair->owner.calls = 0;
}

void sock_pair_expect(struct sock_pair *pair, const char *text)
{
	cr_expect(slice_equal(buf_slice(&pair->owner.in), slice_from_str(text)), "%.*s",
		  (int)pair->owner.in.len, pair->owner.in.ptr);
}

ssize_t sock_pair_send(struct sock_pair *pair, const char *text)
{
	char copy[64];
	struct iovec iov = { copy, strlen(text) };

	memcpy(copy, text, iov.iov_len);
	return sock_sendv(&pair->owner.sock, &iov, 1);
}
