/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A program's life, from argv to the exit status. Owns the configuration, the loop, the
 * signals and the drain's deadline; the program's own state belongs to its ops. Nothing
 * here runs before the fork of workers but the configuration and the log.
 */
#include "proto/base/proc.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "proto/base/buf.h"
#include "proto/base/check.h"
#include "proto/base/crypto.h"
#include "proto/base/file_watch.h"
#include "proto/base/log.h"
#include "proto/base/mem.h"
#include "proto/base/metrics.h"
#include "proto/base/notify.h"
#include "proto/base/reload_log.h"
#include "proto/base/reload_stats.h"

const char *const proc_log_levels[] = { "debug", "info", "warn", "error", NULL };
const char *const proc_log_formats[] = { "logfmt", "json", NULL };

struct proc {
	const struct proc_ops *ops;
	int argc;
	char **argv;
	struct proc_conf *conf;	  /* owned; the first member of the program's struct */
	char *name;		  /* owned */
	struct loop *loop;	  /* owned */
	struct file_watch *watch; /* owned */
	struct reload_stats own_reloads;
	struct reload_stats *reloads; /* these, or the program's */
	struct reload_log reload_log;
	struct timer retry_timer; /* runs while something will not do */
	void *state;		  /* the program's, from ops->start to ops->stop */
	uint64_t incarnation;
	bool is_draining;
	struct timer drain_timer;
	struct notify notify;
	struct timer notify_timer;
	struct loop_signal on_term;
	struct loop_signal on_int;
	struct loop_signal on_hup;
};

/* ---- before the loop */

static void name_check(const char *name)
{
	static const char accepted[] =
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
		"0123456789._-";

	if (name[strspn(name, accepted)] != '\0')
		fatal("name = %s: accepted are letters, digits, '.', '_' and '-'", name);
}

static void log_reopen(const struct proc *proc)
{
	log_open((enum log_format)proc->conf->log_format,
		 (enum log_level)proc->conf->log_level, proc->name);
}

void proc_set_name(struct proc *proc, const char *name)
{
	char *copy = mem_dup(name, strlen(name));

	name_check(copy);
	mem_free(proc->name);
	proc->name = copy;
	log_reopen(proc);
}

/* A connection is a descriptor: the soft limit is for programs that use select(). */
static void limits_raise(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
		return;
	limit.rlim_cur = limit.rlim_max;
	if (setrlimit(RLIMIT_NOFILE, &limit) != 0)
		log_warn("proc.nofile_limit", "errno=%d", errno);
}

static void sigpipe_ignore(void)
{
	struct sigaction ignore = { .sa_handler = SIG_IGN };

	(void)sigaction(SIGPIPE, &ignore, NULL); /* fails for bad arguments only */
}

static uint64_t incarnation_new(void)
{
	uint64_t value;

	do {
		value = crypto_random_uint64();
	} while (value == 0);
	return value;
}

/* ---- what a service manager wants to hear */

static void on_notify_timer(struct timer *timer)
{
	struct proc *proc = CONTAINER_OF(timer, struct proc, notify_timer);
	struct proc_status status = { .connections = -1 };

	if (proc->ops->status != NULL)
		proc->ops->status(proc, proc->state, &status);
	loop_timer_start(proc->loop, timer,
			 notify_beat(&proc->notify, &status, proc->is_draining));
}

/* ---- signals */

static void on_drain_timeout(struct timer *timer)
{
	struct proc *proc = CONTAINER_OF(timer, struct proc, drain_timer);

	log_warn("proc.drain_timeout", "after_ms=%" PRId64, proc->conf->drain_ms);
	loop_stop(proc->loop);
}

static void drain(struct proc *proc, const char *signal_name)
{
	proc->is_draining = true;
	log_info("proc.draining", "signal=%s timeout_ms=%" PRId64, signal_name,
		 proc->conf->drain_ms);
	notify_stopping(&proc->notify, proc->conf->drain_ms);
	if (timer_is_running(&proc->notify_timer))
		loop_timer_start(proc->loop, &proc->notify_timer, 0);
	loop_timer_start(proc->loop, &proc->drain_timer, proc->conf->drain_ms);
	proc->ops->drain(proc, proc->state);
}

