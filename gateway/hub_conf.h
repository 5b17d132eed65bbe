/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The options of one hub at the gateway. Most are as the gateway's option of the same
 * name unless "hub.<name>.option" is set. A reload may change all of them: who needs a
 * text beyond the turn copies it.
 */
#ifndef GATEWAY_HUB_CONF_H
#define GATEWAY_HUB_CONF_H

#include <stdbool.h>
#include <stdint.h>

#include "proto/base/conf_scope.h"
#include "proto/base/slice.h"

enum hub_auth { HUB_AUTH_ANONYMOUS, HUB_AUTH_REQUIRED };

extern const char *const hub_auth_names[];

/* Ranges that the gateway's options share. */
#define HUB_STATEFUL_BUFFER_BYTES_MIN 1024
#define HUB_STATEFUL_BUFFER_BYTES_MAX (64 << 20)
#define HUB_STREAM_CAPACITY_MAX 1000
#define HUB_REQUEST_HEADERS_MAX 32
#define HUB_CORS_BYTES_MAX 4096

struct hub_conf {
	char *path;	    /* "/hubs/chat" */
	int64_t transports; /* TRANSPORT_ bits of proto/wire/negotiate.h */
	int64_t auth;	    /* enum hub_auth; see hub_conf_needs_user() */
	char *roles;	    /* "admin, staff": one of them is needed; empty: none */
	char *cors_origins; /* "https://a.example, https://b.example" */
	int64_t keepalive_interval_ms;
	int64_t client_timeout_ms;
	int64_t handshake_timeout_ms;
	int64_t message_bytes_max;
	bool is_detailed; /* detailed_errors */
	bool is_stateful; /* stateful_reconnect */
	int64_t stateful_buffer_bytes_max;
	int64_t stream_capacity;
	bool is_closing_expired; /* close_on_auth_expiration */
	char *request_headers;	 /* "x-tenant, cookie" */
	bool is_query_shown;	 /* request_query */
	int64_t negotiate_version_min;
	char *redirect_url;	 /* empty: clients are served here */
	bool is_redirect_signed; /* redirect_token */
};

extern const struct conf_scope hub_conf_scope;

/* Nobody comes in without a token: required, or roles are. */
bool hub_conf_needs_user(const struct hub_conf *conf);

/* Is it one of `roles`? Roles are compared as they are written. */
bool hub_conf_has_role(const struct hub_conf *conf, struct slice role);

/* May hubs read this header of the connecting request? */
bool hub_conf_has_header(const struct hub_conf *conf, struct slice name);

#endif
