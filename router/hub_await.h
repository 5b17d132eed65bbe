/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Part of the hub API (router/hub.h): awaits, which stop the method until the answer is
 * here, hub_await_timeout at the longest unless said otherwise.
 */
#ifndef ROUTER_HUB_AWAIT_H
#define ROUTER_HUB_AWAIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "proto/base/slice.h"
#include "proto/wire/value.h"
#include "router/hub_rc.h"

/* ---- groups */

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

/*
 * Who is in the group, ordered by user id, then connection id. Asked for in pages: who is
 * a member all the time is there; who joins or leaves meanwhile may be. With more than
 * HUB_MEMBERS_MAX it is HUB_ELIMIT.
 */
#define HUB_MEMBERS_MAX 65536
enum hub_rc hub_await_members(struct hub_call *call, struct slice group,
			      const struct hub_member **members, size_t *n);

/* ---- clients */

/*
 * Calls `event` at a client of this hub and waits for what its handler returns, at most
 * `timeout_ms` (0: the hub's client_result_timeout). HUB_FAILED: it answered with an
 * error, or with none, and hub_client_error() says so; HUB_ENOTFOUND: no such connection.
 * Not from on_connected.
 */
enum hub_rc hub_await_client(struct hub_call *call, struct slice connection_id,
			     struct slice event, const struct value *arguments,
			     int64_t timeout_ms, const struct value **result);
struct slice hub_client_error(const struct hub_call *call); /* until hub_scratch() */

/* ---- time */

enum hub_rc hub_await_sleep(struct hub_call *call, int64_t ms);

/* Waits for nothing but being canceled, or the time (HUB_ETIMEDOUT); < 0: for ever. */
enum hub_rc hub_await_cancel(struct hub_call *call, int64_t ms);
bool hub_is_canceled(const struct hub_call *call);

/* ---- streams. The client's cancelling, its end or a failed upload shows as
 * HUB_ECANCELED or HUB_FAILED of the next await; hub_is_canceled() asks without waiting.
 */

/* The next item of the stream this method returns; waits while the client does not keep
 * up. */
enum hub_rc hub_await_item(struct hub_call *call, const struct value *item);

/* Whether that would not wait; waits until it would not. For what should be as new as can
 * be when it leaves: read it when there is room. Only in a method that streams. */
bool hub_has_room(const struct hub_call *call);
enum hub_rc hub_await_room(struct hub_call *call);

/* The next item of the client's stream `index`, HUB_END behind the last; it lives until
 * the next one is taken (hub_keep()). HUB_FAILED: the client ended it with an error,
 * which `return HUB_FAILED` passes on as hub_fail() does. */
enum hub_rc hub_await_next(struct hub_call *call, size_t index,
			   const struct value **item);

#endif
