// SPDX-License-Identifier: Apache-2.0
// Who leads the cluster from some routers to others may go at any moment: the replica that
// leads is killed in each phase, Redis is away or empty in the middle, the only presence
// begins anew. It comes to its end all the same, and no message is lost meanwhile.
"use strict";

const { describe, test } = require("node:test");
const assert = require("node:assert/strict");
const fs = require("node:fs");
const os = require("node:os");
const path = require("node:path");
const { connect } = require("../kit/clients.js");
const { freshRoom } = require("../kit/chat.js");
const { withCluster } = require("../kit/cluster.js");
const { ctl } = require("../kit/ctl.js");
const { startRedis } = require("../kit/redis.js");
const { putRouters, shardMap, untilAgreed, untilMap, untilPhase, untilRouters } = require("../kit/shards.js");
const { collect, tester, testhub } = require("../kit/testhub.js");
const { Traffic } = require("../kit/traffic.js");
const { waitFor } = require("../kit/wait.js");

const LEASE = ["--lease=4s", "--link_stream_timeout=1500ms", "--link_ping_interval=300ms"];
const REDIS = ["--redis_timeout=1s", "--redis_connect_timeout=1s"];
const OLD = ["r1", "r2"];
const NEW = ["r1", "r2", "r3"];
const STREAMS = 40; // so many that some of them move
const WAIT_MS = 60000;

// Two gateways, two routers, people who talk, and a third router that waits.
async function clusterOf(t, options, body) {
	const whole = testhub({ gateways: 2, routers: 2, gatewayArgs: LEASE, routerArgs: LEASE, ...options,
		presenceArgs: [...LEASE, ...(options.redis ? REDIS : []), ...(options.presenceArgs ?? [])] });
	await withCluster(whole, async (cluster) => {
		await untilAgreed(cluster);
		const people = [];
		for (const i of [0, 1, 0, 1])
			people.push(await connect(t, cluster.urls[i], { userId: `person-${people.length}` }));
		const traffic = new Traffic(new Map([[freshRoom(), people.slice(0, 2)], [freshRoom(), people.slice(2)]]));
		await traffic.start();
		await traffic.flows();
		await cluster.addRouter("r3", cluster.routerList(NEW));
		await waitFor(async () => (await cluster.adminJson("/api/v1/processes")).processes.some((one) => one.name === "r3"),
			WAIT_MS, "r3 to be known");
		try {
			await body(cluster, traffic);
			await traffic.flows();
		} finally {
			await traffic.stop();
		}
		await traffic.check();
	});
}

async function redisOf(t) {
	const redis = await startRedis();
	t.after(() => redis.stop());
	return redis;
}

// Nothing goes past PREPARE, until it is let go.
async function holdPrepare(cluster, begin) {
	cluster.kill("r3", "SIGSTOP");
	await begin();
	await untilPhase(cluster, "prepare");
	return () => void cluster.kill("r3", "SIGCONT");
}

// Nothing goes past COMMIT: streams end where they began.
async function holdCommit(t, cluster, begin) {
	const streams = [];
	for (let i = 0; i < STREAMS; i++) {
		const client = await tester(t, cluster.urls[i % 2]);
		streams.push(collect(client.connection.stream("InfiniteStream")));
	}
	await begin();
	await untilPhase(cluster, "commit");
	return () => streams.forEach((one) => one.subscription.dispose());
}

const put = (cluster, replica) => () => putRouters(cluster, cluster.routerList(NEW), replica);

async function leaderOf(cluster, replica = "p1") {
	const map = await untilMap(cluster, ({ leader }) => leader !== "", "somebody to lead", { replica });
	return map.leader;
}

const otherOf = (leader) => (leader === "p1" ? "p2" : "p1");

describe("the replica that leads is killed", () => {
	for (const [phase, hold] of [["prepare", (t, cluster) => holdPrepare(cluster, put(cluster))],
		["commit", (t, cluster) => holdCommit(t, cluster, put(cluster))]])
		test(`in ${phase}: the other one goes on`, async (t) => {
			const redis = await redisOf(t);
			await clusterOf(t, { presences: 2, redis: redis.url() }, async (cluster, traffic) => {
				const leader = await leaderOf(cluster);
				const other = otherOf(leader);
				const letGo = await hold(t, cluster);
				const { epoch } = await untilPhase(cluster, phase, other);
				await cluster.kill(leader);
				await untilMap(cluster, (map) => map.isLeader, `${other} to lead`, { replica: other });
				assert.equal((await shardMap(cluster, other)).phase, phase);
				await traffic.flows();
				await letGo();
				const map = await untilRouters(cluster, NEW, other);
				assert.equal(map.epoch, epoch);
				await cluster.restart(leader);
				assert.equal((await untilRouters(cluster, NEW, leader)).epoch, epoch);
			});
		});
});

