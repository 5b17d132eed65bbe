/* SPDX-License-Identifier: Apache-2.0 */
/*
 * There is one deadline; a call gets what is left of it as the socket's own timeout.
 * http_answer.h reads what comes, and no more is waited for than what is shown.
 */
#include "proto/base/check.h"

#include <errno.h>
#include <netdb.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "proto/base/buf.h"
#include "proto/base/err.h"
#include "proto/base/http_answer.h"
#include "proto/base/loop.h"
#include "proto/base/mem.h"
#include "proto/base/slice.h"

#define URL_BYTES_MAX 2048

/* Of the body, in what is shown. */
#define LINE_BYTES_MAX 100u

#define PORT_MAX 65535

/* A head and a line: who says more says nothing that we show. */
#define ANSWER_BYTES_MAX (HTTP_ANSWER_HEAD_BYTES_MAX + 4096u)

struct check {
	const char *program;
	const char *url;
	char *host;	   /* owned; without brackets */
	char *port;	   /* owned */
	struct slice path; /* of url; empty: "/" */
	int64_t due_us;	   /* of loop_clock_us() */
};

static int fail(const struct check *check, const char *format, ...) PRINTF_LIKE(2, 3);

static int fail(const struct check *check, const char *format, ...)
{
	struct buf line = BUF_INIT;
	char text[256];
	va_list args;

	va_start(args, format);
	(void)vsnprintf(text, sizeof(text), format, args); /* for people: cut */
	va_end(args);
	buf_appendf(&line, "%s: %s: %s\n", check->program, check->url, text);
	(void)fwrite(line.ptr, 1, line.len, stderr); /* there is nobody else to tell */
	buf_fini(&line);
	return EXIT_FAILURE;
}

/* ---- the URL */

/* Not a service's name, and not a number that getaddrinfo() would make another of. */
static bool is_port(struct slice text)
{
	int64_t port;

	return slice_to_int64(text, &port) == OK && port >= 1 && port <= PORT_MAX;
}

static bool url_read(struct check *check)
{
	static const struct slice scheme = { "http://", 7 };
	struct slice rest = slice_from_str(check->url);
	struct slice host;
	ptrdiff_t at;

	if (!slice_starts_with(rest, scheme) || rest.len > URL_BYTES_MAX)
		return false;
	for (size_t i = 0; i < rest.len; i++) {
		if (rest.ptr[i] <= ' ' || rest.ptr[i] == 0x7f)
			return false;
	}
	rest = slice_from(rest, scheme.len);
	at = slice_find(rest, '/');
	check->path = slice_from(rest, at < 0 ? rest.len : (size_t)at);
	host = slice_make(rest.ptr, rest.len - check->path.len);
	if (host.len > 0 && host.ptr[0] == '[') {
		at = slice_find(host, ']');
		if (at < 0)
			return false;
		rest = slice_from(host, (size_t)at + 1);
		host = slice_make(host.ptr + 1, (size_t)at - 1);
	} else {
		at = slice_find(host, ':');
		rest = slice_from(host, at < 0 ? host.len : (size_t)at);
		host.len -= rest.len;
	}
	if (host.len == 0 ||
	    (rest.len > 0 && (rest.ptr[0] != ':' || !is_port(slice_from(rest, 1)))))
		return false;
	check->host = mem_dup(host.ptr, host.len);
	check->port =
		rest.len > 0 ? mem_dup(rest.ptr + 1, rest.len - 1) : mem_dup("80", 2);
	return true;
}

/* ---- the connection */

/* The next call on `fd` ends when all has to; false: that is now. */
static bool arm(const struct check *check, int fd)
{
	const int64_t left_us = check->due_us - loop_clock_us();
	const struct timeval left = { .tv_sec = left_us / 1000000,
				      .tv_usec = left_us % 1000000 };

	if (left_us <= 0) {
		errno = EAGAIN;
		return false;
	}
	return setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &left, sizeof(left)) == 0 &&
	       setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &left, sizeof(left)) == 0;
}

static int socket_to(const struct check *check, const struct addrinfo *address)
{
	const int fd = socket(address->ai_family, address->ai_socktype | SOCK_CLOEXEC, 0);
	int failure;

	if (fd < 0)
		return -1;
	if (arm(check, fd) && connect(fd, address->ai_addr, address->ai_addrlen) == 0)
		return fd;
	failure = errno;
	(void)close(fd); /* nothing was sent */
	errno = failure;
	return -1;
}

