/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Digests against the vectors of RFC 3174 and RFC 4231, encodings against RFC 4648, and
 * everything a strict decoder has to refuse.
 */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "proto/base/crypto.h"

static const char *hex(const uint8_t *bytes, size_t len)
{
	static char text[2 * 64 + 1];

	for (size_t i = 0; i < len; i++)
		(void)snprintf(text + 2 * i, 3, "%02x", bytes[i]);
	return text;
}

static void expect_sha1(struct slice bytes, const char *digest)
{
	uint8_t out[CRYPTO_SHA1_BYTES];

	crypto_sha1(bytes, out);
	cr_expect_str_eq(hex(out, sizeof(out)), digest);
}

static void expect_hmac(struct slice key, struct slice bytes, const char *digest)
{
	uint8_t out[CRYPTO_SHA256_BYTES];

	crypto_hmac_sha256(key, bytes, out);
	cr_expect_str_eq(hex(out, sizeof(out)), digest);
}

Test(crypto, sha1_of_the_rfc_3174_texts)
{
	expect_sha1(SLICE("abc"), "a9993e364706816aba3e25717850c26c9cd0d89d");
	expect_sha1(SLICE("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"),
		    "84983e441c3bd26ebaae4aa1f95129e5e54670f1");
}

Test(crypto, sha1_of_nothing)
{
	expect_sha1(SLICE_NONE, "da39a3ee5e6b4b0d3255bfef95601890afd80709");
}

Test(crypto, sha1_makes_the_websocket_accept_key_of_rfc_6455)
{
	uint8_t digest[CRYPTO_SHA1_BYTES];
	struct buf out = BUF_INIT;

	crypto_sha1(SLICE("dGhlIHNhbXBsZSBub25jZQ=="
			  "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"),
		    digest);
	crypto_base64_encode(&out, slice_make((char *)digest, sizeof(digest)));
	cr_expect(slice_equal(buf_slice(&out), SLICE("s3pPLMBiTxaQ9kYGzzhZRbK+xOo=")));
	buf_fini(&out);
}

