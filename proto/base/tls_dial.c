/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A context for each connection, for there is one. OpenSSL reports through its queue of
 * errors, which is emptied before every call: a stale entry would be taken for this
 * call's.
 */
#include "proto/base/tls_dial.h"

#include <assert.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <stdio.h>

#include "proto/base/mem.h"
#include "proto/base/secret.h"

#define KEY_BYTES_MAX 65536

struct tls_dial {
	SSL_CTX *context; /* owned */
	SSL *ssl;	  /* owned */
};

static enum err fail(char error[TLS_ERROR_BYTES], enum err rc, const char *what,
		     const char *why)
{
	/* For people: cut. */
	(void)snprintf(error, TLS_ERROR_BYTES, "%s: %s", what, why);
	return rc;
}

static const char *queue_reason(void)
{
	const char *text = ERR_reason_error_string(ERR_peek_error());

	return text != NULL ? text : "not understood";
}

/* ---- files */

static enum err ca_load(SSL_CTX *context, const char *path, char error[TLS_ERROR_BYTES])
{
	ERR_clear_error();
	if (path == NULL)
		return SSL_CTX_set_default_verify_paths(context) == 1
			       ? OK
			       : fail(error, ERR_ARGUMENT, "the system's authorities",
				      queue_reason());
	if (SSL_CTX_load_verify_locations(context, path, NULL) != 1)
		return fail(error, ERR_ARGUMENT, path, queue_reason());
	return OK;
}

/* Nobody is there to type a passphrase. */
static int on_passphrase(char *text, int size, int is_writing, void *arg)
{
	(void)is_writing; /* we only read; */
	(void)arg;	  /* there is no state */
	if (size > 0)
		text[0] = '\0';
	return -1;
}

static enum err key_load(SSL_CTX *context, const char *path, char error[TLS_ERROR_BYTES])
{
	struct buf pem = BUF_INIT;
	const char *problem = NULL;
	EVP_PKEY *key = NULL;
	BIO *bio = NULL;
	enum err rc = OK;

	if (secret_load(path, KEY_BYTES_MAX, &pem, &problem) != OK) {
		rc = fail(error, ERR_ARGUMENT, path, problem);
		goto out;
	}
	ERR_clear_error();
	bio = BIO_new_mem_buf(pem.ptr, (int)pem.len);
	if (bio != NULL)
		key = PEM_read_bio_PrivateKey(bio, NULL, on_passphrase, NULL);
	if (key == NULL || SSL_CTX_use_PrivateKey(context, key) != 1 ||
	    SSL_CTX_check_private_key(context) != 1)
		rc = fail(error, ERR_ARGUMENT, path, queue_reason());
out:
	EVP_PKEY_free(key);
	(void)BIO_free(bio); /* of memory that is not its own */
	secret_fini(&pem);
	return rc;
}

static enum err identity_load(SSL_CTX *context, const struct tls_dial_options *options,
			      char error[TLS_ERROR_BYTES])
{
	if (options->cert_path == NULL)
		return OK;
	assert(options->key_path != NULL);
	ERR_clear_error();
	if (SSL_CTX_use_certificate_chain_file(context, options->cert_path) != 1)
		return fail(error, ERR_ARGUMENT, options->cert_path, queue_reason());
	return key_load(context, options->key_path, error);
}

/* ---- life */

/* Whose certificate it must be; a name is sent ahead, an address is not. */
static bool host_expect(SSL *ssl, const char *host)
{
	X509_VERIFY_PARAM *param = SSL_get0_param(ssl);
	/* OpenSSL's macro casts const away, and clang sees it. */
	union {
		const char *given;
		char *wanted;
	} name = { .given = host };

	if (X509_VERIFY_PARAM_set1_ip_asc(param, host) == 1)
		return true;
	return SSL_set_tlsext_host_name(ssl, name.wanted) == 1 &&
	       SSL_set1_host(ssl, host) == 1;
}

