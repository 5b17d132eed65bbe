/* SPDX-License-Identifier: Apache-2.0 */
/*
 * relay: client-to-client messages without any server code, under permissions that stand
 *in the token as roles:
 *
 *	relay.join  relay.join:GROUP      join and leave groups
 *	relay.send  relay.send:GROUP      send to groups
 *	relay.user                        send to users and connections
 *	relay.all                         send to everyone
 *
 * A role without a group allows it for every group.
 */
#include "router/hubs/hubs.h"

static enum hub_rc refuse(struct hub_call *call, struct slice missing)
{
	return hub_fail(call, "Not allowed: %.*s is missing.", SLICE_FMT(missing));
}

/* The role narrowed to one group, or, without the colon, for every group. */
static bool is_allowed(struct hub_call *call, const char *role, struct slice group,
		       struct slice *needed)
{
	const struct slice everywhere = slice_make(role, strlen(role) - 1);

	*needed = hub_concat(call, slice_from_str(role), group);
	return hub_has_role(call, everywhere) || hub_has_role(call, *needed);
}

/* What follows the first `skip` arguments goes to the receivers as it is. */
static struct value *rest_of(struct hub_call *call, size_t skip)
{
	struct value *rest = hub_array(call);

	for (size_t i = skip; i < hub_args_n(call); i++)
		hub_add(rest, hub_copy(call, hub_arg(call, i)));
	return rest;
}

static enum hub_rc join_group(struct hub_call *call)
{
	const struct slice group = hub_arg_string(call, 0);
	struct slice needed;

	if (!is_allowed(call, "relay.join:", group, &needed))
		return refuse(call, needed);
	return hub_await_join(call, group);
}

static enum hub_rc leave_group(struct hub_call *call)
{
	const struct slice group = hub_arg_string(call, 0);
	struct slice needed;

	if (!is_allowed(call, "relay.join:", group, &needed))
		return refuse(call, needed);
	return hub_await_leave(call, group);
}

static enum hub_rc send_to_group(struct hub_call *call)
{
	const struct slice group = hub_arg_string(call, 0);
	struct slice needed;

	if (!is_allowed(call, "relay.send:", group, &needed))
		return refuse(call, needed);
	hub_send_group(call, group, hub_arg_string(call, 1), rest_of(call, 2));
	return HUB_OK;
}

static enum hub_rc send_to_others_in_group(struct hub_call *call)
{
	const struct slice group = hub_arg_string(call, 0);
	struct slice needed;

	if (!is_allowed(call, "relay.send:", group, &needed))
		return refuse(call, needed);
	hub_send_others_in_group(call, group, hub_arg_string(call, 1), rest_of(call, 2));
	return HUB_OK;
}

static enum hub_rc send_to_user(struct hub_call *call)
{
	if (!hub_has_role(call, SLICE("relay.user")))
		return refuse(call, SLICE("relay.user"));
	hub_send_user(call, hub_arg_string(call, 0), hub_arg_string(call, 1),
		      rest_of(call, 2));
	return HUB_OK;
}

static enum hub_rc send_to_connection(struct hub_call *call)
{
	if (!hub_has_role(call, SLICE("relay.user")))
		return refuse(call, SLICE("relay.user"));
	hub_send_connection(call, hub_arg_string(call, 0), hub_arg_string(call, 1),
			    rest_of(call, 2));
	return HUB_OK;
}

static enum hub_rc send_to_all(struct hub_call *call)
{
	if (!hub_has_role(call, SLICE("relay.all")))
		return refuse(call, SLICE("relay.all"));
	hub_send_all(call, hub_arg_string(call, 0), rest_of(call, 1));
	return HUB_OK;
}

static enum hub_rc send_to_others(struct hub_call *call)
{
	if (!hub_has_role(call, SLICE("relay.all")))
		return refuse(call, SLICE("relay.all"));
	hub_send_others(call, hub_arg_string(call, 0), rest_of(call, 1));
	return HUB_OK;
}

static const struct hub_method methods[] = {
	{ "JoinGroup", join_group, "s" },
	{ "LeaveGroup", leave_group, "s" },
	{ "SendToGroup", send_to_group, "ss*" },
	{ "SendToOthersInGroup", send_to_others_in_group, "ss*" },
	{ "SendToUser", send_to_user, "ss*" },
	{ "SendToConnection", send_to_connection, "ss*" },
	{ "SendToAll", send_to_all, "s*" },
	{ "SendToOthers", send_to_others, "s*" },
};

const struct hub_module relay_hub = {
	.api_version = HUB_API_VERSION,
	.name = "relay",
	.methods = methods,
	.methods_n = sizeof(methods) / sizeof(methods[0]),
};
