/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a service manager wants to hear, by the protocol of sd_notify(3): datagrams of
 * "NAME=value" lines to the socket that $NOTIFY_SOCKET names. Without it nothing is said.
 * Never blocks: what tells of a state is kept until it can be sent, also while the
 * manager is not there (it may start over); what comes again anyway is not.
 *
 * A worker tells its supervisor instead, over a socket that it inherits; the supervisor
 * tells the manager for all of them.
 */
#ifndef PROTO_BASE_NOTIFY_H
#define PROTO_BASE_NOTIFY_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "proto/base/err.h"

/* How often the status is looked at, while it is not the drain's. */
#define NOTIFY_STATUS_MS 5000

/* While it is, or while something waits to be sent. */
#define NOTIFY_SOON_MS 500

/* In the watchdog's time. */
#define NOTIFY_BEATS 4

#define NOTIFY_TEXT_BYTES 256

struct notify {
	int fd;		       /* owned; -1: nobody listens */
	struct sockaddr_un to; /* of the manager */
	socklen_t to_len;      /* 0: a supervisor listens, at the other end of fd */
	bool is_failing;       /* the last one did not go out, and that is logged */
	int64_t watchdog_ms;   /* who is silent for longer is killed; 0: nobody is */
	char unsent[NOTIFY_TEXT_BYTES]; /* a state that did not fit; "": none */
	char status[NOTIFY_TEXT_BYTES]; /* as it was told last */
};

/* What a program says of itself. */
struct proc_status {
	const char *not_ready; /* why, as a line of /readyz; NULL: it is */
	int64_t connections;   /* -1: it has none to tell of */
};

/* Reads $NOTIFY_SOCKET, $WATCHDOG_USEC and $WATCHDOG_PID. */
void notify_init(struct notify *notify);
void notify_fini(struct notify *notify);

static inline bool notify_is_heard(const struct notify *notify)
{
	return notify->fd >= 0;
}

/* In a worker: to `fd`, which it takes over, from now on. */
void notify_to_supervisor(struct notify *notify, int fd);

void notify_ready(struct notify *notify);

/* Until notify_ready(). */
void notify_reloading(struct notify *notify);

/* The end will come within `drain_ms`, which the manager then waits for. */
void notify_stopping(struct notify *notify, int64_t drain_ms);

/*
 * For a timer of whoever lives: the watchdog's due, what was kept, and the status if it
 * is another one. Returns the milliseconds to the next.
 */
int64_t notify_beat(struct notify *notify, const struct proc_status *status,
		    bool is_draining);

#endif