static const char *errno_text(void)
{
	return errno == EAGAIN || errno == EINPROGRESS ? "no answer in time"
						       : err_errno_text();
}

/* The first address that accepts; -1: none, and it has been said. */
static int dial(struct check *check)
{
	const struct addrinfo hints = { .ai_socktype = SOCK_STREAM };
	struct addrinfo *addresses = NULL;
	const int failure = getaddrinfo(check->host, check->port, &hints, &addresses);
	int fd = -1;

	if (failure != 0) {
		(void)fail(check, "%s", gai_strerror(failure));
		return -1;
	}
	check->due_us = loop_clock_us() + (int64_t)CHECK_TIMEOUT_MS * 1000;
	for (const struct addrinfo *at = addresses; at != NULL && fd < 0;
	     at = at->ai_next)
		fd = socket_to(check, at);
	if (fd < 0)
		(void)fail(check, "%s", errno_text());
	freeaddrinfo(addresses);
	return fd;
}

/* ---- the request */

static bool send_request(const struct check *check, int fd)
{
	struct buf text = BUF_INIT;
	size_t sent = 0;
	ssize_t n = 0;

	buf_append_str(&text, "GET ");
	buf_append_slice(&text, check->path.len > 0 ? check->path : SLICE("/"));
	buf_appendf(&text, " HTTP/1.1\r\nHost: %s:%s\r\nConnection: close\r\n\r\n",
		    check->host, check->port);
	while (n >= 0 && sent < text.len) {
		n = arm(check, fd)
			    ? send(fd, text.ptr + sent, text.len - sent, MSG_NOSIGNAL)
			    : -1;
		sent += n > 0 ? (size_t)n : 0;
	}
	buf_fini(&text);
	return n >= 0;
}

/* The beginning of the body's first line. */
static struct slice first_line(struct slice body)
{
	struct slice line = slice_cut(&body, '\n');

	if (line.len > LINE_BYTES_MAX)
		line.len = LINE_BYTES_MAX;
	for (size_t i = 0; i < line.len; i++) {
		if (line.ptr[i] < ' ' || line.ptr[i] == 0x7f)
			line.len = i;
	}
	return line;
}

/* Is there all that judge() looks at? */
static bool is_enough(struct slice bytes)
{
	struct http_answer answer;
	const ssize_t head = http_answer_read(bytes, &answer);
	struct slice body;

	if (head <= 0 || answer.status == 200)
		return head != 0;
	body = slice_from(bytes, (size_t)head);
	return slice_find(body, '\n') >= 0 || body.len >= LINE_BYTES_MAX ||
	       (answer.body == HTTP_BODY_LENGTH && body.len >= answer.content_length);
}

/* The status is what counts. `failure`: what ended it before it was whole, or NULL. */
static int judge(const struct check *check, struct slice bytes, const char *failure)
{
	struct http_answer answer;
	const ssize_t head = http_answer_read(bytes, &answer);

	if (head == 0 && failure != NULL)
		return fail(check, "%s", failure);
	if (head <= 0)
		return fail(check,
			    bytes.len == 0 ? "no answer" : "that is no answer of HTTP");
	if (answer.status == 200)
		return EXIT_SUCCESS;
	return fail(check, "%d %.*s", answer.status,
		    SLICE_FMT(first_line(slice_from(bytes, (size_t)head))));
}

static int ask(const struct check *check, int fd)
{
	struct buf in = BUF_INIT;
	ssize_t n = 0;
	int status;

	if (!send_request(check, fd))
		return fail(check, "%s", errno_text());
	do {
		n = arm(check, fd) ? recv(fd, buf_reserve(&in, 4096), 4096, 0) : -1;
		in.len += n > 0 ? (size_t)n : 0;
	} while (n > 0 && in.len < ANSWER_BYTES_MAX && !is_enough(buf_slice(&in)));
	/* What came counts, even if the connection did not end well. */
	status = judge(check, buf_slice(&in), n < 0 ? errno_text() : NULL);
	buf_fini(&in);
	return status;
}

int check_main(const char *program, const char *url)
{
	struct check check = { .program = program, .url = url };
	int status = EXIT_FAILURE;
	int fd = -1;

	if (!url_read(&check)) {
		status = fail(&check, "expected http://host[:port][/path]");
		goto out;
	}
	fd = dial(&check);
	if (fd < 0)
		goto out;
	status = ask(&check, fd);
	(void)close(fd); /* only the answer mattered */
out:
	mem_free(check.host);
	mem_free(check.port);
	return status;
}
