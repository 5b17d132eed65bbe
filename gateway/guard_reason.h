/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The limits that are answered 429, each with its name on /metrics and in the log.
 */
#ifndef GATEWAY_GUARD_REASON_H
#define GATEWAY_GUARD_REASON_H

#define GUARD_LIST(X)                                                                    \
	X(GUARD_ADDRESS_NEGOTIATES, "address_negotiates")                                \
	X(GUARD_ADDRESS_AUTH_FAILED, "address_auth_failed")                              \
	X(GUARD_ADDRESS_IDS_UNKNOWN, "address_ids_unknown")                              \
	X(GUARD_ADDRESS_CONNECTIONS, "address_connections")                              \
	X(GUARD_USER_NEGOTIATES, "user_negotiates")                                      \
	X(GUARD_USER_CONNECTIONS, "user_connections")

enum guard_reason {
#define GUARD_ENUM(reason, name) reason,
	GUARD_LIST(GUARD_ENUM)
#undef GUARD_ENUM
		GUARD_COUNT
};

#endif
