/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Presence's life: start (store, listener for gateways and routers, admin API), drain,
 * stop.
 */
#include "presence/presence.h"

#include "presence/on_peer.h"
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
	struct buf key = BUF_INIT;
	struct link_options options = {
		.role = LINK__ROLE__ROLE_PRESENCE,
		.accepts = 1u << LINK__ROLE__ROLE_GATEWAY | 1u << LINK__ROLE__ROLE_ROUTER,
		.name = proc_name(presence->proc),
		.incarnation = proc_incarnation(presence->proc),
		.window_bytes_max = conf->link.window_bytes_max,
		.ping_interval_ms = conf->link.ping_interval_ms,
		.stream_timeout_ms = conf->link.stream_timeout_ms,
		.peer_timeout_ms = conf->link.lease_ms,
		.ops = &presence_link_ops,
		.owner = presence,
		.stats = &presence->metrics.link,
	};
	enum err rc;

	secret_read("link_key_file", conf->link.key_file, &key);
	options.key = buf_slice(&key);
	presence->link = link_new(presence->loop, &options);
	secret_fini(&key);
	rc = link_listen(presence->link, conf->link_listen);
	if (rc == ERR_UNSUPPORTED)
		fatal("link_listen = %s: expected tcp://host:port or ipc://path",
		      conf->link_listen);
	if (rc != OK)
		fatal("link_listen = %s: cannot listen: %s", conf->link_listen,
		      err_text(rc));
}

static void *presence_start(struct proc *proc)
{
	struct presence *presence = MEM_NEW(struct presence);
	struct loop *loop = proc_loop(proc);

	presence->proc = proc;
	presence->loop = loop;
	presence->conf = proc_conf(proc);
	presence->started_ms = loop_now_ms(loop);
	/* Microseconds: no earlier life can have come further. */
	presence->store = store_memory_new((size_t)presence->conf->sessions_max,
					   (uint64_t)loop_unix_ms(loop) * 1000,
					   crypto_random_uint64());
	processes_init(&presence->processes, presence);
	topology_init(&presence->topology, presence, presence->conf->link.lease_ms);
	presence_open_link(presence);
	presence->admin = admin_open(presence);
	proc_ready(proc, "link=%s admin=%s", link_listen_url(presence->link),
		   admin_address(presence->admin));
	return presence;
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
	topology_fini(&presence->topology);
	processes_fini(&presence->processes);
	link_free(presence->link);
	presence->store->ops->free(presence->store);
	mem_free(presence);
}

const struct proc_ops presence_proc_ops = {
	.conf = &presence_conf_table,
	.conf_bytes = sizeof(struct presence_conf),
	.start = presence_start,
	.drain = presence_drain,
	.stop = presence_stop,
};
