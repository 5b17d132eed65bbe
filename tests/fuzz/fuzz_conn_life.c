/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whole lives of connections at a gateway: clients of every transport and protocol,
 * routers and presence that answer, push, abort, join, break, come back and start over,
 * other routers, time, and the drain. The input is a script of it. Whatever comes: clients get whole
 * messages of their protocol and nothing after the end, queues and tables keep their
 * limits, the counters agree with what is there, and at the end nothing is left.
 */
#include "gateway/conn_out.h"
#include "proto/base/log.h"
#include "tests/fuzz/router_says.h"
#include "tests/unit/gateway/fake_link.h"
#include "tests/unit/gateway/fake_loop.h"
#include "tests/unit/gateway/fake_proc.h"

#define CLIENTS 4
#define STEPS_MAX 300
#define INVOCATIONS_MAX 3
#define GROUPS_MAX 3
#define LEASE_MS 9000

/* The low half of a step's first byte; the high half chooses the client or the peer. */
enum step {
	STEP_OPEN,
	STEP_HANDSHAKE,
	STEP_MESSAGE,
	STEP_BYTES,
	STEP_ENDED,
	STEP_STUCK,
	STEP_DRAINED,
	STEP_ATTACH,
	STEP_ROUTER,
	STEP_ENVELOPE,
	STEP_READ,
	STEP_ACK,
	STEP_PEER,
	STEP_TIME,
	STEP_DRAIN,
	STEP_MAP,
};

static struct proc process;
static struct loop loop;
static struct gateway *gateway;
static struct client clients[CLIENTS];
static unsigned opened_n;
static uint64_t incarnation;
static bool is_draining;

/* ---- clients */

static struct conn *conn_of(const struct client *client)
{
	return client->is_used
		       ? gateway_conn_find(gateway, slice_make(client->id, CONN_ID_LEN))
		       : NULL;
}

static void client_reset(struct client *client)
{
	client->transport.conn = NULL;
	client->unsent = 0;
	client->is_stuck = false;
	client->is_paused = false;
}

/* As edge_attach.c lets them in. */
static void client_open(struct client *client, uint8_t choice)
{
	const size_t kinds = sizeof(client_ops) / sizeof(client_ops[0]);
	struct user *user;

	if (client_is_connected(client) || is_draining || !gateway_is_known(gateway))
		return;
	user = choice & 4u ? user_new(SLICE("ann"), SLICE("Ann"), SLICE_NONE,
				      &SLICE("role"), 1)
			   : user_anonymous();
	client_reset(client);
	client->is_used = true;
	client->transport.ops = &client_ops[(choice & 3u) % kinds];
	memset(client->id, 'a' + (int)(opened_n % 26), CONN_ID_LEN);
	memset(client->id, 'A' + (int)(opened_n / 26), CONN_ID_LEN / 2);
	opened_n++;
	(void)conn_new(gateway, &gateway->hubs.items[choice >> 4 & 1u], client->id, user,
		       &client->transport, "10.0.0.9:1");
	client->transport.conn->agent = intern_take(&gateway->agents, SLICE("fuzz"));
	client->transport.conn->may_resume = (choice & 8u) && (choice & 3u) == 0;
}

static void client_ended(const struct client *client, uint8_t choice)
{
	if (client_is_connected(client))
		conn_on_end(client->transport.conn,
			    choice & 1u ? CONN_CLOSE_CLIENT : CONN_CLOSE_TRANSPORT);
}

static void client_drained(struct client *client)
{
	client->is_stuck = false;
	client->unsent = 0;
	if (client_is_connected(client))
		conn_on_drained(client->transport.conn);
}

/* The next transport of a stateful connection; its old one may still be there. */
static void client_attach(struct client *client, struct client *other)
{
	struct conn *conn = conn_of(client);

	if (conn == NULL || !stateful_may_attach(conn) || !stateful_take_turn(conn))
		return;
	if (client_is_connected(client)) {
		/* The newcomer takes another client's place, when that is free. */
		if (client_is_connected(other))
			return;
		*other = *client;
		client_reset(other);
		stateful_attach(conn, &other->transport);
		assert(!client_is_connected(client));
		return;
	}
	client_reset(client);
	stateful_attach(conn, &client->transport);
}

/* ---- peers */

static struct link_peer *peer_at(size_t i)
{
	struct list *node = gateway->link->peers.next;

	while (i-- > 0 && node->next != &gateway->link->peers)
		node = node->next;
	return CONTAINER_OF(node, struct link_peer, node);
}

/* What the gateway says must be what the other end can read. */
static void peer_read(struct link_peer *peer, size_t n)
{
	while (n-- > 0 && session_has_unsent(&peer->session)) {
		Link__Envelope *envelope = fake_peer_next(peer);

		assert(envelope != NULL);
		assert(envelope->body_case != LINK__ENVELOPE__BODY__NOT_SET);
		link__envelope__free_unpacked(envelope, NULL);
	}
}

