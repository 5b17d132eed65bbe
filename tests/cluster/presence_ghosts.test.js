// SPDX-License-Identifier: Apache-2.0
// No ghosts: who was at a gateway that died, or that stood still past its lease, is offline
// soon, once; who is elsewhere as well stays, and nobody is told anything of them.
"use strict";

const { test } = require("node:test");
const assert = require("node:assert/strict");
const { withCluster } = require("../kit/cluster.js");
const { connect } = require("../kit/clients.js");
const { Feed } = require("../kit/feed.js");
const { hold } = require("../kit/hold.js");
const { startRedis } = require("../kit/redis.js");
const { waitFor } = require("../kit/wait.js");

const LEASE_MS = 4000;
const HELD = 5000; // at the gateway that is lost, each a user of its own
const ELSEWHERE = 500; // of them have a connection at the other one, too
const WAIT_MS = 60000;

// Both stores: one replica with a memory of its own, two that share a Redis.
async function withStore(t, store, options, body) {
	const args = [`--lease=${options.leaseMs}ms`, `--link_stream_timeout=${options.leaseMs - 2500}ms`,
		"--link_ping_interval=200ms"];
	const shared = { gatewayArgs: args, routerArgs: args, presenceArgs: args, gateways: 2, routers: 1 };
	if (store === "memory")
		return withCluster(shared, body);
	const redis = await startRedis();
	t.after(() => redis.stop());
	return withCluster({ ...shared, presences: 2, redis: redis.url() }, body);
}

function stats(cluster) {
	return cluster.adminJson("/api/v1/stats");
}

function untilStats(cluster, condition, what, deadlineMs = WAIT_MS) {
	let last = null;
	return waitFor(async () => condition(last = await stats(cluster)), deadlineMs, what).catch((error) => {
		throw new Error(`${error.message}; last: ${JSON.stringify(last)}`);
	});
}

// Both feeds, if there are two replicas. Opened before anybody comes: each replica reads the
// store's events in its own time.
function openFeeds(t, cluster) {
	const names = Array.from({ length: cluster.options.presences }, (_, i) => `p${i + 1}`);
	return Promise.all(names.map((name) => Feed.open(t, cluster.program(name).admins[0])));
}

// All have told that so many came; what is told from now on counts.
async function untilCame(feeds, users) {
	const came = (feed) => feed.events.filter((event) => event.event === "online").length;
	await Promise.all(feeds.map((feed) => feed.until(() => came(feed) === users, "everybody's coming", WAIT_MS)));
	feeds.forEach((feed) => feed.forget());
}

async function sumMetric(cluster, name) {
	let sum = 0;
	for (let i = 1; i <= cluster.options.presences; i++)
		sum += (await cluster.metrics(`p${i}`)).get(name);
	return sum;
}

for (const store of ["memory", "Redis"]) {
	test(`the users of a killed gateway are offline within lease + 2 s: ${store}`, async (t) => {
		await withStore(t, store, { leaseMs: LEASE_MS }, async (cluster) => {
			await untilStats(cluster, (now) => now.isSettled, "presence to be settled");
			const feeds = await openFeeds(t, cluster);
			hold(t, cluster.addresses[0], { connections: HELD });
			hold(t, cluster.addresses[1], { connections: ELSEWHERE });
			await untilStats(cluster, (now) => now.connections === HELD + ELSEWHERE && now.users === HELD,
				"all to be here");
			await untilCame(feeds, HELD);
			const latencies = [];
			const dueMs = Date.now();

			await cluster.kill("g1");
			await untilStats(cluster, (now) => {
				latencies.push(Date.now());
				return now.connections === ELSEWHERE && now.users === ELSEWHERE;
			}, "only those elsewhere to be here", WAIT_MS);
			const tookMs = Date.now() - dueMs;

			for (const feed of feeds)
				await feed.until(() => feed.events.length >= HELD - ELSEWHERE, "everybody's going");
			for (const { events } of feeds) {
				const gone = events.map((event) => event.userId);
				assert.ok(events.every((event) => event.event === "offline"));
				assert.equal(new Set(gone).size, gone.length, "somebody went twice");
				assert.deepEqual(gone.map((id) => Number(id.slice("user-".length))).sort((a, b) => a - b),
					Array.from({ length: HELD - ELSEWHERE }, (_, i) => ELSEWHERE + i));
			}
			const pauses = latencies.slice(1).map((at, i) => at - latencies[i]);
			const sweepMs = feeds[0].events.at(-1).at - feeds[0].events[0].at;
			t.diagnostic(`${store}: ${HELD} connections offline ${tookMs} ms after the kill (lease ${LEASE_MS} ms), ` +
				`first to last in ${sweepMs} ms, no answer of the API took more than ${Math.max(...pauses)} ms`);
			assert.ok(tookMs <= LEASE_MS + 2000, `it took ${tookMs} ms`);
			assert.equal(await sumMetric(cluster, "presence_dropped_total"), HELD);
			assert.ok(await sumMetric(cluster, "presence_sweep_total") >= HELD / 500);
		});
	});

	test(`a gateway that stood still past its lease registers again: ${store}`, async (t) => {
		await withStore(t, store, { leaseMs: 3500 }, async (cluster) => {
			await untilStats(cluster, (now) => now.isSettled, "presence to be settled");
			const feeds = await openFeeds(t, cluster);
			const reconnect = { nextRetryDelayInMilliseconds: () => 100 };
			const ann = await connect(t, cluster.urls[0], { userId: "ann", reconnect });
			const ben = await connect(t, cluster.urls[0], { userId: "ben", reconnect });
			const both = await connect(t, cluster.urls[1], { userId: "ben" });
			await untilStats(cluster, (now) => now.connections === 3, "three connections");
			await untilCame(feeds, 2);

			process.kill(cluster.program("g1").pid, "SIGSTOP");
			await Promise.all(feeds.map((feed) => feed.untilText("-ann")));
			await untilStats(cluster, (now) => now.connections === 1 && now.users === 1, "one connection");
			process.kill(cluster.program("g1").pid, "SIGCONT");

			await Promise.all(feeds.map((feed) => feed.untilText("-ann +ann")));
			await untilStats(cluster, (now) => now.connections === 3 && now.users === 2, "three connections");
			await ann.stop();
			await both.stop();
			await ben.stop();
			await Promise.all(feeds.map((feed) => feed.untilText("-ann +ann -ann -ben")));
			await untilStats(cluster, (now) => now.connections === 0 && now.users === 0, "nobody");
		});
	});
}
