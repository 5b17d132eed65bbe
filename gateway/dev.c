/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Makes tokens for whoever asks.
 */
#include "gateway/dev.h"

#include <arpa/inet.h>

#include "gateway/auth.h"
#include "gateway/gateway.h"
#include "proto/wire/json.h"

#define TOKEN_SECONDS 3600
#define DEPTH_MAX 8

struct wish {
	struct slice id;
	struct slice name;
	struct slice roles[USER_ROLES_MAX];
	size_t roles_n;
};

static enum err roles_read(struct json_cursor *cursor, struct arena *arena,
			   struct wish *wish)
{
	bool is_first = true;
	bool more = true;
	enum err rc = json_open(cursor, '[');

	wish->roles_n = 0;
	while (!rc && more) {
		rc = json_next_element(cursor, &is_first, &more);
		if (!rc && more && wish->roles_n == USER_ROLES_MAX)
			rc = ERR_LIMIT;
		if (!rc && more)
			rc = json_text(cursor, arena, &wish->roles[wish->roles_n++]);
	}
	return rc;
}

static enum err wish_read(struct slice body, struct arena *arena, struct wish *wish)
{
	struct json_cursor cursor = { body.ptr, body.ptr + body.len, DEPTH_MAX };
	struct slice key;
	struct slice other;
	bool is_first = true;
	bool more = true;
	enum err rc = json_open(&cursor, '{');

	while (!rc && more) {
		rc = json_next_member(&cursor, arena, &is_first, &key, &more);
		if (rc || !more)
			break;
		if (slice_equal(key, SLICE("userId")))
			rc = json_text(&cursor, arena, &wish->id);
		else if (slice_equal(key, SLICE("name")))
			rc = json_text(&cursor, arena, &wish->name);
		else if (slice_equal(key, SLICE("roles")))
			rc = roles_read(&cursor, arena, wish);
		else
			rc = json_skip(&cursor, &other);
	}
	if (!rc && (!json_is_done(&cursor) || wish->id.len == 0))
		rc = ERR_MALFORMED;
	return rc;
}

static enum err token_write(const struct gateway *gateway, const struct wish *wish,
			    struct buf *body)
{
	int64_t now_s = loop_unix_ms(gateway->loop) / 1000;
	const struct auth_identity identity = {
		.id = wish->id,
		.name = wish->name,
		.roles = wish->roles,
		.roles_n = wish->roles_n,
		.issued_s = now_s,
		.expires_s = now_s + TOKEN_SECONDS,
	};
	enum err rc;

	buf_append_str(body, "{\"token\":\"");
	rc = auth_mint(gateway->auth, &identity, body);
	buf_append_str(body, "\"}");
	/* One that no gateway would take is no token. */
	return !rc && body->len > AUTH_TOKEN_BYTES_MAX ? ERR_LIMIT : rc;
}

static void on_token(struct gateway *gateway, struct http_conn *conn,
		     const struct http_request *request)
{
	struct arena arena = ARENA_INIT;
	struct buf body = BUF_INIT;
	struct wish wish = { .roles_n = 0 };
	enum err rc = wish_read(request->body, &arena, &wish);

	if (!rc)
		rc = token_write(gateway, &wish, &body);
	if (rc) {
		http_respond_text(conn, 400,
				  "Expected {\"userId\": text, \"name\": text or absent, "
				  "\"roles\": list of texts or absent}\n");
	} else {
		const struct http_response response = {
			.status = 200,
			.content_type = "application/json",
			.body = buf_slice(&body),
			.headers = SLICE("Cache-Control: no-store\r\n"),
		};

		gateway->metrics.dev_token_total++;
		http_respond(conn, &response);
	}
	buf_fini(&body);
	arena_fini(&arena);
}

/* Of a Host header, without the port. An IPv6 address keeps its brackets. */
static struct slice host_name(struct slice host)
{
	const char *from = host.ptr;
	const char *colon;

	if (host.len > 0 && host.ptr[0] == '[') {
		from = memchr(host.ptr, ']', host.len);
		if (from == NULL)
			return SLICE_NONE;
	}
	if (from == NULL)
		return SLICE_NONE;
	colon = memchr(from, ':', host.len - (size_t)(from - host.ptr));
	return colon != NULL ? slice_make(host.ptr, (size_t)(colon - host.ptr)) : host;
}

/* A page of a foreign site whose name was made to resolve to us sends that name: the
 * socket on loopback alone keeps nobody out who has a browser here. */
static bool is_loopback(struct slice host)
{
	const struct slice name = host_name(host);
	char text[INET_ADDRSTRLEN] = { 0 };
	struct in_addr address;

	if (slice_equal_nocase(name, SLICE("localhost")) ||
	    slice_equal(name, SLICE("[::1]")))
		return true;
	if (name.len == 0 || name.len >= sizeof(text))
		return false;
	memcpy(text, name.ptr, name.len);
	return inet_pton(AF_INET, text, &address) == 1 &&
	       ntohl(address.s_addr) >> 24 == IN_LOOPBACKNET;
}

bool dev_respond(struct gateway *gateway, struct http_conn *conn,
		 const struct http_request *request)
{
	const struct http_response refusal = { .status = 405,
					       .headers = SLICE("Allow: POST\r\n") };

	if (!slice_equal(request->path, SLICE("/dev/token")))
		return false;
	if (!is_loopback(http_header_find(request, SLICE("Host"))))
		http_respond_text(conn, 403, "Only for hosts on loopback\n");
	else if (slice_equal(request->method, SLICE("POST")))
		on_token(gateway, conn, request);
	else
		http_respond(conn, &refusal);
	return true;
}
