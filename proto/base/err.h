/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The one list of operating errors: what a peer, the network, a store or a limit can do
 * to us. Programmer errors are asserted, start-up errors are fatal(); neither is in this
 * list.
 */
#ifndef PROTO_BASE_ERR_H
#define PROTO_BASE_ERR_H

#define MUST_CHECK __attribute__((warn_unused_result))
#define PRINTF_LIKE(fmt, args) __attribute__((format(printf, fmt, args)))

#define ERR_LIST(X)                                                                      \
	X(OK, 0, "ok")                                                                   \
	X(ERR_AGAIN, -1, "not now, try again")                                           \
	X(ERR_CLOSED, -2, "the other side is gone")                                      \
	X(ERR_MALFORMED, -3, "bytes that break the format")                              \
	X(ERR_LIMIT, -4, "over a configured limit")                                      \
	X(ERR_TIMEOUT, -5, "the deadline passed")                                        \
	X(ERR_CANCELED, -6, "the caller went away")                                      \
	X(ERR_NOT_FOUND, -7, "no such thing")                                            \
	X(ERR_EXISTS, -8, "already there")                                               \
	X(ERR_DENIED, -9, "not allowed")                                                 \
	X(ERR_UNSUPPORTED, -10, "a version or feature we do not have")                   \
	X(ERR_OUTCOME, -11, "sent, but what became of it is unknown")                    \
	X(ERR_IO, -12, "the system call failed")                                         \
	X(ERR_ARGUMENT, -13, "a value of the wrong type or out of its range")            \
	X(ERR_MOVED, -14, "another process owns it now")

enum err {
#define ERR_ENUM(name, value, text) name = (value),
	ERR_LIST(ERR_ENUM)
#undef ERR_ENUM
};

/* The constant's name, "ERR_LIMIT"; never NULL. */
const char *err_name(enum err rc);

/* A short sentence for people; never NULL, never holds peer data. */
const char *err_text(enum err rc);

/* What errno says now, for people; unlike strerror() it is a constant. */
const char *err_errno_text(void);

#endif
