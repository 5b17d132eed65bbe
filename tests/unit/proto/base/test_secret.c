/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Files with secrets: whose they may be, what may be in them, and what happens when they
 * are read again.
 */
#include "proto/base/secret.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define K1 "0123456789abcdef0123456789abcde1"
#define K2 "0123456789abcdef0123456789abcde2"
#define K3 "0123456789abcdef0123456789abcde3"
#define K4 "0123456789abcdef0123456789abcde4"

static char path[64];
static struct secrets secrets;

static void file_write(struct slice bytes)
{
	const int fd = open(path, O_WRONLY | O_TRUNC);

	cr_assert_geq(fd, 0);
	cr_assert_eq(write(fd, bytes.ptr, bytes.len), (ssize_t)bytes.len);
	cr_assert_eq(close(fd), 0);
}

static void setup(void)
{
	int fd;

	(void)snprintf(path, sizeof(path), "/tmp/heliograph-secret.XXXXXX");
	fd = mkstemp(path);
	cr_assert_geq(fd, 0);
	cr_assert_eq(close(fd), 0);
	secrets = SECRETS_INIT;
}

static void teardown(void)
{
	secrets_fini(&secrets);
	cr_expect_eq(unlink(path), 0);
}

TestSuite(secret, .init = setup, .fini = teardown, .timeout = 60);

/* ---- lines */

/* How many there are; 0: the file was refused, for `problem`. */
static size_t lines_in(const char *text, const char *problem)
{
	const char *why = NULL;
	enum err rc;

	file_write(slice_from_str(text));
	secrets_fini(&secrets);
	rc = secrets_load(&secrets, path, SECRET_BYTES_MIN, &why);
	if (rc == OK) {
		cr_expect_null(why, "%s", text);
		return secrets.n;
	}
	cr_expect_not_null(strstr(why, problem), "%s: %s", text, why);
	return 0;
}

Test(secret, a_file_has_one_to_three)
{
	cr_expect_eq(lines_in(K1, ""), 1);
	cr_expect(slice_equal(secrets.items[0], SLICE(K1)));
	cr_expect_eq(lines_in(K1 "\n" K2 "\n", ""), 2);
	cr_expect(slice_equal(secrets.items[1], SLICE(K2)));
	cr_expect_eq(lines_in("\n" K1 "\r\n\n" K2 "\n" K3 "\n\n", ""), 3);
	cr_expect(slice_equal(secrets.items[0], SLICE(K1)));
	cr_expect(slice_equal(secrets.items[2], SLICE(K3)));
	cr_expect_eq(lines_in(K1 "\n" K2 "\n" K3 "\n" K4, "more than three lines"), 0);
	cr_expect_eq(lines_in("", "empty"), 0);
	cr_expect_eq(lines_in("\r\n\n", "empty"), 0);
}

Test(secret, a_line_has_its_limits)
{
	char text[SECRET_BYTES_MAX + 2];

	memset(text, 'x', sizeof(text));
	text[SECRET_BYTES_MIN] = '\0';
	cr_expect_eq(lines_in(text, ""), 1);
	text[SECRET_BYTES_MIN - 1] = '\0';
	cr_expect_eq(lines_in(text, "fewer than 32"), 0);
	text[SECRET_BYTES_MIN - 1] = text[SECRET_BYTES_MIN] = 'x';
	text[SECRET_BYTES_MAX] = '\0';
	cr_expect_eq(lines_in(text, ""), 1);
	text[SECRET_BYTES_MAX] = 'x';
	text[SECRET_BYTES_MAX + 1] = '\0';
	cr_expect_eq(lines_in(text, "more than 4096"), 0);
}

