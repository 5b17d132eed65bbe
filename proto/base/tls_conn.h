/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One connection's TLS, between sock.c and OpenSSL, for those two files only. It works on
 * a non-blocking descriptor that it does not own, makes the handshake when it is first
 * asked to read or write, and says what the descriptor has to be watched for: a read may
 * have to wait until it can write, and the other way round.
 */
#ifndef PROTO_BASE_TLS_CONN_H
#define PROTO_BASE_TLS_CONN_H

#include <stdbool.h>
#include <sys/types.h>
#include <sys/uio.h>

#include "proto/base/tls.h"

/* One record's worth: what a write gathers, and what a read takes in advance. */
#define TLS_RECORD_BYTES 16384

struct tls_conn;

/* References `tls`. */
struct tls_conn *tls_conn_new(struct tls *tls, int fd);

/* Says goodbye if it still can, in one try. */
void tls_conn_free(struct tls_conn *conn);

/* As sock_recv() and sock_sendv(). */
MUST_CHECK ssize_t tls_conn_recv(struct tls_conn *conn, void *ptr, size_t len);
MUST_CHECK ssize_t tls_conn_sendv(struct tls_conn *conn, const struct iovec *iov, int n);

/* Sends close_notify. ERR_AGAIN: again when the descriptor can be written. */
MUST_CHECK enum err tls_conn_shut(struct tls_conn *conn);

/* What to watch the descriptor for, when `want` is what the owner wants. */
unsigned tls_conn_want(const struct tls_conn *conn, unsigned want);

/* Which of what the owner wants the descriptor's `ready` may allow. */
unsigned tls_conn_ready(const struct tls_conn *conn, unsigned want, unsigned ready);

/* A read would find something, or the end, though the descriptor may be silent. */
bool tls_conn_has_more(const struct tls_conn *conn);

/* The handshake is done. */
bool tls_conn_is_open(const struct tls_conn *conn);

/* Why there was no handshake, a constant; NULL: it is done, or the peer said nothing. */
const char *tls_conn_problem(const struct tls_conn *conn);

/* Has the client shown a certificate that was verified? Then `name` is the common name
 * in it, cut to fit `size` with a NUL, or empty. */
bool tls_conn_peer(const struct tls_conn *conn, char *name, size_t size);

/* For tls_conn.c: what every connection is made from, and room for one record. */
struct ssl_ctx_st;
struct ssl_ctx_st *tls_context(const struct tls *tls);
char *tls_scratch(struct tls *tls);

#endif
