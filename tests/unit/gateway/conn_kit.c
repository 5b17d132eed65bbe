/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Plays both ends of a gateway: its clients on transports that write down what they get,
 * and its routers and presence on sessions that are read when a test says so.
 */
#include "tests/unit/gateway/conn_kit.h"
#include "gateway/conn_in.h"
#include "gateway/conn_out.h"

#include <criterion/criterion.h>
#include <stdio.h>

#include "gateway/on_router.h"
#include "gateway/stateful.h"
#include "proto/base/log.h"
#include "proto/base/mem.h"

#define START_MS 1000000

int wire_wraps;

/* ---- the transport */

static struct wire *wire_of(struct transport *transport)
{
	return CONTAINER_OF(transport, struct wire, transport);
}

static struct blob *wire_wrap(struct slice frames, bool is_text)
{
	(void)is_text; /* which is its protocol's to say */
	wire_wraps++;
	return blob_from(frames);
}

static void wire_send(struct transport *transport, struct blob *wrapped)
{
	struct wire *wire = wire_of(transport);

	cr_assert(!wire->is_closed && !wire->is_aborted, "sent to a closed transport");
	wire->last = wrapped;
	wire->last_refs = wrapped->refs;
	buf_append_slice(&wire->out, blob_slice(wrapped));
}

static size_t wire_queued_bytes(const struct transport *transport)
{
	const struct wire *wire = (const struct wire *)(const void *)transport;

	return wire->is_stuck ? wire->out.len : 0;
}

static bool wire_has_room(struct transport *transport, size_t len, size_t max)
{
	return transport_fits(wire_queued_bytes(transport), len, max);
}

static void wire_pause(struct transport *transport, bool is_paused)
{
	struct wire *wire = wire_of(transport);

	wire->is_paused = is_paused;
}

static void wire_close(struct transport *transport, bool is_error)
{
	struct wire *wire = wire_of(transport);

	cr_assert(!wire->is_closed && !wire->is_aborted, "closed twice");
	transport->conn = NULL;
	wire->is_closed = true;
	wire->is_error = is_error;
}

static void wire_abort(struct transport *transport)
{
	struct wire *wire = wire_of(transport);

	cr_assert(!wire->is_closed && !wire->is_aborted, "closed twice");
	transport->conn = NULL;
	wire->is_aborted = true;
}

#define WIRE_OPS(link_kind)                                                              \
	{                                                                                \
		.kind = (link_kind), .wrap = wire_wrap, .send = wire_send,               \
		.queued_bytes = wire_queued_bytes, .has_room = wire_has_room,            \
		.pause = wire_pause, .close = wire_close, .abort = wire_abort,           \
	}

const struct transport_ops wire_ops = WIRE_OPS(LINK__TRANSPORT__TRANSPORT_WEB_SOCKETS);
const struct transport_ops wire_other_ops =
	WIRE_OPS(LINK__TRANSPORT__TRANSPORT_SERVER_SENT_EVENTS);

bool wire_is_open(const struct wire *wire)
{
	return wire->transport.conn != NULL;
}

/* ---- life */

static char *text(const char *literal)
{
	return mem_dup(literal, strlen(literal));
}

void kit_init(struct kit *kit)
{
	struct gateway_conf *conf = &kit->proc.conf;

	log_open(LOG_LOGFMT, LOG_ERROR, "test");
	memset(kit, 0, sizeof(*kit));
	list_init(&kit->wires);
	list_init(&kit->loop.flushes);
	kit->loop.now_ms = START_MS;
	wheel_init(&kit->loop.wheel, START_MS);
	kit->proc.loop = &kit->loop;
	kit->conf = conf;
	conf->proc.name = text("g1");
	conf->proc.drain_ms = 2000;
	conf->routers = text("r1=test:1");
	conf->presence = text("");
	conf->link.key_file = text("");
	conf->hubs = text("chat,other");
	conf->cors_origins = text("");
	conf->message_bytes_max = 256;
	conf->queue_bytes_max = 1000;
	conf->sweep_slice = 100;
	conf->sweep_messages_max = 8;
	conf->sweep_bytes_max = 100000;
	conf->invocations_max = 2;
	conf->groups_per_connection_max = 3;
	conf->group_name_bytes_max = 32;
	conf->invocation_id_bytes_max = 8;
	conf->streams_max = 2;
	conf->stream_capacity = 2;
	conf->stream_pause_bytes = 64;
	conf->stateful_buffer_bytes_max = 200;
	conf->reattach_per_minute_max = 3;
	conf->evict_rate = 500;
	conf->handover_timeout_ms = 5000;
	conf->keepalive_interval_ms = 15000;
	conf->client_timeout_ms = 30000;
	conf->handshake_timeout_ms = 10000;
	conf->disconnect_timeout_ms = 5000;
	conf->poll_timeout_ms = 9000;
	conf->forwards_max = 3;
	conf->forward_timeout_ms = 1000;
	conf->link.window_bytes_max = 100000;
	conf->invoke_timeout_ms = 5000;
	conf->link.lease_ms = 9000;
}

