/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The table of the gateway's options and the checks that need more than one option or
 * more than a range.
 */
#include "gateway/conf.h"

#include <assert.h>
#include <string.h>

#include "proto/link/link_conf.h"

#define FIELD(name) offsetof(struct gateway_conf, name)
#define KiB 1024
#define MiB (1024 * 1024)
#define HOUR_MS 3600000
/* A worker is called name.index. */
#define NAME_MAX_WORKERS 60
/* All the groups of a connection go into one message of a replay; each takes a few bytes
 * more than its name. */
#define GROUPS_BYTES_MAX (2 * MiB)
#define GROUP_HEAD_BYTES_MAX 4

static const struct conf_option options[] = {
	PROC_CONF_OPTIONS("g1"),
	LINK_CONF_OPTIONS(struct gateway_conf, link),
	{ "listen", CONF_STRING, FIELD(listen), "127.0.0.1:8080", 3, 255, NULL,
	  "Where clients connect, address:port; port 0: the kernel chooses.", false },
	{ "admin_listen", CONF_STRING, FIELD(admin_listen), "", 0, 255, NULL,
	  "Where /healthz, /readyz and /metrics are; worker i adds i to the port. Empty: "
	  "nowhere.",
	  false },
	{ "workers", CONF_INT, FIELD(workers), "1", 1, 256, NULL,
	  "Processes that share the client port, one a core.", false },
	{ "routers", CONF_STRING, FIELD(routers), "", 0, 65536, NULL,
	  "The router shards: r1=tcp://10.0.0.1:7000,r2=tcp://10.0.0.2:7000.", false },
	{ "presence", CONF_STRING, FIELD(presence), "", 0, 1024, NULL,
	  "The presence service, p1=tcp://10.0.0.3:7100. Empty: none.", false },
	{ "token_key_file", CONF_STRING, FIELD(token_key_file), "", 0, 4096, NULL,
	  "The secret that signs connection tokens; the same at all gateways. Empty: "
	  "random, "
	  "for a gateway alone.",
	  false },
	{ "auth_key_file", CONF_STRING, FIELD(auth_key_file), "", 0, 4096, NULL,
	  "The HS256 secret of the clients' JWTs. Empty: every token is refused, in dev "
	  "mode "
	  "random.",
	  false },
	{ "hubs", CONF_STRING, FIELD(hubs), "relay,chat", 1, 4096, NULL,
	  "The hubs that are served, under /hubs/<name>.", false },
	{ "dev", CONF_BOOL, FIELD(is_dev), "off", 0, 0, NULL,
	  "Serve POST /dev/token, which gives anybody any identity; on loopback only.",
	  false },
	{ "demo_dir", CONF_STRING, FIELD(demo_dir), "", 0, 4096, NULL,
	  "Folder of static files served at /. Empty: none.", false },
	{ "connections_max", CONF_INT, FIELD(connections_max), "16000", 1, 1000000, NULL,
	  "Connections of one worker; more are answered 503.", true },
	{ "message_bytes_max", CONF_BYTES, FIELD(message_bytes_max), "32KiB", KiB,
	  GATEWAY_MESSAGE_BYTES_MAX, NULL,
	  "One hub message of a client; a longer one closes it.", true },
	{ "queue_bytes_max", CONF_BYTES, FIELD(queue_bytes_max), "1MiB", 64 * KiB,
	  256 * MiB, NULL, "What may wait for one client; more closes it as slow.",
	  true },
	{ "invocations_max", CONF_INT, FIELD(invocations_max), "256", 1, 65536, NULL,
	  "Invocations of one client in flight; at the limit its reading stops.", true },
	{ "groups_per_connection_max", CONF_INT, FIELD(groups_per_connection_max), "1000",
	  1, 1000000, NULL, "Groups one connection may be in; joining more fails.",
	  true },
	{ "group_name_bytes_max", CONF_BYTES, FIELD(group_name_bytes_max), "1KiB", 1,
	  64 * KiB, NULL, "Length of a group's name; joining a longer one fails.", true },
	{ "invocation_id_bytes_max", CONF_BYTES, FIELD(invocation_id_bytes_max), "256", 1,
	  4 * KiB, NULL,
	  "Length of an invocation id; a longer one closes the connection.", true },
	{ "keepalive_interval", CONF_MS, FIELD(keepalive_interval_ms), "15s", 50, HOUR_MS,
	  NULL, "A client that was sent nothing for this long is sent a Ping.", true },
	{ "client_timeout", CONF_MS, FIELD(client_timeout_ms), "30s", 50, HOUR_MS, NULL,
	  "A client that pings is gone after this much silence.", true },
	{ "handshake_timeout", CONF_MS, FIELD(handshake_timeout_ms), "15s", 50, HOUR_MS,
	  NULL, "From the opening of a connection to its hub handshake.", true },
	{ "disconnect_timeout", CONF_MS, FIELD(disconnect_timeout_ms), "15s", 50, HOUR_MS,
	  NULL, "How long a negotiated connection token may be used.", true },
	{ "close_timeout", CONF_MS, FIELD(close_timeout_ms), "5s", 50, HOUR_MS, NULL,
	  "Wait for the client's side of a close.", false },
	{ "send_timeout", CONF_MS, FIELD(send_timeout_ms), "10s", 50, HOUR_MS, NULL,
	  "A client that takes nothing for this long is closed as slow.", false },
	{ "head_timeout", CONF_MS, FIELD(head_timeout_ms), "10s", 50, HOUR_MS, NULL,
	  "To a whole HTTP request head.", false },
	{ "body_timeout", CONF_MS, FIELD(body_timeout_ms), "10s", 50, HOUR_MS, NULL,
	  "To a whole HTTP request body, and for each step of a slow answer.", false },
	{ "idle_timeout", CONF_MS, FIELD(idle_timeout_ms), "60s", 50, HOUR_MS, NULL,
	  "Between two HTTP requests.", false },
	{ "detailed_errors", CONF_BOOL, FIELD(is_detailed), "off", 0, 0, NULL,
	  "Tell clients the reason of an error, not only that there was one.", true },
};

