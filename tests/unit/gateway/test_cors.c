/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Origins against lists: what is foreign stays foreign, however near it looks.
 */
#include "gateway/cors.h"

#include <criterion/criterion.h>
#include <stdio.h>

#define LIST "https://app.example, http://dev.example:3000 ,https://[2001:db8::1]:8443"

struct vector {
	const char *origin;
	const char *list;
	bool is_https;
	const char *host;
	enum cors_verdict verdict;
};

static const struct vector vectors[] = {
	/* the gateway's own */
	{ "http://gate.example", "", false, "gate.example", CORS_SAME },
	{ "http://gate.example:80", "", false, "gate.example", CORS_SAME },
	{ "http://gate.example", "", false, "gate.example:80", CORS_SAME },
	{ "https://gate.example", "", true, "gate.example", CORS_SAME },
	{ "https://gate.example:443", "", true, "gate.example", CORS_SAME },
	{ "https://gate.example", "", true, "gate.example:443", CORS_SAME },
	{ "http://gate.example:8080", "", false, "gate.example:8080", CORS_SAME },
	{ "HTTP://Gate.Example", "", false, "gate.example", CORS_SAME },
	{ "http://gate.example", "", false, "GATE.EXAMPLE", CORS_SAME },
	{ "http://127.0.0.1:8080", "", false, "127.0.0.1:8080", CORS_SAME },
	{ "http://[::1]:8080", "", false, "[::1]:8080", CORS_SAME },
	{ "http://[::1]", "", false, "[::1]", CORS_SAME },
	{ "http://gate.example", "*", false, "gate.example", CORS_SAME },

	/* nearly */
	{ "https://gate.example", "", false, "gate.example", CORS_FOREIGN },
	{ "http://gate.example", "", true, "gate.example", CORS_FOREIGN },
	{ "http://gate.example:8081", "", false, "gate.example:8080", CORS_FOREIGN },
	{ "http://gate.example", "", false, "gate.example:8080", CORS_FOREIGN },
	{ "http://gate.example:443", "", false, "gate.example", CORS_FOREIGN },
	{ "http://gate.example:8080", "", false, "gate.example", CORS_FOREIGN },
	{ "http://gate.example.", "", false, "gate.example", CORS_FOREIGN },
	{ "http://gate.example", "", false, "gate.example.", CORS_FOREIGN },
	{ "http://localhost:8080", "", false, "127.0.0.1:8080", CORS_FOREIGN },
	{ "http://[::2]:8080", "", false, "[::1]:8080", CORS_FOREIGN },
	{ "http://gate.example", "", false, "", CORS_FOREIGN },
	{ "http://gate.example", "", false, "gate.example/", CORS_FOREIGN },
	{ "http://gate.example", "", false, "u@gate.example", CORS_FOREIGN },
	{ "http://gate.example", "", false, "gate.example:x", CORS_FOREIGN },
	{ "ws://gate.example", "", false, "gate.example", CORS_FOREIGN },
	{ "wss://gate.example", "", true, "gate.example", CORS_FOREIGN },

	/* listed */
	{ "https://app.example", LIST, false, "gate", CORS_LISTED },
	{ "https://app.example:443", LIST, false, "gate", CORS_LISTED },
	{ "HTTPS://APP.EXAMPLE", LIST, false, "gate", CORS_LISTED },
	{ "http://dev.example:3000", LIST, false, "gate", CORS_LISTED },
	{ "https://[2001:db8::1]:8443", LIST, false, "gate", CORS_LISTED },
	{ "https://[2001:DB8::1]:8443", LIST, false, "gate", CORS_LISTED },
	{ "http://a.example", "http://a.example:80", false, "gate", CORS_LISTED },
	{ "app://obsidian.md", "app://obsidian.md", false, "gate", CORS_LISTED },
	{ "chrome-extension://abc", "chrome-extension://abc", false, "g", CORS_LISTED },
	{ "https://anything.example:1", "*", false, "gate", CORS_LISTED },
	{ "https://b.example", "null,*", false, "gate", CORS_LISTED },
	{ "null", "null", false, "gate", CORS_LISTED },
	{ "null", "https://app.example,null", false, "gate", CORS_LISTED },

	/* prefixes, suffixes, subdomains */
	{ "https://app.example.evil", LIST, false, "gate", CORS_FOREIGN },
	{ "https://app.exampleevil", LIST, false, "gate", CORS_FOREIGN },
	{ "https://app.exampl", LIST, false, "gate", CORS_FOREIGN },
	{ "https://evilapp.example", LIST, false, "gate", CORS_FOREIGN },
	{ "https://evil.app.example", LIST, false, "gate", CORS_FOREIGN },
	{ "https://pp.example", LIST, false, "gate", CORS_FOREIGN },
	{ "https://app-example", LIST, false, "gate", CORS_FOREIGN },
	{ "https://appxexample", LIST, false, "gate", CORS_FOREIGN },
	{ "https://example", LIST, false, "gate", CORS_FOREIGN },
	{ "https://app.example,http://dev.example:3000", LIST, false, "g", CORS_FOREIGN },
	{ LIST, LIST, false, "gate", CORS_FOREIGN },

	/* schemes and ports */
	{ "http://app.example", LIST, false, "gate", CORS_FOREIGN },
	{ "http://app.example:443", LIST, false, "gate", CORS_FOREIGN },
	{ "https://app.example:80", LIST, false, "gate", CORS_FOREIGN },
	{ "https://app.example:0443", LIST, false, "gate", CORS_FOREIGN },
	{ "https://app.example:00443", LIST, false, "gate", CORS_FOREIGN },
	{ "https://app.example:4430", LIST, false, "gate", CORS_FOREIGN },
	{ "https://app.example:65979", LIST, false, "gate", CORS_FOREIGN },
	{ "https://app.example:0", "*", false, "gate", CORS_FOREIGN },
	{ "https://app.example:65535", "*", false, "gate", CORS_LISTED },
	{ "https://app.example:65536", "*", false, "gate", CORS_FOREIGN },
	{ "https://app.example:", LIST, false, "gate", CORS_FOREIGN },
	{ "https://app.example:-443", LIST, false, "gate", CORS_FOREIGN },
	{ "https://app.example:443x", LIST, false, "gate", CORS_FOREIGN },
	{ "https://app.example:443:443", LIST, false, "gate", CORS_FOREIGN },
	{ "http://dev.example", LIST, false, "gate", CORS_FOREIGN },
	{ "app://obsidian.md:1", "app://obsidian.md", false, "gate", CORS_FOREIGN },
	{ "httpss://app.example", LIST, false, "gate", CORS_FOREIGN },
	{ "//app.example", "*", false, "gate", CORS_FOREIGN },
	{ "://app.example", "*", false, "gate", CORS_FOREIGN },
	{ "app.example", "*", false, "gate", CORS_FOREIGN },
	{ "https:app.example", "*", false, "gate", CORS_FOREIGN },
	{ "https:/app.example", "*", false, "gate", CORS_FOREIGN },
	{ "https:///app.example", "*", false, "gate", CORS_FOREIGN },
	{ "1https://app.example", "*", false, "gate", CORS_FOREIGN },

	/* more than an origin */
	{ "https://app.example/", LIST, false, "gate", CORS_FOREIGN },
	{ "https://app.example/path", LIST, false, "gate", CORS_FOREIGN },
	{ "https://app.example?", LIST, false, "gate", CORS_FOREIGN },
	{ "https://app.example#", LIST, false, "gate", CORS_FOREIGN },
	{ "https://app.example\\", LIST, false, "gate", CORS_FOREIGN },
	{ "https://app.example ", LIST, false, "gate", CORS_FOREIGN },
	{ "https://app.example.", LIST, false, "gate", CORS_FOREIGN },
	{ "https://.app.example", LIST, false, "gate", CORS_FOREIGN },
	{ "https://ann@app.example", LIST, false, "gate", CORS_FOREIGN },
	{ "https://app.example@evil.example", LIST, false, "gate", CORS_FOREIGN },
	{ "https://app.example:443@evil.example", LIST, false, "gate", CORS_FOREIGN },
	{ "https://app.example%2eevil", "*", false, "gate", CORS_FOREIGN },
	{ "https://app.example https://evil.example", "*", false, "g", CORS_FOREIGN },
	{ "https://\xc3\xa4.example", "*", false, "gate", CORS_FOREIGN },
	{ "https://*", "*", false, "gate", CORS_FOREIGN },
	{ "https://", "*", false, "gate", CORS_FOREIGN },
	{ "https://:443", "*", false, "gate", CORS_FOREIGN },
	{ "*", "*", false, "gate", CORS_FOREIGN },

	/* IPv6 */
	{ "https://[2001:db8::1]", LIST, false, "gate", CORS_FOREIGN },
	{ "https://[2001:db8::11]:8443", LIST, false, "gate", CORS_FOREIGN },
	{ "https://2001:db8::1:8443", "*", false, "gate", CORS_FOREIGN },
	{ "https://[2001:db8::1", "*", false, "gate", CORS_FOREIGN },
	{ "https://[2001:db8::1]8443", "*", false, "gate", CORS_FOREIGN },
	{ "https://[fe80::1%25eth0]", "*", false, "gate", CORS_FOREIGN },
	{ "https://[]", "*", false, "gate", CORS_FOREIGN },
	{ "https://[app.example]", "*", false, "gate", CORS_FOREIGN },

	/* none at all */
	{ "null", "", false, "gate", CORS_FOREIGN },
	{ "null", "*", false, "gate", CORS_FOREIGN },
	{ "null", LIST, false, "gate", CORS_FOREIGN },
	{ "NULL", "null", false, "gate", CORS_FOREIGN },
	{ "null,null", "null", false, "gate", CORS_FOREIGN },
	{ "null://x", "null", false, "gate", CORS_FOREIGN },
	{ "", "", false, "gate", CORS_FOREIGN },
	{ "", "*", false, "gate", CORS_FOREIGN },
	{ "", "null", false, "gate", CORS_FOREIGN },
};