void kit_set(char **option, const char *value)
{
	mem_free(*option);
	*option = text(value);
}

static struct link_peer *peer_next(const struct kit *kit, const struct link_peer *peer)
{
	const struct list *peers = &kit->gateway->link->peers;
	struct list *next = peer != NULL ? peer->node.next : peers->next;

	return next != peers ? CONTAINER_OF(next, struct link_peer, node) : NULL;
}

#define EACH_PEER(it, kit)                                                               \
	for (struct link_peer *it = peer_next((kit), NULL); it != NULL;                  \
	     it = peer_next((kit), it))

void kit_start(struct kit *kit)
{
	conf_scoped_init(&gateway_conf_table, kit->conf);
	kit->gateway = gateway_proc_ops.start(&kit->proc);
	kit->metrics = &kit->gateway->metrics;
	kit->router = kit->gateway->routers.items[0]->peer;
	EACH_PEER(peer, kit)
	{
		fake_peer_renew(peer, 100);
		kit_shards(kit, peer, 0, SHARD_PHASE_STABLE, kit->conf->routers, "");
	}
	kit_settle(kit);
}

void kit_up(struct kit *kit)
{
	kit_init(kit);
	kit_start(kit);
}

void kit_stop(struct kit *kit)
{
	struct gateway_conf *conf = kit->conf;
	struct list *node;

	gateway_proc_ops.stop(&kit->proc, kit->gateway);
	cr_expect_eq(kit->loop.wheel.count, 0, "a timer runs on");
	cr_expect(list_is_empty(&kit->loop.flushes), "a flush is left");
	fake_loop_turn(&kit->loop, 0);
	while ((node = list_shift(&kit->wires)) != NULL) {
		struct wire *wire = CONTAINER_OF(node, struct wire, node);

		cr_expect(wire->is_closed || wire->is_aborted, "a transport is left");
		buf_fini(&wire->out);
		mem_free(wire);
	}
	conf_scoped_fini(&gateway_conf_table, conf);
	mem_free(conf->proc.name);
	mem_free(conf->cors_origins);
	mem_free(conf->routers);
	mem_free(conf->presence);
	mem_free(conf->link.key_file);
	mem_free(conf->hubs);
}

void kit_turn(struct kit *kit)
{
	fake_loop_turn(&kit->loop, 0);
}

void kit_wait(struct kit *kit, int64_t ms)
{
	fake_loop_turn(&kit->loop, ms);
}

struct link_peer *kit_router(const struct kit *kit, size_t i)
{
	return kit->gateway->routers.items[i]->peer;
}

const char *kit_name_of(struct kit *kit, Link__Kind kind, size_t i, const char *prefix)
{
	const struct hub *hub = &kit->gateway->hubs.items[0];

	for (int n = 0; n < 1000; n++) {
		(void)snprintf(kit->name, sizeof(kit->name), "%s%d", prefix, n);
		if (gateway_owner(kit->gateway, hub, kind, slice_from_str(kit->name)) ==
		    kit->gateway->routers.items[i])
			return kit->name;
	}
	cr_assert_fail("no such name");
	return NULL;
}

void kit_shards(struct kit *kit, struct link_peer *from, uint64_t epoch,
		enum shard_phase phase, const char *routers, const char *next)
{
	Link__Envelope envelope = LINK__ENVELOPE__INIT;
	Link__Shards shards = LINK__SHARDS__INIT;

