// SPDX-License-Identifier: Apache-2.0
// Routers come and go under load, and die or stand still while they do. Everybody numbers
// what they send, and the history checker (tests/lab/history.js) reads what arrived: nothing
// accepted is lost, doubled or out of order, and only what must move is touched.
"use strict";

const { describe, test } = require("node:test");
const assert = require("node:assert/strict");
const fs = require("node:fs");
const os = require("node:os");
const path = require("node:path");
const { withCluster } = require("../kit/cluster.js");
const { startRedis } = require("../kit/redis.js");
const { putRouters, untilAgreed, untilPhase, untilRouters } = require("../kit/shards.js");
const { collect, tester, testhub } = require("../kit/testhub.js");
const { waitFor } = require("../kit/wait.js");
const { check } = require("../lab/history.js");
const { Traffic } = require("../lab/traffic.js");

const LEASE = ["--lease=4s", "--link_stream_timeout=1500ms", "--link_ping_interval=300ms"];
const HUBS = "--hubs=relay,chat,testhub";
const WAIT_MS = 60000;
const PATIENCE = { timeout: 5 * WAIT_MS };
const LOAD = { clients: 24, groups: 12, memberships: 3, rate: 150, users_share: 0.1, sse_share: 0.2, longpolling_share: 0.2,
	churn: 2, reopen: 1, retry_ms: 200 };

const metric = async (cluster, name, what) => (await cluster.metrics(name)).get(what) ?? 0;

// Gateways, routers r1 and up, and traffic that `body` may change them under.
async function underLoad(t, options, body) {
	const folder = fs.mkdtempSync(path.join(os.tmpdir(), "heliograph-history-"));
	t.after(() => fs.rmSync(folder, { recursive: true }));
	const history = path.join(folder, "history.jsonl");
	const args = [...LEASE, HUBS];
	const whole = testhub({ gateways: 2, gatewayArgs: args, routerArgs: args, presenceArgs: LEASE, ...options });
	await withCluster(whole, async (cluster) => {
		await untilAgreed(cluster);
		const traffic = new Traffic({ ...LOAD, history, urls: cluster.urls.join() });
		let quiet = null;
		await traffic.start();
		// Something is accepted from now on.
		const flows = async () => {
			const { accepted } = traffic.status;
			await waitFor(() => traffic.status.accepted > accepted + 50, WAIT_MS, "traffic to flow");
		};
		try {
			await flows();
			await body(cluster, { traffic, flows });
			await flows();
			quiet = await traffic.stop();
		} finally {
			await traffic.close();
		}
		const { violations, incomplete } = check([history]);
		assert.deepEqual([violations, incomplete], [[], []]);
		assert.deepEqual(quiet, { answered: true, arrived: true, quiet: true, late: [] });
	});
}

async function change(cluster, names, { isNew = [] } = {}) {
	const list = cluster.routerList(names);
	for (const name of isNew)
		await cluster.addRouter(name, list);
	await putRouters(cluster, list);
}

describe("routers that come and go under load", () => {
	for (const store of ["memory", "Redis"])
		test(`two become four, one, and three again (${store})`, PATIENCE, async (t) => {
			const options = { routers: 2 };
			if (store === "Redis") {
				const redis = await startRedis();
				t.after(() => redis.stop());
				Object.assign(options, { redis: redis.url(), hubRedis: redis.url() });
			}
			await underLoad(t, options, async (cluster, { traffic, flows }) => {
				for (const [names, isNew] of [[["r1", "r2", "r3", "r4"], ["r3", "r4"]], [["r2"], []], [["r1", "r2", "r4"], []]]) {
					traffic.mark(`to ${names.join()}`);
					await change(cluster, names, { isNew });
					await untilRouters(cluster, names);
					await flows();
				}
				assert.equal(await metric(cluster, "r2", "router_shards_jumped_total"), 0);
				assert.equal(await metric(cluster, "r3", "router_connections"), 0);
				assert.equal(await metric(cluster, "r3", "router_members"), 0);
			});
		});
});

const OLD = ["r1", "r2"];
const NEW = ["r2", "r3"]; // r1 leaves, r3 comes, r2 gives and takes
const STREAMS = 16; // so many that some of them move

// Nothing goes past PREPARE until it is let go: the newcomer stands still.
async function holdPrepare(t, cluster) {
	await cluster.addRouter("r3", cluster.routerList(NEW));
	await waitFor(async () => (await cluster.adminJson("/api/v1/processes")).processes.some((one) => one.name === "r3"),
		WAIT_MS, "r3 to be known");
	await untilAgreed(cluster); // with what it has told
	process.kill(cluster.program("r3").pid, "SIGSTOP");
	await change(cluster, NEW);
	await untilPhase(cluster, "prepare");
	return () => process.kill(cluster.program("r3").pid, "SIGCONT");
}

// Nothing goes past COMMIT: streams end where they began.
async function holdCommit(t, cluster) {
	const clients = await Promise.all(Array.from({ length: STREAMS }, (_, i) => tester(t, cluster.urls[i % 2])));
	const streams = clients.map((client) => collect(client.connection.stream("InfiniteStream")));
	await change(cluster, NEW, { isNew: ["r3"] });
	await untilPhase(cluster, "commit");
	return () => streams.forEach((one) => one.subscription.dispose());
}

describe("a process that dies while routers change", () => {
	for (const [phase, hold] of [["PREPARE", holdPrepare], ["COMMIT", holdCommit]])
		for (const [what, name] of [["the router that leaves", "r1"], ["the one that stays", "r2"], ["the one that comes", "r3"],
			["a gateway", "g1"]])
			test(`${what}, in ${phase}`, PATIENCE, async (t) => {
				await underLoad(t, { routers: 2 }, async (cluster, { traffic, flows }) => {
					const go = await hold(t, cluster);
					traffic.mark(`kill ${name}`);
					await cluster.kill(name);
					await cluster.restart(name);
					if (name !== "r3")
						go();
					await untilRouters(cluster, NEW);
					await flows();
				});
			});
});

describe("a process that stands still over a whole change of routers", () => {
	for (const [what, name] of [["a router", "r1"], ["a gateway", "g2"]])
		test(what, PATIENCE, async (t) => {
			await underLoad(t, { routers: 2 }, async (cluster, { traffic, flows }) => {
				traffic.mark(`stop ${name}`);
				process.kill(cluster.program(name).pid, "SIGSTOP");
				await change(cluster, NEW, { isNew: ["r3"] });
				await untilRouters(cluster, NEW);
				process.kill(cluster.program(name).pid, "SIGCONT");
				traffic.mark(`go on ${name}`);
				await flows();
			});
		});
});
