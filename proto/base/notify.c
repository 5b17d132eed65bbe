/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The protocol is a promise of systemd's (sd_notify(3): "Notes"), and a few lines; its
 * library would be more than what uses it: docs/decisions has the record.
 */
#include "proto/base/notify.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "proto/base/log.h"
#include "proto/base/slice.h"

/* Beyond the drain: to write the last log lines and free memory. */
#define STOP_SPARE_MS 5000

/* ---- the socket */

/* Nothing in our processes changes the environment. */
static const char *variable(const char *name)
{
	return getenv(name); /* NOLINT(concurrency-mt-unsafe) */
}

/* False: there is no manager, or none that is reached this way. */
static bool read_address(struct notify *notify)
{
	const char *path = variable("NOTIFY_SOCKET");
	const size_t len = path != NULL ? strlen(path) : 0;

	if (len == 0)
		return false;
	if ((path[0] != '/' && path[0] != '@') || len == 1 ||
	    len >= sizeof(notify->to.sun_path)) {
		log_warn("proc.notify_failed", "reason=address");
		return false;
	}
	notify->to.sun_family = AF_UNIX;
	memcpy(notify->to.sun_path, path, len);
	if (path[0] == '@')
		notify->to.sun_path[0] = '\0';
	notify->to_len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len);
	return true;
}

/* 0: no watchdog, or one that looks at another process. */
static int64_t read_watchdog_ms(void)
{
	const struct slice usec = slice_from_str(variable("WATCHDOG_USEC"));
	const struct slice pid = slice_from_str(variable("WATCHDOG_PID"));
	int64_t value = 0;

	if (pid.len > 0 && (slice_to_int64(pid, &value) != OK || value != getpid()))
		return 0;
	if (usec.len == 0 || slice_to_int64(usec, &value) != OK || value < 1000)
		return 0;
	return value / 1000;
}

void notify_init(struct notify *notify)
{
	*notify = (struct notify){ .fd = -1 };
	if (!read_address(notify))
		return;
	notify->fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (notify->fd < 0)
		log_warn("proc.notify_failed", "errno=%d", errno);
	else
		notify->watchdog_ms = read_watchdog_ms();
}

void notify_fini(struct notify *notify)
{
	if (notify->fd >= 0)
		(void)close(notify->fd); /* datagrams are sent or lost by now */
	notify->fd = -1;
}

void notify_to_supervisor(struct notify *notify, int fd)
{
	const int64_t watchdog_ms = notify->watchdog_ms;

	notify_fini(notify);
	*notify = (struct notify){ .fd = fd, .watchdog_ms = watchdog_ms };
}

/* ---- messages */

/* A manager that is gone shall not stop us. It is said once, until it is back. */
static void failed(struct notify *notify)
{
	if (!notify->is_failing)
		log_warn("proc.notify_failed", "errno=%d", errno);
	notify->is_failing = true;
}

/* ERR_AGAIN: the other side does not keep up. ERR_IO: it is not there. */
static enum err send_text(struct notify *notify, const char *text)
{
	const struct sockaddr *to =
		notify->to_len > 0 ? (const struct sockaddr *)&notify->to : NULL;
	char mine[NOTIFY_TEXT_BYTES + 32];

	/* A supervisor has to know which worker it is. */
	(void)snprintf(mine, sizeof(mine), "X_PID=%d\n%s", (int)getpid(), text);
	if (to == NULL)
		text = mine;
	if (sendto(notify->fd, text, strlen(text), MSG_NOSIGNAL, to, notify->to_len) >=
	    0) {
		notify->is_failing = false;
		return OK;
	}
	if (errno == EAGAIN || errno == ENOBUFS)
		return ERR_AGAIN;
	failed(notify);
	return ERR_IO;
}

static void send_kept(struct notify *notify)
{
	if (notify->unsent[0] != '\0' && send_text(notify, notify->unsent) == OK)
		notify->unsent[0] = '\0';
}

/* Only the last state matters. */
static void send_state(struct notify *notify, const char *format, ...) PRINTF_LIKE(2, 3);

