/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Builds the messages that a router would make of another gateway's.
 */
#include "tests/unit/gateway/pass_kit.h"

#include "gateway/conn_in.h"
#include "gateway/transport_lp.h"
#include "tests/unit/gateway/reply_kit.h"

struct conn *pass_open_lp(struct kit *kit, char letter)
{
	struct gateway *gateway = kit->gateway;
	struct hub *hub = hubs_find(&gateway->hubs, SLICE("chat"));
	const struct slice id = kit_id(letter);
	struct transport *transport;
	struct asked poll;
	struct conn *conn;

	if (gateway->lp == NULL)
		gateway->lp =
			lp_host_new(gateway->loop, gateway->conf, &gateway->metrics, 1);
	transport = transport_lp_new(gateway->lp, hub, id);
	conn = conn_new(gateway, hub, id.ptr, user_anonymous(), transport, "10.0.0.9:1");
	transport_lp_poll(transport, asked_new(&poll));
	conn_on_bytes(conn, SLICE("{\"protocol\":\"json\",\"version\":1}\x1e"));
	transport_lp_poll(transport, asked_new(&poll));
	kit_turn(kit);
	asked_expect(&poll, 200, NULL);
	kit_settle(kit);
	return conn;
}

static void receive_from(struct kit *kit, size_t i, Link__Envelope *envelope)
{
	struct link_peer *first = kit->router;

	kit->router = kit_router(kit, i);
	kit_receive(kit, envelope);
	kit->router = first;
}

static void end_bytes(struct buf *bytes, const char *text)
{
	for (; *text != '\0'; text++)
		buf_append_byte(bytes, *text == '~' ? '\x1e' : *text);
}

static void request(struct kit *kit, size_t i, Link__Request *message)
{
	Link__Envelope envelope = LINK__ENVELOPE__INIT;

	envelope.body_case = LINK__ENVELOPE__BODY_REQUEST;
	envelope.request = message;
	message->origin = link_bytes(SLICE("g2"));
	receive_from(kit, i, &envelope);
}

static void request_about(struct kit *kit, char letter, Link__Request *message,
			  const char *body)
{
	struct buf bytes = BUF_INIT;

	end_bytes(&bytes, body);
	message->hub = link_bytes(SLICE("chat"));
	message->connection = link_bytes(kit_id(letter));
	message->body = link_bytes(buf_slice(&bytes));
	request(kit, 0, message);
	buf_fini(&bytes);
}

void pass_request(struct kit *kit, char letter, uint64_t call, Link__RequestKind kind,
		  const char *body)
{
	Link__Request message = LINK__REQUEST__INIT;

	message.call = call;
	message.kind = kind;
	request_about(kit, letter, &message, body);
}

void pass_request_good_for(struct kit *kit, char letter, uint64_t call, uint64_t good_ms,
			   const char *body)
{
	Link__Request message = LINK__REQUEST__INIT;

	message.call = call;
	message.kind = POST;
	message.at_ms = 1;
	message.good_ms = good_ms;
	request_about(kit, letter, &message, body);
}

void pass_poll(struct kit *kit, size_t i, char letter, uint64_t call,
	       struct reply_poll poll)
{
	Link__Request message = LINK__REQUEST__INIT;

	message.hub = link_bytes(SLICE("chat"));
	message.connection = link_bytes(kit_id(letter));
	message.call = call;
	message.kind = poll.doubts > 0 ? POLL_AGAIN : POLL;
	message.poll_id = poll.id;
	message.doubts = poll.doubts;
	message.at_ms = 1;
	message.good_ms = (uint64_t)poll.wait_ms;
	request(kit, i, &message);
}

void pass_request_from(struct kit *kit, size_t i, const char *hub, struct slice id,
		       uint64_t call, Link__RequestKind kind)
{
	Link__Request message = LINK__REQUEST__INIT;

	message.hub = link_bytes(slice_from_str(hub));
	message.connection = link_bytes(id);
	message.call = call;
	message.kind = kind;
	request(kit, i, &message);
}

void pass_response(struct kit *kit, char letter, uint64_t call, unsigned status,
		   const char *body)
{
	Link__Envelope envelope = LINK__ENVELOPE__INIT;
	Link__Response message = LINK__RESPONSE__INIT;

	envelope.body_case = LINK__ENVELOPE__BODY_RESPONSE;
	envelope.response = &message;
	message.origin = link_bytes(SLICE("g1"));
	message.gateway = link_bytes(SLICE("g2"));
	message.hub = link_bytes(SLICE("chat"));
	message.connection = link_bytes(kit_id(letter));
	message.call = call;
	message.status = status;
	message.body = link_bytes(slice_from_str(body));
	kit_receive(kit, &envelope);
}

static void tunnel(struct kit *kit, Link__Tunnel *message, const char *origin,
		   char letter, uint64_t call)
{
	Link__Envelope envelope = LINK__ENVELOPE__INIT;

	envelope.body_case = LINK__ENVELOPE__BODY_TUNNEL;
	envelope.tunnel = message;
	message->hub = link_bytes(SLICE("chat"));
	message->connection = link_bytes(kit_id(letter));
	message->call = call;
	message->gateway = link_bytes(SLICE("g1"));
	message->origin = link_bytes(slice_from_str(origin));
	kit_receive(kit, &envelope);
}

void pass_tunnel(struct kit *kit, char letter, uint64_t call, const char *data,
		 uint64_t taken, enum pass_end end)
{
	Link__Tunnel message = LINK__TUNNEL__INIT;
	struct buf bytes = BUF_INIT;

	end_bytes(&bytes, data);
	message.data = link_bytes(buf_slice(&bytes));
	message.taken = taken;
	message.is_end = end != PASS_ON;
	message.is_error = end == PASS_FAILED || end == PASS_MALFORMED;
	message.is_malformed = end == PASS_MALFORMED;
	tunnel(kit, &message, "g2", letter, call);
	buf_fini(&bytes);
}

void pass_tunnel_bytes(struct kit *kit, char letter, uint64_t call, struct slice data)
{
	Link__Tunnel message = LINK__TUNNEL__INIT;

	message.data = link_bytes(data);
	tunnel(kit, &message, "g2", letter, call);
}

void pass_tunnel_from(struct kit *kit, const char *origin, char letter, uint64_t call,
		      const char *data)
{
	Link__Tunnel message = LINK__TUNNEL__INIT;
	struct buf bytes = BUF_INIT;

	end_bytes(&bytes, data);
	message.data = link_bytes(buf_slice(&bytes));
	tunnel(kit, &message, origin, letter, call);
	buf_fini(&bytes);
}
