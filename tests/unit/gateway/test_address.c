/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Addresses, networks of them, and which address a request came from behind proxies.
 */
#include "gateway/address.h"

#include <criterion/criterion.h>

#include "gateway/proxy.h"

static struct address address_of(const char *text)
{
	struct address address;

	cr_assert(address_parse(slice_from_str(text), &address) == OK, "%s", text);
	return address;
}

static bool is_equal(const char *a, const char *b)
{
	const struct address first = address_of(a);
	const struct address second = address_of(b);

	return memcmp(&first, &second, sizeof(first)) == 0;
}

Test(address, the_same_in_every_spelling)
{
	cr_expect(is_equal("10.0.0.1", "10.0.0.1:80"));
	cr_expect(is_equal("10.0.0.1", "::ffff:10.0.0.1"));
	cr_expect(is_equal("10.0.0.1", "[::ffff:a00:1]:65535"));
	cr_expect(is_equal("2001:db8::1", "[2001:0DB8:0::1]"));
	cr_expect(is_equal("::1", "[::1]:0"));
	cr_expect_not(is_equal("10.0.0.1", "10.0.0.2"));
	cr_expect_not(is_equal("::10.0.0.1", "10.0.0.1"));
}

Test(address, anything_else_is_malformed)
{
	static const char *const bad[] = {
		"",
		"10.0.0",
		"10.0.0.256",
		"10.0.0.1.",
		"10.0.0.1:",
		"10.0.0.1:x",
		"10.0.0.1:-1",
		"a.example",
		"unknown",
		"[::1",
		"::1]",
		"[::1]80",
		"[::1]:",
		"[::1]:65536",
		"[10.0.0.1]",
		"[]",
		":80",
		"::1%eth0",
		"1:2:3",
		" 10.0.0.1",
		"_hidden",
		"[[::1]]",
		"0x7f.0.0.1",
		"10.0.0.1 ",
		"::ffff:10.0.0",
		"10.0.0.1,",
		"10.0.0.1:+80",
		"fe80::1::2",
		"12345::",
	};
	struct address address;

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		cr_expect_eq(address_parse(slice_from_str(bad[i]), &address),
			     ERR_MALFORMED, "%s", bad[i]);
	cr_expect_eq(address_parse(SLICE("10.0.0.1\0"), &address), ERR_MALFORMED);
}

static bool is_one_client(const char *a, const char *b)
{
	const struct address first = address_of(a);
	const struct address second = address_of(b);

	return slice_equal(address_client(&first), address_client(&second));
}

Test(address, a_client_is_an_address_of_ipv4_and_a_network_of_ipv6)
{
	cr_expect(is_one_client("10.0.0.1:1", "10.0.0.1:2"));
	cr_expect_not(is_one_client("10.0.0.1", "10.0.0.2"));
	cr_expect(is_one_client("2001:db8:1:2::1", "2001:db8:1:2:ffff::9"));
	cr_expect_not(is_one_client("2001:db8:1:2::1", "2001:db8:1:3::1"));
	cr_expect_not(is_one_client("::1", "10.0.0.1"));
}

static bool has(const char *list, const char *text)
{
	const struct address address = address_of(text);

	return address_list_has(list, &address);
}

Test(address, networks_have_their_addresses)
{
	cr_expect(has("10.0.0.1", "10.0.0.1"));
	cr_expect_not(has("10.0.0.1", "10.0.0.2"));
	cr_expect(has("10.0.0.0/8", "10.255.255.255"));
	cr_expect_not(has("10.0.0.0/8", "11.0.0.0"));
	cr_expect(has("10.0.0.128/25", "10.0.0.255"));
	cr_expect_not(has("10.0.0.128/25", "10.0.0.127"));
	cr_expect(has("10.1.2.3/31", "10.1.2.2"));
	cr_expect_not(has("10.1.2.3/31", "10.1.2.4"));
	cr_expect(has("0.0.0.0/0", "255.0.0.1"));
	cr_expect_not(has("0.0.0.0/0", "::1"));
	cr_expect(has("::/0", "::1"));
	cr_expect(has("2001:db8::/33", "2001:db8:7fff::"));
	cr_expect_not(has("2001:db8::/33", "2001:db8:8000::"));
	cr_expect(has("::1/128", "::1"));
	cr_expect(has("192.0.2.1, 10.0.0.0/8", "10.0.0.1"));
	cr_expect(has("::ffff:10.0.0.0/104", "10.0.0.1"));
	cr_expect_not(has("", "10.0.0.1"));
}

Test(address, lists_have_networks_and_nothing_else)
{
	static const char *const good[] = { "", "10.0.0.1", "10.0.0.0/8, ::1/128",
					    "0.0.0.0/0", "10.0.0.1/32" };
	static const char *const bad[] = { ",",		"10.0.0.0/33", "::/129",
					   "10.0.0.0/", "10.0.0.0/-1", "10.0.0.0/x",
					   "a.example", "10.0.0.1:80", "10.0.0.1,,::1",
					   "/8" };

	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		cr_expect(address_is_list(good[i]), "%s", good[i]);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		cr_expect_not(address_is_list(bad[i]), "%s", bad[i]);
}

