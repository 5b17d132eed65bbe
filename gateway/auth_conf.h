/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The options about who clients are: the rows of the gateway's table and the struct they
 * fill, which is the configuration's `jwt` field.
 */
#ifndef GATEWAY_AUTH_CONF_H
#define GATEWAY_AUTH_CONF_H

#include <stddef.h>
#include <stdint.h>

#define AUTH_LEEWAY_MS_MAX 60000

struct auth_conf {
	char *key_file;
	int64_t algorithm; /* enum auth_algorithm: of key_file */
	char *jwks_file;
	char *issuer;	/* empty: not compared */
	char *audience; /* empty: not compared */
	int64_t leeway_ms;
	char *user_claim;  /* empty: the usual ones */
	char *name_claim;  /* empty: the usual ones */
	char *role_claims; /* a list */
};

extern const char *const auth_conf_algorithms[];

/* clang-format off */
#define AUTH_CONF_OPTIONS(type, field)                                                      \
	{ "auth_key_file", CONF_FILE, offsetof(type, field.key_file), "", 0, 4096, NULL,  \
	  "The key of the clients' JWTs: a secret, or a PUBLIC KEY in PEM, as "             \
	  "auth_algorithm says. Without this and auth_jwks_file every token is refused, "   \
	  "but for those of dev mode.", true },                                             \
	{ "auth_algorithm", CONF_ENUM, offsetof(type, field.algorithm), "HS256", 0, 0,      \
	  auth_conf_algorithms, "What the key in auth_key_file is for.", true },            \
	{ "auth_jwks_file", CONF_FILE, offsetof(type, field.jwks_file), "", 0, 4096,      \
	  NULL, "More keys, a JSON Web Key Set, told apart by kid. Empty: none.", true },   \
	{ "auth_issuer", CONF_STRING, offsetof(type, field.issuer), "", 0, 1024, NULL,      \
	  "The iss that a token must have. Empty: any.", true },                            \
	{ "auth_audience", CONF_STRING, offsetof(type, field.audience), "", 0, 1024, NULL,  \
	  "What a token's aud must be or hold. Empty: anything.", true },                   \
	{ "auth_leeway", CONF_MS, offsetof(type, field.leeway_ms), "60s", 0,                \
	  AUTH_LEEWAY_MS_MAX, NULL,                                                         \
	  "By how much exp, nbf and iat may be missed; in whole seconds, rounded up.",      \
	  true },                                                                           \
	{ "auth_user_claim", CONF_STRING, offsetof(type, field.user_claim), "", 0, 256,     \
	  NULL, "The claim that is the user's id; a token without it is refused. Empty: "   \
	  "sub, else nameid, else the nameidentifier URI, else no id.", true },             \
	{ "auth_name_claim", CONF_STRING, offsetof(type, field.name_claim), "", 0, 256,     \
	  NULL, "The claim that is the user's name. Empty: name, else the name URI.",       \
	  true },                                                                           \
	{ "auth_role_claims", CONF_STRING, offsetof(type, field.role_claims),               \
	  "role,roles,http://schemas.microsoft.com/ws/2008/06/identity/claims/role", 0,     \
	  1024, NULL, "The claims that are roles, each a text or a list of texts.", true }
/* clang-format on */

/* For a table's `problem`: "" when all is well. */
const char *auth_conf_problem(const struct auth_conf *conf);

#endif
