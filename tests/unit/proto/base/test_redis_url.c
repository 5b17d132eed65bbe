/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where a Redis is: every form, every part at its limit and one past, and what is refused
 * with which words.
 */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "proto/base/redis_url.h"

static struct redis_url parse(const char *text)
{
	struct redis_url url;
	const char *problem = NULL;

	cr_assert_eq(redis_url_parse(slice_from_str(text), &url, &problem), OK, "%s: %s",
		     text, problem);
	cr_expect_null(problem);
	return url;
}

static void refuse(const char *text, const char *word)
{
	struct redis_url url;
	const char *problem = NULL;

	cr_expect_eq(redis_url_parse(slice_from_str(text), &url, &problem), ERR_ARGUMENT,
		     "%s", text);
	cr_assert_not_null(problem, "%s", text);
	cr_expect_not_null(strstr(problem, word), "%s: %s", text, problem);
}

static void expect(const char *text, const char *host, unsigned port, unsigned db)
{
	const struct redis_url url = parse(text);

	cr_expect_eq(url.addresses_n, 1);
	cr_expect_str_eq(url.addresses[0].host, host);
	cr_expect_eq(url.addresses[0].port, port);
	cr_expect_eq(url.db, db);
	cr_expect_str_empty(url.master);
}

Test(redis_url, names_a_server)
{
	expect("redis://localhost", "localhost", 6379, 0);
	expect("redis://10.0.0.1:7000", "10.0.0.1", 7000, 0);
	expect("redis://redis.example.org:1/", "redis.example.org", 1, 0);
	expect("redis://a:65535/15", "a", 65535, 15);
	expect("redis://[::1]", "::1", 6379, 0);
	expect("redis://[fe80::1%eth0]:7000/2", "fe80::1%eth0", 7000, 2);
}

Test(redis_url, names_a_user)
{
	cr_expect_str_eq(parse("redis://presence@a").user, "presence");
	cr_expect_str_eq(parse("unix://presence@/a").user, "presence");
	cr_expect_str_eq(parse("redis-sentinel://presence@a/m").user, "presence");
	cr_expect_str_empty(parse("redis://a").user);
}

Test(redis_url, names_a_socket_file)
{
	expect("unix:///run/redis.sock", "/run/redis.sock", 0, 0);
	expect("unix:///run/redis.sock?db=3", "/run/redis.sock", 0, 3);
	expect("unix:///run/a@b.sock", "/run/a@b.sock", 0, 0);
	cr_expect(redis_address_is_path(&parse("unix:///a").addresses[0]));
	cr_expect_not(redis_address_is_path(&parse("redis://a").addresses[0]));
}

Test(redis_url, names_sentinels)
{
	const struct redis_url url = parse("redis-sentinel://a,b:1,[::2]:2/hub/4");

	cr_assert_eq(url.addresses_n, 3);
	cr_expect_str_eq(url.addresses[0].host, "a");
	cr_expect_eq(url.addresses[0].port, 26379);
	cr_expect_str_eq(url.addresses[1].host, "b");
	cr_expect_eq(url.addresses[1].port, 1);
	cr_expect_str_eq(url.addresses[2].host, "::2");
	cr_expect_eq(url.addresses[2].port, 2);
	cr_expect_str_eq(url.master, "hub");
	cr_expect_eq(url.db, 4);
}

Test(redis_url, refuses_other_forms)
{
	refuse("", "begins with none");
	refuse("redis:/a", "begins with none");
	refuse("tcp://a:1", "begins with none");
	refuse("rediss://a", "TLS");
}

Test(redis_url, wants_no_password)
{
	refuse("redis://user:secret@a", "file");
	refuse("redis://:secret@a", "file");
	refuse("redis-sentinel://u:s@a/m", "file");
	refuse("unix://u:s@/a", "file");
}

