/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A table of descriptors, high above those of the system, which go on to it.
 */
#include "tests/sim/sock.h"

#include <arpa/inet.h>
#include <assert.h>
#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include "proto/base/loop.h"
#include "tests/sim/net.h"
#include "tests/sim/node.h"

#define FD_FIRST 1000000
#define FDS_MAX 131072	     /* clients that poll take one for each request */
#define SOMEBODY 0x0a000000u /* 10.0.0.0: the host's number is added */

struct entry {
	bool is_used;
	unsigned port; /* bound to */
	unsigned host;
	struct net_listener *listener; /* NULL: it does not listen */
	struct net_end *end;	       /* NULL: it is not connected */
};

static struct entry entries[FDS_MAX];
static int next_free;

/* What the linker makes of a call of the product's, and of one that goes on. */
#define WRAP(name) __wrap_##name
#define REAL(name) __real_##name

int WRAP(socket)(int domain, int type, int protocol);
int WRAP(setsockopt)(int fd, int level, int name, const void *value, socklen_t len);
int WRAP(bind)(int fd, const struct sockaddr *address, socklen_t len);
int WRAP(listen)(int fd, int backlog);
int WRAP(getsockname)(int fd, struct sockaddr *address, socklen_t *len);
int WRAP(accept4)(int fd, struct sockaddr *address, socklen_t *len, int flags);
int WRAP(close)(int fd);
int REAL(close)(int fd);
int WRAP(shutdown)(int fd, int how);
ssize_t WRAP(recv)(int fd, void *ptr, size_t len, int flags);
ssize_t WRAP(send)(int fd, const void *ptr, size_t len, int flags);
ssize_t WRAP(sendmsg)(int fd, const struct msghdr *message, int flags);
int WRAP(getrlimit64)(int what, struct rlimit *limit);

static struct entry *entry_of(int fd)
{
	if (fd < FD_FIRST || fd >= FD_FIRST + FDS_MAX)
		return NULL;
	assert(entries[fd - FD_FIRST].is_used);
	return &entries[fd - FD_FIRST];
}

/* Numbers are not used again: who keeps one that is closed is found out. */
static int entry_new(unsigned host)
{
	assert(next_free < FDS_MAX);
	entries[next_free] = (struct entry){ .is_used = true, .host = host };
	return FD_FIRST + next_free++;
}

static void on_wake(void *owner)
{
	const struct entry *entry = owner;

	sim_host_wake(entry->host);
}

unsigned sim_sock_ready(int fd)
{
	const struct entry *entry = entry_of(fd);
	unsigned ready = 0;

	if (entry->listener != NULL)
		return net_has_arrival(entry->listener) ? LOOP_READ : 0;
	if (entry->end == NULL)
		return 0;
	ready |= net_may_recv(entry->end) ? LOOP_READ : 0;
	ready |= net_may_send(entry->end) ? LOOP_WRITE : 0;
	return ready;
}

static int fail(int error)
{
	errno = error;
	return -1;
}

int WRAP(socket)(int domain, int type, int protocol)
{
	(void)domain;
	(void)type;
	(void)protocol;
	return entry_new(sim_node_host(sim_node_current()));
}

int WRAP(setsockopt)(int fd, int level, int name, const void *value, socklen_t len)
{
	(void)fd;
	(void)level;
	(void)name;
	(void)value;
	(void)len;
	return 0;
}

static void address_put(struct sockaddr *address, socklen_t *len, unsigned host,
			unsigned port)
{
	const struct sockaddr_in in = {
		.sin_family = AF_INET,
		.sin_port = htons((uint16_t)port),
		.sin_addr.s_addr = htonl(SOMEBODY + host),
	};

	assert(*len >= sizeof(in));
	memcpy(address, &in, sizeof(in));
	*len = sizeof(in);
}

int WRAP(bind)(int fd, const struct sockaddr *address, socklen_t len)
{
	struct sockaddr_in in;

	assert(len >= sizeof(in) && address->sa_family == AF_INET);
	memcpy(&in, address, sizeof(in));
	entry_of(fd)->port = ntohs(in.sin_port);
	return 0;
}

int WRAP(listen)(int fd, int backlog)
{
	struct entry *entry = entry_of(fd);

	(void)backlog;
	entry->listener = net_listen(entry->host, entry->port, on_wake, entry);
	return entry->listener != NULL ? 0 : fail(EADDRINUSE);
}

int WRAP(getsockname)(int fd, struct sockaddr *address, socklen_t *len)
{
	const struct entry *entry = entry_of(fd);

	address_put(address, len, entry->host, entry->port);
	return 0;
}

int WRAP(accept4)(int fd, struct sockaddr *address, socklen_t *len, int flags)
{
	struct entry *entry = entry_of(fd);
	struct net_end *end = net_accept(entry->listener);
	int accepted;

	(void)flags;
	if (end == NULL)
		return fail(EAGAIN);
	accepted = entry_new(entry->host);
	entry = entry_of(accepted);
	entry->end = end;
	net_set_owner(end, on_wake, entry);
	address_put(address, len, net_peer_host(end), 40000);
	return accepted;
}

int WRAP(close)(int fd)
{
	struct entry *entry = entry_of(fd);

	if (entry == NULL)
		return REAL(close)(fd);
	if (entry->listener != NULL)
		net_unlisten(entry->listener);
	if (entry->end != NULL)
		net_close(entry->end);
	*entry = (struct entry){ .is_used = false };
	return 0;
}

int WRAP(shutdown)(int fd, int how)
{
	struct entry *entry = entry_of(fd);

	assert(how == SHUT_WR);
	if (net_is_lost(entry->end))
		return fail(ENOTCONN);
	net_shut(entry->end);
	return 0;
}

static ssize_t result(ssize_t n)
{
	return n >= 0 ? n : fail((int)-n);
}

ssize_t WRAP(recv)(int fd, void *ptr, size_t len, int flags)
{
	(void)flags;
	return result(net_recv(entry_of(fd)->end, ptr, len));
}

ssize_t WRAP(send)(int fd, const void *ptr, size_t len, int flags)
{
	(void)flags;
	return result(net_send(entry_of(fd)->end, ptr, len));
}

ssize_t WRAP(sendmsg)(int fd, const struct msghdr *message, int flags)
{
	struct net_end *end = entry_of(fd)->end;
	ssize_t sent = 0;

	(void)flags;
	for (size_t i = 0; i < message->msg_iovlen; i++) {
		const struct iovec *part = &message->msg_iov[i];
		ssize_t n;

		if (part->iov_len == 0)
			continue;
		n = net_send(end, part->iov_base, part->iov_len);
		if (n < 0)
			return sent > 0 ? sent : result(n);
		sent += n;
		if ((size_t)n < part->iov_len)
			break;
	}
	return sent;
}

int WRAP(getrlimit64)(int what, struct rlimit *limit)
{
	(void)what;
	limit->rlim_cur = RLIM_INFINITY;
	limit->rlim_max = RLIM_INFINITY;
	return 0;
}
