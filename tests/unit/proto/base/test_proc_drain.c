/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A program that drains without a signal: here SIGHUP stands for whatever told it to.
 */
#include <criterion/criterion.h>
#include <signal.h>
#include <string.h>

#include "proto/base/log.h"
#include "proto/base/proc.h"
#include "tests/unit/proto/base/proc_kit.h"

static const struct conf_option options[] = {
	PROC_CONF_OPTIONS("t1"),
};

static const struct conf_table table = {
	.program = "heliograph-test",
	.summary = "Tests the drain.",
	.options = options,
	.n = sizeof(options) / sizeof(options[0]),
};

static void *start(struct proc *proc)
{
	proc_ready(proc, "test=1");
	return proc;
}

static bool drain_twice(struct proc *proc, void *state)
{
	(void)state; /* proc */
	proc_drain(proc);
	proc_drain(proc);
	return true;
}

static void drain_at_once(struct proc *proc, void *state)
{
	(void)state; /* proc */
	log_info("test.drain", "draining=%d", proc_is_draining(proc));
	proc_drained(proc);
}

static void drain_never(struct proc *proc, void *state)
{
	(void)proc;
	(void)state;
	log_info("test.drain", "for=ever");
}

static void stop(struct proc *proc, void *state)
{
	(void)proc;
	(void)state; /* nothing was made */
}

static void run(struct child *child, void (*drain)(struct proc *, void *))
{
	const struct proc_ops ops = {
		.conf = &table,
		.conf_bytes = sizeof(struct proc_conf),
		.start = start,
		.reload = drain_twice,
		.drain = drain,
		.stop = stop,
	};

	child_start(child, &ops, "--drain_timeout=10m", NULL);
	child_wait_ready(child);
	kill(child->pid, SIGHUP);
}

Test(proc_drain, told_to_drain_it_drains_once)
{
	struct child child;

	run(&child, drain_at_once);
	cr_expect_eq(child_wait(&child), 0);
	cr_expect_not_null(
		strstr(child.err_text, "event=proc.draining node=t1 signal=none"));
	cr_expect_not_null(strstr(child.err_text, "event=test.drain node=t1 draining=1"));
	cr_expect_null(text_nth(child.err_text, "event=test.drain", 2));
}

Test(proc_drain, a_signal_ends_it_at_once)
{
	struct child child;

	run(&child, drain_never);
	child_wait_for(&child, child.err_text, "event=test.drain", 1);
	kill(child.pid, SIGTERM);
	cr_expect_eq(child_wait(&child), 1);
}
