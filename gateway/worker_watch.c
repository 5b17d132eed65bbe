/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One pair of sockets for all workers; a datagram begins with its sender's pid, so that
 * the last words of one that is gone are not taken for its successor's.
 */
#include "gateway/worker_watch.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "proto/base/log.h"
#include "proto/base/slice.h"

/* In one go; the rest is read in the next turn. */
#define READS_MAX 1024

enum err worker_watch_init(struct worker_watch *watch, struct notify *notify, int n,
			   int64_t now_ms)
{
	int ends[2];

	assert(n > 0 && n <= WORKERS_MAX);
	*watch = (struct worker_watch){ .notify = notify, .n = n, .in = -1, .out = -1 };
	watch->due_ms = watch->looked_ms = now_ms;
	if (!notify_is_heard(notify))
		return OK;
	if (socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends) != 0)
		return ERR_IO;
	watch->in = ends[0];
	watch->out = ends[1];
	return OK;
}

void worker_watch_fini(struct worker_watch *watch)
{
	if (watch->in >= 0)
		(void)close(watch->in); /* only read from */
	if (watch->out >= 0)
		(void)close(watch->out); /* its datagrams are the workers' */
	watch->in = watch->out = -1;
}

void worker_watch_become(struct worker_watch *watch)
{
	if (watch->in < 0)
		return;
	notify_to_supervisor(watch->notify, watch->out);
	watch->out = -1;
	worker_watch_fini(watch);
}

/* ---- what the supervisor knows */

static void set_not_ready(struct worker_word *word, struct slice why)
{
	const size_t len =
		why.len < sizeof(word->not_ready) ? why.len : sizeof(word->not_ready) - 1;

	if (len > 0)
		memcpy(word->not_ready, why.ptr, len);
	word->not_ready[len] = '\0';
}

static void reload_look(struct worker_watch *watch)
{
	if (!watch->is_reloading)
		return;
	for (int i = 0; i < watch->n; i++) {
		if (watch->words[i].is_reloading)
			return;
	}
	watch->is_reloading = false;
	notify_ready(watch->notify);
}

void worker_watch_begun(struct worker_watch *watch, int index, pid_t pid)
{
	watch->words[index] = (struct worker_word){ .pid = pid };
	set_not_ready(&watch->words[index], SLICE("a worker starts"));
}

void worker_watch_ended(struct worker_watch *watch, int index)
{
	worker_watch_begun(watch, index, 0);
	reload_look(watch);
}

void worker_watch_ready(struct worker_watch *watch)
{
	watch->is_ready = true;
}

/* Before all are there nothing is said: READY would tell the manager that they are. */
void worker_watch_reload(struct worker_watch *watch, int64_t now_ms)
{
	if (watch->in < 0 || watch->is_draining || !watch->is_ready)
		return;
	worker_watch_read(watch, now_ms);
	notify_reloading(watch->notify);
	watch->is_reloading = true;
	/* Who has not begun to turn reads it when it does. */
	for (int i = 0; i < watch->n; i++)
		watch->words[i].is_reloading = watch->words[i].heard_ms != 0;
	reload_look(watch);
}

void worker_watch_drain(struct worker_watch *watch, int64_t drain_ms)
{
	watch->is_draining = true;
	watch->is_reloading = false;
	watch->due_ms = watch->looked_ms;
	notify_stopping(watch->notify, drain_ms);
}

/* ---- what workers say */

static struct worker_word *word_of(struct worker_watch *watch, int64_t pid)
{
	for (int i = 0; i < watch->n; i++) {
		if (pid > 0 && watch->words[i].pid == pid)
			return &watch->words[i];
	}
	return NULL;
}

static void take_line(struct worker_word *word, struct slice line)
{
	const struct slice name = slice_cut(&line, '=');

	if (slice_equal(name, SLICE("READY")))
		word->is_reloading = false;
	else if (slice_equal(name, SLICE("X_CONNECTIONS"))) {
		if (slice_to_int64(line, &word->connections) != OK)
			word->connections = 0;
	} else if (slice_equal(name, SLICE("X_NOT_READY")))
		set_not_ready(word, line);
}

static void take(struct worker_watch *watch, struct slice text, int64_t now_ms)
{
	struct slice line = slice_cut(&text, '\n');
	struct worker_word *word;
	int64_t pid = 0;

	if (!slice_equal(slice_cut(&line, '='), SLICE("X_PID")) ||
	    slice_to_int64(line, &pid) != OK)
		return;
	word = word_of(watch, pid);
	if (word == NULL)
		return;
	word->heard_ms = now_ms;
	while (text.ptr != NULL)
		take_line(word, slice_cut(&text, '\n'));
}

void worker_watch_read(struct worker_watch *watch, int64_t now_ms)
{
	char text[2 * NOTIFY_TEXT_BYTES];
	ssize_t n;

	if (watch->in < 0)
		return;
	for (int i = 0; i < READS_MAX; i++) {
		n = recv(watch->in, text, sizeof(text), 0);
		if (n < 0)
			break;
		take(watch, slice_make(text, (size_t)n), now_ms);
	}
	reload_look(watch);
}

/* ---- what the manager is told */

static void tell(struct worker_watch *watch, int64_t now_ms)
{
	struct proc_status status = { .connections = 0 };

	for (int i = 0; i < watch->n; i++) {
		const struct worker_word *word = &watch->words[i];

		status.connections += word->connections;
		if (word->not_ready[0] != '\0')
			status.not_ready = word->not_ready;
	}
	watch->due_ms = now_ms + notify_beat(watch->notify, &status, watch->is_draining);
}

/* SIGABRT leaves a core to look at; a process that is stopped takes SIGKILL only. */
static void end_silent(struct worker_watch *watch, int index, int64_t now_ms)
{
	const int64_t allowed_ms = watch->notify->watchdog_ms;
	struct worker_word *word = &watch->words[index];
	const int64_t silent_ms = now_ms - word->heard_ms;

	if (word->pid == 0 || word->heard_ms == 0 || silent_ms <= allowed_ms)
		return;
	if (!word->is_aborted) {
		log_error("workers.stuck", "worker=%d silent_ms=%" PRId64, index,
			  silent_ms);
		word->is_aborted = true;
		(void)kill(word->pid, SIGABRT); /* it may have ended by now */
	} else if (silent_ms > 2 * allowed_ms) {
		(void)kill(word->pid, SIGKILL); /* ... */
	}
}

/* Whoever stood still itself has not heard, which says nothing about the others. */
static void forgive(struct worker_watch *watch, int64_t now_ms)
{
	for (int i = 0; i < watch->n; i++) {
		if (watch->words[i].heard_ms != 0)
			watch->words[i].heard_ms = now_ms;
	}
}

int64_t worker_watch_wait_ms(const struct worker_watch *watch, int64_t now_ms)
{
	if (watch->in < 0)
		return -1;
	return watch->due_ms > now_ms ? watch->due_ms - now_ms : 0;
}

void worker_watch_look(struct worker_watch *watch, int64_t now_ms)
{
	if (watch->in < 0 || now_ms < watch->due_ms)
		return;
	tell(watch, now_ms);
	if (watch->notify->watchdog_ms == 0)
		return;
	if (now_ms - watch->looked_ms > watch->notify->watchdog_ms)
		forgive(watch, now_ms);
	watch->looked_ms = now_ms;
	for (int i = 0; i < watch->n; i++)
		end_silent(watch, i, now_ms);
}
