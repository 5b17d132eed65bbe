// SPDX-License-Identifier: Apache-2.0
// Presence in a Redis that two replicas share: a replica is killed; Redis is killed, stands
// still, is emptied, fails over. Messages flow meanwhile; who is here is exact again within
// seconds, and every coming and going is told once.
"use strict";

const { test } = require("node:test");
const assert = require("node:assert/strict");
const { withCluster } = require("../kit/cluster.js");
const { connect } = require("../kit/clients.js");
const { freshRoom } = require("../kit/chat.js");
const { Feed } = require("../kit/feed.js");
const { startRedis, startSentinels } = require("../kit/redis.js");
const { Traffic } = require("../kit/traffic.js");
const { waitFor } = require("../kit/wait.js");

const REPLICAS = ["p1", "p2"];
const LEASE = ["--lease=4s", "--link_stream_timeout=1500ms", "--link_ping_interval=300ms"];
// A failover, or Redis standing still, must not pass for the end of a lease.
const REDIS = ["--redis_timeout=1s", "--redis_connect_timeout=1s"];
const EXACT_MS = 5000; // after Redis is back
const WAIT_MS = 30000;

async function usersAt(cluster, replica) {
	const { users } = await cluster.adminJson("/api/v1/users", replica);
	return users.map((user) => user.userId).sort().join(" ");
}

// How long it took until all replicas knew just these.
async function untilExact(cluster, userIds, replicas = REPLICAS, deadlineMs = WAIT_MS) {
	const wanted = [...userIds].sort().join(" ");
	const began = performance.now();
	let last = "";
	for (const replica of replicas)
		await waitFor(async () => (last = await usersAt(cluster, replica)) === wanted, deadlineMs,
			`${replica} to know ${wanted}`).catch((error) => {
			throw new Error(`${error.message}; last: ${last}`);
		});
	return Math.round(performance.now() - began);
}

async function untilSettled(cluster) {
	for (const replica of REPLICAS)
		await waitFor(async () => (await cluster.adminJson("/api/v1/stats", replica)).isSettled, WAIT_MS, "settled");
}

function openFeed(t, cluster, replica, lastId) {
	return Feed.open(t, cluster.program(replica).admins[0], lastId);
}

// Each replica reads the store's events in its own time; what is told from now on counts.
async function untilCame(feeds, userIds) {
	const came = (feed) => userIds.every((userId) => feed.of(userId) === "+");
	await Promise.all(feeds.map((feed) => feed.until(() => came(feed), "everybody's coming")));
	feeds.forEach((feed) => feed.forget());
}

/*
 * Two gateways, two replicas, a few who stay and talk, one (leaves) who goes while
 * `breaks` has broken something, one who comes then, and the judgement once `mends` is done.
 */
async function faultUnderTraffic(t, redis, { breaks, mends }) {
	const args = { gatewayArgs: LEASE, routerArgs: LEASE, presenceArgs: [...LEASE, ...REDIS] };
	await withCluster({ ...args, gateways: 2, routers: 2, presences: 2, redis: redis.url() }, async (cluster) => {
		await untilSettled(cluster);
		const feeds = await Promise.all(REPLICAS.map((replica) => openFeed(t, cluster, replica)));
		const stay = [await connect(t, cluster.urls[0], { userId: "s1" }),
			await connect(t, cluster.urls[1], { userId: "s2" }), await connect(t, cluster.urls[1], { userId: "s1" })];
		const leaves = await connect(t, cluster.urls[0], { userId: "leaves" });
		await untilExact(cluster, ["s1", "s2", "leaves"]);
		await untilCame(feeds, ["s1", "s2", "leaves"]);
		const traffic = new Traffic(new Map([[freshRoom(), stay.slice(0, 2)]])); // of different users
		await traffic.start();
		await traffic.flows();

		await breaks(redis);
		await leaves.stop();
		const comes = await connect(t, cluster.urls[1], { userId: "comes" });
		await traffic.flows(50);
		await mends(redis, cluster);

		const tookMs = await untilExact(cluster, ["comes", "s1", "s2"]);
		await traffic.flows();
		// What waited for the end of the quiet phase is told by then.
		await Promise.all(feeds.map((feed) => feed.until(() => feed.of("comes") === "+", "the coming")));
		await Promise.all(feeds.map((feed) => feed.until(() => feed.of("leaves") === "-", "the going")));
		await comes.stop();
		await Promise.all(feeds.map((feed) => feed.until(() => feed.of("comes") === "+-", "the going")));
		await traffic.stop();
		await traffic.check();
		for (const feed of feeds) {
			assert.equal(feed.of("leaves"), "-");
			assert.equal(feed.of("s1") + feed.of("s2"), "", "who stays was told of");
		}
		assert.deepEqual(feeds[0].events.map((event) => event.id), feeds[1].events.map((event) => event.id));
		assert.deepEqual(stay.flatMap((client) => client.states), []);
		assert.deepEqual(traffic.lanes.flatMap((lane) => lane.refused), []);
		t.diagnostic(`exact ${tookMs} ms after Redis was back; feed: ${feeds[0].text({ resets: true })}`);
		assert.ok(tookMs <= EXACT_MS, `it took ${tookMs} ms`);
	});
}

