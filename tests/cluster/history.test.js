// SPDX-License-Identifier: Apache-2.0
// Official clients of every kind talk, move between groups, come and go, while processes are
// killed; the history checker (tests/lab/history.js) reads what they wrote down.
// HELIOGRAPH_SEED=n repeats what the clients do.
"use strict";

const { test } = require("node:test");
const assert = require("node:assert/strict");
const fs = require("node:fs");
const os = require("node:os");
const path = require("node:path");
const { withCluster } = require("../kit/cluster.js");
const { onlineUsers } = require("../kit/presence.js");
const { waitFor } = require("../kit/wait.js");
const { check } = require("../lab/history.js");
const { words } = require("../lab/history_main.js");
const { nowUs } = require("../lab/history_writer.js");
const { Traffic } = require("../lab/traffic.js");

const SEED = Number(process.env.HELIOGRAPH_SEED ?? Date.now() % 1000000);
const FLOW_MS = 60000;

const gatewayArgs = ["--stateful_reconnect=on", "--reattach_per_minute_max=100000", "--lease=1s"];
const OPTIONS = { clients: 24, groups: 4, memberships: 2, rate: 150, sse_share: 0.2, longpolling_share: 0.2, churn: 4,
	retry_ms: 100, stop_ms: 30000, seed: SEED };

// Runs `body(traffic)` while they talk, and gives the verdict.
async function judged(t, cluster, options, body) {
	const folder = fs.mkdtempSync(path.join(os.tmpdir(), "heliograph-history-"));
	t.after(() => fs.rmSync(folder, { recursive: true }));
	const file = path.join(folder, "history.jsonl");
	const traffic = new Traffic({ ...OPTIONS, ...options, history: file, urls: cluster.urls.join() });
	let stopped = null;
	await traffic.start();
	try {
		await body(traffic);
		stopped = await traffic.stop();
	} finally {
		await traffic.close();
	}
	const verdict = check([file]);
	t.diagnostic(`HELIOGRAPH_SEED=${SEED}\n${words(verdict)}`);
	assert.deepEqual(verdict.violations, []);
	assert.deepEqual(verdict.incomplete, []);
	assert.deepEqual(stopped, { answered: true, arrived: true, quiet: true, late: [] });
	assert.ok(verdict.counts.expected > 1000, "enough to judge");
	return verdict;
}

// Each client has so many accepted messages more than now.
async function flows(traffic, count = 12) {
	const goals = traffic.talkers.map((talker) => talker.acceptedCount + count);
	await waitFor(() => traffic.talkers.every((talker, i) => talker.acceptedCount >= goals[i]), FLOW_MS,
		`${count} more messages of each client`);
}

test("routers killed under traffic: the history is whole, and nobody noticed", async (t) => {
	await withCluster({ gateways: 2, routers: 2, gatewayArgs }, async (cluster) => {
		const verdict = await judged(t, cluster, {}, async (traffic) => {
			await flows(traffic);
			for (const name of ["r1", "r2"]) {
				traffic.mark(`kill ${name}`);
				await cluster.kill(name);
				await cluster.restart(name);
				await flows(traffic);
			}
		});
		assert.equal(verdict.counts.connections, OPTIONS.clients, "nobody lost a connection");
	});
});

test("a gateway killed under traffic: its own clients come back, the history is whole", async (t) => {
	await withCluster({ gateways: 2, routers: 2, gatewayArgs }, async (cluster) => {
		const verdict = await judged(t, cluster, { reopen: 2 }, async (traffic) => {
			await flows(traffic);
			const untouched = traffic.talkers.filter((talker) => talker.url === cluster.urls[1]);
			const lost = untouched.map((talker) => talker.lost);
			traffic.mark("kill g1");
			await cluster.kill("g1");
			await cluster.restart("g1");
			await flows(traffic);
			const calledUs = nowUs();
			traffic.history.online(await onlineUsers(cluster), calledUs);
			assert.deepEqual(untouched.map((talker) => talker.lost), lost, "no connection of g2 was lost");
		});
		// Of the half of all, but who was just coming or going.
		assert.ok(verdict.ends.lost_plain + verdict.ends.lost_stateful >= OPTIONS.clients / 6, "g1's clients noticed");
	});
});
