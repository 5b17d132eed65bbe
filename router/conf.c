/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Every option, its range and its default; docs/OPERATING.md tells how to choose.
 */
#include "router/conf.h"

#define FIELD(name) offsetof(struct router_conf, name)

static const struct conf_option options[] = {
	PROC_CONF_OPTIONS("r1"),
	LINK_CONF_OPTIONS(struct router_conf, link),
	{ "routers", CONF_STRING, FIELD(routers), "", 0, 65536, NULL,
	  "All router shards, this one included: "
	  "r1=tcp://10.0.0.1:7000,r2=tcp://10.0.0.2:7000.",
	  false },
	{ "link_listen", CONF_STRING, FIELD(link_listen), "", 0, 1024, NULL,
	  "Where peers connect. Empty: this shard's address in the list of routers.",
	  false },
	{ "presence", CONF_STRING, FIELD(presence), "", 0, 1024, NULL,
	  "The presence service, p1=tcp://10.0.0.3:7100. Empty: none.", false },
	{ "admin_listen", CONF_STRING, FIELD(admin_listen), "", 0, 255, NULL,
	  "Where /healthz, /readyz and /metrics are, address:port. Empty: nowhere.",
	  false },
	{ "hubs", CONF_STRING, FIELD(hubs), "relay,chat", 1, 4096, NULL,
	  "The hubs that are served.", false },
	{ "detailed_errors", CONF_BOOL, FIELD(is_detailed), "off", 0, 0, NULL,
	  "Tell clients what went wrong inside; for development.", true },
	{ "hub_calls_max", CONF_INT, FIELD(hub_calls_max), "4096", 1, 30000, NULL,
	  "Hub methods that may be under way at once; more are refused.", false },
	{ "hub_await_timeout", CONF_MS, FIELD(hub_await_timeout_ms), "10s", 10, 600000,
	  NULL, "How long a hub method waits for one answer.", true },
	{ "hub_slow", CONF_MS, FIELD(hub_slow_ms), "10ms", 1, 60000, NULL,
	  "A hub method that runs longer without awaiting is logged and counted.", true },
	{ "connection_calls_max", CONF_INT, FIELD(conn_calls_max), "1024", 1, 65536, NULL,
	  "Invocations of one connection that may wait; more are refused.", true },
	{ "rebuild_wait", CONF_MS, FIELD(rebuild_wait_ms), "1s", 0, 60000, NULL,
	  "After a start, how long sends wait for gateways when presence cannot name "
	  "them.",
	  false },
	{ "rebuild_timeout", CONF_MS, FIELD(rebuild_timeout_ms), "5s", 0, 60000, NULL,
	  "After a start, how long sends wait for the gateways that presence names.",
	  false },
	{ "rebuild_bytes_max", CONF_BYTES, FIELD(rebuild_bytes_max), "16MiB", 65536,
	  1073741824, NULL, "What may wait meanwhile; more is refused.", false },
	{ "journal_keys_max", CONF_INT, FIELD(journal_keys_max), "10000", 1, 10000000,
	  NULL,
	  "Lists of hub state kept in memory; past it the least recently used goes.",
	  false },
	{ "journal_bytes_max", CONF_BYTES, FIELD(journal_bytes_max), "64MiB", 65536,
	  17179869184, NULL,
	  "Bytes of hub state kept in memory; past it the least recently used goes.",
	  false },
};

static const char *problem(const void *values)
{
	const struct router_conf *conf = values;

	return link_conf_problem(conf->proc.name, conf->link.ping_interval_ms,
				 conf->link.stream_timeout_ms);
}

const struct conf_table router_conf_table = {
	.program = "heliograph-router",
	.summary = "A shard of a Heliograph cluster: owns groups and users, runs hubs.",
	.options = options,
	.n = sizeof(options) / sizeof(options[0]),
	.problem = problem,
};
