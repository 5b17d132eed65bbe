/* SPDX-License-Identifier: Apache-2.0 */
/*
 * proc_main() in a forked child, seen from outside: its ready line, its log, its exit
 * status, and what it tells a service manager.
 */
#include <criterion/criterion.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "proto/base/log.h"
#include "proto/base/proc.h"
#include "tests/unit/proto/base/proc_kit.h"

struct test_conf {
	struct proc_conf proc;
	int64_t limit;
	char *key_file;
};

static const struct conf_option options[] = {
	PROC_CONF_OPTIONS("t1"),
	{ "limit", CONF_INT, offsetof(struct test_conf, limit), "1", 1, 9, NULL,
	  "Something to reload.", true },
	{ "key_file", CONF_FILE, offsetof(struct test_conf, key_file), "", 0, 80, NULL,
	  "Something whose file is looked at.", true },
};

static const struct conf_table table = {
	.program = "heliograph-test",
	.summary = "Tests the skeleton.",
	.options = options,
	.n = sizeof(options) / sizeof(options[0]),
};

/* ---- a program */

static void *start(struct proc *proc)
{
	struct rlimit limit;

	cr_assert_eq(getrlimit(RLIMIT_NOFILE, &limit), 0);
	proc_ready(proc, "nofile=%d incarnation=%016" PRIx64,
		   limit.rlim_cur == limit.rlim_max, proc_incarnation(proc));
	return proc;
}

static bool reload(struct proc *proc, void *state)
{
	const struct test_conf *conf = proc_conf(proc);

	log_info("test.reloaded", "limit=%" PRId64 " same=%d", conf->limit,
		 state == proc);
	return true;
}

static void drain_at_once(struct proc *proc, void *state)
{
	log_info("test.drain", "same=%d draining=%d", state == proc,
		 proc_is_draining(proc));
	proc_drained(proc);
}

static void drain_never(struct proc *proc, void *state)
{
	(void)state; /* the timeout's business */
	log_info("test.drain", "draining=%d", proc_is_draining(proc));
}

static void stop(struct proc *proc, void *state)
{
	log_info("test.stop", "same=%d loop=%d", state == proc, proc_loop(proc) != NULL);
}

static const struct proc_ops plain_ops = {
	.conf = &table,
	.conf_bytes = sizeof(struct test_conf),
	.start = start,
	.reload = reload,
	.drain = drain_at_once,
	.stop = stop,
};

static const struct proc_ops stuck_ops = {
	.conf = &table,
	.conf_bytes = sizeof(struct test_conf),
	.start = start,
	.drain = drain_never,
	.stop = stop,
};

static void expect_has(const char *text, const char *part)
{
	cr_expect_not_null(strstr(text, part), "%s is not in\n%s", part, text);
}

/* ---- life */

Test(proc, ready_then_sigterm_then_exit_0)
{
	struct child child;
	char ready[128];

	child_start(&child, &plain_ops, NULL);
	child_wait_ready(&child);
	(void)snprintf(
		ready, sizeof(ready),
		"ready program=heliograph-test name=t1 pid=%d nofile=1 incarnation=",
		(int)child.pid);
	cr_expect_eq(strncmp(child.out_text, ready, strlen(ready)), 0, "%s",
		     child.out_text);
	kill(child.pid, SIGTERM);
	cr_expect_eq(child_wait(&child), 0);
	expect_has(child.err_text,
		   "event=proc.draining node=t1 signal=SIGTERM timeout_ms=10000");
	expect_has(child.err_text, "event=test.drain node=t1 same=1 draining=1\n");
	expect_has(child.err_text, "event=test.stop node=t1 same=1 loop=1\n");
	expect_has(child.err_text, "event=proc.stopped node=t1 ");
}

Test(proc, sigint_drains_too)
{
	struct child child;

	child_start(&child, &plain_ops, NULL);
	child_wait_ready(&child);
	kill(child.pid, SIGINT);
	cr_expect_eq(child_wait(&child), 0);
	expect_has(child.err_text, "event=proc.draining node=t1 signal=SIGINT");
}

