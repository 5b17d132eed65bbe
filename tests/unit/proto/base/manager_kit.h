/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A service manager's end of $NOTIFY_SOCKET, at a path or an abstract address of its own.
 */
#ifndef TESTS_UNIT_PROTO_BASE_MANAGER_KIT_H
#define TESTS_UNIT_PROTO_BASE_MANAGER_KIT_H

#include <stdbool.h>
#include <stdint.h>

#include "proto/base/notify.h"

struct manager {
	int fd;
	char path[64];
};

/* Sets $NOTIFY_SOCKET, and no watchdog. */
void manager_listen(struct manager *manager, bool is_abstract);
void manager_close(struct manager *manager);

/* The next datagram; waits for it. */
void manager_hear(const struct manager *manager, char notice[NOTIFY_TEXT_BYTES]);
bool manager_hears_within(const struct manager *manager, int timeout_ms);

/* All that is there. */
void manager_drop(const struct manager *manager);

#endif
