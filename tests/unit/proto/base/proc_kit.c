/* SPDX-License-Identifier: Apache-2.0 */
/*
 * See proc_kit.h. The child leaves by _exit(): the exit handlers are the test runner's.
 */
#include "tests/unit/proto/base/proc_kit.h"

#include <criterion/criterion.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static int64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

void child_start(struct child *child, const struct proc_ops *ops, ...)
{
	char program[] = "heliograph-test";
	char *argv[8] = { program };
	int argc = 1;
	int out[2];
	int err[2];
	va_list args;

	memset(child, 0, sizeof(*child));
	va_start(args, ops);
	while ((argv[argc] = va_arg(args, char *)))
		argc++;
	va_end(args);
	cr_assert_eq(pipe(out), 0);
	cr_assert_eq(pipe(err), 0);
	child->pid = fork();
	cr_assert_geq(child->pid, 0);
	if (child->pid == 0) {
		dup2(out[1], STDOUT_FILENO);
		dup2(err[1], STDERR_FILENO);
		close(out[0]);
		close(out[1]);
		close(err[0]);
		close(err[1]);
		_exit(proc_main(ops, argc, argv));
	}
	close(out[1]);
	close(err[1]);
	child->out = out[0];
	child->err = err[0];
}

static void text_append(int fd, char *text, size_t size)
{
	size_t len = strlen(text);
	ssize_t n = read(fd, text + len, size - 1 - len);

	if (n > 0)
		text[len + (size_t)n] = '\0';
}

const char *text_nth(const char *text, const char *part, int n)
{
	const char *at = strstr(text, part);

	while (at && --n > 0)
		at = strstr(at + 1, part);
	return at;
}

void child_wait_for(struct child *child, const char *text, const char *part, int n)
{
	int64_t deadline = now_ms() + PROC_KIT_DEADLINE_MS;

	while (!text_nth(text, part, n)) {
		struct pollfd fds[] = { { .fd = child->out, .events = POLLIN },
					{ .fd = child->err, .events = POLLIN } };

		cr_assert_lt(now_ms(), deadline, "no \"%s\" in\n%s%s", part,
			     child->out_text, child->err_text);
		(void)poll(fds, 2, 100);
		if (fds[0].revents)
			text_append(child->out, child->out_text, sizeof(child->out_text));
		if (fds[1].revents)
			text_append(child->err, child->err_text, sizeof(child->err_text));
	}
}

void child_wait_ready(struct child *child)
{
	child_wait_for(child, child->out_text, "\n", 1);
}

int child_wait(struct child *child)
{
	int64_t deadline = now_ms() + PROC_KIT_DEADLINE_MS;
	int status = 0;
	size_t len;

	while (waitpid(child->pid, &status, WNOHANG) == 0) {
		struct pollfd fd = { .fd = child->err, .events = POLLIN };

		if (now_ms() > deadline)
			kill(child->pid, SIGKILL);
		if (poll(&fd, 1, 10) > 0)
			text_append(child->err, child->err_text, sizeof(child->err_text));
	}
	do {
		len = strlen(child->err_text);
		text_append(child->err, child->err_text, sizeof(child->err_text));
	} while (strlen(child->err_text) > len);
	text_append(child->out, child->out_text, sizeof(child->out_text));
	close(child->out);
	close(child->err);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 1000 + WTERMSIG(status);
}