static void second_signal(int first, int second)
{
	struct child child;

	child_start(&child, &stuck_ops, "--drain_timeout=10m", NULL);
	child_wait_ready(&child);
	kill(child.pid, first);
	child_wait_for(&child, child.err_text, "event=test.drain", 1);
	kill(child.pid, second);
	cr_expect_eq(child_wait(&child), 1);
	expect_has(child.err_text, "level=warn event=proc.forced_exit");
	cr_expect_null(strstr(child.err_text, "event=test.stop"));
}

Test(proc, a_second_sigterm_ends_at_once)
{
	second_signal(SIGTERM, SIGTERM);
}

Test(proc, a_sigint_after_a_sigterm_ends_at_once)
{
	second_signal(SIGTERM, SIGINT);
}

Test(proc, the_drain_ends_at_its_timeout_with_0)
{
	struct child child;

	child_start(&child, &stuck_ops, "--drain_timeout=50ms", NULL);
	child_wait_ready(&child);
	kill(child.pid, SIGTERM);
	cr_expect_eq(child_wait(&child), 0);
	expect_has(child.err_text,
		   "level=warn event=proc.drain_timeout node=t1 after_ms=50\n");
	expect_has(child.err_text, "event=test.stop");
}

Test(proc, a_drain_in_no_time_still_asks_the_program)
{
	struct child child;

	child_start(&child, &plain_ops, "--drain_timeout=0", NULL);
	child_wait_ready(&child);
	kill(child.pid, SIGTERM);
	cr_expect_eq(child_wait(&child), 0);
	expect_has(child.err_text, "event=test.drain");
	cr_expect_null(strstr(child.err_text, "event=proc.drain_timeout"));
}

Test(proc, sigpipe_is_ignored)
{
	struct child child;

	child_start(&child, &plain_ops, NULL);
	child_wait_ready(&child);
	kill(child.pid, SIGPIPE);
	kill(child.pid, SIGTERM);
	cr_expect_eq(child_wait(&child), 0);
}

static void *start_and_end(struct proc *proc)
{
	proc_drained(proc);
	return NULL;
}

static void stop_nothing(struct proc *proc, void *state)
{
	cr_assert_null(state);
	cr_assert_not(proc_is_draining(proc));
}

Test(proc, a_program_with_nothing_to_do_ends_by_itself)
{
	static const struct proc_ops ops = {
		.conf = &table,
		.conf_bytes = sizeof(struct test_conf),
		.start = start_and_end,
		.drain = drain_never,
		.stop = stop_nothing,
	};
	struct child child;

	child_start(&child, &ops, NULL);
	cr_expect_eq(child_wait(&child), 0);
}

/* ---- options */

Test(proc, the_log_follows_the_configuration)
{
	struct child child;

	child_start(&child, &plain_ops, "--log_format=json", "--log_level=warn",
		    "--name=g-1.a_b", NULL);
	child_wait_ready(&child);
	expect_has(child.out_text, " name=g-1.a_b ");
	kill(child.pid, SIGTERM);
	cr_expect_eq(child_wait(&child), 0);
	cr_expect_null(strstr(child.err_text, "info"));
}

Test(proc, a_bad_option_exits_1_and_is_named)
{
	struct child child;

	child_start(&child, &plain_ops, "--limit=10", NULL);
	cr_expect_eq(child_wait(&child), 1);
	expect_has(child.err_text,
		   ": command line: limit = 10: accepted range is 1..9\n");
	cr_expect_str_eq(child.out_text, "");
}

Test(proc, a_name_that_would_break_a_line_is_refused)
{
	struct child child;

	child_start(&child, &plain_ops, "--name=a b", NULL);
	cr_expect_eq(child_wait(&child), 1);
	expect_has(child.err_text,
		   ": name = a b: accepted are letters, digits, '.', '_' and '-'\n");
}

Test(proc, check_exits_0_and_starts_nothing)
{
	struct child child;

	child_start(&child, &plain_ops, "-n", NULL);
	cr_expect_eq(child_wait(&child), 0);
	cr_expect_null(strstr(child.out_text, "ready"));
}