/* ---- proxies */

#define PROXIES "10.0.0.0/8,::1"

static void add(struct http_request *request, const char *name, const char *value)
{
	request->headers[request->headers_n++] =
		(struct http_header){ slice_from_str(name), slice_from_str(value) };
}

/* Whom the headers X-Forwarded-For, two of them unless NULL, make the client. */
static void expect_remote(const char *peer, const char *first, const char *second,
			  const char *expected)
{
	struct http_request request = { .headers_n = 0 };
	struct arena arena = ARENA_INIT;
	struct proxy_view view;
	struct address address;

	if (first != NULL)
		add(&request, "X-Forwarded-For", first);
	add(&request, "Host", "gate");
	if (second != NULL)
		add(&request, "x-forwarded-for", second);
	proxy_look(&view, PROXIES, peer, false, &request, &arena);
	cr_expect_eq(strcmp(view.remote, expected), 0, "%s", view.remote);
	address = address_of(expected);
	cr_expect_eq(memcmp(&view.address, &address, sizeof(address)), 0);
	arena_fini(&arena);
}

Test(proxy, the_last_hop_that_is_not_trusted_is_the_client)
{
	expect_remote("192.0.2.1:5", NULL, NULL, "192.0.2.1:5");
	expect_remote("192.0.2.1:5", "203.0.113.9", NULL, "192.0.2.1:5");
	expect_remote("10.0.0.1:5", NULL, NULL, "10.0.0.1:5");
	expect_remote("10.0.0.1:5", "203.0.113.9", NULL, "203.0.113.9");
	expect_remote("[::1]:5", "203.0.113.9:77", NULL, "203.0.113.9:77");
	expect_remote("10.0.0.1:5", "2001:db8::1", NULL, "2001:db8::1");
	/* Who is not trusted may say what he likes about those before him. */
	expect_remote("10.0.0.1:5", "10.9.9.9, 203.0.113.9", NULL, "203.0.113.9");
	expect_remote("10.0.0.1:5", "203.0.113.9, 10.0.0.2", NULL, "203.0.113.9");
	expect_remote("10.0.0.1:5", "198.51.100.1", "203.0.113.9,10.0.0.2",
		      "203.0.113.9");
	expect_remote("10.0.0.1:5", "203.0.113.9", "10.0.0.2", "203.0.113.9");
	expect_remote("10.0.0.1:5", "10.0.0.3, 10.0.0.2", NULL, "10.0.0.3");
	/* What is no address ends the trail. */
	expect_remote("10.0.0.1:5", "unknown", NULL, "10.0.0.1:5");
	expect_remote("10.0.0.1:5", "203.0.113.9, unknown, 10.0.0.2", NULL, "10.0.0.2");
	expect_remote("10.0.0.1:5", "203.0.113.9,", NULL, "10.0.0.1:5");
}

/* Of so many proxies. */
static void expect_trail(size_t hops, const char *expected)
{
	struct buf trail = BUF_INIT;

	buf_append_str(&trail, "203.0.113.9");
	for (size_t i = 1; i < hops; i++)
		buf_append_str(&trail, ",10.0.0.7");
	buf_append_byte(&trail, '\0');
	expect_remote("10.0.0.1:5", trail.ptr, NULL, expected);
	buf_fini(&trail);
}

Test(proxy, a_trail_is_followed_so_far)
{
	expect_trail(32, "203.0.113.9");
	expect_trail(33, "10.0.0.7");
}

static void expect_site(const char *peer, bool is_tls, const char *proto,
			const char *forwarded_host, bool is_https, const char *host)
{
	struct http_request request = { .headers_n = 0 };
	struct arena arena = ARENA_INIT;
	struct proxy_view view;

	add(&request, "Host", "inner:8080");
	if (proto != NULL)
		add(&request, "X-Forwarded-Proto", proto);
	if (forwarded_host != NULL)
		add(&request, "X-Forwarded-Host", forwarded_host);
	proxy_look(&view, PROXIES, peer, is_tls, &request, &arena);
	cr_expect_eq(view.is_https, is_https);
	cr_expect_eq(slice_compare(view.host, slice_from_str(host)), 0);
	arena_fini(&arena);
}

Test(proxy, trusted_ones_tell_where_the_client_went)
{
	expect_site("192.0.2.1:5", false, "https", "gate.example", false, "inner:8080");
	expect_site("192.0.2.1:5", true, "http", NULL, true, "inner:8080");
	expect_site("10.0.0.1:5", false, "https", "gate.example", true, "gate.example");
	expect_site("10.0.0.1:5", true, "http", NULL, false, "inner:8080");
	expect_site("10.0.0.1:5", true, NULL, NULL, true, "inner:8080");
	expect_site("10.0.0.1:5", false, "http, https", "a, b", true, "b");
	expect_site("10.0.0.1:5", false, "https, http", NULL, false, "inner:8080");
}
