/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The hub of the simulation. It stands where relay does in a router, and tells the
 * history how often its methods run.
 */
#include "router/hub.h"
#include "router/hubs/hubs.h"
#include "tests/sim/cluster.h"
#include "tests/sim/comings.h"
#include "tests/sim/history.h"
#include "tests/sim/sim.h"

#define SLOW_TO_BEGIN 300 /* of a thousand connections */
#define SLOW_MS 30

static struct slice group_name(struct hub_call *call, int64_t index)
{
	return hub_printf(call, "group-%d", (int)index);
}

static void ran(const struct hub_call *call)
{
	comings_ran(hub_connection_id(call), sim_node_current());
}

static enum hub_rc join(struct hub_call *call)
{
	ran(call);
	return hub_await_join(call, group_name(call, hub_arg_int(call, 0)));
}

static enum hub_rc leave(struct hub_call *call)
{
	ran(call);
	return hub_await_leave(call, group_name(call, hub_arg_int(call, 0)));
}

static struct hub_to target_of(struct hub_call *call)
{
	const int64_t index = hub_arg_int(call, 1);

	switch ((enum history_kind)hub_arg_int(call, 0)) {
	case TO_GROUP:
		return hub_to_group(group_name(call, index));
	case TO_USER:
		return hub_to_user(hub_printf(call, "user-%d", (int)index));
	case TO_ALL:
		return hub_to_all();
	case TO_CALLER:
	case TO_KINDS:
		break;
	}
	return hub_to_caller();
}

static enum hub_rc send_message(struct hub_call *call)
{
	struct value *arguments = hub_array(call);

	ran(call);
	history_ran((unsigned)hub_arg_int(call, 2));
	hub_add(arguments, hub_int(call, hub_arg_int(call, 2)));
	hub_send(call, target_of(call), SLICE("m"), arguments);
	return HUB_OK;
}

/* Some take their time: no method may run meanwhile. */
static enum hub_rc connected(struct hub_call *call)
{
	if (sim_often(SIM_TURNS, SLOW_TO_BEGIN))
		(void)hub_await_sleep(
			call, sim_between(SIM_TURNS, 1, SLOW_MS)); /* or it ends */
	comings_connected(hub_connection_id(call), sim_node_current());
	return HUB_OK;
}

static enum hub_rc disconnected(struct hub_call *call)
{
	comings_disconnected(hub_connection_id(call), sim_node_current());
	return HUB_OK;
}

static const struct hub_method methods[] = {
	{ "Join", join, "i", false, NULL },
	{ "Leave", leave, "i", false, NULL },
	{ "Send", send_message, "iii", false, NULL },
};

const struct hub_module relay_hub = {
	.api_version = HUB_API_VERSION,
	.name = CLUSTER_HUB,
	.methods = methods,
	.methods_n = sizeof(methods) / sizeof(methods[0]),
	.on_connected = connected,
	.on_disconnected = disconnected,
};
