// SPDX-License-Identifier: Apache-2.0
// Hub methods that ask clients, over two gateways and two routers.
"use strict";

const { describe, test, before, after, afterEach } = require("node:test");
const assert = require("node:assert/strict");
const { sharedCluster } = require("../kit/cluster.js");
const { rawClient } = require("../kit/chat.js");
const { tester, testhub } = require("../kit/testhub.js");

describe("client results", () => {
	const cluster = sharedCluster({ before, after, afterEach },
		testhub({ gateways: 2, routers: 2, routerArgs: ["--client_result_timeout=1s"] }));
	const open = (t, gateway = 0) => tester(t, cluster().urls[gateway]);
	const failed = (text) => ({
		message: `An unexpected error occurred invoking 'ClientResult' on the server.${text}`,
	});

	test("the caller itself is asked while its call runs", async (t) => {
		const client = await open(t);
		client.connection.on("Result", () => 42);
		assert.equal(await client.invoke("ClientResult", client.id), 42);
	});

	test("clients on every gateway and shard", async (t) => {
		const asker = await open(t);
		for (let i = 0; i < 8; i++) {
			const client = await open(t, i % 2);
			client.connection.on("Result", async () => i);
			await client.invoke("Echo", "here"); // now its router knows of it
			assert.equal(await asker.invoke("ClientResult", client.id), i);
		}
	});

	test("a handler that throws", async (t) => {
		const client = await open(t);
		client.connection.on("Result", () => { throw new Error("from callback"); });
		await assert.rejects(client.invoke("ClientResult", client.id),
			failed(" HubException: Error: from callback"));
	});

	test("no handler", async (t) => {
		const client = await open(t);
		await assert.rejects(client.invoke("ClientResult", client.id),
			failed(" HubException: Client didn't provide a result."));
	});

	test("a result of another type", async (t) => {
		const client = await open(t);
		client.connection.on("Result", () => "42");
		await assert.rejects(client.invoke("ClientResult", client.id),
			failed(" HubException: The client's result is no integer."));
	});

	test("a client that is not there", async (t) => {
		const client = await open(t);
		await assert.rejects(client.invoke("ClientResult", "nobody"), failed(""));
	});

	test("a client that never answers", async (t) => {
		const asker = await open(t);
		const ws = await rawClient(t, cluster().addresses[1], { hub: "testhub" });
		const id = (await ws.call("GetCallerConnectionId")).result;
		const asked = assert.rejects(asker.invoke("ClientResult", id), failed(""));
		const question = await ws.message();
		assert.equal(question.target, "Result");
		assert.match(question.invocationId, /^s\d+$/);
		await asked;
		// Too late, and nobody minds.
		ws.send({ type: 3, invocationId: question.invocationId, result: 1 });
		assert.equal((await ws.call("Echo", "alive")).result, "alive");
	});

	test("a client that leaves instead", async (t) => {
		const asker = await open(t);
		const client = await open(t, 1);
		client.connection.on("Result", () => client.stop());
		await assert.rejects(asker.invoke("ClientResult", client.id), failed(""));
	});
});
