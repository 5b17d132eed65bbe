/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A gateway worker's life: start (tables, links to all routers and presence, then the
 * listeners), drain, stop.
 */
#include "gateway/gateway.h"

#include "gateway/admin.h"
#include "gateway/drain.h"
#include "gateway/edge.h"
#include "gateway/invoke.h"
#include "gateway/join.h"
#include "gateway/on_router.h"
#include "gateway/presence.h"
#include "gateway/replay.h"
#include "gateway/workers.h"
#include "proto/base/crypto.h"
#include "proto/base/log.h"
#include "proto/base/mem.h"
#include "proto/base/secret.h"

struct gateway_router *gateway_owner(struct gateway *gateway, const struct hub *hub,
				     Link__Kind kind, struct slice name)
{
	const size_t owner = shards_owner(&gateway->shards, slice_from_str(hub->name),
					  (int)kind, name);

	return &gateway->routers[owner];
}

bool gateway_is_known(const struct gateway *gateway)
{
	for (size_t i = 0; i < gateway->shards.n; i++) {
		if (gateway->routers[i].incarnation == 0)
			return false;
	}
	return true;
}

struct conn *gateway_conn_find(const struct gateway *gateway, struct slice id)
{
	struct map_node *node = map_find(&gateway->conns, id);

	return node != NULL ? CONTAINER_OF(node, struct conn, node) : NULL;
}

/* ---- start */

static void gateway_open_link(struct gateway *gateway)
{
	const struct gateway_conf *conf = gateway->conf;
	struct buf key = BUF_INIT;
	struct link_options options = {
		.role = LINK__ROLE__ROLE_GATEWAY,
		.name = proc_name(gateway->proc),
		.incarnation = proc_incarnation(gateway->proc),
		.window_bytes_max = conf->link.window_bytes_max,
		.ping_interval_ms = conf->link.ping_interval_ms,
		.stream_timeout_ms = conf->link.stream_timeout_ms,
		.peer_timeout_ms = conf->link.lease_ms,
		.ops = &gateway_link_ops,
		.owner = gateway,
		.stats = &gateway->metrics.link,
	};

	secret_read("link_key_file", conf->link.key_file, &key);
	options.key = buf_slice(&key);
	gateway->link = link_new(gateway->loop, &options);
	secret_fini(&key);
}

static void gateway_open_routers(struct gateway *gateway)
{
	struct shards *shards = &gateway->shards;

	if (shards_parse(shards, gateway->conf->routers) != OK)
		fatal("routers = %s: not a list of name=url", gateway->conf->routers);
	gateway->routers = mem_zalloc(shards->n * sizeof(*gateway->routers));
	for (size_t i = 0; i < shards->n; i++) {
		struct gateway_router *router = &gateway->routers[i];

		router->gateway = gateway;
		list_init(&router->calls);
		loop_flush_init(&router->flush, invoke_on_flush);
		loop_flush_init(&router->resync, join_on_resync);
		router->peer = link_dial(gateway->link, LINK__ROLE__ROLE_ROUTER,
					 shards->items[i].name, shards->items[i].url);
		link_peer_set_owner(router->peer, router);
	}
}

static void gateway_open_presence(struct gateway *gateway)
{
	struct shards presence; /* a list of one */

	if (gateway->conf->presence[0] == '\0')
		return;
	if (shards_parse(&presence, gateway->conf->presence) != OK || presence.n != 1)
		fatal("presence = %s: not of the form name=url", gateway->conf->presence);
	gateway->presence = link_dial(gateway->link, LINK__ROLE__ROLE_PRESENCE,
				      presence.items[0].name, presence.items[0].url);
	shards_fini(&presence);
}

static void *gateway_start(struct proc *proc)
{
	struct gateway *gateway = MEM_NEW(struct gateway);
	const uint64_t seed = crypto_random_uint64();

	gateway->proc = proc;
	gateway->loop = proc_loop(proc);
	gateway->conf = proc_conf(proc);
	hubs_init(&gateway->hubs, gateway->conf->hubs);
	map_init(&gateway->conns, seed);
	index_init(&gateway->index, seed);
	list_init(&gateway->joins);
	arena_init(&gateway->arena);
	timer_init(&gateway->lease_timer, presence_on_lease_timer);
	timer_init(&gateway->drain_timer, drain_on_timer);
	loop_flush_init(&gateway->fence, replay_on_fence);
	gateway_open_link(gateway);
	gateway_open_routers(gateway);
	gateway_open_presence(gateway);
	presence_lease(gateway);
	edge_open(gateway);
	admin_open(gateway);
	workers_ready(gateway);
	return gateway;
}

/* ---- drain and stop */

static void gateway_drain(struct proc *proc, void *state)
{
	(void)proc; /* gateway->proc */
	drain_start(state);
}

static void gateway_close_conns(struct gateway *gateway)
{
	struct map_node *node = map_next(&gateway->conns, NULL);

	while (node != NULL) {
		struct conn *conn = CONTAINER_OF(node, struct conn, node);
		const bool was_handshake = conn->state == CONN_HANDSHAKE;

		node = map_next(&gateway->conns, node);
		conn_close(conn, CONN_CLOSE_SHUTDOWN, NULL);
		if (!was_handshake)
			conn_free(conn);
	}
}

static void gateway_stop(struct proc *proc, void *state)
{
	struct gateway *gateway = state;

	(void)proc; /* gateway->proc */
	admin_close(gateway);
	loop_timer_stop(gateway->loop, &gateway->lease_timer);
	loop_timer_stop(gateway->loop, &gateway->drain_timer);
	loop_untouch(&gateway->fence);
	gateway_close_conns(gateway);
	joins_free(gateway);
	edge_close(gateway);
	link_free(gateway->link);
	for (size_t i = 0; i < gateway->shards.n; i++) {
		loop_untouch(&gateway->routers[i].flush);
		loop_untouch(&gateway->routers[i].resync);
	}
	index_fini(&gateway->index);
	map_fini(&gateway->conns);
	arena_fini(&gateway->arena);
	for (size_t i = 0; i < TRANSPORT_KINDS; i++)
		blob_unref(gateway->pings[i]);
	mem_free(gateway->routers);
	shards_fini(&gateway->shards);
	hubs_fini(&gateway->hubs);
	mem_free(gateway);
}

const struct proc_ops gateway_proc_ops = {
	.conf = &gateway_conf_table,
	.conf_bytes = sizeof(struct gateway_conf),
	.before_loop = workers_before_loop,
	.start = gateway_start,
	.drain = gateway_drain,
	.stop = gateway_stop,
};