	(void)kit;
	envelope.body_case = LINK__ENVELOPE__BODY_SHARDS;
	envelope.shards = &shards;
	shards.epoch = epoch;
	shards.phase = (Link__ShardPhase)phase;
	shards.routers = link_bytes(slice_from_str(routers));
	shards.next = link_bytes(slice_from_str(next));
	gateway_link_ops.on_envelope(from, &envelope);
}

/* ---- clients */

struct slice kit_id(char letter)
{
	static char ids[128][CONN_ID_LEN];
	char *id = ids[(unsigned char)letter & 127u];

	memset(id, letter, CONN_ID_LEN);
	return slice_make(id, CONN_ID_LEN);
}

static struct wire *wire_new(struct kit *kit, const struct transport_ops *ops)
{
	struct wire *wire = MEM_NEW(struct wire);

	wire->transport.ops = ops;
	list_append(&kit->wires, &wire->node);
	return wire;
}

struct wire *kit_dial_over(struct kit *kit, const struct transport_ops *ops, char letter,
			   const char *user)
{
	struct wire *wire = wire_new(kit, ops);
	struct user *who = user_anonymous();

	if (user != NULL)
		who = user_new(slice_from_str(user), SLICE("Name"), SLICE_NONE,
			       &SLICE("role"), 1);
	wire->conn = conn_new(kit->gateway, &kit->gateway->hubs.items[0],
			      kit_id(letter).ptr, who, &wire->transport, "10.0.0.9:1");
	wire->conn->agent = intern_take(&kit->gateway->agents, SLICE("test"));
	return wire;
}

struct wire *kit_dial(struct kit *kit, char letter, const char *user)
{
	return kit_dial_over(kit, &wire_ops, letter, user);
}

struct wire *kit_open(struct kit *kit, char letter, const char *user)
{
	struct wire *wire = kit_dial(kit, letter, user);

	wire_in(wire, "{\"protocol\":\"json\",\"version\":1}~");
	wire_expect(wire, "{}~");
	cr_assert_eq(wire->conn->state, CONN_OPEN);
	kit_settle(kit);
	return wire;
}

struct wire *kit_open_stateful(struct kit *kit, char letter)
{
	struct wire *wire = kit_dial(kit, letter, NULL);

	wire->conn->may_resume = true;
	wire_in(wire, "{\"protocol\":\"json\",\"version\":2}~");
	wire_expect(wire, "{}~");
	cr_assert_not_null(wire->conn->stateful);
	wire_in(wire, "{\"type\":6}~");
	kit_settle(kit);
	return wire;
}

struct wire *kit_attach(struct kit *kit, struct conn *conn)
{
	struct wire *wire = wire_new(kit, &wire_ops);

	wire->conn = conn;
	stateful_attach(conn, &wire->transport);
	return wire;
}

void wire_drain(struct wire *wire)
{
	wire->is_stuck = false;
	conn_on_drained(wire->conn);
}

void wire_in_part(struct wire *wire, const char *in, size_t len)
{
	struct buf bytes = BUF_INIT;

	buf_append(&bytes, in, strnlen(in, len));
	for (size_t i = 0; i < bytes.len; i++) {
		if (bytes.ptr[i] == '~')
			bytes.ptr[i] = '\x1e';
	}
	cr_assert(wire_is_open(wire));
	conn_on_bytes(wire->conn, buf_slice(&bytes));
	buf_fini(&bytes);
}

void wire_in(struct wire *wire, const char *in)
{
	wire_in_part(wire, in, strlen(in));
}

const char *kit_shown(struct buf *buf)
{
	for (size_t i = 0; i < buf->len; i++) {
		if (buf->ptr[i] == '\x1e')
			buf->ptr[i] = '~';
	}
	buf_append_byte(buf, '\0');
	return buf->ptr;
}

void wire_expect(struct wire *wire, const char *out)
{
	cr_expect_str_eq(kit_shown(&wire->out), out);
	buf_clear(&wire->out);
}

void wire_expect_end(const struct wire *wire, const char *how)
{
	const char *is = "open";

	if (wire->is_aborted)
		is = "aborted";
	else if (wire->is_closed)
		is = wire->is_error ? "failed" : "closed";
	cr_expect_str_eq(is, how);
	cr_expect_eq(wire_is_open(wire), strcmp(how, "open") == 0);
}

void kit_settle(struct kit *kit)
{
	EACH_PEER(peer, kit)
	{
		peer_handle(peer);
	}
}

