// SPDX-License-Identifier: Apache-2.0
// A gateway is killed, or told to end: its own clients notice, the others do not.
"use strict";

const { test } = require("node:test");
const assert = require("node:assert/strict");
const { withCluster } = require("../kit/cluster.js");
const { connect } = require("../kit/clients.js");
const { freshRoom, rawClient } = require("../kit/chat.js");
const { Traffic } = require("../kit/traffic.js");
const { untilOnline } = require("../kit/presence.js");

const LEASE = ["--lease=1s"];

test("the members of a killed gateway leave, and the rest goes on", async (t) => {
	await withCluster({ gateways: 2, routers: 2, gatewayArgs: LEASE }, async (cluster) => {
		const room = freshRoom();
		const lost = [await connect(t, cluster.urls[0]), await connect(t, cluster.urls[0])];
		const left = [await connect(t, cluster.urls[1]), await connect(t, cluster.urls[1])];
		for (const client of [...lost, ...left])
			await client.invoke("JoinRoom", room);
		await untilOnline(cluster, [...lost, ...left].map((client) => client.user.userId));
		const traffic = new Traffic(new Map([[freshRoom(), left]]));
		await traffic.start();

		await cluster.kill("g1");

		await traffic.flows();
		await untilOnline(cluster, left.map((client) => client.user.userId));
		for (const watcher of left)
			await watcher.until(() => lost.every((client) =>
				watcher.of("UserLeftRoom").some((event) => event.userId === client.user.userId)), "the leaves");
		await left[0].until(async () => (await left[0].invoke("RoomMembers", room)).members.length === 2,
			"two members");
		await traffic.stop();
		await traffic.check();
		assert.deepEqual(left.flatMap((client) => client.states), []);
	});
});

test("clients of a killed gateway come back to its next life", async (t) => {
	await withCluster({ gateways: 2, routers: 2, gatewayArgs: LEASE }, async (cluster) => {
		const room = freshRoom();
		const reconnect = { nextRetryDelayInMilliseconds: () => 50 };
		const ada = await connect(t, cluster.urls[0], { reconnect });
		const bob = await connect(t, cluster.urls[1]);
		await bob.invoke("JoinRoom", room);
		const idBefore = ada.id;

		await cluster.kill("g1");
		await cluster.restart("g1");
		await ada.until(() => ada.states.includes("reconnected"), "the reconnect", 20000);

		assert.notEqual(ada.id, idBefore);
		await ada.invoke("JoinRoom", room);
		await bob.invoke("SendMessage", room, "welcome back");
		await ada.untilText(room, "welcome back");
		await untilOnline(cluster, [ada.user.userId, bob.user.userId]);
	});
});

test("a drained gateway tells its clients to reconnect and ends with 0", async (t) => {
	await withCluster({ gateways: 2, routers: 2 }, async (cluster) => {
		const room = freshRoom();
		const reconnect = { nextRetryDelayInMilliseconds: () => 50 };
		const official = await connect(t, cluster.urls[0], { reconnect });
		const watcher = await connect(t, cluster.urls[1]);
		await watcher.invoke("JoinRoom", room);
		await official.invoke("JoinRoom", room);
		const raw = await rawClient(t, cluster.addresses[0]);

		const ended = cluster.kill("g1", "SIGTERM");

		assert.deepEqual(await raw.message(), { type: 7, allowReconnect: true });
		assert.equal((await raw.close()).code, 1000);
		raw.destroy();
		await official.until(() => official.states[0] === "reconnecting", "the client to reconnect");
		assert.deepEqual(await ended, { code: 0, signal: null });
		await watcher.until(() => watcher.of("UserLeftRoom").length === 1, "the leave");
		await watcher.invoke("SendMessage", room, "on we go");
		await watcher.untilText(room, "on we go");
	});
});

test("what was acknowledged before a drain is delivered", async (t) => {
	await withCluster({ gateways: 2, routers: 2 }, async (cluster) => {
		const room = freshRoom();
		const sender = await connect(t, cluster.urls[0]);
		const receiver = await connect(t, cluster.urls[1]);
		await receiver.invoke("JoinRoom", room);
		const acked = [];
		const talking = (async () => {
			for (let i = 0; !sender.closed; i++)
				await sender.invoke("SendMessage", room, `${i}`).then(() => acked.push(`${i}`), () => {});
		})();
		await receiver.until(() => receiver.texts(room).length >= 20, "some messages");

		await cluster.kill("g1", "SIGTERM");
		await talking;

		await receiver.until(() => acked.every((text) => receiver.texts(room).includes(text)), "what was acknowledged");
		assert.equal(new Set(receiver.texts(room)).size, receiver.texts(room).length);
	});
});
