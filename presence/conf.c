/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Every option, its range and its default; docs/OPERATING.md tells how to choose.
 */
#include "presence/conf.h"

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
	{ "admin_token_file", CONF_STRING, FIELD(admin_token_file), "", 0, 4096, NULL,
	  "The bearer token of the admin API. Empty: none is asked for, and admin_listen "
	  "must be "
	  "loopback.",
	  false },
	{ "sessions_max", CONF_INT, FIELD(sessions_max), "1000000", 1, 100000000, NULL,
	  "Connections that are kept; more are refused and counted.", false },
	{ "page_max", CONF_INT, FIELD(page_max), "1000", 1, 10000, NULL,
	  "Users or connections in one answer of the admin API.", false },
};
/* clang-format on */

static const char *problem(const void *values)
{
	const struct presence_conf *conf = values;

	return link_conf_problem(conf->proc.name, conf->link.ping_interval_ms,
				 conf->link.stream_timeout_ms);
}

const struct conf_table presence_conf_table = {
	.program = "heliograph-presence",
	.summary =
		"Knows who is online in a Heliograph cluster and which processes live.",
	.options = options,
	.n = sizeof(options) / sizeof(options[0]),
	.problem = problem,
};
