// SPDX-License-Identifier: Apache-2.0
// Keep-alive and client timeout, with intervals small enough to watch.
"use strict";

const { describe, test, before, after, afterEach } = require("node:test");
const assert = require("node:assert/strict");
const { sharedCluster } = require("../kit/cluster.js");
const { rawClient } = require("../kit/chat.js");

describe("timers", () => {
	const cluster = sharedCluster({ before, after, afterEach },
		{ gatewayArgs: ["--keepalive_interval=200ms", "--client_timeout=1s"] });
	const open = (t) => rawClient(t, cluster().addresses[0]);
	const ping = (ws) => ws.message({ pings: true }).then((message) => assert.deepEqual(message, { type: 6 }));

	test("an idle client hears pings", async (t) => {
		const ws = await open(t);
		for (let i = 0; i < 3; i++)
			await ping(ws);
	});

	test("a client that never pinged may stay silent", async (t) => {
		const ws = await open(t);
		const start = performance.now();
		while (performance.now() - start < 2500)
			await ping(ws);
		assert.equal((await ws.call("LeaveRoom", "none")).error, undefined);
	});

	test("a client that pinged once and fell silent is closed", async (t) => {
		const ws = await open(t);
		ws.send({ type: 6 });
		const close = await ws.message();
		assert.equal(close.type, 7);
		assert.match(close.error, /^Connection closed with an error\./);
		await ws.close();
		await ws.untilEnd();
	});

	test("a client that goes on pinging stays", async (t) => {
		const ws = await open(t);
		const pinging = setInterval(() => ws.send({ type: 6 }), 100);
		t.after(() => clearInterval(pinging));
		const start = performance.now();
		while (performance.now() - start < 2500)
			await ping(ws);
		assert.equal((await ws.call("LeaveRoom", "none")).error, undefined);
	});
});