static void peer_change(struct link_peer *peer, uint8_t choice)
{
	switch (choice % 4u) {
	case 0:
		fake_peer_down(peer);
		break;
	case 1:
		if (!peer->is_up && peer->resets == 0)
			fake_peer_resume(peer);
		break;
	default:
		/* A peer that was reset comes back with nothing of us. */
		peer->resets = 0;
		peer->away_ms = choice & 4u ? LEASE_MS : 0;
		fake_peer_down(peer);
		fake_peer_renew(peer, ++incarnation);
	}
}

/* ---- what routers say */

/* Of or to a client's connection, in its protocol. */
static void router_says(const struct client *client, struct slice *input)
{
	const uint8_t what = fuzz_byte(input);
	const uint8_t choice = fuzz_byte(input);
	struct link_peer *peer = peer_at(what >> 7);
	const struct slice id = slice_make(client->id, CONN_ID_LEN);
	const struct conn *conn = conn_of(client);
	struct buf out = BUF_INIT;

	if (conn == NULL)
		return;
	switch ((enum router_says)(what % SAYS_N)) {
	case SAYS_COMPLETE:
		says_complete(peer, id, frame_of(conn->codec, &out, 1), choice);
		break;
	case SAYS_PUSH:
		says_push(peer, id, frame_of(conn->codec, &out, choice));
		break;
	case SAYS_CREDIT:
		says_credit(peer, id, choice);
		break;
	case SAYS_ABORT:
		says_abort(peer, id, choice);
		break;
	case SAYS_JOIN:
	case SAYS_LEAVE:
		says_join(peer, id, what % SAYS_N == SAYS_LEAVE, choice);
		break;
	case SAYS_DELIVER:
		says_deliver(peer, id, choice);
		break;
	case SAYS_N:
		break;
	}
	buf_fini(&out);
}

/* Any envelope at all. */
static void router_envelope(struct link_peer *peer, struct slice bytes)
{
	Link__Envelope *envelope = link__envelope__unpack(
		NULL, bytes.len, (const uint8_t *)(const void *)bytes.ptr);

	if (envelope == NULL)
		return;
	clients_are_strict = false;
	peer_receive(peer, envelope);
	link__envelope__free_unpacked(envelope, NULL);
}

/* Another map of routers, mostly the one that comes next. */
static void map_step(struct link_peer *peer, const struct client *client, uint8_t choice)
{
	static const char *const lists[] = { "r1=tcp://a:1,r2=tcp://a:2", "r1=tcp://a:1",
					     "r2=tcp://a:2,r3=tcp://a:4" };
	const struct shard_map *map = &gateway->routers.map;
	const char *other = lists[(choice >> 2) % 3];

	if ((choice & 3u) == 3)
		says_released(peer, slice_make(client->id, CONN_ID_LEN), choice);
	else if (choice & 1u)
		says_shards(peer, map->epoch + 2, SHARD_PHASE_STABLE, other, "");
	else if (map->phase == SHARD_PHASE_STABLE)
		says_shards(peer, map->epoch + 1, SHARD_PHASE_PREPARE, map->routers,
			    other);
	else if (map->phase == SHARD_PHASE_COMMIT)
		says_shards(peer, map->epoch, SHARD_PHASE_STABLE, map->next, "");
	else if (choice & 2u)
		says_shards(peer, map->epoch + 1, SHARD_PHASE_STABLE, map->routers, "");
	else
		says_shards(peer, map->epoch, SHARD_PHASE_COMMIT, map->routers,
			    map->next);
}

/* ---- the script */

static void check_counts(void)
{
	const struct gateway_metrics *metrics = &gateway->metrics;
	struct map_node *node = NULL;
	int64_t open_n = 0;

	while ((node = map_next(&gateway->conns, node)) != NULL) {
		const struct conn *conn = CONTAINER_OF(node, struct conn, node);

		open_n += conn->state == CONN_OPEN;
		assert(conn->calls_n <= INVOCATIONS_MAX);
		assert(conn->groups_n <= GROUPS_MAX);
		assert(conn->transport == NULL || conn->transport->conn == conn);
		assert(conn->state != CONN_CLOSED || conn->transport == NULL);
		assert(conn->state == CONN_OPEN || conn->uploads_n == 0);
	}
	assert(metrics->connections == open_n);
	assert(metrics->sweep_bytes >= 0);
	assert(metrics->sweeps > 0 || metrics->sweep_bytes == 0);
}

