// SPDX-License-Identifier: Apache-2.0
// Streams that the official client sends up.
"use strict";

const { describe, test, before, after, afterEach } = require("node:test");
const assert = require("node:assert/strict");
const signalR = require("@microsoft/signalr");
const { sharedCluster } = require("../kit/cluster.js");
const { rawClient } = require("../kit/chat.js");
const { tester, testhub } = require("../kit/testhub.js");

describe("streams from clients", () => {
	const cluster = sharedCluster({ before, after, afterEach }, testhub());
	const open = (t) => tester(t, cluster().urls[0]);

	test("items in order, then the result", async (t) => {
		const client = await open(t);
		const subject = new signalR.Subject();
		const result = client.invoke("StreamingConcat", subject);
		for (const part of ["Hello", " ", "world", "!"])
			subject.next(part);
		subject.complete();
		assert.equal(await result, "Hello world!");
	});

	test("the client's error is that of the invocation", async (t) => {
		const client = await open(t);
		const subject = new signalR.Subject();
		const result = client.invoke("StreamingConcat", subject);
		subject.next("part");
		subject.error(new Error("out of paper"));
		await assert.rejects(result, {
			message: "An unexpected error occurred invoking 'StreamingConcat' on the server. " +
				"HubException: out of paper",
		});
	});

	test("many more items than the hub takes at once", async (t) => {
		const client = await open(t);
		const subject = new signalR.Subject();
		const result = client.invoke("StreamingConcat", subject);
		const parts = Array.from({ length: 2000 }, (_, i) => `${i},`);
		parts.forEach((part) => subject.next(part));
		subject.complete();
		assert.equal(await result, parts.join(""));
	});

	test("a slow method slows its client down and loses nothing", async (t) => {
		const client = await open(t);
		const subject = new signalR.Subject();
		const result = client.invoke("CountSlowly", 5, subject);
		for (let i = 0; i < 60; i++)
			subject.next(i);
		subject.complete();
		assert.equal(await result, 60);
		assert.equal(await client.invoke("Echo", "reads again"), "reads again");
	});

	test("two at once do not mix", async (t) => {
		const client = await open(t);
		const subjects = [new signalR.Subject(), new signalR.Subject()];
		const results = subjects.map((subject) => client.invoke("StreamingConcat", subject));
		for (let i = 0; i < 50; i++)
			subjects.forEach((subject, which) => subject.next("ab"[which]));
		subjects.forEach((subject) => subject.complete());
		assert.deepEqual(await Promise.all(results), ["a".repeat(50), "b".repeat(50)]);
	});

	test("more or fewer streams than the method takes are refused", async (t) => {
		const client = await open(t);
		const text = (target, sent, wanted) => ({
			message: `An unexpected error occurred invoking '${target}' on the server. HubException: ` +
				`Client sent ${sent} stream(s), Hub method expects ${wanted}.`,
		});
		await assert.rejects(client.invoke("StreamingConcat"), text("StreamingConcat", 0, 1));
		await assert.rejects(client.invoke("Echo", "x", new signalR.Subject()), text("Echo", 1, 0));
		// The official client forgets to take the second of two streams out of the arguments.
		const ws = await rawClient(t, cluster().addresses[0], { hub: "testhub" });
		ws.send({ type: 1, invocationId: "a", target: "StreamingConcat", arguments: [], streamIds: ["u", "v"] });
		assert.equal((await ws.completion("a")).error, text("StreamingConcat", 2, 1).message);
	});

	test("items for a stream that is over, or never was, are dropped", async (t) => {
		const ws = await rawClient(t, cluster().addresses[0], { hub: "testhub" });
		ws.send({ type: 2, invocationId: "never", item: 1 });
		ws.send({ type: 3, invocationId: "never" });
		ws.send({ type: 1, invocationId: "a", target: "StreamingConcat", arguments: [], streamIds: ["u"] });
		ws.send({ type: 2, invocationId: "u", item: 7 });
		assert.match((await ws.completion("a")).error, /HubException: Not a string\.$/);
		for (let i = 0; i < 100; i++)
			ws.send({ type: 2, invocationId: "u", item: "late" });
		assert.equal((await ws.call("Echo", "alive")).result, "alive");
	});
});
