/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Every option, its range and its default; docs/OPERATING.md tells how to choose.
 */
#include "router/conf.h"

#include "router/hub_conf.h"

#define FIELD(name) offsetof(struct router_conf, name)

static const struct conf_option options[] = {
	PROC_CONF_OPTIONS("r1"),
	LINK_CONF_OPTIONS(struct router_conf, link),
	{ "routers", CONF_STRING, FIELD(routers), "", 0, 65536, NULL,
	  "All router shards: "
	  "r1=tcp://10.0.0.1:7000,r2=tcp://10.0.0.2:7000.",
	  false },
	{ "link_listen", CONF_STRING, FIELD(link_listen), "", 0, 1024, NULL,
	  "Where peers connect. Empty: this shard's address in the list of routers.",
	  false },
	{ "presence", CONF_STRING, FIELD(presence), "", 0, 65536, NULL,
	  "The replicas of presence: p1=tcp://10.0.0.3:7100,p2=tcp://10.0.0.4:7100. "
	  "Empty: none.",
	  false },
	{ "admin_listen", CONF_STRING, FIELD(admin_listen), "", 0, 255, NULL,
	  "Where /healthz, /readyz and /metrics are, address:port. Empty: nowhere.",
	  false },
	{ "hubs", CONF_STRING, FIELD(hubs), "chat,notifications,collaboration,livedata",
	  1, 4096, NULL, "The hubs that are served.", false },
	{ "hub_module", CONF_STRING, FIELD(hub_module), "", 0, 65536, NULL,
	  "Files with hubs of yours: ./poll.so,./game.so.", false },
	{ "detailed_errors", CONF_BOOL, FIELD(is_detailed), "off", 0, 0, NULL,
	  "Tell clients what went wrong inside; for development.", true },
	{ "hub_calls_max", CONF_INT, FIELD(hub_calls_max), "4096", 1, 30000, NULL,
	  "Hub methods that may be under way at once; more are refused.", false },
	{ "user_calls_max", CONF_INT, FIELD(user_calls_max), "16384", 1, 1000000, NULL,
	  "Calls of hubs' on_user_online and on_user_offline that wait or are under way; "
	  "more are left out.",
	  true },
	{ "hub_await_timeout", CONF_MS, FIELD(hub_await_timeout_ms), "10s", 10, 600000,
	  NULL, "How long a hub method waits for one answer.", true },
	{ "hub_slow", CONF_MS, FIELD(hub_slow_ms), "10ms", 1, 60000, NULL,
	  "A hub method that runs longer without awaiting is logged and counted.", true },
	{ "connection_calls_max", CONF_INT, FIELD(conn_calls_max), "1024", 1, 65536, NULL,
	  "Invocations of one connection that may wait; more are refused.", true },
	{ "connection_items_bytes_max", CONF_BYTES, FIELD(connection_items_bytes_max),
	  "16KiB", 0, 1048576, NULL,
	  "What a hub may keep of one connection; more is refused.", true },
	{ "invocations_parallel_max", CONF_INT, FIELD(invocations_parallel_max), "1", 1,
	  HUB_INVOCATIONS_PARALLEL_MAX, NULL,
	  "Methods of one client that run at the same time.", true },
	{ "client_result_timeout", CONF_MS, FIELD(client_result_timeout_ms), "30s", 10,
	  600000, NULL, "How long a hub method waits for a client's result.", true },
	{ "ack", CONF_ENUM, FIELD(ack), "gateways", 0, 0, hub_ack_names,
	  "Who has a call's sends when it completes: all gateways with receivers, or the "
	  "shards that own the keys.",
	  true },
	{ "claims_max", CONF_INT, FIELD(claims_max), "1000000", 1, 100000000, NULL,
	  "Connections of this shard whose clients' requests may come in at any gateway; "
	  "more are refused.",
	  true },
	{ "passes_max", CONF_INT, FIELD(passes_max), "1000000", 1, 100000000, NULL,
	  "Requests and tunnels under way between two gateways; more are refused.",
	  true },
	{ "rebuild_wait", CONF_MS, FIELD(rebuild_wait_ms), "1s", 0, 60000, NULL,
	  "After a start, how long sends wait for gateways when presence cannot name "
	  "them.",
	  false },
	{ "rebuild_timeout", CONF_MS, FIELD(rebuild_timeout_ms), "5s", 0, 60000, NULL,
	  "After a start, how long sends wait for the gateways that presence names.",
	  false },
	{ "shards_hold_bytes_max", CONF_BYTES, FIELD(shards_hold_bytes_max), "16MiB",
	  65536, 1073741824, NULL,
	  "What may wait while routers are added or removed; more is refused.", false },
	{ "rebuild_bytes_max", CONF_BYTES, FIELD(rebuild_bytes_max), "16MiB", 65536,
	  1073741824, NULL, "What may wait meanwhile; more is refused.", false },
	REDIS_CONF_OPTIONS(struct router_conf, redis, "hubs keep their state",
			   "To be the same at all routers, as redis_prefix is."),
	{ "state_keys_max", CONF_INT, FIELD(state_keys_max), "10000", 1, 10000000, NULL,
	  "Logs and sets of fields of hubs kept in memory; past it the least recently "
	  "used goes.",
	  false },
	{ "state_bytes_max", CONF_BYTES, FIELD(state_bytes_max), "64MiB", 65536,
	  17179869184, NULL,
	  "Bytes of hub state kept in memory; past it the least recently used goes.",
	  false },
	{ "state_waits_max", CONF_INT, FIELD(state_waits_max), "65536", 1, 10000000, NULL,
	  "Hub methods of all routers that wait for state of this shard to change; more "
	  "are "
	  "refused.",
	  false },
};

static const char *problem(const void *values)
{
	const struct router_conf *conf = values;
	const char *of_redis = redis_conf_problem(&conf->redis);

	if (of_redis[0] != '\0')
		return of_redis;
	return link_conf_problem(conf->proc.name, &conf->link, conf->presence);
}

const struct conf_table router_conf_table = {
	.program = "heliograph-router",
	.summary = "A shard of a Heliograph cluster: owns groups and users, runs hubs.",
	.flags = PROC_FLAGS,
	.options = options,
	.n = sizeof(options) / sizeof(options[0]),
	.scope = &hub_conf_scope,
	.problem = problem,
};
