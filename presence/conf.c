/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Every option, its range and its default; docs/OPERATING.md tells how to choose.
 */
#include "presence/conf.h"

#include "proto/link/shard_map.h"

#define FIELD(name) offsetof(struct presence_conf, name)

/* clang-format off: it would give each field of a row a line */
static const struct conf_option options[] = {
	PROC_CONF_OPTIONS("p1"),
	LINK_CONF_OPTIONS(struct presence_conf, link),
	{ "link_listen", CONF_STRING, FIELD(link_listen), "tcp://127.0.0.1:7100", 1, 1024,
	  NULL, "Where gateways and routers connect.", false },
	{ "admin_listen", CONF_STRING, FIELD(admin_listen), "127.0.0.1:8090", 0, 255,
	  NULL,
	  "Where the admin API, /healthz, /readyz and /metrics are, address:port. Empty: "
	  "nowhere.",
	  false },
	{ "admin_token_file", CONF_FILE, FIELD(admin_token_file), "", 0, 4096, NULL,
	  "The bearer tokens of the admin API, a line each; SIGHUP reads them "
	  "again. "
	  "Empty: none will do, and without admin_tls_client_ca none is needed, but "
	  "admin_listen must be loopback.",
	  true },
	{ "admin_tls_cert", CONF_FILE, FIELD(admin_tls_cert), "", 0, 4096, NULL,
	  "PEM file of the admin listener's TLS certificate and its chain; SIGHUP reads "
	  "it "
	  "again. Empty: no TLS.",
	  false },
	{ "admin_tls_key", CONF_FILE, FIELD(admin_tls_key), "", 0, 4096, NULL,
	  "PEM file of its key, which only its owner may read.", false },
	{ "admin_tls_client_ca", CONF_FILE, FIELD(admin_tls_client_ca), "", 0, 4096, NULL,
	  "PEM file of authorities whose client certificates may use the admin API "
	  "without "
	  "a token. Empty: none.",
	  false },
	{ "admin_body_max", CONF_BYTES, FIELD(admin_body_max), "256KiB", 1024, 2097152,
	  NULL, "The body of a request to the admin API; a larger one is answered 413.",
	  false },
	{ "events_watchers_max", CONF_INT, FIELD(events_watchers_max), "100", 0, 10000,
	  NULL, "Clients of /api/v1/events at a time; more are answered 503.", true },
	{ "events_queue_max", CONF_BYTES, FIELD(events_queue_max), "1MiB", 4096, 67108864,
	  NULL,
	  "What may wait for one of them; past it the store remembers for it until that "
	  "is "
	  "written.",
	  true },
	{ "sessions_max", CONF_INT, FIELD(sessions_max), "1000000", 1, 100000000, NULL,
	  "Connections that are kept; more are refused and counted.", false },
	REDIS_CONF_OPTIONS(struct presence_conf, redis, "presence keeps who is here",
			   "Replicas share one."),
	{ "redis_queue_max", CONF_INT, FIELD(redis_queue_max), "100000", 1, 10000000,
	  NULL,
	  "Changes that wait while Redis is away; one more, and gateways tell everything "
	  "when it is back.",
	  false },
	{ "offline_grace", CONF_MS, FIELD(offline_grace_ms), "0", 0, 3600000, NULL,
	  "How long a user stays online whose last connection has closed: for those who "
	  "load a page again.",
	  false },
	{ "events_max", CONF_INT, FIELD(events_max), "10000", 1, 1000000, NULL,
	  "Changes of who is online that are kept for those who ask late.", false },
	{ "page_max", CONF_INT, FIELD(page_max), "1000", 1, 10000, NULL,
	  "Users or connections in one answer of the admin API.", false },
	{ "commands_max", CONF_INT, FIELD(commands_max), "1024", 1, 65536, NULL,
	  "Questions of the admin API to gateways and routers that may be under way; "
	  "more "
	  "are refused.",
	  true },
	{ "command_timeout", CONF_MS, FIELD(command_timeout_ms), "5s", 10, 60000, NULL,
	  "How long the admin API waits for an answer of a gateway or router.", true },
	{ "routers", CONF_STRING, FIELD(routers), "", 0, SHARD_MAP_TEXT_MAX, NULL,
	  "The routers that there are to be, as at gateways: SIGHUP adds and removes "
	  "them "
	  "while all goes on. Empty: the admin API does. To be the same at all replicas.",
	  true },
	{ "reshard_timeout", CONF_MS, FIELD(reshard_timeout_ms), "2m", 1000, 86400000,
	  NULL,
	  "How long other routers may be prepared for before it is given up; it is begun "
	  "again after as long.",
	  true },
};
/* clang-format on */

static bool routers_are_good(const char *routers)
{
	struct shard_map map;
	const bool is_good = shard_map_init(&map, routers) == OK;

	shard_map_fini(&map);
	return is_good;
}

static const char *problem(const void *values)
{
	const struct presence_conf *conf = values;
	const char *of_redis = redis_conf_problem(&conf->redis);

	if (conf->admin_tls_cert[0] != '\0' && conf->admin_tls_key[0] == '\0')
		return "admin_tls_key: needed with admin_tls_cert";
	if (conf->admin_tls_key[0] != '\0' && conf->admin_tls_cert[0] == '\0')
		return "admin_tls_cert: needed with admin_tls_key";
	if (conf->admin_tls_client_ca[0] != '\0' && conf->admin_tls_cert[0] == '\0')
		return "admin_tls_cert: needed with admin_tls_client_ca";
	if (of_redis[0] != '\0')
		return of_redis;
	if (!routers_are_good(conf->routers))
		return "routers: name=url, name=url, ... is expected, each name once";
	return link_conf_problem(conf->proc.name, &conf->link, "");
}

const struct conf_table presence_conf_table = {
	.program = "heliograph-presence",
	.summary =
		"Knows who is online in a Heliograph cluster and which processes live.",
	.flags = PROC_FLAGS "  ctl --help\n      Ask a presence's admin API instead.\n",
	.options = options,
	.n = sizeof(options) / sizeof(options[0]),
	.problem = problem,
};
