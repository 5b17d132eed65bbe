// SPDX-License-Identifier: Apache-2.0
// A WebSocket that breaks and comes back to its connection: raw sockets, then the official
// client.
"use strict";

const { describe, test, before, after, afterEach } = require("node:test");
const assert = require("node:assert/strict");
const { sharedCluster } = require("../kit/cluster.js");
const { connect, mintToken, signalR } = require("../kit/clients.js");
const { freshRoom } = require("../kit/chat.js");
const { RawWebSocket } = require("../kit/raw.js");
const { poller } = require("../kit/poll.js");
const { waitFor } = require("../kit/wait.js");

const VERSION_2 = { protocol: "json", version: 2 };
const QUERY = "?negotiateVersion=1&useStatefulReconnect=true";

describe("stateful reconnect", () => {
	const cluster = sharedCluster({ before, after, afterEach },
		{ gatewayArgs: ["--stateful_reconnect=on", "--reattach_per_minute_max=3"] });
	const address = () => cluster().addresses[0];
	const metric = async (name) => (await cluster().metrics("g1")).get(`gateway_${name}`);
	const socket = async (t, client) => {
		const ws = await RawWebSocket.open(address(), client.target, client.headers);
		t.after(() => ws.destroy());
		return ws;
	};
	const open = async (t) => {
		const client = await poller(t, address(), { query: QUERY });
		const ws = await socket(t, client);
		assert.deepEqual(await ws.handshake(VERSION_2), {});
		return [client, ws];
	};

	test("a new socket goes on where the old one broke", async (t) => {
		const [client, old] = await open(t);
		const answer = await old.call("LeaveRoom", "none");
		old.destroy();
		const ws = await socket(t, client);
		assert.equal(ws.opened.status, 101);
		assert.deepEqual(await ws.message(), { type: 9, sequenceId: 1 });
		assert.deepEqual(await ws.message(), answer);
		ws.send({ type: 9, sequenceId: 2 });
		assert.equal((await ws.call("LeaveRoom", "none")).error, undefined);
	});

	test("a new socket takes over from one that still looks alive", async (t) => {
		const [client, old] = await open(t);
		const ws = await socket(t, client);
		assert.deepEqual(await ws.message(), { type: 9, sequenceId: 1 });
		await old.untilEnd();
		ws.send({ type: 9, sequenceId: 1 });
		assert.equal((await ws.call("LeaveRoom", "none")).error, undefined);
	});

	test("while it has no socket other requests are still refused", async (t) => {
		const [client, old] = await open(t);
		const seen = await metric("stateful_detached_total");
		old.destroy();
		await waitFor(async () => (await metric("stateful_detached_total")) > seen, 5000, "the break");
		assert.equal((await client.poll()).status, 400);
		assert.equal((await client.request("POST", "x")).status, 405);
		assert.equal((await client.request("DELETE")).status, 400);
	});

	test("too many new sockets in a minute are 429", async (t) => {
		const [client] = await open(t);
		for (let i = 0; i < 3; i++)
			assert.equal((await socket(t, client)).opened.status, 101);
		assert.equal((await socket(t, client)).opened.status, 429);
	});

	test("after a Close there is nothing to come back to", async (t) => {
		const [client, old] = await open(t);
		old.send({ type: 7 });
		assert.deepEqual(await old.message(), { type: 7 });
		assert.equal((await socket(t, client)).opened.status, 404);
	});

	test("version 1 of the handshake does without", async (t) => {
		const client = await poller(t, address(), { query: QUERY });
		const ws = await socket(t, client);
		assert.deepEqual(await ws.handshake(), {});
		assert.equal((await socket(t, client)).opened.status, 409);
	});

	test("another user cannot take the connection over", async (t) => {
		const headers = { Authorization: `Bearer ${await mintToken(`http://${address()}`, { userId: "ann" })}` };
		const client = await poller(t, address(), { query: QUERY, headers });
		const ws = await socket(t, client);
		assert.deepEqual(await ws.handshake(VERSION_2), {});
		client.headers = {};
		assert.equal((await socket(t, client)).opened.status, 404);
		assert.equal((await ws.call("LeaveRoom", "none")).error, undefined);
	});

	test("the official client loses nothing when its socket breaks", async (t) => {
		const room = freshRoom();
		const writer = await connect(t, cluster().urls[0]);
		const reader = await connect(t, cluster().urls[0], { stateful: true });
		await writer.invoke("JoinRoom", room);
		await reader.invoke("JoinRoom", room);
		const { connectionId } = reader.connection;
		const seen = await metric("stateful_attached_total");
		for (let i = 0; i < 100; i++) {
			await writer.invoke("SendMessage", room, `n${i}`);
			if (i === 50)
				reader.connection.connection.transport._webSocket.terminate();
		}
		await reader.untilText(room, "n99");
		assert.deepEqual(reader.texts(room), Array.from({ length: 100 }, (_, i) => `n${i}`));
		assert.equal(reader.connection.connectionId, connectionId);
		assert.equal(reader.connection.state, signalR.HubConnectionState.Connected);
		assert.equal(await metric("stateful_attached_total"), seen + 1);
	});

	// The official client's timer of Acks outlives its connection by a second, and sends over
	// the next.
	test("an Ack of what was never sent does no harm", async (t) => {
		const [, ws] = await open(t);
		const seen = await metric("stateful_acks_ahead_total");
		ws.send({ type: 8, sequenceId: 99 });
		assert.equal((await ws.call("LeaveRoom", "none")).error, undefined);
		assert.equal(await metric("stateful_acks_ahead_total"), seen + 1);
	});
});