static void drain_or_exit(struct proc *proc, const char *signal_name)
{
	if (proc->is_draining) {
		log_warn("proc.forced_exit", "signal=%s", signal_name);
		/* At once: no handler of a library, no wait for a thread. */
		_exit(EXIT_FAILURE);
	}
	drain(proc, signal_name);
}

static void on_term(struct loop_signal *signal)
{
	drain_or_exit(CONTAINER_OF(signal, struct proc, on_term), "SIGTERM");
}

static void on_int(struct loop_signal *signal)
{
	drain_or_exit(CONTAINER_OF(signal, struct proc, on_int), "SIGINT");
}

/* An error's text as a quoted value: whole, unlike log_quote(), for it is ours. */
static void log_reload_failed(char error[CONF_ERROR_MAX])
{
	for (char *at = error; *at != '\0'; at++) {
		if (*at == '"' || *at == '\\')
			*at = '\'';
	}
	log_error("conf.reload_failed", "reason=\"%s\"", error);
}

enum err proc_reload_conf(struct proc *proc)
{
	char error[CONF_ERROR_MAX];
	const enum err rc =
		conf_reload(proc->ops->conf, proc->conf, proc->argc, proc->argv, error);

	proc->reloads->is_stale = rc != OK;
	if (rc != OK) {
		proc->reloads->failed_total++;
		log_reload_failed(error);
		return rc;
	}
	proc->reloads->done_total++;
	log_reopen(proc);
	log_info("conf.reloaded", "log_level=%s", proc_log_levels[proc->conf->log_level]);
	return OK;
}

static void file_add(void *owner, const char *path)
{
	if (!file_watch_add(owner, path))
		log_warn("conf.file_unwatched", "path=%s files_max=%d",
			 log_quote(slice_from_str(path)).text, FILE_WATCH_MAX);
}

/* Those that the options name now. */
static void files_watch(struct proc *proc)
{
	file_watch_begin(proc->watch);
	conf_each_file(proc->ops->conf, proc->conf, proc->argc, proc->argv, file_add,
		       proc->watch);
	file_watch_end(proc->watch);
	file_watch_set_interval(proc->watch, proc->conf->reload_ms);
}

static void retry_start(struct proc *proc)
{
	if (proc->reloads->is_stale && proc->conf->reload_ms > 0)
		loop_timer_start(proc->loop, &proc->retry_timer, proc->conf->reload_ms);
	else
		loop_timer_stop(proc->loop, &proc->retry_timer);
}

/* `is_again`: without a reason but that it failed before. */
static void files_read(struct proc *proc, bool is_again)
{
	const bool was_stale = proc->reloads->is_stale;
	bool is_good;

	reload_log_begin(&proc->reload_log, is_again);
	is_good = proc_reload_conf(proc) == OK;
	if (is_good) {
		files_watch(proc);
		if (proc->ops->reload != NULL)
			is_good = proc->ops->reload(proc, proc->state);
	}
	reload_log_end(&proc->reload_log, !is_good);
	proc->reloads->is_stale = !is_good;
	if (is_good && was_stale)
		log_info("conf.caught_up", "again=%d", is_again);
	retry_start(proc);
}

static void reload(struct proc *proc)
{
	/* Whoever drains has said so, and stays with it. */
	if (!proc->is_draining)
		notify_reloading(&proc->notify);
	/* What changes from here on is another change. */
	file_watch_note(proc->watch);
	files_read(proc, false);
	if (!proc->is_draining)
		notify_ready(&proc->notify);
}

/* A disk or a folder may have been away, which no change of a file tells of. One that is
 * under way will be told, and is not to be read half-way. */
static void on_retry(struct timer *timer)
{
	struct proc *proc = CONTAINER_OF(timer, struct proc, retry_timer);

	if (file_watch_is_changing(proc->watch))
		retry_start(proc);
	else
		files_read(proc, true);
}

