/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What hubs may know of a request, and the credentials that they never do.
 */
#include "gateway/headers.h"

#include <criterion/criterion.h>

struct told {
	struct arena arena;
	struct headers *headers;
	Link__Connected connected;
};

static void told_up(struct told *told, const struct http_request *request,
		    const struct hub_conf *conf)
{
	told->arena = (struct arena)ARENA_INIT;
	link__connected__init(&told->connected);
	told->headers = headers_take(request, conf);
	headers_tell(told->headers, &told->arena, &told->connected);
}

static void told_stop(struct told *told)
{
	headers_free(told->headers);
	arena_fini(&told->arena);
}

/* NULL: nothing is taken at all. */
static void expect_query(const char *sent, const char *shown)
{
	struct hub_conf conf = { .request_headers = (char[]){ "" },
				 .is_query_shown = true };
	struct http_request request = { .query = slice_from_str(sent) };
	struct told told;

	told_up(&told, &request, &conf);
	cr_expect_eq(told.headers == NULL, shown == NULL, "%s", sent);
	cr_expect(slice_equal(link_slice(told.connected.query), slice_from_str(shown)),
		  "%s: %.*s", sent, SLICE_FMT(link_slice(told.connected.query)));
	told_stop(&told);
}

Test(headers, the_query_is_shown_without_what_lets_somebody_in)
{
	expect_query("room=1&access_token=s&id=t&v=2", "room=1&v=2");
	expect_query("ACCESS_TOKEN=s&Id=t&room=1", "room=1");
	expect_query("room=1&&v", "room=1&v");
	expect_query("ids=1&access_tokens=2", "ids=1&access_tokens=2");
	expect_query("access_token=s", NULL);
	expect_query("access_token&id", NULL);
	expect_query("", NULL);
}

/* The gateway takes them for credentials, however they are written. */
Test(headers, escapes_hide_no_credentials)
{
	expect_query("access%5Ftoken=s&room=1", "room=1");
	expect_query("%61ccess_%74oken=s&room=1", "room=1");
	expect_query("room=1&%69%44=t", "room=1");
	/* No credentials: nobody reads them as such. */
	expect_query("access%5token=s", "access%5token=s");
	expect_query("access+token=s", "access+token=s");
}

Test(headers, only_named_ones_are_told)
{
	struct hub_conf conf = { .request_headers = (char[]){ "x-tenant, x-none" } };
	struct http_request request = { .query = SLICE("room=1"), .headers_n = 3 };
	struct told told;

	request.headers[0] = (struct http_header){ SLICE("X-Tenant"), SLICE("a") };
	request.headers[1] = (struct http_header){ SLICE("X-Other"), SLICE("b") };
	request.headers[2] = (struct http_header){ SLICE("x-tenant"), SLICE("") };
	told_up(&told, &request, &conf);
	cr_assert_eq(told.connected.n_headers, 2);
	cr_expect(slice_equal(link_slice(told.connected.headers[0]->name),
			      SLICE("X-Tenant")));
	cr_expect(slice_equal(link_slice(told.connected.headers[0]->value), SLICE("a")));
	cr_expect_eq(told.connected.headers[1]->value.len, 0);
	cr_expect_eq(told.connected.query.len, 0, "request_query is off");
	told_stop(&told);
}