static void add(struct http_request *request, const char *name, const char *value)
{
	request->headers[request->headers_n++] =
		(struct http_header){ slice_from_str(name), slice_from_str(value) };
}

static enum cors_verdict judge(const struct http_request *request, const char *list,
			       bool is_https, const char *host, struct slice *origin)
{
	const struct cors_site site = { .is_https = is_https,
					.host = slice_from_str(host) };

	return cors_judge(list, &site, request, origin);
}

Test(cors, vectors)
{
	cr_assert_geq(sizeof(vectors) / sizeof(vectors[0]), 100);
	for (size_t i = 0; i < sizeof(vectors) / sizeof(vectors[0]); i++) {
		const struct vector *v = &vectors[i];
		struct http_request request = { .headers_n = 0 };
		struct slice origin;

		add(&request, "origin", v->origin);
		cr_expect_eq(judge(&request, v->list, v->is_https, v->host, &origin),
			     v->verdict, "\"%s\" to %s, listed \"%s\"", v->origin,
			     v->host, v->list);
		cr_expect_eq(origin.len > 0, v->verdict == CORS_LISTED);
		if (v->verdict == CORS_LISTED)
			cr_expect(slice_equal(origin, slice_from_str(v->origin)));
	}
}

Test(cors, a_request_without_an_origin_is_no_pages)
{
	struct http_request request = { .headers_n = 0 };
	struct slice origin;

	add(&request, "Host", "gate");
	cr_expect_eq(judge(&request, "", false, "gate", &origin), CORS_NO_ORIGIN);
}

