/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What local processes cost, read from /proc: those of the server, in groups with labels,
 * and the tool's own. CPU time is the scheduler's, in nanoseconds, threads that have
 * ended included; resident memory counts pages that processes share once for each.
 */
#ifndef BENCH_SERVER_H
#define BENCH_SERVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "proto/base/err.h"
#include "proto/base/slice.h"

#define SERVER_GROUPS_MAX 16
#define SERVER_PIDS_MAX 1024
#define SERVER_LABEL_MAX 32
#define SERVER_ERROR_MAX 256

struct server_group {
	char label[SERVER_LABEL_MAX];
	pid_t *pids; /* owned */
	size_t n;
};

struct server {
	struct server_group groups[SERVER_GROUPS_MAX];
	size_t n;
};

struct server_usage {
	uint32_t processes_n; /* that are still there */
	int64_t cpu_us;
	int64_t rss_bytes;
	uint64_t switches; /* context switches of both kinds, of threads that live */
};

/*
 * "12,13" or "gateway:12,13;router:15", each with all that descends from them; "none":
 * nobody. Empty: who listens at `port`, if that is not 0; nobody is no error then.
 * ERR_MALFORMED, ERR_NOT_FOUND and ERR_LIMIT with the reason in `error`. `root` is ""
 * but in tests.
 */
MUST_CHECK enum err server_find(struct server *server, const char *pids, uint16_t port,
				const char *root, char error[SERVER_ERROR_MAX]);
void server_fini(struct server *server);

/* Of one group, or of any processes; `out` is overwritten. With a `root` CPU time has the
 * resolution of /proc/PID/stat, 10 ms. */
void server_usage(const struct server_group *group, const char *root,
		  struct server_usage *out);
void server_usage_of(const pid_t *pids, size_t n, const char *root,
		     struct server_usage *out);

/* ---- of the files' formats, for tests */

struct server_stat {
	pid_t parent;
	int64_t ticks; /* user and system */
};

/* /proc/PID/stat, whose second field is a name that may hold anything. */
MUST_CHECK enum err server_stat_read(const char *text, struct server_stat *out);

/* A line of /proc/net/tcp or tcp6: the inode of a socket that listens at `port`; 0: it is
 * none. */
uint64_t server_listener_inode(const char *line, uint16_t port);

#endif
