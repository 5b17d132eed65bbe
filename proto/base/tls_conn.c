/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One SSL object. It reads ahead, so bytes may lie inside it while the descriptor is
 * silent: has_more keeps track. OpenSSL reports through its queue of errors, which is
 * emptied before every call: a stale entry would be taken for this call's.
 */
#include "proto/base/tls_conn.h"

#include <assert.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <string.h>

#include "proto/base/loop.h"
#include "proto/base/mem.h"
#include "proto/base/slice.h"

struct tls_conn {
	SSL *ssl;	 /* owned */
	struct tls *tls; /* referenced */
	const char *problem;
	unsigned read_waits; /* for what of the descriptor: LOOP_READ, usually */
	unsigned write_waits;
	bool is_open;
	bool is_failed; /* nothing may be asked of ssl any more */
	bool is_shut;
	bool has_more;
};

struct tls_conn *tls_conn_new(struct tls *tls, int fd)
{
	struct tls_conn *conn = MEM_NEW(struct tls_conn);
	int ok = 0;

	conn->tls = tls_ref(tls);
	conn->ssl = SSL_new(tls_context(tls));
	/* As mem_alloc(): they fail for want of memory only. */
	assert(conn->ssl != NULL);
	ok = SSL_set_fd(conn->ssl, fd);
	assert(ok == 1);
	SSL_set_accept_state(conn->ssl);
	conn->read_waits = LOOP_READ;
	conn->write_waits = LOOP_WRITE;
	return conn;
}

/* Somebody is there to be told of the end, and was not. */
static bool can_shut(const struct tls_conn *conn)
{
	return conn->is_open && !conn->is_failed && !conn->is_shut;
}

void tls_conn_free(struct tls_conn *conn)
{
	if (conn == NULL)
		return;
	/* What does not go out now is not missed: the descriptor is about to be closed.
	 */
	if (can_shut(conn))
		(void)SSL_shutdown(conn->ssl);
	ERR_clear_error();
	SSL_free(conn->ssl);
	tls_unref(conn->tls);
	mem_free(conn);
}

/* What a call that returned `result` came to: ERR_AGAIN, ERR_CLOSED (the peer's
 * close_notify) or ERR_IO. */
static enum err outcome(struct tls_conn *conn, int result, unsigned *waits)
{
	switch (SSL_get_error(conn->ssl, result)) {
	case SSL_ERROR_WANT_READ:
		*waits = LOOP_READ;
		return ERR_AGAIN;
	case SSL_ERROR_WANT_WRITE:
		*waits = LOOP_WRITE;
		return ERR_AGAIN;
	case SSL_ERROR_ZERO_RETURN:
		return ERR_CLOSED;
	default:
		break;
	}
	conn->is_failed = true;
	conn->problem = ERR_reason_error_string(ERR_peek_error());
	ERR_clear_error();
	return ERR_IO;
}

static enum err open_conn(struct tls_conn *conn)
{
	enum err rc;
	int result;

	if (conn->is_failed)
		return ERR_IO;
	if (conn->is_open)
		return OK;
	ERR_clear_error();
	result = SSL_do_handshake(conn->ssl);
	if (result == 1) {
		conn->is_open = true;
		conn->read_waits = LOOP_READ;
		conn->write_waits = LOOP_WRITE;
		return OK;
	}
	rc = outcome(conn, result, &conn->read_waits);
	conn->write_waits = conn->read_waits;
	return rc == ERR_AGAIN ? ERR_AGAIN : ERR_IO;
}

/* ---- bytes */

ssize_t tls_conn_recv(struct tls_conn *conn, void *ptr, size_t len)
{
	enum err rc = open_conn(conn);
	char *at = ptr;
	size_t total = 0;
	size_t n = 0;

	assert(len > 0);
	conn->has_more = false;
	if (rc != OK)
		return rc;
	conn->read_waits = LOOP_READ;
	/* What is inside is taken out while there is room: it saves a turn a record. */
	do {
		int result;

		ERR_clear_error();
		result = SSL_read_ex(conn->ssl, at + total, len - total, &n);
		if (result != 1) {
			rc = outcome(conn, result, &conn->read_waits);
			break;
		}
		total += n;
	} while (total < len && SSL_has_pending(conn->ssl));

	if (total > 0) {
		/* An end that was met is met again, by the next read. */
		conn->has_more =
			rc == OK ? SSL_has_pending(conn->ssl) == 1 : rc != ERR_AGAIN;
		return (ssize_t)total;
	}
	return rc == ERR_CLOSED ? 0 : (ssize_t)rc;
}