static const char *problem(const void *values)
{
	return gateway_conf_problem(values);
}

const struct conf_table gateway_conf_table = {
	.program = "heliograph-gateway",
	.summary = "Holds SignalR clients and joins them to the routers of a Heliograph "
		   "cluster.",
	.options = options,
	.n = sizeof(options) / sizeof(options[0]),
	.problem = problem,
};

enum err gateway_conf_address(const char *address, struct slice *host, uint16_t *port)
{
	const char *colon;
	int64_t number;

	assert(address && host && port);
	colon = strrchr(address, ':');
	if (!colon || colon == address)
		return ERR_ARGUMENT;
	if (slice_to_int64(slice_from_str(colon + 1), &number) || number < 0 ||
	    number > UINT16_MAX)
		return ERR_ARGUMENT;
	*host = slice_make(address, (size_t)(colon - address));
	*port = (uint16_t)number;
	return OK;
}

void gateway_conf_address_print(struct buf *out, struct slice host, int64_t port)
{
	buf_append_slice(out, host);
	buf_append_byte(out, ':');
	buf_append_int64(out, port);
	buf_append_byte(out, '\0');
}

bool gateway_conf_is_loopback(const char *address)
{
	struct slice host;
	uint16_t port;

	if (gateway_conf_address(address, &host, &port))
		return false;
	return slice_starts_with(host, SLICE("127.")) ||
	       slice_equal(host, SLICE("[::1]")) ||
	       slice_equal_nocase(host, SLICE("localhost"));
}

const char *gateway_conf_problem(const struct gateway_conf *conf)
{
	struct slice host;
	uint16_t port;

	assert(conf);
	if (gateway_conf_address(conf->listen, &host, &port))
		return "listen: expected address:port";
	if (conf->admin_listen[0] != '\0') {
		if (gateway_conf_address(conf->admin_listen, &host, &port))
			return "admin_listen: expected address:port";
		if (port != 0 && port + conf->workers - 1 > UINT16_MAX)
			return "admin_listen: no room above the port for all workers";
	}
	if (conf->workers > 1 && strlen(conf->proc.name) > NAME_MAX_WORKERS)
		return "name: too long for the workers to append theirs";
	if (conf->is_dev && !gateway_conf_is_loopback(conf->listen))
		return "dev: with a listen address beyond loopback anybody could be "
		       "anyone";
	if (conf->routers[0] == '\0')
		return "routers: at least one is needed";
	if (conf->link.key_file[0] == '\0')
		return "link_key_file: needed";
	if (conf->groups_per_connection_max *
		    (conf->group_name_bytes_max + GROUP_HEAD_BYTES_MAX) >
	    GROUPS_BYTES_MAX)
		return "group_name_bytes_max: times groups_per_connection_max, more than "
		       "the 2MiB that a router can be told of one connection";
	if (conf->keepalive_interval_ms >= conf->client_timeout_ms)
		return "client_timeout: must be longer than keepalive_interval";
	return link_conf_problem(conf->proc.name, conf->link.ping_interval_ms,
				 conf->link.stream_timeout_ms);
}
