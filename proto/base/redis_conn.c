/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From an address to a socket, and from a socket to replies. A connection that is lost
 * shows on reading, also when it was found on writing, so that there is one place where
 * it ends.
 */
#include "proto/base/redis_conn.h"

#include <assert.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/un.h>
#include <unistd.h>

#include "proto/base/mem.h"
#include "proto/base/secret.h"

/* A peer that is gone without a word is known to be after the idle time and three probes.
 */
#define KEEPALIVE_IDLE_S 180
#define KEEPALIVE_PROBE_S 60
#define KEEPALIVE_PROBES 3

/* Reads in one event, so that others are served, too. */
#define READS_MAX 8u

static void on_io(struct loop_io *io, unsigned ready);
static void on_timeout(struct timer *timer);
static void on_resolved(struct resolve *resolve, enum err rc,
			const struct resolve_addresses *addresses);
static void on_connect_ready(struct redis_conn *conn);

/* ---- life */

void redis_conn_init(struct redis_conn *conn, struct loop *loop,
		     const struct redis_conn_events *events)
{
	*conn = (struct redis_conn){ .loop = loop, .events = events, .said = BUF_INIT };
	resolve_init(&conn->resolve, on_resolved);
	timer_init(&conn->timer, on_timeout);
}

void redis_conn_fini(struct redis_conn *conn)
{
	redis_conn_close(conn);
	mem_free(conn->in);
	conn->in = NULL;
}

void redis_conn_close(struct redis_conn *conn)
{
	if (conn->is_open || conn->is_connecting)
		sock_fini(&conn->sock);
	conn->is_open = false;
	conn->is_connecting = false;
	conn->life++;
	resolve_cancel(&conn->resolve);
	loop_timer_stop(conn->loop, &conn->timer);
	if (conn->reader != conn->giving)
		redis_reader_free(conn->reader);
	conn->reader = NULL;
	secret_fini(&conn->said);
}

static void conn_end(struct redis_conn *conn, const char *why)
{
	redis_conn_close(conn);
	conn->events->on_end(conn, why);
}

/* ---- connecting */

static void set_option(int fd, int level, int name, int value)
{
	/* What the kernel will not do it does without: they are refinements. */
	(void)setsockopt(fd, level, name, &value, sizeof(value));
}

static void set_options(int fd)
{
	set_option(fd, IPPROTO_TCP, TCP_NODELAY, 1);
	set_option(fd, SOL_SOCKET, SO_KEEPALIVE, 1);
	set_option(fd, IPPROTO_TCP, TCP_KEEPIDLE, KEEPALIVE_IDLE_S);
	set_option(fd, IPPROTO_TCP, TCP_KEEPINTVL, KEEPALIVE_PROBE_S);
	set_option(fd, IPPROTO_TCP, TCP_KEEPCNT, KEEPALIVE_PROBES);
}

/* Tries one address; false: it cannot be reached, and `problem` says why. */
static bool conn_try(struct redis_conn *conn, const struct resolve_address *address)
{
	union {
		const struct sockaddr_storage *given;
		const struct sockaddr *wanted;
	} addr = { .given = &address->addr };
	const int family = address->addr.ss_family;
	int fd = socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (fd < 0) {
		conn->problem = err_errno_text();
		return false;
	}
	if (family != AF_UNIX)
		set_options(fd);
	if (connect(fd, addr.wanted, address->len) != 0 && errno != EINPROGRESS) {
		conn->problem = err_errno_text();
		(void)close(fd); /* nothing was sent */
		return false;
	}
	/* Ready for writing says that it is connected, also when it already is. */
	sock_init(&conn->sock, conn->loop, fd, NULL, on_io);
	sock_want(&conn->sock, LOOP_WRITE);
	conn->is_connecting = true;
	loop_timer_start(conn->loop, &conn->timer,
			 conn->timeout_ms / (int64_t)conn->addresses.n);
	return true;
}

static void conn_try_next(struct redis_conn *conn)
{
	while (conn->next < conn->addresses.n)
		if (conn_try(conn, &conn->addresses.items[conn->next++]))
			return;
	/* From a later turn, as everything is told. */
	loop_timer_start(conn->loop, &conn->timer, 0);
}

/* That address was none. */
static void conn_try_again(struct redis_conn *conn)
{
	sock_fini(&conn->sock);
	conn->is_connecting = false;
	conn_try_next(conn);
}

static void set_path(struct redis_conn *conn, const char *path)
{
	struct resolve_address *address = &conn->addresses.items[0];
	struct sockaddr_un un = { .sun_family = AF_UNIX };

	assert(strlen(path) < sizeof(un.sun_path));
	memcpy(un.sun_path, path, strlen(path) + 1);
	memcpy(&address->addr, &un, sizeof(un));
	address->len = sizeof(un);
	conn->addresses.n = 1;
}

void redis_conn_open(struct redis_conn *conn, const struct redis_address *address,
		     int64_t timeout_ms)
{
	const char *host = address->host;

	assert(!conn->is_open && !conn->is_connecting);
	assert(conn->resolve.job == NULL);
	conn->address = *address;
	conn->addresses.n = 0;
	conn->next = 0;
	conn->bytes_in = 0;
	conn->bytes_out = 0;
	conn->timeout_ms = timeout_ms;
	conn->problem = "the name has no address";
	loop_timer_start(conn->loop, &conn->timer, timeout_ms);
	if (redis_address_is_path(address))
		set_path(conn, host);
	else if (resolve_at_once(host, address->port, &conn->addresses) != OK &&
		 resolve_start(&conn->resolve, conn->loop, host, address->port) != OK)
		conn->problem = "no thread or descriptor left to resolve the name";
	if (conn->resolve.job == NULL)
		conn_try_next(conn);
}

