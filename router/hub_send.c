/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sends of methods: a message each, taken to as many owners as there are names. When the
 * client awaits the invocation, each is an ask that the completion waits for.
 */
#include "proto/base/mem.h"
#include "router/hub_event.h"
#include "router/hub_steps.h"
#include "router/hub_user.h"

/* Owns itself: a call that streams may send without end. */
struct hub_send {
	struct ask ask;
	struct hub_call *call;
};

static void on_sent(struct ask *ask, const struct ask_answer *answer)
{
	struct hub_send *send = CONTAINER_OF(ask, struct hub_send, ask);
	struct hub_call *call = send->call;

	if (answer->rc == ERR_TIMEOUT)
		call->runtime->router->metrics.ask_timeout_total++;
	mem_free(send);
	hub_call_confirmed(call, answer->rc);
}

/* While shards change it is to be known when nothing is under way any more. */
static bool is_watched(const struct hub_call *call)
{
	return call->runtime->router->shards.map.phase != SHARD_PHASE_STABLE &&
	       !hub_call_is_user(call);
}

/* Not while shards change: what goes the new way must not overtake what went the old. */
static bool is_shard_ack(const struct hub_call *call)
{
	return call->conn->hub->conf->ack == HUB_ACK_SHARD && !is_watched(call);
}

static struct ask *send_ask(struct hub_call *call, int64_t timeout_ms)
{
	struct router *router = call->runtime->router;
	struct hub_send *send;

	/* While sends wait, so do the calls that make them: that slows the client. One
	 * for a user has none to slow, and does not outlive its turn. */
	if (hub_call_is_user(call) ||
	    (!call->is_answered && !is_watched(call) && !backlog_is_on(&router->backlog)))
		return NULL;
	send = MEM_NEW(struct hub_send);
	send->call = call;
	call->sends_left++;
	ask_start(&send->ask, &router->asks, timeout_ms, on_sent);
	return &send->ask;
}

/* How many connections "others" leaves out. */
static size_t callers_n(const struct hub_call *call)
{
	return hub_call_is_user(call) ? 0 : 1;
}

/* What it says by the caller, said by names. */
static struct hub_to spell_out(const struct hub_call *call, struct hub_to to)
{
	switch (to.kind) {
	case HUB_TO_CALLER:
		return hub_to_connections(&call->conn->id, callers_n(call));
	case HUB_TO_OTHERS:
		return hub_to_all_except(&call->conn->id, callers_n(call));
	case HUB_TO_OTHERS_IN_GROUP:
		return hub_to_group_except(to.name, &call->conn->id, callers_n(call));
	case HUB_TO_ALL:
		to.names = NULL;
		to.name = SLICE_NONE;
		break;
	case HUB_TO_GROUPS:
	case HUB_TO_USERS:
	case HUB_TO_CONNECTIONS:
		break;
	}
	return to;
}

static Link__Kind link_kind(enum hub_to_kind kind)
{
	switch (kind) {
	case HUB_TO_OTHERS:
	case HUB_TO_ALL:
		return LINK__KIND__KIND_ALL;
	case HUB_TO_GROUPS:
	case HUB_TO_OTHERS_IN_GROUP:
		return LINK__KIND__KIND_GROUP;
	case HUB_TO_USERS:
		return LINK__KIND__KIND_USER;
	case HUB_TO_CALLER:
	case HUB_TO_CONNECTIONS:
		break;
	}
	return LINK__KIND__KIND_CONNECTION;
}

/* NULL: it is not served here. */
static const struct hub_served *receiving_hub(const struct hub_call *call,
					      const char *name)
{
	return name == NULL ? call->conn->hub
			    : hub_find(call->runtime, slice_from_str(name));
}

static void send_to(struct hub_call *call, const struct hub_served *hub,
		    const struct hub_to *to, struct slice target,
		    const struct value *arguments)
{
	const int64_t timeout_ms = call->conn->hub->conf->await_timeout_ms;
	const size_t n = to->kind == HUB_TO_ALL ? 1 : to->names_n;
	struct hub_receivers receivers = {
		.hub = hub_served_name(hub),
		.kind = link_kind(to->kind),
		.excluded = mem_alloc(to->except_n * sizeof(*receivers.excluded)),
		.excluded_n = to->except_n,
		.is_shard_ack = is_shard_ack(call),
	};
	struct hub_event event;

	for (size_t i = 0; i < to->except_n; i++)
		receivers.excluded[i] = link_bytes(to->except[i]);
	hub_event_init(&event, target, arguments);
	for (size_t i = 0; i < n; i++) {
		receivers.name = to->names != NULL ? to->names[i] : to->name;
		hub_event_send(&event, call->runtime->router, &receivers,
			       send_ask(call, timeout_ms));
	}
	hub_event_fini(&event);
	mem_free(receivers.excluded);
}

void hub_send(struct hub_call *call, struct hub_to to, struct slice event,
	      const struct value *arguments)
{
	const struct hub_served *hub = receiving_hub(call, to.hub);

	if (arguments->type != VALUE_ARRAY) {
		hub_misuse(call, "hub_send(): arguments that are no array");
		return;
	}
	to = spell_out(call, to);
	if (to.names_n <= HUB_TO_MAX && to.except_n <= HUB_EXCLUDED_MAX) {
		if (hub != NULL)
			send_to(call, hub, &to, event, arguments);
		return;
	}
	call->runtime->router->metrics.send_refused_total++;
	call->has_send_failed = true;
}
