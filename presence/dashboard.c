/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Static files from memory. The policy lets the page load scripts, styles and answers
 * from here alone, run nothing that is not one of these files, and make markup of no
 * text; no page may frame it.
 */
#include "presence/dashboard.h"

#include <inttypes.h>
#include <stdio.h>

#include "presence/embed.h"
#include "proto/base/hash.h"

#define ETAG_BYTES 20 /* 16 digits and two quotes */

static const char HEADERS[] =
	"Cache-Control: no-cache\r\n"
	"Content-Security-Policy: default-src 'none'; script-src 'self'; style-src "
	"'self'; "
	"connect-src 'self'; img-src 'self' data:; frame-ancestors 'none'; base-uri "
	"'none'; "
	"form-action 'none'; require-trusted-types-for 'script'; trusted-types 'none'\r\n"
	"Cross-Origin-Opener-Policy: same-origin\r\n"
	"Cross-Origin-Resource-Policy: same-origin\r\n"
	"Referrer-Policy: no-referrer\r\n"
	"X-Content-Type-Options: nosniff\r\n"
	"X-Frame-Options: DENY\r\n";

static const struct {
	const char *ending;
	const char *type;
} TYPES[] = {
	{ ".html", "text/html; charset=utf-8" },
	{ ".css", "text/css; charset=utf-8" },
	{ ".js", "text/javascript; charset=utf-8" },
	{ ".svg", "image/svg+xml" },
};

static const char *type_of(const char *path)
{
	const char *ending = strrchr(path, '.');

	for (size_t i = 0; ending != NULL && i < sizeof(TYPES) / sizeof(TYPES[0]); i++) {
		if (strcmp(TYPES[i].ending, ending) == 0)
			return TYPES[i].type;
	}
	return "application/octet-stream";
}

/* Only what begins with "dashboard/": other files of the program are no pages. */
static const struct embed_file *find(struct slice path)
{
	if (slice_equal(path, SLICE("/")))
		return embed_find(SLICE("dashboard/index.html"));
	if (!slice_starts_with(path, SLICE("/dashboard/")))
		return NULL;
	return embed_find(slice_from(path, 1));
}

static void respond(struct http_conn *conn, const struct http_request *request,
		    const struct embed_file *file)
{
	const struct slice body = slice_make(file->ptr, file->len);
	struct http_response response = { .status = 200 };
	char headers[sizeof(HEADERS) + sizeof("ETag: \r\n") + ETAG_BYTES];
	char etag[ETAG_BYTES];

	(void)snprintf(etag, sizeof(etag), "\"%016" PRIx64 "\"", hash_bytes(body, 0));
	(void)snprintf(headers, sizeof(headers), "ETag: %s\r\n%s", etag, HEADERS);
	if (http_header_has_etag(request, slice_from_str(etag)))
		response.status = 304;
	response.content_type = type_of(file->path);
	response.headers = slice_from_str(headers);
	response.body = body;
	http_respond(conn, &response);
}

bool dashboard_respond(struct http_conn *conn, const struct http_request *request)
{
	const struct embed_file *file = find(request->path);

	if (file == NULL)
		return false;
	if (slice_equal(request->method, SLICE("GET")) ||
	    slice_equal(request->method, SLICE("HEAD"))) {
		respond(conn, request, file);
	} else {
		const struct http_response response = {
			.status = 405,
			.headers = SLICE("Allow: GET, HEAD\r\n"),
		};

		http_respond(conn, &response);
	}
	return true;
}
