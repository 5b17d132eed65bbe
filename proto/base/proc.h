/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The skeleton all programs share: options, configuration, log, limits, signals, start,
 * ready, loop, drain, exit. SIGTERM and SIGINT drain (a second one ends at once), SIGHUP
 * reloads, SIGPIPE is ignored. "Ready" is one line on stdout,
 *
 *	ready program=heliograph-gateway name=g1 pid=4711 http=127.0.0.1:8080
 *
 * plus READY=1 to $NOTIFY_SOCKET when systemd set it.
 */
#ifndef PROTO_BASE_PROC_H
#define PROTO_BASE_PROC_H

#include <stdbool.h>
#include <stdint.h>

#include "proto/base/conf.h"
#include "proto/base/err.h"
#include "proto/base/loop.h"

struct proc;

/* What every program's configuration struct starts with (PROC_CONF_OPTIONS rows). */
struct proc_conf {
	char *name;	    /* this process's name in the cluster */
	int64_t log_level;  /* enum log_level */
	int64_t log_format; /* enum log_format */
	int64_t drain_ms;   /* SIGTERM to exit at the latest */
};

/*
 * Rows for a conf table whose struct has `struct proc_conf proc` as its first member.
 * Laid out by hand: clang-format would give each field of a row a line.
 */
/* clang-format off */
#define PROC_CONF_OPTIONS(initial_name)                                                     \
	{ "name", CONF_STRING, offsetof(struct proc_conf, name), initial_name, 1, 64, NULL, \
	  "This process's name in the cluster; unique, and the same after a restart.",      \
	  false },                                                                          \
	{ "log_level", CONF_ENUM, offsetof(struct proc_conf, log_level), "info", 0, 0,      \
	  proc_log_levels, "Lines below this level are not written.", true },               \
	{ "log_format", CONF_ENUM, offsetof(struct proc_conf, log_format), "logfmt", 0, 0,  \
	  proc_log_formats, "How a log line is written.", false },                          \
	{ "drain_timeout", CONF_MS, offsetof(struct proc_conf, drain_ms), "10s", 0, 600000, \
	  NULL, "From SIGTERM to exit at the latest.", true }
/* clang-format on */

extern const char *const proc_log_levels[];
extern const char *const proc_log_formats[];

struct proc_ops {
	const struct conf_table *conf;
	size_t conf_bytes; /* size of the program's conf struct */

	/* Before the loop exists: may fork workers. Whoever returns from it goes on to
	 * start and gets an incarnation of its own. May be NULL. */
	void (*before_loop)(struct proc *proc);

	/* Opens listeners and links; fatal() on a start-up error. Returns the program's
	 * state. */
	void *(*start)(struct proc *proc);

	/* SIGHUP, after the reloadable options changed. May be NULL. */
	void (*reload)(struct proc *proc, void *state);

	/* Stop taking new work; call proc_drained() when nothing is left. */
	void (*drain)(struct proc *proc, void *state);

	/* Frees everything; the loop still exists. */
	void (*stop)(struct proc *proc, void *state);
};

/* The whole of a main(): returns the exit status. */
int proc_main(const struct proc_ops *ops, int argc, char **argv);

struct loop *proc_loop(const struct proc *proc);
const void *proc_conf(const struct proc *proc);

/* The same to write to, from before_loop only: what a worker is told beyond options. */
void *proc_conf_edit(struct proc *proc);

bool proc_is_draining(const struct proc *proc);

/* The configured name, until a forked worker takes one of its own (copied). The log and
 * the ready line show it. Letters, digits and "._-" only. */
const char *proc_name(const struct proc *proc);
void proc_set_name(struct proc *proc, const char *name);

/* Random, chosen after before_loop: tells this life of the process from the one before
 * and from its sister workers'. Never 0. */
uint64_t proc_incarnation(const struct proc *proc);

/* Call once all listeners are open. `details`: more key=value pairs of the ready line. */
void proc_ready(struct proc *proc, const char *details, ...) PRINTF_LIKE(2, 3);

/* The drain is complete: the loop stops and the process exits with 0. */
void proc_drained(struct proc *proc);

#endif
