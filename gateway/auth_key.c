/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Keys are parsed and checked once, when they are read; a token costs one signature check
 * with a ready key. ES256 signatures are two plain numbers in a JWT, and DER at OpenSSL.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* memmem */
#endif
#include "gateway/auth_key.h"

#include <assert.h>
#include <limits.h>
#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/ecdsa.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/param_build.h>
#include <openssl/pem.h>
#include <string.h>

#include "proto/base/mem.h"
#include "proto/base/secret.h"

#define P256_BYTES 32
#define P256_NAME "prime256v1"
#define P256_POINT_UNCOMPRESSED 4
/* OpenSSL's own limit for long moduli; more would only make a check slow. */
#define RSA_EXPONENT_BYTES_MAX 8
/* SEQUENCE, and two INTEGERs of 33 bytes, with room to spare. */
#define P256_DER_BYTES_MAX 80

struct auth_key {
	enum auth_algorithm algorithm;
	struct buf id;	   /* owned */
	struct buf secret; /* owned; HMAC only */
	EVP_PKEY *pkey;	   /* owned; NULL for HMAC */
};

/* ---- algorithms */

struct algorithm {
	struct slice name;
	size_t secret_min;
};

static const struct algorithm algorithms[] = {
#define ALGORITHM_ROW(name, text, bytes_min) { { text, sizeof(text) - 1 }, bytes_min },
	AUTH_ALGORITHM_LIST(ALGORITHM_ROW)
#undef ALGORITHM_ROW
};

#define ALGORITHMS_N (sizeof(algorithms) / sizeof(algorithms[0]))

const char *auth_algorithm_name(enum auth_algorithm algorithm)
{
	assert((size_t)algorithm < ALGORITHMS_N);
	return algorithms[algorithm].name.ptr;
}

bool auth_algorithm_find(struct slice name, enum auth_algorithm *algorithm)
{
	for (size_t i = 0; i < ALGORITHMS_N; i++) {
		if (slice_equal(algorithms[i].name, name)) {
			*algorithm = (enum auth_algorithm)i;
			return true;
		}
	}
	return false;
}

size_t auth_algorithm_secret_min(enum auth_algorithm algorithm)
{
	assert((size_t)algorithm < ALGORITHMS_N);
	return algorithms[algorithm].secret_min;
}

/* ---- making keys */

static enum err fail(const char **error, enum err rc, const char *text)
{
	/* What OpenSSL noted is for nobody, and must not be found by a later caller. */
	ERR_clear_error();
	*error = text;
	return rc;
}

static struct auth_key *key_new(enum auth_algorithm algorithm, struct slice id)
{
	struct auth_key *key = MEM_NEW(struct auth_key);

	assert(id.len <= AUTH_KEY_ID_BYTES_MAX);
	key->algorithm = algorithm;
	buf_append_slice(&key->id, id);
	return key;
}

enum err auth_key_secret(enum auth_algorithm algorithm, struct slice secret,
			 struct slice id, struct auth_key **key, const char **error)
{
	const size_t min = auth_algorithm_secret_min(algorithm);

	assert(key != NULL && error != NULL);
	if (min == 0)
		return fail(error, ERR_ARGUMENT, "the algorithm takes no secret");
	if (secret.len < min)
		return fail(error, ERR_LIMIT,
			    "the secret is too short: HS256 needs 32 bytes, HS384 48, "
			    "HS512 64");
	if (secret.len > SECRET_BYTES_MAX)
		return fail(error, ERR_LIMIT, "the secret is too long");
	*key = key_new(algorithm, id);
	buf_append_slice(&(*key)->secret, secret);
	return OK;
}

/* RSA, within the limits. */
static enum err rsa_check(const EVP_PKEY *pkey, const char **error)
{
	if (!EVP_PKEY_is_a(pkey, "RSA"))
		return fail(error, ERR_ARGUMENT, "RS256 needs an RSA key");
	if (EVP_PKEY_get_bits(pkey) < AUTH_RSA_BITS_MIN)
		return fail(error, ERR_LIMIT, "an RSA key needs 2048 bits");
	if (EVP_PKEY_get_bits(pkey) > AUTH_RSA_BITS_MAX)
		return fail(error, ERR_LIMIT, "an RSA key may have 8192 bits");
	return OK;
}

