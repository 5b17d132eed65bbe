/* SPDX-License-Identifier: Apache-2.0 */
#include "bench/url.h"

#include <criterion/criterion.h>

static void expect(const char *text, const char *authority, const char *host, int port,
		   const char *path)
{
	struct url url;

	cr_assert_eq(url_read(slice_from_str(text), &url), OK, "%s", text);
	cr_assert(slice_equal(url.authority, slice_from_str(authority)), "%s", text);
	cr_assert(slice_equal(url.host, slice_from_str(host)), "%s", text);
	cr_assert(slice_equal(url.path, slice_from_str(path)), "%s", text);
	cr_assert_eq(url.port, port, "%s", text);
}

static void expect_rc(const char *text, enum err rc)
{
	struct url url;

	cr_assert_eq(url_read(slice_from_str(text), &url), rc, "%s", text);
}

Test(url, parts)
{
	expect("http://127.0.0.1:8080/hubs/bench", "127.0.0.1:8080", "127.0.0.1", 8080,
	       "/hubs/bench");
	expect("HTTP://localhost", "localhost", "localhost", 80, "/");
	expect("ws://a.example/h?x=y:1", "a.example", "a.example", 80, "/h?x=y:1");
	expect("nats://h", "h", "h", 4222, "/");
	expect("tcp://h:1", "h:1", "h", 1, "/");
	expect("http://[::1]:65535/", "[::1]:65535", "::1", 65535, "/");
	expect("http://[::1]/", "[::1]", "::1", 80, "/");
}

Test(url, refused)
{
	expect_rc("https://h/", ERR_UNSUPPORTED);
	expect_rc("wss://h/", ERR_UNSUPPORTED);
	expect_rc("ftp://h/", ERR_UNSUPPORTED);
	expect_rc("", ERR_MALFORMED);
	expect_rc("h:80/", ERR_MALFORMED);
	expect_rc("http://", ERR_MALFORMED);
	expect_rc("http:///path", ERR_MALFORMED);
	expect_rc("http://h:0/", ERR_MALFORMED);
	expect_rc("http://h:65536/", ERR_MALFORMED);
	expect_rc("http://h:x/", ERR_MALFORMED);
	expect_rc("http://:80/", ERR_MALFORMED);
	expect_rc("tcp://h/", ERR_MALFORMED); /* has no port of its own */
	expect_rc("http://h/a b", ERR_MALFORMED);
	expect_rc("http://h/\r\nX: y", ERR_MALFORMED);
}

Test(url, a_host_at_its_limit_and_one_past_it)
{
	char text[300] = "http://";
	struct url url;

	memset(text + 7, 'h', URL_HOST_BYTES_MAX + 1);
	cr_assert_eq(url_read(slice_make(text, 7 + URL_HOST_BYTES_MAX), &url), OK);
	cr_assert_eq(url_read(slice_make(text, 7 + URL_HOST_BYTES_MAX + 1), &url),
		     ERR_MALFORMED);
}

static bool is_local(const char *text)
{
	struct url url;

	cr_assert_eq(url_read(slice_from_str(text), &url), OK);
	return url_is_local(&url);
}

Test(url, loopback_is_local)
{
	cr_expect(is_local("http://LocalHost:8080/hubs/x?a=b"));
	cr_expect(is_local("nats://127.1.2.3"));
	cr_expect_not(is_local("http://example.org"));
	cr_expect_not(is_local("http://128.0.0.1"));
	cr_expect_not(is_local("http://1.127.0.1"));
}
