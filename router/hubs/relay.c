/* SPDX-License-Identifier: Apache-2.0 */
/*
 * relay: client-to-client messages without any server code, under permissions that the
 * token has as roles (permission.h):
 *
 *	relay.join        join and leave groups
 *	relay.send        send to groups
 *	relay.user        send to users
 *	relay.connection  send to connections
 *	relay.all         send to everyone
 *
 * All but the last may be narrowed to names: "relay.join:lobby,room-*".
 */
#include "router/hubs/hubs.h"
#include "router/hubs/permission.h"

#include "router/hubs/relay.gen.h"

/* Passes arguments on as they are. */
static enum hub_rc send_on(struct hub_call *call, struct hub_to to, struct slice event,
			   const struct value *const *arguments, size_t n)
{
	struct value *list = hub_array(call);

	for (size_t i = 0; i < n; i++)
		hub_add(list, hub_copy(call, arguments[i]));
	hub_send(call, to, event, list);
	return HUB_OK;
}

static enum hub_rc relay_on_join_group(struct hub_call *call, struct slice group)
{
	const enum hub_rc rc = permission_check(call, SLICE("relay.join"), group);

	return rc == HUB_OK ? hub_await_join(call, group) : rc;
}

static enum hub_rc relay_on_leave_group(struct hub_call *call, struct slice group)
{
	const enum hub_rc rc = permission_check(call, SLICE("relay.join"), group);

	return rc == HUB_OK ? hub_await_leave(call, group) : rc;
}

static enum hub_rc relay_on_send_to_group(struct hub_call *call, struct slice group,
					  struct slice event,
					  const struct value *const *arguments,
					  size_t arguments_n)
{
	const enum hub_rc rc = permission_check(call, SLICE("relay.send"), group);

	return rc == HUB_OK
		       ? send_on(call, hub_to_group(group), event, arguments, arguments_n)
		       : rc;
}

static enum hub_rc relay_on_send_to_others_in_group(struct hub_call *call,
						    struct slice group,
						    struct slice event,
						    const struct value *const *arguments,
						    size_t arguments_n)
{
	const enum hub_rc rc = permission_check(call, SLICE("relay.send"), group);

	return rc == HUB_OK ? send_on(call, hub_to_others_in_group(group), event,
				      arguments, arguments_n)
			    : rc;
}

static enum hub_rc relay_on_send_to_user(struct hub_call *call, struct slice user_id,
					 struct slice event,
					 const struct value *const *arguments,
					 size_t arguments_n)
{
	const enum hub_rc rc = permission_check(call, SLICE("relay.user"), user_id);

	return rc == HUB_OK ? send_on(call, hub_to_user(user_id), event, arguments,
				      arguments_n)
			    : rc;
}

static enum hub_rc relay_on_send_to_connection(struct hub_call *call, struct slice id,
					       struct slice event,
					       const struct value *const *arguments,
					       size_t arguments_n)
{
	const enum hub_rc rc = permission_check(call, SLICE("relay.connection"), id);

	return rc == HUB_OK ? send_on(call, hub_to_connection(id), event, arguments,
				      arguments_n)
			    : rc;
}

static enum hub_rc relay_on_send_to_all(struct hub_call *call, struct slice event,
					const struct value *const *arguments,
					size_t arguments_n)
{
	const enum hub_rc rc = permission_check(call, SLICE("relay.all"), SLICE_NONE);

	return rc == HUB_OK ? send_on(call, hub_to_all(), event, arguments, arguments_n)
			    : rc;
}

static enum hub_rc relay_on_send_to_others(struct hub_call *call, struct slice event,
					   const struct value *const *arguments,
					   size_t arguments_n)
{
	const enum hub_rc rc = permission_check(call, SLICE("relay.all"), SLICE_NONE);

	return rc == HUB_OK
		       ? send_on(call, hub_to_others(), event, arguments, arguments_n)
		       : rc;
}

const struct hub_module relay_hub = {
	.api_version = HUB_API_VERSION,
	.name = "relay",
	.methods = relay_methods,
	.methods_n = sizeof(relay_methods) / sizeof(relay_methods[0]),
};
