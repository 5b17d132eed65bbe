/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Certificate and key files: what is taken, and what is said about what is not.
 */
#include <criterion/criterion.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "tests/unit/proto/base/tls_kit.h"

#define PEM_BYTES_MAX 65536

static struct tls_kit kit;

static void start(void)
{
	tls_kit_init(&kit);
}

static void end(void)
{
	tls_kit_fini(&kit);
}

TestSuite(tls, .init = start, .fini = end, .timeout = 60);

/* The error names the file and says `reason`. */
static void expect_refused(enum err expected, const char *path, const char *reason)
{
	char error[TLS_ERROR_BYTES] = "";
	struct tls *tls = NULL;

	cr_expect_eq(tls_new(kit.cert, kit.key, &tls, error), expected, "%s", error);
	cr_expect_null(tls);
	cr_expect_eq(strncmp(error, path, strlen(path)), 0, "%s", error);
	cr_expect_not_null(strstr(error, reason), "%s", error);
}

Test(tls, tells_when_its_certificate_ends)
{
	int64_t now_s = (int64_t)time(NULL);

	cr_expect_gt(tls_not_after_s(kit.tls), now_s + 30L * 86400 - 300);
	cr_expect_leq(tls_not_after_s(kit.tls), now_s + 30L * 86400);
}

Test(tls, certificate_that_is_over_loads)
{
	char error[TLS_ERROR_BYTES];
	struct tls *tls = NULL;

	tls_kit_certify(&kit, "localhost", -1);
	cr_assert_eq(tls_new(kit.cert, kit.key, &tls, error), OK);
	cr_expect_lt(tls_not_after_s(tls), (int64_t)time(NULL));
	tls_unref(tls);
}

Test(tls, lives_until_the_last_reference_is_gone)
{
	struct tls *tls = tls_ref(kit.tls);

	tls_unref(kit.tls);
	kit.tls = NULL;
	cr_expect_gt(tls_not_after_s(tls), 0);
	tls_unref(tls);
	tls_unref(NULL);
}

Test(tls, certificate_must_be_there)
{
	cr_assert_eq(unlink(kit.cert), 0);
	expect_refused(ERR_IO, kit.cert, "No such file");
}

/* Nobody writes into it: who opened it like a file would wait for ever. */
Test(tls, certificate_must_be_a_file)
{
	char error[TLS_ERROR_BYTES] = "";

	cr_assert_eq(unlink(kit.cert), 0);
	cr_assert_eq(mkfifo(kit.cert, 0600), 0);
	expect_refused(ERR_IO, kit.cert, "not a regular file");
	cr_expect_eq(tls_verify_clients(kit.tls, kit.cert, error), ERR_IO);
	cr_expect_not_null(strstr(error, "not a regular file"), "%s", error);
}

Test(tls, certificate_must_be_pem)
{
	tls_kit_write(kit.cert, "not a certificate\n");
	expect_refused(ERR_ARGUMENT, kit.cert, "no start line");
}

Test(tls, certificate_may_bring_its_chain)
{
	struct buf pem = BUF_INIT;
	char error[TLS_ERROR_BYTES];
	struct tls *tls = NULL;
	FILE *file = fopen(kit.cert, "r");
	size_t n = fread(buf_reserve(&pem, 65536), 1, 65536, file);

	fclose(file);
	pem.len = n;
	buf_append_slice(&pem, slice_make(pem.ptr, n));
	buf_append_byte(&pem, '\0');
	tls_kit_write(kit.cert, pem.ptr);
	cr_assert_eq(tls_new(kit.cert, kit.key, &tls, error), OK, "%s", error);
	tls_unref(tls);
	/* A broken one behind the first is found too. */
	pem.len = n;
	buf_append_str(&pem, "-----BEGIN CERTIFICATE-----\nAAAA\n-----END "
			     "CERTIFICATE-----\n");
	buf_append_byte(&pem, '\0');
	tls_kit_write(kit.cert, pem.ptr);
	expect_refused(ERR_ARGUMENT, kit.cert, "");
	buf_fini(&pem);
}

Test(tls, key_must_be_there)
{
	cr_assert_eq(unlink(kit.key), 0);
	expect_refused(ERR_IO, kit.key, "No such file");
}

Test(tls, key_must_be_closed_to_others)
{
	cr_assert_eq(chmod(kit.key, 0640), 0);
	expect_refused(ERR_DENIED, kit.key, "chmod 600");
	cr_assert_eq(chmod(kit.key, 0604), 0);
	expect_refused(ERR_DENIED, kit.key, "chmod 600");
}

Test(tls, key_must_be_pem)
{
	tls_kit_write(kit.key, "");
	expect_refused(ERR_ARGUMENT, kit.key, "");
	tls_kit_write(kit.key, "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE "
			       "KEY-----\n");
	expect_refused(ERR_ARGUMENT, kit.key, "");
}

Test(tls, key_must_belong_to_the_certificate)
{
	char saved[sizeof(kit.cert)];

	snprintf(saved, sizeof(saved), "%s/old.pem", kit.folder);
	cr_assert_eq(rename(kit.cert, saved), 0);
	tls_kit_certify(&kit, "other", 30);
	cr_assert_eq(rename(saved, kit.cert), 0);
	expect_refused(ERR_ARGUMENT, kit.key, "key values mismatch");
}

/* It would ask the terminal. */
Test(tls, key_under_a_passphrase_is_refused)
{
	EVP_PKEY *key = EVP_EC_gen("P-256");
	FILE *file = fopen(kit.key, "w");

	cr_assert_eq(PEM_write_PKCS8PrivateKey(file, key, EVP_aes_128_cbc(), "abc", 3,
					       NULL, NULL),
		     1);
	fclose(file);
	EVP_PKEY_free(key);
	expect_refused(ERR_ARGUMENT, kit.key, "");
}

static void key_pad(size_t len)
{
	struct buf pem = BUF_INIT;
	FILE *file = fopen(kit.key, "r");
	size_t n = fread(buf_reserve(&pem, 65536), 1, 65536, file);

	fclose(file);
	pem.len = n;
	while (pem.len < len)
		buf_append_byte(&pem, '\n');
	buf_append_byte(&pem, '\0');
	tls_kit_write(kit.key, pem.ptr);
	buf_fini(&pem);
}

Test(tls, key_file_has_a_limit)
{
	char error[TLS_ERROR_BYTES];
	struct tls *tls = NULL;

	key_pad(PEM_BYTES_MAX);
	cr_assert_eq(tls_new(kit.cert, kit.key, &tls, error), OK, "%s", error);
	tls_unref(tls);
	key_pad(PEM_BYTES_MAX + 1);
	expect_refused(ERR_LIMIT, kit.key, "too long");
	cr_assert_eq(truncate(kit.cert, (1 << 20) + 1), 0);
	expect_refused(ERR_LIMIT, kit.cert, "too long");
}
