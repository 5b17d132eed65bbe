/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The proofs of docs/LINK.md, byte for byte, and which of several keys one is found to be
 * of.
 */
#include "proto/link/link_proof.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#define KEY "0123456789abcdef0123456789abcdef"
#define OTHER "0123456789abcdef0123456789abcdeF"

static char dialer[53];
static char listener[53];

/* As the page has them. */
static struct link_hellos hellos_of_the_page(void)
{
	static const char head[2][21] = {
		"\x0a\x33\x08\x01\x10\x01\x1a\x02g1\x21\x01\0\0\0\0\0\0\0\x2a\x20",
		"\x0a\x33\x08\x01\x10\x02\x1a\x02r1\x21\x02\0\0\0\0\0\0\0\x2a\x20",
	};

	memcpy(dialer, head[0], 21);
	memcpy(listener, head[1], 21);
	for (int i = 0; i < 32; i++) {
		dialer[21 + i] = (char)i;
		listener[21 + i] = (char)(32 + i);
	}
	return (struct link_hellos){ slice_make(dialer, 53), slice_make(listener, 53) };
}

static void expect_begins(const uint8_t mac[LINK_PROOF_BYTES], const char *hex)
{
	char text[17];

	for (int i = 0; i < 8; i++)
		(void)snprintf(text + 2 * i, 3, "%02x", mac[i]);
	cr_expect_str_eq(text, hex);
}

Test(link_proof, is_what_the_page_says)
{
	const struct link_hellos hellos = hellos_of_the_page();
	uint8_t mac[LINK_PROOF_BYTES];

	link_proof_make(SLICE(KEY), LINK_PROOF_DIALER, &hellos, mac);
	expect_begins(mac, "4478eeaf915b3ae9");
	link_proof_make(SLICE(KEY), LINK_PROOF_LISTENER, &hellos, mac);
	expect_begins(mac, "ec14d7c8cf5fa729");
	/* Little-endian: afde00a81dd584a8 on the page. */
	cr_expect_eq(link_proof_session(SLICE(KEY), &hellos), 0xa884d51da800deaf);
}

Test(link_proof, is_found_under_any_of_the_keys)
{
	const struct link_hellos hellos = hellos_of_the_page();
	const struct secrets keys = { .items = { SLICE(OTHER), SLICE(KEY) }, .n = 2 };
	uint8_t mac[LINK_PROOF_BYTES];
	const struct slice said = { (const char *)mac, sizeof(mac) };

	link_proof_make(SLICE(KEY), LINK_PROOF_DIALER, &hellos, mac);
	cr_expect_eq(link_proof_find(&keys, LINK_PROOF_DIALER, &hellos, said),
		     &keys.items[1]);
	cr_expect_null(link_proof_find(&keys, LINK_PROOF_LISTENER, &hellos, said));
	cr_expect_null(link_proof_find(&SECRETS_OF(SLICE(OTHER)), LINK_PROOF_DIALER,
				       &hellos, said));
	cr_expect_null(link_proof_find(&keys, LINK_PROOF_DIALER, &hellos,
				       slice_make(said.ptr, sizeof(mac) - 1)));
	mac[31] ^= 1;
	cr_expect_null(link_proof_find(&keys, LINK_PROOF_DIALER, &hellos, said));
}