static void on_resolved(struct resolve *resolve, enum err rc,
			const struct resolve_addresses *addresses)
{
	struct redis_conn *conn = CONTAINER_OF(resolve, struct redis_conn, resolve);

	if (rc == OK)
		conn->addresses = *addresses;
	else if (rc != ERR_NOT_FOUND)
		conn->problem = "the name cannot be resolved now";
	conn_try_next(conn);
}

static void on_timeout(struct timer *timer)
{
	struct redis_conn *conn = CONTAINER_OF(timer, struct redis_conn, timer);

	if (conn->is_connecting || conn->resolve.job != NULL)
		conn->problem = "no connection in time";
	if (conn->is_connecting && conn->next < conn->addresses.n) {
		conn_try_again(conn);
		return;
	}
	conn_end(conn, conn->problem);
}

static void on_connect_ready(struct redis_conn *conn)
{
	int error = 0;
	socklen_t len = sizeof(error);

	if (getsockopt(sock_fd(&conn->sock), SOL_SOCKET, SO_ERROR, &error, &len) != 0)
		error = errno;
	if (error != 0) {
		errno = error;
		conn->problem = err_errno_text();
		conn_try_again(conn);
		return;
	}
	conn->is_connecting = false;
	loop_timer_stop(conn->loop, &conn->timer);
	conn->is_open = true;
	conn->reader = redis_reader_new();
	if (conn->in == NULL)
		conn->in = mem_alloc(REDIS_FEED_MAX);
	sock_want(&conn->sock, LOOP_READ);
	conn->events->on_open(conn);
}

/* ---- replies */

/* False: it is not open any more, or another. */
static bool conn_give(struct redis_conn *conn)
{
	struct redis_reader *reader = conn->reader;
	const struct redis_reply *reply;
	const unsigned life = conn->life;
	enum err rc = OK;

	/* A reply lives until its callback returns, even when that closes us. */
	conn->giving = reader;
	while (conn->life == life && (rc = redis_reader_next(reader, &reply)) == OK)
		conn->events->on_reply(conn, reply);
	conn->giving = NULL;
	if (conn->life != life) {
		redis_reader_free(reader);
		return false;
	}
	if (rc == ERR_AGAIN)
		return true;
	conn_end(conn, rc == ERR_LIMIT ? "a reply is too large"
				       : "what came is not Redis' protocol");
	return false;
}

static void conn_read(struct redis_conn *conn)
{
	for (unsigned i = 0; i < READS_MAX; i++) {
		const ssize_t n = sock_recv(&conn->sock, conn->in, REDIS_FEED_MAX);

		if (n == ERR_AGAIN)
			return;
		if (n <= 0) {
			conn_end(conn, n == 0 ? "it closed the connection"
					      : "the connection was reset");
			return;
		}
		conn->bytes_in += (size_t)n;
		if (redis_reader_feed(conn->reader, slice_make(conn->in, (size_t)n)) !=
		    OK) {
			conn_end(conn, "a reply is too large");
			return;
		}
		if (!conn_give(conn) || (size_t)n < REDIS_FEED_MAX)
			return;
	}
}

/* ---- sending */

/* The number of bytes taken; when that is not all, the rest is waited for. */
static size_t conn_write(struct redis_conn *conn, struct slice bytes)
{
	size_t sum = 0;

	while (sum < bytes.len) {
		const ssize_t n =
			sock_send(&conn->sock, bytes.ptr + sum, bytes.len - sum);

		if (n == ERR_AGAIN)
			sock_want(&conn->sock, LOOP_READ | LOOP_WRITE);
		if (n < 0)
			break; /* lost: that is read, too */
		sum += (size_t)n;
	}
	conn->bytes_out += sum;
	return sum;
}

void redis_conn_say(struct redis_conn *conn, struct slice bytes)
{
	size_t n = 0;

	assert(conn->is_open);
	if (conn->said.len == 0)
		n = conn_write(conn, bytes);
	buf_append_slice(&conn->said, slice_from(bytes, n));
}

size_t redis_conn_send(struct redis_conn *conn, struct slice bytes)
{
	assert(conn->is_open);
	assert(conn->events->on_writable != NULL);
	return conn->said.len > 0 ? 0 : conn_write(conn, bytes);
}

static void conn_go_on(struct redis_conn *conn)
{
	sock_want(&conn->sock, LOOP_READ);
	if (conn->said.len > 0)
		buf_consume(&conn->said, conn_write(conn, buf_slice(&conn->said)));
	if (conn->said.len > 0)
		return;
	secret_fini(&conn->said);
	if (conn->events->on_writable != NULL)
		conn->events->on_writable(conn);
}

static void on_io(struct loop_io *io, unsigned ready)
{
	struct redis_conn *conn = CONTAINER_OF(io, struct redis_conn, sock.io);
	const unsigned life = conn->life;

	if (conn->is_connecting) {
		on_connect_ready(conn);
		return;
	}
	if (ready & LOOP_WRITE)
		conn_go_on(conn);
	if ((ready & LOOP_READ) && conn->life == life)
		conn_read(conn);
}
