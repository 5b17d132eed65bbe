/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The kernel shares a port among all sockets that say SO_REUSEPORT and are of one user:
 * another gateway with workers would take a part of our clients, and we of its. So
 * whoever begins asks without it first, as who has no workers does. Two that begin in the
 * same moment do not notice each other.
 */
#include "gateway/worker_port.h"

#include <netdb.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "gateway/conf.h"
#include "proto/base/log.h"
#include "proto/base/mem.h"

static void __attribute__((noreturn)) fail(const char *listen)
{
	fatal("listen = %s: %s", listen, err_errno_text());
}

static struct addrinfo *resolve(const char *listen)
{
	/* "localhost" is what http_server.c takes it for. */
	const struct addrinfo hints = { .ai_family =
						listen[0] == '[' ? AF_INET6 : AF_INET,
					.ai_socktype = SOCK_STREAM,
					.ai_flags = AI_PASSIVE | AI_NUMERICSERV };
	struct addrinfo *info;
	struct slice host;
	uint16_t port;
	char *name;

	/* Checked before, by gateway_conf_problem(). */
	if (gateway_conf_address(listen, &host, &port))
		fatal("listen = %s: expected address:port", listen);
	if (host.ptr[0] == '[' && host.len > 2)
		host = slice_make(host.ptr + 1, host.len - 2);
	name = mem_dup(host.ptr, host.len);
	if (getaddrinfo(name, strrchr(listen, ':') + 1, &hints, &info) != 0)
		fatal("listen = %s: expected an IP address and a port", listen);
	mem_free(name);
	return info;
}

/* `option`: of SOL_SOCKET, besides SO_REUSEADDR, which does not mind what connections
 * have left behind. */
static int bind_with(const char *listen, const struct addrinfo *info, int option)
{
	const int on = 1;
	const int fd = socket(info->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) != 0 ||
	    setsockopt(fd, SOL_SOCKET, option, &on, sizeof(on)) != 0 ||
	    bind(fd, info->ai_addr, info->ai_addrlen) != 0)
		fail(listen);
	return fd;
}

int worker_port_reserve(const char *listen)
{
	struct addrinfo *info = resolve(listen);
	int fd;

	/* Whoever listens is in the way of this one. */
	(void)close(bind_with(listen, info, SO_REUSEADDR)); /* it was never used */
	fd = bind_with(listen, info, SO_REUSEPORT);
	freeaddrinfo(info);
	return fd;
}

uint16_t worker_port_number(int fd)
{
	struct sockaddr_storage address;
	socklen_t len = sizeof(address);
	char text[8];

	if (getsockname(fd, (struct sockaddr *)&address, &len) != 0 ||
	    getnameinfo((struct sockaddr *)&address, len, NULL, 0, text, sizeof(text),
			NI_NUMERICSERV) != 0)
		fatal("workers: getsockname: %s", err_errno_text());
	return (uint16_t)strtoul(text, NULL, 10);
}