static void *start_fails(struct proc *proc)
{
	fatal("listen = %s: in use", proc_name(proc));
}

Test(proc, a_start_that_fails_exits_1)
{
	static const struct proc_ops ops = {
		.conf = &table,
		.conf_bytes = sizeof(struct test_conf),
		.start = start_fails,
		.drain = drain_never,
		.stop = stop,
	};
	struct child child;

	child_start(&child, &ops, NULL);
	cr_expect_eq(child_wait(&child), 1);
	expect_has(child.err_text, ": listen = t1: in use\n");
}

/* ---- reload */

static void file_write(const char *path, const char *text)
{
	FILE *file = fopen(path, "w");

	cr_assert_not_null(file);
	cr_assert_geq(fputs(text, file), 0);
	cr_assert_eq(fclose(file), 0);
}

Test(proc, sighup_reloads_and_a_bad_file_changes_nothing)
{
	char path[] = "/tmp/proc-test-XXXXXX";
	char flag[64];
	struct child child;

	close(mkstemp(path));
	(void)snprintf(flag, sizeof(flag), "--conf=%s", path);
	child_start(&child, &plain_ops, flag, NULL);
	child_wait_ready(&child);
	file_write(path, "limit = 5\nname = other\n");
	kill(child.pid, SIGHUP);
	child_wait_for(&child, child.err_text,
		       "event=test.reloaded node=t1 limit=5 same=1\n", 1);
	expect_has(child.err_text,
		   "level=warn event=conf.needs_restart node=t1 option=name\n");
	expect_has(child.err_text, "event=conf.reloaded node=t1 log_level=info\n");
	file_write(path, "\"limit\" = 5\n");
	kill(child.pid, SIGHUP);
	child_wait_for(&child, child.err_text,
		       "event=conf.reload_failed node=t1 reason=\"", 1);
	child_wait_for(&child, child.err_text, ":1: unknown option 'limit'", 1);
	file_write(path, "limit = 6\n");
	kill(child.pid, SIGHUP);
	child_wait_for(&child, child.err_text,
		       "event=test.reloaded node=t1 limit=6 same=1\n", 1);
	cr_expect_null(text_nth(child.err_text, "event=test.reloaded", 3));
	unlink(path);
	kill(child.pid, SIGTERM);
	cr_expect_eq(child_wait(&child), 0);
}

Test(proc, sighup_may_silence_the_log)
{
	char path[] = "/tmp/proc-test-XXXXXX";
	char flag[64];
	struct child child;

	close(mkstemp(path));
	(void)snprintf(flag, sizeof(flag), "--conf=%s", path);
	child_start(&child, &stuck_ops, flag, "--drain_timeout=0", NULL);
	child_wait_ready(&child);
	file_write(path, "log_level = warn\nlog_format = json\n");
	kill(child.pid, SIGHUP);
	child_wait_for(&child, child.err_text, "option=log_format\n", 1);
	kill(child.pid, SIGTERM);
	cr_expect_eq(child_wait(&child), 0);
	unlink(path);
	cr_expect_null(strstr(child.err_text, "event=conf.reloaded"));
	cr_expect_null(strstr(child.err_text, "event=proc.draining"));
	expect_has(child.err_text, "level=warn event=proc.drain_timeout");
}

/* ---- workers */

static void fork_worker(struct proc *proc)
{
	struct test_conf *conf = proc_conf_edit(proc);
	pid_t pid = fork();

	cr_assert_geq(pid, 0);
	conf->limit = pid == 0 ? 8 : 7;
	proc_set_name(proc, pid == 0 ? "t1-w1" : "t1-w0");
}

static void drain_family(struct proc *proc, void *state)
{
	(void)state; /* nothing of ours is in it */
	proc_drained(proc);
}

static void stop_family(struct proc *proc, void *state)
{
	const struct test_conf *conf = proc_conf(proc);

	(void)state; /* nothing of ours is in it */
	log_info("test.stop", "name=%s limit=%" PRId64, proc_name(proc), conf->limit);
	/* The parent waits for its worker, so that the test waits for both. */
	while (wait(NULL) > 0)
		;
}

