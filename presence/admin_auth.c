/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Looks at each request anew; nothing is remembered of a connection. All tokens are
 * compared whichever fits, so that time tells nothing.
 */
#include "presence/admin_auth.h"

#include <arpa/inet.h>
#include <assert.h>
#include <netinet/in.h>

#include "presence/admin.h"
#include "presence/conf.h"
#include "proto/base/crypto.h"
#include "proto/base/log.h"

/* ---- the file */

/* A token travels in a header: visible ASCII. */
static bool is_token_text(struct slice token)
{
	for (size_t i = 0; i < token.len; i++) {
		if (token.ptr[i] <= ' ' || token.ptr[i] >= 0x7f)
			return false;
	}
	return true;
}

enum err admin_tokens_parse(struct secrets *tokens, const char **problem)
{
	const enum err rc = secrets_parse(tokens, SECRET_BYTES_MIN, problem);

	for (size_t i = 0; rc == OK && i < tokens->n; i++) {
		if (!is_token_text(tokens->items[i])) {
			*problem = "a token has other than visible ASCII characters";
			return ERR_ARGUMENT;
		}
	}
	return rc;
}

static enum err tokens_load(struct secrets *tokens, const struct presence_conf *conf,
			    const char **problem)
{
	enum err rc;

	if (conf->admin_token_file[0] == '\0')
		return OK;
	rc = secret_load(conf->admin_token_file, SECRETS_FILE_BYTES_MAX, &tokens->text,
			 problem);
	return rc == OK ? admin_tokens_parse(tokens, problem) : rc;
}

/* Would everybody who reaches the listener from elsewhere be let in? */
static bool is_open_to_others(const struct admin_auth *auth, const struct secrets *tokens,
			      const struct presence_conf *conf)
{
	return tokens->n == 0 && !auth->has_ca && conf->admin_listen[0] != '\0' &&
	       !admin_is_loopback(conf->admin_listen);
}

enum err admin_auth_reload(struct admin_auth *auth, const struct presence_conf *conf,
			   const char **problem)
{
	struct secrets read = SECRETS_INIT;
	enum err rc = tokens_load(&read, conf, problem);

	/* Where we listen stays; a file of options that lost its lines opens nothing. */
	if (rc == OK && is_open_to_others(auth, &read, conf)) {
		*problem = "beyond loopback tokens are needed: those that were stay";
		rc = ERR_ARGUMENT;
	}
	if (rc != OK) {
		secrets_fini(&read);
		return rc;
	}
	secrets_fini(&auth->tokens);
	auth->tokens = read;
	return OK;
}

void admin_auth_init(struct admin_auth *auth, const struct presence_conf *conf)
{
	const char *problem = NULL;

	*auth = (struct admin_auth){ .has_ca = conf->admin_tls_client_ca[0] != '\0' };
	if (tokens_load(&auth->tokens, conf, &problem) != OK)
		fatal("admin_token_file = %s: %s", conf->admin_token_file, problem);
	if (is_open_to_others(auth, &auth->tokens, conf))
		fatal("admin_listen = %s: beyond loopback admin_token_file or "
		      "admin_tls_client_ca is needed",
		      conf->admin_listen);
}

void admin_auth_fini(struct admin_auth *auth)
{
	secrets_fini(&auth->tokens);
}

/* ---- where a page is from */

bool admin_auth_is_loopback(struct slice host)
{
	const ptrdiff_t colon = slice_find(host, ':');
	char text[INET_ADDRSTRLEN];
	struct in_addr in;

	if (slice_starts_with(host, SLICE("[::1]")))
		return host.len == 5 || host.ptr[5] == ':';
	if (colon >= 0)
		host.len = (size_t)colon;
	if (slice_equal_nocase(host, SLICE("localhost")))
		return true;
	if (host.len == 0 || host.len >= sizeof(text))
		return false;
	memcpy(text, host.ptr, host.len);
	text[host.len] = '\0';
	return inet_pton(AF_INET, text, &in) == 1 && ntohl(in.s_addr) >> 24 == 127;
}

static bool is_own_origin(const struct http_request *request, bool is_tls)
{
	struct slice origin = http_header_find(request, SLICE("origin"));
	const struct slice host = http_header_find(request, SLICE("host"));
	const struct slice scheme = is_tls ? SLICE("https://") : SLICE("http://");

	if (origin.ptr == NULL)
		return true;
	if (http_header_count(request, SLICE("origin")) != 1 || host.len == 0 ||
	    !slice_starts_with(origin, scheme))
		return false;
	return slice_equal_nocase(slice_from(origin, scheme.len), host);
}

bool admin_auth_is_foreign(const struct http_request *request, bool is_tls)
{
	const struct slice site = http_header_find(request, SLICE("sec-fetch-site"));

	if (!is_own_origin(request, is_tls))
		return true;
	return site.ptr != NULL && !slice_equal(site, SLICE("same-origin")) &&
	       !slice_equal(site, SLICE("none"));
}

/* ---- requests */

static bool find_token(const struct admin_auth *auth, const struct http_request *request,
		       size_t *which)
{
	struct slice credentials = http_header_find(request, SLICE("authorization"));
	const struct slice scheme = slice_cut(&credentials, ' ');
	const struct slice token = slice_trim(credentials);
	bool is_found = false;

	if (http_header_count(request, SLICE("authorization")) != 1 ||
	    !slice_equal_nocase(scheme, SLICE("bearer")))
		return false;
	for (size_t i = 0; i < auth->tokens.n; i++) {
		if (crypto_equal(token, auth->tokens.items[i])) {
			is_found = true;
			*which = i;
		}
	}
	return is_found;
}

static enum err deny(enum admin_problem why, const char *text,
		     enum admin_problem *problem, const char **detail)
{
	*problem = why;
	*detail = text;
	return ERR_DENIED;
}

enum err admin_auth_check(const struct admin_auth *auth, const struct http_conn *conn,
			  const struct http_request *request, struct admin_actor *actor,
			  enum admin_problem *problem, const char **detail)
{
	const bool is_tls = http_conn_is_tls(conn);
	const bool is_open = auth->tokens.n == 0 && !auth->has_ca;

	*actor = (struct admin_actor){ .kind = ADMIN_ANYBODY };
	/* Nobody's browser sends a token by itself: no page can borrow it. */
	if (find_token(auth, request, &actor->token)) {
		actor->kind = ADMIN_TOKEN;
		return OK;
	}
	if (http_conn_peer(conn, actor->name, sizeof(actor->name)))
		actor->kind = ADMIN_CERTIFICATE;
	else if (!is_open && auth->tokens.n == 0)
		return deny(ADMIN_NO_CERTIFICATE, "Connect with a client certificate.",
			    problem, detail);
	else if (!is_open)
		return deny(ADMIN_UNAUTHORIZED,
			    "Send one of the tokens of admin_token_file as "
			    "Authorization: Bearer TOKEN.",
			    problem, detail);
	/* A foreign name that leads to this machine makes a foreign page ours. */
	if (is_open && !admin_auth_is_loopback(http_header_find(request, SLICE("host"))))
		return deny(ADMIN_FOREIGN,
			    "Without a token the host asked for must be loopback.",
			    problem, detail);
	if (admin_auth_is_foreign(request, is_tls))
		return deny(ADMIN_FOREIGN, "Pages of other origins may not use this API.",
			    problem, detail);
	return OK;
}