async function withRedis(t, body) {
	const redis = await startRedis();
	t.after(() => redis.stop());
	await body(redis);
}

test("Redis is killed and comes back empty", (t) => withRedis(t, (redis) => faultUnderTraffic(t, redis, {
	breaks: () => redis.master.kill(),
	mends: () => redis.master.start(),
})));

test("Redis stands still and goes on", (t) => withRedis(t, (redis) => faultUnderTraffic(t, redis, {
	breaks: () => redis.master.pause(),
	// Not before both have left their connections for dead.
	mends: async (_, cluster) => {
		for (const replica of REPLICAS)
			await waitFor(async () => (await cluster.metrics(replica)).get("presence_redis_timeouts_total") > 0,
				WAIT_MS, `${replica} to give Redis up`);
		redis.master.resume();
	},
})));

test("Redis is emptied", (t) => withRedis(t, (redis) => faultUnderTraffic(t, redis, {
	breaks: () => redis.flush(),
	mends: () => {},
})));

test("Redis fails over to its replica", async (t) => {
	const redis = await startSentinels();
	t.after(() => redis.stop());
	let old;
	await faultUnderTraffic(t, redis, {
		breaks: () => {
			old = redis.master;
			return old.kill();
		},
		mends: () => redis.waitFailover(old),
	});
});

test("a replica of presence is killed, and another goes on", (t) => withRedis(t, async (redis) => {
	const args = { gatewayArgs: LEASE, routerArgs: LEASE, presenceArgs: LEASE };
	await withCluster({ ...args, gateways: 3, routers: 2, presences: 2, redis: redis.url() }, async (cluster) => {
		await untilSettled(cluster);
		const feed = await openFeed(t, cluster, "p2");
		const lost = await openFeed(t, cluster, "p1");
		const stay = [];
		for (const [i, url] of cluster.urls.entries())
			stay.push(await connect(t, url, { userId: `s${i}` }));
		const ann = await connect(t, cluster.urls[0], { userId: "ann" });
		await untilExact(cluster, ["ann", "s0", "s1", "s2"]);
		await untilCame([feed, lost], ["ann", "s0", "s1", "s2"]);
		const traffic = new Traffic(new Map([[freshRoom(), stay]]));
		await traffic.start();

		await cluster.kill("p1");
		await ann.stop();
		const bob = await connect(t, cluster.urls[1], { userId: "bob" });
		await feed.until(() => feed.of("bob") === "+" && feed.of("ann") === "-", "both");
		await untilExact(cluster, ["bob", "s0", "s1", "s2"], ["p2"]);
		await waitFor(() => lost.isEnded, WAIT_MS, "the end of the other feed");
		await cluster.restart("p1");
		// From where its feed broke: the same ids, wherever they are asked for.
		const back = await openFeed(t, cluster, "p1", feed.events[0].id);
		await bob.stop();
		await feed.until(() => feed.of("bob") === "+-", "the going");
		await back.until(() => back.of("bob").endsWith("-"), "the going");
		await untilExact(cluster, ["s0", "s1", "s2"]);

		assert.equal(feed.of("ann"), "-");
		assert.equal(feed.events.length, 3, feed.text({ resets: true }));
		assert.deepEqual(back.events, feed.events.slice(1));
		await traffic.flows();
		await traffic.stop();
		await traffic.check();
		assert.deepEqual(stay.flatMap((client) => client.states), []);
	});
}));

test("a replica that stood still past every lease harms nobody", (t) => withRedis(t, async (redis) => {
	const args = ["--lease=6s", "--link_stream_timeout=1500ms", "--link_ping_interval=300ms"];
	const options = { gatewayArgs: args, routerArgs: args, presenceArgs: args, gateways: 3, routers: 1 };
	await withCluster({ ...options, presences: 2, redis: redis.url() }, async (cluster) => {
		await untilSettled(cluster);
		const feed = await openFeed(t, cluster, "p2");
		const stay = [];
		for (const [i, url] of cluster.urls.entries())
			stay.push(await connect(t, url, { userId: `s${i}` }));
		await untilExact(cluster, ["s0", "s1", "s2"]);
		await untilCame([feed], ["s0", "s1", "s2"]);

		process.kill(cluster.program("p1").pid, "SIGSTOP");
		// The fault itself lasts for longer than a lease and what a registration outlives it by.
		await new Promise((resolve) => setTimeout(resolve, 8000));
		process.kill(cluster.program("p1").pid, "SIGCONT");
		const comes = await connect(t, cluster.urls[0], { userId: "comes" });
		await untilExact(cluster, ["comes", "s0", "s1", "s2"]);
		await comes.stop();

		await feed.until(() => feed.of("comes") === "+-", "the going");
		assert.equal(feed.text({ resets: true }), "+comes -comes");
		assert.ok((await cluster.metrics("p1")).get("presence_stalled_total") >= 1);
		assert.deepEqual(stay.flatMap((client) => client.states), []);
	});
}));