/* The first of `iov`, or as many as fit into one record together. */
static struct slice gather(struct tls_conn *conn, const struct iovec *iov, int n)
{
	char *scratch = tls_scratch(conn->tls);
	size_t len = 0;

	if (n == 1 || iov[0].iov_len >= TLS_RECORD_BYTES)
		return slice_make(iov[0].iov_base, iov[0].iov_len);
	for (int i = 0; i < n && len < TLS_RECORD_BYTES; i++) {
		size_t part = iov[i].iov_len;

		if (part > TLS_RECORD_BYTES - len)
			part = TLS_RECORD_BYTES - len;
		if (part > 0)
			memcpy(scratch + len, iov[i].iov_base, part);
		len += part;
	}
	return slice_make(scratch, len);
}

/*
 * A record that the kernel did not take whole is kept inside and goes on with the next
 * call, which gives the same bytes again: OpenSSL looks that they are not fewer.
 */
ssize_t tls_conn_sendv(struct tls_conn *conn, const struct iovec *iov, int n)
{
	enum err rc = open_conn(conn);
	struct slice bytes;
	size_t sent = 0;
	int result;

	if (rc != OK)
		return rc;
	assert(!conn->is_shut);
	bytes = gather(conn, iov, n);
	assert(bytes.len > 0);
	if (bytes.len > TLS_RECORD_BYTES)
		bytes.len = TLS_RECORD_BYTES;
	conn->write_waits = LOOP_WRITE;
	ERR_clear_error();
	result = SSL_write_ex(conn->ssl, bytes.ptr, bytes.len, &sent);
	if (result == 1)
		return (ssize_t)sent;
	rc = outcome(conn, result, &conn->write_waits);
	return rc == ERR_AGAIN ? ERR_AGAIN : ERR_IO;
}

enum err tls_conn_shut(struct tls_conn *conn)
{
	unsigned waits = LOOP_WRITE;
	enum err rc;
	int result;

	if (!can_shut(conn))
		return OK;
	ERR_clear_error();
	result = SSL_shutdown(conn->ssl);
	if (result < 0) {
		rc = outcome(conn, result, &waits);
		if (rc == ERR_AGAIN && waits == LOOP_WRITE)
			return ERR_AGAIN;
		if (rc == ERR_IO)
			return ERR_IO;
	}
	conn->is_shut = true;
	return OK;
}

/* ---- what is waited for */

unsigned tls_conn_want(const struct tls_conn *conn, unsigned want)
{
	return (want & LOOP_READ ? conn->read_waits : 0) |
	       (want & LOOP_WRITE ? conn->write_waits : 0);
}

unsigned tls_conn_ready(const struct tls_conn *conn, unsigned want, unsigned ready)
{
	unsigned told = 0;

	if ((want & LOOP_READ) && (ready & conn->read_waits))
		told |= LOOP_READ;
	if ((want & LOOP_WRITE) && (ready & conn->write_waits))
		told |= LOOP_WRITE;
	return told;
}

bool tls_conn_has_more(const struct tls_conn *conn)
{
	return conn->has_more;
}

bool tls_conn_is_open(const struct tls_conn *conn)
{
	return conn->is_open;
}

bool tls_conn_peer(const struct tls_conn *conn, char *name, size_t size)
{
	const X509 *cert;
	int len;

	assert(size > 0);
	name[0] = '\0';
	if (!conn->is_open || SSL_get_verify_result(conn->ssl) != X509_V_OK)
		return false;
	cert = SSL_get0_peer_certificate(conn->ssl);
	if (cert == NULL)
		return false;
	len = X509_NAME_get_text_by_NID(X509_get_subject_name(cert), NID_commonName, name,
					(int)size);
	/* With a NUL inside it would be read as a shorter one. */
	if (len < 0 || strlen(name) != (size_t)len)
		name[0] = '\0';
	return true;
}

const char *tls_conn_problem(const struct tls_conn *conn)
{
	if (conn->is_open || BIO_number_read(SSL_get_rbio(conn->ssl)) == 0)
		return NULL;
	if (!conn->is_failed)
		return "not finished";
	return conn->problem != NULL ? conn->problem : "connection lost";
}
