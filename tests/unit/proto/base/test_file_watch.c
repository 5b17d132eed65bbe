/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Files that change under a watch: in place, by a new file of their name, and by a
 * symbolic link that leads elsewhere, as Kubernetes does it.
 */
#include "proto/base/file_watch.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define INTERVAL_MS 5
#define WAIT_MS 20000

static struct loop *loop;
static struct file_watch *watch;
static char folder[64];
static unsigned told;
static char told_path[128];

static void on_change(void *owner, const char *path)
{
	cr_expect_eq(owner, &told);
	told++;
	(void)snprintf(told_path, sizeof(told_path), "%s", path);
}

static void setup(void)
{
	(void)snprintf(folder, sizeof(folder), "/tmp/heliograph-watch.XXXXXX");
	cr_assert_not_null(mkdtemp(folder));
	loop = loop_new();
	watch = file_watch_new(loop, on_change, &told);
	told = 0;
}

static void teardown(void)
{
	char command[96];

	file_watch_free(watch);
	loop_free(loop);
	(void)snprintf(command, sizeof(command), "rm -r %s", folder);
	cr_expect_eq(system(command), 0);
}

TestSuite(file_watch, .init = setup, .fini = teardown, .timeout = 100);

/* ---- files */

struct path {
	char text[128];
};

static struct path path_of(const char *name)
{
	struct path path;

	(void)snprintf(path.text, sizeof(path.text), "%s/%s", folder, name);
	return path;
}

