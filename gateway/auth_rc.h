/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What became of a token: the label of gateway_auth_failed_total and the word in the log.
 * The client is told none of it.
 */
#ifndef GATEWAY_AUTH_RC_H
#define GATEWAY_AUTH_RC_H

#define AUTH_FAILURE_LIST(X)                                                             \
	X(AUTH_TOO_LONG, "too_long")   /* over AUTH_TOKEN_BYTES_MAX */                   \
	X(AUTH_MALFORMED, "malformed") /* not three parts of base64url with JSON */      \
	X(AUTH_LIMIT, "limit")	       /* too many members or roles, or too deep */      \
	X(AUTH_HEADER, "header")       /* a member that is not taken, or a wrong type */ \
	X(AUTH_ALGORITHM, "algorithm") /* unknown, or not the key's */                   \
	X(AUTH_NO_KEY, "no_key")       /* no key is meant, or two could be */            \
	X(AUTH_SIGNATURE, "signature")                                                   \
	X(AUTH_CLAIMS, "claims")   /* a wrong type, no exp, no user */                   \
	X(AUTH_EXPIRED, "expired") /* exp */                                             \
	X(AUTH_NOT_YET, "not_yet") /* nbf, iat */                                        \
	X(AUTH_ISSUER, "issuer")                                                         \
	X(AUTH_AUDIENCE, "audience")

#define AUTH_RC_LIST(X)                                                                  \
	X(AUTH_OK, "ok")                                                                 \
	AUTH_FAILURE_LIST(X)

enum auth_rc {
#define AUTH_RC_ENUM(name, text) name,
	AUTH_RC_LIST(AUTH_RC_ENUM)
#undef AUTH_RC_ENUM
		AUTH_RC_COUNT
};

/* "signature"; never NULL. */
const char *auth_rc_name(enum auth_rc rc);

#endif
