/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Why connections end, in one list: what the client is told and how its transport goes
 * follow from the reason alone. conn_close() is the one who reads it.
 */
#ifndef GATEWAY_CONN_CLOSE_H
#define GATEWAY_CONN_CLOSE_H

/*
 * Name (metrics, logs, the hub's on_disconnected), the hub Close error for the client
 * (NULL: none; the detail is added when detailed_errors is on), allowReconnect, whether a
 * hub Close is sent at all, and whether the transport closes as failed.
 */
#define CONN_CLOSE_LIST(X)                                                               \
	X(CONN_CLOSE_CLIENT, "client", NULL, false, true, false)                         \
	X(CONN_CLOSE_TRANSPORT, "transport", NULL, false, false, false)                  \
	X(CONN_CLOSE_HANDSHAKE, "handshake", NULL, false, false, false)                  \
	X(CONN_CLOSE_ABORTED, "aborted", NULL, false, true, false)                       \
	X(CONN_CLOSE_CONNECT, "connect_failed", CONN_ERROR, false, true, true)           \
	X(CONN_CLOSE_PROTOCOL, "protocol", CONN_ERROR, true, true, true)                 \
	X(CONN_CLOSE_TOO_LARGE, "too_large", CONN_ERROR, true, true, true)               \
	X(CONN_CLOSE_TIMEOUT, "timeout", CONN_ERROR, true, true, true)                   \
	X(CONN_CLOSE_SLOW, "slow", CONN_ERROR, true, false, true)                        \
	X(CONN_CLOSE_MEMORY, "memory", CONN_ERROR, true, false, true)                    \
	X(CONN_CLOSE_BUSY, "busy", CONN_ERROR, true, true, true)                         \
	X(CONN_CLOSE_EXPIRED, "expired", NULL, true, true, false)                        \
	X(CONN_CLOSE_SHUTDOWN, "shutdown", NULL, true, true, false)                      \
	X(CONN_CLOSE_FENCED, "fenced", NULL, true, true, false)                          \
	X(CONN_CLOSE_MOVED, "moved", NULL, false, false, false)

#define CONN_ERROR "Connection closed with an error."

enum conn_close_reason {
#define CONN_CLOSE_ENUM(name, text, error, reconnect, hub_close, failed) name,
	CONN_CLOSE_LIST(CONN_CLOSE_ENUM)
#undef CONN_CLOSE_ENUM
		CONN_CLOSE_COUNT
};

const char *conn_close_name(enum conn_close_reason reason);

#endif
