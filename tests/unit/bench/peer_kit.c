/* SPDX-License-Identifier: Apache-2.0 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* accept4, memmem */
#endif
#include "tests/unit/bench/peer_kit.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#define TURNS_MAX 3000 /* of a millisecond at most: only a failure takes so long */

static void on_open(struct carrier_owner *owner)
{
	CONTAINER_OF(owner, struct peer, owner)->opened_n++;
}

static void on_bytes(struct carrier_owner *owner, struct slice bytes)
{
	struct peer *peer = CONTAINER_OF(owner, struct peer, owner);

	buf_append_slice(&peer->heard, bytes);
	buf_append_byte(&peer->heard, '|');
}

static void on_end(struct carrier_owner *owner, const char *why)
{
	struct peer *peer = CONTAINER_OF(owner, struct peer, owner);

	cr_assert_null(peer->ended);
	peer->ended = why;
}

static const struct carrier_owner_ops owner_ops = { on_open, on_bytes, on_end };

void peer_init(struct peer *peer)
{
	socklen_t len = sizeof(peer->site.server);

	*peer = (struct peer){ .loop = loop_new() };
	peer->owner.ops = &owner_ops;
	intake_init(&peer->intake, peer->loop, 1);
	peer->listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
	peer->site.server.sin_family = AF_INET;
	peer->site.server.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	cr_assert_eq(bind(peer->listener, (struct sockaddr *)&peer->site.server, len), 0);
	cr_assert_eq(listen(peer->listener, PEER_CONNS_MAX), 0);
	cr_assert_eq(
		getsockname(peer->listener, (struct sockaddr *)&peer->site.server, &len),
		0);
	peer->site.intake = &peer->intake;
	peer->site.host = SLICE("host");
	peer->site.path = SLICE("/hub");
	peer->site.pool = http_pool_new(&peer->intake, &peer->site.server);
}

void peer_fini(struct peer *peer)
{
	http_pool_free(peer->site.pool);
	loop_free(peer->loop);
	intake_fini(&peer->intake);
	buf_fini(&peer->heard);
	for (size_t i = 0; i < peer->conns_n; i++) {
		peer_hang_up(peer, i);
		buf_fini(&peer->came[i]);
	}
	(void)close(peer->listener);
}

struct carrier *peer_carrier(struct peer *peer, const struct carrier_ops *ops)
{
	const struct carrier_target target = { .site = &peer->site,
					       .id = SLICE("ID"),
					       .bearer = SLICE("TOKEN"),
					       .is_text = true };
	const char *why = NULL;
	struct carrier *carrier = ops->open(&peer->owner, &target, &why);

	cr_assert_not_null(carrier, "%s", why);
	return carrier;
}

static void turn(struct peer *peer)
{
	int fd = accept4(peer->listener, NULL, NULL, SOCK_NONBLOCK);

	if (fd >= 0) {
		cr_assert_lt(peer->conns_n, PEER_CONNS_MAX);
		peer->conns[peer->conns_n++] = fd;
	}
	for (size_t i = 0; i < peer->conns_n; i++) {
		struct buf *came = &peer->came[i];
		ssize_t n = recv(peer->conns[i], buf_reserve(came, 65536), 65536, 0);

		came->len += n > 0 ? (size_t)n : 0;
	}
	loop_turn(peer->loop, 1);
}

void peer_turn(struct peer *peer)
{
	for (int i = 0; i < 10; i++)
		turn(peer);
}

void peer_await_bytes(struct peer *peer, size_t conn, size_t n)
{
	for (int i = 0; i < TURNS_MAX; i++) {
		if (conn < peer->conns_n && peer->came[conn].len >= n)
			return;
		turn(peer);
	}
	cr_assert_fail("connection %zu brought less than %zu bytes", conn, n);
}

/* Its length, or 0. */
static size_t request_len(struct slice came, size_t *head_len)
{
	static const char length[] = "Content-Length: ";
	const char *end = came.len ? memmem(came.ptr, came.len, "\r\n\r\n", 4) : NULL;
	const char *at;
	size_t len;

	if (end == NULL)
		return 0;
	*head_len = (size_t)(end - came.ptr) + 4;
	at = memmem(came.ptr, *head_len, length, sizeof(length) - 1);
	len = *head_len + (at ? strtoul(at + sizeof(length) - 1, NULL, 10) : 0);
	return len <= came.len ? len : 0;
}

void peer_await_request(struct peer *peer, size_t conn, const char *line,
			const char *body)
{
	size_t head_len = 0;
	size_t len = 0;
	struct slice came;

	for (int i = 0; i < TURNS_MAX && len == 0; i++) {
		turn(peer);
		if (conn < peer->conns_n)
			len = request_len(buf_slice(&peer->came[conn]), &head_len);
	}
	cr_assert_neq(len, 0, "no %s on %zu", line, conn);
	came = buf_slice(&peer->came[conn]);
	cr_assert(slice_starts_with(came, slice_from_str(line)), "%.*s", SLICE_FMT(came));
	cr_assert(slice_equal(slice_make(came.ptr + head_len, len - head_len),
			      slice_from_str(body)),
		  "%.*s", SLICE_FMT(came));
	buf_consume(&peer->came[conn], len);
}

void peer_send(struct peer *peer, size_t conn, struct slice bytes)
{
	cr_assert_eq(send(peer->conns[conn], bytes.ptr, bytes.len, MSG_NOSIGNAL),
		     (ssize_t)bytes.len);
}

void peer_hang_up(struct peer *peer, size_t conn)
{
	if (peer->conns[conn] >= 0)
		(void)close(peer->conns[conn]);
	peer->conns[conn] = -1;
}

void peer_await_heard(struct peer *peer, const char *text)
{
	const struct slice expected = slice_from_str(text);

	for (int i = 0; i < TURNS_MAX && peer->heard.len < expected.len; i++)
		turn(peer);
	cr_assert(slice_equal(buf_slice(&peer->heard), expected), "%.*s",
		  SLICE_FMT(buf_slice(&peer->heard)));
}

void peer_await_open(struct peer *peer)
{
	for (int i = 0; i < TURNS_MAX && peer->opened_n == 0; i++)
		turn(peer);
	cr_assert_eq(peer->opened_n, 1);
}

void peer_await_end(struct peer *peer)
{
	for (int i = 0; i < TURNS_MAX && peer->ended == NULL; i++)
		turn(peer);
	cr_assert_not_null(peer->ended);
}
