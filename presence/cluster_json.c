/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One object a process, with what it last said of itself; the ring's shards, which are
 * those that routers have a lease for and those that gateways are configured to need; the
 * largest groups of all shards.
 */
#include "presence/cluster_json.h"

#include <math.h>

#include "presence/admin_json.h"
#include "presence/json_put.h"
#include "presence/presence.h"
#include "presence/resharding_json.h"

/* Sorted and unique: as the ring wants them. */
struct shard_names {
	struct slice names[RING_MEMBERS_MAX];
	size_t n;
};

static const struct process *process_at(struct list *node)
{
	struct lease *lease = CONTAINER_OF(node, struct lease, node);

	return CONTAINER_OF(lease, struct process, lease);
}

/* ---- sums */

struct report_sum cluster_json_sum(const struct leases *leases, int64_t now_ms)
{
	struct report_sum sum = { 0 };

	LIST_EACH (node, &leases->all) {
		const struct process *process = process_at(node);

		if (process->lease.role == LINK__ROLE__ROLE_GATEWAY)
			report_add(&process->report, now_ms, &sum);
	}
	return sum;
}

static void put_ms(struct buf *out, const char *key, int64_t us)
{
	json_put_real(out, key, us < 0 ? (double)NAN : (double)us / 1000);
}

static void put_sum(struct buf *out, const struct report_sum *sum)
{
	static const struct {
		const char *key;
		enum report_total total;
	} rates[] = {
		{ "messagesInPerSecond", REPORT_MESSAGES_IN },
		{ "messagesOutPerSecond", REPORT_MESSAGES_OUT },
		{ "bytesInPerSecond", REPORT_BYTES_IN },
		{ "bytesOutPerSecond", REPORT_BYTES_OUT },
	};
	const struct report_latency latency = report_latency(sum);

	for (size_t i = 0; i < sizeof(rates) / sizeof(rates[0]); i++)
		json_put_real(out, rates[i].key, sum->per_second[rates[i].total]);
	json_put_open(out, "latency", '{');
	json_put_count(out, "count", latency.n);
	put_ms(out, "p50Ms", latency.p50_us);
	put_ms(out, "p95Ms", latency.p95_us);
	put_ms(out, "p99Ms", latency.p99_us);
	buf_append_byte(out, '}');
}

/* ---- processes */

static void put_links(struct buf *out, const struct report *report)
{
	json_put_open(out, "links", '[');
	for (size_t i = 0; i < report->links_n; i++) {
		const struct report_link *link = &report->links[i];

		json_put_open(out, NULL, '{');
		json_put_text(out, "role", admin_json_role(link->role));
		json_put_text(out, "name", link->name);
		json_put_bool(out, "isUp", link->is_up);
		json_put_number(out, "waitingBytes", link->waiting_bytes);
		buf_append_byte(out, '}');
	}
	buf_append_byte(out, ']');
}

/* What is not its role's is left out. */
static void put_report(struct buf *out, const struct process *process, int64_t now_ms)
{
	const struct report *report = &process->report;
	struct report_sum sum = { 0 };

	report_add(report, now_ms, &sum);
	json_put_time(out, "startedAt", report->started_unix_ms);
	put_sum(out, &sum);
	json_put_real(out, "cpu", sum.per_second[REPORT_CPU_US] / 1000000);
	json_put_number(out, "memoryBytes", report->memory_bytes);
	json_put_bool(out, "isDraining", report->is_draining);
	if (process->lease.role == LINK__ROLE__ROLE_ROUTER) {
		json_put_number(out, "groups", report->groups);
		json_put_number(out, "memberships", report->memberships);
		json_put_number(out, "calls", report->calls);
	} else {
		json_put_number(out, "users", report->users);
		json_put_number(out, "queueBytes", report->queue_bytes);
	}
	put_links(out, report);
}

