/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Every option, its range and its default. What needs more than one option, or the
 * machine, is in plan.c.
 */
#include "bench/conf.h"

#include "bench/payload.h"

#define FIELD(name) offsetof(struct bench_conf, name)
#define HOUR_MS 3600000
#define CONNECTIONS_MAX 2000000
#define RATE_MAX 100000000
#define TEXT_MAX 4096

const char *const bench_transports[] = { "websockets", "sse", "longpolling", "tcp",
					 NULL };
const char *const bench_protocols[] = { "json",	    "messagepack", "plain",
					"socketio", "nats",	   NULL };
static const char *const arrivals[] = { "steady", "poisson", NULL };

static const struct conf_option options[] = {
	{ "url", CONF_STRING, FIELD(url), "http://127.0.0.1:8080/hubs/bench", 8, 1024,
	  NULL, "The hub under load; nats:// and tcp:// for other servers.", false },
	{ "scenario", CONF_STRING, FIELD(scenario), "echo", 1, 64, NULL,
	  "Who talks to whom; --list has them all.", false },
	{ "transport", CONF_ENUM, FIELD(transport), "websockets", 0, 0, bench_transports,
	  "What carries the messages.", false },
	{ "protocol", CONF_ENUM, FIELD(protocol), "json", 0, 0, bench_protocols,
	  "What is spoken: SignalR's json and messagepack, or that of another server.",
	  false },
	{ "negotiate", CONF_BOOL, FIELD(negotiate), "on", 0, 0, NULL,
	  "Negotiate first; off: straight to WebSockets, as with skipNegotiation.",
	  false },
	{ "token_key", CONF_STRING, FIELD(token_key), "", 0, 1024, NULL,
	  "The HS256 key that access tokens are minted with. Empty: none are.", false },
	{ "dev_tokens", CONF_BOOL, FIELD(dev_tokens), "off", 0, 0, NULL,
	  "Ask the server's POST /dev/token for access tokens.", false },
	{ "users", CONF_INT, FIELD(users), "0", 0, CONNECTIONS_MAX, NULL,
	  "Client i is user i mod users. 0: each is a user of its own.", false },
	{ "connections", CONF_INT, FIELD(connections), "100", 1, CONNECTIONS_MAX, NULL,
	  "Clients, of all workers together.", false },
	{ "workers", CONF_INT, FIELD(workers), "0", 0, 1024, NULL,
	  "Processes. 0: as few as descriptors allow.", false },
	{ "sources", CONF_INT, FIELD(sources), "0", 0, 250, NULL,
	  "Clients connect from 127.0.0.1 to 127.0.0.n. 0: as many as ports demand.",
	  false },
	{ "connect_rate", CONF_INT, FIELD(connect_rate), "0", 0, RATE_MAX, NULL,
	  "Connections begun a second. 0: no limit.", false },
	{ "connect_parallel", CONF_INT, FIELD(connect_parallel), "256", 1, 65536, NULL,
	  "Connections on the way at once, of each worker.", false },
	{ "groups", CONF_INT, FIELD(groups), "1", 1, CONNECTIONS_MAX, NULL,
	  "Groups, users or other targets that the scenario sends to.", false },
	{ "group_size", CONF_INT, FIELD(group_size), "0", 0, CONNECTIONS_MAX, NULL,
	  "Members of a group. 0: connections divided by groups.", false },
	{ "size", CONF_BYTES, FIELD(size), "100", PAYLOAD_BYTES_MIN, PAYLOAD_BYTES_MAX,
	  NULL, "Of a payload.", false },
	{ "rate", CONF_INT, FIELD(rate), "0", 0, RATE_MAX, NULL,
	  "What the scenario counts (messages, mostly) a second, of all workers; "
	  "arrivals do not wait for answers. 0: as fast as in_flight allows.",
	  false },
	{ "in_flight", CONF_INT, FIELD(in_flight), "0", 0, 1000000, NULL,
	  "Messages of a worker that wait for their deliveries or answer. 0: no limit "
	  "at a rate, 1 without one.",
	  false },
	{ "arrivals", CONF_ENUM, FIELD(arrivals), "steady", 0, 0, arrivals,
	  "Whether messages are due at equal distances or independently.", false },
	{ "seed", CONF_INT, FIELD(seed), "1", 0, INT64_MAX, NULL,
	  "Of all that is random.", false },
	{ "keep_alive", CONF_MS, FIELD(keep_alive_ms), "15s", 0, HOUR_MS, NULL,
	  "A client that has sent nothing for so long sends a ping. 0: never.", false },
	{ "connect_timeout", CONF_MS, FIELD(connect_timeout_ms), "30s", 10, HOUR_MS, NULL,
	  "How long a connection may take to be ready.", false },
	{ "warm_up", CONF_MS, FIELD(warm_up_ms), "2s", 0, HOUR_MS, NULL,
	  "Traffic before what is measured; of a search, before each step.", false },
	{ "duration", CONF_MS, FIELD(duration_ms), "10s", 100, 24 * HOUR_MS, NULL,
	  "How long is measured; of a search, each step.", false },
	{ "drain", CONF_MS, FIELD(drain_ms), "5s", 0, HOUR_MS, NULL,
	  "At the end, how long is waited for what is on the way.", false },
	{ "hold", CONF_MS, FIELD(hold_ms), "10s", 0, 24 * HOUR_MS, NULL,
	  "How long the scenario idle keeps its connections open.", false },
	{ "search", CONF_STRING, FIELD(search), "", 0, TEXT_MAX, NULL,
	  "Find the highest rate at which this holds: p99<10ms, or within(1s)>=99%. "
	  "Empty: one run.",
	  false },
	{ "search_from", CONF_INT, FIELD(search_from), "100", 1, RATE_MAX, NULL,
	  "The first rate that a search tries.", false },
	{ "search_to", CONF_INT, FIELD(search_to), "1000000", 1, RATE_MAX, NULL,
	  "The highest.", false },
	{ "search_precision", CONF_INT, FIELD(search_precision), "5", 1, 100, NULL,
	  "A search ends when the lowest rate that failed is at most so many percent "
	  "above the highest that held.",
	  false },
	{ "server_pids", CONF_STRING, FIELD(server_pids), "", 0, TEXT_MAX, NULL,
	  "The server's processes, whose children count too: 12,13 or "
	  "gateway:12,13;router:15. Empty: who listens at the URL, if local. none: "
	  "nobody.",
	  false },
	{ "json", CONF_STRING, FIELD(json), "", 0, TEXT_MAX, NULL,
	  "File for the result; - is stdout.", false },
	{ "html", CONF_STRING, FIELD(html), "", 0, TEXT_MAX, NULL,
	  "File for the report with plots.", false },
	{ "markdown", CONF_STRING, FIELD(markdown), "", 0, TEXT_MAX, NULL,
	  "File for a table; - is stdout.", false },
	{ "history", CONF_STRING, FIELD(history), "", 0, TEXT_MAX, NULL,
	  "File for all that the clients of the scenario recorded do and hear, .N behind "
	  "its name for worker N; tests/lab/history.js judges it.",
	  false },
	{ "report", CONF_STRING, FIELD(report), "", 0, 65536, NULL,
	  "Result files, a.json,b.json, that html and markdown are made of; nothing is "
	  "run.",
	  false },
	{ "compare", CONF_STRING, FIELD(compare), "", 0, TEXT_MAX, NULL,
	  "A result file that this run is compared with; two of them, a.json,b.json: "
	  "nothing is run.",
	  false },
	{ "expect", CONF_STRING, FIELD(expect), "", 0, TEXT_MAX, NULL,
	  "What must be true of the result: p99<10ms,lost=0,rate>1000. If not, the exit "
	  "status is 2.",
	  false },
	{ "label", CONF_STRING, FIELD(label), "", 0, 256, NULL,
	  "What the result is called in reports. Empty: as the scenario.", false },
	{ "progress", CONF_BOOL, FIELD(progress), "on", 0, 0, NULL,
	  "Tell each second what is going on.", false },
};

static const char *problem(const void *values)
{
	const struct bench_conf *conf = values;

	if (conf->token_key[0] != '\0' && conf->dev_tokens)
		return "token_key: tokens are minted or asked for (dev_tokens), not "
		       "both";
	if (conf->search_from > conf->search_to)
		return "search_from: it is above search_to";
	if (conf->report[0] != '\0' && conf->compare[0] != '\0')
		return "report: either reports are made or results compared";
	return "";
}

const struct conf_table bench_conf_table = {
	.program = "heliograph-bench",
	.summary = "Load on a SignalR server, and what it cost.",
	.options = options,
	.n = sizeof(options) / sizeof(options[0]),
	.problem = problem,
};
