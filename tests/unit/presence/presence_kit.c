/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/presence/presence_kit.h"

#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "proto/base/mem.h"
#include "tests/unit/proto/base/http_kit.h"

#define KEY "0123456789abcdef0123456789abcdef"
#define DEADLINE_MS 10000

static char key_path[] = "/tmp/heliograph-key-XXXXXX";
struct child child;
static char link_url[64];
static int admin_port;
static struct http_kit http; /* for its clients */
struct loop *loop;

int64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* ---- the process */

void start_presence_with(const char *lease, const char *extra)
{
	char key_flag[64];
	char lease_flag[64];
	const char *at;

	(void)snprintf(key_flag, sizeof(key_flag), "--link_key_file=%s", key_path);
	(void)snprintf(lease_flag, sizeof(lease_flag), "--lease=%s", lease);
	child_start(&child, &presence_proc_ops, "--link_listen=tcp://127.0.0.1:0",
		    "--admin_listen=127.0.0.1:0", key_flag, lease_flag, extra, NULL);
	child_wait_ready(&child);
	at = strstr(child.out_text, "link=");
	cr_assert_not_null(at);
	cr_assert_eq(sscanf(at, "link=%63s admin=127.0.0.1:%d", link_url, &admin_port),
		     2);
	/* After the fork: a loop is not shared. */
	http.loop = loop_new();
	loop = loop_new();
}

void start_presence(const char *lease)
{
	start_presence_with(lease, NULL);
}

void presence_setup(void)
{
	int fd = mkstemp(key_path);

	cr_assert(fd >= 0);
	cr_assert_eq(write(fd, KEY, strlen(KEY)), (ssize_t)strlen(KEY));
	close(fd);
}

/* It must end in order, whatever the test did. */
void presence_teardown(void)
{
	unlink(key_path);
	if (child.pid == 0)
		return;
	kill(child.pid, SIGTERM);
	cr_expect_eq(child_wait(&child), 0, "%s", child.err_text);
	loop_free(loop);
	loop_free(http.loop);
}

/* ---- asking it */

/* The answer to a whole request is the client's then. */
static void ask(struct http_client *client, const char *request)
{
	struct sockaddr_in in = { .sin_family = AF_INET };

	*client = (struct http_client){ .fd = socket(AF_INET, SOCK_STREAM, 0) };
	in.sin_port = htons((uint16_t)admin_port);
	in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	cr_assert_eq(connect(client->fd, (struct sockaddr *)&in, sizeof(in)), 0);
	http_client_say(client, request);
	http_client_wait_end(&http, client);
}

bool answer_has(const char *target, const char *text)
{
	struct http_client client;
	char request[256];
	bool has;

	(void)snprintf(request, sizeof(request),
		       "GET %s HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n",
		       target);
	ask(&client, request);
	has = http_client_has(&client, text);
	http_client_close(&client);
	return has;
}

bool takes_routers(const char *list)
{
	struct http_client client;
	char request[512];
	bool has;

	(void)snprintf(request, sizeof(request),
		       "PUT /api/v1/cluster/routers HTTP/1.1\r\nHost: localhost\r\n"
		       "Connection: close\r\nContent-Type: application/json\r\n"
		       "Content-Length: %zu\r\n\r\n{\"routers\":\"%s\"}",
		       strlen("{\"routers\":\"\"}") + strlen(list), list);
	ask(&client, request);
	has = http_client_has(&client, "HTTP/1.1 202 ");
	http_client_close(&client);
	return has;
}

void until_answer(const char *target, const char *text)
{
	const int64_t end_ms = now_ms() + DEADLINE_MS;

	while (!answer_has(target, text)) {
		cr_assert(now_ms() < end_ms, "%s never had %s", target, text);
		loop_turn(loop, 0);
	}
}

void until_users(const char *text)
{
	until_answer("/api/v1/stats", text);
}

