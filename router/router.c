/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A router's life: start (tables, links to all routers and presence, the listener for
 * gateways), lease, drain, stop.
 */
#include "router/router.h"

#include "proto/base/crypto.h"
#include "proto/base/log.h"
#include "proto/base/mem.h"
#include "proto/base/secret.h"
#include "router/hub_runtime.h"
#include "router/on_peer.h"

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
	return slice_from_str(router->shards.items[router->self].name);
}

void router_resync(struct router_gateway *gateway)
{
	log_warn("gateway.resync", "gateway=%s", link_peer_name(gateway->peer));
	router_of(gateway->peer)->metrics.gateway_resync_total++;
	link_peer_reset(gateway->peer);
}

/* Gauges that follow from the tables. */
static void router_count(struct router *router)
{
	struct router_metrics *metrics = &router->metrics;

	metrics->connections = (int64_t)router->conns.count;
	metrics->groups = (int64_t)router->groups.groups.count;
	metrics->members = (int64_t)router->groups.members.count;
	metrics->journal_keys = (int64_t)router->journal.lists.count;
	metrics->journal_bytes = (int64_t)router->journal.bytes;
	metrics->journal_evicted_total = router->journal.evicted_total;
}

/* ---- lease */

void router_lease(struct router *router)
{
	const struct link_conf *conf = &router->conf->link;
	Link__Lease lease = LINK__LEASE__INIT;

	if (router->presence == NULL)
		return;
	router_count(router);
	lease.lease_ms = conf->lease_ms;
	lease.connections = router->metrics.connections;
	if (link_peer_is_up(router->presence) &&
	    link_send_lease(router->presence, &lease, NULL) != OK)
		router->metrics.lease_refused_total++;
	loop_timer_start(router->loop, &router->lease_timer, conf->lease_ms / 3);
}

static void on_lease_timer(struct timer *timer)
{
	router_lease(CONTAINER_OF(timer, struct router, lease_timer));
}

/* ---- start */

static void router_open_link(struct router *router)
{
	const struct router_conf *conf = router->conf;
	struct buf key = BUF_INIT;
	struct link_options options = {
		.role = LINK__ROLE__ROLE_ROUTER,
		.accepts = 1u << LINK__ROLE__ROLE_GATEWAY,
		.name = proc_name(router->proc),
		.incarnation = proc_incarnation(router->proc),
		.window_bytes_max = conf->link.window_bytes_max,
		.ping_interval_ms = conf->link.ping_interval_ms,
		.stream_timeout_ms = conf->link.stream_timeout_ms,
		.peer_timeout_ms = conf->link.lease_ms,
		.ops = &router_link_ops,
		.owner = router,
		.stats = &router->metrics.link,
	};

	secret_read("link_key_file", conf->link.key_file, &key);
	options.key = buf_slice(&key);
	router->link = link_new(router->loop, &options);
	secret_fini(&key);
}

static void router_listen(struct router *router)
{
	const char *own = router->shards.items[router->self].url;
	const char *url =
		router->conf->link_listen[0] != '\0' ? router->conf->link_listen : own;

	if (link_listen(router->link, url) != OK)
		fatal("link_listen: cannot listen on %s", url);
}

/* Of two routers the one whose name comes first dials. */
static void router_open_shards(struct router *router)
{
	struct shards *shards = &router->shards;

	router->shard_peers = mem_zalloc(shards->n * sizeof(struct link_peer *));
	for (size_t i = 0; i < shards->n; i++) {
		const struct shard *shard = &shards->items[i];

		if (i < router->self)
			router->shard_peers[i] = link_expect(
				router->link, LINK__ROLE__ROLE_ROUTER, shard->name);
		else if (i > router->self)
			router->shard_peers[i] =
				link_dial(router->link, LINK__ROLE__ROLE_ROUTER,
					  shard->name, shard->url);
	}
}

static void router_open_presence(struct router *router)
{
	struct shards presence; /* a list of one */

	if (router->conf->presence[0] == '\0')
		return;
	if (shards_parse(&presence, router->conf->presence) != OK || presence.n != 1)
		fatal("presence = %s: not of the form name=url", router->conf->presence);
	router->presence = link_dial(router->link, LINK__ROLE__ROLE_PRESENCE,
				     presence.items[0].name, presence.items[0].url);
	shards_fini(&presence);
}

static void on_count(void *owner)
{
	router_count(owner);
}

static const char *why_not_ready(void *owner)
{
	const struct router *router = owner;

	if (proc_is_draining(router->proc))
		return "draining\n";
	return router->rebuild.is_done ? NULL : "rebuilding\n";
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
	const struct router_conf *conf = router->conf;
	const uint64_t seed = crypto_random_uint64();

	list_init(&router->gateways);
	group_table_init(&router->groups, seed);
	map_init(&router->conns, seed);
	journal_init(&router->journal, (size_t)conf->journal_keys_max,
		     (size_t)conf->journal_bytes_max, seed);
	asks_init(&router->asks, router->loop, crypto_random_uint64());
	rebuild_init(&router->rebuild, router);
	timer_init(&router->lease_timer, on_lease_timer);
	timer_init(&router->drain_timer, on_drain_timer);
}

void router_init(struct router *router, struct loop *loop, const struct router_conf *conf,
		 const char *name)
{
	ptrdiff_t self;

	router->loop = loop;
	router->conf = conf;
	if (shards_parse(&router->shards, conf->routers) != OK)
		fatal("routers = %s: not a list of name=url", conf->routers);
	self = shards_find(&router->shards, slice_from_str(name));
	if (self < 0)
		fatal("routers = %s: %s is not in it", conf->routers, name);
	router->self = (size_t)self;
	router_init_tables(router);
	router->hubs = hub_runtime_new(router, conf->hubs);
}

static void *router_start(struct proc *proc)
{
	struct router *router = MEM_NEW(struct router);

	router->proc = proc;
	router_init(router, proc_loop(proc), proc_conf(proc), proc_name(proc));
	router_open_link(router);
	router_listen(router);
	router_open_shards(router);
	router_open_presence(router);
	router_lease(router);
	router_open_health(router);
	proc_ready(proc, "link=%s admin=%s", link_listen_url(router->link),
		   health_address(router->health));
	return router;
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
	loop_timer_start(router->loop, &router->drain_timer, 0);
}

static void router_stop(struct proc *proc, void *state)
{
	struct router *router = state;

	(void)proc; /* router->proc */
	health_close(router->health);
	loop_timer_stop(router->loop, &router->lease_timer);
	loop_timer_stop(router->loop, &router->drain_timer);
	hub_runtime_free(router->hubs);
	LIST_EACH (node, &router->gateways) {
		struct router_gateway *gateway =
			CONTAINER_OF(node, struct router_gateway, node);

		group_remove_gateway(&router->groups, &gateway->members);
		link_peer_set_owner(gateway->peer, NULL);
		mem_free(gateway);
	}
	link_free(router->link);
	rebuild_fini(&router->rebuild);
	asks_fini(&router->asks);
	journal_fini(&router->journal);
	group_table_fini(&router->groups);
	map_fini(&router->conns);
	mem_free(router->shard_peers);
	shards_fini(&router->shards);
	mem_free(router);
}

const struct proc_ops router_proc_ops = {
	.conf = &router_conf_table,
	.conf_bytes = sizeof(struct router_conf),
	.start = router_start,
	.drain = router_drain,
	.stop = router_stop,
};
