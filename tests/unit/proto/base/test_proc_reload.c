/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Files that will not do when they are read again: what is tried again, how often that is
 * told, and how it ends. The key's file is one that is not looked at, so that nothing but
 * a new try can find out that it has changed.
 */
#include <criterion/criterion.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "proto/base/log.h"
#include "proto/base/proc.h"
#include "proto/base/reload_stats.h"
#include "proto/base/secret.h"
#include "tests/unit/proto/base/proc_kit.h"

#define K1 "0123456789abcdef0123456789abcde1\n"
#define K2 "0123456789abcdef0123456789abcde2\n"

struct test_conf {
	struct proc_conf proc;
	char *key;
};

static const struct conf_option options[] = {
	PROC_CONF_OPTIONS("t1"),
	{ "key", CONF_STRING, offsetof(struct test_conf, key), "", 0, 80, NULL,
	  "A file that nobody looks at.", true },
};

static const struct conf_table table = {
	.program = "heliograph-test",
	.summary = "Tests what is read again.",
	.options = options,
	.n = sizeof(options) / sizeof(options[0]),
};

/* ---- a program with a key; each try is a line on its stdout */

static struct reload_stats stats;
static struct secrets secrets;

static void *start(struct proc *proc)
{
	const struct test_conf *conf = proc_conf(proc);

	proc_count_reloads(proc, &stats);
	secrets = SECRETS_INIT;
	if (conf->key[0] != '\0')
		secrets_read(&secrets, "key", conf->key);
	proc_ready(proc, "stale=%" PRId64, stats.is_stale);
	return proc;
}

static bool reload(struct proc *proc, void *state)
{
	const struct test_conf *conf = proc_conf(proc);
	bool is_changed;

	(void)state; /* proc */
	cr_assert_eq(write(STDOUT_FILENO, "try\n", 4), 4);
	return conf->key[0] == '\0' ||
	       secrets_reload(&secrets, "key", conf->key, SECRET_BYTES_MIN,
			      &is_changed) == OK;
}

static void drain(struct proc *proc, void *state)
{
	(void)state; /* proc */
	log_info("test.drain",
		 "stale=%" PRId64 " done=%" PRIu64 " failed=%" PRIu64 " noticed=%" PRIu64,
		 stats.is_stale, stats.done_total, stats.failed_total,
		 stats.noticed_total);
	proc_drained(proc);
}

static void stop(struct proc *proc, void *state)
{
	(void)proc;
	(void)state; /* nothing was made */
	secrets_fini(&secrets);
}

static const struct proc_ops ops = {
	.conf = &table,
	.conf_bytes = sizeof(struct test_conf),
	.start = start,
	.reload = reload,
	.drain = drain,
	.stop = stop,
};

/* ---- its files */

static char folder[64];
static char conf_path[96];
static char key_path[96];
static char conf_flag[128];
static char key_flag[128];
static struct child child;

static void setup(void)
{
	(void)snprintf(folder, sizeof(folder), "/tmp/heliograph-reload.XXXXXX");
	cr_assert_not_null(mkdtemp(folder));
	(void)snprintf(conf_path, sizeof(conf_path), "%s/conf", folder);
	(void)snprintf(key_path, sizeof(key_path), "%s/key", folder);
	(void)snprintf(conf_flag, sizeof(conf_flag), "--conf=%s", conf_path);
	(void)snprintf(key_flag, sizeof(key_flag), "--key=%s", key_path);
}

static void teardown(void)
{
	char command[96];

	(void)snprintf(command, sizeof(command), "rm -r %s", folder);
	cr_expect_eq(system(command), 0);
}

TestSuite(proc_reload, .init = setup, .fini = teardown, .timeout = 100);

static void put(const char *path, const char *text)
{
	char made[128];
	FILE *file;

	(void)snprintf(made, sizeof(made), "%s.new", path);
	file = fopen(made, "w");
	cr_assert_not_null(file);
	cr_assert_geq(fputs(text, file), 0);
	cr_assert_eq(fclose(file), 0);
	cr_assert_eq(chmod(made, 0600), 0);
	cr_assert_eq(rename(made, path), 0);
}

static int said(const char *event)
{
	int n = 0;

	while (text_nth(child.err_text, event, n + 1) != NULL)
		n++;
	return n;
}

static void end(const char *state)
{
	kill(child.pid, SIGTERM);
	cr_expect_eq(child_wait(&child), 0);
	cr_expect_not_null(strstr(child.err_text, state), "%s is not in\n%s", state,
			   child.err_text);
}