static void step(struct slice *input)
{
	const uint8_t head = fuzz_byte(input);
	const size_t i = head >> 4;
	struct client *client = &clients[i % CLIENTS];

	switch ((enum step)(head % 16u)) {
	case STEP_OPEN:
		client_open(client, fuzz_byte(input));
		break;
	case STEP_HANDSHAKE:
		client_handshake(client, fuzz_byte(input));
		break;
	case STEP_MESSAGE:
		client_message(client, input);
		break;
	case STEP_BYTES:
		client_bytes(client, fuzz_take(input, fuzz_number(input, 2)), i >> 2);
		break;
	case STEP_ENDED:
		client_ended(client, fuzz_byte(input));
		break;
	case STEP_STUCK:
		client->is_stuck = true;
		break;
	case STEP_DRAINED:
		client_drained(client);
		break;
	case STEP_ATTACH:
		client_attach(client, &clients[(i + 1) % CLIENTS]);
		break;
	case STEP_ROUTER:
		router_says(client, input);
		break;
	case STEP_ENVELOPE:
		router_envelope(peer_at(i), fuzz_take(input, fuzz_byte(input)));
		break;
	case STEP_READ:
		peer_read(peer_at(i), fuzz_byte(input));
		break;
	case STEP_ACK:
		fake_peer_ack(peer_at(i));
		break;
	case STEP_PEER:
		peer_change(peer_at(i), fuzz_byte(input));
		break;
	case STEP_TIME:
		fake_loop_turn(&loop, (int64_t)fuzz_byte(input) * 50);
		break;
	case STEP_DRAIN:
		if (!is_draining)
			gateway_proc_ops.drain(&process, gateway);
		is_draining = true;
		break;
	case STEP_MAP:
		map_step(peer_at(i), client, fuzz_byte(input));
		break;
	}
	check_counts();
}

/* The defaults, but with numbers so small that a short script meets the limits. */
static void conf_init(struct gateway_conf *conf)
{
	char program[] = "heliograph-gateway";
	char routers[] = "--routers=r1=tcp://a:1,r2=tcp://a:2";
	char presence[] = "--presence=p1=tcp://a:3";
	char key[] = "--link_key_file=none";
	char hubs[] = "--hubs=chat,other";
	char *argv[] = { program, routers, presence, key, hubs, NULL };
	char error[CONF_ERROR_MAX];
	const enum conf_outcome outcome =
		conf_load(&gateway_conf_table, conf, 5, argv, stderr, error);

	assert(outcome == CONF_RUN);
	conf_scoped_fini(&gateway_conf_table, conf);
	conf->proc.drain_ms = 2000;
	conf->message_bytes_max = MESSAGE_BYTES_MAX;
	conf->queue_bytes_max = QUEUE_BYTES_MAX;
	conf->sweep_slice = 1;
	conf->sweep_messages_max = 3;
	conf->sweep_bytes_max = 2000;
	conf->invocations_max = INVOCATIONS_MAX;
	conf->groups_per_connection_max = GROUPS_MAX;
	conf->group_name_bytes_max = 32;
	conf->invocation_id_bytes_max = 8;
	conf->streams_max = 2;
	conf->stream_capacity = 2;
	conf->stream_pause_bytes = 64;
	conf->stateful_buffer_bytes_max = 200;
	conf->reattach_per_minute_max = 5;
	conf->keepalive_interval_ms = 1500;
	conf->client_timeout_ms = 3000;
	conf->handshake_timeout_ms = 1000;
	conf->disconnect_timeout_ms = 2000;
	conf->reshard_timeout_ms = 1000;
	conf->link.window_bytes_max = 2000;
	conf->link.lease_ms = LEASE_MS;
	conf_scoped_init(&gateway_conf_table, conf);
}

static void start(void)
{
	opened_n = 0;
	incarnation = 100;
	is_draining = false;
	clients_are_strict = true;
	loop = (struct loop){ .now_ms = 1000000 };
	list_init(&loop.flushes);
	wheel_init(&loop.wheel, loop.now_ms);
	process.loop = &loop;
	gateway = gateway_proc_ops.start(&process);
	for (size_t i = 0; i < 3; i++)
		fake_peer_renew(peer_at(i), incarnation);
	for (size_t i = 0; i < 3; i++)
		says_shards(peer_at(i), 0, SHARD_PHASE_STABLE,
			    gateway->routers.map.routers, "");
}

static void stop(void)
{
	gateway_proc_ops.stop(&process, gateway);
	assert(loop.wheel.count == 0 && list_is_empty(&loop.flushes));
	fake_loop_turn(&loop, 0);
	for (size_t i = 0; i < CLIENTS; i++) {
		assert(!client_is_connected(&clients[i]));
		clients[i] = (struct client){ .is_used = false };
	}
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc;
	(void)argv;
	log_open(LOG_LOGFMT, LOG_ERROR, "fuzz");
	conf_init(&process.conf);
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice input = fuzz_slice(data, size);

	start();
	for (size_t n = 0; input.len > 0 && n < STEPS_MAX; n++)
		step(&input);
	stop();
	return 0;
}
