/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is read, how much of it, and what is no file at all.
 */
#include "proto/base/file.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char folder[64];
static const char *problem;

struct path {
	char text[128];
};

static struct path path_of(const char *name)
{
	struct path path;

	(void)snprintf(path.text, sizeof(path.text), "%s/%s", folder, name);
	return path;
}

static void put(const char *name, size_t bytes)
{
	const int fd = open(path_of(name).text, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	cr_assert_geq(fd, 0);
	cr_assert_eq(ftruncate(fd, (off_t)bytes), 0);
	cr_assert_eq(close(fd), 0);
}

static void setup(void)
{
	(void)snprintf(folder, sizeof(folder), "/tmp/heliograph-file.XXXXXX");
	cr_assert_not_null(mkdtemp(folder));
	problem = "not said";
}

static void teardown(void)
{
	char command[96];

	(void)snprintf(command, sizeof(command), "rm -r %s", folder);
	cr_expect_eq(system(command), 0);
}

/* Whoever waited for a pipe's other end would be ended by the timeout. */
TestSuite(file, .init = setup, .fini = teardown, .timeout = 60);

static void expect_refused(const char *path, const char *why)
{
	struct stat status;

	cr_expect_eq(file_open(path, &status, &problem), -1, "%s", path);
	cr_expect_str_eq(problem, why, "%s", path);
	cr_expect_eq(file_check(path, 1, &problem), ERR_IO, "%s", path);
	cr_expect_str_eq(problem, why, "%s", path);
}

Test(file, what_is_no_regular_file_is_refused_at_once)
{
	cr_assert_eq(mkfifo(path_of("pipe").text, 0600), 0);
	cr_assert_eq(symlink("pipe", path_of("link").text), 0);
	expect_refused(path_of("pipe").text, "not a regular file");
	expect_refused(path_of("link").text, "not a regular file");
	expect_refused(folder, "not a regular file");
	expect_refused("/dev/zero", "not a regular file");
}

Test(file, what_cannot_be_opened_is_told)
{
	cr_assert_eq(symlink("nowhere", path_of("link").text), 0);
	cr_assert_eq(symlink("round", path_of("round").text), 0);
	expect_refused(path_of("none").text, "No such file or directory");
	expect_refused(path_of("link").text, "No such file or directory");
	expect_refused(path_of("round").text, "Too many levels of symbolic links");
}

static enum err read_up_to(const char *name, size_t bytes_max, struct buf *bytes)
{
	struct stat status;
	const int fd = file_open(path_of(name).text, &status, &problem);
	enum err rc;

	cr_assert_geq(fd, 0, "%s", problem);
	cr_expect_null(problem);
	rc = file_read(fd, bytes_max, bytes, &problem);
	cr_assert_eq(close(fd), 0);
	return rc;
}

/* ..data leads to a folder, and a key's path through it. */
Test(file, links_are_followed)
{
	struct buf bytes = BUF_INIT;

	cr_assert_eq(mkdir(path_of("v1").text, 0700), 0);
	cr_assert_eq(symlink("v1", path_of("..data").text), 0);
	cr_assert_eq(symlink("..data/key", path_of("key").text), 0);
	put("v1/key", 7);
	cr_expect_eq(read_up_to("key", 7, &bytes), OK);
	cr_expect_eq(bytes.len, 7);
	buf_fini(&bytes);
}

Test(file, it_is_read_up_to_its_limit_and_no_further)
{
	struct buf bytes = BUF_INIT;

	buf_append_str(&bytes, "before");
	put("long", 100000);
	cr_expect_eq(read_up_to("long", 99999, &bytes), ERR_LIMIT);
	cr_expect_str_eq(problem, "too long");
	cr_expect_eq(bytes.len, 6, "nothing was added");
	cr_expect_eq(file_check(path_of("long").text, 99999, &problem), ERR_LIMIT);
	cr_expect_eq(file_check(path_of("long").text, 100000, &problem), OK);
	cr_expect_eq(read_up_to("long", 100000, &bytes), OK);
	cr_expect_null(problem);
	cr_expect_eq(bytes.len, 100006);
	cr_expect_eq(memcmp(bytes.ptr, "before\0", 7), 0);
	put("empty", 0);
	cr_expect_eq(read_up_to("empty", 0, &bytes), OK);
	cr_expect_eq(bytes.len, 100006);
	buf_fini(&bytes);
}