static enum err p256_check(const EVP_PKEY *pkey, const char **error)
{
	char group[32] = "";

	if (!EVP_PKEY_is_a(pkey, "EC"))
		return fail(error, ERR_ARGUMENT, "ES256 needs an EC key");
	/* A curve that is none of the named ones has no name, and stays refused. */
	if (EVP_PKEY_get_group_name(pkey, group, sizeof(group), NULL) != 1 ||
	    strcmp(group, P256_NAME) != 0)
		return fail(error, ERR_ARGUMENT, "the curve must be P-256");
	return OK;
}

/* Takes `pkey` over, whatever comes of it. */
static enum err key_of_pkey(enum auth_algorithm algorithm, EVP_PKEY *pkey,
			    struct slice id, struct auth_key **key, const char **error)
{
	EVP_PKEY_CTX *ctx = NULL;
	enum err rc = algorithm == AUTH_RS256 ? rsa_check(pkey, error)
					      : p256_check(pkey, error);

	if (rc != OK)
		goto out;
	ctx = EVP_PKEY_CTX_new_from_pkey(NULL, pkey, NULL);
	if (ctx == NULL || EVP_PKEY_public_check(ctx) != 1) {
		rc = fail(error, ERR_ARGUMENT,
			  "the key's numbers are not those of a key");
		goto out;
	}
	*key = key_new(algorithm, id);
	(*key)->pkey = pkey;
	pkey = NULL;
out:
	EVP_PKEY_CTX_free(ctx);
	EVP_PKEY_free(pkey);
	return rc;
}

/* Takes what was put into `build`; NULL when OpenSSL will not have it. */
static EVP_PKEY *pkey_build(const char *type, OSSL_PARAM_BLD *build)
{
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, type, NULL);
	OSSL_PARAM *params = OSSL_PARAM_BLD_to_param(build);
	EVP_PKEY *pkey = NULL;

	if (ctx == NULL || params == NULL || EVP_PKEY_fromdata_init(ctx) != 1 ||
	    EVP_PKEY_fromdata(ctx, &pkey, EVP_PKEY_PUBLIC_KEY, params) != 1)
		pkey = NULL;
	OSSL_PARAM_free(params);
	EVP_PKEY_CTX_free(ctx);
	return pkey;
}

static BIGNUM *number_of(struct slice bytes)
{
	assert(bytes.len <= INT_MAX);
	return BN_bin2bn((const unsigned char *)bytes.ptr, (int)bytes.len, NULL);
}

enum err auth_key_rsa(struct slice modulus, struct slice exponent, struct slice id,
		      struct auth_key **key, const char **error)
{
	OSSL_PARAM_BLD *build = NULL;
	BIGNUM *n = NULL;
	BIGNUM *e = NULL;
	EVP_PKEY *pkey = NULL;
	enum err rc;

	assert(key != NULL && error != NULL);
	if (modulus.len > AUTH_RSA_BITS_MAX / 8 + 1)
		return fail(error, ERR_LIMIT, "an RSA key may have 8192 bits");
	if (exponent.len == 0 || exponent.len > RSA_EXPONENT_BYTES_MAX)
		return fail(error, ERR_LIMIT, "an RSA key's exponent has 1 to 8 bytes");
	n = number_of(modulus);
	e = number_of(exponent);
	build = OSSL_PARAM_BLD_new();
	/* With 1 as exponent everybody could sign. */
	if (e == NULL || !BN_is_odd(e) || BN_is_one(e)) {
		rc = fail(error, ERR_ARGUMENT,
			  "an RSA key's exponent is odd and above 1");
		goto out;
	}
	if (n != NULL && build != NULL &&
	    OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_RSA_N, n) == 1 &&
	    OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_RSA_E, e) == 1)
		pkey = pkey_build("RSA", build);
	rc = pkey != NULL ? key_of_pkey(AUTH_RS256, pkey, id, key, error)
			  : fail(error, ERR_ARGUMENT, "no RSA key has these numbers");
