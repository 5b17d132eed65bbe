/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The hub API: all that the author of a hub needs. A hub is a table of methods; a method
 * is straight-line C that reads its arguments, sends, awaits, and returns.
 *
 * - A method runs in a fiber on the router's only thread. Between two hub_await_*() calls
 *   nothing else runs, so there are no locks; what was read before an await may be stale
 *   after it. Methods must not block.
 * - One client's calls run one after another, in the order they were sent.
 * - Everything a call makes or is given lives until the call ends: nothing is freed by
 * hand, nothing may be kept. Values borrow the strings they are made of.
 * - An invocation is completed without error only when everything it sent is in the
 * queues of every gateway with receivers.
 */
#ifndef ROUTER_HUB_H
#define ROUTER_HUB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "proto/base/slice.h"
#include "proto/wire/value.h"

#define HUB_API_VERSION 1

struct hub_call;

/*
 * What a method or an await ends with. A method that returns anything but HUB_OK fails
 * its invocation; hub_fail() says why to the client, otherwise it is told of an
 * unexpected error.
 */
enum hub_rc {
	HUB_OK = 0,
	HUB_FAILED = -1,       /* hub_fail() said why */
	HUB_ECANCELED = -2,    /* the router is going down: return soon */
	HUB_ETIMEDOUT = -3,    /* no answer in time; what was asked may have happened */
	HUB_EUNAVAILABLE = -4, /* the shard or gateway was lost; it may have happened */
	HUB_ENOTFOUND = -5,    /* that connection is gone */
	HUB_ELIMIT = -6,       /* over a limit; nothing happened */
};

typedef enum hub_rc hub_method_fn(struct hub_call *call);

struct hub_method {
	const char *name; /* matched without regard to case */
	hub_method_fn *fn;
	/*
	 * One letter an argument: s string, i integer, n number, b bool, a array, m
	 * object, v any value; a last '*' takes any number more. Calls that do not match
	 * fail before the method runs.
	 */
	const char *arguments;
};

struct hub_module {
	int api_version;  /* HUB_API_VERSION */
	const char *name; /* the <name> in /hubs/<name>, lower case */
	const struct hub_method *methods;
	size_t methods_n;
	/* Before the first method of a connection. Failing ends the connection; none of
	 * its methods runs then. May be NULL. */
	hub_method_fn *on_connected;
	/* The last call of every connection, also of one that on_connected refused; its
	 * result is ignored. Groups can still be read. May be NULL. */
	hub_method_fn *on_disconnected;
};

/* ---- who calls */

struct slice hub_connection_id(const struct hub_call *call);
struct slice hub_user_id(const struct hub_call *call);	 /* empty: anonymous */
struct slice hub_user_name(const struct hub_call *call); /* the name claim, else the id */
bool hub_has_role(const struct hub_call *call, struct slice role);

/* The groups this connection has joined, as far as its calls up to now have. */
size_t hub_groups_n(const struct hub_call *call);
struct slice hub_group_at(struct hub_call *call, size_t index);

/* ---- arguments: checked against the method's letters before it runs */

size_t hub_args_n(const struct hub_call *call);
const struct value *hub_arg(const struct hub_call *call, size_t index);
struct slice hub_arg_string(const struct hub_call *call, size_t index);
int64_t hub_arg_int(const struct hub_call *call, size_t index);
bool hub_arg_bool(const struct hub_call *call, size_t index);

/* ---- making values */

struct value *hub_null(struct hub_call *call);
struct value *hub_bool(struct hub_call *call, bool boolean);
struct value *hub_int(struct hub_call *call, int64_t integer);
struct value *hub_string(struct hub_call *call, struct slice text);
struct value *hub_array(struct hub_call *call);
struct value *hub_map(struct hub_call *call);
void hub_add(struct value *array, struct value *item);
void hub_set(struct value *map, const char *key, struct value *item);
/* A value that was given, as an item of something new. */
struct value *hub_copy(struct hub_call *call, const struct value *value);
struct slice hub_printf(struct hub_call *call, const char *fmt, ...) PRINTF_LIKE(2, 3);
/* For names: unlike hub_printf() it does not stop at a NUL, which clients may send. */
struct slice hub_concat(struct hub_call *call, struct slice first, struct slice second);

/* The value as JSON text, and back; NULL for text that is no JSON. */
struct slice hub_encode(struct hub_call *call, const struct value *value);
struct value *hub_decode(struct hub_call *call, struct slice json);

/* "2026-11-21T21:30:00.123Z"; 22 random URL-safe characters. */
struct slice hub_timestamp(struct hub_call *call);
struct slice hub_new_id(struct hub_call *call);

/* ---- answering */

/* The invocation's result; without it the client gets null. */
void hub_return(struct hub_call *call, struct value *result);

/* Fails the invocation with a text for the client: `return hub_fail(call, "...")`. */
enum hub_rc hub_fail(struct hub_call *call, const char *fmt, ...) PRINTF_LIKE(2, 3);

/* Ends the caller's connection, without a reconnect, once what was sent has left. */
void hub_abort(struct hub_call *call);

/*
 * ---- sending: `event` is the client's handler, `arguments` an array value. What the
 * calls of one connection send to the same group, user or connection reaches each
 * receiver in that order; between different ones there is none. Sends do not wait: a
 * failure becomes the failure of the invocation.
 */

void hub_send_caller(struct hub_call *call, struct slice event,
		     const struct value *arguments);
void hub_send_all(struct hub_call *call, struct slice event,
		  const struct value *arguments);
void hub_send_others(struct hub_call *call, struct slice event,
		     const struct value *arguments);
void hub_send_group(struct hub_call *call, struct slice group, struct slice event,
		    const struct value *arguments);
void hub_send_others_in_group(struct hub_call *call, struct slice group,
			      struct slice event, const struct value *arguments);
void hub_send_user(struct hub_call *call, struct slice user_id, struct slice event,
		   const struct value *arguments);
void hub_send_connection(struct hub_call *call, struct slice connection_id,
			 struct slice event, const struct value *arguments);

/*
 * ---- awaiting: these stop the method until the answer is here, hub_await_timeout at the
 * longest.
 */

/* The caller joins or leaves: when it returns HUB_OK the very next send to the group
 * does, or does not, reach the caller, from wherever it is made. Twice is the same as
 * once. */
enum hub_rc hub_await_join(struct hub_call *call, struct slice group);
enum hub_rc hub_await_leave(struct hub_call *call, struct slice group);

/* The same for any connection of this hub; HUB_ENOTFOUND when it is gone. */
enum hub_rc hub_await_join_connection(struct hub_call *call, struct slice connection_id,
				      struct slice group);
enum hub_rc hub_await_leave_connection(struct hub_call *call, struct slice connection_id,
				       struct slice group);

struct hub_member {
	struct slice connection_id;
	struct slice user_id;
	struct slice user_name;
};

/* Who is in the group, ordered by user id, then connection id. */
enum hub_rc hub_await_members(struct hub_call *call, struct slice group,
			      const struct hub_member **members, size_t *n);

/*
 * A list of at most `entries_max` (<= 1000) entries under `key`, private to the hub, kept
 * by the shard that owns the key. In memory: it ends with that process.
 */
enum hub_rc hub_await_log_append(struct hub_call *call, struct slice key,
				 struct slice entry, uint32_t entries_max);

/* The newest `entries_max` entries, oldest first. */
enum hub_rc hub_await_log_read(struct hub_call *call, struct slice key,
			       uint32_t entries_max, const struct slice **entries,
			       size_t *n);

#endif