/* ---- */

Test(proc_reload, what_fails_is_tried_again_and_told_once)
{
	put(key_path, K1);
	child_start(&child, &ops, key_flag, "--reload_interval=5ms", NULL);
	child_wait_ready(&child);
	cr_assert_eq(unlink(key_path), 0);
	kill(child.pid, SIGHUP);
	child_wait_for(&child, child.out_text, "try\n", 5);
	put(key_path, K2);
	child_wait_for(&child, child.err_text, "event=conf.caught_up node=t1 again=1\n",
		       1);
	end("stale=0");
	cr_expect_eq(said("event=secret.reload_failed"), 1);
	cr_expect_eq(said("event=secret.reloaded node=t1 option=key lines=1\n"), 1);
	cr_expect_eq(said("event=conf.reloaded"), 2);
	cr_expect_eq(said("event=conf.caught_up"), 1);
}

Test(proc_reload, another_reason_is_told)
{
	put(key_path, K1);
	child_start(&child, &ops, key_flag, "--reload_interval=5ms", NULL);
	child_wait_ready(&child);
	cr_assert_eq(unlink(key_path), 0);
	kill(child.pid, SIGHUP);
	child_wait_for(&child, child.err_text, "reason=\"No such file or directory\"", 1);
	put(key_path, "short");
	child_wait_for(&child, child.err_text, "fewer than 32", 1);
	child_wait_for(&child, child.out_text, "try\n", 6);
	end("stale=1");
	cr_expect_eq(said("event=secret.reload_failed"), 2);
	cr_expect_eq(said("event=conf.caught_up"), 0);
}

Test(proc_reload, without_an_interval_the_next_signal_is_the_next_try)
{
	put(key_path, K1);
	child_start(&child, &ops, key_flag, NULL);
	child_wait_ready(&child);
	cr_assert_eq(unlink(key_path), 0);
	for (int i = 1; i <= 2; i++) {
		kill(child.pid, SIGHUP);
		child_wait_for(&child, child.err_text, "event=secret.reload_failed", i);
	}
	put(key_path, K2);
	kill(child.pid, SIGHUP);
	child_wait_for(&child, child.err_text, "event=conf.caught_up node=t1 again=0\n",
		       1);
	end("stale=0 done=3 failed=0");
}

Test(proc_reload, a_pipe_in_a_configurations_place_holds_nobody_up)
{
	put(conf_path, "log_level = info\n");
	child_start(&child, &ops, conf_flag, "--reload_interval=5ms", NULL);
	child_wait_ready(&child);
	cr_assert_eq(unlink(conf_path), 0);
	cr_assert_eq(mkfifo(conf_path, 0600), 0);
	child_wait_for(&child, child.err_text, "/conf: not a regular file\"", 1);
	put(conf_path, "log_level = debug\n");
	child_wait_for(&child, child.err_text, "event=conf.reloaded", 1);
	child_wait_for(&child, child.err_text, "event=conf.caught_up", 1);
	end("stale=0");
}

Test(proc_reload, a_pipe_is_no_configuration_to_start_with)
{
	cr_assert_eq(mkfifo(conf_path, 0600), 0);
	child_start(&child, &ops, conf_flag, NULL);
	cr_expect_eq(child_wait(&child), 1);
	cr_expect_not_null(strstr(child.err_text, "/conf: not a regular file\n"), "%s",
			   child.err_text);
}

/* A worker that is forked while the file has a mistake goes on with what others have. */
static void conf_spoil(struct proc *proc)
{
	put(conf_path, "a mistake\n");
	cr_expect_neq(proc_reload_conf(proc), OK);
}

Test(proc_reload, a_worker_that_begins_with_a_mistake_tries_again)
{
	const struct proc_ops spoilt = {
		.conf = &table,
		.conf_bytes = sizeof(struct test_conf),
		.before_loop = conf_spoil,
		.start = start,
		.reload = reload,
		.drain = drain,
		.stop = stop,
	};

	put(conf_path, "");
	child_start(&child, &spoilt, conf_flag, "--reload_interval=5ms", NULL);
	child_wait_ready(&child);
	cr_expect_not_null(strstr(child.out_text, " stale=1\n"), "%s", child.out_text);
	put(conf_path, "");
	child_wait_for(&child, child.err_text, "event=conf.caught_up", 1);
	end("stale=0");
}
