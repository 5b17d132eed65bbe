// SPDX-License-Identifier: Apache-2.0
// What heliograph-bench writes down of more clients than official ones could be, judged by
// the same history checker (tests/lab/history.js).
"use strict";

const { test } = require("node:test");
const assert = require("node:assert/strict");
const fs = require("node:fs");
const os = require("node:os");
const path = require("node:path");
const { balance } = require("../kit/balancer.js");
const { bench } = require("../kit/bench.js");
const { benchhub } = require("../kit/benchhub.js");
const { withCluster } = require("../kit/cluster.js");
const { waitFor } = require("../kit/wait.js");
const { check } = require("../lab/history.js");
const { words } = require("../lab/history_main.js");

test("hundreds of clients of heliograph-bench, while routers and a gateway are killed", async (t) => {
	await withCluster(benchhub({ gateways: 2, routers: 2, gatewayArgs: ["--lease=1s"] }), async (cluster) => {
		const folder = fs.mkdtempSync(path.join(os.tmpdir(), "heliograph-history-"));
		t.after(() => fs.rmSync(folder, { recursive: true }));
		const file = path.join(folder, "history.jsonl");
		const balancer = await balance(t, cluster);
		const run = bench({ url: `${balancer.url}/hubs/bench`, scenario: "recorded", history: file, dev_tokens: "on",
			connections: 300, groups: 30, rate: 150, duration: "8s", connect_timeout: "5s", workers: 2 });
		await waitFor(async () => (await cluster.metrics("g1")).get("gateway_deliveries_total") > 100, 30000, "traffic");
		for (const name of ["g1", "r1", "r2"]) {
			await cluster.kill(name);
			await cluster.restart(name);
		}
		const { text } = await run;
		const verdict = check([`${file}.0`, `${file}.1`]);
		t.diagnostic(words(verdict));
		assert.deepEqual(verdict.violations, [], text);
		assert.deepEqual(verdict.incomplete, [], text);
		assert.ok(verdict.counts.expected > 3000, "enough to judge");
		assert.ok(verdict.ends.lost_plain >= 100, "g1's clients noticed");
	});
});
