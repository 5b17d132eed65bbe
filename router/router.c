/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A router's life: start (tables, links to all routers and presence, the listener for
 * gateways), lease, drain, stop.
 */
#include "router/router.h"

#include "proto/base/crypto.h"
#include "proto/base/log.h"
#include "proto/base/mem.h"
#include "proto/base/notify.h"
#include "proto/base/secret.h"
#include "router/handover.h"
#include "router/hub_runtime.h"
#include "router/on_peer.h"
#include "router/presence.h"
#include "router/redis.h"
#include "router/state/state_redis.h"

#define DRAIN_CHECK_MS 20

struct router *router_of(const struct link_peer *peer)
{
	return link_owner(link_peer_link(peer));
}

struct router_gateway *router_gateway_of(const struct link_peer *peer)
{
	return link_peer_role(peer) == LINK__ROLE__ROLE_GATEWAY ? link_peer_owner(peer)
								: NULL;
}

struct slice router_name(const struct router *router)
{
	return slice_from_str(router->shards.name);
}

void router_resync(struct router_gateway *gateway)
{
	log_warn("gateway.resync", "gateway=%s", link_peer_name(gateway->peer));
	router_of(gateway->peer)->metrics.gateway_resync_total++;
	link_peer_reset(gateway->peer);
}

void router_count(struct router *router)
{
	struct router_metrics *metrics = &router->metrics;

	claims_forget(router);
	metrics->missing_gateways = (int64_t)router->rebuild.missing_n;
	metrics->connections = (int64_t)router->conns.count - metrics->standbys;
	metrics->claims = (int64_t)router->claims.by_id.count;
	metrics->passes = (int64_t)router->passes.by_call.count;
	metrics->groups = (int64_t)router->groups.groups.count;
	metrics->commands = (int64_t)router->commands.n;
	metrics->members = (int64_t)router->groups.members.count;
	metrics->state_keys = (int64_t)router->state.table.items.count;
	metrics->state_bytes = (int64_t)router->state.table.bytes;
	metrics->state_evicted_total = router->state.table.evicted_total;
	metrics->state_expired_total = router->state.table.expired_total;
	metrics->state_waits = (int64_t)router->waits.by_id.count;
	metrics->state_wait_refused_total = router->waits.refused_total;
}

/* ---- start */

static void router_open_link(struct router *router)
{
	const struct router_conf *conf = router->conf;
	struct secrets keys = SECRETS_INIT;
	struct link_options options = {
		.role = LINK__ROLE__ROLE_ROUTER,
		.accepts = 1u << LINK__ROLE__ROLE_GATEWAY,
		.name = proc_name(router->proc),
		.incarnation = proc_incarnation(router->proc),
		.window_bytes_max = conf->link.window_bytes_max,
		.ping_interval_ms = conf->link.ping_interval_ms,
		.stream_timeout_ms = conf->link.stream_timeout_ms,
		.peer_timeout_ms = conf->link.lease_ms,
		/* Cut off, it would confirm what receivers elsewhere never get. */
		.keeps_when_alone = true,
		.version_max = (uint32_t)conf->link.version_max,
		.ops = &router_link_ops,
		.owner = router,
		.stats = &router->metrics.link,
	};

	secrets_read(&keys, "link_key_file", conf->link.key_file);
	options.keys = &keys;
	router->link = link_new(router->loop, &options);
	secrets_fini(&keys);
}

/* Who waits to be in a list has an address of its own. */
static void router_listen(struct router *router)
{
	const struct shard_links *shards = &router->shards;
	const char *url = router->conf->link_listen;

	if (url[0] == '\0' && shards->self == SHARD_LINKS_NOWHERE)
		fatal("routers = %s: %s is not in it, and link_listen is empty",
		      router->conf->routers, shards->name);
	if (url[0] == '\0')
		url = shards->map.all.items[shards->self].url;
	if (link_listen(router->link, url) != OK)
		fatal("link_listen: cannot listen on %s", url);
}

static void on_count(void *owner)
{
	struct router *router = owner;

	router_count(router);
	router->metrics.redis.password_fingerprint =
		link_fingerprint(router->link, &router->redis_secrets.password);
}

static const char *why_not_ready(void *owner)
{
	const struct router *router = owner;

	if (proc_is_draining(router->proc))
		return "draining\n";
	if (router->shards.was_in && router->shards.self == SHARD_LINKS_NOWHERE)
		return "left\n";
	return router->rebuild.is_done ? NULL : "rebuilding\n";
}

static void router_status(struct proc *proc, void *state, struct proc_status *status)
{
	const struct router *router = state;

	(void)proc; /* router->proc */
	status->not_ready = why_not_ready(state);
	status->connections = (int64_t)router->conns.count - router->metrics.standbys;
}

