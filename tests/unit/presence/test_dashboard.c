/* SPDX-License-Identifier: Apache-2.0 */
/* What of the dashboard is served, how, and what is not. */
#include "presence/dashboard.h"

#include <criterion/criterion.h>
#include <stdio.h>

#include "presence/embed.h"
#include "tests/unit/proto/base/http_kit.h"

static struct http_kit kit;
static struct http_client client;

static void on_request(struct http_server *server, struct http_conn *conn,
		       const struct http_request *request)
{
	(void)server;
	if (!dashboard_respond(conn, request))
		http_respond_text(conn, 404, "not ours");
}

static void setup(void)
{
	http_kit_init(&kit);
	kit.options.on_request = on_request;
	http_kit_open(&kit);
	http_client_open(&kit, &client);
}

static void teardown(void)
{
	http_client_close(&client);
	http_kit_fini(&kit);
}

TestSuite(dashboard, .init = setup, .fini = teardown);

static void ask(const char *method, const char *path, const char *headers)
{
	char text[512];

	(void)snprintf(text, sizeof(text),
		       "%s %s HTTP/1.1\r\nHost: a\r\nConnection: close\r\n%s\r\n", method,
		       path, headers);
	http_client_say(&client, text);
	http_client_wait_end(&kit, &client);
}

static void expect(const char *text)
{
	cr_expect(http_client_has(&client, text), "no %s in %.600s", text, client.in.ptr);
}

Test(dashboard, the_page_is_at_the_root)
{
	ask("GET", "/", "");
	expect("HTTP/1.1 200 ");
	expect("Content-Type: text/html; charset=utf-8\r\n");
	expect("<!doctype html>");
	expect("</html>");
}

Test(dashboard, the_policy_is_strict)
{
	ask("GET", "/", "");
	expect("Content-Security-Policy: default-src 'none'; script-src 'self'; "
	       "style-src 'self'; connect-src 'self'; img-src 'self' data:; "
	       "frame-ancestors 'none'; base-uri 'none'; form-action 'none'; ");
	expect("X-Content-Type-Options: nosniff\r\n");
	expect("Referrer-Policy: no-referrer\r\n");
	expect("Cross-Origin-Opener-Policy: same-origin\r\n");
}

Test(dashboard, every_file_is_served_with_its_type)
{
	size_t n = 0;

	for (size_t i = 0; i < embed_files_n; i++) {
		char path[256];

		if (!slice_starts_with(slice_from_str(embed_files[i].path),
				       SLICE("dashboard/")))
			continue;
		n++;
		(void)snprintf(path, sizeof(path), "/%s", embed_files[i].path);
		http_client_close(&client);
		http_client_open(&kit, &client);
		ask("GET", path, "");
		expect("HTTP/1.1 200 ");
		cr_expect_not(http_client_has(&client, "octet-stream"), "%s", path);
	}
	cr_expect_geq(n, 10);
}

Test(dashboard, what_is_known_is_not_sent_again)
{
	char etag[64] = "";
	char headers[128];

	ask("GET", "/dashboard/app.js", "");
	cr_assert_eq(sscanf(strstr(client.in.ptr, "ETag: "), "ETag: %40s", etag), 1);
	(void)snprintf(headers, sizeof(headers), "If-None-Match: \"x\", W/%s\r\n", etag);
	http_client_close(&client);
	http_client_open(&kit, &client);
	ask("GET", "/dashboard/app.js", headers);
	expect("HTTP/1.1 304 ");
	cr_expect_not(http_client_has(&client, "import"));
}

Test(dashboard, another_tag_is_answered_in_full)
{
	ask("GET", "/dashboard/app.js", "If-None-Match: \"0000000000000000\"\r\n");
	expect("HTTP/1.1 200 ");
}

Test(dashboard, a_head_has_no_body)
{
	ask("HEAD", "/", "");
	expect("HTTP/1.1 200 ");
	cr_expect_not(http_client_has(&client, "<!doctype"));
}

Test(dashboard, it_can_only_be_read)
{
	ask("POST", "/", "Content-Length: 0\r\n");
	expect("HTTP/1.1 405 ");
	expect("Allow: GET, HEAD\r\n");
}

Test(dashboard, a_path_that_is_none_of_its_own)
{
	static const char *const paths[] = {
		"/dashboard/",	 "/dashboard",
		"/index.html",	 "/dashboard/../openapi.json",
		"/openapi.json", "/dashboard/no.js"
	};

	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
		http_client_close(&client);
		http_client_open(&kit, &client);
		ask("GET", paths[i], "");
		cr_expect(http_client_has(&client, "not ours"), "%s", paths[i]);
	}
}