static void on_hup(struct loop_signal *signal)
{
	reload(CONTAINER_OF(signal, struct proc, on_hup));
}

static void on_file_changed(void *owner, const char *path)
{
	struct proc *proc = owner;

	log_info("conf.file_changed", "path=%s", log_quote(slice_from_str(path)).text);
	proc->reloads->noticed_total++;
	reload(proc);
}

/* SIGHUP asks for files to be read again: one that starts will, once it can, instead of
 * ending as the kernel would have it. `how`: SIG_BLOCK or SIG_UNBLOCK. Workers that are
 * forked meanwhile inherit it. */
static void sighup_mask(int how)
{
	sigset_t set;

	(void)sigemptyset(&set); /* these three fail for bad arguments only */
	(void)sigaddset(&set, SIGHUP);
	(void)pthread_sigmask(how, &set, NULL); /* ... */
}

static void signals_start(struct proc *proc)
{
	loop_signal_start(proc->loop, &proc->on_term, SIGTERM, on_term);
	loop_signal_start(proc->loop, &proc->on_int, SIGINT, on_int);
	loop_signal_start(proc->loop, &proc->on_hup, SIGHUP, on_hup);
	sighup_mask(SIG_UNBLOCK);
}

/* From here to the exit they would kill a process that has already ended well. */
static void signals_stop(struct proc *proc)
{
	sigset_t set;

	(void)sigemptyset(&set);		      /* these four fail for bad */
	(void)sigaddset(&set, SIGTERM);		      /* arguments only */
	(void)sigaddset(&set, SIGINT);		      /* ... */
	(void)sigaddset(&set, SIGHUP);		      /* ... */
	(void)pthread_sigmask(SIG_BLOCK, &set, NULL); /* ... */
	loop_signal_stop(&proc->on_term);
	loop_signal_stop(&proc->on_int);
	loop_signal_stop(&proc->on_hup);
}

/* ---- life */

static void proc_run(struct proc *proc)
{
	const struct proc_ops *ops = proc->ops;

	sighup_mask(SIG_BLOCK);
	proc_set_name(proc, proc->conf->name);
	limits_raise();
	sigpipe_ignore();
	notify_init(&proc->notify);
	if (ops->before_loop != NULL)
		ops->before_loop(proc);
	proc->incarnation = incarnation_new();
	proc->loop = loop_new();
	timer_init(&proc->drain_timer, on_drain_timeout);
	timer_init(&proc->notify_timer, on_notify_timer);
	timer_init(&proc->retry_timer, on_retry);
	signals_start(proc);
	proc->watch = file_watch_new(proc->loop, on_file_changed, proc);
	files_watch(proc); /* before they are read, so that no change is missed */
	proc->state = ops->start(proc);
	retry_start(proc); /* a worker may have begun with what its supervisor had */
	if (notify_is_heard(&proc->notify))
		loop_timer_start(proc->loop, &proc->notify_timer, 0);
	loop_run(proc->loop);
	loop_timer_stop(proc->loop, &proc->notify_timer);
	loop_timer_stop(proc->loop, &proc->retry_timer);
	file_watch_free(proc->watch);
	proc->reloads = &proc->own_reloads; /* what was counted in goes */
	ops->stop(proc, proc->state);
	log_info("proc.stopped", "incarnation=%016" PRIx64, proc->incarnation);
	signals_stop(proc);
	notify_fini(&proc->notify);
	loop_free(proc->loop);
	mem_free(proc->name);
}

static bool is_asked_for_metrics(const struct proc_ops *ops, int argc, char **argv)
{
	return ops->metrics != NULL && argc == 2 &&
	       strcmp(argv[1], "--print-metrics") == 0;
}

static void print_metrics(const struct metrics_table *table)
{
	struct buf text = BUF_INIT;

	metrics_render_empty(table, &text);
	/* Whoever closed our stdout does not want to hear of it. */
	(void)fwrite(text.ptr, 1, text.len, stdout);
	(void)fflush(stdout);
	buf_fini(&text);
}

