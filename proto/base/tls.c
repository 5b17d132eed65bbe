/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reads certificate and key and sets OpenSSL's switches. Whatever OpenSSL says about a
 * failure stands in its queue of the thread, which is emptied before each call that could
 * fail and read right behind it.
 */
#include "proto/base/tls.h"

#include <assert.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "proto/base/file.h"
#include "proto/base/mem.h"
#include "proto/base/secret.h"
#include "proto/base/slice.h"
#include "proto/base/tls_conn.h"

/* A key of any size in use. */
#define KEY_BYTES_MAX 65536
/* A chain of certificates; all authorities that a system trusts. */
#define CERTS_BYTES_MAX (1 << 20)

/* Of TLS 1.2; those of 1.3 are all good. */
#define CIPHERS "ECDHE+AESGCM:ECDHE+CHACHA20"
/* Between a client's certificate and the authority's own. */
#define CLIENT_CHAIN_MAX 4
/* Resumed sessions are tickets the client keeps; one is enough to come back with. */
#define TICKETS_N 1

struct tls {
	SSL_CTX *context; /* owned */
	int64_t not_after_s;
	unsigned refs;
	char scratch[TLS_RECORD_BYTES]; /* one write's bytes, meaningless between writes
					 */
};

/* ---- errors */

static const char *queue_reason(void)
{
	const char *text = ERR_reason_error_string(ERR_peek_error());

	return text != NULL ? text : "not understood";
}

static enum err fail(char error[TLS_ERROR_BYTES], const char *path, const char *reason,
		     enum err rc)
{
	/* A path that does not fit is cut: it is for people. */
	(void)snprintf(error, TLS_ERROR_BYTES, "%s: %s", path, reason);
	return rc;
}

/* ---- files */

/* Nobody is there to type a passphrase. */
static int on_passphrase(char *text, int size, int is_writing, void *arg)
{
	(void)is_writing; /* we only read; */
	(void)arg;	  /* there is no state */
	if (size > 0)
		text[0] = '\0';
	return -1;
}

/* Tells a file's trouble from its content's, and keeps OpenSSL from being held up by a
 * path that is no file: it would wait for a pipe's other end. */
static enum err certs_check(const char *path, char error[TLS_ERROR_BYTES])
{
	const char *problem;
	const enum err rc = file_check(path, CERTS_BYTES_MAX, &problem);

	return rc == OK ? OK : fail(error, path, problem, rc);
}

static enum err cert_load(struct tls *tls, const char *path, char error[TLS_ERROR_BYTES])
{
	const enum err rc = certs_check(path, error);
	struct tm end;
	X509 *cert;

	if (rc != OK)
		return rc;
	ERR_clear_error();
	if (SSL_CTX_use_certificate_chain_file(tls->context, path) != 1)
		return fail(error, path, queue_reason(), ERR_ARGUMENT);
	cert = SSL_CTX_get0_certificate(tls->context);
	if (ASN1_TIME_to_tm(X509_get0_notAfter(cert), &end) != 1)
		return fail(error, path, "its end is no date", ERR_ARGUMENT);
	tls->not_after_s = (int64_t)timegm(&end);
	return OK;
}

static enum err key_use(struct tls *tls, struct slice pem, const char *path,
			char error[TLS_ERROR_BYTES])
{
	EVP_PKEY *key = NULL;
	enum err rc = OK;
	BIO *bio;

	ERR_clear_error();
	bio = BIO_new_mem_buf(pem.ptr, (int)pem.len);
	if (bio != NULL)
		key = PEM_read_bio_PrivateKey(bio, NULL, on_passphrase, NULL);
	if (key == NULL || SSL_CTX_use_PrivateKey(tls->context, key) != 1 ||
	    SSL_CTX_check_private_key(tls->context) != 1)
		rc = fail(error, path, queue_reason(), ERR_ARGUMENT);
	EVP_PKEY_free(key);
	(void)BIO_free(bio); /* of memory that is not its own */
	return rc;
}

static enum err key_load(struct tls *tls, const char *path, char error[TLS_ERROR_BYTES])
{
	struct buf pem = BUF_INIT;
	const char *problem = NULL;
	enum err rc = secret_load(path, KEY_BYTES_MAX, &pem, &problem);

	if (rc != OK)
		(void)fail(error, path, problem, rc); /* rc is that already */
	else
		rc = key_use(tls, buf_slice(&pem), path, error);
	secret_fini(&pem);
	return rc;
}

/* ---- life */

