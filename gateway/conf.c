/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The table of the gateway's options and the checks that need more than one option or
 * more than a range.
 */
#include "gateway/conf.h"

#include <assert.h>
#include <string.h>

#include "gateway/address.h"
#include "gateway/cors.h"
#include "gateway/hub_conf.h"
#include "proto/link/link_conf.h"

#define FIELD(name) offsetof(struct gateway_conf, name)
#define KiB 1024
#define MiB (1024 * 1024)
#define HOUR_MS 3600000
#define MEMORY_BYTES_MIN (16 * MiB)
#define RATE_MAX 1000000000 /* of the options that are a number in a time */
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
	{ "presence", CONF_STRING, FIELD(presence), "", 0, 65536, NULL,
	  "The replicas of presence: p1=tcp://10.0.0.3:7100,p2=tcp://10.0.0.4:7100. "
	  "Empty: none.",
	  false },
	{ "token_key_file", CONF_FILE, FIELD(token_key_file), "", 0, 4096, NULL,
	  "The secret that signs connection tokens; the same at all gateways. Empty: "
	  "random, "
	  "for a gateway alone.",
	  false },
	AUTH_CONF_OPTIONS(struct gateway_conf, jwt),
	{ "tls_cert", CONF_FILE, FIELD(tls_cert), "", 0, 4096, NULL,
	  "PEM file of the clients' TLS certificate and its chain; SIGHUP reads it "
	  "again. "
	  "Empty: clients connect without TLS.",
	  false },
	{ "tls_key", CONF_FILE, FIELD(tls_key), "", 0, 4096, NULL,
	  "PEM file of its key, which only its owner may read.", false },
	{ "hubs", CONF_STRING, FIELD(hubs), "chat,notifications,collaboration,livedata",
	  1, 4096, NULL, "The hubs that are served.", false },
	{ "cors_origins", CONF_STRING, FIELD(cors_origins), "", 0, HUB_CORS_BYTES_MAX,
	  NULL,
	  "Pages of these origins may connect too: https://app.example, null, or * for "
	  "all. "
	  "Empty: only the gateway's own.",
	  true },
	{ "trusted_proxies", CONF_STRING, FIELD(trusted_proxies), "", 0, 4096, NULL,
	  "Addresses and networks whose X-Forwarded-For, -Proto and -Host are believed.",
	  true },
	{ "dev", CONF_BOOL, FIELD(is_dev), "off", 0, 0, NULL,
	  "Serve POST /dev/token, which gives anybody any identity; on loopback only.",
	  false },
	{ "demo_dir", CONF_STRING, FIELD(demo_dir), "", 0, 4096, NULL,
	  "Folder of static files served at /. Empty: none.", false },
	{ "connections_max", CONF_INT, FIELD(connections_max), "16000", 1, 1000000, NULL,
	  "Connections of one worker; more are answered 503.", true },
	{ "memory_max", CONF_BYTES, FIELD(memory_max), "0", 0, 1LL << 50, NULL,
	  "Memory of one worker: from 85 % on new clients are answered 503, from 95 % on "
	  "those that the most waits for are closed. 0: 80 % of the machine's or the "
	  "control "
	  "group's, divided by the workers.",
	  true },
	{ "message_bytes_max", CONF_BYTES, FIELD(message_bytes_max), "32KiB", KiB,
	  GATEWAY_MESSAGE_BYTES_MAX, NULL,
	  "One hub message of a client; a longer one closes it.", true },
	{ "post_bytes_max", CONF_BYTES, FIELD(post_bytes_max), "1MiB", KiB, 2 * MiB, NULL,
	  "The body of one HTTP request of a client, and what may wait of one client's.",
	  false },
	{ "queue_bytes_max", CONF_BYTES, FIELD(queue_bytes_max), "1MiB", 64 * KiB,
	  256 * MiB, NULL,
	  "What may wait for one client; what would be more closes it as slow. One "
	  "message may wait alone, however long.",
	  true },
	{ "sweep_slice", CONF_INT, FIELD(sweep_slice), "128", 1, 1000000, NULL,
	  "Clients that one turn serves of a message to many; others get in between.",
	  true },
	{ "sweep_messages_max", CONF_INT, FIELD(sweep_messages_max), "256", 1, 65536,
	  NULL,
	  "Messages that one group, user or hub may be in the middle of; at the limit "
	  "the "
	  "next one and all before it go out in one turn.",
	  true },
	{ "sweep_bytes_max", CONF_BYTES, FIELD(sweep_bytes_max), "16MiB", 0, 1024 * MiB,
	  NULL, "The memory of all such messages; at the limit the same happens.", true },
	{ "invocations_max", CONF_INT, FIELD(invocations_max), "256", 1, 65536, NULL,
	  "Invocations of one client in flight; at the limit its reading stops.", true },
	{ "invoke_timeout", CONF_MS, FIELD(invoke_timeout_ms), "30s", 100, 3600000, NULL,
	  "How long invocations wait for a router that is behind, or away, and then "
	  "for lease at least; then they fail.",
	  true },
	{ "groups_per_connection_max", CONF_INT, FIELD(groups_per_connection_max), "1000",
	  1, 1000000, NULL, "Groups one connection may be in; joining more fails.",
	  true },
	{ "group_name_bytes_max", CONF_BYTES, FIELD(group_name_bytes_max), "1KiB", 1,
	  64 * KiB, NULL, "Length of a group's name; joining a longer one fails.", true },
	{ "invocation_id_bytes_max", CONF_BYTES, FIELD(invocation_id_bytes_max), "256", 1,
	  4 * KiB, NULL,
	  "Length of the id of an invocation or a stream; a longer one closes the "
	  "connection.",
	  true },
	{ "streams_max", CONF_INT, FIELD(streams_max), "64", 1, 65536, NULL,
	  "Streams that one client sends at a time; an invocation with more fails.",
	  true },
	{ "stream_pause_bytes", CONF_BYTES, FIELD(stream_pause_bytes), "64KiB", KiB,
	  256 * MiB, NULL,
	  "When more waits for one client, methods that stream to it wait too.", true },
	{ "reattach_per_minute_max", CONF_INT, FIELD(reattach_per_minute_max), "60", 1,
	  100000, NULL,
	  "New transports of one stateful connection in a minute; more are answered 429.",
	  true },
	{ "evict_rate", CONF_INT, FIELD(evict_rate), "500", 1, 1000000, NULL,
	  "Clients of one worker that a drain sends elsewhere in a second; more when "
	  "half "
	  "of drain_timeout would not do.",
	  false },
	{ "drain_delay", CONF_MS, FIELD(drain_delay_ms), "0", 0, 600000, NULL,
	  "From SIGTERM on a worker is not ready and answers newcomers 503; so long it "
	  "still listens and sends nobody away, for load balancers that have to notice.",
	  false },
	{ "handover_timeout", CONF_MS, FIELD(handover_timeout_ms), "5s", 50, 60000, NULL,
	  "How long another gateway may take to take over a connection of a drain; then "
	  "its client is told to connect anew.",
	  false },
	{ "messages_per_second_max", CONF_INT, FIELD(messages_per_second_max), "10000", 0,
	  RATE_MAX, NULL,
	  "Messages of one client; when more come it is not read for a while. 0: no "
	  "limit.",
	  true },
	{ "bytes_per_second_max", CONF_BYTES, FIELD(bytes_per_second_max), "16MiB", 0,
	  1024 * MiB, NULL,
	  "Bytes of one client; when more come it is not read for a while. 0: no limit.",
	  true },
	{ "user_connections_max", CONF_INT, FIELD(user_connections_max), "1000", 0,
	  RATE_MAX, NULL,
	  "Connections of one user at a worker; more are answered 429. 0: no limit.",
	  true },
	{ "user_negotiates_per_minute_max", CONF_INT,
	  FIELD(user_negotiates_per_minute_max), "6000", 0, RATE_MAX, NULL,
	  "Negotiations of one user at a worker; more are answered 429. 0: no limit.",
	  true },
	{ "address_connections_max", CONF_INT, FIELD(address_connections_max), "0", 0,
	  RATE_MAX, NULL,
	  "Connections of one address (IPv6: one /64) at a worker; more are answered "
	  "429. "
	  "0: no limit.",
	  true },
	{ "address_negotiates_per_minute_max", CONF_INT,
	  FIELD(address_negotiates_per_minute_max), "12000", 0, RATE_MAX, NULL,
	  "Negotiations of one address at a worker; more are answered 429. 0: no limit.",
	  true },
	{ "address_auth_failed_per_minute_max", CONF_INT,
	  FIELD(address_auth_failed_per_minute_max), "6000", 0, RATE_MAX, NULL,
	  "Bad JWTs of one address at a worker; then all its JWTs are answered 429. 0: "
	  "no "
	  "limit.",
	  true },
	{ "address_ids_unknown_per_minute_max", CONF_INT,
	  FIELD(address_ids_unknown_per_minute_max), "6000", 0, RATE_MAX, NULL,
	  "Connection tokens of one address that are none; more are answered 429. 0: no "
	  "limit.",
	  true },
	{ "keepalive_interval", CONF_MS, FIELD(keepalive_interval_ms), "15s", 50, HOUR_MS,
	  NULL, "A client that was sent nothing for this long is sent a Ping.", true },
	{ "client_timeout", CONF_MS, FIELD(client_timeout_ms), "30s", 50, HOUR_MS, NULL,
	  "A client that pings is gone after this much silence.", true },
	{ "message_timeout", CONF_MS, FIELD(message_timeout_ms), "60s", 0, HOUR_MS, NULL,
	  "From the first to the last byte of a hub message; looked at once in a "
	  "keepalive_interval. 0: no limit.",
	  true },
	{ "handshake_timeout", CONF_MS, FIELD(handshake_timeout_ms), "15s", 50, HOUR_MS,
	  NULL, "From the opening of a connection to its hub handshake.", true },
	{ "disconnect_timeout", CONF_MS, FIELD(disconnect_timeout_ms), "15s", 50, HOUR_MS,
	  NULL,
	  "How long a negotiated token may open a connection, and a long polling client "
	  "be without a poll.",
	  true },
	{ "close_timeout", CONF_MS, FIELD(close_timeout_ms), "5s", 50, HOUR_MS, NULL,
	  "Wait for the client's side of a close.", false },
	{ "send_timeout", CONF_MS, FIELD(send_timeout_ms), "10s", 50, HOUR_MS, NULL,
	  "A client that takes nothing for this long is closed as slow.", false },
	{ "head_timeout", CONF_MS, FIELD(head_timeout_ms), "8s", 50, HOUR_MS, NULL,
	  "To a whole HTTP request head, TLS handshake included: from the opening of the "
	  "socket, or later on from the head's first byte.",
	  false },
	{ "body_timeout", CONF_MS, FIELD(body_timeout_ms), "8s", 50, HOUR_MS, NULL,
	  "From the same moment on, to a whole HTTP request with its body.", false },
	{ "answer_timeout", CONF_MS, FIELD(answer_timeout_ms), "4s", 50, HOUR_MS, NULL,
	  "A client that takes nothing of an HTTP answer for this long is hung up on.",
	  false },
	{ "idle_timeout", CONF_MS, FIELD(idle_timeout_ms), "60s", 50, HOUR_MS, NULL,
	  "Between two HTTP requests.", false },
	{ "detailed_errors", CONF_BOOL, FIELD(is_detailed), "off", 0, 0, NULL,
	  "Tell clients the reason of an error, not only that there was one.", true },
	{ "poll_timeout", CONF_MS, FIELD(poll_timeout_ms), "90s", 50, HOUR_MS, NULL,
	  "A long poll without anything to say is answered after this.", true },
	{ "forwards_max", CONF_INT, FIELD(forwards_max), "16384", 1, 10000000, NULL,
	  "Requests about connections of other gateways that may wait; more are answered "
	  "503.",
	  true },
	{ "forward_timeout", CONF_MS, FIELD(forward_timeout_ms), "10s", 50, HOUR_MS, NULL,
	  "How long such a request waits for its answer, a long poll poll_timeout "
	  "more.",
	  true },
	{ "reshard_timeout", CONF_MS, FIELD(reshard_timeout_ms), "30s", 100, HOUR_MS,
	  NULL,
	  "When routers are added or removed: how long a client's calls and streams may "
	  "hold back its move to another router; then they end with an error.",
	  false },
	{ "auth", CONF_ENUM, FIELD(auth), "anonymous", 0, 0, hub_auth_names,
	  "Whether a client needs a good token.", true },
	{ "stateful_reconnect", CONF_BOOL, FIELD(is_stateful), "off", 0, 0, NULL,
	  "Let clients that ask for it come back without a loss.", true },
	{ "stateful_buffer_bytes_max", CONF_BYTES, FIELD(stateful_buffer_bytes_max),
	  "100000", HUB_STATEFUL_BUFFER_BYTES_MIN, HUB_STATEFUL_BUFFER_BYTES_MAX, NULL,
	  "What is sent to a client that may come back before it acknowledges some, "
	  "which official ones do once a second; the rest waits.",
	  true },
	{ "stream_capacity", CONF_INT, FIELD(stream_capacity), "10", 1,
	  HUB_STREAM_CAPACITY_MAX, NULL,
	  "Items of a client's stream that may wait for its hub.", true },
	{ "close_on_auth_expiration", CONF_BOOL, FIELD(is_closing_expired), "off", 0, 0,
	  NULL, "Close a client when its token expires.", true },
};

