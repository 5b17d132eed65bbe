/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The listening half of http_server.h: binds, accepts a bounded number per turn, rests
 * for a moment when descriptors run out instead of spinning on a socket that stays
 * readable, drains and closes. Connections themselves live in http_conn.c.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* accept4 */
#endif
#include "proto/base/http_server.h"

#include <arpa/inet.h>
#include <assert.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "proto/base/http_conn.h"
#include "proto/base/log.h"
#include "proto/base/mem.h"

#define LISTEN_BACKLOG 65535
#define ACCEPTS_PER_TURN 64
#define ACCEPT_PAUSE_MS 100

/* One in so many descriptors is spared at most, where there are few. */
#define SPARE_PART 4

union address {
	struct sockaddr any;
	struct sockaddr_in in;
	struct sockaddr_in6 in6;
};

/* ---- addresses */

/* Cuts "host:port" or "[host]:port" at its last colon; the brackets go. */
static enum err address_split(const char *text, char host[INET6_ADDRSTRLEN],
			      int64_t *port)
{
	const char *colon = strrchr(text, ':');
	size_t len;

	if (!colon)
		return ERR_ARGUMENT;
	len = (size_t)(colon - text);
	if (text[0] == '[') {
		if (len < 2 || text[len - 1] != ']')
			return ERR_ARGUMENT;
		text++;
		len -= 2;
	} else if (memchr(text, ':', len)) {
		return ERR_ARGUMENT; /* an IPv6 literal needs its brackets */
	}
	if (len == 0 || len >= INET6_ADDRSTRLEN)
		return ERR_ARGUMENT;
	memcpy(host, text, len);
	host[len] = '\0';
	if (slice_to_int64(slice_from_str(colon + 1), port) != OK || *port < 0 ||
	    *port > 65535)
		return ERR_ARGUMENT;
	return OK;
}

static enum err address_parse(const char *text, union address *address, socklen_t *len)
{
	char host[INET6_ADDRSTRLEN];
	int64_t port = 0;
	enum err rc = address_split(text, host, &port);

	if (rc != OK)
		return rc;
	memset(address, 0, sizeof(*address));
	if (text[0] == '[') {
		address->in6.sin6_family = AF_INET6;
		address->in6.sin6_port = htons((uint16_t)port);
		*len = sizeof(address->in6);
		return inet_pton(AF_INET6, host, &address->in6.sin6_addr) == 1
			       ? OK
			       : ERR_ARGUMENT;
	}
	if (strcmp(host, "localhost") == 0)
		memcpy(host, "127.0.0.1", sizeof("127.0.0.1"));
	address->in.sin_family = AF_INET;
	address->in.sin_port = htons((uint16_t)port);
	*len = sizeof(address->in);
	return inet_pton(AF_INET, host, &address->in.sin_addr) == 1 ? OK : ERR_ARGUMENT;
}

/* Of 0 to 65535, in decimal. */
static char *number_put(char *at, unsigned number)
{
	unsigned power = 10000;

	while (power > 1 && number < power)
		power /= 10;
	for (; power > 0; power /= 10)
		*at++ = (char)('0' + number / power % 10);
	return at;
}

/* For every connection, and printf() would be a tenth of what opening one costs. */
static void format_address_4(const struct sockaddr_in *in, char *at)
{
	const uint32_t host = ntohl(in->sin_addr.s_addr);

	for (unsigned shift = 32; shift > 0; shift -= 8) {
		at = number_put(at, host >> (shift - 8) & 255);
		*at++ = shift > 8 ? '.' : ':';
	}
	*number_put(at, ntohs(in->sin_port)) = '\0';
}

void http_format_address(const struct sockaddr *address, char text[HTTP_REMOTE_BYTES])
{
	char host[INET6_ADDRSTRLEN] = "";
	struct sockaddr_in6 in6;
	struct sockaddr_in in;

	if (address->sa_family != AF_INET6) {
		memcpy(&in, address, sizeof(in));
		format_address_4(&in, text);
		return;
	}
	memcpy(&in6, address, sizeof(in6));
	if (!inet_ntop(AF_INET6, &in6.sin6_addr, host, sizeof(host)))
		host[0] = '\0';
	(void)snprintf(text, HTTP_REMOTE_BYTES, "[%s]:%u", host, ntohs(in6.sin6_port));
}

/* ---- accepting */

static void accept_rest(struct http_server *server, int error)
{
	server->stats->accept_failed_total++;
	log_warn("http.accept_failed", "port=%u errno=%d open=%lld", server->port, error,
		 (long long)server->open);
	loop_io_want(&server->io, 0);
	loop_timer_start(server->loop, &server->accept_pause, ACCEPT_PAUSE_MS);
}

static void on_accept_pause(struct timer *timer)
{
	struct http_server *server =
		CONTAINER_OF(timer, struct http_server, accept_pause);

	loop_io_want(&server->io, LOOP_READ);
}

/* Errors of one connection that died in the queue; accept(2) asks to go on. */
static bool is_passing_error(int error)
{
	return error == EINTR || error == ECONNABORTED || error == EPROTO ||
	       error == EPERM || error == ENETDOWN || error == ENOPROTOOPT ||
	       error == EHOSTDOWN || error == ENONET || error == EHOSTUNREACH ||
	       error == EOPNOTSUPP || error == ENETUNREACH;
}

