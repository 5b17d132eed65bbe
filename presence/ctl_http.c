/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A socket with the kernel's own deadlines on it; proto/base/http_answer.h reads what
 * comes.
 */
#include "presence/ctl_http.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <netdb.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "proto/base/http_answer.h"
#include "proto/base/mem.h"
#include "proto/base/secret.h"
#include "proto/base/tls_dial.h"

#define READ_BYTES 16384

struct ctl_http {
	int fd;		      /* owned; -1: none */
	struct tls_dial *tls; /* owned; NULL: plain */
	struct buf in;	      /* read, and not yet of a head or body */
	struct http_answer answer;
	struct http_body body;
	bool is_whole; /* the body has been read */
};

static enum err fail(char error[CTL_HTTP_ERROR_BYTES], enum err rc, const char *text)
{
	(void)snprintf(error, CTL_HTTP_ERROR_BYTES, "%s", text); /* for people: cut */
	return rc;
}

/* What a call that failed left in errno. */
static enum err fail_errno(char error[CTL_HTTP_ERROR_BYTES])
{
	if (errno == EAGAIN || errno == ETIMEDOUT)
		return fail(error, ERR_TIMEOUT, "no answer in time");
	return fail(error, errno == EPIPE || errno == ECONNRESET ? ERR_CLOSED : ERR_IO,
		    err_errno_text());
}

/* ---- connecting */

static bool set_timeouts(int fd, int64_t timeout_ms)
{
	const struct timeval timeout = {
		.tv_sec = (time_t)(timeout_ms / 1000),
		.tv_usec = (suseconds_t)(timeout_ms % 1000 * 1000),
	};

	return setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof(timeout)) == 0 &&
	       setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &timeout, sizeof(timeout)) == 0;
}

static bool set_blocking(int fd)
{
	const int flags = fcntl(fd, F_GETFL);

	return flags >= 0 && fcntl(fd, F_SETFL, flags & ~O_NONBLOCK) == 0;
}

/* True once it is connected; else errno says why not. */
static bool connect_within(int fd, const struct addrinfo *address, int64_t timeout_ms)
{
	struct pollfd ready = { .fd = fd, .events = POLLOUT };
	socklen_t len = sizeof(errno);
	int failure = 0;

	if (connect(fd, address->ai_addr, address->ai_addrlen) == 0)
		return true;
	if (errno != EINPROGRESS)
		return false;
	if (poll(&ready, 1, (int)timeout_ms) <= 0) {
		errno = ETIMEDOUT;
		return false;
	}
	if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &failure, &len) != 0)
		return false;
	errno = failure;
	return failure == 0;
}

static int connect_any(const struct addrinfo *addresses, int64_t timeout_ms)
{
	for (const struct addrinfo *at = addresses; at != NULL; at = at->ai_next) {
		const int fd = socket(at->ai_family,
				      at->ai_socktype | SOCK_CLOEXEC | SOCK_NONBLOCK,
				      at->ai_protocol);
		int failure;

		if (fd < 0)
			continue;
		if (connect_within(fd, at, timeout_ms) && set_blocking(fd) &&
		    set_timeouts(fd, timeout_ms))
			return fd;
		failure = errno;
		(void)close(fd); /* nothing was sent */
		errno = failure;
	}
	return -1;
}

static enum err dial(struct ctl_http *http, const struct ctl_endpoint *endpoint,
		     char error[CTL_HTTP_ERROR_BYTES])
{
	const struct addrinfo hints = { .ai_family = AF_UNSPEC,
					.ai_socktype = SOCK_STREAM };
	struct addrinfo *addresses = NULL;
	const int failure =
		getaddrinfo(endpoint->host, endpoint->port, &hints, &addresses);

	if (failure != 0)
		return fail(error, ERR_NOT_FOUND, gai_strerror(failure));
	http->fd = connect_any(addresses, endpoint->step_timeout_ms);
	freeaddrinfo(addresses);
	return http->fd >= 0 ? OK : fail_errno(error);
}

static enum err secure(struct ctl_http *http, const struct ctl_endpoint *endpoint,
		       char error[CTL_HTTP_ERROR_BYTES])
{
	const struct tls_dial_options options = {
		.host = endpoint->host,
		.ca_path = endpoint->tls_ca,
		.cert_path = endpoint->tls_cert,
		.key_path = endpoint->tls_key,
	};
	char problem[TLS_ERROR_BYTES];
	enum err rc;

	if (!endpoint->is_tls)
		return OK;
	rc = tls_dial_open(http->fd, &options, &http->tls, problem);
	return rc == OK ? OK : fail(error, rc, problem);
}

/* ---- bytes */

static enum err send_all(struct ctl_http *http, struct slice bytes,
			 char error[CTL_HTTP_ERROR_BYTES])
{
	if (http->tls != NULL) {
		const enum err rc = tls_dial_send(http->tls, bytes);

		return rc == OK ? OK : fail(error, rc, err_text(rc));
	}
	while (bytes.len > 0) {
		const ssize_t n = send(http->fd, bytes.ptr, bytes.len, MSG_NOSIGNAL);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return fail_errno(error);
		bytes = slice_from(bytes, (size_t)n);
	}
	return OK;
}

