// SPDX-License-Identifier: Apache-2.0
// "ctl routers": who owns keys, other routers, and waiting for them. The presence that goes
// through the phases here says what the test wants; tests/cluster has real ones.
"use strict";

const { describe, test } = require("node:test");
const assert = require("node:assert/strict");
const { withCluster } = require("../kit/cluster.js");
const { ctl, fakeApi } = require("../kit/ctl.js");
const { openApi } = require("../kit/openapi.js");
const { waitFor } = require("../kit/wait.js");

const ONE = "r1=tcp://a:1";
const TWO = "r1=tcp://a:1,r2=tcp://a:2";
const WAIT_MS = 15000;

const lines = (text) => text.split("\n").filter((line) => line !== "");

const map = (more) => ({ epoch: 2, phase: "stable", since: "2026-01-02T03:04:05.678Z", list: ONE, routers: [], next: [],
	target: TWO, targetFrom: "api", state: "rest", waitingFor: [], leader: "p1", isLeader: true, isSettled: true, ...more });

// Answers a PUT with the first and each GET with the next of `maps`, the last one for ever.
async function presence(t, maps) {
	const puts = [];
	let gets = 0;
	const { address } = await fakeApi(t, (url, response, request) => {
		assert.equal(url.pathname, "/api/v1/cluster/routers");
		if (request.method === "PUT") {
			request.setEncoding("utf8").on("data", (text) => puts.push(text));
			return maps[0];
		}
		const said = maps[Math.min(gets++, maps.length - 1)];
		if (said === null)
			request.socket.destroy();
		return said ?? undefined;
	});
	return { address, puts };
}

describe("ctl routers", () => {
	test("waits, and tells each time that something else is waited for", async (t) => {
		const { address, puts } = await presence(t, [
			map({ state: "step" }),
			map({ phase: "prepare", epoch: 3, state: "doing", waitingFor: [{ role: "gateway", name: "g1", why: "doing" }] }),
			map({ phase: "prepare", epoch: 3, state: "doing", waitingFor: [{ role: "gateway", name: "g1", why: "doing" }] }),
			null,
			map({ phase: "commit", epoch: 3, state: "step" }),
			map({ epoch: 3, list: TWO }),
		]);
		const { status, out, err } = await ctl(address, ["routers", TWO]);
		assert.equal(status, 0, err);
		assert.deepEqual(lines(out), ["stable, epoch 2: step", "prepare, epoch 3: doing; g1 (doing)", "commit, epoch 3: step",
			"stable, epoch 3: rest"]);
		assert.deepEqual(puts.map((text) => JSON.parse(text)), [{ routers: TWO }]);
	});

	test("does not wait when it is told so, and says each state as JSON", async (t) => {
		const { address } = await presence(t, [map({ state: "step" })]);
		assert.match((await ctl(address, ["routers", TWO, "--no-wait"])).out, /^state +step$/m);
		assert.equal(JSON.parse((await ctl(address, ["routers", TWO, "--no-wait", "--json"])).out).state, "step");
	});

	test("ends when other routers are wanted by then, or these will not do", async (t) => {
		const other = await presence(t, [map({ state: "step", target: ONE })]);
		const given = await ctl(other.address, ["routers", TWO]);
		assert.equal(given.status, 1);
		assert.match(given.err, /other routers are wanted/);
		const refused = await presence(t, [map({ state: "refused" })]);
		assert.equal((await ctl(refused.address, ["routers", TWO])).status, 1);
	});

	test("gives up a presence that is gone", async (t) => {
		const { address } = await presence(t, [null]);
		const { status, err } = await ctl(address, ["routers", TWO, "--timeout", "1"]);
		assert.equal(status, 3);
		assert.notEqual(err, "");
	});
});

describe("routers over the API", () => {
	test("without the option they are put, if they will do", async () => {
		await withCluster({ gateways: 1, routers: 1 }, async (cluster) => {
			const api = await openApi(cluster);
			const put = (routers) => api.call("setRouters", { body: { routers } });
			const now = () => api.ok("getRouters");
			assert.equal((await put("r1")).status, 422);
			assert.equal((await put("r8=tcp://a:1,r8=tcp://a:2")).status, 422);
			const { status, body } = await put("r8=tcp://a:1");
			assert.equal(status, 202);
			assert.equal(body.target, "r8=tcp://a:1");
			assert.equal(body.targetFrom, "api");
			await waitFor(async () => (await now()).target === "r8=tcp://a:1", WAIT_MS, "the list to be known");
			assert.ok((await now()).waitingFor.some((one) => one.name === "r8" && one.why === "absent"));
		});
	});

	test("with the option it is refused, which says where to change it", async () => {
		await withCluster({ gateways: 1, routers: 1, presenceArgs: ["--routers=r1=tcp://a:1"] }, async (cluster) => {
			const api = await openApi(cluster);
			const { status, body } = await api.call("setRouters", { body: { routers: "r2=tcp://a:2" } });
			assert.equal(status, 409);
			assert.match(body.detail, /option/);
			assert.equal((await api.ok("getRouters")).targetFrom, "option");
		});
	});
});