Test(cors, two_origins_are_foreign_even_when_both_are_ours)
{
	struct http_request request = { .headers_n = 0 };
	struct slice origin;

	add(&request, "Origin", "http://gate");
	add(&request, "Origin", "http://gate");
	cr_expect_eq(judge(&request, "http://gate", false, "gate", &origin),
		     CORS_FOREIGN);
}

Test(cors, lists_hold_origins_and_nothing_else)
{
	static const char *const good[] = { "",
					    "*",
					    "null",
					    "https://a.example",
					    " https://a.example:8443 , null ",
					    "http://[::1]:80,capacitor://localhost" };
	static const char *const bad[] = { ",",
					   "a.example",
					   "https://a.example/",
					   "https://*.example",
					   "https://a.example,,null",
					   "https://a.example:0",
					   "https://u@a.example",
					   "**" };

	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		cr_expect(cors_is_list(good[i]), "%s", good[i]);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		cr_expect_not(cors_is_list(bad[i]), "%s", bad[i]);
}

/* ---- answers */

static void expect_text(struct buf *text, const char *expected)
{
	buf_append_byte(text, '\0');
	cr_expect_eq(strcmp(text->ptr, expected), 0, "%s", text->ptr);
	buf_fini(text);
}

Test(cors, the_origin_is_echoed_never_a_star)
{
	struct buf headers = BUF_INIT;

	cors_allow(&headers, SLICE("https://a.example"));
	expect_text(&headers, "Access-Control-Allow-Origin: https://a.example\r\n"
			      "Access-Control-Allow-Credentials: true\r\n");
}

