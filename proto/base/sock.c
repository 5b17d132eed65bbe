/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Thin over the kernel's socket. The descriptor of an io that was moved away or closed
 * belongs to nobody here; its owner does not touch it any more.
 *
 * Under TLS the io's function is ours: it translates what the descriptor is ready for
 * into what the owner wanted. What lies decrypted inside has no event of its own, so a
 * flush stands in for it, which is touched again until the owner has read it or wants no
 * more: level-triggered, as descriptors are.
 */
#include "proto/base/sock.h"

#include <assert.h>
#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

#include "proto/base/mem.h"
#include "proto/base/tls_conn.h"

struct sock_tls {
	struct sock *sock;     /* whose this is now */
	struct tls_conn *conn; /* owned */
	struct loop_flush more;
	loop_io_fn *fn; /* the owner's */
	unsigned want;	/* the owner's */
	bool is_shutting;
};

/* ---- under TLS */

static void tls_watch(struct sock_tls *tls)
{
	unsigned want = tls_conn_want(tls->conn, tls->want);

	loop_io_want(&tls->sock->io, want | (tls->is_shutting ? LOOP_WRITE : 0));
	if ((tls->want & LOOP_READ) && tls_conn_has_more(tls->conn))
		loop_touch(tls->sock->io.loop, &tls->more);
	else
		loop_untouch(&tls->more);
}

static void on_more(struct loop_flush *flush)
{
	struct sock_tls *tls = CONTAINER_OF(flush, struct sock_tls, more);

	/* Until a read takes this back. The owner may end us in his function. */
	loop_touch(tls->sock->io.loop, flush);
	tls->fn(&tls->sock->io, LOOP_READ);
}

static enum err tls_shut(struct sock_tls *tls)
{
	enum err rc = tls_conn_shut(tls->conn);

	tls->is_shutting = rc == ERR_AGAIN;
	tls_watch(tls);
	if (rc == OK && shutdown(sock_fd(tls->sock), SHUT_WR) != 0)
		rc = ERR_IO;
	return rc == ERR_IO ? ERR_IO : OK;
}

static void on_tls_io(struct loop_io *io, unsigned ready)
{
	struct sock *sock = CONTAINER_OF(io, struct sock, io);
	struct sock_tls *tls = sock->tls;
	unsigned told = tls_conn_ready(tls->conn, tls->want, ready);

	/* A connection lost over our goodbye shows on reading. */
	if (tls->is_shutting && (ready & LOOP_WRITE) && tls_shut(tls) != OK)
		told |= tls->want & LOOP_READ;
	if (told != 0)
		tls->fn(io, told);
}

static struct sock_tls *tls_new_for(struct sock *sock, struct tls *context, int fd)
{
	struct sock_tls *tls = MEM_NEW(struct sock_tls);

	tls->sock = sock;
	tls->conn = tls_conn_new(context, fd);
	loop_flush_init(&tls->more, on_more);
	return tls;
}

static void tls_free(struct sock_tls *tls)
{
	loop_untouch(&tls->more);
	tls_conn_free(tls->conn);
	mem_free(tls);
}

/* ---- life */

static void on_nobody(struct loop_io *io, unsigned ready)
{
	(void)io;    /* nobody asked to be told, */
	(void)ready; /* so this is never called */
	assert(false);
}

/* The owner's `fn` is called by the loop itself, or by on_tls_io. */
static void sock_set(struct sock *sock, struct loop *loop, int fd, loop_io_fn *fn)
{
	if (fn == NULL)
		fn = on_nobody;
	loop_io_init(&sock->io, loop, fd, sock->tls != NULL ? on_tls_io : fn);
	if (sock->tls != NULL)
		sock->tls->fn = fn;
}

void sock_init(struct sock *sock, struct loop *loop, int fd, struct tls *tls,
	       loop_io_fn *fn)
{
	sock->tls = tls != NULL ? tls_new_for(sock, tls, fd) : NULL;
	sock_set(sock, loop, fd, fn);
}

void sock_move(struct sock *to, struct sock *from, loop_io_fn *fn)
{
	assert(to != from);
	sock_want(from, 0);
	to->tls = from->tls;
	if (to->tls != NULL)
		to->tls->sock = to;
	from->tls = NULL;
	sock_set(to, from->io.loop, loop_io_fd(&from->io), fn);
}

void sock_fini(struct sock *sock)
{
	loop_io_fini(&sock->io);
	if (sock->tls != NULL)
		tls_free(sock->tls);
	sock->tls = NULL;
	(void)close(sock_fd(sock)); /* nothing of ours is left in it */
}

int sock_fd(const struct sock *sock)
{
	return loop_io_fd(&sock->io);
}

bool sock_is_tls(const struct sock *sock)
{
	return sock->tls != NULL;
}

bool sock_is_open(const struct sock *sock)
{
	return sock->tls == NULL || tls_conn_is_open(sock->tls->conn);
}

bool sock_tls_peer(const struct sock *sock, char *name, size_t size)
{
	return sock->tls != NULL && tls_conn_peer(sock->tls->conn, name, size);
}

const char *sock_tls_problem(const struct sock *sock)
{
	return sock->tls != NULL ? tls_conn_problem(sock->tls->conn) : NULL;
}

void sock_want(struct sock *sock, unsigned want)
{
	if (sock->tls == NULL) {
		assert(want == 0 || sock->io.fn != on_nobody);
		loop_io_want(&sock->io, want);
		return;
	}
	assert(want == 0 || sock->tls->fn != on_nobody);
	sock->tls->want = want;
	tls_watch(sock->tls);
}

/* ---- bytes */

static ssize_t error_of(int error)
{
	return error == EAGAIN ? ERR_AGAIN : ERR_IO;
}

ssize_t sock_recv(struct sock *sock, void *ptr, size_t len)
{
	ssize_t n;

	assert(len > 0);
	if (sock->tls != NULL) {
		n = tls_conn_recv(sock->tls->conn, ptr, len);
		tls_watch(sock->tls);
		return n;
	}
	do {
		n = recv(sock_fd(sock), ptr, len, 0);
	} while (n < 0 && errno == EINTR);
	return n < 0 ? error_of(errno) : n;
}

ssize_t sock_sendv(struct sock *sock, struct iovec *iov, int n)
{
	struct msghdr message = { .msg_iov = iov, .msg_iovlen = (size_t)n };
	ssize_t sent;

	assert(n > 0);
	if (sock->tls != NULL) {
		sent = tls_conn_sendv(sock->tls->conn, iov, n);
		tls_watch(sock->tls);
		return sent;
	}
	do {
		sent = sendmsg(sock_fd(sock), &message, MSG_NOSIGNAL);
	} while (sent < 0 && errno == EINTR);
	return sent < 0 ? error_of(errno) : sent;
}

/* Costs the kernel less than a message of one. */
ssize_t sock_send(struct sock *sock, const void *ptr, size_t len)
{
	ssize_t sent;

	assert(len > 0);
	if (sock->tls != NULL) {
		union {
			const void *given;
			void *wanted;
		} bytes = { .given = ptr };
		struct iovec iov = { .iov_base = bytes.wanted, .iov_len = len };

		return sock_sendv(sock, &iov, 1);
	}
	do {
		sent = send(sock_fd(sock), ptr, len, MSG_NOSIGNAL);
	} while (sent < 0 && errno == EINTR);
	return sent < 0 ? error_of(errno) : sent;
}

enum err sock_shut_write(struct sock *sock)
{
	if (sock->tls != NULL)
		return tls_shut(sock->tls);
	return shutdown(sock_fd(sock), SHUT_WR) == 0 ? OK : ERR_IO;
}