out:
	OSSL_PARAM_BLD_free(build);
	BN_free(n);
	BN_free(e);
	return rc;
}

enum err auth_key_p256(struct slice x, struct slice y, struct slice id,
		       struct auth_key **key, const char **error)
{
	unsigned char point[1 + 2 * P256_BYTES] = { P256_POINT_UNCOMPRESSED };
	OSSL_PARAM_BLD *build;
	EVP_PKEY *pkey = NULL;

	assert(key != NULL && error != NULL);
	if (x.len != P256_BYTES || y.len != P256_BYTES)
		return fail(error, ERR_ARGUMENT, "x and y have 32 bytes each");
	memcpy(point + 1, x.ptr, P256_BYTES);
	memcpy(point + 1 + P256_BYTES, y.ptr, P256_BYTES);
	build = OSSL_PARAM_BLD_new();
	if (build != NULL &&
	    OSSL_PARAM_BLD_push_utf8_string(build, OSSL_PKEY_PARAM_GROUP_NAME, P256_NAME,
					    0) == 1 &&
	    OSSL_PARAM_BLD_push_octet_string(build, OSSL_PKEY_PARAM_PUB_KEY, point,
					     sizeof(point)) == 1)
		pkey = pkey_build("EC", build);
	OSSL_PARAM_BLD_free(build);
	if (pkey == NULL)
		return fail(error, ERR_ARGUMENT, "the point is not on P-256");
	return key_of_pkey(AUTH_ES256, pkey, id, key, error);
}

/* ---- PEM */

static bool holds(struct slice text, struct slice part)
{
	return part.len <= text.len &&
	       memmem(text.ptr, text.len, part.ptr, part.len) != NULL;
}

/* A block may say that it is encrypted; nobody shall be asked for a passphrase then. */
/* NOLINTNEXTLINE(readability-non-const-parameter): the type is OpenSSL's. */
static int on_passphrase(char *buf, int size, int is_writing, void *owner)
{
	(void)buf;
	(void)size;
	(void)is_writing;
	(void)owner;
	return -1;
}

enum err auth_key_pem(enum auth_algorithm algorithm, struct slice pem,
		      struct auth_key **key, const char **error)
{
	static const struct slice begin = { "-----BEGIN ", 11 };
	EVP_PKEY *pkey = NULL;
	const char *first;
	BIO *bio;

	assert(key != NULL && error != NULL);
	assert(algorithm == AUTH_RS256 || algorithm == AUTH_ES256);
	assert(pem.len <= INT_MAX);
	if (holds(pem, SLICE("PRIVATE KEY-----")))
		return fail(error, ERR_ARGUMENT,
			    "it holds a private key; give the public one alone");
	first = pem.len > 0 ? memmem(pem.ptr, pem.len, begin.ptr, begin.len) : NULL;
	if (first == NULL || !holds(pem, SLICE("-----BEGIN PUBLIC KEY-----")))
		return fail(error, ERR_ARGUMENT,
			    "expected a PEM file with a PUBLIC KEY (openssl x509 -pubkey "
			    "-noout makes one of a certificate)");
	if (holds(slice_from(pem, (size_t)(first - pem.ptr) + 1), begin))
		return fail(error, ERR_ARGUMENT, "it holds more than one PEM block");
	bio = BIO_new_mem_buf(pem.ptr, (int)pem.len);
	if (bio != NULL)
		pkey = PEM_read_bio_PUBKEY(bio, NULL, on_passphrase, NULL);
	BIO_free(bio);
	if (pkey == NULL)
		return fail(error, ERR_ARGUMENT, "the PEM block is no public key");
	return key_of_pkey(algorithm, pkey, SLICE_NONE, key, error);
}

/* ---- using keys */

