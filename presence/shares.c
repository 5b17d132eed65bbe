/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The ring as gateways and routers have it, made of names alone.
 */
#include "presence/shares.h"

#include <assert.h>

#include "proto/base/hash.h"

const double *shares_of(struct shares *shares, const struct slice *names, size_t n)
{
	const uint64_t names_hash = hash_stable(names, n);
	struct ring ring;
	enum err rc;

	assert(n <= RING_MEMBERS_MAX);
	if (shares->n == n && shares->names_hash == names_hash)
		return shares->of;
	ring_init(&ring);
	rc = ring_add_all(&ring, names, n);
	assert(rc == OK); /* there is room for so many */
	ring_shares(&ring, shares->of);
	ring_fini(&ring);
	shares->names_hash = names_hash;
	shares->n = n;
	return shares->of;
}
