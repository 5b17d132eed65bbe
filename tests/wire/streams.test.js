// SPDX-License-Identifier: Apache-2.0
// Methods that answer with streams, as the official client sees them.
"use strict";

const { describe, test, before, after, afterEach } = require("node:test");
const assert = require("node:assert/strict");
const { sharedCluster } = require("../kit/cluster.js");
const { rawClient } = require("../kit/chat.js");
const { collect, tester, testhub } = require("../kit/testhub.js");
const { waitFor } = require("../kit/wait.js");

const WAIT_MS = 10000;

describe("streams to clients", () => {
	const cluster = sharedCluster({ before, after, afterEach }, testhub({ gateways: 2, routers: 2 }));
	const open = (t, options) => tester(t, cluster().urls[0], options);
	const over = (seen) => waitFor(() => seen.isOver, WAIT_MS, "the stream to end");

	test("items in order, then the end", async (t) => {
		const client = await open(t);
		const seen = collect(client.connection.stream("Stream"));
		await over(seen);
		assert.deepEqual(seen.items, ["a", "b", "c"]);
		assert.equal(seen.error, undefined);
	});

	test("an empty one", async (t) => {
		const client = await open(t);
		const seen = collect(client.connection.stream("EmptyStream"));
		await over(seen);
		assert.deepEqual([seen.items, seen.error], [[], undefined]);
	});

	test("an exception before the first item reads like that of any method", async (t) => {
		const client = await open(t);
		const seen = collect(client.connection.stream("StreamThrowException", "secret"));
		await over(seen);
		assert.equal(seen.error, "An unexpected error occurred invoking 'StreamThrowException' on the server.");
	});

	test("an exception behind an item is that of the stream", async (t) => {
		const client = await open(t);
		const seen = collect(client.connection.stream("ThrowMidway", "secret"));
		await over(seen);
		assert.deepEqual(seen.items, ["first"]);
		assert.equal(seen.error, "An error occurred on the server while streaming results.");
	});

	test("invoke of a streaming method, and stream of a plain one, are refused", async (t) => {
		const client = await open(t);
		await assert.rejects(client.invoke("Stream"), {
			message: "The client attempted to invoke the streaming 'Stream' method with a non-streaming invocation.",
		});
		const seen = collect(client.connection.stream("Echo", "x"));
		await over(seen);
		assert.equal(seen.error,
			"The client attempted to invoke the non-streaming 'Echo' method with a streaming invocation.");
	});

	test("cancel reaches the method", async (t) => {
		const client = await open(t);
		const seen = collect(client.connection.stream("InfiniteStream"));
		assert.equal(await client.invoke("Echo", "beside it"), "beside it");
		seen.subscription.dispose();
		await client.until(() => client.of("StreamCanceled").length === 1, "StreamCanceled");
		assert.equal(await client.invoke("Echo", "still there"), "still there");
	});

	test("a canceled stream is completed without an error", async (t) => {
		const ws = await rawClient(t, cluster().addresses[0], { hub: "testhub" });
		ws.send({ type: 4, invocationId: "s", target: "InfiniteStream", arguments: [] });
		ws.send({ type: 5, invocationId: "s" });
		assert.deepEqual(await ws.completion("s"), { type: 3, invocationId: "s" });
	});

	test("the id of a running stream cannot be used again", async (t) => {
		const ws = await rawClient(t, cluster().addresses[0], { hub: "testhub" });
		ws.send({ type: 4, invocationId: "s", target: "InfiniteStream", arguments: [] });
		ws.send({ type: 4, invocationId: "s", target: "Stream", arguments: [] });
		assert.equal((await ws.completion("s")).error, "Invocation ID 's' is already in use.");
	});

	test("many items, none lost, while calls go on", async (t) => {
		const client = await open(t);
		const seen = collect(client.connection.stream("Count", 5000));
		assert.equal(await client.invoke("Echo", "meanwhile"), "meanwhile");
		await over(seen);
		assert.equal(seen.error, undefined);
		assert.deepEqual(seen.items, Array.from({ length: 5000 }, (_, i) => i));
	});

	test("several streams at once", async (t) => {
		const client = await open(t);
		const all = Array.from({ length: 20 }, () => collect(client.connection.stream("Count", 100)));
		await Promise.all(all.map(over));
		for (const seen of all)
			assert.equal(seen.items.length, 100);
	});

	test("a stream ends with its client", async (t) => {
		const client = await open(t);
		collect(client.connection.stream("InfiniteStream"));
		await client.invoke("Echo", "it runs");
		await client.stop();
		const calls = async () => {
			const values = await Promise.all(["r1", "r2"].map((name) => cluster().metrics(name)));
			return values.reduce((sum, metrics) => sum + metrics.get("router_calls"), 0);
		};
		await waitFor(async () => await calls() <= 2, WAIT_MS, "the call to end");
	});

	test("a client that does not read is waited for", async (t) => {
		const ws = await rawClient(t, cluster().addresses[0], { hub: "testhub" });
		const sent = async () => {
			const values = await Promise.all(["r1", "r2"].map((name) => cluster().metrics(name)));
			return values.reduce((sum, metrics) => sum + metrics.get("router_item_total"), 0);
		};
		const before = await sent();
		let last = before;
		ws.socket.pause();
		ws.send({ type: 4, invocationId: "s", target: "Flood", arguments: [] });
		await waitFor(async () => {
			const now = await sent();
			const isStill = now > before && now === last;
			last = now;
			if (!isStill)
				await new Promise((resolve) => setTimeout(resolve, 200));
			return isStill;
		}, WAIT_MS, "the stream to rest");
		const client = await open(t);
		assert.equal(await client.invoke("Echo", "others go on"), "others go on");
		assert.equal(await sent(), last);
		ws.socket.resume();
		for (let expected = 0; expected < last - before + 100; expected++)
			assert.equal(Number((await ws.message()).item), expected);
	});
});
