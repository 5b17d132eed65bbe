/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Handlers are the process's, so what they need to know is the one global here: texts
 * that are whole before the step begins. stdout is buffered by lines, so what is written
 * past it stands where it belongs.
 */
#include "router/hubtest/guard.h"

#include <signal.h>
#include <unistd.h>

#include "proto/base/buf.h"

static struct {
	struct buf
		line; /* the step; both are owned, and never freed: handlers read them */
	struct buf late; /* what is said of a method that does not come back */
	bool is_shown;
	unsigned patience;
} guard;

static void tell(const struct buf *text)
{
	/* Nobody is left who could be told that it did not work. */
	if (write(STDOUT_FILENO, text->ptr, text->len) < 0)
		return;
}

static void on_alarm(int signo)
{
	(void)signo;
	guard_show();
	tell(&guard.late);
	_exit(1);
}

void guard_step(const char *path, size_t line_no, struct slice command, bool is_shown)
{
	buf_clear(&guard.line);
	buf_appendf(&guard.line, "%s:%zu: %.*s\n", path, line_no, SLICE_FMT(command));
	buf_clear(&guard.late);
	buf_appendf(&guard.late,
		    "  a method has gone on for %u s and does not come back\n"
		    "%s: stopped\n",
		    guard.patience, path);
	guard.is_shown = is_shown;
}

void guard_patience(unsigned seconds)
{
	struct sigaction action = { .sa_handler = on_alarm };

	guard.patience = seconds;
	(void)sigemptyset(&action.sa_mask);
	(void)sigaction(SIGALRM, &action, NULL); /* it is a signal that there is */
}

void guard_begin(void)
{
	(void)alarm(guard.patience);
}

void guard_rest(void)
{
	(void)alarm(0);
}

void guard_show(void)
{
	if (!guard.is_shown)
		tell(&guard.line);
	guard.is_shown = true;
}
