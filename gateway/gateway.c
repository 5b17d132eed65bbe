/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A gateway worker's life: start (tables, links to all routers and presence, then the
 * listeners), drain, stop.
 */
#include "gateway/gateway.h"

#include "gateway/admin.h"
#include "gateway/certificate.h"
#include "gateway/claim.h"
#include "gateway/command.h"
#include "gateway/drain.h"
#include "gateway/edge.h"
#include "gateway/edge_keys.h"
#include "gateway/join.h"
#include "gateway/on_router.h"
#include "gateway/presence.h"
#include "gateway/replay.h"
#include "gateway/reply_link.h"
#include "gateway/tunnel.h"
#include "gateway/workers.h"
#include "proto/base/crypto.h"
#include "proto/base/log.h"
#include "proto/base/mem.h"
#include "proto/base/secret.h"

struct conn *gateway_conn_find(const struct gateway *gateway, struct slice id)
{
	struct map_node *node = map_find(&gateway->conns, id);

	return node != NULL ? CONTAINER_OF(node, struct conn, node) : NULL;
}

/* ---- start */

static void gateway_open_link(struct gateway *gateway)
{
	const struct gateway_conf *conf = gateway->conf;
	struct secrets keys = SECRETS_INIT;
	struct link_options options = {
		.role = LINK__ROLE__ROLE_GATEWAY,
		.name = proc_name(gateway->proc),
		.incarnation = proc_incarnation(gateway->proc),
		.window_bytes_max = conf->link.window_bytes_max,
		.ping_interval_ms = conf->link.ping_interval_ms,
		.stream_timeout_ms = conf->link.stream_timeout_ms,
		.peer_timeout_ms = conf->link.lease_ms,
		.version_max = (uint32_t)conf->link.version_max,
		.ops = &gateway_link_ops,
		.owner = gateway,
		.stats = &gateway->metrics.link,
	};

	secrets_read(&keys, "link_key_file", conf->link.key_file);
	options.keys = &keys;
	gateway->link = link_new(gateway->loop, &options);
	secrets_fini(&keys);
}

static void *gateway_start(struct proc *proc)
{
	struct gateway *gateway = MEM_NEW(struct gateway);
	const uint64_t seed = crypto_random_uint64();

	gateway->proc = proc;
	gateway->loop = proc_loop(proc);
	gateway->conf = proc_conf(proc);
	proc_count_reloads(proc, &gateway->metrics.reload);
	hubs_init(&gateway->hubs, &gateway->conf->hub_confs);
	interns_init(&gateway->agents, seed);
	map_init(&gateway->conns, seed);
	map_init(&gateway->claims, seed);
	map_init(&gateway->replies, seed);
	map_init(&gateway->tunnels, seed);
	forwards_init(gateway, seed);
	index_init(&gateway->index, seed);
	list_init(&gateway->joins);
	movings_init(&gateway->movings);
	sweeps_init(gateway);
	arena_init(&gateway->arena);
	timer_init(&gateway->drain_timer, drain_on_timer);
	loop_flush_init(&gateway->fence, replay_on_fence);
	gateway_open_link(gateway);
	reshard_init(gateway);
	routers_open(gateway);
	commands_init(&gateway->commands);
	presence_open(gateway);
	edge_open(gateway);
	admin_open(gateway);
	workers_ready(gateway);
	return gateway;
}

/* ---- reload */

static bool gateway_reload(struct proc *proc, void *state)
{
	struct gateway *gateway = state;
	bool is_good =
		link_reload_keys(gateway->link, gateway->conf->link.key_file) == OK;

	(void)proc; /* gateway->proc */
	gateway->metrics.reload.secret_failed_total += !is_good;
	is_good = edge_keys_reload(gateway) && is_good;
	is_good = certificate_reload(gateway) && is_good;
	routers_reload(gateway);
	return is_good;
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
		const struct slice id = slice_make(conn->id, CONN_ID_LEN);

		node = map_next(&gateway->conns, node);
		conn_close(conn, CONN_CLOSE_SHUTDOWN, NULL);
		/* Those that nobody has to confirm are gone; the turn keeps the bytes. */
		if (gateway_conn_find(gateway, id) == conn)
			conn_free(conn);
	}
}

static void gateway_stop(struct proc *proc, void *state)
{
	struct gateway *gateway = state;

	(void)proc; /* gateway->proc */
	admin_close(gateway);
	drain_stop(gateway);
	loop_untouch(&gateway->fence);
	gateway_close_conns(gateway);
	sweeps_fini(gateway);
	tunnels_close_all(gateway);
	joins_free(gateway);
	edge_close(gateway);
	replies_fini(gateway);
	commands_fini(gateway);
	presence_close(gateway);
	link_free(gateway->link);
	reshard_fini(gateway);
	routers_close(gateway);
	index_fini(&gateway->index);
	map_fini(&gateway->conns);
	interns_fini(&gateway->agents);
	forwards_fini(gateway);
	claims_fini(gateway);
	map_fini(&gateway->tunnels);
	arena_fini(&gateway->arena);
	for (size_t p = 0; p < HUB_PROTOCOLS; p++) {
		for (size_t t = 0; t < TRANSPORT_KINDS; t++)
			blob_unref(gateway->pings[p][t]);
	}
	hubs_fini(&gateway->hubs);
	mem_free(gateway);
}

const struct proc_ops gateway_proc_ops = {
	.conf = &gateway_conf_table,
	.conf_bytes = sizeof(struct gateway_conf),
	.metrics = &gateway_metrics_table,
	.before_loop = workers_before_loop,
	.start = gateway_start,
	.reload = gateway_reload,
	.status = admin_status,
	.drain = gateway_drain,
	.stop = gateway_stop,
};
