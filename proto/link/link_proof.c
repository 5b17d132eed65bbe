/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An HMAC over both Hello frames, with a word in front that keeps apart what one key
 * says.
 */
#include "proto/link/link_proof.h"

#include "proto/base/buf.h"

static const char context[] = "heliograph link 1";

void link_proof_make(struct slice key, enum link_proof_of what,
		     const struct link_hellos *hellos, uint8_t mac[LINK_PROOF_BYTES])
{
	struct buf text = BUF_INIT;

	buf_append_byte(&text, (char)what);
	buf_append_str(&text, context);
	buf_append_int64(&text, (int64_t)hellos->dialer.len);
	buf_append_byte(&text, ':');
	buf_append_slice(&text, hellos->dialer);
	buf_append_slice(&text, hellos->listener);
	crypto_hmac_sha256(key, buf_slice(&text), mac);
	buf_fini(&text);
}

const struct slice *link_proof_find(const struct secrets *keys, enum link_proof_of what,
				    const struct link_hellos *hellos, struct slice mac)
{
	const struct slice *found = NULL;

	for (size_t i = 0; i < keys->n; i++) {
		uint8_t right[LINK_PROOF_BYTES];

		link_proof_make(keys->items[i], what, hellos, right);
		if (crypto_equal(mac, slice_make((const char *)right, sizeof(right))) &&
		    found == NULL)
			found = &keys->items[i];
	}
	return found;
}

uint64_t link_proof_session(struct slice key, const struct link_hellos *hellos)
{
	uint8_t mac[LINK_PROOF_BYTES];
	uint64_t number = 0;

	link_proof_make(key, LINK_PROOF_SESSION, hellos, mac);
	for (size_t i = 0; i < sizeof(number); i++)
		number |= (uint64_t)mac[i] << (8 * i);
	return number != 0 ? number : 1;
}
