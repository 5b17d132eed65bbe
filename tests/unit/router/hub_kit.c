/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The router and its peers are those of router/hubtest/stage.c, which authors of hubs
 * use, too. Here are the words for them.
 */
#include "tests/unit/router/hub_kit.h"

#include <stdarg.h>
#include <stdio.h>

#include "proto/base/conf_extra.h"
#include "proto/base/log.h"
#include "proto/base/mem.h"
#include "proto/link/link_limits.h"
#include "proto/link/link_private.h"
#include "proto/wire/hub_message.h"
#include "router/hub_runtime.h"
#include "router/on_peer.h"

#define TURN_UNTIL_MAX_MS 5000
#define NAME_TRIES 1000
#define STREAMS_MAX 8

/* ---- life */

struct router_conf kit_conf(void)
{
	static char routers[] = "r1=ipc://r1";
	static char hubs[] = "relay,chat";

	return (struct router_conf){
		.routers = routers,
		.hubs = hubs,
		.hub_module = hubs + strlen(hubs),
		.presence = hubs + strlen(hubs),
		.hub_calls_max = 64,
		.user_calls_max = 64,
		.hub_await_timeout_ms = 60000,
		.hub_slow_ms = 60000,
		.conn_calls_max = 64,
		.connection_items_bytes_max = 1024,
		.invocations_parallel_max = 1,
		.client_result_timeout_ms = 60000,
		.claims_max = 100,
		.passes_max = 100,
		.rebuild_wait_ms = 60000,
		.rebuild_timeout_ms = 60000,
		.shards_hold_bytes_max = 65536,
		.rebuild_bytes_max = 65536,
		.redis = { .url = hubs + strlen(hubs) },
		.state_keys_max = 100,
		.state_waits_max = 100,
		.state_bytes_max = 65536,
		.link = { .window_bytes_max = 1 << 20, .lease_ms = 60000 },
	};
}

static void expect_shard(struct kit *kit)
{
	const struct shard_link *r2 = shard_link_find(kit->router, SLICE("r2"));

	if (r2 == NULL)
		return;
	kit->r2 = r2->peer;
	kit->r2->incarnation = 2;
}

/* A hub has a scope when the list names it, but only the built-in ones may be there when
 * the router starts. */
static void make_scopes(struct kit *kit, const struct hub_module *module)
{
	char *hubs = kit->conf.hubs;
	struct buf all = BUF_INIT;

	buf_append_str(&all, hubs);
	if (module != NULL)
		buf_appendf(&all, ",%s", module->name);
	buf_append_byte(&all, '\0');
	kit->conf.hubs = all.ptr;
	conf_scoped_init(&router_conf_table, &kit->conf);
	kit->conf.hubs = hubs;
	buf_fini(&all);
}

struct hub_conf *kit_hub_conf(struct kit *kit)
{
	return conf_scoped_find(&kit->conf.hub_confs, slice_from_str(kit->hub));
}

void kit_hub_option(struct kit *kit, const char *option, const char *value)
{
	struct conf_scoped *hubs = &kit->conf.hub_confs;

	conf_extra_set(&hubs->items[conf_scoped_index(hubs, slice_from_str(kit->hub))],
		       slice_from_str(option), slice_from_str(value), 1);
	hub_runtime_reload(kit->router->hubs);
}

struct kit *kit_new_conf(const struct hub_module *module, const struct router_conf *conf)
{
	struct kit *kit = MEM_NEW(struct kit);

	if (!kit_log_is_open())
		log_open(LOG_LOGFMT, LOG_ERROR, "r1");
	arena_init(&kit->arena);
	kit->conf = *conf;
	make_scopes(kit, module);
	stage_init(&kit->stage, loop_new(), &kit->conf);
	kit->loop = kit->stage.loop;
	kit->router = kit->stage.router;
	kit->hub = "chat";
	kit->protocol = HUB_PROTOCOL_JSON;
	if (module != NULL) {
		kit->hub = module->name;
		hub_runtime_serve(kit->router->hubs, module);
	}
	stage_open(&kit->stage);
	kit->presence = kit->stage.presence;
	expect_shard(kit);
	kit->g1 = kit_gateway(kit, "g1");
	kit->g2 = kit_gateway(kit, "g2");
	return kit;
}

