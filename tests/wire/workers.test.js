// SPDX-License-Identifier: Apache-2.0
// Several workers behind one port: the kernel deals out the connections, and no client may
// notice that its WebSocket lands elsewhere than its negotiation did.
"use strict";

const { describe, test, before, after, afterEach } = require("node:test");
const assert = require("node:assert/strict");
const { sharedCluster } = require("../kit/cluster.js");
const { connect } = require("../kit/clients.js");
const { freshRoom, sayMany, assertComplete } = require("../kit/chat.js");
const { waitFor } = require("../kit/wait.js");

const WORKERS = 3;

describe("workers on one port", () => {
	const cluster = sharedCluster({ before, after, afterEach }, { workers: WORKERS, routers: 2 });

	test("any worker takes the WebSocket of any negotiation", async (t) => {
		const clients = await Promise.all(Array.from({ length: 24 }, () => connect(t, cluster().urls[0])));
		assert.equal(new Set(clients.map((client) => client.id)).size, 24);
	});

	test("members on all workers get each message once and in order", async (t) => {
		const room = freshRoom();
		const members = await Promise.all(Array.from({ length: 12 }, () => connect(t, cluster().urls[0])));
		await Promise.all(members.map((member) => member.invoke("JoinRoom", room)));
		const senders = members.slice(0, 3);
		await Promise.all(senders.map((sender) => sayMany(sender, room, 100)));
		for (const member of members) {
			await member.until((m) => m.texts(room).length >= 300, "all messages");
			assertComplete(member, room, senders, 100);
		}
	});

	test("a worker that dies is replaced, and its clients come back", async (t) => {
		const room = freshRoom();
		const reconnect = { nextRetryDelayInMilliseconds: () => 50 };
		const clients = await Promise.all(Array.from({ length: 12 }, () =>
			connect(t, cluster().urls[0], { reconnect })));
		process.kill(Number(cluster().program("g1").workers[0].pid), "SIGKILL");
		await waitFor(() => clients.some((client) => client.states.includes("reconnected")), 15000,
			"a client to come back");
		await waitFor(() => clients.every((client) => client.connection.state === "Connected"), 15000,
			"all clients to be connected");
		await Promise.all(clients.map((client) => client.invoke("JoinRoom", room)));
		await clients[0].invoke("SendMessage", room, "all here?");
		await Promise.all(clients.map((client) => client.untilText(room, "all here?")));
		await waitFor(() => cluster().program("g1").workers.length === WORKERS + 1, 15000, "a new worker");
	});
});
