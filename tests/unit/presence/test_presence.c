/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A whole presence process against links of the test's own, which say what gateways and
 * routers say: who is online, who is told of whom, and how processes are lost.
 */
#include "presence/presence.h"

#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "proto/base/mem.h"
#include "proto/link/link_stats.h"
#include "tests/unit/proto/base/http_kit.h"
#include "tests/unit/proto/base/proc_kit.h"

#define KEY "0123456789abcdef0123456789abcdef"
#define DEADLINE_MS 10000
#define LONG_MS 60000

static char key_path[] = "/tmp/heliograph-key-XXXXXX";
static struct child child;
static char link_url[64];
static int admin_port;
static struct http_kit http; /* for its clients */
static struct loop *loop;    /* of the actors: asking does not turn it */

/* A gateway or router as this test plays it. */
struct actor {
	struct link *link;
	struct link_peer *presence;
	struct link_stats stats;
	int news_n; /* on_up with is_new */
	int losts_n;
	int topologies_n;
	char peers[256]; /* names in the last topology */
	bool is_settled;
};

static int64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* ---- the process */

static void start_presence_with(const char *lease, const char *extra)
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

static void start_presence(const char *lease)
{
	start_presence_with(lease, NULL);
}

static void setup(void)
{
	int fd = mkstemp(key_path);

	cr_assert(fd >= 0);
	cr_assert_eq(write(fd, KEY, strlen(KEY)), (ssize_t)strlen(KEY));
	close(fd);
}

/* It must end in order, whatever the test did. */
static void teardown(void)
{
	unlink(key_path);
	if (child.pid == 0)
		return;
	kill(child.pid, SIGTERM);
	cr_expect_eq(child_wait(&child), 0, "%s", child.err_text);
	loop_free(loop);
	loop_free(http.loop);
}

TestSuite(presence, .init = setup, .fini = teardown);

/* ---- asking it */

static bool answer_has(const char *target, const char *text)
{
	struct sockaddr_in in = { .sin_family = AF_INET };
	struct http_client client = { .fd = socket(AF_INET, SOCK_STREAM, 0) };
	char request[256];
	bool has;

	in.sin_port = htons((uint16_t)admin_port);
	in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	cr_assert_eq(connect(client.fd, (struct sockaddr *)&in, sizeof(in)), 0);
	(void)snprintf(request, sizeof(request),
		       "GET %s HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", target);
	http_client_say(&client, request);
	http_client_wait_end(&http, &client);
	has = http_client_has(&client, text);
	http_client_close(&client);
	return has;
}

static void until_answer(const char *target, const char *text)
{
	const int64_t end_ms = now_ms() + DEADLINE_MS;

	while (!answer_has(target, text)) {
		cr_assert(now_ms() < end_ms, "%s never had %s", target, text);
		loop_turn(loop, 0);
	}
}

static void until_users(const char *text)
{
	until_answer("/api/v1/stats", text);
}

static void until_int(const int *value, int wanted)
{
	const int64_t end_ms = now_ms() + DEADLINE_MS;

	while (*value < wanted) {
		cr_assert(now_ms() < end_ms, "%d, not %d", *value, wanted);
		loop_turn(loop, 5);
	}
}

static void until_peers(const struct actor *actor, const char *peers)
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