struct kit *kit_new(const struct hub_module *module)
{
	const struct router_conf conf = kit_conf();
	struct kit *kit = kit_new_conf(module, &conf);

	kit_replayed(kit, kit->g1);
	kit_replayed(kit, kit->g2);
	kit_topology(kit, true, kit->g1, kit->g2);
	kit_turn(kit);
	cr_assert(kit->router->rebuild.is_done);
	return kit;
}

void kit_free(struct kit *kit)
{
	stage_fini(&kit->stage);
	conf_scoped_fini(&router_conf_table, &kit->conf);
	arena_fini(&kit->arena);
	mem_free(kit);
}

void kit_turn(struct kit *kit)
{
	loop_turn(kit->loop, 0);
}

void kit_turn_until(struct kit *kit, const bool *is_done)
{
	const int64_t start_us = loop_clock_us();

	while (!*is_done) {
		loop_turn(kit->loop, 100);
		cr_assert_lt(loop_clock_us() - start_us, TURN_UNTIL_MAX_MS * 1000);
	}
}

/* ---- what the router sends */

const char *kit_text(struct kit *kit, const char *fmt, ...)
{
	char text[4096];
	va_list args;
	int len;

	va_start(args, fmt);
	len = vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	cr_assert(len >= 0 && (size_t)len < sizeof(text));
	return arena_dup(&kit->arena, slice_make(text, (size_t)len)).ptr;
}

static bool is_passed_over(const struct kit *kit, const Link__Batch *batch)
{
	switch ((int)batch->envelopes[0]->body_case) {
	case LINK__ENVELOPE__BODY_SHARDS:
		return !kit->is_of_shards;
	case LINK__ENVELOPE__BODY_BEGAN:
		return !kit->is_of_begins;
	default:
		return false;
	}
}

const char *kit_said(struct kit *kit, struct link_peer *peer)
{
	Link__Batch *batch = stage_said(peer);
	struct buf text = BUF_INIT;
	const char *said;

	while (batch != NULL && is_passed_over(kit, batch)) {
		link__batch__free_unpacked(batch, NULL);
		batch = stage_said(peer);
	}
	if (batch == NULL)
		return "";
	kit_write(kit, &text, batch->envelopes[0]);
	link__batch__free_unpacked(batch, NULL);
	said = arena_dup(&kit->arena, buf_slice(&text)).ptr;
	buf_fini(&text);
	return said;
}

void kit_ack(struct kit *kit, struct link_peer *peer)
{
	stage_ack(peer);
	kit_turn(kit);
}

void kit_skip(struct kit *kit, struct link_peer *peer)
{
	do {
		while (kit_said(kit, peer)[0] != '\0')
			;
		kit_ack(kit, peer);
	} while (session_has_unsent(&peer->session));
}

/* ---- what peers say */

/* As link.c does it: packing only reads. */
#define KIT_HEAR_DEFINE(lower, camel, upper, keep, since)                                \
	void kit_hear_##lower(struct kit *kit, struct link_peer *peer,                   \
			      const Link__##camel *message)                              \
	{                                                                                \
		Link__Envelope envelope = LINK__ENVELOPE__INIT;                          \
		union {                                                                  \
			const Link__##camel *given;                                      \
			Link__##camel *wanted;                                           \
		} body = { .given = message };                                           \
                                                                                         \
		(void)kit; /* the peer's */                                              \
		envelope.body_case = LINK__ENVELOPE__BODY_##upper;                       \
		envelope.lower = body.wanted;                                            \
		stage_hear(peer, &envelope);                                             \
	}
LINK_MESSAGES(KIT_HEAR_DEFINE)

static ProtobufCBinaryData bytes_of(const char *text)
{
	return link_bytes(slice_from_str(text));
}

