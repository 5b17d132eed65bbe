// SPDX-License-Identifier: Apache-2.0
// The few steps that many tests begin with.
"use strict";

const assert = require("node:assert/strict");
const crypto = require("node:crypto");
const { mintToken } = require("./clients.js");
const { RawWebSocket } = require("./raw.js");

// A room no other test uses.
function freshRoom(prefix = "room") {
	return `${prefix}-${crypto.randomBytes(4).toString("hex")}`;
}

// A raw WebSocket on a hub, before the SignalR handshake; gone when the test ends.
// The address may be a URL.
async function rawHub(test, address, { hub = "chat", user = { userId: "raw" } } = {}) {
	const token = await mintToken(address.includes("://") ? address : `http://${address}`, user);
	const ws = await RawWebSocket.open(address, `/hubs/${hub}?access_token=${encodeURIComponent(token)}`);
	test.after(() => ws.destroy());
	assert.equal(ws.opened.status, 101);
	return ws;
}

// The same with the handshake done.
async function rawClient(test, address, options) {
	const ws = await rawHub(test, address, options);
	assert.deepEqual(await ws.handshake(), {});
	return ws;
}

// Sends `count` texts as one client, without waiting for each, and waits for all answers.
async function sayMany(client, roomId, count) {
	const texts = Array.from({ length: count }, (_, i) => `${client.user.userId}:${i}`);
	await Promise.all(texts.map((text) => client.invoke("SendMessage", roomId, text)));
}

// Every sender's numbered texts, each exactly once and in order.
function assertComplete(receiver, roomId, senders, count) {
	const texts = receiver.texts(roomId);
	for (const sender of senders) {
		const expected = Array.from({ length: count }, (_, i) => `${sender.user.userId}:${i}`);
		const got = texts.filter((text) => text.startsWith(`${sender.user.userId}:`));
		assert.deepEqual(got, expected,
			`what ${receiver.user.userId} got from ${sender.user.userId}`);
	}
}

module.exports = { freshRoom, rawHub, rawClient, sayMany, assertComplete };
