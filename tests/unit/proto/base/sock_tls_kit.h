/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A sock under TLS on a loop, and OpenSSL's client at the other end of a socketpair. The
 * sock's owner reads what it is told of.
 */
#ifndef TESTS_SOCK_TLS_KIT_H
#define TESTS_SOCK_TLS_KIT_H

#include "proto/base/sock.h"
#include "tests/unit/proto/base/tls_kit.h"

struct sock_owner {
	struct sock sock;
	struct buf in;
	size_t piece;	/* of one read; 0: does not read */
	ssize_t last;	/* what the last read gave */
	unsigned ready; /* what the last call told */
	int calls;
	bool is_single; /* wants nothing after a read */
};

struct sock_pair {
	struct tls_kit certs;
	struct loop *loop;
	struct sock_owner owner;
	struct tls_client client;
};

/* With an open pair of TLS 1.3. */
void sock_pair_init(struct sock_pair *pair);
void sock_pair_fini(struct sock_pair *pair);

/* A fresh pair: the owner wants to read, the client has said nothing. */
void sock_pair_open(struct sock_pair *pair, int version);
void sock_pair_close(struct sock_pair *pair);

/* Turns that wait for nothing. */
void sock_pair_turns(struct sock_pair *pair, int n);

/* The handshake, to its end on both sides. The owner's calls are none again. */
void sock_pair_shake(struct sock_pair *pair);

/* The owner has read this, all in all. */
void sock_pair_expect(struct sock_pair *pair, const char *text);

/* Sends as the owner. */
ssize_t sock_pair_send(struct sock_pair *pair, const char *text);

/* The owner's function. */
void sock_owner_on_io(struct loop_io *io, unsigned ready);

#endif
