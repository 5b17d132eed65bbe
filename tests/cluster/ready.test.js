// SPDX-License-Identifier: Apache-2.0
// When a gateway wants clients: not before it has met every router, and not without any; but
// while one of several is away, for then no gateway has that one.
"use strict";

const { test } = require("node:test");
const assert = require("node:assert/strict");
const { withCluster } = require("../kit/cluster.js");
const { waitFor } = require("../kit/wait.js");

const WAIT_MS = 20000;

const peersUp = async (cluster) => (await cluster.metrics("g1")).get("gateway_link_peers_up");

async function readiness(cluster) {
	const response = await cluster.admin("g1", "/readyz");
	return `${response.status} ${(await response.text()).trim()}`;
}

test("a gateway is ready while one router is away, not without any, and not before it met all", async () => {
	await withCluster({ gateways: 1, routers: 2 }, async (cluster) => {
		const all = await peersUp(cluster);
		assert.match(await readiness(cluster), /^200/);
		await cluster.kill("r1");
		await waitFor(async () => await peersUp(cluster) === all - 1, WAIT_MS, "r1 to be missed");
		assert.match(await readiness(cluster), /^200/);

		await cluster.kill("r2");
		await waitFor(async () => await peersUp(cluster) === all - 2, WAIT_MS, "r2 to be missed");
		assert.equal(await readiness(cluster), "503 no router is connected");

		await cluster.restart("r1");
		await waitFor(async () => /^200/.test(await readiness(cluster)), WAIT_MS, "g1 to be ready with r1 alone");

		await cluster.kill("g1");
		await cluster.program("g1").start();
		await waitFor(async () => await peersUp(cluster) === all - 1, WAIT_MS, "the new g1 to have r1");
		assert.equal(await readiness(cluster), "503 a router is not connected yet");
		await cluster.restart("r2");
		await waitFor(async () => /^200/.test(await readiness(cluster)), WAIT_MS, "g1 to be ready");
	});
});
