/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/proto/base/manager_kit.h"

#include <criterion/criterion.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define DEADLINE_MS 30000

void manager_listen(struct manager *manager, bool is_abstract)
{
	struct sockaddr_un to = { .sun_family = AF_UNIX };
	socklen_t len;

	manager->fd = socket(AF_UNIX, SOCK_DGRAM, 0);
	cr_assert_geq(manager->fd, 0);
	(void)snprintf(manager->path, sizeof(manager->path), "%s/heliograph-manager-%d",
		       is_abstract ? "@" : "/tmp", (int)getpid());
	len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(manager->path));
	memcpy(to.sun_path, manager->path, strlen(manager->path));
	if (is_abstract)
		to.sun_path[0] = '\0';
	cr_assert_eq(bind(manager->fd, (const struct sockaddr *)&to, len), 0);
	setenv("NOTIFY_SOCKET", manager->path, 1);
	unsetenv("WATCHDOG_USEC");
	unsetenv("WATCHDOG_PID");
}

void manager_close(struct manager *manager)
{
	close(manager->fd);
	if (manager->path[0] == '/')
		unlink(manager->path);
}

bool manager_hears_within(const struct manager *manager, int timeout_ms)
{
	struct pollfd pollfd = { .fd = manager->fd, .events = POLLIN };

	return poll(&pollfd, 1, timeout_ms) == 1;
}

void manager_hear(const struct manager *manager, char notice[NOTIFY_TEXT_BYTES])
{
	ssize_t n;

	cr_assert(manager_hears_within(manager, DEADLINE_MS), "nothing was said");
	n = recv(manager->fd, notice, NOTIFY_TEXT_BYTES - 1, 0);
	cr_assert_gt(n, 0);
	notice[n] = '\0';
}

void manager_drop(const struct manager *manager)
{
	char notice[NOTIFY_TEXT_BYTES];

	while (manager_hears_within(manager, 0))
		manager_hear(manager, notice);
}
