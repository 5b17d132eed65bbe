/* SPDX-License-Identifier: Apache-2.0 */
/*
 * proc_main() in a forked child, as a service manager hears it.
 */
#include <criterion/criterion.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "proto/base/notify.h"
#include "proto/base/proc.h"
#include "tests/unit/proto/base/manager_kit.h"
#include "tests/unit/proto/base/proc_kit.h"

struct test_conf {
	struct proc_conf proc;
	int64_t limit;
};

static const struct conf_option options[] = {
	PROC_CONF_OPTIONS("t1"),
	{ "limit", CONF_INT, offsetof(struct test_conf, limit), "1", 1, 9, NULL,
	  "Something to reload.", true },
};

static const struct conf_table table = {
	.program = "heliograph-test",
	.summary = "Tells a manager.",
	.options = options,
	.n = sizeof(options) / sizeof(options[0]),
};

static void *start(struct proc *proc)
{
	proc_ready(proc, "%s", "");
	return proc;
}

static void drain_at_once(struct proc *proc, void *state)
{
	(void)state; /* proc */
	proc_drained(proc);
}

static void drain_never(struct proc *proc, void *state)
{
	(void)proc; /* the timeout's business */
	(void)state;
}

static void stop(struct proc *proc, void *state)
{
	cr_assert_eq(state, proc);
}

static const struct proc_ops plain_ops = {
	.conf = &table,
	.conf_bytes = sizeof(struct test_conf),
	.start = start,
	.drain = drain_at_once,
	.stop = stop,
};

static void say_status(struct proc *proc, void *state, struct proc_status *status)
{
	const struct test_conf *conf = proc_conf(proc);

	cr_assert_eq(state, proc);
	status->connections = conf->limit;
	if (conf->limit == 1)
		status->not_ready = "alone\n";
}

static const struct proc_ops telling_ops = {
	.conf = &table,
	.conf_bytes = sizeof(struct test_conf),
	.start = start,
	.status = say_status,
	.drain = drain_never,
	.stop = stop,
};

static void expect_notice(const struct manager *manager, const char *text)
{
	char notice[NOTIFY_TEXT_BYTES];

	manager_hear(manager, notice);
	cr_expect_str_eq(notice, text);
}

Test(proc_notify, tells_a_manager_of_its_whole_life)
{
	char path[] = "/tmp/proc-test-XXXXXX";
	char flag[64];
	char notice[NOTIFY_TEXT_BYTES];
	struct manager manager;
	struct child child;
	FILE *file;

	manager_listen(&manager, false);
	close(mkstemp(path));
	(void)snprintf(flag, sizeof(flag), "--conf=%s", path);
	child_start(&child, &telling_ops, flag, NULL);
	expect_notice(&manager, "READY=1");
	expect_notice(&manager, "STATUS=not ready: alone, 1 connection");
	file = fopen(path, "w");
	cr_assert_not_null(file);
	cr_assert_geq(fputs("limit = 5\ndrain_timeout = 1s\n", file), 0);
	cr_assert_eq(fclose(file), 0);
	kill(child.pid, SIGHUP);
	manager_hear(&manager, notice);
	cr_expect_eq(strncmp(notice, "RELOADING=1\nMONOTONIC_USEC=", 27), 0, "%s",
		     notice);
	expect_notice(&manager, "READY=1");
	kill(child.pid, SIGTERM);
	expect_notice(&manager, "STOPPING=1\nEXTEND_TIMEOUT_USEC=6000000");
	expect_notice(&manager, "STATUS=draining, 5 connections left");
	cr_expect_eq(child_wait(&child), 0);
	manager_close(&manager);
	unlink(path);
}

Test(proc_notify, a_reload_that_fails_is_over_too)
{
	char path[] = "/tmp/proc-test-XXXXXX";
	char flag[64];
	char notice[NOTIFY_TEXT_BYTES];
	struct manager manager;
	struct child child;

	manager_listen(&manager, true);
	close(mkstemp(path));
	(void)snprintf(flag, sizeof(flag), "--conf=%s", path);
	child_start(&child, &plain_ops, flag, NULL);
	expect_notice(&manager, "READY=1");
	expect_notice(&manager, "STATUS=ready");
	cr_assert_eq(unlink(path), 0);
	kill(child.pid, SIGHUP);
	manager_hear(&manager, notice);
	cr_expect_eq(strncmp(notice, "RELOADING=1\n", 12), 0, "%s", notice);
	expect_notice(&manager, "READY=1");
	child_wait_for(&child, child.err_text, "event=conf.reload_failed", 1);
	kill(child.pid, SIGTERM);
	expect_notice(&manager, "STOPPING=1\nEXTEND_TIMEOUT_USEC=15000000");
	cr_expect_eq(child_wait(&child), 0);
	manager_close(&manager);
}

Test(proc_notify, a_loop_that_turns_beats_and_one_that_stands_does_not)
{
	char notice[NOTIFY_TEXT_BYTES];
	struct manager manager;
	struct child child;

	manager_listen(&manager, false);
	setenv("WATCHDOG_USEC", "200000", 1);
	child_start(&child, &plain_ops, NULL);
	for (int i = 0; i < 5;) {
		manager_hear(&manager, notice);
		i += strcmp(notice, "WATCHDOG=1") == 0;
	}
	kill(child.pid, SIGSTOP);
	cr_assert_eq(waitpid(child.pid, NULL, WUNTRACED), child.pid);
	manager_drop(&manager); /* what it said before */
	cr_expect_not(manager_hears_within(&manager, 500));
	kill(child.pid, SIGCONT);
	manager_hear(&manager, notice);
	cr_expect_str_eq(notice, "WATCHDOG=1");
	kill(child.pid, SIGTERM);
	cr_expect_eq(child_wait(&child), 0);
	manager_close(&manager);
}