static void put_process(struct buf *out, const struct process *process, int64_t now_ms)
{
	const struct lease *lease = &process->lease;
	const struct report *report = &process->report;
	const int64_t age_ms = report_age_ms(report, now_ms);

	json_put_text(out, "role", admin_json_role(lease->role));
	json_put_text(out, "name", slice_from_str(lease->name));
	admin_json_incarnation(out, lease->incarnation);
	json_put_bool(out, "isUp", link_peer_is_up(process->peer));
	json_put_bool(out, "isHome",
		      process->home.state == HOME_HERE || process->follower != NULL);
	json_put_number(out, "leaseMs", lease->lease_ms);
	json_put_number(out, "seenMs", now_ms - lease->seen_ms);
	json_put_number(out, "connections",
			age_ms < 0 ? lease->connections : report->connections);
	if (age_ms < 0) {
		json_put_real(out, "reportedMs", (double)NAN);
		return;
	}
	json_put_number(out, "reportedMs", age_ms);
	put_report(out, process, now_ms);
}

static void put_processes(struct buf *out, const struct leases *leases, int64_t now_ms)
{
	json_put_open(out, "processes", '[');
	LIST_EACH (node, &leases->all) {
		json_put_open(out, NULL, '{');
		put_process(out, process_at(node), now_ms);
		buf_append_byte(out, '}');
	}
	buf_append_byte(out, ']');
}

/* ---- shards */

