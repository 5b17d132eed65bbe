/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The client's side of TLS on a connected, blocking descriptor, for a program that may
 * wait: it makes one connection, asks and ends. TLS 1.2 and 1.3. The server's certificate
 * must be for the host that was dialed.
 */
#ifndef PROTO_BASE_TLS_DIAL_H
#define PROTO_BASE_TLS_DIAL_H

#include <sys/types.h>

#include "proto/base/err.h"
#include "proto/base/slice.h"
#include "proto/base/tls.h"

struct tls_dial;

struct tls_dial_options {
	const char *host;      /* name or address */
	const char *ca_path;   /* PEM; NULL: the authorities the system trusts */
	const char *cert_path; /* PEM, to show if asked; NULL: none */
	const char *key_path;  /* its key, which nobody else may be able to read */
};

/*
 * Makes the handshake; `fd` stays the caller's, and its timeouts hold. ERR_ARGUMENT (a
 * file will not do), ERR_TIMEOUT, ERR_DENIED (the certificate will not do), ERR_IO:
 * `error` says what.
 */
MUST_CHECK enum err tls_dial_open(int fd, const struct tls_dial_options *options,
				  struct tls_dial **dial, char error[TLS_ERROR_BYTES]);

/* Bytes read; 0: the server has ended it in order; ERR_TIMEOUT; ERR_IO. */
MUST_CHECK ssize_t tls_dial_recv(struct tls_dial *dial, void *ptr, size_t len);

/* All of them; ERR_TIMEOUT, ERR_IO. */
MUST_CHECK enum err tls_dial_send(struct tls_dial *dial, struct slice bytes);

/* Says goodbye in one try. NULL is legal. */
void tls_dial_close(struct tls_dial *dial);

#endif