Test(secret, three_that_are_as_long_as_may_be_fit)
{
	struct buf text = BUF_INIT;
	const char *why = NULL;

	for (int i = 0; i < SECRET_LINES_MAX; i++) {
		memset(buf_reserve(&text, SECRET_BYTES_MAX), 'a' + i, SECRET_BYTES_MAX);
		text.len += SECRET_BYTES_MAX;
		buf_append_str(&text, "\r\n");
	}
	file_write(buf_slice(&text));
	cr_expect_eq(secrets_load(&secrets, path, SECRET_BYTES_MIN, &why), OK);
	cr_expect_eq(secrets.n, SECRET_LINES_MAX);
	secrets_fini(&secrets);
	while (text.len < SECRETS_FILE_BYTES_MAX)
		buf_append_byte(&text, '\n');
	file_write(buf_slice(&text));
	cr_expect_eq(secrets_load(&secrets, path, SECRET_BYTES_MIN, &why), OK);
	secrets_fini(&secrets);
	buf_append_byte(&text, '\n');
	file_write(buf_slice(&text));
	cr_expect_eq(secrets_load(&secrets, path, SECRET_BYTES_MIN, &why), ERR_LIMIT);
	cr_expect_str_eq(why, "too long");
	buf_fini(&text);
}

/* Bytes of a generator look like lines now and then: better none than half of one. */
Test(secret, it_is_text)
{
	cr_expect_eq(lines_in("0123456789abcdef0123456789abcde\t", "control"), 0);
	cr_expect_eq(lines_in("0123456789abcdef\x01"
			      "0123456789abcdef0",
			      "control"),
		     0);
	cr_expect_eq(lines_in("0123456789abcdef0123456789abcdef\x7f", "control"), 0);
	cr_expect_eq(lines_in("0123456789abcdef 0123456789 \xc3\xbc def", ""), 1);
	file_write(SLICE("0123456789abcdef\0000123456789abcdef"));
	cr_expect_eq(secrets_load(&secrets, path, 1, &(const char *){ NULL }),
		     ERR_ARGUMENT);
}

/* ---- whose file */

Test(secret, others_may_not_read_it)
{
	const mode_t refused[] = { 0604, 0602, 0601, 0640, 0620, 0610 };
	const char *why = NULL;

	file_write(SLICE(K1));
	for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
		cr_assert_eq(chmod(path, refused[i]), 0);
		cr_expect_eq(secrets_load(&secrets, path, SECRET_BYTES_MIN, &why),
			     ERR_DENIED, "%o", refused[i]);
		cr_expect_str_eq(why, "others may read it; chmod 600 it");
	}
	cr_assert_eq(chmod(path, 0600), 0);
	cr_expect_eq(secrets_load(&secrets, path, SECRET_BYTES_MIN, &why), OK);
}

static bool is_open(uid_t owner, mode_t mode)
{
	const struct stat status = { .st_uid = owner, .st_mode = S_IFREG | mode };

	return secret_is_open(&status);
}

static void expect_only_roots_may_be_our_groups(void)
{
	cr_expect_not(is_open(0, 0440));
	cr_expect_not(is_open(0, 0640));
	cr_expect(is_open(0, 0460));
	cr_expect(is_open(0, 0444));
	cr_expect(is_open(4321, 0640), "another user's, and his group's");
	cr_expect_not(is_open(4321, 0600));
	cr_expect(is_open(geteuid(), 0440));
}

Test(secret, roots_file_may_be_our_groups)
{
	const uid_t self = geteuid();

	if (self == 0)
		cr_assert_eq(seteuid(1234), 0);
	expect_only_roots_may_be_our_groups();
	cr_assert_eq(seteuid(self), 0);
}

Test(secret, root_needs_no_group)
{
	if (geteuid() != 0)
		cr_skip_test("not root");
	cr_expect(is_open(0, 0640));
	cr_expect(is_open(4321, 0640));
	cr_expect_not(is_open(4321, 0600));
}

Test(secret, a_path_that_is_no_file_is_no_wait)
{
	const char *why = NULL;
	char fifo[96];

	(void)snprintf(fifo, sizeof(fifo), "%s.fifo", path);
	cr_assert_eq(mkfifo(fifo, 0600), 0);
	cr_expect_eq(secrets_load(&secrets, fifo, SECRET_BYTES_MIN, &why), ERR_IO);
	cr_expect_str_eq(why, "not a regular file");
	cr_expect_eq(unlink(fifo), 0);
	cr_expect_eq(secrets_load(&secrets, "/nowhere", 1, &why), ERR_IO);
	cr_expect_str_eq(why, "No such file or directory");
}

