/* SPDX-License-Identifier: Apache-2.0 */
/* Certificates and the client of tls_kit.h. */
#include "tests/unit/proto/base/tls_kit.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define DAY_S (24L * 3600)

/* ---- certificates */

static FILE *file_open(const char *path)
{
	FILE *file;

	unlink(path);
	file = fdopen(open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600), "w");
	cr_assert_not_null(file);
	return file;
}

void tls_kit_write(const char *path, const char *text)
{
	FILE *file = file_open(path);

	cr_assert(fputs(text, file) >= 0);
	cr_assert_eq(fclose(file), 0);
}

static X509 *cert_make(EVP_PKEY *key, const char *name, int days)
{
	X509 *cert = X509_new();
	X509_NAME *subject = X509_get_subject_name(cert);

	cr_assert_eq(X509_set_version(cert, 2), 1);
	cr_assert_eq(ASN1_INTEGER_set(X509_get_serialNumber(cert), 1), 1);
	cr_assert_not_null(X509_gmtime_adj(X509_getm_notBefore(cert), -2 * DAY_S));
	cr_assert_not_null(X509_gmtime_adj(X509_getm_notAfter(cert), days * DAY_S));
	cr_assert_eq(X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC,
						(const unsigned char *)name, -1, -1, 0),
		     1);
	cr_assert_eq(X509_set_issuer_name(cert, subject), 1);
	cr_assert_eq(X509_set_pubkey(cert, key), 1);
	cr_assert_gt(X509_sign(cert, key, EVP_sha256()), 0);
	return cert;
}

void tls_kit_certify(struct tls_kit *kit, const char *name, int days)
{
	EVP_PKEY *key = EVP_EC_gen("P-256");
	X509 *cert = cert_make(key, name, days);
	FILE *file = file_open(kit->cert);

	cr_assert_eq(PEM_write_X509(file, cert), 1);
	cr_assert_eq(fclose(file), 0);
	file = file_open(kit->key);
	cr_assert_eq(PEM_write_PrivateKey(file, key, NULL, NULL, 0, NULL, NULL), 1);
	cr_assert_eq(fclose(file), 0);
	X509_free(cert);
	EVP_PKEY_free(key);
}

void tls_kit_init(struct tls_kit *kit)
{
	char error[TLS_ERROR_BYTES];

	signal(SIGPIPE, SIG_IGN);
	strcpy(kit->folder, "/tmp/heliograph-tls-XXXXXX");
	cr_assert_not_null(mkdtemp(kit->folder));
	snprintf(kit->cert, sizeof(kit->cert), "%s/cert.pem", kit->folder);
	snprintf(kit->key, sizeof(kit->key), "%s/key.pem", kit->folder);
	tls_kit_certify(kit, "localhost", 30);
	cr_assert_eq(tls_new(kit->cert, kit->key, &kit->tls, error), OK, "%s", error);
}

void tls_kit_fini(struct tls_kit *kit)
{
	tls_unref(kit->tls);
	unlink(kit->cert);
	unlink(kit->key);
	rmdir(kit->folder);
}

/* ---- the client */

void tls_client_init(struct tls_client *client, int fd, int version)
{
	*client = (struct tls_client){ .fd = fd };
	client->context = SSL_CTX_new(TLS_client_method());
	/* TLS 1.1 is offered by who puts security behind it only. */
	cr_assert_eq(SSL_CTX_set_cipher_list(client->context, "DEFAULT:@SECLEVEL=0"), 1);
	cr_assert_eq(SSL_CTX_set_min_proto_version(client->context, version), 1);
	cr_assert_eq(SSL_CTX_set_max_proto_version(client->context, version), 1);
	client->ssl = SSL_new(client->context);
	cr_assert_eq(SSL_set_fd(client->ssl, fd), 1);
	SSL_set_connect_state(client->ssl);
}

void tls_client_fini(struct tls_client *client)
{
	SSL_free(client->ssl);
	SSL_CTX_free(client->context);
	if (client->fd >= 0)
		close(client->fd);
	client->fd = -1;
	buf_fini(&client->in);
}

/* A result that is none, unless it is one to wait for. */
static void note_end(struct tls_client *client, int result)
{
	int error = SSL_get_error(client->ssl, result);

	if (error == SSL_ERROR_ZERO_RETURN)
		client->is_ended = true;
	else if (error != SSL_ERROR_WANT_READ && error != SSL_ERROR_WANT_WRITE)
		client->is_cut = true;
}

bool tls_client_shake(struct tls_client *client)
{
	int result;

	ERR_clear_error();
	result = SSL_do_handshake(client->ssl);
	if (result != 1)
		note_end(client, result);
	return result == 1;
}

void tls_client_read(struct tls_client *client)
{
	int n = 1;

	while (n > 0 && !client->is_ended && !client->is_cut) {
		char *room = buf_reserve(&client->in, 65536);

		ERR_clear_error();
		n = SSL_read(client->ssl, room, 65535);
		if (n > 0)
			client->in.len += (size_t)n;
		else
			note_end(client, n);
		client->in.ptr[client->in.len] = '\0';
	}
}

void tls_client_write(struct tls_client *client, const void *ptr, size_t len)
{
	ERR_clear_error();
	cr_assert_eq(SSL_write(client->ssl, ptr, (int)len), (int)len);
}

void tls_client_peer(struct tls_client *client, char *name, int len)
{
	X509 *cert = SSL_get1_peer_certificate(client->ssl);

	cr_assert_not_null(cert);
	cr_assert_gt(X509_NAME_get_text_by_NID(X509_get_subject_name(cert),
					       NID_commonName, name, len),
		     0);
	X509_free(cert);
}