void until_int(const int *value, int wanted)
{
	const int64_t end_ms = now_ms() + DEADLINE_MS;

	while (*value < wanted) {
		cr_assert(now_ms() < end_ms, "%d, not %d", *value, wanted);
		loop_turn(loop, 5);
	}
}

void until_peers(const struct actor *actor, const char *peers)
{
	const int64_t end_ms = now_ms() + DEADLINE_MS;

	while (strcmp(actor->peers, peers) != 0) {
		cr_assert(now_ms() < end_ms, "%s, not %s", actor->peers, peers);
		loop_turn(loop, 5);
	}
}

/* ---- actors */

static void on_up(struct link_peer *peer, bool is_new)
{
	struct actor *actor = link_owner(link_peer_link(peer));

	actor->news_n += is_new ? 1 : 0;
}

static void on_down(struct link_peer *peer)
{
	(void)peer;
}

static void on_lost(struct link_peer *peer)
{
	struct actor *actor = link_owner(link_peer_link(peer));

	actor->losts_n++;
}

static void on_user_change(struct actor *actor, const Link__UserChange *change)
{
	const struct slice id = link_slice(change->id);
	const struct slice user_id = link_slice(change->user_id);
	const size_t len = strlen(actor->changes);

	cr_assert_lt(id.len, sizeof(actor->change_id));
	cr_expect(slice_compare(id, slice_from_str(actor->change_id)) > 0);
	memset(actor->change_id, 0, sizeof(actor->change_id));
	memcpy(actor->change_id, id.ptr, id.len);
	if (change->change == LINK__CHANGE__CHANGE_NONE)
		return; /* only where it is */
	actor->changes_n++;
	if (len + user_id.len + 3 > sizeof(actor->changes))
		return; /* are only counted */
	actor->changes[len] = "?+-!"[change->change];
	if (user_id.len > 0)
		memcpy(actor->changes + len + 1, user_id.ptr, user_id.len);
	memcpy(actor->changes + len + 1 + user_id.len, " ", 2);
}

static void on_shards(struct actor *actor, const Link__Shards *said)
{
	struct buf text = BUF_INIT;

	actor->shards_n++;
	buf_appendf(&text, "%d %s ", (int)said->epoch,
		    shard_phase_name((enum shard_phase)said->phase));
	buf_append_slice(&text, link_slice(said->routers));
	if (said->next.len > 0)
		buf_append_str(&text, " -> ");
	buf_append_slice(&text, link_slice(said->next));
	cr_assert_lt(text.len, sizeof(actor->shards));
	memset(actor->shards, 0, sizeof(actor->shards));
	memcpy(actor->shards, text.ptr, text.len);
	buf_fini(&text);
}

static void on_envelope(struct link_peer *peer, const Link__Envelope *envelope)
{
	struct actor *actor = link_owner(link_peer_link(peer));
	const Link__Topology *topology = envelope->topology;
	size_t len = 0;

	if (envelope->body_case == LINK__ENVELOPE__BODY_USER_CHANGE) {
		on_user_change(actor, envelope->user_change);
		return;
	}
	if (envelope->body_case == LINK__ENVELOPE__BODY_SHARDS) {
		on_shards(actor, envelope->shards);
		return;
	}
	cr_assert_eq(envelope->body_case, LINK__ENVELOPE__BODY_TOPOLOGY);
	actor->topologies_n++;
	actor->is_settled = topology->is_settled;
	actor->peers[0] = '\0';
	for (size_t i = 0; i < topology->n_peers; i++) {
		const struct slice name = link_slice(topology->peers[i]->name);

		len += (size_t)snprintf(actor->peers + len, sizeof(actor->peers) - len,
					"%.*s:%d ", SLICE_FMT(name),
					(int)topology->peers[i]->role);
	}
}

