/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The server's side of TLS: what a listener needs to know once for all its connections.
 * TLS 1.2 and 1.3, forward secret ciphers only, no compression, no renegotiation, tickets
 * for resumption under keys that live as long as this does.
 *
 * Changing the certificate makes a new one: connections keep what they were made with.
 */
#ifndef PROTO_BASE_TLS_H
#define PROTO_BASE_TLS_H

#include <stdint.h>

#include "proto/base/err.h"

#define TLS_ERROR_BYTES 512

struct tls;

/*
 * Reads PEM files: the certificate with the chain behind it, and its key, which nobody
 * else may be able to read and no passphrase protects. One reference. Blocking. On
 * ERR_IO (a file cannot be read) and ERR_ARGUMENT (what it holds will not do) `error`
 * names the file and the reason.
 */
MUST_CHECK enum err tls_new(const char *cert_path, const char *key_path, struct tls **tls,
			    char error[TLS_ERROR_BYTES]);

/*
 * Asks clients for a certificate of theirs, made by an authority in the PEM file of
 * `ca_path`. One without is welcome and has no name (tls_conn_peer()); one with a
 * certificate that does not verify is not. Sessions are not resumed any more: a resumed
 * one would outlive its certificate. Before the first connection; errors as above.
 */
MUST_CHECK enum err tls_verify_clients(struct tls *tls, const char *ca_path,
				       char error[TLS_ERROR_BYTES]);

struct tls *tls_ref(struct tls *tls);
void tls_unref(struct tls *tls); /* NULL is legal */

/* Unix time at which the certificate ends. */
int64_t tls_not_after_s(const struct tls *tls);

#endif
