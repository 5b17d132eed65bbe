/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What all routes need of a request: short answers, the token that says who asks, and the
 * connection that it names.
 */
#include "gateway/visit.h"

#include <assert.h>

#include "gateway/auth.h"
#include "gateway/edge_guard.h"
#include "gateway/gateway.h"
#include "gateway/reply_http.h"
#include "gateway/request.h"
#include "gateway/room.h"
#include "gateway/token.h"
#include "proto/base/log.h"
#include "proto/wire/negotiate.h"

/* ---- answers */

static void respond(struct visit *visit, struct http_response *response)
{
	response->headers = buf_slice(&visit->headers);
	http_respond(visit->conn, response);
}

void visit_respond_empty(struct visit *visit, int status, struct slice headers)
{
	struct http_response response = { .status = status };

	buf_append_slice(&visit->headers, headers);
	respond(visit, &response);
}

void visit_respond_text(struct visit *visit, int status, const char *text)
{
	struct http_response response = {
		.status = status,
		.content_type = "text/plain",
		.body = slice_from_str(text),
	};

	respond(visit, &response);
}

void visit_respond_busy(struct visit *visit)
{
	room_count_refused(visit->gateway);
	visit_respond_empty(visit, 503, SLICE("Retry-After: 5\r\n"));
}

void visit_respond_later(struct visit *visit, int64_t seconds)
{
	buf_append_str(&visit->headers, "Retry-After: ");
	buf_append_int64(&visit->headers, seconds);
	visit_respond_empty(visit, 429, SLICE("\r\n"));
}

void visit_respond_json(struct visit *visit, struct slice body)
{
	struct http_response response = {
		.status = 200,
		.content_type = "application/json",
		.body = body,
	};

	buf_append_str(&visit->headers, "Cache-Control: no-store\r\n");
	respond(visit, &response);
}

struct reply *visit_reply(struct visit *visit, Link__RequestKind kind)
{
	if (kind == LINK__REQUEST_KIND__REQUEST_KIND_POLL)
		buf_append_str(&visit->headers,
			       "Cache-Control: no-cache, no-store\r\n"
			       "Pragma: no-cache\r\n"
			       "Expires: Thu, 01 Jan 1970 00:00:00 GMT\r\n");
	return reply_http_new(visit->conn, buf_slice(&visit->headers),
			      kind == LINK__REQUEST_KIND__REQUEST_KIND_EVENTS);
}

/* ---- who it is */

/* The Authorization header wins over the query; other schemes than Bearer are not for us.
 */
static enum err access_token(struct visit *visit, struct slice *token)
{
	struct slice header = http_header_find(visit->request, SLICE("Authorization"));
	enum err rc;

	*token = SLICE_NONE;
	if (header.len > 7 &&
	    slice_equal_nocase(slice_make(header.ptr, 7), SLICE("Bearer "))) {
		*token = slice_trim(slice_from(header, 7));
		return OK;
	}
	rc = http_query_find(visit->request->query, SLICE("access_token"), &visit->arena,
			     token);
	return rc == ERR_NOT_FOUND ? OK : rc;
}

/* The user of the access token; NULL: answered. */
static struct user *user_of_token(struct visit *visit)
{
	struct gateway *gateway = visit->gateway;
	struct user *user = NULL;
	struct slice token;
	enum err rc = access_token(visit, &token);
	enum auth_rc outcome = AUTH_MALFORMED;

	if (rc == OK && token.len == 0)
		return user_anonymous();
	if (!edge_guard_token(visit))
		return NULL;
	if (rc == OK)
		outcome = auth_check(gateway->auth, token,
				     loop_unix_ms(gateway->loop) / 1000, &user);
	if (outcome == AUTH_OK)
		return user;
	edge_guard_token_was_bad(visit);
	gateway->metrics.auth_failed_total[outcome]++;
	log_debug("edge.unauthorized", "remote=%s reason=%s", visit->view.remote,
		  auth_rc_name(outcome));
	visit_respond_empty(
		visit, 401,
		SLICE("WWW-Authenticate: Bearer error=\"invalid_token\"\r\n"));
	return NULL;
}

static bool has_a_role(const struct hub_conf *conf, const struct user *user)
{
	for (size_t i = 0; i < user->roles_n; i++) {
		if (hub_conf_has_role(conf, user_role(user, i)))
			return true;
	}
	return conf->roles[0] == '\0';
}

struct user *visit_authenticate(struct visit *visit)
{
	const struct hub_conf *conf = visit->hub->conf;
	struct user *user = user_of_token(visit);
	/* A token need not name its user, but it has claims. */
	const bool is_known = user != NULL && user_claims(user).len > 0;

	if (user == NULL || !hub_conf_needs_user(conf) ||
	    (is_known && has_a_role(conf, user)))
		return user;
	user_free(user);
	visit->gateway->metrics.auth_denied_total++;
	if (is_known)
		visit_respond_empty(visit, 403, SLICE_NONE);
	else
		visit_respond_empty(visit, 401, SLICE("WWW-Authenticate: Bearer\r\n"));
	return NULL;
}

unsigned visit_transports(const struct visit *visit)
{
	return (unsigned)visit->hub->conf->transports;
}

/* ---- the token of a connection */

int64_t visit_id_age_max_s(const struct gateway *gateway)
{
	return (gateway->conf->disconnect_timeout_ms + 999) / 1000;
}

enum err visit_find_id(struct visit *visit, struct visit_id *id)
{
	struct gateway *gateway = visit->gateway;
	struct slice text;
	enum err rc;

	assert(visit->user != NULL);
	*id = (struct visit_id){ .is_there = true };
	rc = http_query_find(visit->request->query, SLICE("id"), &visit->arena, &text);
	if (rc == ERR_NOT_FOUND) {
		id->is_there = false;
		return OK;
	}
	if (rc == OK)
		rc = token_check(&id->token, gateway->token_key,
				 slice_from_str(visit->hub->name), user_id(visit->user),
				 text, loop_unix_ms(gateway->loop) / 1000,
				 visit_id_age_max_s(gateway));
	id->is_fresh =
		rc == OK &&
		!request_was_elsewhere(gateway, slice_make(id->token.id, CONN_ID_LEN));
	/* Once attached, a connection's token is good for as long as the connection. */
	if (rc == OK || rc == ERR_TIMEOUT)
		return OK;
	gateway->metrics.id_unknown_total++;
	if (edge_guard_id_was_unknown(visit))
		visit_respond_text(visit, 404, REQUEST_ID_UNKNOWN);
	return rc;
}