Test(crypto, hmac_of_the_rfc_4231_cases)
{
	char key[131];

	memset(key, 0x0b, 20);
	expect_hmac(slice_make(key, 20), SLICE("Hi There"),
		    "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");
	expect_hmac(SLICE("Jefe"), SLICE("what do ya want for nothing?"),
		    "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
	memset(key, 0xaa, sizeof(key));
	expect_hmac(slice_make(key, sizeof(key)),
		    SLICE("Test Using Larger Than Block-Size Key - Hash Key First"),
		    "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
}

Test(crypto, hmac_of_nothing_under_no_key)
{
	expect_hmac(SLICE_NONE, SLICE_NONE,
		    "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad");
}

Test(crypto, equal_compares_content_and_length)
{
	cr_expect(crypto_equal(SLICE("secret"), SLICE("secret")));
	cr_expect(crypto_equal(SLICE_NONE, SLICE("")));
	cr_expect_not(crypto_equal(SLICE("secret"), SLICE("secreT")));
	cr_expect_not(crypto_equal(SLICE("secret"), SLICE("Secret")));
	cr_expect_not(crypto_equal(SLICE("secret"), SLICE("secre")));
	cr_expect_not(crypto_equal(SLICE("secret"), SLICE_NONE));
}

Test(crypto, random_fills_all_bytes_and_no_more)
{
	uint8_t seen[67] = { 0 };

	/* That a byte stays 0 through 64 fills has a chance of 256^-64. */
	for (int round = 0; round < 64; round++) {
		uint8_t bytes[67] = { 0 };

		crypto_random(bytes + 1, 65);
		for (size_t i = 0; i < sizeof(bytes); i++)
			seen[i] |= bytes[i];
	}
	cr_expect_eq(seen[0], 0);
	cr_expect_eq(seen[66], 0);
	for (size_t i = 1; i <= 65; i++)
		cr_expect_neq(seen[i], 0);
}

Test(crypto, random_takes_more_than_one_system_call_gives)
{
	static uint8_t bytes[100000];

	crypto_random(bytes, sizeof(bytes));
	cr_expect_neq(memcmp(bytes, bytes + 50000, 50000), 0);
	crypto_random(NULL, 0);
}

Test(crypto, random_numbers_differ)
{
	cr_expect_neq(crypto_random_uint64(), crypto_random_uint64());
}

struct pair {
	struct slice bytes;
	struct slice padded;
	struct slice url;
};

static const struct pair pairs[] = {
	{ { "", 0 }, { "", 0 }, { "", 0 } },
	{ { "f", 1 }, { "Zg==", 4 }, { "Zg", 2 } },
	{ { "f\157", 2 }, { "Zm8=", 4 }, { "Zm8", 3 } },
	{ { "foo", 3 }, { "Zm9v", 4 }, { "Zm9v", 4 } },
	{ { "foob", 4 }, { "Zm9vYg==", 8 }, { "Zm9vYg", 6 } },
	{ { "fooba", 5 }, { "Zm9vYmE=", 8 }, { "Zm9vYmE", 7 } },
	{ { "foobar", 6 }, { "Zm9vYmFy", 8 }, { "Zm9vYmFy", 8 } },
	{ { "\xff\xef\xfe\0", 4 }, { "/+/+AA==", 8 }, { "_-_-AA", 6 } },
};

#define EACH_PAIR(it)                                                                    \
	for (const struct pair *it = pairs; it < pairs + sizeof(pairs) / sizeof(*pairs); \
	     it++)

Test(crypto, base64_encodes_with_padding)
{
	EACH_PAIR(it)
	{
		struct buf out = BUF_INIT;

		crypto_base64_encode(&out, it->bytes);
		cr_expect(slice_equal(buf_slice(&out), it->padded));
		buf_fini(&out);
	}
}

Test(crypto, base64url_encodes_without_padding)
{
	EACH_PAIR(it)
	{
		struct buf out = BUF_INIT;

		crypto_base64url_encode(&out, it->bytes);
		cr_expect(slice_equal(buf_slice(&out), it->url));
		buf_fini(&out);
	}
}

Test(crypto, base64url_decodes_what_it_encodes)
{
	EACH_PAIR(it)
	{
		struct buf out = BUF_INIT;

		cr_expect_eq(crypto_base64url_decode(&out, it->url), OK);
		cr_expect(slice_equal(buf_slice(&out), it->bytes));
		buf_fini(&out);
	}
}

Test(crypto, base64url_round_trip_of_every_length)
{
	for (size_t len = 0; len <= 100; len++) {
		char bytes[100];
		struct buf text = BUF_INIT;
		struct buf back = BUF_INIT;

		crypto_random(bytes, len);
		crypto_base64url_encode(&text, slice_make(bytes, len));
		cr_expect_eq(crypto_base64url_decode(&back, buf_slice(&text)), OK);
		cr_expect(slice_equal(buf_slice(&back), slice_make(bytes, len)));
		buf_fini(&text);
		buf_fini(&back);
	}
}

Test(crypto, encodings_append)
{
	struct buf out = BUF_INIT;

	buf_append_str(&out, "a:");
	crypto_base64_encode(&out, SLICE("f"));
	crypto_base64url_encode(&out, SLICE("f"));
	cr_expect_eq(crypto_base64url_decode(&out, SLICE("Zg")), OK);
	cr_expect(slice_equal(buf_slice(&out), SLICE("a:Zg==Zgf")));
	buf_fini(&out);
}

static void expect_refused(struct slice text)
{
	struct buf out = BUF_INIT;

	buf_append_str(&out, "before");
	cr_expect_eq(crypto_base64url_decode(&out, text), ERR_MALFORMED, "%.*s",
		     SLICE_FMT(text));
	cr_expect(slice_equal(buf_slice(&out), SLICE("before")));
	buf_fini(&out);
}

Test(crypto, base64_decodes_what_it_encodes)
{
	EACH_PAIR(it)
	{
		struct buf text = BUF_INIT;
		struct buf back = BUF_INIT;

		crypto_base64_encode(&text, it->bytes);
		cr_expect_eq(crypto_base64_decode(&back, buf_slice(&text)), OK);
		cr_expect(slice_equal(buf_slice(&back), it->bytes));
		buf_fini(&text);
		buf_fini(&back);
	}
}

Test(crypto, base64_is_as_strict_with_its_padding)
{
	static const char *const texts[] = { "Zg",   "Zg=",   "Zg===", "Zg====",  "Z===",
					     "====", "=Zg=",  "Zg=a",  "Zh==",	  "Zm9=",
					     "Zm-v", "Zm9v=", "Zm9\n", "Zm9v====" };

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		struct buf out = BUF_INIT;

		buf_append_str(&out, "before");
		cr_expect_eq(crypto_base64_decode(&out, slice_from_str(texts[i])),
			     ERR_MALFORMED, "%s", texts[i]);
		cr_expect(slice_equal(buf_slice(&out), SLICE("before")));
		buf_fini(&out);
	}
}

Test(crypto, base64url_refuses_padding)
{
	expect_refused(SLICE("Zg=="));
	expect_refused(SLICE("Zm8="));
	expect_refused(SLICE("="));
}

Test(crypto, base64url_refuses_the_other_alphabet_and_foreign_bytes)
{
	expect_refused(SLICE("Zm+v"));
	expect_refused(SLICE("Zm/v"));
	expect_refused(SLICE("Zm9v\n"));
	expect_refused(SLICE(" Zm9"));
	expect_refused(SLICE("Zm\0v"));
	expect_refused(SLICE("Zm9vZm\xc3v"));
}

Test(crypto, base64url_refuses_a_length_that_no_bytes_have)
{
	expect_refused(SLICE("Z"));
	expect_refused(SLICE("Zm9vY"));
}

Test(crypto, base64url_refuses_set_trailing_bits)
{
	expect_refused(SLICE("Zh"));
	expect_refused(SLICE("Zm9"));
	expect_refused(SLICE("Zm9vYv"));
}

/* RFC 4231, test cases 2 and 6. */
Test(crypto, a_prepared_key_signs_as_a_fresh_one)
{
	const struct slice parts[] = { SLICE("what do ya "), SLICE(""),
				       SLICE("want for nothing?") };
	const struct slice whole = SLICE("what do ya want for nothing?");
	char long_key[131];
	uint8_t wanted[CRYPTO_SHA256_BYTES];
	uint8_t got[CRYPTO_SHA256_BYTES];
	struct crypto_hmac *hmac = crypto_hmac_new(SLICE("Jefe"));

	crypto_hmac_sha256(SLICE("Jefe"), whole, wanted);
	for (unsigned i = 0; i < 3; i++) {
		crypto_hmac_of(hmac, parts, 3, got);
		cr_expect_arr_eq(got, wanted, sizeof(got));
		crypto_hmac_of(hmac, &whole, 1, got);
		cr_expect_arr_eq(got, wanted, sizeof(got));
	}
	crypto_hmac_free(hmac);

	memset(long_key, 0xAA, sizeof(long_key));
	hmac = crypto_hmac_new(slice_make(long_key, sizeof(long_key)));
	crypto_hmac_sha256(slice_make(long_key, sizeof(long_key)), SLICE_NONE, wanted);
	crypto_hmac_of(hmac, NULL, 0, got);
	cr_expect_arr_eq(got, wanted, sizeof(got));
	crypto_hmac_free(hmac);
	crypto_hmac_free(NULL);
}
