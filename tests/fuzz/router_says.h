/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What routers tell a gateway of its connections: each message as a router of ours would
 * make it, though perhaps of what is no more. Definitions: for the one source of a
 * target.
 */
#ifndef TESTS_FUZZ_ROUTER_SAYS_H
#define TESTS_FUZZ_ROUTER_SAYS_H

#include "gateway/on_router.h"
#include "tests/fuzz/conn_client.h"
#include "tests/unit/gateway/conn_kit.h"

enum router_says {
	SAYS_COMPLETE,
	SAYS_PUSH,
	SAYS_CREDIT,
	SAYS_ABORT,
	SAYS_JOIN,
	SAYS_LEAVE,
	SAYS_DELIVER,
	SAYS_N,
};

static void peer_receive(struct link_peer *peer, Link__Envelope *envelope)
{
	if (peer->is_up)
		gateway_link_ops.on_envelope(peer, envelope);
}

static uint64_t last_call_of(const struct link_peer *peer)
{
	const struct gateway *gateway = link_owner(peer->link);

	return gateway->last_call;
}

static struct slice frame_of(const struct hub_codec *codec, struct buf *out,
			     uint8_t choice)
{
	const struct slice value = raw_value(codec, false);

	if (choice & 1u)
		hub_encode_result(codec, out, digit(choice >> 1), value);
	else if (choice & 2u)
		hub_encode_item(codec, out, digit(choice >> 2), value);
	else
		hub_encode_invocation(codec, out, choice & 4u ? digit(0) : SLICE_NONE,
				      SLICE("F"), raw_value(codec, true));
	return buf_slice(out);
}

/* One of the last calls. */
static void says_complete(struct link_peer *peer, struct slice id, struct slice frame,
			  uint8_t choice)
{
	Link__Envelope envelope = LINK__ENVELOPE__INIT;
	Link__Complete complete = LINK__COMPLETE__INIT;

	envelope.body_case = LINK__ENVELOPE__BODY_COMPLETE;
	envelope.complete = &complete;
	complete.hub = link_bytes(SLICE("chat"));
	complete.connection = link_bytes(id);
	complete.call = last_call_of(peer) - (choice & 7u);
	complete.frame = link_bytes(choice & 8u ? SLICE_NONE : frame);
	peer_receive(peer, &envelope);
}

static void says_push(struct link_peer *peer, struct slice id, struct slice frame)
{
	Link__Envelope envelope = LINK__ENVELOPE__INIT;
	Link__Push push = LINK__PUSH__INIT;

	envelope.body_case = LINK__ENVELOPE__BODY_PUSH;
	envelope.push = &push;
	push.hub = link_bytes(SLICE("chat"));
	push.connection = link_bytes(id);
	push.frame = link_bytes(frame);
	peer_receive(peer, &envelope);
}

static void says_credit(struct link_peer *peer, struct slice id, uint8_t choice)
{
	Link__Envelope envelope = LINK__ENVELOPE__INIT;
	Link__Credit credit = LINK__CREDIT__INIT;

	envelope.body_case = LINK__ENVELOPE__BODY_CREDIT;
	envelope.credit = &credit;
	credit.hub = link_bytes(SLICE("chat"));
	credit.connection = link_bytes(id);
	credit.stream_id = link_bytes(digit(choice));
	credit.items = choice >> 3;
	peer_receive(peer, &envelope);
}

static void says_abort(struct link_peer *peer, struct slice id, uint8_t choice)
{
	Link__Envelope envelope = LINK__ENVELOPE__INIT;
	Link__Abort message = LINK__ABORT__INIT;

	envelope.body_case = LINK__ENVELOPE__BODY_ABORT;
	envelope.abort = &message;
	message.hub = link_bytes(SLICE("chat"));
	message.connection = link_bytes(id);
	message.error = link_bytes(choice & 1u ? SLICE("gone") : SLICE_NONE);
	message.allow_reconnect = choice & 2u;
	peer_receive(peer, &envelope);
}