static enum err shake_hands(struct tls_dial *dial, char error[TLS_ERROR_BYTES])
{
	int result;
	int problem;

	ERR_clear_error();
	result = SSL_connect(dial->ssl);
	if (result == 1)
		return OK;
	problem = SSL_get_error(dial->ssl, result);
	if (problem == SSL_ERROR_WANT_READ || problem == SSL_ERROR_WANT_WRITE)
		return fail(error, ERR_TIMEOUT, "TLS", "no answer in time");
	if (SSL_get_verify_result(dial->ssl) != X509_V_OK)
		return fail(
			error, ERR_DENIED, "the server's certificate",
			X509_verify_cert_error_string(SSL_get_verify_result(dial->ssl)));
	if (problem == SSL_ERROR_SYSCALL)
		return fail(error, ERR_IO, "TLS", "the connection was closed");
	return fail(error, ERR_IO, "TLS", queue_reason());
}

enum err tls_dial_open(int fd, const struct tls_dial_options *options,
		       struct tls_dial **dial, char error[TLS_ERROR_BYTES])
{
	struct tls_dial *made = MEM_NEW(struct tls_dial);
	enum err rc;

	made->context = SSL_CTX_new(TLS_client_method());
	/* As mem_alloc(): it fails for want of memory only. */
	assert(made->context != NULL);
	(void)SSL_CTX_set_min_proto_version(made->context,
					    TLS1_2_VERSION); /* it is known */
	SSL_CTX_set_verify(made->context, SSL_VERIFY_PEER, NULL);
	rc = ca_load(made->context, options->ca_path, error);
	if (rc == OK)
		rc = identity_load(made->context, options, error);
	if (rc == OK) {
		made->ssl = SSL_new(made->context);
		assert(made->ssl != NULL);
		if (SSL_set_fd(made->ssl, fd) != 1 ||
		    !host_expect(made->ssl, options->host))
			rc = fail(error, ERR_ARGUMENT, options->host, "no host for TLS");
	}
	if (rc == OK)
		rc = shake_hands(made, error);
	if (rc == OK)
		*dial = made;
	else
		tls_dial_close(made);
	return rc;
}

void tls_dial_close(struct tls_dial *dial)
{
	if (dial == NULL)
		return;
	/* What does not go out now is not missed: the descriptor is about to be closed.
	 */
	if (dial->ssl != NULL && SSL_is_init_finished(dial->ssl))
		(void)SSL_shutdown(dial->ssl);
	ERR_clear_error();
	SSL_free(dial->ssl);
	SSL_CTX_free(dial->context);
	mem_free(dial);
}

/* ---- bytes */

static enum err outcome(const struct tls_dial *dial, int result)
{
	switch (SSL_get_error(dial->ssl, result)) {
	case SSL_ERROR_WANT_READ:
	case SSL_ERROR_WANT_WRITE:
		return ERR_TIMEOUT;
	case SSL_ERROR_ZERO_RETURN:
		return ERR_CLOSED;
	default:
		return ERR_IO;
	}
}

ssize_t tls_dial_recv(struct tls_dial *dial, void *ptr, size_t len)
{
	size_t n = 0;
	enum err rc;
	int result;

	ERR_clear_error();
	result = SSL_read_ex(dial->ssl, ptr, len, &n);
	if (result == 1)
		return (ssize_t)n;
	rc = outcome(dial, result);
	return rc == ERR_CLOSED ? 0 : (ssize_t)rc;
}

enum err tls_dial_send(struct tls_dial *dial, struct slice bytes)
{
	while (bytes.len > 0) {
		size_t n = 0;
		int result;

		ERR_clear_error();
		result = SSL_write_ex(dial->ssl, bytes.ptr, bytes.len, &n);
		if (result != 1)
			return outcome(dial, result) == ERR_TIMEOUT ? ERR_TIMEOUT
								    : ERR_IO;
		bytes = slice_from(bytes, n);
	}
	return OK;
}