/* Past the ring's limit there are none: routers and gateways refuse such a list. */
static void names_add(struct shard_names *names, struct slice name)
{
	size_t low = 0;
	size_t high = names->n;

	while (low < high) {
		const size_t middle = low + (high - low) / 2;
		const int order = slice_compare(names->names[middle], name);

		if (order == 0)
			return;
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	if (names->n == RING_MEMBERS_MAX)
		return;
	memmove(&names->names[low + 1], &names->names[low],
		(names->n - low) * sizeof(names->names[0]));
	names->names[low] = name;
	names->n++;
}

/* By the map, once there is one; else by what routers and gateways were given. */
static void names_of_map(struct shard_names *names, const struct shard_map *map)
{
	for (size_t i = 0; i < map->all.n; i++) {
		if (shard_map_is_active(map, i))
			names_add(names, slice_from_str(map->all.items[i].name));
	}
}

static void names_collect(struct shard_names *names, const struct leases *leases)
{
	LIST_EACH (node, &leases->all) {
		const struct process *process = process_at(node);
		const struct report *report = &process->report;

		if (process->lease.role == LINK__ROLE__ROLE_ROUTER)
			names_add(names, slice_from_str(process->lease.name));
		for (size_t i = 0; i < report->links_n; i++) {
			if (report->links[i].role == LINK__ROLE__ROLE_ROUTER)
				names_add(names, report->links[i].name);
		}
	}
}

static bool has_router(const struct leases *leases, struct slice name)
{
	LIST_EACH (node, &leases->all) {
		const struct lease *lease = &process_at(node)->lease;

		if (lease->role == LINK__ROLE__ROLE_ROUTER &&
		    slice_equal(slice_from_str(lease->name), name))
			return true;
	}
	return false;
}

static void put_shards(struct buf *out, struct presence *presence)
{
	const struct leases *leases = &presence->processes.leases;
	struct shard_names names = { .n = 0 };
	const double *shares;

	if (presence->resharding.map.epoch > 0)
		names_of_map(&names, &presence->resharding.map);
	else
		names_collect(&names, leases);
	shares = shares_of(&presence->shares, names.names, names.n);
	json_put_open(out, "shards", '[');
	for (size_t i = 0; i < names.n; i++) {
		json_put_open(out, NULL, '{');
		json_put_text(out, "name", names.names[i]);
		json_put_real(out, "share", shares[i]);
		json_put_bool(out, "isHere", has_router(leases, names.names[i]));
		buf_append_byte(out, '}');
	}
	buf_append_byte(out, ']');
}

/* ---- groups */

static void put_groups(struct buf *out, const struct leases *leases)
{
	struct report_top top = { .n = 0 };

	LIST_EACH (node, &leases->all)
		report_top_add(&top, &process_at(node)->report);
	json_put_open(out, "groupsTop", '[');
	for (size_t i = 0; i < top.n; i++) {
		json_put_open(out, NULL, '{');
		json_put_text(out, "hub", top.groups[i].hub);
		json_put_text(out, "name", top.groups[i].name);
		json_put_count(out, "members", top.groups[i].members);
		buf_append_byte(out, '}');
	}
	buf_append_byte(out, ']');
}

/* ---- the bodies */

static void put_store(struct buf *out, const struct presence *presence)
{
	const struct store *store = presence->store;
	const char *redis = presence->conf->redis.url;
	const bool is_redis = redis != NULL && redis[0] != '\0';
	const int64_t since_ms = store->ops->away_since_ms(store);
	const int64_t now_ms = loop_unix_ms(presence->loop);
	const double stale_ms = now_ms > since_ms ? (double)(now_ms - since_ms) : 0;

	json_put_open(out, "store", '{');
	json_put_text(out, "kind", is_redis ? SLICE("redis") : SLICE("memory"));
	json_put_bool(out, "isAway", since_ms != 0);
	json_put_real(out, "staleSeconds", since_ms != 0 ? stale_ms / 1000 : (double)NAN);
	buf_append_byte(out, '}');
}

void cluster_json_stats(struct buf *out, const struct presence *presence, size_t users,
			size_t connections)
{
	const struct leases *leases = &presence->processes.leases;
	const int64_t now_ms = loop_now_ms(presence->loop);
	const struct report_sum sum = cluster_json_sum(leases, now_ms);

	buf_append_byte(out, '{');
	json_put_number(out, "users", (int64_t)users);
	json_put_number(out, "connections", (int64_t)connections);
	json_put_number(out, "gateways",
			(int64_t)leases_count(leases, LINK__ROLE__ROLE_GATEWAY));
	json_put_number(out, "routers",
			(int64_t)leases_count(leases, LINK__ROLE__ROLE_ROUTER));
	put_sum(out, &sum);
	put_store(out, presence);
	json_put_number(out, "uptimeMs", now_ms - presence->started_ms);
	json_put_bool(out, "isSettled", presence_is_settled(presence));
	buf_append_byte(out, '}');
}

void cluster_json(struct buf *out, struct presence *presence)
{
	const struct leases *leases = &presence->processes.leases;

	buf_append_byte(out, '{');
	json_put_time(out, "at", loop_unix_ms(presence->loop));
	json_put_text(out, "presence", slice_from_str(presence->conf->proc.name));
	put_processes(out, leases, loop_now_ms(presence->loop));
	resharding_json(out, "shardMap", &presence->resharding);
	put_shards(out, presence);
	put_groups(out, leases);
	buf_append_byte(out, '}');
}

static void put_counted(struct buf *out, const char *key, int64_t n)
{
	if (n < 0)
		json_put_real(out, key, (double)NAN);
	else
		json_put_number(out, key, n);
}

static void put_sample(struct buf *out, const struct trend_sample *sample)
{
	json_put_open(out, NULL, '{');
	json_put_time(out, "at", sample->at_unix_ms);
	put_counted(out, "users", sample->users);
	put_counted(out, "connections", sample->connections);
	json_put_real(out, "messagesInPerSecond", sample->messages_in_per_second);
	json_put_real(out, "messagesOutPerSecond", sample->messages_out_per_second);
	put_ms(out, "p50Ms", sample->p50_us);
	put_ms(out, "p95Ms", sample->p95_us);
	put_ms(out, "p99Ms", sample->p99_us);
	buf_append_byte(out, '}');
}

void cluster_json_history(struct buf *out, const struct presence *presence)
{
	buf_append_byte(out, '{');
	json_put_time(out, "at", loop_unix_ms(presence->loop));
	json_put_open(out, "samples", '[');
	for (size_t i = 0; i < trend_kept(&presence->trend); i++)
		put_sample(out, trend_at(&presence->trend, i));
	buf_append_str(out, "]}");
}
