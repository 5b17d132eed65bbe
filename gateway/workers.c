/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The supervisor of a gateway's workers. It reserves the client port, forks, and then
 * only waits: for lines of the workers' stdout, for their ends, for signals. Each
 * worker's stdout is a pipe to it, passed on as it comes, and a worker's line that begins
 * with "ready" is how it knows.
 */
#include "gateway/workers.h"

#include <assert.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "gateway/gateway.h"
#include "gateway/worker_port.h"
#include "gateway/worker_watch.h"
#include "proto/base/crypto.h"
#include "proto/base/log.h"
#include "proto/base/mem.h"

/* From a worker to its supervisor: presence wants the gateway to drain. */
#define DRAIN_SIGNAL SIGUSR1

#define BACKOFF_MIN_MS 100
#define BACKOFF_MAX_MS 10000

/* A worker that has lived this long is started again at once. */
#define SETTLED_MS 30000

/* Beyond drain_timeout, for what a worker does behind it: to free what it has, and to be
 * scheduled. The service manager is told of more (notify.c). */
#define END_SPARE_MS 2000

/* A worker that is told to end at once needs no more than to be scheduled. */
#define END_FORCED_MS 500

struct worker {
	pid_t pid; /* 0: none now */
	int out;   /* its stdout; -1: none */
	bool is_ready;
	int64_t started_ms;
	int64_t restart_ms; /* when it is to be started again */
	int64_t backoff_ms;
};

struct supervisor {
	struct proc *proc;	   /* borrowed */
	struct gateway_conf *conf; /* borrowed */
	struct worker workers[WORKERS_MAX];
	struct worker_watch watch;
	int n;
	int port_fd; /* keeps the port ours */
	int signal_fd;
	sigset_t old_signals;
	bool is_ready; /* all were, once */
	bool is_stopping;
	bool is_forced; /* a second signal came */
	int64_t stopping_ms;
	int64_t kill_ms; /* who is left then is killed; INT64_MAX: nobody, or all are */
};

static void __attribute__((noreturn)) fail(const char *what)
{
	fatal("workers: %s: %s", what, err_errno_text());
}

static int64_t now_ms(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t); /* cannot fail for this clock */
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* ---- a worker's beginning */

static void close_out(struct worker *worker)
{
	if (worker->out < 0)
		return;
	(void)close(worker->out); /* only read from */
	worker->out = -1;
}

/* In the child: nothing of the supervisor's is left but the port, which it must hold too.
 */
static void become_worker(struct supervisor *supervisor, int index, int out, pid_t parent)
{
	struct buf name = BUF_INIT;

	for (int i = 0; i < supervisor->n; i++)
		close_out(&supervisor->workers[i]);
	(void)close(supervisor->signal_fd); /* only read from */
	(void)close(supervisor->port_fd);   /* the worker binds one of its own */
	/* Ctrl-C is the supervisor's to pass on: twice would be "at once". */
	if (setpgid(0, 0) != 0 || prctl(PR_SET_PDEATHSIG, SIGTERM) != 0 ||
	    dup2(out, STDOUT_FILENO) < 0 || close(out) != 0)
		fail("worker");
	worker_watch_become(&supervisor->watch);
	if (getppid() != parent)
		fatal("worker %d: the parent is gone", index);
	/* Fails for bad arguments only. */
	(void)pthread_sigmask(SIG_SETMASK, &supervisor->old_signals, NULL);
	buf_appendf(&name, "%s.%d", supervisor->conf->proc.name, index);
	buf_append_byte(&name, '\0');
	supervisor->conf->worker = index;
	supervisor->conf->supervisor = parent;
	proc_set_name(supervisor->proc, name.ptr);
	buf_fini(&name);
	/* The others may have read it again since the supervisor did; a mistake in it is
	 * logged, and what they have is good for this one, too. */
	if (supervisor->is_ready)
		(void)proc_reload_conf(supervisor->proc);
}