static void says_join(struct link_peer *peer, struct slice id, bool is_leave,
		      uint8_t choice)
{
	Link__Envelope envelope = LINK__ENVELOPE__INIT;
	Link__Join join = LINK__JOIN__INIT;

	envelope.body_case = LINK__ENVELOPE__BODY_JOIN;
	envelope.join = &join;
	join.hub = link_bytes(SLICE("chat"));
	join.connection = link_bytes(id);
	join.group = link_bytes(digit(choice));
	join.is_leave = is_leave;
	join.call = choice;
	join.origin = link_bytes(SLICE("r1"));
	peer_receive(peer, &envelope);
}

/* In both protocols, or in one of them. */
static void says_deliver(struct link_peer *peer, struct slice excluded, uint8_t choice)
{
	Link__Envelope envelope = LINK__ENVELOPE__INIT;
	Link__Deliver deliver = LINK__DELIVER__INIT;
	Link__Payload payloads[2] = { LINK__PAYLOAD__INIT, LINK__PAYLOAD__INIT };
	Link__Payload *pointers[2] = { &payloads[0], &payloads[1] };
	ProtobufCBinaryData ids[] = { link_bytes(excluded) };
	struct buf frames[2] = { BUF_INIT, BUF_INIT };

	for (size_t i = 0; i < 2; i++) {
		const enum hub_protocol protocol =
			i == 0 ? HUB_PROTOCOL_JSON : HUB_PROTOCOL_MSGPACK;

		payloads[i].protocol = protocol;
		payloads[i].frame =
			link_bytes(frame_of(hub_codec(protocol), &frames[i], 0));
	}
	envelope.body_case = LINK__ENVELOPE__BODY_DELIVER;
	envelope.deliver = &deliver;
	deliver.hub = link_bytes(SLICE("chat"));
	deliver.kind = (Link__Kind)(choice >> 4 & 7u);
	deliver.name = link_bytes(deliver.kind == LINK__KIND__KIND_USER ? SLICE("ann")
									: digit(choice));
	if (deliver.kind == LINK__KIND__KIND_CONNECTION)
		deliver.name = link_bytes(excluded);
	deliver.excluded = ids;
	deliver.n_excluded = choice >> 3 & 1u;
	deliver.payloads = pointers;
	deliver.n_payloads = choice >> 7 ? 1 : 2;
	peer_receive(peer, &envelope);
	buf_fini(&frames[0]);
	buf_fini(&frames[1]);
}

/* The lists are copied: the map that they may be of changes while it is told. */
static void says_shards(struct link_peer *peer, uint64_t epoch, enum shard_phase phase,
			const char *routers, const char *next)
{
	Link__Envelope envelope = LINK__ENVELOPE__INIT;
	Link__Shards shards = LINK__SHARDS__INIT;
	struct buf lists = BUF_INIT;
	const size_t len = strlen(routers);

	buf_append_str(&lists, routers);
	buf_append_str(&lists, next);
	envelope.body_case = LINK__ENVELOPE__BODY_SHARDS;
	envelope.shards = &shards;
	shards.epoch = epoch;
	shards.phase = (Link__ShardPhase)phase;
	shards.routers = link_bytes(slice_make(lists.ptr, len));
	shards.next = link_bytes(slice_from(buf_slice(&lists), len));
	peer_receive(peer, &envelope);
	buf_fini(&lists);
}

static void says_released(struct link_peer *peer, struct slice id, uint8_t choice)
{
	Link__Envelope envelope = LINK__ENVELOPE__INIT;
	Link__Released released = LINK__RELEASED__INIT;
	Link__Item item = LINK__ITEM__INIT;
	Link__Item *items[] = { &item };

	envelope.body_case = LINK__ENVELOPE__BODY_RELEASED;
	envelope.released = &released;
	released.hub = link_bytes(SLICE("chat"));
	released.connection = link_bytes(id);
	item.name = link_bytes(SLICE("i"));
	released.items = items;
	released.n_items = choice >> 7;
	peer_receive(peer, &envelope);
}

#endif
