/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sends: the message is encoded once here and travels as bytes to every receiver. When
 * the client awaits the invocation, each send is an ask that the completion waits for.
 */
#include "proto/wire/hub_json.h"
#include "router/hub_private.h"
#include "router/route.h"

struct hub_send {
	struct ask ask;
	struct hub_call *call;
};

static void on_sent(struct ask *ask, const struct ask_answer *answer)
{
	struct hub_send *send = CONTAINER_OF(ask, struct hub_send, ask);
	struct router_metrics *metrics = &send->call->runtime->router->metrics;

	if (answer->rc == ERR_TIMEOUT)
		metrics->ask_timeout_total++;
	hub_call_confirmed(send->call, answer->rc);
}

static struct ask *send_ask(struct hub_call *call)
{
	struct router *router = call->runtime->router;
	struct hub_send *send;

	if (!call->is_answered)
		return NULL;
	send = ARENA_NEW(&call->arena, struct hub_send);
	send->call = call;
	call->sends_left++;
	ask_start(&send->ask, &router->asks, router->conf->hub_await_timeout_ms, on_sent);
	return &send->ask;
}

/* `excluded` may be NULL. */
static void send_to(struct hub_call *call, Link__Kind kind, struct slice name,
		    const struct slice *excluded, struct slice event,
		    const struct value *arguments)
{
	struct buf json = BUF_INIT;
	struct buf frame = BUF_INIT;
	Link__Payload payload = LINK__PAYLOAD__INIT;
	Link__Payload *payloads[] = { &payload };
	ProtobufCBinaryData without;
	Link__Send send = LINK__SEND__INIT;

	value_encode_json(&json, arguments);
	hub_json_encode_invocation(&frame, SLICE_NONE, event, buf_slice(&json));
	payload.protocol = HUB_PROTOCOL_JSON;
	payload.frame = link_bytes(buf_slice(&frame));
	send.hub = link_bytes(hub_served_name(call->conn->hub));
	send.kind = kind;
	send.name = link_bytes(name);
	if (excluded != NULL) {
		without = link_bytes(*excluded);
		send.excluded = &without;
		send.n_excluded = 1;
	}
	send.payloads = payloads;
	send.n_payloads = 1;
	route_send(call->runtime->router, &send, send_ask(call));
	buf_fini(&frame);
	buf_fini(&json);
}

void hub_send_caller(struct hub_call *call, struct slice event,
		     const struct value *arguments)
{
	send_to(call, LINK__KIND__KIND_CONNECTION, call->conn->id, NULL, event,
		arguments);
}

void hub_send_all(struct hub_call *call, struct slice event,
		  const struct value *arguments)
{
	send_to(call, LINK__KIND__KIND_ALL, SLICE_NONE, NULL, event, arguments);
}

void hub_send_others(struct hub_call *call, struct slice event,
		     const struct value *arguments)
{
	send_to(call, LINK__KIND__KIND_ALL, SLICE_NONE, &call->conn->id, event,
		arguments);
}

void hub_send_group(struct hub_call *call, struct slice group, struct slice event,
		    const struct value *arguments)
{
	send_to(call, LINK__KIND__KIND_GROUP, group, NULL, event, arguments);
}

void hub_send_others_in_group(struct hub_call *call, struct slice group,
			      struct slice event, const struct value *arguments)
{
	send_to(call, LINK__KIND__KIND_GROUP, group, &call->conn->id, event, arguments);
}

void hub_send_user(struct hub_call *call, struct slice user_id, struct slice event,
		   const struct value *arguments)
{
	send_to(call, LINK__KIND__KIND_USER, user_id, NULL, event, arguments);
}

void hub_send_connection(struct hub_call *call, struct slice connection_id,
			 struct slice event, const struct value *arguments)
{
	send_to(call, LINK__KIND__KIND_CONNECTION, connection_id, NULL, event, arguments);
}
