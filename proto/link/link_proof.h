/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the two sides of a greeting show each other: that they know the key, and heard the
 * same Hellos. Pure. Inside of the link: nobody else includes this.
 */
#ifndef PROTO_LINK_LINK_PROOF_H
#define PROTO_LINK_LINK_PROOF_H

#include <stdint.h>

#include "proto/base/crypto.h"
#include "proto/base/secret.h"
#include "proto/base/slice.h"

#define LINK_PROOF_BYTES CRYPTO_SHA256_BYTES

/* The two Hello frames as they were sent. */
struct link_hellos {
	struct slice dialer;
	struct slice listener;
};

/* What is proven, and the name of a session, which no other greeting yields. */
enum link_proof_of {
	LINK_PROOF_DIALER = 'd',
	LINK_PROOF_LISTENER = 'l',
	LINK_PROOF_SESSION = 's'
};

void link_proof_make(struct slice key, enum link_proof_of what,
		     const struct link_hellos *hellos, uint8_t mac[LINK_PROOF_BYTES]);

/* The one of `keys` under which `mac` is right; NULL: none. All are tried, so that time
 * tells nothing. */
const struct slice *link_proof_find(const struct secrets *keys, enum link_proof_of what,
				    const struct link_hellos *hellos, struct slice mac);

/* Never 0. */
uint64_t link_proof_session(struct slice key, const struct link_hellos *hellos);

#endif
