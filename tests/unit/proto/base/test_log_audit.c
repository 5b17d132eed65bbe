/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Lines that are never held back for their number.
 */
#include <criterion/criterion.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "proto/base/log.h"

#define LINES (LOG_BURST * 5)

static int read_fd = -1;
static int saved_stderr = -1;
static char captured[65536];

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

TestSuite(log_audit, .init = set_up, .fini = tear_down, .timeout = 20);

static int lines_n(void)
{
	ssize_t n = read(read_fd, captured, sizeof(captured) - 1);
	int lines = 0;

	captured[n > 0 ? n : 0] = '\0';
	for (const char *at = captured; (at = strchr(at, '\n')) != NULL; at++)
		lines++;
	return lines;
}

Test(log_audit, no_line_is_held_back)
{
	for (int i = 0; i < LINES; i++)
		log_audit("audit.test", "i=%d", i);
	cr_expect_eq(lines_n(), LINES);
	cr_expect_not_null(strstr(captured, "level=info event=audit.test i=99\n"));
}

Test(log_audit, a_level_above_info_leaves_it_out)
{
	log_open(LOG_LOGFMT, LOG_WARN, "t");
	log_audit("audit.test", "%s", "");
	cr_expect_eq(lines_n(), 0);
}