static void router_open_health(struct router *router)
{
	const struct health_options options = {
		.address = router->conf->admin_listen,
		.metrics = &router_metrics_table,
		.values = &router->metrics,
		.count = on_count,
		.why_not_ready = why_not_ready,
		.owner = router,
	};

	router->health = health_open(router->loop, &options);
}

static void on_drain_timer(struct timer *timer);

static void router_init_tables(struct router *router)
{
	const uint64_t seed = crypto_random_uint64();

	list_init(&router->gateways);
	group_table_init(&router->groups, seed);
	map_init(&router->conns, seed);
	map_init(&router->going, seed);
	claims_init(&router->claims, seed);
	passes_init(&router->passes, seed);
	state_owner_init(router, seed);
	state_move_init(router);
	state_change_init(router, seed);
	asks_init(&router->asks, router->loop, crypto_random_uint64());
	commands_init(&router->commands);
	rebuild_init(&router->rebuild, router);
	reshard_init(router);
	backlog_init(&router->backlog, router);
	presence_init(router);
	watch_init(&router->watch);
	timer_init(&router->drain_timer, on_drain_timer);
}

void router_init(struct router *router, struct loop *loop, const struct router_conf *conf,
		 const char *name)
{
	router->loop = loop;
	router->conf = conf;
	shard_links_init(router, conf->routers, name);
	router_init_tables(router);
	router->hubs = hub_runtime_new(router, conf->hubs);
}

static void *router_start(struct proc *proc)
{
	struct router *router = MEM_NEW(struct router);

	router->proc = proc;
	proc_count_reloads(proc, &router->metrics.reload);
	router_init(router, proc_loop(proc), proc_conf(proc), proc_name(proc));
	router_open_link(router);
	router_listen(router);
	shard_links_open(router);
	replicas_open(&router->presence, router->link, router_name(router),
		      router->conf->presence);
	router_open_redis(router);
	router_open_health(router);
	proc_ready(proc, "link=%s admin=%s", link_listen_url(router->link),
		   health_address(router->health));
	return router;
}

static bool router_reload(struct proc *proc, void *state)
{
	struct router *router = state;
	bool is_good = link_reload_keys(router->link, router->conf->link.key_file) == OK;

	(void)proc; /* router->proc */
	router->metrics.reload.secret_failed_total += !is_good;
	is_good = router_reload_redis(router) && is_good;
	hub_runtime_reload(router->hubs);
	return is_good;
}

/* ---- drain and stop */

/* The gateways go on without us and replay to whoever takes our place; what is under way
 * here is finished first. */
static void on_drain_timer(struct timer *timer)
{
	struct router *router = CONTAINER_OF(timer, struct router, drain_timer);

	if (hub_runtime_is_idle(router->hubs))
		proc_drained(router->proc);
	else
		loop_timer_start(router->loop, timer, DRAIN_CHECK_MS);
}

static void router_drain(struct proc *proc, void *state)
{
	struct router *router = state;

	(void)proc; /* router->proc */
	hub_runtime_drain(router->hubs);
	loop_timer_start(router->loop, &router->drain_timer, 0);
}

static void router_stop(struct proc *proc, void *state)
{
	struct router *router = state;

	(void)proc; /* router->proc */
	health_close(router->health);
	replicas_fini(&router->presence);
	watch_fini(&router->watch);
	loop_timer_stop(router->loop, &router->drain_timer);
	hub_runtime_free(router->hubs);
	state_change_stop(router);
	hub_redis_free(router->hub_redis);
	state_redis_free(router->redis);
	redis_secrets_fini(&router->redis_secrets);
	commands_cancel(router);
	LIST_EACH (node, &router->gateways) {
		struct router_gateway *gateway =
			CONTAINER_OF(node, struct router_gateway, node);

		group_remove_gateway(&router->groups, &gateway->members);
		claims_on_gateway_lost(router, gateway);
		link_peer_set_owner(gateway->peer, NULL);
		reshard_gateway_fini(gateway);
		handovers_fini(gateway);
		mem_free(gateway);
	}
	reshard_stop(router);
	link_free(router->link);
	rebuild_fini(&router->rebuild);
	backlog_fini(&router->backlog);
	asks_fini(&router->asks);
	state_change_fini(router);
	state_move_fini(router);
	state_owner_fini(router);
	group_table_fini(&router->groups);
	map_fini(&router->conns);
	map_fini(&router->going);
	claims_fini(&router->claims);
	passes_fini(&router->passes);
	shard_links_fini(router);
	mem_free(router);
}

const struct proc_ops router_proc_ops = {
	.conf = &router_conf_table,
	.conf_bytes = sizeof(struct router_conf),
	.metrics = &router_metrics_table,
	.start = router_start,
	.reload = router_reload,
	.status = router_status,
	.drain = router_drain,
	.stop = router_stop,
};