describe("Redis", () => {
	test("is away in the middle: it waits, and goes on", async (t) => {
		const redis = await redisOf(t);
		await clusterOf(t, { presences: 2, redis: redis.url() }, async (cluster, traffic) => {
			const letGo = await holdCommit(t, cluster, put(cluster));
			await redis.master.kill();
			await letGo();
			const map = await untilMap(cluster, ({ waitingFor }) => waitingFor.length === 0, "all to be done");
			assert.equal(map.phase, "commit");
			await traffic.flows(50);
			assert.equal((await shardMap(cluster)).phase, "commit");
			await redis.master.start();
			assert.equal((await untilRouters(cluster, NEW)).epoch, map.epoch);
			await untilRouters(cluster, NEW, "p2");
		});
	});

	test("is emptied in the middle: the map is told again", async (t) => {
		const redis = await redisOf(t);
		await clusterOf(t, { presences: 2, redis: redis.url() }, async (cluster) => {
			const letGo = await holdCommit(t, cluster, put(cluster));
			const { epoch } = await shardMap(cluster);
			await redis.flush();
			await letGo();
			const map = await untilRouters(cluster, NEW);
			assert.equal(map.epoch, epoch);
			assert.equal(map.target, cluster.routerList(NEW));
		});
	});
});

test("a cluster that starts from nothing goes by its lists, whatever Redis has of another one", async (t) => {
	const redis = await redisOf(t);
	let before = null;
	await clusterOf(t, { presences: 2, redis: redis.url() }, async (cluster) => {
		await putRouters(cluster, cluster.routerList(NEW));
		before = await untilRouters(cluster, NEW);
	});
	await clusterOf(t, { presences: 2, redis: redis.url() }, async (cluster) => {
		const map = await untilRouters(cluster, OLD);
		assert.ok(map.epoch > before.epoch, `${map.epoch}`);
		assert.equal(map.list, cluster.routerList(OLD));
		assert.equal(map.target, cluster.routerList(OLD));
	});
});

describe("the only presence begins anew", () => {
	for (const [phase, hold] of [["prepare", (t, cluster, begin) => holdPrepare(cluster, begin)],
		["commit", (t, cluster, begin) => holdCommit(t, cluster, begin)]])
		test(`in ${phase}: it goes on where the others are`, async (t) => {
			await clusterOf(t, {}, async (cluster) => {
				const letGo = await hold(t, cluster, put(cluster));
				const { epoch } = await shardMap(cluster);
				await cluster.kill("p1");
				await cluster.restart("p1");
				await untilPhase(cluster, phase);
				await letGo();
				assert.equal((await untilRouters(cluster, NEW)).epoch, epoch);
			});
		});
});

describe("what is wanted", () => {
	test("is an option that SIGHUP reads again, and nobody may put another", async (t) => {
		const file = path.join(fs.mkdtempSync(path.join(os.tmpdir(), "heliograph-conf-")), "presence.conf");
		t.after(() => fs.rmSync(path.dirname(file), { recursive: true }));
		fs.writeFileSync(file, "");
		await clusterOf(t, { presenceArgs: [`--conf=${file}`] }, async (cluster) => {
			for (const names of [NEW, ["r3"], OLD]) {
				fs.writeFileSync(file, `routers = ${cluster.routerList(names)}\n`);
				cluster.kill("p1", "SIGHUP");
				const map = await untilRouters(cluster, names);
				assert.equal(map.targetFrom, "option");
			}
			const { status, err } = await ctl(cluster.program("p1").ready.admin, ["routers", cluster.routerList(NEW)]);
			assert.equal(status, 1);
			assert.match(err, /option/);
		});
	});

	test("ctl waits for the end, and takes back what has no end", async (t) => {
		await clusterOf(t, {}, async (cluster) => {
			const { admin } = cluster.program("p1").ready;
			const there = await ctl(admin, ["routers", cluster.routerList(NEW)]);
			assert.equal(there.status, 0, there.err);
			assert.match(there.out, /stable, epoch \d+: rest\n$/);
			await untilRouters(cluster, NEW);
			cluster.kill("r3", "SIGSTOP");
			assert.equal((await ctl(admin, ["routers", cluster.routerList(["r1", "r3"]), "--no-wait"])).status, 0);
			await untilPhase(cluster, "prepare");
			const back = await ctl(admin, ["routers", cluster.routerList(NEW), "--no-wait"]);
			assert.equal(back.status, 0, back.err);
			await untilPhase(cluster, "stable");
			cluster.kill("r3", "SIGCONT");
			await untilRouters(cluster, NEW);
		});
	});
});