/* True in the child. */
static bool spawn(struct supervisor *supervisor, int index)
{
	struct worker *worker = &supervisor->workers[index];
	pid_t parent = getpid();
	int ends[2];

	if (pipe(ends) != 0)
		fail("workers");
	worker->pid = fork();
	if (worker->pid < 0)
		fail("workers");
	if (worker->pid == 0) {
		(void)close(ends[0]); /* the parent's */
		become_worker(supervisor, index, ends[1], parent);
		return true;
	}
	(void)close(ends[1]); /* the child's */
	worker->out = ends[0];
	worker->is_ready = false;
	worker->restart_ms = 0;
	worker->started_ms = now_ms();
	worker_watch_begun(&supervisor->watch, index, worker->pid);
	return false;
}

/* True in a child. */
static bool spawn_due(struct supervisor *supervisor)
{
	for (int i = 0; i < supervisor->n; i++) {
		const struct worker *worker = &supervisor->workers[i];

		if (worker->pid == 0 && !supervisor->is_stopping &&
		    worker->restart_ms <= now_ms() && spawn(supervisor, i))
			return true;
	}
	return false;
}

/* ---- what workers say and how they end */

static void announce(struct supervisor *supervisor)
{
	struct buf address = BUF_INIT;
	struct slice host;
	uint16_t port;

	for (int i = 0; i < supervisor->n; i++) {
		if (!supervisor->workers[i].is_ready)
			return;
	}
	if (supervisor->is_ready)
		return;
	supervisor->is_ready = true;
	worker_watch_ready(&supervisor->watch);
	if (!gateway_conf_address(supervisor->conf->listen, &host, &port)) {
		gateway_conf_address_print(&address, host, supervisor->conf->shared_port);
		proc_ready(supervisor->proc, "http=%s workers=%d", address.ptr,
			   supervisor->n);
	}
	buf_fini(&address);
}

/* A worker writes whole lines, one a write, far shorter than a pipe's atomic 4 KiB. */
static void on_output(struct supervisor *supervisor, struct worker *worker)
{
	char text[4096];
	ssize_t n = read(worker->out, text, sizeof(text));

	if (n <= 0) {
		close_out(worker);
		return;
	}
	if (write(STDOUT_FILENO, text, (size_t)n) < 0)
		log_debug("workers.unheard", "errno=%d", errno);
	if (n >= 6 && memcmp(text, "ready ", 6) == 0) {
		worker->is_ready = true;
		announce(supervisor);
	}
}

static void on_exit_of(struct supervisor *supervisor, struct worker *worker, int status)
{
	int index = (int)(worker - supervisor->workers);
	int64_t lived_ms = now_ms() - worker->started_ms;
	int code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);

	while (worker->out >= 0)
		on_output(supervisor, worker);
	worker->pid = 0;
	worker_watch_ended(&supervisor->watch, index);
	if (supervisor->is_stopping)
		return;
	/* The first start failing is a mistake in the configuration: no use in trying
	 * again. */
	if (!supervisor->is_ready && !worker->is_ready)
		fatal("worker %d ended with status %d before it was ready", index, code);
	worker->backoff_ms *= 2;
	if (worker->backoff_ms < BACKOFF_MIN_MS || lived_ms > SETTLED_MS)
		worker->backoff_ms = BACKOFF_MIN_MS;
	if (worker->backoff_ms > BACKOFF_MAX_MS)
		worker->backoff_ms = BACKOFF_MAX_MS;
	worker->restart_ms = now_ms() + worker->backoff_ms;
	log_error("workers.lost", "worker=%d status=%d lived_ms=%lld restart_in_ms=%lld",
		  index, code, (long long)lived_ms, (long long)worker->backoff_ms);
}

static void reap(struct supervisor *supervisor)
{
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		for (int i = 0; i < supervisor->n; i++) {
			if (supervisor->workers[i].pid == pid)
				on_exit_of(supervisor, &supervisor->workers[i], status);
		}
	}
}

/* ---- signals */

static void signal_all(const struct supervisor *supervisor, int signo)
{
	for (int i = 0; i < supervisor->n; i++) {
		if (supervisor->workers[i].pid > 0)
			(void)kill(supervisor->workers[i].pid,
				   signo); /* may be dead already */
	}
}

