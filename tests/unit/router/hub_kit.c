/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Peers are made as the link makes them when somebody dials in, and their sessions are
 * read and acknowledged here in place of a stream.
 */
#include "tests/unit/router/hub_kit.h"

#include <stdarg.h>
#include <stdio.h>

#include "proto/base/log.h"
#include "proto/base/mem.h"
#include "proto/link/link_private.h"
#include "router/hub_runtime.h"
#include "router/on_peer.h"

#define TURN_UNTIL_MAX_MS 5000
#define NAME_TRIES 1000

/* ---- life */

struct router_conf kit_conf(void)
{
	static char routers[] = "r1=ipc://r1";
	static char hubs[] = "relay,chat";

	return (struct router_conf){
		.routers = routers,
		.hubs = hubs,
		.hub_calls_max = 64,
		.hub_await_timeout_ms = 60000,
		.hub_slow_ms = 60000,
		.conn_calls_max = 64,
		.rebuild_wait_ms = 60000,
		.rebuild_timeout_ms = 60000,
		.rebuild_bytes_max = 65536,
		.journal_keys_max = 100,
		.journal_bytes_max = 65536,
		.link = { .window_bytes_max = 1 << 20, .lease_ms = 60000 },
	};
}

static void open_link(struct kit *kit)
{
	struct router *router = kit->router;
	const struct link_options options = {
		.role = LINK__ROLE__ROLE_ROUTER,
		.name = "r1",
		.incarnation = 1,
		.key = SLICE("key"),
		.window_bytes_max = kit->conf.link.window_bytes_max,
		.peer_timeout_ms = kit->conf.link.lease_ms,
		.ops = &router_link_ops,
		.owner = router,
		.stats = &router->metrics.link,
	};

	router->link = link_new(kit->loop, &options);
	router->shard_peers = mem_zalloc(router->shards.n * sizeof(struct link_peer *));
	if (router->shards.n > 1) {
		kit->r2 = link_expect(router->link, LINK__ROLE__ROLE_ROUTER, "r2");
		kit->r2->incarnation = 2;
		router->shard_peers[1] = kit->r2;
	}
	kit->presence = link_expect(router->link, LINK__ROLE__ROLE_PRESENCE, "p1");
	kit->presence->incarnation = 3;
}

struct kit *kit_new_conf(const struct hub_module *module, const struct router_conf *conf)
{
	struct kit *kit = MEM_NEW(struct kit);

	log_open(LOG_LOGFMT, LOG_ERROR, "r1");
	arena_init(&kit->arena);
	kit->loop = loop_new();
	kit->conf = *conf;
	kit->router = MEM_NEW(struct router);
	router_init(kit->router, kit->loop, &kit->conf, "r1");
	kit->hub = "chat";
	if (module != NULL) {
		kit->hub = module->name;
		hub_runtime_serve(kit->router->hubs, module);
	}
	open_link(kit);
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
	router_proc_ops.stop(NULL, kit->router);
	loop_free(kit->loop);
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

/* A run of records is a Batch that holds nothing else. */
const char *kit_said(struct kit *kit, struct link_peer *peer)
{
	struct buf text = BUF_INIT;
	Link__Batch *batch;
	struct slice run;
	uint64_t first_seq;
	const char *said;

	if (session_next(&peer->session, 1, &first_seq, &run) == 0)
		return "";
	batch = link__batch__unpack(NULL, run.len, (const uint8_t *)run.ptr);
	cr_assert_not_null(batch);
	cr_assert_eq(batch->n_envelopes, 1);
	kit_write(kit, &text, batch->envelopes[0]);
	link__batch__free_unpacked(batch, NULL);
	said = arena_dup(&kit->arena, buf_slice(&text)).ptr;
	buf_fini(&text);
	return said;
}

void kit_ack(struct kit *kit, struct link_peer *peer)
{
	cr_assert_eq(session_on_ack(&peer->session, peer->session.sent_seq), OK);
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

static void hear(struct link_peer *peer, const Link__Envelope *envelope)
{
	const size_t len = link__envelope__get_packed_size(envelope);
	uint8_t *packed = mem_alloc(len);
	Link__Envelope *unpacked;

	link__envelope__pack(envelope, packed);
	unpacked = link__envelope__unpack(NULL, len, packed);
	mem_free(packed);
	cr_assert_not_null(unpacked);
	router_link_ops.on_envelope(peer, unpacked);
	link__envelope__free_unpacked(unpacked, NULL);
}

/* As link.c does it: packing only reads. */
#define KIT_HEAR_DEFINE(lower, camel, upper, keep)                                       \
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
		hear(peer, &envelope);                                                   \
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
	connected.protocol = 1;
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

void kit_invoke(struct kit *kit, struct link_peer *gateway, const char *id,
		const char *invocation_id, const char *target, const char *arguments)
{
	Link__Invoke invoke = LINK__INVOKE__INIT;

	invoke.hub = bytes_of(kit->hub);
	invoke.connection = bytes_of(id);
	invoke.call = ++kit->last_invoke;
	invoke.invocation_id = bytes_of(invocation_id);
	invoke.target = bytes_of(target);
	invoke.protocol = 1;
	invoke.arguments = bytes_of(arguments);
	kit_hear_invoke(kit, gateway, &invoke);
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
	struct link_peer *peer = link_peer_new(
		kit->router->link, LINK__ROLE__ROLE_GATEWAY, slice_from_str(name));

	peer->incarnation = 1000 + kit->router->link->peers_n;
	router_link_ops.on_up(peer, true);
	return peer;
}

/* As peer_renew() in link.c. */
void kit_restart(struct kit *kit, struct link_peer *peer)
{
	struct session_kept kept;

	session_reset(&peer->session, &kept);
	peer->incarnation += 100;
	router_link_ops.on_lost(peer);
	router_link_ops.on_up(peer, true);
	session_restore(&peer->session, &kept);
	kit_turn(kit);
}

void kit_gone(struct kit *kit, struct link_peer *gateway)
{
	gateway->timer.fn(&gateway->timer);
	kit_turn(kit);
}

/* ---- placing */

static bool is_own_name(const struct kit *kit, Link__Kind kind, const char *name)
{
	const struct router *router = kit->router;

	return shards_owner(&router->shards, slice_from_str(kit->hub), (int)kind,
			    slice_from_str(name)) == router->self;
}

const char *kit_name(struct kit *kit, Link__Kind kind, bool is_own)
{
	const char *name = "";

	for (int i = 0; i < NAME_TRIES; i++) {
		name = kit_text(kit, "k%d", i);
		if (is_own_name(kit, kind, name) == is_own)
			break;
	}
	cr_assert_eq(is_own_name(kit, kind, name), is_own);
	return name;
}
