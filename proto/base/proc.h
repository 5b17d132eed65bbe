/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The skeleton all programs share: options, configuration, log, limits, signals, start,
 * ready, loop, drain, exit. SIGTERM and SIGINT drain (a second one ends at once), SIGHUP
 * reloads, and so does a change of its files. A service manager is told what notify.h
 * says. "Ready" is one line on stdout:
 *
 *	ready program=heliograph-gateway name=g1 pid=4711 http=127.0.0.1:8080
 */
#ifndef PROTO_BASE_PROC_H
#define PROTO_BASE_PROC_H

#include <stdbool.h>
#include <stdint.h>

#include "proto/base/conf.h"
#include "proto/base/err.h"
#include "proto/base/loop.h"
#include "proto/base/proc_conf.h"

struct metrics_table;
struct notify;
struct proc;
struct proc_status; /* notify.h */
struct reload_stats;

struct proc_ops {
	const struct conf_table *conf;
	size_t conf_bytes;		     /* size of the program's conf struct */
	const struct metrics_table *metrics; /* for --print-metrics; NULL: none */

	/* Before the loop exists: may fork workers. Whoever returns from it goes on to
	 * start and gets an incarnation of its own. May be NULL. */
	void (*before_loop)(struct proc *proc);

	/* Opens listeners and links; fatal() on a start-up error. Returns the program's
	 * state. */
	void *(*start)(struct proc *proc);

	/* SIGHUP, after the reloadable options changed. False: a file that they name will
	 * not do; it has been logged, and all is tried again. May be NULL. */
	bool (*reload)(struct proc *proc, void *state);

	/* For notify.h; `status` says ready, without connections. May be NULL. */
	void (*status)(struct proc *proc, void *state, struct proc_status *status);

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

/* The configuration only, as SIGHUP does; what is wrong is logged. */
enum err proc_reload_conf(struct proc *proc);

/* Who listens to this process. */
struct notify *proc_notify(struct proc *proc);

/* As SIGTERM does; when it is under way it just goes on. */
void proc_drain(struct proc *proc);
bool proc_is_draining(const struct proc *proc);

/* As configured, until a worker takes its own (copied): letters, digits and "._-". */
const char *proc_name(const struct proc *proc);
void proc_set_name(struct proc *proc, const char *name);

/* Random, never 0, chosen after before_loop: tells this life of the process from others
 * and from sister workers'. */
uint64_t proc_incarnation(const struct proc *proc);

/* Processor time that this process has used, user and system. */
uint64_t proc_cpu_us(void);

/* Call once all listeners are open. `details`: more key=value pairs of the ready line. */
void proc_ready(struct proc *proc, const char *details, ...) PRINTF_LIKE(2, 3);

/* Where to count what SIGHUP does; borrowed. */
void proc_count_reloads(struct proc *proc, struct reload_stats *stats);

/* The drain is complete: the loop stops and the process exits with 0. */
void proc_drained(struct proc *proc);

#endif
