/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A stderr whose reader stands still: the pipe is full, and the loop must not hang with
 * it.
 */
#include <criterion/criterion.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <unistd.h>

#include "proto/base/log.h"

static int read_fd = -1;
static int saved_stderr = -1;
static char captured[1 << 18];

static void set_up(void)
{
	int fds[2];

	cr_assert_eq(pipe(fds), 0);
	saved_stderr = dup(STDERR_FILENO);
	cr_assert_geq(dup2(fds[1], STDERR_FILENO), 0);
	close(fds[1]);
	read_fd = fds[0];
	cr_assert_eq(fcntl(read_fd, F_SETFL, O_NONBLOCK), 0);
}

static void tear_down(void)
{
	dup2(saved_stderr, STDERR_FILENO);
	close(saved_stderr);
	close(read_fd);
}

TestSuite(log_full, .init = set_up, .fini = tear_down, .timeout = 20);

/* Until the pipe is empty; what came last stays in `captured`. */
static void drain(void)
{
	ssize_t n;

	memset(captured, 0, sizeof(captured));
	do {
		n = read(read_fd, captured, sizeof(captured) - 1);
	} while (n > 0);
}

static void fill(void)
{
	const char block[PIPE_BUF] = { 0 };
	int flags = fcntl(STDERR_FILENO, F_GETFL);

	cr_assert_eq(fcntl(STDERR_FILENO, F_SETFL, flags | O_NONBLOCK), 0);
	while (write(STDERR_FILENO, block, sizeof(block)) > 0)
		;
	cr_assert_eq(fcntl(STDERR_FILENO, F_SETFL, flags), 0);
}

Test(log_full, it_costs_lines_and_no_time)
{
	fill();
	log_info("full.pipe", "k=%d", 1);
	log_info("full.pipe", "k=%d", 2);
	drain();
	log_info("full.pipe", "k=%d", 3);
	drain();
	cr_expect_not_null(strstr(captured, " event=full.pipe k=3 dropped=2\n"));
}

Test(log_full, what_was_told_is_not_told_again)
{
	fill();
	log_info("full.pipe", "k=%d", 1);
	drain();
	log_info("full.pipe", "k=%d", 2);
	log_info("full.pipe", "k=%d", 3);
	drain();
	cr_expect_not_null(strstr(captured, "k=2 dropped=1\n"));
	cr_expect_not_null(strstr(captured, "k=3\n"));
}
