/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A gateway with real WebSockets on the real loop, and its routers played by the caller:
 * everything that a Deliver touches on its way, from the switch over envelopes to the
 * system call, is the code that ships. What the receivers' sockets are is the caller's.
 * For tests and measurements of fan-out. Definitions: for the one source of a program.
 */
#ifndef TESTS_UNIT_GATEWAY_FAN_KIT_H
#define TESTS_UNIT_GATEWAY_FAN_KIT_H

#define FAKE_PROC_REAL_SOCKS
#include <netinet/in.h>
#include <stdio.h>
#include <sys/socket.h>

#include "gateway/conn_in.h"
#include "gateway/on_router.h"
#include "gateway/transport_ws.h"
#include "proto/base/log.h"
#include "proto/base/secret.h"
#include "tests/unit/gateway/fake_link.h"
#include "tests/unit/gateway/fake_proc.h"

#define FAN_GROUP "everybody"
#define FAN_TURNS_MAX 100000
#define FAN_KEY "dGhlIHNhbXBsZSBub25jZQ=="

struct fan {
	struct proc proc;
	struct gateway *gateway; /* owned */
	struct link_peer *router;
	uint64_t members_n;
	uint64_t deliveries_n; /* that there must have been when all is sent */
};

/* Sockets without TLS read no key. */
enum err secret_load(const char *path, size_t bytes_max, struct buf *key,
		     const char **problem)
{
	(void)path;
	(void)bytes_max;
	(void)key;
	*problem = "not in this kit";
	return ERR_IO;
}

/* All of the edge that there is. */
void edge_close(struct gateway *gateway)
{
	ws_host_free(gateway->ws);
}

static inline void fan_settle(struct fan *fan)
{
	Link__Envelope *envelope;

	while ((envelope = fake_peer_next(fan->router)) != NULL)
		link__envelope__free_unpacked(envelope, NULL);
	fake_peer_ack(fan->router);
}

static inline void fan_init(struct fan *fan)
{
	char *const argv[] = { (char[]){ "fan" },
			       (char[]){ "--routers=r1=tcp://127.0.0.1:7000" },
			       (char[]){ "--link_key_file=none" } };
	char error[CONF_ERROR_MAX] = "";
	struct outlet_host outlets;
	enum conf_outcome outcome;

	memset(fan, 0, sizeof(*fan));
	log_open(LOG_LOGFMT, LOG_ERROR, "fan");
	outcome = conf_load(&gateway_conf_table, &fan->proc.conf, 3, argv, stdout, error);
	assert(outcome == CONF_RUN);
	fan->proc.loop = loop_new();
	fan->gateway = gateway_proc_ops.start(&fan->proc);
	outlets = (struct outlet_host){
		.loop = fan->proc.loop,
		.send_timeout_ms = fan->proc.conf.send_timeout_ms,
		.close_timeout_ms = fan->proc.conf.close_timeout_ms,
		.metrics = &fan->gateway->metrics,
	};
	fan->gateway->ws = ws_host_new(&outlets);
	fan->router = fan->gateway->routers.items[0]->peer;
	fake_peer_renew(fan->router, 100);
	fan_settle(fan);
}

static inline void fan_turn(struct fan *fan)
{
	loop_turn(fan->proc.loop, 0);
}

/* A client on the non-blocking socket, which is the gateway's from now on. It has made
 * its handshake and is in the group. */
static inline struct conn *fan_add(struct fan *fan, int fd, const char *protocol)
{
	struct buf rest = BUF_INIT;
	char text[80];
	struct transport *transport;
	struct conn *conn;
	struct sock sock;
	enum err rc;

	(void)snprintf(text, sizeof(text), "%022llu",
		       (unsigned long long)fan->members_n++);
	sock_init(&sock, fan->proc.loop, fd, NULL, NULL);
	transport = transport_ws_new(fan->gateway->ws, &sock, &rest, SLICE(FAN_KEY));
	conn = conn_new(fan->gateway, &fan->gateway->hubs.items[0], text,
			user_anonymous(), transport, "10.0.0.9:1");
	conn->agent = intern_take(&fan->gateway->agents, SLICE("test"));
	transport_ws_start(transport);
	(void)snprintf(text, sizeof(text), "{\"protocol\":\"%s\",\"version\":1}\x1e",
		       protocol);
	conn_on_bytes(conn, slice_from_str(text));
	assert(conn->state == CONN_OPEN);
	rc = index_add(&fan->gateway->index, conn, LINK__KIND__KIND_GROUP,
		       SLICE(FAN_GROUP));
	assert(rc == OK);
	fan_settle(fan);
	fan_turn(fan);
	return conn;
}

/* The router sends the JSON `frame` to the group: queued, not written yet. */
static inline void fan_deliver(struct fan *fan, struct slice frame)
{
	Link__Envelope envelope = LINK__ENVELOPE__INIT;
	Link__Deliver deliver = LINK__DELIVER__INIT;
	Link__Payload payload = LINK__PAYLOAD__INIT;
	Link__Payload *payloads[] = { &payload };

	payload.protocol = HUB_PROTOCOL_JSON;
	payload.frame = link_bytes(frame);
	deliver.hub = link_bytes(slice_from_str(fan->gateway->hubs.items[0].name));
	deliver.kind = LINK__KIND__KIND_GROUP;
	deliver.name = link_bytes(SLICE(FAN_GROUP));
	deliver.payloads = payloads;
	deliver.n_payloads = 1;
	envelope.body_case = LINK__ENVELOPE__BODY_DELIVER;
	envelope.deliver = &deliver;
	gateway_link_ops.on_envelope(fan->router, &envelope);
	fan->deliveries_n += fan->members_n;
}

/* Turns until the sockets have taken all, which they must do at once. */
static inline void fan_flush(struct fan *fan)
{
	const struct gateway_metrics *metrics = &fan->gateway->metrics;

	for (int i = 0;
	     i < FAN_TURNS_MAX && metrics->deliveries_total < fan->deliveries_n; i++)
		fan_turn(fan);
	fan_turn(fan);
	assert(metrics->deliveries_total == fan->deliveries_n);
	assert(metrics->write_blocked_total == 0);
}

/* Closes the sockets, too. */
static inline void fan_fini(struct fan *fan)
{
	gateway_proc_ops.stop(&fan->proc, fan->gateway);
	loop_free(fan->proc.loop);
	conf_fini(&gateway_conf_table, &fan->proc.conf);
}

/* ---- sockets that take everything */

/* All of a kit's send to it and nobody reads: what does not fit is dropped. */
static inline int fan_sink_open(struct sockaddr_in *address)
{
	const int sink = socket(AF_INET, SOCK_DGRAM, 0);
	socklen_t len = sizeof(*address);
	int rc;

	*address = (struct sockaddr_in){ .sin_family = AF_INET,
					 .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	rc = bind(sink, (const struct sockaddr *)(const void *)address, len);
	assert(sink >= 0 && rc == 0);
	rc = getsockname(sink, (struct sockaddr *)(void *)address, &len);
	assert(rc == 0);
	return sink;
}

static inline int fan_sink_connect(const struct sockaddr_in *address)
{
	const int fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);
	const int rc = connect(fd, (const struct sockaddr *)(const void *)address,
			       sizeof(*address));

	assert(fd >= 0 && rc == 0);
	return fd;
}

#endif