struct actor *actor_new(Link__Role role, const char *name, uint64_t incarnation)
{
	static const struct link_ops ops = {
		.on_up = on_up,
		.on_down = on_down,
		.on_lost = on_lost,
		.on_envelope = on_envelope,
	};
	struct actor *actor = MEM_NEW(struct actor);
	const struct link_options options = {
		.role = role,
		.name = name,
		.incarnation = incarnation,
		.keys = &SECRETS_OF(SLICE(KEY)),
		.window_bytes_max = 65536,
		.ping_interval_ms = 50,
		.stream_timeout_ms = 5000,
		.peer_timeout_ms = LONG_MS,
		.ops = &ops,
		.owner = actor,
		.stats = &actor->stats,
	};

	actor->link = link_new(loop, &options);
	actor->presence =
		link_dial(actor->link, LINK__ROLE__ROLE_PRESENCE, "p1", link_url);
	until_int(&actor->news_n, 1);
	return actor;
}

void actor_free(struct actor *actor)
{
	link_free(actor->link);
	loop_turn(loop, 0); /* what it deferred still counts in its stats */
	mem_free(actor);
}

void say_opened(struct actor *actor, const char *connection, const char *user_id)
{
	Link__Opened opened = LINK__OPENED__INIT;
	Link__User user = LINK__USER__INIT;

	user.id = link_bytes(slice_from_str(user_id));
	opened.hub = link_bytes(SLICE("chat"));
	opened.connection = link_bytes(slice_from_str(connection));
	opened.user = &user;
	cr_assert_eq(link_send_opened(actor->presence, &opened, NULL), OK);
}

void say_closed(struct actor *actor, const char *connection)
{
	Link__Closed closed = LINK__CLOSED__INIT;

	closed.hub = link_bytes(SLICE("chat"));
	closed.connection = link_bytes(slice_from_str(connection));
	cr_assert_eq(link_send_closed(actor->presence, &closed, NULL), OK);
}

void say_lease(struct actor *actor, int64_t lease_ms)
{
	Link__Lease lease = LINK__LEASE__INIT;

	lease.lease_ms = lease_ms;
	lease.connections = 17;
	lease.is_home = true;
	cr_assert_eq(link_send_lease(actor->presence, &lease, NULL), OK);
}

/* One that has begun to tell what it holds. */
struct actor *gateway_new(const char *name, uint64_t incarnation)
{
	struct actor *actor = actor_new(LINK__ROLE__ROLE_GATEWAY, name, incarnation);

	say_lease(actor, LONG_MS);
	return actor;
}

void until_changes(const struct actor *actor, const char *changes)
{
	const int64_t end_ms = now_ms() + DEADLINE_MS;

	while (strcmp(actor->changes, changes) != 0) {
		cr_assert(now_ms() < end_ms, "%s, not %s", actor->changes, changes);
		loop_turn(loop, 5);
	}
}

void say_watch(struct actor *actor, const char *after)
{
	Link__Watch watch = LINK__WATCH__INIT;

	watch.after = link_bytes(slice_from_str(after));
	cr_assert_eq(link_send_watch(actor->presence, &watch, NULL), OK);
}

void say_shards(struct actor *actor, uint64_t epoch, enum shard_phase phase,
		const char *routers, const char *next, bool is_done)
{
	Link__Shards shards = LINK__SHARDS__INIT;

	shards.epoch = epoch;
	shards.phase = (Link__ShardPhase)phase;
	shards.routers = link_bytes(slice_from_str(routers));
	shards.next = link_bytes(slice_from_str(next));
	shards.is_done = is_done;
	cr_assert_eq(link_send_shards(actor->presence, &shards, NULL), OK);
}

void until_shards(const struct actor *actor, const char *shards)
{
	const int64_t end_ms = now_ms() + DEADLINE_MS;

	while (strcmp(actor->shards, shards) != 0) {
		cr_assert(now_ms() < end_ms, "%s, not %s", actor->shards, shards);
		loop_turn(loop, 5);
	}
}

const char *presence_key_path(void)
{
	return key_path;
}
