/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The reservation of a port that others may have, as the kernel of this machine sees it.
 */
#include "gateway/worker_port.h"

#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

/* As a worker's: it shares its port with those of its user. */
static int listener(int port)
{
	const struct sockaddr_in address = { .sin_family = AF_INET,
					     .sin_port = htons((uint16_t)port),
					     .sin_addr = { htonl(INADDR_LOOPBACK) } };
	const int on = 1;
	const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	cr_assert_geq(fd, 0);
	cr_assert_eq(setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)), 0);
	cr_assert_eq(setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof(on)), 0);
	cr_assert_eq(bind(fd, (const struct sockaddr *)&address, sizeof(address)), 0);
	cr_assert_eq(listen(fd, 8), 0);
	return fd;
}

static int reserve(const char *host, int port)
{
	char text[64];

	(void)snprintf(text, sizeof(text), "%s:%d", host, port);
	return worker_port_reserve(text);
}

Test(worker_port, the_kernel_chooses_one_that_workers_may_listen_on)
{
	const int fd = worker_port_reserve("127.0.0.1:0");
	const int port = worker_port_number(fd);

	cr_expect_gt(port, 0);
	close(listener(port));
	close(fd);
}

Test(worker_port, one_that_is_named_may_be_listened_on_by_several_workers)
{
	const int chosen = worker_port_reserve("127.0.0.1:0");
	const int port = worker_port_number(chosen);
	int fds[2];

	close(chosen);
	const int fd = reserve("localhost", port);

	cr_expect_eq(worker_port_number(fd), port);
	for (int i = 0; i < 2; i++)
		fds[i] = listener(port);
	close(fds[0]);
	close(fds[1]);
	close(fd);
}

Test(worker_port, one_that_a_worker_of_another_gateway_listens_on_is_refused,
     .exit_code = 1)
{
	const int fd = listener(0);

	(void)reserve("127.0.0.1", worker_port_number(fd));
}

Test(worker_port, one_that_is_listened_on_is_refused_for_all_addresses, .exit_code = 1)
{
	const int fd = listener(0);

	(void)reserve("0.0.0.0", worker_port_number(fd));
}

/* A gateway that was killed leaves connections: some go on for a while in workers that
 * drain, and of those that have ended the kernel remembers the port for a minute. */
Test(worker_port, connections_of_one_that_ended_are_not_in_the_way)
{
	const int old = listener(0);
	const int port = worker_port_number(old);
	struct sockaddr_in address = { .sin_family = AF_INET,
				       .sin_port = htons((uint16_t)port),
				       .sin_addr = { htonl(INADDR_LOOPBACK) } };
	int clients[2];
	int served[2];
	char byte;

	for (int i = 0; i < 2; i++) {
		clients[i] = socket(AF_INET, SOCK_STREAM, 0);
		cr_assert_eq(
			connect(clients[i], (struct sockaddr *)&address, sizeof(address)),
			0);
		served[i] = accept(old, NULL, NULL);
		cr_assert_geq(served[i], 0);
	}
	close(old);
	close(served[0]); /* the first to close is who remembers */
	cr_assert_eq(read(clients[0], &byte, 1), 0);
	close(clients[0]);
	close(reserve("127.0.0.1", port));
	close(served[1]);
	close(clients[1]);
}

static bool has_ipv6(void)
{
	const struct sockaddr_in6 address = { .sin6_family = AF_INET6,
					      .sin6_addr = IN6ADDR_LOOPBACK_INIT };
	const int fd = socket(AF_INET6, SOCK_STREAM, 0);
	const bool is_bound = fd >= 0 && bind(fd, (const struct sockaddr *)&address,
					      sizeof(address)) == 0;

	close(fd);
	return is_bound;
}

Test(worker_port, an_address_of_ipv6_has_ports_of_its_own)
{
	const int other = listener(0);

	if (!has_ipv6())
		cr_skip_test("there is no IPv6");
	const int fd = reserve("[::1]", worker_port_number(other));

	cr_expect_eq(worker_port_number(fd), worker_port_number(other));
	close(fd);
	close(other);
}

Test(worker_port, what_is_no_address_is_refused, .exit_code = 1)
{
	(void)worker_port_reserve("nowhere.invalid:80");
}
