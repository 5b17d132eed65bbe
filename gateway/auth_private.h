/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the files of auth share.
 */
#ifndef GATEWAY_AUTH_PRIVATE_H
#define GATEWAY_AUTH_PRIVATE_H

#include "gateway/auth_claims.h"
#include "gateway/auth_keys.h"
#include "proto/base/secret.h"

/* The kid of the key that dev mode signs with. */
#define AUTH_DEV_KEY_ID "heliograph-dev"

struct auth {
	struct auth_keys keys; /* those configured */
	/* Secrets that are accepted in the place of the first key, which is of
	 * auth_key_file then. Owned. */
	struct auth_key *others[SECRET_LINES_MAX - 1];
	size_t others_n;
	int64_t fingerprint;
	struct auth_key *dev; /* owned; NULL without dev mode, and with a key to mint */
	const struct auth_key *minter; /* one of these: HS256; NULL: nothing is minted */
	struct auth_rules rules;
};

#endif