void kit_connect(struct kit *kit, struct link_peer *gateway, const char *id,
		 const char *user_id)
{
	Link__Connected connected = LINK__CONNECTED__INIT;
	Link__User user = LINK__USER__INIT;

	user.id = bytes_of(user_id);
	connected.hub = bytes_of(kit->hub);
	connected.connection = bytes_of(id);
	connected.user = &user;
	connected.protocol = kit->protocol;
	connected.transport = LINK__TRANSPORT__TRANSPORT_WEB_SOCKETS;
	kit_hear_connected(kit, gateway, &connected);
}

void kit_disconnect(struct kit *kit, struct link_peer *gateway, const char *id)
{
	Link__Disconnected disconnected = LINK__DISCONNECTED__INIT;

	disconnected.hub = bytes_of(kit->hub);
	disconnected.connection = bytes_of(id);
	kit_hear_disconnected(kit, gateway, &disconnected);
}

static void invoke(struct kit *kit, struct link_peer *gateway, const char *id,
		   Link__Invoke *message)
{
	message->hub = bytes_of(kit->hub);
	message->connection = bytes_of(id);
	message->call = ++kit->last_invoke;
	message->protocol = kit->protocol;
	kit_hear_invoke(kit, gateway, message);
}

void kit_invoke(struct kit *kit, struct link_peer *gateway, const char *id,
		const char *invocation_id, const char *target, const char *arguments)
{
	Link__Invoke message = LINK__INVOKE__INIT;

	message.invocation_id = bytes_of(invocation_id);
	message.target = bytes_of(target);
	message.arguments = bytes_of(arguments);
	invoke(kit, gateway, id, &message);
}

void kit_stream(struct kit *kit, struct link_peer *gateway, const char *id,
		const char *invocation_id, const char *target, const char *arguments)
{
	Link__Invoke message = LINK__INVOKE__INIT;

	message.invocation_id = bytes_of(invocation_id);
	message.target = bytes_of(target);
	message.arguments = bytes_of(arguments);
	message.is_stream = true;
	invoke(kit, gateway, id, &message);
}

void kit_upload(struct kit *kit, struct link_peer *gateway, const char *id,
		const char *invocation_id, const char *target, const char *arguments,
		const char *stream_ids)
{
	Link__Invoke message = LINK__INVOKE__INIT;
	ProtobufCBinaryData ids[STREAMS_MAX];
	struct slice rest = slice_from_str(stream_ids);

	message.invocation_id = bytes_of(invocation_id);
	message.target = bytes_of(target);
	message.arguments = bytes_of(arguments);
	message.stream_ids = ids;
	do {
		cr_assert_lt(message.n_stream_ids, STREAMS_MAX);
		ids[message.n_stream_ids++] = link_bytes(slice_cut(&rest, ','));
	} while (rest.ptr != NULL);
	invoke(kit, gateway, id, &message);
}

void kit_item(struct kit *kit, struct link_peer *gateway, const char *id,
	      const char *stream_id, const char *item)
{
	Link__StreamItem message = LINK__STREAM_ITEM__INIT;

	message.hub = bytes_of(kit->hub);
	message.connection = bytes_of(id);
	message.stream_id = bytes_of(stream_id);
	message.protocol = kit->protocol;
	message.item = bytes_of(item);
	kit_hear_stream_item(kit, gateway, &message);
}

void kit_completion(struct kit *kit, struct link_peer *gateway, const char *id,
		    const char *of, const char *result, const char *error)
{
	Link__ClientCompletion message = LINK__CLIENT_COMPLETION__INIT;

	message.hub = bytes_of(kit->hub);
	message.connection = bytes_of(id);
	message.id = bytes_of(of);
	message.protocol = kit->protocol;
	message.has_result = result != NULL;
	message.result = bytes_of(result);
	message.has_error = error != NULL;
	message.error = bytes_of(error);
	kit_hear_client_completion(kit, gateway, &message);
}

void kit_cancel(struct kit *kit, struct link_peer *gateway, const char *id,
		const char *invocation_id)
{
	Link__Cancel cancel = LINK__CANCEL__INIT;

	cancel.hub = bytes_of(kit->hub);
	cancel.connection = bytes_of(id);
	cancel.invocation_id = bytes_of(invocation_id);
	kit_hear_cancel(kit, gateway, &cancel);
}