/* ---- what routers send */

void kit_receive(struct kit *kit, Link__Envelope *envelope)
{
	gateway_link_ops.on_envelope(kit->router, envelope);
}

void kit_complete(struct kit *kit, char letter, uint64_t call, const char *frame)
{
	Link__Envelope envelope = LINK__ENVELOPE__INIT;
	Link__Complete complete = LINK__COMPLETE__INIT;

	envelope.body_case = LINK__ENVELOPE__BODY_COMPLETE;
	envelope.complete = &complete;
	complete.hub = link_bytes(SLICE("chat"));
	complete.connection = link_bytes(kit_id(letter));
	complete.call = call;
	complete.frame = link_bytes(slice_from_str(frame));
	kit_receive(kit, &envelope);
}

void kit_push(struct kit *kit, char letter, const char *frame)
{
	Link__Envelope envelope = LINK__ENVELOPE__INIT;
	Link__Push push = LINK__PUSH__INIT;

	envelope.body_case = LINK__ENVELOPE__BODY_PUSH;
	envelope.push = &push;
	push.hub = link_bytes(SLICE("chat"));
	push.connection = link_bytes(kit_id(letter));
	push.frame = link_bytes(slice_from_str(frame));
	kit_receive(kit, &envelope);
}

void kit_credit(struct kit *kit, char letter, const char *stream, uint32_t items)
{
	Link__Envelope envelope = LINK__ENVELOPE__INIT;
	Link__Credit credit = LINK__CREDIT__INIT;

	envelope.body_case = LINK__ENVELOPE__BODY_CREDIT;
	envelope.credit = &credit;
	credit.hub = link_bytes(SLICE("chat"));
	credit.connection = link_bytes(kit_id(letter));
	credit.stream_id = link_bytes(slice_from_str(stream));
	credit.items = items;
	kit_receive(kit, &envelope);
}

void kit_abort(struct kit *kit, char letter, const char *error, bool allow_reconnect)
{
	Link__Envelope envelope = LINK__ENVELOPE__INIT;
	Link__Abort abort_message = LINK__ABORT__INIT;

	envelope.body_case = LINK__ENVELOPE__BODY_ABORT;
	envelope.abort = &abort_message;
	abort_message.hub = link_bytes(SLICE("chat"));
	abort_message.connection = link_bytes(kit_id(letter));
	abort_message.error = link_bytes(slice_from_str(error));
	abort_message.allow_reconnect = allow_reconnect;
	kit_receive(kit, &envelope);
}

void kit_join(struct kit *kit, char letter, const char *group, bool is_leave,
	      uint64_t call)
{
	Link__Envelope envelope = LINK__ENVELOPE__INIT;
	Link__Join join = LINK__JOIN__INIT;

	envelope.body_case = LINK__ENVELOPE__BODY_JOIN;
	envelope.join = &join;
	join.hub = link_bytes(SLICE("chat"));
	join.connection = link_bytes(kit_id(letter));
	join.group = link_bytes(slice_from_str(group));
	join.is_leave = is_leave;
	join.call = call;
	join.origin = link_bytes(SLICE("rX"));
	kit_receive(kit, &envelope);
}

void kit_deliver(struct kit *kit, Link__Kind kind, const char *name, const char *excluded,
		 const char *frame)
{
	Link__Envelope envelope = LINK__ENVELOPE__INIT;
	Link__Deliver deliver = LINK__DELIVER__INIT;
	Link__Payload payload = LINK__PAYLOAD__INIT;
	Link__Payload *payloads[] = { &payload };
	ProtobufCBinaryData ids[8];

	envelope.body_case = LINK__ENVELOPE__BODY_DELIVER;
	envelope.deliver = &deliver;
	deliver.hub = link_bytes(SLICE("chat"));
	deliver.kind = kind;
	deliver.name = link_bytes(slice_from_str(name));
	deliver.excluded = ids;
	for (const char *at = excluded; *at != '\0'; at++)
		ids[deliver.n_excluded++] = link_bytes(kit_id(*at));
	payload.protocol = HUB_PROTOCOL_JSON;
	payload.frame = link_bytes(slice_from_str(frame));
	deliver.payloads = payloads;
	deliver.n_payloads = 1;
	kit_receive(kit, &envelope);
}
