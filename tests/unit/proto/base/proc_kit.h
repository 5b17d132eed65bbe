/* SPDX-License-Identifier: Apache-2.0 */
/*
 * proc_main() in a forked child whose stdout and stderr are pipes of the test's. Every
 * wait has a deadline; a child past it is killed.
 */
#ifndef TESTS_UNIT_PROTO_BASE_PROC_KIT_H
#define TESTS_UNIT_PROTO_BASE_PROC_KIT_H

#include <sys/types.h>

#include "proto/base/proc.h"

#define PROC_KIT_DEADLINE_MS 10000

struct child {
	pid_t pid;
	int out; /* read ends, owned until child_wait() */
	int err;
	char out_text[8192]; /* what it said so far */
	char err_text[65536];
};

/* Runs proc_main(ops, arguments...) in a child; the arguments end with NULL. */
void child_start(struct child *child, const struct proc_ops *ops, ...)
	__attribute__((sentinel));

/* Reads until `part` stands `n` times in `text`, which is the child's out_text or
 * err_text. */
void child_wait_for(struct child *child, const char *text, const char *part, int n);

/* Reads its first line on stdout. */
void child_wait_ready(struct child *child);

/* The exit status, or 1000 + the signal; all output has been read then. */
int child_wait(struct child *child);

/* Where `part` stands for the n-th time (from 1), or NULL. */
const char *text_nth(const char *text, const char *part, int n);

#endif
