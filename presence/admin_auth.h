/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who may use the admin API: whoever has one of the bearer tokens of a file, or a client
 * certificate of our authority; either will do where both are configured. Without both,
 * everybody who reaches the listener, which is on loopback then.
 *
 * What a browser adds by itself (a certificate, being on this machine) proves nothing
 * about the page that sends the request: such requests have to come from our own pages.
 */
#ifndef PRESENCE_ADMIN_AUTH_H
#define PRESENCE_ADMIN_AUTH_H

#include <stdbool.h>
#include <stddef.h>

#include "presence/admin_problem.h"
#include "proto/base/http_server.h"
#include "proto/base/secret.h"

#define ADMIN_ACTOR_BYTES 96

struct presence_conf;

struct admin_auth {
	struct secrets tokens; /* n 0: no token will do */
	bool has_ca;
};

enum admin_actor_kind { ADMIN_ANYBODY, ADMIN_TOKEN, ADMIN_CERTIFICATE };

/* Who asks, for the log. */
struct admin_actor {
	enum admin_actor_kind kind;
	size_t token;		      /* which one of the file, from 0 */
	char name[ADMIN_ACTOR_BYTES]; /* the certificate's */
};

/* Ends the program when the options do not go together or the file will not do. */
void admin_auth_init(struct admin_auth *auth, const struct presence_conf *conf);
void admin_auth_fini(struct admin_auth *auth);

/* Reads the tokens again. With an error the old ones stay, and `problem` is a constant.
 */
MUST_CHECK enum err admin_auth_reload(struct admin_auth *auth,
				      const struct presence_conf *conf,
				      const char **problem);

/* Cuts the file's text, which is in `tokens`, into its lines, one token each. */
MUST_CHECK enum err admin_tokens_parse(struct secrets *tokens, const char **problem);

/* OK with `actor`, or ERR_DENIED with `problem` and a constant `detail`. */
MUST_CHECK enum err admin_auth_check(const struct admin_auth *auth,
				     const struct http_conn *conn,
				     const struct http_request *request,
				     struct admin_actor *actor,
				     enum admin_problem *problem, const char **detail);

/* "127.0.0.1", "localhost", "[::1]", with or without a port. */
bool admin_auth_is_loopback(struct slice host);

/* Is the request from a page of another origin, as far as a browser tells? */
bool admin_auth_is_foreign(const struct http_request *request, bool is_tls);

#endif