void kit_flow(struct kit *kit, struct link_peer *gateway, const char *id, bool is_blocked)
{
	Link__Flow flow = LINK__FLOW__INIT;

	flow.hub = bytes_of(kit->hub);
	flow.connection = bytes_of(id);
	flow.is_blocked = is_blocked;
	kit_hear_flow(kit, gateway, &flow);
}

void kit_member(struct kit *kit, struct link_peer *gateway, Link__Kind kind,
		const char *name, const char *id, bool is_gone)
{
	Link__Member member = LINK__MEMBER__INIT;

	member.hub = bytes_of(kit->hub);
	member.kind = kind;
	member.name = bytes_of(name);
	member.connection = bytes_of(id);
	member.user_id = bytes_of(kit_text(kit, "user-of-%s", id));
	member.is_gone = is_gone;
	kit_hear_member(kit, gateway, &member);
}

void kit_joined(struct kit *kit, struct link_peer *gateway, const char *id,
		const char *group, bool is_leave, enum err rc)
{
	Link__Joined joined = LINK__JOINED__INIT;

	joined.hub = bytes_of(kit->hub);
	joined.connection = bytes_of(id);
	joined.call = kit->call;
	joined.rc = rc;
	joined.group = bytes_of(group);
	joined.is_leave = is_leave;
	joined.origin = bytes_of("r1");
	kit_hear_joined(kit, gateway, &joined);
}

void kit_replayed(struct kit *kit, struct link_peer *gateway)
{
	const Link__Replayed replayed = LINK__REPLAYED__INIT;

	kit_hear_replayed(kit, gateway, &replayed);
}

void kit_topology(struct kit *kit, bool is_settled, const struct link_peer *a,
		  const struct link_peer *b)
{
	const struct link_peer *named[] = { a, b };
	Link__Peer peers[] = { LINK__PEER__INIT, LINK__PEER__INIT };
	Link__Peer *pointers[] = { &peers[0], &peers[1] };
	Link__Topology topology = LINK__TOPOLOGY__INIT;

	topology.peers = pointers;
	topology.is_settled = is_settled;
	for (size_t i = 0; i < 2 && named[i] != NULL; i++) {
		peers[i].role = link_peer_role(named[i]);
		peers[i].name = bytes_of(link_peer_name(named[i]));
		peers[i].incarnation = link_peer_incarnation(named[i]);
		topology.n_peers++;
	}
	kit_hear_topology(kit, kit->presence, &topology);
}

/* ---- what peers do */

struct link_peer *kit_gateway(struct kit *kit, const char *name)
{
	return stage_gateway(&kit->stage, name);
}

/* As peer_renew() in link.c. */
void kit_renew(struct kit *kit, struct link_peer *peer)
{
	struct link_stream stream = { .peer = peer };
	struct session_kept kept;

	session_reset(&peer->session, LINK_VERSION, &kept);
	peer->stream = &stream;
	router_link_ops.on_lost(peer);
	router_link_ops.on_up(peer, true);
	peer->stream = NULL;
	session_restore(&peer->session, &kept);
	link_room_given(peer);
	kit_turn(kit);
}

void kit_restart(struct kit *kit, struct link_peer *peer)
{
	peer->incarnation += 100;
	kit_renew(kit, peer);
}

void kit_gone(struct kit *kit, struct link_peer *gateway)
{
	gateway->timer.fn(&gateway->timer);
	kit_turn(kit);
}

/* ---- placing */

static bool is_own_name(const struct kit *kit, Link__Kind kind, const char *name)
{
	return shard_owner_of(kit->router, slice_from_str(kit->hub), kind,
			      slice_from_str(name))
		.is_own;
}

const char *kit_name_from(struct kit *kit, Link__Kind kind, const char *prefix,
			  bool is_own)
{
	const char *name = "";

	for (int i = 0; i < NAME_TRIES; i++) {
		name = kit_text(kit, "%sk%d", prefix, i);
		if (is_own_name(kit, kind, name) == is_own)
			break;
	}
	cr_assert_eq(is_own_name(kit, kind, name), is_own);
	return name;
}

const char *kit_name(struct kit *kit, Link__Kind kind, bool is_own)
{
	return kit_name_from(kit, kind, "", is_own);
}
