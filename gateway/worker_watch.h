/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a supervisor hears of its workers, and tells the service manager for all of them:
 * the sum of their connections, when each has read its configuration again, and that they
 * live. A worker that the watchdog's time passes without a word is ended, so that the
 * supervisor starts it anew: the manager would end the others with it.
 *
 * Without a manager nobody says or watches anything. Time is a parameter.
 */
#ifndef GATEWAY_WORKER_WATCH_H
#define GATEWAY_WORKER_WATCH_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "proto/base/notify.h"

#define WORKERS_MAX 256

struct worker_word {
	pid_t pid;	  /* 0: none now */
	int64_t heard_ms; /* its last word; 0: not yet one, so none is missed */
	bool is_aborted;  /* it was silent for too long */
	bool is_reloading;
	int64_t connections;
	char not_ready[64]; /* "": it is */
};

struct worker_watch {
	struct notify *notify; /* borrowed */
	struct worker_word words[WORKERS_MAX];
	int n;
	int in;		   /* owned; -1: there is no manager */
	int out;	   /* owned; the workers' end */
	int64_t due_ms;	   /* of the next look */
	int64_t looked_ms; /* the last one */
	bool is_ready;	   /* all were, once; the manager was told */
	bool is_reloading;
	bool is_draining;
};

/* `notify` is told for all n workers. ERR_IO: no descriptors. */
MUST_CHECK enum err worker_watch_init(struct worker_watch *watch, struct notify *notify,
				      int n, int64_t now_ms);
void worker_watch_fini(struct worker_watch *watch);

/* In the child: its notify speaks to the supervisor from now on. */
void worker_watch_become(struct worker_watch *watch);

void worker_watch_begun(struct worker_watch *watch, int index, pid_t pid);
void worker_watch_ended(struct worker_watch *watch, int index);

/* All listen: from now on they may be told to reload. */
void worker_watch_ready(struct worker_watch *watch);

/* All are about to read their configuration again, or to end. The end of a reload of
 * their own, which they have told before, is not the end of this one. */
void worker_watch_reload(struct worker_watch *watch, int64_t now_ms);
void worker_watch_drain(struct worker_watch *watch, int64_t drain_ms);

/* watch->in has something. */
void worker_watch_read(struct worker_watch *watch, int64_t now_ms);

/* Milliseconds to the next look; -1: never. */
int64_t worker_watch_wait_ms(const struct worker_watch *watch, int64_t now_ms);

/* If it is due: tells the manager, and ends who is silent. Read before. */
void worker_watch_look(struct worker_watch *watch, int64_t now_ms);

#endif
