/* SPDX-License-Identifier: Apache-2.0 */
/* The bodies about the cluster, from processes that are in the table without a socket. */
#include "presence/cluster_json.h"

#include <criterion/criterion.h>
#include <stdio.h>

#include "presence/on_peer.h"
#include "presence/presence.h"
#include "proto/link/link_private.h"

static struct presence presence;
static struct presence_conf conf;
static char name[] = "p1";
static char redis[] = "redis://127.0.0.1";
static struct buf out;
static int64_t away_since_ms;

static int64_t on_away_since_ms(const struct store *store)
{
	(void)store;
	return away_since_ms;
}

static const struct store_ops store_ops = { .away_since_ms = on_away_since_ms };
static struct store store = { .ops = &store_ops };

static struct process *expect(Link__Role role, const char *process_name)
{
	struct link_peer *peer = link_expect(presence.link, role, process_name);

	peer->incarnation = 7; /* as after a greeting */
	process_new(&presence.processes, peer);
	return process_of(peer);
}

static void setup(void)
{
	struct link_options options = {
		.role = LINK__ROLE__ROLE_PRESENCE,
		.name = "p1",
		.incarnation = 1,
		.keys = &SECRETS_OF(SLICE("0123456789abcdef0123456789abcdef")),
		.window_bytes_max = 65536,
		.ping_interval_ms = 50,
		.stream_timeout_ms = 5000,
		.peer_timeout_ms = 5000,
		.ops = &presence_link_ops,
		.owner = &presence,
		.stats = &presence.metrics.link,
	};

	conf.proc.name = name;
	conf.link.lease_ms = 1000;
	conf.redis.url = NULL;
	away_since_ms = 0;
	presence.conf = &conf;
	presence.store = &store;
	presence.loop = loop_new();
	presence.link = link_new(presence.loop, &options);
	presence.started_ms = loop_now_ms(presence.loop);
	processes_init(&presence.processes, &presence);
	resharding_init(&presence.resharding, &presence);
	topology_init(&presence.topology, &presence, 1000);
}

static void teardown(void)
{
	topology_fini(&presence.topology);
	processes_fini(&presence.processes);
	resharding_fini(&presence.resharding);
	link_free(presence.link);
	loop_free(presence.loop);
	buf_fini(&out);
}

TestSuite(cluster_json, .init = setup, .fini = teardown);

/* As said four seconds ago, and now, with `n` more of everything. */
static void report(struct process *process, Link__Report *said, uint64_t n)
{
	const int64_t now_ms = loop_now_ms(presence.loop);

	cr_assert_eq(report_take(&process->report, said, now_ms - 4000), 0);
	said->messages_in_total += n;
	said->messages_out_total += 2 * n;
	said->cpu_us_total += n * 1000;
	cr_assert_eq(report_take(&process->report, said, now_ms), 0);
}

static void expect_has(const char *text)
{
	buf_append_byte(&out, '\0');
	out.len--;
	cr_expect_not_null(strstr(out.ptr, text), "%s is not in %s", text, out.ptr);
}

static void expect_without(const char *text)
{
	buf_append_byte(&out, '\0');
	out.len--;
	cr_expect_null(strstr(out.ptr, text), "%s is in %s", text, out.ptr);
}

Test(cluster_json, stats_of_an_empty_cluster)
{
	cluster_json_stats(&out, &presence, 3, 4);
	expect_has("{\"users\":3,\"connections\":4,\"gateways\":0,\"routers\":0,"
		   "\"messagesInPerSecond\":0.000,\"messagesOutPerSecond\":0.000,"
		   "\"bytesInPerSecond\":0.000,\"bytesOutPerSecond\":0.000,"
		   "\"latency\":{\"count\":0,\"p50Ms\":null,\"p95Ms\":null,\"p99Ms\":"
		   "null},");
	expect_has("\"store\":{\"kind\":\"memory\",\"isAway\":false,\"staleSeconds\":"
		   "null},");
	expect_has("\"isSettled\":false}");
}

Test(cluster_json, stats_are_settled_when_processes_and_connections_are)
{
	presence.topology.is_settled = true;
	cluster_json_stats(&out, &presence, 3, 4);
	expect_has("\"isSettled\":false}");
	buf_clear(&out);
	presence.upkeep.is_settled = true;
	cluster_json_stats(&out, &presence, 3, 4);
	expect_has("\"isSettled\":true}");
}

Test(cluster_json, stats_tell_how_old_the_store_is)
{
	conf.redis.url = redis;
	away_since_ms = loop_unix_ms(presence.loop) - 42000;
	cluster_json_stats(&out, &presence, 3, 4);
	expect_has("\"store\":{\"kind\":\"redis\",\"isAway\":true,\"staleSeconds\":42.0");
	buf_clear(&out);
	away_since_ms = loop_unix_ms(presence.loop) + 1000; /* the clock was set back */
	cluster_json_stats(&out, &presence, 3, 4);
	expect_has("\"staleSeconds\":0.000}");
}

Test(cluster_json, stats_are_of_gateways_alone)
{
	Link__Report said = LINK__REPORT__INIT;
	uint8_t buckets[HISTOGRAM_BUCKETS * 8] = { 0 };

	report(expect(LINK__ROLE__ROLE_GATEWAY, "g1"), &said, 400);
	said.latency_buckets.data = buckets;
	said.latency_buckets.len = sizeof(buckets);
	report(expect(LINK__ROLE__ROLE_GATEWAY, "g2"), &said, 800);
	report(expect(LINK__ROLE__ROLE_ROUTER, "r1"), &said, 4000);
	cluster_json_stats(&out, &presence, 0, 0);
	expect_has("\"gateways\":2,\"routers\":1,\"messagesInPerSecond\":300.000,"
		   "\"messagesOutPerSecond\":600.000,");
}