static void on_envelope(struct link_peer *peer, const Link__Envelope *envelope)
{
	struct actor *actor = link_owner(link_peer_link(peer));
	const Link__Topology *topology = envelope->topology;
	size_t len = 0;

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

static struct actor *actor_new(Link__Role role, const char *name, uint64_t incarnation)
{
	static const struct link_ops ops = { on_up, on_down, on_lost, on_envelope };
	struct actor *actor = MEM_NEW(struct actor);
	const struct link_options options = {
		.role = role,
		.name = name,
		.incarnation = incarnation,
		.key = SLICE(KEY),
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

static void actor_free(struct actor *actor)
{
	link_free(actor->link);
	loop_turn(loop, 0); /* what it deferred still counts in its stats */
	mem_free(actor);
}

static struct actor *gateway_new(const char *name, uint64_t incarnation)
{
	return actor_new(LINK__ROLE__ROLE_GATEWAY, name, incarnation);
}

static void say_opened(struct actor *actor, const char *connection, const char *user_id)
{
	Link__Opened opened = LINK__OPENED__INIT;
	Link__User user = LINK__USER__INIT;

	user.id = link_bytes(slice_from_str(user_id));
	opened.hub = link_bytes(SLICE("chat"));
	opened.connection = link_bytes(slice_from_str(connection));
	opened.user = &user;
	cr_assert_eq(link_send_opened(actor->presence, &opened, NULL), OK);
}

static void say_closed(struct actor *actor, const char *connection)
{
	Link__Closed closed = LINK__CLOSED__INIT;

	closed.hub = link_bytes(SLICE("chat"));
	closed.connection = link_bytes(slice_from_str(connection));
	cr_assert_eq(link_send_closed(actor->presence, &closed, NULL), OK);
}

static void say_lease(struct actor *actor, int64_t lease_ms)
{
	Link__Lease lease = LINK__LEASE__INIT;

	lease.lease_ms = lease_ms;
	lease.connections = 17;
	cr_assert_eq(link_send_lease(actor->presence, &lease, NULL), OK);
}

/* ---- who is online */

Test(presence, what_gateways_tell_is_answered)
{
	start_presence("10s");
	struct actor *g1 = gateway_new("g1", 1);
	struct actor *g2 = gateway_new("g2", 2);

	say_opened(g1, "c1", "ann");
	say_opened(g2, "c2", "ann");
	say_opened(g2, "c3", "");
	until_users("\"users\":1,\"connections\":3,\"gateways\":2");
	cr_expect(answer_has("/api/v1/connections/c2", "\"gateway\":\"g2\""));
	say_closed(g1, "c1");
	until_users("\"users\":1,\"connections\":2");
	say_closed(g2, "c2");
	until_users("\"users\":0,\"connections\":1");
	say_closed(g2, "c9");
	until_answer("/metrics", "\npresence_closed_unknown_total 1\n");
	cr_expect(answer_has("/metrics", "\npresence_online_total 1\n"));
	cr_expect(answer_has("/metrics", "\npresence_offline_total 1\n"));
	cr_expect(answer_has("/readyz", " 200 "));
	actor_free(g1);
	actor_free(g2);
}

Test(presence, a_connection_without_an_id_is_refused_and_counted)
{
	start_presence("10s");
	struct actor *g1 = gateway_new("g1", 1);

	say_opened(g1, "", "ann");
	until_answer("/metrics", "\npresence_opened_refused_total 1\n");
	actor_free(g1);
}

Test(presence, a_replay_is_counted)
{
	Link__Replayed replayed = LINK__REPLAYED__INIT;

	start_presence("10s");
	struct actor *g1 = gateway_new("g1", 1);

	cr_assert_eq(link_send_replayed(g1->presence, &replayed, NULL), OK);
	until_answer("/metrics", "\npresence_replayed_total 1\n");
	actor_free(g1);
}

Test(presence, a_router_has_no_say_in_who_is_online)
{
	start_presence("10s");
	struct actor *r1 = actor_new(LINK__ROLE__ROLE_ROUTER, "r1", 1);

	say_opened(r1, "c1", "ann");
	say_lease(r1, 5000);
	until_answer("/api/v1/processes", "\"role\":\"router\",\"name\":\"r1\","
					  "\"incarnation\":\"0000000000000001\","
					  "\"connections\":17,\"leaseMs\":5000");
	cr_expect(answer_has("/metrics", "\npresence_envelope_unknown_total 1\n"));
	cr_expect(answer_has("/api/v1/stats", "\"users\":0,\"connections\":0"));
	actor_free(r1);
}

/* ---- who lives */

Test(presence, everyone_is_told_who_lives)
{
	start_presence("10s");
	struct actor *g1 = gateway_new("g1", 1);

	until_peers(g1, "g1:1 ");
	cr_expect_not(g1->is_settled);
	struct actor *r1 = actor_new(LINK__ROLE__ROLE_ROUTER, "r1", 1);

	until_peers(r1, "g1:1 r1:2 ");
	until_peers(g1, "g1:1 r1:2 ");
	actor_free(g1);
	actor_free(r1);
}

Test(presence, after_a_lease_it_is_settled)
{
	start_presence("300ms");
	struct actor *g1 = gateway_new("g1", 1);

	say_lease(g1, LONG_MS);
	until_int(&g1->topologies_n, 2);
	cr_expect(g1->is_settled);
	cr_expect(answer_has("/api/v1/stats", "\"isSettled\":true"));
	actor_free(g1);
}

Test(presence, the_sessions_of_a_gateway_go_with_its_lease)
{
	start_presence("10s");
	struct actor *g1 = gateway_new("g1", 1);
	struct actor *g2 = gateway_new("g2", 2);

	say_opened(g1, "c1", "ann");
	say_opened(g2, "c2", "ben");
	say_lease(g1, 300);
	until_users("\"users\":2");
	actor_free(g1);
	until_users("\"users\":1,\"connections\":1,\"gateways\":1");
	cr_expect(answer_has("/api/v1/users", "\"userId\":\"ben\""));
	until_peers(g2, "g2:1 ");
	actor_free(g2);
}

Test(presence, a_link_that_breaks_within_the_lease_changes_nothing)
{
	const char *downs = "\npresence_link_downs_total 1\n";

	start_presence_with("10s", "--link_stream_timeout=2s");
	struct actor *g1 = gateway_new("g1", 1);

	say_opened(g1, "c1", "ann");
	until_users("\"users\":1");
	/* Without turns it sends no heartbeat. */
	for (int64_t end_ms = now_ms() + DEADLINE_MS; !answer_has("/metrics", downs);)
		cr_assert(now_ms() < end_ms, "the link was kept");
	say_opened(g1, "c2", "ben");
	until_users("\"users\":2,\"connections\":2,\"gateways\":1");
	cr_expect(answer_has("/metrics", "\npresence_process_lost_total 0\n"));
	cr_expect_eq(g1->losts_n, 0);
	cr_expect_eq(g1->news_n, 1);
	actor_free(g1);
}

Test(presence, who_was_given_up_but_lives_tells_everything_again)
{
	start_presence("10s");
	struct actor *g1 = gateway_new("g1", 1);

	say_opened(g1, "c1", "ann");
	until_users("\"users\":1");
	say_lease(g1, 150); /* and no more, though the link is kept */
	until_int(&g1->news_n, 2);
	cr_expect_eq(g1->losts_n, 1);
	until_users("\"users\":0,\"connections\":0,\"gateways\":1");
	say_opened(g1, "c1", "ann");
	until_users("\"users\":1,\"connections\":1,\"gateways\":1");
	cr_expect(answer_has("/metrics", "\npresence_lease_expired_total 1\n"));
	actor_free(g1);
}

Test(presence, a_new_life_of_a_gateway_ends_the_old_ones_sessions)
{
	start_presence("10s");
	struct actor *g1 = gateway_new("g1", 1);

	say_opened(g1, "c1", "ann");
	until_users("\"users\":1");
	actor_free(g1);
	g1 = gateway_new("g1", 9);
	until_users("\"users\":0,\"connections\":0,\"gateways\":1");
	cr_expect(answer_has("/api/v1/processes", "\"0000000000000009\""));
	cr_expect(answer_has("/metrics", "\npresence_lease_expired_total 0\n"));
	actor_free(g1);
}

Test(presence, when_it_stood_still_itself_nobody_is_given_up)
{
	const struct timespec stall = { .tv_sec = 2, .tv_nsec = 500000000 };

	start_presence("10s");
	struct actor *g1 = gateway_new("g1", 1);

	say_opened(g1, "c1", "ann");
	say_lease(g1, 900);
	until_answer("/api/v1/processes", "\"leaseMs\":900");
	kill(child.pid, SIGSTOP);
	(void)nanosleep(&stall, NULL); /* the fault itself */
	kill(child.pid, SIGCONT);
	until_answer("/metrics", "\npresence_stalled_total 1\n");
	say_lease(g1, LONG_MS);
	until_answer("/api/v1/processes", "\"leaseMs\":60000");
	cr_expect(answer_has("/api/v1/stats", "\"users\":1"));
	cr_expect_eq(g1->losts_n, 0);
	actor_free(g1);
}

Test(presence, beyond_loopback_it_needs_a_token)
{
	char key_flag[64];
	struct child refused;

	(void)snprintf(key_flag, sizeof(key_flag), "--link_key_file=%s", key_path);
	child_start(&refused, &presence_proc_ops, "--link_listen=tcp://127.0.0.1:0",
		    "--admin_listen=0.0.0.0:0", key_flag, NULL);
	cr_expect_eq(child_wait(&refused), 1);
	cr_expect_not_null(strstr(refused.err_text, "admin_token_file"));
}