static void drain_all(struct supervisor *supervisor)
{
	const struct proc_conf *conf = &supervisor->conf->proc;

	/* Workers look at the file by themselves: the time that they take may be
	 * another one than ours. */
	if (conf->reload_ms > 0)
		(void)proc_reload_conf(supervisor->proc); /* a mistake is logged */
	supervisor->is_stopping = true;
	supervisor->stopping_ms = now_ms();
	supervisor->kill_ms = supervisor->stopping_ms + conf->drain_ms + END_SPARE_MS;
	worker_watch_drain(&supervisor->watch, conf->drain_ms);
	signal_all(supervisor, SIGTERM);
}

/* For workers, too, a second signal means at once. */
static void end_all(struct supervisor *supervisor)
{
	const int64_t kill_ms = now_ms() + END_FORCED_MS;

	supervisor->is_forced = true;
	if (kill_ms < supervisor->kill_ms)
		supervisor->kill_ms = kill_ms;
	signal_all(supervisor, SIGTERM);
}

/* One that stands still, or has run wild, hears no other signal. */
static void kill_late(struct supervisor *supervisor)
{
	const int64_t now = now_ms();

	if (!supervisor->is_stopping || now < supervisor->kill_ms)
		return;
	supervisor->kill_ms = INT64_MAX;
	reap(supervisor); /* who has ended meanwhile has not been killed */
	for (int i = 0; i < supervisor->n; i++) {
		const struct worker *worker = &supervisor->workers[i];

		if (worker->pid == 0)
			continue;
		log_warn("workers.killed", "worker=%d after_ms=%lld", i,
			 (long long)(now - supervisor->stopping_ms));
		(void)kill(worker->pid, SIGKILL); /* it is ours until it is reaped */
	}
}

static void on_signal(struct supervisor *supervisor)
{
	struct signalfd_siginfo info;

	if (read(supervisor->signal_fd, &info, sizeof(info)) != (ssize_t)sizeof(info))
		return;
	switch (info.ssi_signo) {
	case SIGCHLD:
		reap(supervisor);
		break;
	case SIGHUP:
		worker_watch_reload(&supervisor->watch, now_ms());
		/* For those to come; the others say themselves what is wrong. */
		(void)proc_reload_conf(supervisor->proc);
		signal_all(supervisor, SIGHUP);
		break;
	case DRAIN_SIGNAL:
		/* Of several workers that were told to drain one is enough, and a second
		 * SIGTERM would end them at once. */
		if (supervisor->is_stopping)
			break;
		log_info("workers.draining", "workers=%d", supervisor->n);
		drain_all(supervisor);
		break;
	default:
		if (supervisor->is_stopping)
			end_all(supervisor);
		else
			drain_all(supervisor);
		break;
	}
}

static void signals_take(struct supervisor *supervisor)
{
	sigset_t set;

	(void)sigemptyset(&set); /* these fail for bad arguments only */
	(void)sigaddset(&set, SIGTERM);
	(void)sigaddset(&set, SIGINT);
	(void)sigaddset(&set, SIGHUP);
	(void)sigaddset(&set, SIGCHLD);
	(void)sigaddset(&set, DRAIN_SIGNAL);
	(void)pthread_sigmask(SIG_BLOCK, &set, &supervisor->old_signals); /* ... */
	supervisor->signal_fd = signalfd(-1, &set, SFD_CLOEXEC);
	if (supervisor->signal_fd < 0)
		fail("workers");
}

/* ---- the supervisor's life */

static bool is_anyone_left(const struct supervisor *supervisor)
{
	for (int i = 0; i < supervisor->n; i++) {
		if (supervisor->workers[i].pid > 0)
			return true;
	}
	return false;
}

/* Milliseconds to the next start, look or kill; -1: none is due. */
static int wait_ms(const struct supervisor *supervisor)
{
	const int64_t now = now_ms();
	const int64_t look_ms = worker_watch_wait_ms(&supervisor->watch, now);
	int64_t next = look_ms < 0 ? INT64_MAX : now + look_ms;

	if (supervisor->is_stopping && supervisor->kill_ms < next)
		next = supervisor->kill_ms;
	for (int i = 0; i < supervisor->n && !supervisor->is_stopping; i++) {
		const struct worker *worker = &supervisor->workers[i];

		if (worker->pid == 0 && worker->restart_ms < next)
			next = worker->restart_ms;
	}
	if (next == INT64_MAX)
		return -1;
	return next <= now ? 0 : (int)(next - now);
}

