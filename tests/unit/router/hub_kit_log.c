/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the router logs, read from a file in place of stderr: each test is a process of
 * its own, so there is one.
 */
#include <stdio.h>
#include <unistd.h>

#include "proto/base/log.h"
#include "tests/unit/router/hub_kit.h"

static FILE *logged;

void kit_open_log(void)
{
	cr_assert_null(logged);
	logged = tmpfile();
	cr_assert_not_null(logged);
	cr_assert_neq(dup2(fileno(logged), STDERR_FILENO), -1);
	log_open(LOG_LOGFMT, LOG_INFO, "r1");
}

bool kit_log_is_open(void)
{
	return logged != NULL;
}

const char *kit_logged(struct kit *kit)
{
	struct buf text = BUF_INIT;
	const off_t end = lseek(fileno(logged), 0, SEEK_CUR);
	const char *copy;
	ssize_t n;

	cr_assert_geq(end, 0);
	n = pread(fileno(logged), buf_reserve(&text, (size_t)end + 1), (size_t)end, 0);
	cr_assert_eq(n, end);
	text.len = (size_t)n;
	copy = arena_dup(&kit->arena, buf_slice(&text)).ptr;
	buf_fini(&text);
	return copy;
}
