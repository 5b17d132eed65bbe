/* SPDX-License-Identifier: Apache-2.0 */
#include "proto/base/redis_conf.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "proto/base/slice.h"

static char empty[] = "";

static struct redis_conf sound(void)
{
	static char prefix[] = "heliograph";

	return (struct redis_conf){ .url = empty,
				    .password_file = empty,
				    .sentinel_password_file = empty,
				    .prefix = prefix };
}

Test(redis_conf, no_redis_is_no_problem)
{
	const struct redis_conf conf = sound();

	cr_expect_str_empty(redis_conf_problem(&conf));
}

Test(redis_conf, a_wrong_url_is_named)
{
	char url[] = "http://here";
	struct redis_conf conf = sound();

	conf.url = url;
	cr_expect_str_eq(redis_conf_problem(&conf),
			 "redis: expected redis://host:port/db, unix:///path or "
			 "redis-sentinel://host:port,host:port/master");
}

Test(redis_conf, a_wrong_prefix_is_named)
{
	char prefix[] = "a{b";
	struct redis_conf conf = sound();

	conf.prefix = prefix;
	cr_expect_str_eq(redis_conf_problem(&conf),
			 "redis_prefix: expected letters, digits, and .:_-");
}

Test(redis_conf, prefixes_have_letters_digits_and_a_few_more)
{
	char longest[REDIS_PREFIX_BYTES_MAX + 2];

	memset(longest, 'a', sizeof(longest));
	longest[REDIS_PREFIX_BYTES_MAX + 1] = '\0';
	cr_expect(redis_prefix_is_good("Az09.:_-"));
	cr_expect_not(redis_prefix_is_good(""));
	cr_expect_not(redis_prefix_is_good("a b"));
	cr_expect_not(redis_prefix_is_good("{a}"));
	cr_expect_not(redis_prefix_is_good("\xc3\xa4"));
	cr_expect_not(redis_prefix_is_good(longest));
	longest[REDIS_PREFIX_BYTES_MAX] = '\0';
	cr_expect(redis_prefix_is_good(longest));
}

/* A file that has that in it, and no name that could be left behind. */
static void make_file(char path[64], struct slice bytes)
{
	char name[] = "/tmp/heliograph-password.XXXXXX";
	const int fd = mkstemp(name);

	cr_assert_geq(fd, 0);
	cr_assert_eq(unlink(name), 0);
	cr_assert_eq(write(fd, bytes.ptr, bytes.len), (ssize_t)bytes.len);
	(void)snprintf(path, 64, "/proc/self/fd/%d", fd);
}

Test(redis_conf, a_password_is_read_without_its_newline)
{
	struct redis_conf conf = sound();
	struct redis_secrets secrets;
	char path[64];

	make_file(path, SLICE("secret\r\n"));
	conf.password_file = path;
	redis_secrets_read(&conf, &secrets);
	cr_expect_eq(secrets.password.n, 1);
	cr_expect(slice_equal(secrets.password.items[0], SLICE("secret")));
	cr_expect_eq(secrets.sentinel_password.n, 0);
	redis_secrets_fini(&secrets);
}

Test(redis_conf, passwords_are_read_again)
{
	struct redis_conf conf = sound();
	struct redis_secrets secrets;
	char path[64];
	char other[64];

	make_file(path, SLICE("secret"));
	conf.password_file = conf.sentinel_password_file = path;
	redis_secrets_read(&conf, &secrets);
	make_file(path, SLICE("new\nsecret\n"));
	cr_expect_eq(redis_secrets_reload(&conf, &secrets), OK);
	cr_expect_eq(secrets.password.n, 2);
	cr_expect(slice_equal(secrets.password.items[0], SLICE("new")));
	/* One that will not do leaves what it was, and does not keep the other. */
	make_file(path, SLICE("\n"));
	make_file(other, SLICE("newer"));
	conf.sentinel_password_file = other;
	cr_expect_eq(redis_secrets_reload(&conf, &secrets), ERR_ARGUMENT);
	cr_expect_eq(secrets.password.n, 2);
	cr_expect(slice_equal(secrets.sentinel_password.items[0], SLICE("newer")));
	redis_secrets_fini(&secrets);
}

Test(redis_conf, a_password_that_is_empty_ends_the_program, .exit_code = 1)
{
	struct redis_conf conf = sound();
	struct redis_secrets secrets;
	char path[64];

	make_file(path, SLICE("\n"));
	conf.sentinel_password_file = path;
	redis_secrets_read(&conf, &secrets);
}