/* A client that names protocols and not ours would talk another one to us. */
static int on_alpn(SSL *ssl, const unsigned char **out, unsigned char *out_len,
		   const unsigned char *in, unsigned in_len, void *arg)
{
	static const unsigned char ours[] = "\x08http/1.1";
	unsigned char *chosen;

	(void)ssl; /* the same for all, */
	(void)arg; /* without state */
	if (SSL_select_next_proto(&chosen, out_len, ours, sizeof(ours) - 1, in, in_len) !=
	    OPENSSL_NPN_NEGOTIATED)
		return SSL_TLSEXT_ERR_ALERT_FATAL;
	*out = chosen;
	return SSL_TLSEXT_ERR_OK;
}

static SSL_CTX *context_new(void)
{
	SSL_CTX *context = SSL_CTX_new(TLS_server_method());
	long ok = 0;

	/* As mem_alloc(): without memory nothing goes on. The rest of it are constants
	 * that this library has or has not. */
	assert(context != NULL);
	ok = SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
	assert(ok == 1);
	ok = SSL_CTX_set_cipher_list(context, CIPHERS);
	assert(ok == 1);
	ok = SSL_CTX_set_num_tickets(context, TICKETS_N);
	assert(ok == 1);
	(void)SSL_CTX_set_options(context,
				  SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION |
					  SSL_OP_CIPHER_SERVER_PREFERENCE |
					  SSL_OP_PRIORITIZE_CHACHA); /* gives all set */
	(void)SSL_CTX_set_mode(context,
			       SSL_MODE_ENABLE_PARTIAL_WRITE |
				       SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
				       SSL_MODE_RELEASE_BUFFERS); /* gives all set */
	/* A read that met only what is TLS's own ends, so that a peer who sends nothing
	 * else does not keep it from returning. */
	(void)SSL_CTX_clear_mode(context, SSL_MODE_AUTO_RETRY); /* gives all set */
	SSL_CTX_set_read_ahead(context, 1);
	(void)SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF); /* the old */
	SSL_CTX_set_alpn_select_cb(context, on_alpn, NULL);
	SSL_CTX_set_default_passwd_cb(context, on_passphrase);
	return context;
}

enum err tls_new(const char *cert_path, const char *key_path, struct tls **tls,
		 char error[TLS_ERROR_BYTES])
{
	struct tls *made = MEM_NEW(struct tls);
	enum err rc;

	made->refs = 1;
	made->context = context_new();
	rc = cert_load(made, cert_path, error);
	if (rc == OK)
		rc = key_load(made, key_path, error);
	ERR_clear_error();
	if (rc != OK) {
		tls_unref(made);
		return rc;
	}
	*tls = made;
	return OK;
}

enum err tls_verify_clients(struct tls *tls, const char *ca_path,
			    char error[TLS_ERROR_BYTES])
{
	const enum err rc = certs_check(ca_path, error);
	STACK_OF(X509_NAME) * names;
	int ok;

	if (rc != OK)
		return rc;
	ERR_clear_error();
	names = SSL_load_client_CA_file(ca_path);
	if (names == NULL ||
	    SSL_CTX_load_verify_locations(tls->context, ca_path, NULL) != 1) {
		sk_X509_NAME_pop_free(names, X509_NAME_free);
		(void)fail(error, ca_path, queue_reason(), ERR_ARGUMENT); /* so do we */
		ERR_clear_error();
		return ERR_ARGUMENT;
	}
	SSL_CTX_set_client_CA_list(tls->context, names); /* takes them over */
	SSL_CTX_set_verify(tls->context, SSL_VERIFY_PEER, NULL);
	SSL_CTX_set_verify_depth(tls->context, CLIENT_CHAIN_MAX);
	(void)SSL_CTX_set_options(tls->context, SSL_OP_NO_TICKET); /* gives all set */
	ok = SSL_CTX_set_num_tickets(tls->context, 0);
	assert(ok == 1);
	return OK;
}

struct tls *tls_ref(struct tls *tls)
{
	assert(tls->refs > 0);
	tls->refs++;
	return tls;
}

void tls_unref(struct tls *tls)
{
	if (tls == NULL)
		return;
	assert(tls->refs > 0);
	tls->refs--;
	if (tls->refs > 0)
		return;
	SSL_CTX_free(tls->context);
	mem_free(tls);
}

int64_t tls_not_after_s(const struct tls *tls)
{
	return tls->not_after_s;
}

SSL_CTX *tls_context(const struct tls *tls)
{
	return tls->context;
}

char *tls_scratch(struct tls *tls)
{
	return tls->scratch;
}