static void wait_once(struct supervisor *supervisor)
{
	struct pollfd fds[WORKERS_MAX + 2];
	nfds_t n = (nfds_t)supervisor->n + 2;

	for (int i = 0; i < supervisor->n; i++)
		fds[i] = (struct pollfd){ .fd = supervisor->workers[i].out,
					  .events = POLLIN };
	fds[n - 2] = (struct pollfd){ .fd = supervisor->watch.in, .events = POLLIN };
	fds[n - 1] = (struct pollfd){ .fd = supervisor->signal_fd, .events = POLLIN };
	if (poll(fds, n, wait_ms(supervisor)) < 0)
		return;
	for (int i = 0; i < supervisor->n; i++) {
		if (fds[i].revents != 0)
			on_output(supervisor, &supervisor->workers[i]);
	}
	/* Words before ends: what is said here was said while its worker lived. */
	worker_watch_read(&supervisor->watch, now_ms());
	worker_watch_look(&supervisor->watch, now_ms());
	if (fds[n - 1].revents != 0)
		on_signal(supervisor);
	kill_late(supervisor);
}

/* Returns in the children only. */
static void supervise(struct proc *proc, struct gateway_conf *conf)
{
	struct supervisor *supervisor = MEM_NEW(struct supervisor);
	int status;

	supervisor->proc = proc;
	supervisor->conf = conf;
	supervisor->n = (int)conf->workers;
	assert(supervisor->n > 1 && supervisor->n <= WORKERS_MAX);
	supervisor->port_fd = worker_port_reserve(conf->listen);
	conf->shared_port = worker_port_number(supervisor->port_fd);
	signals_take(supervisor);
	for (int i = 0; i < supervisor->n; i++)
		supervisor->workers[i].out = -1;
	if (worker_watch_init(&supervisor->watch, proc_notify(proc), supervisor->n,
			      now_ms()) != OK)
		fail("workers");
	while (!supervisor->is_stopping || is_anyone_left(supervisor)) {
		if (spawn_due(supervisor)) {
			mem_free(supervisor);
			return;
		}
		wait_once(supervisor);
	}
	status = supervisor->is_forced ? EXIT_FAILURE : EXIT_SUCCESS;
	log_info("workers.stopped", "workers=%d", supervisor->n);
	mem_free(supervisor);
	exit(status); /* NOLINT(concurrency-mt-unsafe): one thread */
}

void workers_before_loop(struct proc *proc)
{
	struct gateway_conf *conf = proc_conf_edit(proc);
	const char *problem = gateway_conf_problem(conf);

	if (problem[0] != '\0')
		fatal("%s", problem);
	if (conf->is_dev)
		log_warn("gateway.dev_mode",
			 "effect=\"/dev/token makes anybody anyone\"");
	if (conf->token_key_file[0] == '\0')
		log_warn("gateway.token_key_random",
			 "effect=\"connection tokens are good at this gateway alone\"");
	crypto_random(conf->spare_keys, sizeof(conf->spare_keys));
	if (conf->workers > 1)
		supervise(proc, conf);
}

void workers_drain(const struct gateway *gateway)
{
	const pid_t supervisor = gateway->conf->supervisor;

	/* One that is gone has had us drain already. */
	if (supervisor == 0 || getppid() != supervisor ||
	    kill(supervisor, DRAIN_SIGNAL) != 0)
		proc_drain(gateway->proc);
}

void workers_ready(const struct gateway *gateway)
{
	struct buf address = BUF_INIT;
	struct slice host;
	uint16_t port;

	if (gateway_conf_address(gateway->conf->listen, &host, &port))
		return;
	gateway_conf_address_print(&address, host, http_server_port(gateway->server));
	if (gateway->admin)
		proc_ready(gateway->proc, "http=%s admin=%s", address.ptr,
			   health_address(gateway->admin));
	else
		proc_ready(gateway->proc, "http=%s", address.ptr);
	buf_fini(&address);
}