static const struct proc_ops family_ops = {
	.conf = &table,
	.conf_bytes = sizeof(struct test_conf),
	.before_loop = fork_worker,
	.start = start,
	.drain = drain_family,
	.stop = stop_family,
};

Test(proc, workers_have_a_name_a_setting_and_an_incarnation_of_their_own)
{
	struct child child;
	const char *first;
	const char *second;
	int worker = 0;

	child_start(&child, &family_ops, NULL);
	child_wait_for(&child, child.out_text, "\n", 2);
	expect_has(child.out_text, " name=t1-w0 ");
	expect_has(child.out_text, " name=t1-w1 ");
	first = text_nth(child.out_text, "incarnation=", 1);
	second = text_nth(child.out_text, "incarnation=", 2);
	cr_assert_not_null(first);
	cr_assert_not_null(second);
	cr_expect_neq(strncmp(first, second, strlen("incarnation=") + 16), 0);
	cr_assert_eq(sscanf(strstr(child.out_text, "name=t1-w1 "), "name=t1-w1 pid=%d",
			    &worker),
		     1);
	kill((pid_t)worker, SIGTERM);
	kill(child.pid, SIGTERM);
	cr_expect_eq(child_wait(&child), 0);
	expect_has(child.err_text, "event=test.stop node=t1-w0 name=t1-w0 limit=7\n");
	expect_has(child.err_text, "event=test.stop node=t1-w1 name=t1-w1 limit=8\n");
}

/* A new file of that name, as Kubernetes and careful people make them. */
static void file_renew(const char *path, const char *text)
{
	char made[96];

	(void)snprintf(made, sizeof(made), "%s.new", path);
	file_write(made, text);
	cr_assert_eq(rename(made, path), 0);
}

Test(proc, a_file_that_changes_is_noticed_when_asked_for)
{
	char path[] = "/tmp/proc-test-XXXXXX";
	char key[] = "/tmp/proc-test-XXXXXX";
	char flag[64];
	char key_flag[64];
	struct child child;

	close(mkstemp(path));
	close(mkstemp(key));
	(void)snprintf(flag, sizeof(flag), "--conf=%s", path);
	(void)snprintf(key_flag, sizeof(key_flag), "--key_file=%s", key);
	child_start(&child, &plain_ops, flag, key_flag, "--reload_interval=10ms", NULL);
	child_wait_ready(&child);
	file_renew(path, "limit = 5\n");
	child_wait_for(&child, child.err_text,
		       "event=test.reloaded node=t1 limit=5 same=1\n", 1);
	file_renew(key, "anything");
	child_wait_for(&child, child.err_text, "event=test.reloaded", 2);
	expect_has(child.err_text, "event=conf.file_changed node=t1 path=\"/tmp/proc-");
	/* A mistake changes nothing, and the next change is noticed again. */
	file_renew(path, "limit = 10\n");
	child_wait_for(&child, child.err_text, "event=conf.reload_failed", 1);
	file_renew(path, "limit = 6\nreload_interval = 0\n");
	child_wait_for(&child, child.err_text,
		       "event=test.reloaded node=t1 limit=6 same=1\n", 1);
	unlink(path);
	unlink(key);
	kill(child.pid, SIGTERM);
	cr_expect_eq(child_wait(&child), 0);
}

Test(proc, a_file_that_changes_is_left_alone_otherwise)
{
	char path[] = "/tmp/proc-test-XXXXXX";
	char flag[64];
	struct child child;

	close(mkstemp(path));
	(void)snprintf(flag, sizeof(flag), "--conf=%s", path);
	child_start(&child, &plain_ops, flag, NULL);
	child_wait_ready(&child);
	file_renew(path, "limit = 5\n");
	kill(child.pid, SIGHUP);
	child_wait_for(&child, child.err_text, "event=test.reloaded", 1);
	unlink(path);
	kill(child.pid, SIGTERM);
	cr_expect_eq(child_wait(&child), 0);
	cr_expect_null(strstr(child.err_text, "event=conf.file_changed"));
	cr_expect_null(text_nth(child.err_text, "event=test.reloaded", 2));
}