static void send_state(struct notify *notify, const char *format, ...)
{
	va_list args;

	if (notify->fd < 0)
		return;
	va_start(args, format);
	/* Constants and numbers, far shorter. */
	(void)vsnprintf(notify->unsent, sizeof(notify->unsent), format, args);
	va_end(args);
	send_kept(notify);
}

void notify_ready(struct notify *notify)
{
	send_state(notify, "READY=1");
}

void notify_reloading(struct notify *notify)
{
	struct timespec now = { 0, 0 };

	(void)clock_gettime(CLOCK_MONOTONIC, &now); /* cannot fail for this clock */
	send_state(notify, "RELOADING=1\nMONOTONIC_USEC=%" PRId64,
		   (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000);
}

void notify_stopping(struct notify *notify, int64_t drain_ms)
{
	send_state(notify, "STOPPING=1\nEXTEND_TIMEOUT_USEC=%" PRId64,
		   (drain_ms + STOP_SPARE_MS) * 1000);
}

/* ---- the beat */

#define WHY_BYTES 64

/* The line without its end, cut if need be; "": it is ready. */
static void print_why(char text[WHY_BYTES], const struct proc_status *status)
{
	const size_t len =
		status->not_ready != NULL ? strcspn(status->not_ready, "\n") : 0;
	const size_t n = len < WHY_BYTES ? len : WHY_BYTES - 1;

	if (n > 0)
		memcpy(text, status->not_ready, n);
	text[n] = '\0';
}

static void print_status(char text[NOTIFY_TEXT_BYTES], const struct proc_status *status,
			 bool is_draining)
{
	char clients[WHY_BYTES] = "";
	char why[WHY_BYTES];

	print_why(why, status);
	if (status->connections >= 0)
		(void)snprintf(clients, sizeof(clients), ", %" PRId64 " connection%s%s",
			       status->connections, status->connections == 1 ? "" : "s",
			       is_draining ? " left" : "");
	if (is_draining)
		(void)snprintf(text, NOTIFY_TEXT_BYTES, "STATUS=draining%s", clients);
	else if (why[0] != '\0')
		(void)snprintf(text, NOTIFY_TEXT_BYTES, "STATUS=not ready: %s%s", why,
			       clients);
	else
		(void)snprintf(text, NOTIFY_TEXT_BYTES, "STATUS=ready%s", clients);
}

/* Of a worker: what a sum is made of. */
static void print_share(char text[NOTIFY_TEXT_BYTES], const struct proc_status *status)
{
	char why[WHY_BYTES];

	print_why(why, status);
	(void)snprintf(text, NOTIFY_TEXT_BYTES,
		       "X_CONNECTIONS=%" PRId64 "\nX_NOT_READY=%s", status->connections,
		       why);
}

int64_t notify_beat(struct notify *notify, const struct proc_status *status,
		    bool is_draining)
{
	int64_t next_ms = is_draining ? NOTIFY_SOON_MS : NOTIFY_STATUS_MS;
	char text[NOTIFY_TEXT_BYTES];
	bool is_lost = false;

	if (notify->fd < 0)
		return next_ms;
	send_kept(notify);
	if (notify->to_len > 0)
		print_status(text, status, is_draining);
	else
		print_share(text, status);
	if (strcmp(text, notify->status) != 0 && send_text(notify, text) == OK)
		memcpy(notify->status, text, sizeof(text));
	if (notify->watchdog_ms > 0 && send_text(notify, "WATCHDOG=1") != OK)
		is_lost = true;
	if ((is_lost || notify->unsent[0] != '\0') && next_ms > NOTIFY_SOON_MS)
		next_ms = NOTIFY_SOON_MS;
	/* One that is lost comes again soon, and two that are leave time for a third. */
	if (notify->watchdog_ms > 0 && next_ms > notify->watchdog_ms / NOTIFY_BEATS)
		next_ms = notify->watchdog_ms / NOTIFY_BEATS;
	return next_ms > 0 ? next_ms : 1;
}
