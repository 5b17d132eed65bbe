/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The only file that writes HTTP answers, but for the head of an event stream. Nothing is
 * to be stored by anybody on the way, save what has an ETag, which is asked for again.
 */
#include "presence/admin_private.h"

#include <inttypes.h>

#include "proto/base/hash.h"
#include "proto/base/log.h"

#define NO_STORE "Cache-Control: no-store\r\n"
#define RETRY_AFTER "Retry-After: 1\r\n"

static void respond(struct admin *admin, struct http_conn *conn, int status,
		    struct slice headers)
{
	const struct http_response response = {
		.status = status,
		.content_type =
			status < 400 ? "application/json" : "application/problem+json",
		.body = buf_slice(&admin->body),
		.headers = headers,
	};

	http_respond(conn, &response);
	buf_clear(&admin->body);
}

void admin_respond(struct admin *admin, struct http_conn *conn, int status)
{
	respond(admin, conn, status, SLICE(NO_STORE));
}

static struct slice problem_headers(enum admin_problem problem)
{
	if (problem == ADMIN_UNAUTHORIZED)
		return SLICE(NO_STORE
			     "WWW-Authenticate: Bearer realm=\"heliograph\"\r\n");
	if (problem == ADMIN_BUSY || problem == ADMIN_STORE_AWAY ||
	    problem == ADMIN_UNAVAILABLE)
		return SLICE(NO_STORE RETRY_AFTER);
	return SLICE(NO_STORE);
}

void admin_respond_problem(struct admin *admin, struct http_conn *conn,
			   enum admin_problem problem,
			   const struct admin_problem_details *details)
{
	buf_clear(&admin->body);
	admin_problem_write(&admin->body, problem, details);
	respond(admin, conn, admin_problem_status(problem), problem_headers(problem));
}

void admin_refuse(struct admin *admin, const struct admin_request *request,
		  enum admin_problem problem, const char *detail)
{
	struct admin_problem_details details = ADMIN_PROBLEM_DETAILS;

	details.detail = detail;
	details.instance = request->http->path;
	admin_respond_problem(admin, request->conn, problem, &details);
}

void admin_refuse_method(struct admin *admin, const struct admin_request *request)
{
	struct admin_problem_details details = ADMIN_PROBLEM_DETAILS;
	struct buf headers = BUF_INIT;

	details.instance = request->http->path;
	buf_append_str(&headers, NO_STORE "Allow: ");
	admin_route_allow(request->http->path, &headers);
	buf_append_str(&headers, "\r\n");
	admin_problem_write(&admin->body, ADMIN_METHOD, &details);
	respond(admin, request->conn, 405, buf_slice(&headers));
	buf_fini(&headers);
}

/* `weak` is empty or "W/". */
static void respond_tagged(struct admin *admin, const struct admin_request *request,
			   const char *weak, struct slice tag)
{
	struct buf headers = BUF_INIT;
	int status = 200;

	buf_append_str(&headers, "Cache-Control: no-cache\r\nETag: ");
	buf_append_str(&headers, weak);
	buf_append_slice(&headers, tag);
	buf_append_str(&headers, "\r\n");
	if (http_header_has_etag(request->http, tag))
		status = 304;
	respond(admin, request->conn, status, buf_slice(&headers));
	buf_fini(&headers);
}

void admin_respond_tagged(struct admin *admin, const struct admin_request *request)
{
	const uint64_t hash = hash_bytes(buf_slice(&admin->body), 0);

	respond_tagged(admin, request, "",
		       arena_printf(&admin->arena, "\"%016" PRIx64 "\"", hash));
}

void admin_respond_versioned(struct admin *admin, const struct admin_request *request,
			     uint64_t version)
{
	/* Another life of the process counts from zero again. */
	respond_tagged(admin, request, "W/",
		       arena_printf(&admin->arena, "\"%" PRIx64 "-%" PRIu64 "\"",
				    admin->seed, version));
}

bool admin_read_page(struct admin *admin, const struct admin_request *request,
		     enum admin_list list, struct admin_page *page)
{
	const enum err rc = admin_page_read(request->http->query, list,
					    (size_t)admin->presence->conf->page_max,
					    &admin->arena, page);

	if (rc == ERR_LIMIT)
		admin_refuse(admin, request, ADMIN_BAD_REQUEST,
			     "limit is a number from 1 to page_max.");
	else if (rc != OK)
		admin_refuse(admin, request, ADMIN_BAD_CURSOR, NULL);
	return rc == OK;
}

bool admin_read_prefix(struct admin *admin, const struct admin_request *request,
		       struct slice *prefix)
{
	const enum err rc = http_query_find(request->http->query, SLICE("prefix"),
					    &admin->arena, prefix);

	if (rc == ERR_NOT_FOUND)
		*prefix = SLICE_NONE;
	else if (rc != OK)
		admin_refuse(admin, request, ADMIN_BAD_REQUEST,
			     "prefix is not well percent-encoded.");
	return rc == OK || rc == ERR_NOT_FOUND;
}

void admin_on_refuse(struct http_conn *conn, int status, const char *reason)
{
	struct admin *admin = health_owner(conn);

	if (status == 413) {
		const struct admin_problem_details details = ADMIN_PROBLEM_DETAILS;

		admin_respond_problem(admin, conn, ADMIN_TOO_LARGE, &details);
		return;
	}
	admin_problem_write_status(&admin->body, status, reason);
	respond(admin, conn, status, SLICE(NO_STORE));
}
