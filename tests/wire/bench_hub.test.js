// SPDX-License-Identifier: Apache-2.0
// bench/HUB.md, line by line, with the official client: what the load tool takes for granted.
"use strict";

const { describe, test, before, after, afterEach } = require("node:test");
const assert = require("node:assert/strict");
const signalR = require("@microsoft/signalr");
const { MessagePackHubProtocol } = require("@microsoft/signalr-protocol-msgpack");
const { sharedCluster } = require("../kit/cluster.js");
const { benchhub, bencher } = require("../kit/benchhub.js");
const { collect } = require("../kit/testhub.js");
const { waitFor } = require("../kit/wait.js");

const ITEM_BYTES_MAX = 32768;

describe("the bench hub", () => {
	const cluster = sharedCluster({ before, after, afterEach }, benchhub({ gateways: 2, routers: 2 }));

	// Alternately at both gateways.
	const open = (t, i = 0, options = {}) => bencher(t, cluster().urls[i % 2], options);
	// Behind a call of its own its router knows of a connection, and others may send to it.
	const known = async (opening) => {
		const clients = await Promise.all(opening);
		await Promise.all(clients.map((client) => client.invoke("Echo", "here")));
		return clients;
	};
	const openAll = (t, n, options) => known(Array.from({ length: n }, (_, i) => open(t, i, options)));

	// Everybody has got exactly these, once an echo after them has come back to each.
	async function received(clients, expected) {
		await waitFor(() => clients.every((client, i) => client.of("Receive").length >= expected[i].length),
			5000, "all that is due");
		await Promise.all(clients.map((client) => client.invoke("Echo", "")));
		assert.deepEqual(clients.map((client) => client.of("Receive")), expected);
	}

	test("Echo gives its argument back, in both protocols", async (t) => {
		const json = await open(t);
		const packed = await open(t, 1, { protocol: new MessagePackHubProtocol() });
		for (const client of [json, packed])
			for (const text of ["", "~00 é \u0000 \u2028", "x".repeat(20000)])
				assert.equal(await client.invoke("Echo", text), text);
	});

	test("Broadcast reaches everybody, the caller too", async (t) => {
		const clients = await openAll(t, 4);
		await clients[0].invoke("Broadcast", "to all");
		await received(clients, Array(4).fill(["to all"]));
	});

	test("SendToGroup reaches members, JoinGroup and LeaveGroup decide who that is", async (t) => {
		const clients = await openAll(t, 4);
		await clients[0].invoke("JoinGroup", "group-1");
		await clients[1].invoke("JoinGroup", "group-1");
		await clients[2].invoke("JoinGroup", "group-2");
		await clients[3].invoke("SendToGroup", "group-1", "one");
		await clients[1].invoke("LeaveGroup", "group-1");
		await clients[3].invoke("SendToGroup", "group-1", "two");
		await clients[0].invoke("SendToGroup", "group-2", "three");
		await received(clients, [["one", "two"], ["one"], ["three"], []]);
	});

	test("SendToUser reaches all connections of the user", async (t) => {
		const clients = await known(["user-1", "user-1", "user-2"].map((userId, i) => open(t, i, { userId })));
		await clients[2].invoke("SendToUser", "user-1", "hello");
		await received(clients, [["hello"], ["hello"], []]);
	});

	test("SendToConnection reaches that one", async (t) => {
		const clients = await openAll(t, 3);
		await clients[2].invoke("SendToConnection", clients[1].id, "you");
		await received(clients, [[], ["you"], []]);
	});

	test("sends may be invoked or sent, and keep their order", async (t) => {
		const clients = await openAll(t, 2);
		await Promise.all(clients.map((client) => client.invoke("JoinGroup", "group-3")));
		const texts = Array.from({ length: 50 }, (_, i) => `${i}`);
		for (const text of texts)
			clients[0].connection.send("SendToGroup", "group-3", text);
		await received(clients, [texts, texts]);
	});

	test("Stream counts in items of the size that was asked for", async (t) => {
		const client = await open(t);
		const seen = collect(client.connection.stream("Stream", 3, 5));
		const long = collect(client.connection.stream("Stream", 1, ITEM_BYTES_MAX));
		const short = collect(client.connection.stream("Stream", 11, 0));
		const none = collect(client.connection.stream("Stream", 0, 10));
		await waitFor(() => [seen, long, short, none].every((stream) => stream.isOver), 5000, "all streams to end");
		assert.deepEqual(seen.items, ["00000", "00001", "00002"]);
		assert.deepEqual(long.items, ["0".repeat(ITEM_BYTES_MAX)]);
		assert.deepEqual(short.items, ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9", "10"]);
		assert.deepEqual(none.items, []);
		assert.deepEqual([seen, long, short, none].map((stream) => stream.error), Array(4).fill(undefined));
	});

	test("Stream refuses what it cannot make", async (t) => {
		const client = await open(t);
		for (const [count, size] of [[1, ITEM_BYTES_MAX + 1], [-1, 10], [1, -1]]) {
			const seen = collect(client.connection.stream("Stream", count, size));
			await waitFor(() => seen.isOver, 5000, "the stream to end");
			assert.match(seen.error, /No such stream/);
			assert.deepEqual(seen.items, []);
		}
	});

	test("Upload counts what it read", async (t) => {
		const client = await open(t);
		for (const n of [0, 1, 300]) {
			const subject = new signalR.Subject();
			const result = client.invoke("Upload", subject);
			for (let i = 0; i < n; i++)
				subject.next(`item ${i}`);
			subject.complete();
			assert.equal(await result, n);
		}
	});

	test("Upload fails as its stream does", async (t) => {
		const client = await open(t);
		const subject = new signalR.Subject();
		const result = client.invoke("Upload", subject);
		subject.error(new Error("out of paper"));
		await assert.rejects(result, /out of paper/);
	});

	test("Ask brings another client's answer", async (t) => {
		const [asker, answerer] = await openAll(t, 2);
		answerer.connection.on("Answer", (payload) => `${payload}!`);
		assert.equal(await asker.invoke("Ask", answerer.id, "well"), "well!");
	});

	test("Ask says when there is nobody, or no answer", async (t) => {
		const [asker, silent] = await openAll(t, 2);
		await assert.rejects(asker.invoke("Ask", "nobody", "well"), /No such connection/);
		await assert.rejects(asker.invoke("Ask", silent.id, "well"), /The client answered with an error/);
	});
});