/* ---- at start-up */

Test(secret, a_good_one_is_read)
{
	file_write(SLICE(K1 "\n"));
	secrets_read(&secrets, "link_key_file", path);
	cr_expect_eq(secrets.n, 1);
}

Test(secret, a_bad_one_ends_the_program, .exit_code = 1)
{
	file_write(SLICE("short"));
	secrets_read(&secrets, "link_key_file", path);
}

/* ---- again */

static bool reload_changes(const char *text, enum err want)
{
	bool is_changed = true;

	file_write(slice_from_str(text));
	cr_expect_eq(secrets_reload(&secrets, "link_key_file", path, SECRET_BYTES_MIN,
				    &is_changed),
		     want, "%s", text);
	return is_changed;
}

Test(secret, what_is_new_takes_the_place_of_what_was)
{
	cr_expect(reload_changes(K1, OK));
	cr_expect_not(reload_changes(K1 "\n", OK));
	cr_expect(reload_changes(K1 "\n" K2, OK));
	cr_expect(reload_changes(K2 "\n" K1, OK));
	cr_expect(slice_equal(secrets.items[0], SLICE(K2)));
	cr_expect(reload_changes(K2, OK));
	cr_expect_eq(secrets.n, 1);
}

Test(secret, what_will_not_do_leaves_what_was)
{
	cr_expect(reload_changes(K1 "\n" K2, OK));
	cr_expect_not(reload_changes("", ERR_ARGUMENT));
	cr_expect_not(reload_changes("short", ERR_ARGUMENT));
	cr_assert_eq(chmod(path, 0644), 0);
	cr_expect_not(reload_changes(K3, ERR_DENIED));
	cr_expect_eq(secrets.n, 2);
	cr_expect(slice_equal(secrets.items[0], SLICE(K1)));
	cr_expect(slice_equal(secrets.items[1], SLICE(K2)));
}

Test(secret, a_copy_outlives_what_it_is_of)
{
	struct secrets copy = SECRETS_INIT;

	cr_expect(reload_changes(K1 "\n" K2 "\n" K3, OK));
	secrets_copy(&copy, &secrets);
	secrets_fini(&secrets);
	cr_expect_eq(copy.n, 3);
	cr_expect(slice_equal(copy.items[0], SLICE(K1)));
	cr_expect(slice_equal(copy.items[2], SLICE(K3)));
	secrets_copy(&copy, &SECRETS_OF(SLICE(K4)));
	cr_expect_eq(copy.n, 1);
	cr_expect(slice_equal(copy.items[0], SLICE(K4)));
	secrets_fini(&copy);
}

/* ---- told apart */

/* printf '%s\n' KEY... | sha256sum */
Test(secret, a_fingerprint_is_what_sha256sum_says)
{
	cr_expect_eq(secrets_fingerprint(&secrets), 0);
	cr_expect(reload_changes("\n" K1 "\r\n", OK));
	cr_expect_eq(secrets_fingerprint(&secrets), 0x1d813edf);
	cr_expect(reload_changes(K1 "\n" K2, OK));
	cr_expect_eq(secrets_fingerprint(&secrets), 0xee25067c);
	cr_expect(reload_changes(K2 "\n" K1, OK));
	cr_expect_eq(secrets_fingerprint(&secrets), 0xb4425a42);
}

/* printf '%s\n' KEY PASSWORD... | sha256sum */
Test(secret, a_fingerprint_may_be_one_for_those_who_have_a_key)
{
	cr_expect_eq(secrets_fingerprint_keyed(&secrets, SLICE(K1)), 0);
	cr_expect(reload_changes(K2, OK));
	cr_expect_eq(secrets_fingerprint_keyed(&secrets, SLICE(K1)), 0xee25067c);
	cr_expect_neq(secrets_fingerprint_keyed(&secrets, SLICE(K3)), 0xee25067c);
	cr_expect(reload_changes(K3, OK));
	cr_expect_neq(secrets_fingerprint_keyed(&secrets, SLICE(K1)), 0xee25067c);
}