Test(cluster_json, a_sample_that_the_store_told_nothing_for)
{
	trend_add(&presence.trend, &(struct trend_sample){ .at_unix_ms = 1,
							   .users = -1,
							   .connections = -1,
							   .messages_in_per_second = 2.5,
							   .p50_us = -1,
							   .p95_us = -1,
							   .p99_us = 1500 });
	trend_add(&presence.trend,
		  &(struct trend_sample){ .at_unix_ms = 2001, .users = 3 });
	cluster_json_history(&out, &presence);
	expect_has("\"samples\":[{\"at\":\"1970-01-01T00:00:00.001Z\",\"users\":null,"
		   "\"connections\":null,\"messagesInPerSecond\":2.500,"
		   "\"messagesOutPerSecond\":0.000,\"p50Ms\":null,\"p95Ms\":null,"
		   "\"p99Ms\":1.500},{\"at\":\"1970-01-01T00:00:02.001Z\",\"users\":3,");
	presence.trend.n = 0;
}

Test(cluster_json, a_process_that_has_not_reported)
{
	expect(LINK__ROLE__ROLE_GATEWAY, "g1");
	cluster_json(&out, &presence);
	expect_has("\"presence\":\"p1\",\"processes\":[{\"role\":\"gateway\","
		   "\"name\":\"g1\",\"incarnation\":\"0000000000000007\","
		   "\"isUp\":false,\"isHome\":false,\"leaseMs\":1000,");
	expect_has("\"connections\":0,\"reportedMs\":null}]");
	expect_has("\"shards\":[],\"groupsTop\":[]}");
}

Test(cluster_json, a_router_says_what_is_its_own)
{
	Link__Report said = LINK__REPORT__INIT;
	Link__GroupSize group = LINK__GROUP_SIZE__INIT;
	Link__GroupSize *groups[] = { &group };

	said.groups = 3;
	said.memberships = 12;
	said.calls = 1;
	said.memory_bytes = 4096;
	said.started_unix_ms = 1700000000123;
	group.hub = link_bytes(SLICE("chat"));
	group.name = link_bytes(SLICE("\"room\""));
	group.members = 9;
	said.groups_top = groups;
	said.n_groups_top = 1;
	report(expect(LINK__ROLE__ROLE_ROUTER, "r1"), &said, 2000);
	cluster_json(&out, &presence);
	expect_has("\"startedAt\":\"2023-11-14T22:13:20.123Z\"");
	expect_has("\"cpu\":0.500,\"memoryBytes\":4096,\"isDraining\":false,"
		   "\"groups\":3,\"memberships\":12,\"calls\":1,\"links\":[]}");
	expect_without("queueBytes");
	expect_has("\"groupsTop\":[{\"hub\":\"chat\",\"name\":\"\\\"room\\\"\","
		   "\"members\":9}]}");
}

Test(cluster_json, a_shard_that_gateways_need_but_nobody_is)
{
	Link__Report said = LINK__REPORT__INIT;
	Link__LinkState link = LINK__LINK_STATE__INIT;
	Link__LinkState *links[] = { &link };

	link.role = LINK__ROLE__ROLE_ROUTER;
	link.name = link_bytes(SLICE("r2"));
	link.waiting_bytes = 77;
	said.queue_bytes = 5;
	said.links = links;
	said.n_links = 1;
	expect(LINK__ROLE__ROLE_ROUTER, "r1");
	report(expect(LINK__ROLE__ROLE_GATEWAY, "g1"), &said, 0);
	report(expect(LINK__ROLE__ROLE_GATEWAY, "g2"), &said, 0);
	cluster_json(&out, &presence);
	expect_has("\"queueBytes\":5,\"links\":[{\"role\":\"router\",\"name\":\"r2\","
		   "\"isUp\":false,\"waitingBytes\":77}]}");
	expect_has("\"shards\":[{\"name\":\"r1\",\"share\":");
	expect_has("\"isHere\":true},{\"name\":\"r2\",\"share\":");
	expect_has("\"isHere\":false}],");
}

Test(cluster_json, no_more_shards_than_the_ring_takes)
{
	Link__Report said = LINK__REPORT__INIT;
	static Link__LinkState all[RING_MEMBERS_MAX + 1];
	static Link__LinkState *links[RING_MEMBERS_MAX + 1];
	static char names[RING_MEMBERS_MAX + 1][8];

	for (size_t i = 0; i <= RING_MEMBERS_MAX; i++) {
		link__link_state__init(&all[i]);
		(void)snprintf(names[i], sizeof(names[i]), "r%03zu", i);
		all[i].role = LINK__ROLE__ROLE_ROUTER;
		all[i].name = link_bytes(slice_from_str(names[i]));
		links[i] = &all[i];
	}
	said.links = links;
	said.n_links = RING_MEMBERS_MAX + 1;
	report(expect(LINK__ROLE__ROLE_GATEWAY, "g1"), &said, 0);
	cluster_json(&out, &presence);
	expect_has("{\"name\":\"r255\",\"share\":");
	expect_without("{\"name\":\"r256\",\"share\":");
}