void auth_key_free(struct auth_key *key)
{
	if (key == NULL)
		return;
	buf_fini(&key->id);
	secret_fini(&key->secret);
	EVP_PKEY_free(key->pkey);
	mem_free(key);
}

enum auth_algorithm auth_key_algorithm(const struct auth_key *key)
{
	return key->algorithm;
}

struct slice auth_key_id(const struct auth_key *key)
{
	return buf_slice(&key->id);
}

struct slice auth_key_bytes(const struct auth_key *key)
{
	return buf_slice(&key->secret);
}

static enum err hmac_verify(const struct auth_key *key, const EVP_MD *md,
			    struct slice text, struct slice signature)
{
	unsigned char mac[EVP_MAX_MD_SIZE];
	unsigned len = 0;

	assert(key->secret.len > 0);
	if (HMAC(md, key->secret.ptr, (int)key->secret.len,
		 (const unsigned char *)text.ptr, text.len, mac, &len) == NULL)
		return ERR_DENIED;
	if (signature.len != len || CRYPTO_memcmp(mac, signature.ptr, len) != 0)
		return ERR_DENIED;
	return OK;
}

static enum err pkey_verify(const struct auth_key *key, struct slice text,
			    const unsigned char *signature, size_t len)
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	enum err rc = ERR_DENIED;

	/* RSA's padding is PKCS #1 v1.5 unless another is asked for: that is RS256. */
	if (ctx != NULL &&
	    EVP_DigestVerifyInit(ctx, NULL, EVP_sha256(), NULL, key->pkey) == 1 &&
	    EVP_DigestVerify(ctx, signature, len, (const unsigned char *)text.ptr,
			     text.len) == 1)
		rc = OK;
	EVP_MD_CTX_free(ctx);
	ERR_clear_error();
	return rc;
}

/* The two numbers as DER; 0: they cannot be. */
static size_t p256_der(struct slice signature, unsigned char der[P256_DER_BYTES_MAX])
{
	ECDSA_SIG *sig = ECDSA_SIG_new();
	BIGNUM *r = number_of(slice_make(signature.ptr, P256_BYTES));
	BIGNUM *s = number_of(slice_from(signature, P256_BYTES));
	unsigned char *at = der;
	int len = 0;

	if (sig == NULL || r == NULL || s == NULL || ECDSA_SIG_set0(sig, r, s) != 1) {
		BN_free(r);
		BN_free(s);
	} else if (i2d_ECDSA_SIG(sig, NULL) <= P256_DER_BYTES_MAX) {
		len = i2d_ECDSA_SIG(sig, &at);
	}
	ECDSA_SIG_free(sig);
	return len > 0 ? (size_t)len : 0;
}

static enum err p256_verify(const struct auth_key *key, struct slice text,
			    struct slice signature)
{
	unsigned char der[P256_DER_BYTES_MAX];
	size_t len;

	if (signature.len != (size_t)2 * P256_BYTES)
		return ERR_DENIED;
	len = p256_der(signature, der);
	return len > 0 ? pkey_verify(key, text, der, len) : ERR_DENIED;
}

static enum err rsa_verify(const struct auth_key *key, struct slice text,
			   struct slice signature)
{
	if (signature.len != (size_t)EVP_PKEY_get_size(key->pkey))
		return ERR_DENIED;
	return pkey_verify(key, text, (const unsigned char *)signature.ptr,
			   signature.len);
}

enum err auth_key_verify(const struct auth_key *key, struct slice text,
			 struct slice signature)
{
	assert(key != NULL && text.ptr != NULL && signature.ptr != NULL);
	switch (key->algorithm) {
	case AUTH_HS256:
		return hmac_verify(key, EVP_sha256(), text, signature);
	case AUTH_HS384:
		return hmac_verify(key, EVP_sha384(), text, signature);
	case AUTH_HS512:
		return hmac_verify(key, EVP_sha512(), text, signature);
	case AUTH_RS256:
		return rsa_verify(key, text, signature);
	case AUTH_ES256:
		return p256_verify(key, text, signature);
	}
	return ERR_DENIED;
}