/* Returns false when there is nothing more to accept now. */
static bool accept_one(struct http_server *server)
{
	union address remote = { .any = { .sa_family = AF_UNSPEC } };
	socklen_t len = sizeof(remote);
	int fd = accept4(loop_io_fd(&server->io), &remote.any, &len,
			 SOCK_NONBLOCK | SOCK_CLOEXEC);

	if (fd >= 0 && fd < server->fd_end &&
	    server->open < server->options.connections_max) {
		http_conn_open(server, fd, &remote.any);
		return true;
	}
	if (fd >= 0) {
		(void)close(fd); /* it never was ours to lose */
		server->stats->refused_total++;
		log_warn("http.full", "port=%u open=%lld", server->port,
			 (long long)server->open);
		return true;
	}
	if (errno == EAGAIN)
		return false;
	if (is_passing_error(errno))
		return true;
	accept_rest(server, errno);
	return false;
}

static void on_accept(struct loop_io *io, unsigned ready)
{
	struct http_server *server = CONTAINER_OF(io, struct http_server, io);

	assert(ready == LOOP_READ);
	for (int i = 0; i < ACCEPTS_PER_TURN; i++) {
		if (!accept_one(server))
			return;
	}
}

/* ---- life */

/* Returns the listening socket, or -1 with errno. */
static int listen_on(const union address *address, socklen_t len, bool is_shared_port)
{
	int one = 1;
	int error;
	int fd = socket(address->any.sa_family,
			SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return -1;
	if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)) != 0)
		goto fail;
	if (is_shared_port &&
	    setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &one, sizeof(one)) != 0)
		goto fail;
	/* What is accepted has it from here. Without it answers are late, not wrong. */
	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	if (bind(fd, &address->any, len) != 0 || listen(fd, LISTEN_BACKLOG) != 0)
		goto fail;
	return fd;
fail:
	error = errno;
	(void)close(fd); /* errno of the first failure is what tells */
	errno = error;
	return -1;
}

static uint16_t bound_port(int fd)
{
	union address address = { .any = { .sa_family = AF_UNSPEC } };
	socklen_t len = sizeof(address);

	if (getsockname(fd, &address.any, &len) != 0)
		return 0;
	return ntohs(address.any.sa_family == AF_INET6 ? address.in6.sin6_port
						       : address.in.sin_port);
}

/* The kernel gives out the lowest number that is free: with one this high nothing but the
 * spare ones is left. */
static int64_t fd_end(int64_t spare)
{
	struct rlimit limit;

	int64_t all;

	if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur > INT32_MAX)
		return INT32_MAX;
	all = (int64_t)limit.rlim_cur;
	return all - (spare < all / SPARE_PART ? spare : all / SPARE_PART);
}

enum err http_server_open(struct loop *loop, const struct http_options *options,
			  struct http_server **server)
{
	struct http_server *opened;
	union address address;
	socklen_t len = 0;
	enum err rc;
	int fd;

	assert(options->on_request);
	assert(options->connections_max > 0 && options->body_bytes_max >= 0);
	assert(options->spare_descriptors >= 0);
	assert(options->head_timeout_ms > 0 && options->body_timeout_ms > 0);
	assert(options->write_timeout_ms > 0 && options->idle_timeout_ms > 0);

	rc = address_parse(options->address, &address, &len);
	if (rc != OK)
		return rc;
	fd = listen_on(&address, len, options->is_shared_port);
	if (fd < 0)
		return ERR_IO;
	opened = MEM_NEW(struct http_server);
	opened->options = *options;
	opened->options.address = NULL;
	opened->options.tls = NULL;
	http_server_set_tls(opened, options->tls);
	opened->stats = options->stats ? options->stats : &opened->own_stats;
	opened->loop = loop;
	opened->port = bound_port(fd);
	opened->fd_end = fd_end(options->spare_descriptors);
	opened->date_s = -1;
	opened->is_listening = true;
	list_init(&opened->conns);
	timer_init(&opened->accept_pause, on_accept_pause);
	loop_io_init(&opened->io, loop, fd, on_accept);
	loop_io_want(&opened->io, LOOP_READ);
	*server = opened;
	return OK;
}

static void server_deafen(struct http_server *server)
{
	int fd = loop_io_fd(&server->io);

	if (!server->is_listening)
		return;
	server->is_listening = false;
	loop_timer_stop(server->loop, &server->accept_pause);
	loop_io_fini(&server->io);
	(void)close(fd); /* a listening socket has nothing to lose */
}

void http_server_drain(struct http_server *server)
{
	if (server->is_draining)
		return;
	server->is_draining = true;
	/* Who already stands in the kernel's queue would be reset by the close. */
	for (int i = 0; i < LISTEN_BACKLOG; i++) {
		if (!accept_one(server))
			break;
	}
	server_deafen(server);
	LIST_EACH (it, &server->conns) {
		struct http_conn *conn = CONTAINER_OF(it, struct http_conn, node);

		if (http_conn_is_idle(conn))
			http_conn_close(conn);
	}
}

static void server_free(struct loop_defer *defer)
{
	struct http_server *server = CONTAINER_OF(defer, struct http_server, defer);

	tls_unref(server->options.tls);
	mem_free(server);
}

void http_server_close(struct http_server *server)
{
	if (!server)
		return;
	assert(!server->is_in_handler);
	server_deafen(server);
	while (!list_is_empty(&server->conns))
		http_conn_close(CONTAINER_OF(server->conns.next, struct http_conn, node));
	assert(server->open == 0);
	loop_defer_free(server->loop, &server->defer, server_free);
}

void http_server_set_tls(struct http_server *server, struct tls *tls)
{
	struct tls *old = server->options.tls;

	server->options.tls = tls != NULL ? tls_ref(tls) : NULL;
	tls_unref(old);
}

void *http_server_owner(const struct http_server *server)
{
	return server->options.owner;
}

uint16_t http_server_port(const struct http_server *server)
{
	return server->port;
}
