/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Negotiate. It stores nothing: all that is known of a connection before its first
 * transport request is in its signed token.
 */
#include "gateway/edge_negotiate.h"

#include "gateway/auth.h"
#include "gateway/edge_guard.h"
#include "gateway/gateway.h"
#include "gateway/room.h"
#include "gateway/token.h"
#include "proto/base/crypto.h"
#include "proto/base/http_parse.h"
#include "proto/base/log.h"
#include "proto/base/secret.h"
#include "proto/wire/negotiate.h"

/* Long enough to come there and come back a few times. */
#define REDIRECT_TOKEN_SECONDS 3600

/* Never unasked: clients refuse that. */
static bool is_stateful(struct visit *visit)
{
	struct slice asked;

	return visit->hub->conf->is_stateful &&
	       http_query_find(visit->request->query, SLICE("useStatefulReconnect"),
			       &visit->arena, &asked) == OK &&
	       slice_equal_nocase(asked, SLICE("true"));
}

static void negotiate_answer(struct visit *visit, int version)
{
	struct gateway *gateway = visit->gateway;
	struct negotiate_answer answer = { .version = version,
					   .transports = visit_transports(visit) };
	uint8_t random[TOKEN_RANDOM_BYTES];
	struct buf body = BUF_INIT;
	struct token token = {
		.is_stateful = version > 0 && is_stateful(visit),
		.issued_s = (uint32_t)(loop_unix_ms(gateway->loop) / 1000),
	};

	crypto_random(random, sizeof(random));
	token_make(&token, gateway->token_key, slice_from_str(visit->hub->name),
		   user_id(visit->user), random);
	answer.id = slice_make(token.id, sizeof(token.id));
	answer.is_stateful = token.is_stateful;
	answer.token = slice_make(token.text, sizeof(token.text));
	/* Version 0 has one id for both uses: it must be the one that can be checked. */
	if (version == 0)
		answer.id = answer.token;
	negotiate_encode(&body, &answer);
	visit_respond_json(visit, buf_slice(&body));
	buf_fini(&body);
}

/* As the user it came as; anonymous goes on anonymous. False: it cannot be signed. */
static bool redirect_token(struct visit *visit, struct buf *token)
{
	const struct user *user = visit->user;
	const int64_t now_s = loop_unix_ms(visit->gateway->loop) / 1000;
	struct slice roles[USER_ROLES_MAX];
	const struct auth_identity identity = {
		.id = user_id(user),
		.name = user_name(user),
		.roles = roles,
		.roles_n = user->roles_n,
		.issued_s = now_s,
		.expires_s = user->expires_unix_s < now_s + REDIRECT_TOKEN_SECONDS
				     ? user->expires_unix_s
				     : now_s + REDIRECT_TOKEN_SECONDS,
	};

	if (!visit->hub->conf->is_redirect_signed || user->expires_unix_s == 0)
		return true;
	for (size_t i = 0; i < user->roles_n; i++)
		roles[i] = user_role(user, i);
	if (auth_mint(visit->gateway->auth, &identity, token) == OK)
		return true;
	log_warn("negotiate.unsigned", "hub=%s reason=\"no HS256 auth_key_file\"",
		 visit->hub->name);
	return false;
}

static void negotiate_redirect(struct visit *visit)
{
	struct buf token = BUF_INIT;
	struct buf body = BUF_INIT;

	if (redirect_token(visit, &token)) {
		visit->gateway->metrics.negotiate_redirected_total++;
		negotiate_encode_redirect(&body,
					  slice_from_str(visit->hub->conf->redirect_url),
					  buf_slice(&token));
		visit_respond_json(visit, buf_slice(&body));
	} else {
		visit_respond_empty(visit, 500, SLICE_NONE);
	}
	buf_fini(&body);
	secret_fini(&token);
}

void edge_negotiate(struct visit *visit)
{
	struct slice error;
	int version;

	if (!slice_equal(visit->request->method, SLICE("POST"))) {
		visit_respond_empty(visit, 405, SLICE("Allow: POST\r\n"));
		return;
	}
	visit->gateway->metrics.negotiate_total++;
	visit->user = visit_authenticate(visit);
	if (visit->user == NULL || !edge_guard_negotiate(visit))
		return;
	if (visit->hub->conf->redirect_url[0] != '\0') {
		negotiate_redirect(visit);
		return;
	}
	if (!room_is_there(visit->gateway)) {
		visit_respond_busy(visit);
		return;
	}
	if (negotiate_version(visit->request->query,
			      (int)visit->hub->conf->negotiate_version_min, &visit->arena,
			      &version, &error)) {
		struct buf body = BUF_INIT;

		visit->gateway->metrics.negotiate_refused_total++;
		negotiate_encode_error(&body, error);
		visit_respond_json(visit, buf_slice(&body));
		buf_fini(&body);
		return;
	}
	negotiate_answer(visit, version);
}