static const char *problem(const void *values)
{
	return gateway_conf_problem(values);
}

const struct conf_table gateway_conf_table = {
	.program = "heliograph-gateway",
	.summary = "Holds SignalR clients and joins them to the routers of a Heliograph "
		   "cluster.",
	.flags = PROC_FLAGS,
	.options = options,
	.n = sizeof(options) / sizeof(options[0]),
	.scope = &hub_conf_scope,
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

struct slice gateway_conf_dev_secret(const struct gateway_conf *conf)
{
	return conf->is_dev ? slice_make(conf->spare_keys[1], SECRET_BYTES_MIN)
			    : SLICE_NONE;
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

/* Of all hubs. */
static int64_t message_bytes_max(const struct gateway_conf *conf)
{
	int64_t bytes_max = conf->message_bytes_max;

	for (size_t i = 0; i < conf->hub_confs.n; i++) {
		const struct hub_conf *hub = conf->hub_confs.items[i].values;

		if (hub->message_bytes_max > bytes_max)
			bytes_max = hub->message_bytes_max;
	}
	return bytes_max;
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
	if (conf->tls_cert[0] != '\0' && conf->tls_key[0] == '\0')
		return "tls_key: needed with tls_cert";
	if (conf->tls_key[0] != '\0' && conf->tls_cert[0] == '\0')
		return "tls_cert: needed with tls_key";
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
	if (conf->memory_max != 0 && conf->memory_max < MEMORY_BYTES_MIN)
		return "memory_max: must be 0 or at least 16MiB";
	if (conf->keepalive_interval_ms >= conf->client_timeout_ms)
		return "client_timeout: must be longer than keepalive_interval";
	if (!cors_is_list(conf->cors_origins))
		return "cors_origins: expected scheme://host[:port] without a path, null "
		       "or *";
	if (!address_is_list(conf->trusted_proxies))
		return "trusted_proxies: expected addresses and networks such as "
		       "10.0.0.0/8";
	if (auth_conf_problem(&conf->jwt)[0] != '\0')
		return auth_conf_problem(&conf->jwt);
	if (conf->post_bytes_max < message_bytes_max(conf))
		return "post_bytes_max: must not be below message_bytes_max";
	return link_conf_problem(conf->proc.name, &conf->link, conf->presence);
}
