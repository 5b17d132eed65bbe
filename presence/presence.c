/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Presence's life: start (store, listener for gateways and routers, admin API), drain,
 * stop.
 */
#include "presence/presence.h"

#include "presence/on_peer.h"
#include "presence/store_choose.h"
#include "proto/base/crypto.h"
#include "proto/base/log.h"
#include "proto/base/mem.h"
#include "proto/base/secret.h"

struct presence *presence_of(const struct link_peer *peer)
{
	return link_owner(link_peer_link(peer));
}

static void presence_open_link(struct presence *presence)
{
	const struct presence_conf *conf = presence->conf;
	struct secrets keys = SECRETS_INIT;
	struct link_options options = {
		.role = LINK__ROLE__ROLE_PRESENCE,
		.accepts = 1u << LINK__ROLE__ROLE_GATEWAY | 1u << LINK__ROLE__ROLE_ROUTER,
		.name = proc_name(presence->proc),
		.incarnation = proc_incarnation(presence->proc),
		.window_bytes_max = conf->link.window_bytes_max,
		.ping_interval_ms = conf->link.ping_interval_ms,
		.stream_timeout_ms = conf->link.stream_timeout_ms,
		.peer_timeout_ms = conf->link.lease_ms,
		.version_max = (uint32_t)conf->link.version_max,
		.ops = &presence_link_ops,
		.owner = presence,
		.stats = &presence->metrics.link,
	};
	enum err rc;

	secrets_read(&keys, "link_key_file", conf->link.key_file);
	options.keys = &keys;
	presence->link = link_new(presence->loop, &options);
	secrets_fini(&keys);
	rc = link_listen(presence->link, conf->link_listen);
	if (rc == ERR_UNSUPPORTED)
		fatal("link_listen = %s: expected tcp://host:port or ipc://path",
		      conf->link_listen);
	if (rc != OK)
		fatal("link_listen = %s: cannot listen: %s", conf->link_listen,
		      err_text(rc));
}

/* ---- the store */

/* Each gateway whose home we are tells everything again. */
static void on_store_lost(void *owner)
{
	struct presence *presence = owner;

	log_warn("store.lost", "gateways=%zu",
		 leases_count(&presence->processes.leases, LINK__ROLE__ROLE_GATEWAY));
	upkeep_lost(&presence->upkeep);
	homes_reset_all(&presence->homes);
}

static void on_store_event(void *owner, const struct store_event *event)
{
	struct presence *presence = owner;

	feed_on_event(&presence->feed, event);
}

static void presence_open_store(struct presence *presence)
{
	presence->store = store_choose(presence);
	presence->store->watcher = (struct store_watcher){
		.on_event = on_store_event,
		.on_lost = on_store_lost,
		.owner = presence,
	};
}

/* ---- life */

static void *presence_start(struct proc *proc)
{
	struct presence *presence = MEM_NEW(struct presence);
	struct loop *loop = proc_loop(proc);

	presence->proc = proc;
	presence->loop = loop;
	presence->conf = proc_conf(proc);
	presence->started_ms = loop_now_ms(loop);
	proc_count_reloads(proc, &presence->metrics.reload);
	presence_open_store(presence);
	processes_init(&presence->processes, presence);
	homes_init(&presence->homes, presence);
	feed_init(&presence->feed, presence);
	upkeep_init(&presence->upkeep, presence, presence->conf->redis.url[0] != '\0');
	topology_init(&presence->topology, presence, presence->conf->link.lease_ms);
	resharding_init(&presence->resharding, presence);
	commands_init(&presence->commands, crypto_random_uint64());
	trend_init(&presence->trend, presence);
	presence_open_link(presence);
	presence->admin = admin_open(presence);
	proc_ready(proc, "link=%s admin=%s", link_listen_url(presence->link),
		   admin_address(presence->admin));
	return presence;
}

static bool presence_reload(struct proc *proc, void *state)
{
	struct presence *presence = state;
	bool is_good =
		link_reload_keys(presence->link, presence->conf->link.key_file) == OK;

	(void)proc; /* presence->proc */
	presence->metrics.reload.secret_failed_total += !is_good;
	is_good = store_choose_reload(presence) && is_good;
	is_good = admin_reload(presence->admin) && is_good;
	resharding_reload(&presence->resharding);
	return is_good;
}

/* Nothing is under way that anyone would miss: the others tell the next one everything.
 */
static void presence_drain(struct proc *proc, void *state)
{
	(void)state; /* nothing in it has to be finished */
	proc_drained(proc);
}

static void presence_stop(struct proc *proc, void *state)
{
	struct presence *presence = state;

	(void)proc; /* presence->proc */
	admin_close(presence->admin);
	commands_fini(presence);
	trend_fini(&presence->trend);
	upkeep_fini(&presence->upkeep);
	topology_fini(&presence->topology);
	homes_fini(&presence->homes);
	processes_fini(&presence->processes);
	resharding_fini(&presence->resharding);
	feed_fini(&presence->feed);
	link_free(presence->link);
	presence->store->ops->free(presence->store);
	redis_secrets_fini(&presence->redis_secrets);
	mem_free(presence);
}

const struct proc_ops presence_proc_ops = {
	.conf = &presence_conf_table,
	.conf_bytes = sizeof(struct presence_conf),
	.metrics = &presence_metrics_table,
	.start = presence_start,
	.reload = presence_reload,
	.drain = presence_drain,
	.stop = presence_stop,
};