#define MORE                                                                             \
	"Access-Control-Allow-Methods: GET, POST, DELETE, OPTIONS\r\n"                   \
	"Access-Control-Max-Age: 600\r\n"                                                \
	"Access-Control-Allow-Headers: "
#define PLAIN                                                                            \
	MORE "authorization, content-type, x-requested-with, x-signalr-user-agent\r\n"

/* NULL: nothing is asked. */
static void expect_preflight(const char *asked, const char *expected)
{
	struct http_request request = { .method = SLICE("OPTIONS") };
	struct buf headers = BUF_INIT;

	if (asked != NULL)
		add(&request, "Access-Control-Request-Headers", asked);
	cors_allow_more(&headers, &request);
	expect_text(&headers, expected);
}

Test(cors, a_preflight_may_have_the_headers_it_asks_for)
{
	expect_preflight("authorization,x-tenant", MORE "authorization,x-tenant\r\n");
	expect_preflight("x-a , x-b", MORE "x-a , x-b\r\n");
	expect_preflight(NULL, PLAIN);
	expect_preflight("", PLAIN);
	expect_preflight("x-a,", PLAIN);
	expect_preflight(",x-a", PLAIN);
	expect_preflight("x-a,,x-b", PLAIN);
	expect_preflight("x a", PLAIN);
	expect_preflight("x-a: 1", PLAIN);
	expect_preflight("x-\xc3\xa4", PLAIN);
}

Test(cors, what_a_preflight_asks_for_is_bounded)
{
	char asked[1026];
	char expected[sizeof(MORE) + sizeof(asked) + 2];

	memset(asked, 'x', sizeof(asked));
	asked[1024] = '\0';
	(void)snprintf(expected, sizeof(expected), MORE "%s\r\n", asked);
	expect_preflight(asked, expected);
	asked[1024] = 'x';
	asked[1025] = '\0';
	expect_preflight(asked, PLAIN);
}

Test(cors, a_preflight_is_an_options_that_asks_for_a_method)
{
	struct http_request request = { .method = SLICE("OPTIONS") };

	cr_expect_not(cors_is_preflight(&request));
	add(&request, "access-control-request-method", "POST");
	cr_expect(cors_is_preflight(&request));
	request.method = SLICE("POST");
	cr_expect_not(cors_is_preflight(&request));
}
