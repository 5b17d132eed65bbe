/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A connected stream socket on the loop, plain or under TLS. Embedded in its owner, and
 * owns the descriptor. Reading and writing are one system call each when it is plain;
 * what waits, for how long and in which order is the owner's.
 *
 * The owner does not see which it is. Under TLS the first reads make the handshake, a
 * read may wait until something can be written, and bytes that came may lie inside: the
 * owner is told that it can read for as long as it can.
 */
#ifndef PROTO_BASE_SOCK_H
#define PROTO_BASE_SOCK_H

#include <stdbool.h>
#include <sys/types.h>
#include <sys/uio.h>

#include "proto/base/err.h"
#include "proto/base/loop.h"
#include "proto/base/tls.h"

struct sock_tls;

struct sock {
	struct sock_tls *tls; /* owned; NULL: plain */
	struct loop_io io;
};

/*
 * Takes the non-blocking `fd` over; waits for nothing yet. `tls` is referenced; NULL:
 * plain. `fn` gets &sock->io. NULL when the sock only travels: it is moved before anybody
 * waits for it.
 */
void sock_init(struct sock *sock, struct loop *loop, int fd, struct tls *tls,
	       loop_io_fn *fn);

/*
 * Hands the socket to a new owner, who hears of it through `fn` (NULL: as above) and
 * waits for nothing yet. `from` is as before sock_init().
 */
void sock_move(struct sock *to, struct sock *from, loop_io_fn *fn);

/* Closes. Legal inside the sock's own fn. */
void sock_fini(struct sock *sock);

/* What to be told of, LOOP_READ and LOOP_WRITE; free of cost when nothing changes. */
void sock_want(struct sock *sock, unsigned want);

/*
 * Bytes read (> 0); 0: the peer's side has ended; ERR_AGAIN: nothing there now; ERR_IO:
 * the connection is lost, or was cut off under TLS. `len` > 0.
 */
MUST_CHECK ssize_t sock_recv(struct sock *sock, void *ptr, size_t len);

/*
 * Bytes taken (> 0), often fewer than there are; ERR_AGAIN: none now; ERR_IO: the
 * connection is lost. What was not taken comes first in the next call, unchanged, with or
 * without more behind it. At least one byte; `iov` itself is only read.
 */
MUST_CHECK ssize_t sock_sendv(struct sock *sock, struct iovec *iov, int n);

/* As sock_sendv(), of one piece. */
MUST_CHECK ssize_t sock_send(struct sock *sock, const void *ptr, size_t len);

/* Ends our side behind all that was sent; reading goes on. ERR_IO: already lost. */
MUST_CHECK enum err sock_shut_write(struct sock *sock);

int sock_fd(const struct sock *sock);
bool sock_is_tls(const struct sock *sock);

/* Plain, or the handshake is done. */
bool sock_is_open(const struct sock *sock);

/* As tls_conn_peer(); false when it is plain. */
bool sock_tls_peer(const struct sock *sock, char *name, size_t size);

/* Why there was no handshake, a constant; NULL: it is open, or the peer said nothing. */
const char *sock_tls_problem(const struct sock *sock);

#endif
