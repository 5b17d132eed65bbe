/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The message is JSON always, from which gateways make what their other members speak;
 * that, too, only when they could not.
 */
#include "router/hub_event.h"

#include <assert.h>
#include <math.h>

#include "router/hub_steps.h"
#include "router/route.h"

/* What JSON cannot say; a client that speaks it gets the nearest that there is. */
static bool is_beyond_json(const struct value *value)
{
	return value->type == VALUE_BINARY ||
	       (value->type == VALUE_DOUBLE && !isfinite(value->real));
}

bool hub_is_json_enough(const struct value *value)
{
	const struct value *parents[HUB_VALUE_DEPTH_MAX];
	size_t depth = 0;

	for (;;) {
		if (is_beyond_json(value))
			return false;
		if ((value->type == VALUE_ARRAY || value->type == VALUE_MAP) &&
		    value->first != NULL) {
			assert(depth < HUB_VALUE_DEPTH_MAX);
			parents[depth++] = value;
			value = value->first;
			continue;
		}
		while (depth > 0 && value->next == NULL)
			value = parents[--depth];
		if (depth == 0)
			return true;
		value = value->next;
	}
}

static void payload_add(struct hub_event *event, enum hub_protocol protocol,
			struct slice target, const struct value *arguments)
{
	const struct hub_codec *codec = hub_codec(protocol);
	struct buf *frame = &event->frames[event->n];
	Link__Payload *payload = &event->payloads[event->n++];
	struct buf raw = BUF_INIT;

	codec->encode_value(&raw, arguments);
	hub_encode_invocation(codec, frame, SLICE_NONE, target, buf_slice(&raw));
	buf_fini(&raw);
	link__payload__init(payload);
	payload->protocol = codec->protocol;
	payload->frame = link_bytes(buf_slice(frame));
}

void hub_event_init(struct hub_event *event, struct slice target,
		    const struct value *arguments)
{
	assert(arguments->type == VALUE_ARRAY);
	*event = (struct hub_event){ .n = 0 };
	payload_add(event, HUB_PROTOCOL_JSON, target, arguments);
	if (!hub_is_json_enough(arguments))
		payload_add(event, HUB_PROTOCOL_MSGPACK, target, arguments);
}

void hub_event_fini(struct hub_event *event)
{
	for (size_t i = 0; i < HUB_EVENT_PAYLOADS_MAX; i++)
		buf_fini(&event->frames[i]);
}

void hub_event_send(struct hub_event *event, struct router *router,
		    const struct hub_receivers *to, struct ask *ask)
{
	Link__Payload *pointers[] = { &event->payloads[0], &event->payloads[1] };
	Link__Send send = LINK__SEND__INIT;

	send.payloads = pointers;
	send.n_payloads = event->n;
	send.hub = link_bytes(to->hub);
	send.kind = to->kind;
	send.name = link_bytes(to->name);
	send.excluded = to->excluded;
	send.n_excluded = to->excluded_n;
	send.must_exist = to->must_exist;
	send.is_shard_ack = to->is_shard_ack;
	route_send(router, &send, ask);
}