/* NULL: it is not what was asked for. */
static const char *url_to_check(const struct proc_ops *ops, int argc, char **argv)
{
	static const char flag[] = "--check=";

	if (ops->metrics == NULL || argc != 2 ||
	    strncmp(argv[1], flag, strlen(flag)) != 0)
		return NULL;
	return argv[1] + strlen(flag);
}

int proc_main(const struct proc_ops *ops, int argc, char **argv)
{
	const char *url = url_to_check(ops, argc, argv);
	struct proc proc = { .ops = ops, .argc = argc, .argv = argv };
	char error[CONF_ERROR_MAX];
	enum conf_outcome outcome;

	proc.reloads = &proc.own_reloads;
	assert(ops->start != NULL && ops->drain != NULL && ops->stop != NULL);
	assert(ops->conf_bytes >= sizeof(struct proc_conf));
	if (is_asked_for_metrics(ops, argc, argv)) {
		print_metrics(ops->metrics);
		return EXIT_SUCCESS;
	}
	if (url != NULL)
		return check_main(ops->conf->program, url);
	proc.conf = mem_zalloc(ops->conf_bytes);
	outcome = conf_load(ops->conf, proc.conf, argc, argv, stdout, error);
	if (outcome == CONF_FAIL)
		fatal("%s", error);
	if (outcome == CONF_RUN) {
		proc_run(&proc);
		conf_fini(ops->conf, proc.conf);
	}
	mem_free(proc.conf);
	return EXIT_SUCCESS;
}

struct loop *proc_loop(const struct proc *proc)
{
	assert(proc->loop != NULL);
	return proc->loop;
}

const void *proc_conf(const struct proc *proc)
{
	return proc->conf;
}

void *proc_conf_edit(struct proc *proc)
{
	assert(proc->loop == NULL);
	return proc->conf;
}

void proc_drain(struct proc *proc)
{
	if (!proc->is_draining)
		drain(proc, "none");
}

struct notify *proc_notify(struct proc *proc)
{
	return &proc->notify;
}

bool proc_is_draining(const struct proc *proc)
{
	return proc->is_draining;
}

const char *proc_name(const struct proc *proc)
{
	return proc->name;
}

uint64_t proc_incarnation(const struct proc *proc)
{
	/* Asked before the fork, all workers would get the same. */
	assert(proc->incarnation != 0);
	return proc->incarnation;
}

uint64_t proc_cpu_us(void)
{
	struct timespec used;

	if (clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used) != 0)
		return 0;
	return (uint64_t)used.tv_sec * 1000000 + (uint64_t)used.tv_nsec / 1000;
}

void proc_ready(struct proc *proc, const char *details, ...)
{
	struct buf line = BUF_INIT;
	char text[1024];
	va_list args;

	va_start(args, details);
	(void)vsnprintf(text, sizeof(text), details,
			args); /* addresses: far below that */
	va_end(args);
	buf_appendf(&line, "ready program=%s name=%s pid=%d", proc->ops->conf->program,
		    proc->name, (int)getpid());
	buf_appendf(&line, "%s%s\n", text[0] != '\0' ? " " : "", text);
	/* One write, so that the lines of workers on one pipe stay whole; and whoever
	 * closed our stdout does not wait for it. */
	if (write(STDOUT_FILENO, line.ptr, line.len) < 0)
		log_debug("proc.ready_unheard", "errno=%d", errno);
	buf_fini(&line);
	log_info("proc.ready", "program=%s incarnation=%016" PRIx64 "%s%s",
		 proc->ops->conf->program, proc->incarnation, text[0] != '\0' ? " " : "",
		 text);
	notify_ready(&proc->notify);
}

void proc_count_reloads(struct proc *proc, struct reload_stats *stats)
{
	stats->is_stale = proc->reloads->is_stale;
	proc->reloads = stats;
}

void proc_drained(struct proc *proc)
{
	/* A deadline of no time at all may be due in this very turn. */
	loop_timer_stop(proc->loop, &proc->drain_timer);
	loop_stop(proc->loop);
}