static void put(const char *name, const char *text)
{
	const int fd = open(path_of(name).text, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	cr_assert_geq(fd, 0);
	cr_assert_eq(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	cr_assert_eq(close(fd), 0);
}

static void put_anew(const char *name, const char *text)
{
	put("made", text);
	cr_assert_eq(rename(path_of("made").text, path_of(name).text), 0);
}

static void lead(const char *name, const char *to)
{
	cr_assert_eq(symlink(to, path_of("link").text), 0);
	cr_assert_eq(rename(path_of("link").text, path_of(name).text), 0);
}

static void wait_told(unsigned n)
{
	const int64_t end_ms = loop_now_ms(loop) + WAIT_MS;

	while (told < n && loop_now_ms(loop) < end_ms)
		loop_turn(loop, 50);
	cr_expect_eq(told, n);
}

/* As long as several looks take; a change would have been told. */
static void expect_quiet(void)
{
	const unsigned before = told;
	const int64_t end_ms = loop_now_ms(loop) + 20 * INTERVAL_MS;

	while (loop_now_ms(loop) < end_ms)
		loop_turn(loop, INTERVAL_MS);
	cr_expect_eq(told, before);
}

/* ---- */

Test(file_watch, a_file_that_is_written_to_is_told)
{
	put("key", "one");
	file_watch_add(watch, path_of("key").text);
	file_watch_set_interval(watch, INTERVAL_MS);
	expect_quiet();
	put("key", "two!");
	wait_told(1);
	cr_expect_str_eq(told_path, path_of("key").text);
	expect_quiet();
}

Test(file_watch, another_file_of_its_name_is_told)
{
	put("key", "one");
	file_watch_add(watch, path_of("key").text);
	file_watch_set_interval(watch, INTERVAL_MS);
	put_anew("key", "two");
	wait_told(1);
	put_anew("key", "one");
	wait_told(2);
}

/* ..data leads to a folder; a key's path goes through it. */
Test(file_watch, a_folder_that_is_swapped_underneath_is_told)
{
	cr_assert_eq(mkdir(path_of("v1").text, 0700), 0);
	cr_assert_eq(mkdir(path_of("v2").text, 0700), 0);
	put("v1/key", "same");
	put("v2/key", "same");
	lead("..data", "v1");
	lead("key", "..data/key");
	file_watch_add(watch, path_of("key").text);
	file_watch_set_interval(watch, INTERVAL_MS);
	expect_quiet();
	lead("..data", "v2");
	wait_told(1);
}

Test(file_watch, a_file_that_goes_and_comes_is_told)
{
	put("key", "one");
	file_watch_add(watch, path_of("key").text);
	file_watch_set_interval(watch, INTERVAL_MS);
	cr_assert_eq(unlink(path_of("key").text), 0);
	wait_told(1);
	expect_quiet();
	put("key", "one");
	wait_told(2);
}

Test(file_watch, several_changes_at_once_are_told_once)
{
	put("cert", "one");
	put("key", "one");
	file_watch_add(watch, path_of("cert").text);
	file_watch_add(watch, path_of("key").text);
	file_watch_set_interval(watch, INTERVAL_MS);
	put_anew("key", "two");
	put_anew("cert", "two");
	wait_told(1);
	expect_quiet();
}

Test(file_watch, what_never_stands_still_is_told_all_the_same)
{
	char text[32];

	put("key", "0");
	file_watch_add(watch, path_of("key").text);
	file_watch_set_interval(watch, INTERVAL_MS);
	for (int i = 0; told == 0; i++) {
		cr_assert_lt(i, 100000);
		(void)snprintf(text, sizeof(text), "%d", i);
		put_anew("key", text);
		loop_turn(loop, 50);
	}
}

Test(file_watch, what_was_noted_is_not_told)
{
	put("key", "one");
	file_watch_add(watch, path_of("key").text);
	put_anew("key", "two");
	file_watch_note(watch);
	file_watch_set_interval(watch, INTERVAL_MS);
	expect_quiet();
}

Test(file_watch, an_interval_of_0_is_none)
{
	put("key", "one");
	file_watch_add(watch, path_of("key").text);
	file_watch_set_interval(watch, INTERVAL_MS);
	file_watch_set_interval(watch, 0);
	put_anew("key", "two");
	expect_quiet();
	file_watch_set_interval(watch, INTERVAL_MS);
	wait_told(1);
}

/* A list that is made anew: what stays is known as it was, what is new as it is. */
Test(file_watch, only_those_on_the_list_are_told)
{
	put("kept", "one");
	put("gone", "one");
	put("new", "one");
	file_watch_add(watch, path_of("kept").text);
	file_watch_add(watch, path_of("gone").text);
	put_anew("new", "two");
	file_watch_begin(watch);
	file_watch_add(watch, path_of("kept").text);
	file_watch_add(watch, path_of("new").text);
	file_watch_end(watch);
	file_watch_set_interval(watch, INTERVAL_MS);
	put_anew("gone", "two");
	expect_quiet();
	put_anew("kept", "two");
	wait_told(1);
	cr_expect_str_eq(told_path, path_of("kept").text);
	put_anew("new", "three");
	wait_told(2);
	cr_expect_str_eq(told_path, path_of("new").text);
}

Test(file_watch, it_has_a_limit)
{
	char name[32];

	for (int i = 0; i <= FILE_WATCH_MAX; i++) {
		(void)snprintf(name, sizeof(name), "f%d", i);
		put(name, "one");
		cr_expect_eq(file_watch_add(watch, path_of(name).text),
			     i < FILE_WATCH_MAX);
	}
	file_watch_set_interval(watch, INTERVAL_MS);
	(void)snprintf(name, sizeof(name), "f%d", FILE_WATCH_MAX);
	put_anew(name, "two");
	expect_quiet();
	(void)snprintf(name, sizeof(name), "f%d", FILE_WATCH_MAX - 1);
	put_anew(name, "two");
	wait_told(1);
}

/* Those of the list before do not count, be they twice as many together. */
Test(file_watch, a_list_that_is_made_anew_has_the_limit_to_itself)
{
	char name[32];

	for (int list = 0; list < 3; list++) {
		file_watch_begin(watch);
		for (int i = 0; i <= FILE_WATCH_MAX; i++) {
			(void)snprintf(name, sizeof(name), "l%df%d", list, i);
			put(name, "one");
			cr_expect_eq(file_watch_add(watch, path_of(name).text),
				     i < FILE_WATCH_MAX, "%s", name);
		}
		file_watch_end(watch);
	}
	file_watch_set_interval(watch, INTERVAL_MS);
	put_anew("l1f0", "two");
	expect_quiet();
	put_anew("l2f0", "two");
	wait_told(1);
}

/* One that was on the list is no exception once the list is full of others. */
Test(file_watch, one_of_the_list_before_may_find_no_room)
{
	char name[32];

	put("old", "one");
	cr_expect(file_watch_add(watch, path_of("old").text));
	file_watch_begin(watch);
	for (int i = 0; i < FILE_WATCH_MAX; i++) {
		(void)snprintf(name, sizeof(name), "f%d", i);
		cr_expect(file_watch_add(watch, path_of(name).text));
	}
	cr_expect_not(file_watch_add(watch, path_of("old").text));
	cr_expect(file_watch_add(watch, path_of("f0").text));
	file_watch_end(watch);
	file_watch_set_interval(watch, INTERVAL_MS);
	put_anew("old", "two");
	expect_quiet();
}
