/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Certificates in a folder of the test's, and a client that talks TLS over a descriptor
 * without ever blocking: OpenSSL's own, so that two implementations of nothing agree.
 */
#ifndef TESTS_TLS_KIT_H
#define TESTS_TLS_KIT_H

#include <openssl/ssl.h>
#include <stdbool.h>

#include "proto/base/buf.h"
#include "proto/base/tls.h"

struct tls_kit {
	char folder[64];
	char cert[96];
	char key[96];
	struct tls *tls;
};

/* Makes a folder, a key and a certificate for "localhost", and loads them. Ignores
 * SIGPIPE, as every program of ours does. */
void tls_kit_init(struct tls_kit *kit);
void tls_kit_fini(struct tls_kit *kit);

/* A certificate of `days` for `name` and its key, in place of those there. */
void tls_kit_certify(struct tls_kit *kit, const char *name, int days);

/* Writes a file of the folder, mode 0600. */
void tls_kit_write(const char *path, const char *text);

struct tls_client {
	SSL_CTX *context;
	SSL *ssl;
	int fd;
	struct buf in;
	bool is_ended; /* close_notify came */
	bool is_cut;   /* any other end */
};

/* Takes `fd` over. `version`: TLS1_3_VERSION, ..., and nothing else is offered. */
void tls_client_init(struct tls_client *client, int fd, int version);
void tls_client_fini(struct tls_client *client);

/* One step of the handshake; true once it is done. */
bool tls_client_shake(struct tls_client *client);

/* Takes in all that is there. */
void tls_client_read(struct tls_client *client);

/* The kernel must take it at once. */
void tls_client_write(struct tls_client *client, const void *ptr, size_t len);

/* The name in the certificate that the server showed. */
void tls_client_peer(struct tls_client *client, char *name, int len);

#endif