Test(redis_url, refuses_bad_parts)
{
	refuse("redis://", "host");
	refuse("redis:///1", "host");
	refuse("redis://a b", "host");
	refuse("redis://::1", "port");
	refuse("redis://[::1", "host");
	refuse("redis://[::1]7", "host");
	refuse("redis://[a]", "host");
	refuse("redis://a:", "port");
	refuse("redis://[::1]:", "port");
	refuse("redis://a:0", "port");
	refuse("redis://a:-1", "port");
	refuse("redis://a:1x", "port");
	refuse("redis://@a", "user");
	refuse("redis://u s@a", "user");
	refuse("redis://a/x@b", "user");
	refuse("redis://a/x", "database");
	refuse("redis://a/-0", "database");
	refuse("redis://a/1/2", "database");
	refuse("unix://a", "path");
	refuse("unix:///", "path");
	refuse("unix:///a b", "path");
	refuse("unix:///a?x=1", "database");
	refuse("unix:///a?db=", "database");
	refuse("redis-sentinel://a", "master");
	refuse("redis-sentinel://a/", "master");
	refuse("redis-sentinel:///m", "host");
	refuse("redis-sentinel://a,/m", "host");
	refuse("redis-sentinel://a/m/x", "database");
}

Test(redis_url, has_numbers_at_their_limits)
{
	cr_expect_eq(parse("redis://a:1").addresses[0].port, 1);
	cr_expect_eq(parse("redis://a:65535").addresses[0].port, 65535);
	refuse("redis://a:65536", "port");
	cr_expect_eq(parse("redis://a/65535").db, 65535);
	refuse("redis://a/65536", "database");
	refuse("redis://a/99999999999999999999", "database");
	parse("redis-sentinel://1,2,3,4,5,6,7,8,9/m");
	refuse("redis-sentinel://1,2,3,4,5,6,7,8,9,10/m", "Sentinels");
}

/* A text with `n` times 'x' in the middle. */
static const char *filled(const char *before, int n, const char *after)
{
	static char text[1024];
	int len = snprintf(text, sizeof(text), "%s", before);

	memset(text + len, 'x', (size_t)n);
	snprintf(text + len + n, sizeof(text) - (size_t)(len + n), "%s", after);
	return text;
}

Test(redis_url, has_texts_at_their_limits)
{
	parse(filled("redis://", REDIS_HOST_BYTES_MAX, ""));
	refuse(filled("redis://", REDIS_HOST_BYTES_MAX + 1, ""), "host");
	parse(filled("redis://", REDIS_USER_BYTES_MAX, "@a"));
	refuse(filled("redis://", REDIS_USER_BYTES_MAX + 1, "@a"), "user");
	parse(filled("redis-sentinel://a/", REDIS_MASTER_BYTES_MAX, ""));
	refuse(filled("redis-sentinel://a/", REDIS_MASTER_BYTES_MAX + 1, ""), "master");
	parse(filled("unix:///", 106, ""));
	refuse(filled("unix:///", 107, ""), "path");
}

Test(redis_url, writes_addresses)
{
	char text[REDIS_ADDRESS_TEXT_BYTES];
	struct redis_url url = parse("redis://[::1]:7000");

	cr_expect_str_eq(redis_address_text(&url.addresses[0], text), "[::1]:7000");
	url = parse("redis://a");
	cr_expect_str_eq(redis_address_text(&url.addresses[0], text), "a:6379");
	url = parse("unix:///a");
	cr_expect_str_eq(redis_address_text(&url.addresses[0], text), "/a");
	url = parse(filled("redis://", REDIS_HOST_BYTES_MAX, ":65535"));
	cr_expect_eq(strlen(redis_address_text(&url.addresses[0], text)),
		     REDIS_HOST_BYTES_MAX + 6);
}

Test(redis_url, sets_an_address_only_to_one)
{
	struct redis_address address;

	cr_expect_eq(redis_address_set(&address, SLICE("10.0.0.1"), 6379), OK);
	cr_expect_eq(redis_address_set(&address, SLICE(""), 6379), ERR_ARGUMENT);
	cr_expect_eq(redis_address_set(&address, SLICE("/etc/x"), 6379), ERR_ARGUMENT);
	cr_expect_eq(redis_address_set(&address, SLICE("a\0b"), 6379), ERR_ARGUMENT);
	cr_expect_eq(redis_address_set(&address, SLICE("a"), 0), ERR_ARGUMENT);
	cr_expect_eq(redis_address_set(&address, SLICE("a"), 65536), ERR_ARGUMENT);
}