static ssize_t recv_plain(struct ctl_http *http, char *to,
			  char error[CTL_HTTP_ERROR_BYTES])
{
	ssize_t n;

	do {
		n = recv(http->fd, to, READ_BYTES, 0);
	} while (n < 0 && errno == EINTR);
	return n < 0 ? (ssize_t)fail_errno(error) : n;
}

/* Appends to `in`. ERR_CLOSED: the server has ended it. */
static enum err recv_some(struct ctl_http *http, char error[CTL_HTTP_ERROR_BYTES])
{
	char *to = buf_reserve(&http->in, READ_BYTES);
	ssize_t n;

	if (http->tls != NULL) {
		n = tls_dial_recv(http->tls, to, READ_BYTES);
		if (n < 0)
			return fail(error, (enum err)n, err_text((enum err)n));
	} else {
		n = recv_plain(http, to, error);
		if (n < 0)
			return (enum err)n;
	}
	if (n == 0)
		return fail(error, ERR_CLOSED, "the connection was closed");
	http->in.len += (size_t)n;
	return OK;
}

/* ---- the request */

static void write_request(const struct ctl_endpoint *endpoint,
			  const struct ctl_request *request, struct buf *out)
{
	const bool is_literal = strchr(endpoint->host, ':') != NULL;

	buf_appendf(out, "%s ", request->method);
	buf_append_slice(out, request->target);
	buf_appendf(out, " HTTP/1.1\r\nHost: %s%s%s:%s\r\n", is_literal ? "[" : "",
		    endpoint->host, is_literal ? "]" : "", endpoint->port);
	if (endpoint->token.len > 0) {
		buf_append_str(out, "Authorization: Bearer ");
		buf_append_slice(out, endpoint->token);
		buf_append_str(out, "\r\n");
	}
	if (request->body.ptr != NULL)
		buf_appendf(out,
			    "Content-Type: application/json\r\nContent-Length: %zu\r\n",
			    request->body.len);
	buf_append_slice(out, request->headers);
	buf_append_str(out, "Connection: close\r\n\r\n");
	buf_append_slice(out, request->body);
}

/* The head of the final answer: those of 1xx come before it. */
static enum err read_head(struct ctl_http *http, char error[CTL_HTTP_ERROR_BYTES])
{
	for (;;) {
		const ssize_t used =
			http_answer_read(buf_slice(&http->in), &http->answer);
		enum err rc = OK;

		if (used < 0)
			return fail(error, (enum err)used,
				    used == ERR_LIMIT ? CTL_HTTP_TOO_LONG
						      : "what answers is no HTTP/1.1");
		if (used > 0) {
			buf_consume(&http->in, (size_t)used);
			http->answer.accept = SLICE_NONE;
			if (http->answer.status / 100 != 1)
				return OK;
			continue;
		}
		rc = recv_some(http, error);
		if (rc != OK)
			return rc;
	}
}

enum err ctl_http_open(const struct ctl_endpoint *endpoint,
		       const struct ctl_request *request, struct ctl_http **http,
		       char error[CTL_HTTP_ERROR_BYTES])
{
	struct ctl_http *made = MEM_NEW(struct ctl_http);
	struct buf head = BUF_INIT;
	enum err rc;

	made->fd = -1;
	rc = dial(made, endpoint, error);
	if (rc == OK)
		rc = secure(made, endpoint, error);
	if (rc == OK) {
		write_request(endpoint, request, &head);
		rc = send_all(made, buf_slice(&head), error);
	}
	if (rc == OK)
		rc = read_head(made, error);
	if (rc == OK) {
		http_body_init(&made->body, &made->answer);
		made->is_whole = made->answer.body == HTTP_BODY_LENGTH &&
				 made->answer.content_length == 0;
		*http = made;
	} else {
		ctl_http_close(made);
	}
	secret_fini(&head);
	return rc;
}

int ctl_http_status(const struct ctl_http *http)
{
	return http->answer.status;
}

bool ctl_http_set_timeout(struct ctl_http *http, int64_t step_timeout_ms)
{
	return set_timeouts(http->fd, step_timeout_ms);
}

/* ---- the answer */

enum err ctl_http_read(struct ctl_http *http, struct buf *out, bool *is_done)
{
	char ignored[CTL_HTTP_ERROR_BYTES];
	ssize_t used;

	if (http->in.len == 0 && !http->is_whole) {
		const enum err rc = recv_some(http, ignored);

		if (rc == ERR_CLOSED && http->answer.body == HTTP_BODY_TO_END)
			http->is_whole = true;
		else if (rc != OK)
			return rc;
	}
	*is_done = http->is_whole;
	if (http->is_whole)
		return OK;
	used = http_body_read(&http->body, buf_slice(&http->in), out, &http->is_whole);
	if (used < 0)
		return (enum err)used;
	buf_consume(&http->in, (size_t)used);
	*is_done = http->is_whole;
	return OK;
}

void ctl_http_close(struct ctl_http *http)
{
	if (http == NULL)
		return;
	tls_dial_close(http->tls);
	if (http->fd >= 0)
		(void)close(http->fd); /* whatever was sent has been answered, or not */
	buf_fini(&http->in);
	mem_free(http);
}
