// SPDX-License-Identifier: Apache-2.0
// A router is killed while everybody talks: no client notices more than a pause.
"use strict";

const { test } = require("node:test");
const assert = require("node:assert/strict");
const { withCluster } = require("../kit/cluster.js");
const { connect, signalR } = require("../kit/clients.js");
const { balance } = require("../kit/balancer.js");
const { freshRoom } = require("../kit/chat.js");
const { Traffic } = require("../kit/traffic.js");

const ROOMS = 6;

async function crowd(t, cluster) {
	const clients = await Promise.all(Array.from({ length: 6 }, (_, i) => connect(t, cluster.urls[i % 2])));
	const rooms = new Map();
	for (let i = 0; i < ROOMS; i++)
		rooms.set(freshRoom(), [0, 1, 2].map((k) => clients[(i + k) % clients.length]));
	return { clients, rooms };
}

test("a router killed under traffic costs nobody a message or a connection", async (t) => {
	await withCluster({ gateways: 2, routers: 2 }, async (cluster) => {
		const { clients, rooms } = await crowd(t, cluster);
		const traffic = new Traffic(rooms);
		await traffic.start();
		await traffic.flows();

		for (const name of ["r1", "r2"]) {
			await cluster.kill(name);
			await cluster.restart(name);
			await traffic.flows();
		}

		await traffic.stop();
		await traffic.check();
		assert.deepEqual(clients.flatMap((client) => client.states), []);
	});
});

// A poll may be passed on by the router that is killed, with or without its answer.
test("a router killed under long polls costs none of them its connection", async (t) => {
	await withCluster({ gateways: 3, routers: 2 }, async (cluster) => {
		const balancer = await balance(t, cluster, { keepAlive: false });
		const http = { transport: signalR.HttpTransportType.LongPolling };
		const clients = await Promise.all(Array.from({ length: 9 }, () => connect(t, balancer.url, { http })));
		const traffic = new Traffic(new Map([0, 1, 2].map((i) => [freshRoom(), clients.slice(3 * i, 3 * i + 3)])));
		await traffic.start();
		await traffic.flows();

		for (const name of ["r1", "r2", "r1", "r2"]) {
			await cluster.kill(name);
			await cluster.restart(name);
			await traffic.flows();
		}

		await traffic.stop();
		await traffic.check();
		assert.deepEqual(clients.flatMap((client) => client.states), []);
		assert.deepEqual(clients.filter((client) => client.closed), []);
		let again = 0;
		for (let i = 1; i <= cluster.addresses.length; i++)
			again += (await cluster.metrics(`g${i}`)).get("gateway_forward_lost_total");
		assert.ok(again > 0, "a router was lost that passed something on");
	});
});

test("rooms are rebuilt from the gateways, their members and all", async (t) => {
	await withCluster({ gateways: 2, routers: 1 }, async (cluster) => {
		const room = freshRoom();
		const [ada, bob] = [await connect(t, cluster.urls[0]), await connect(t, cluster.urls[1])];
		await ada.invoke("JoinRoom", room);
		await bob.invoke("JoinRoom", room);

		await cluster.kill("r1");
		await cluster.restart("r1");

		const { members } = await ada.invoke("RoomMembers", room);
		assert.deepEqual(members.map((member) => member.userId).sort(), [ada.user.userId, bob.user.userId].sort());
		await bob.invoke("SendMessage", room, "still here");
		await ada.untilText(room, "still here");
		const late = await connect(t, cluster.urls[1]);
		await late.invoke("JoinRoom", room);
		await late.invoke("SendMessage", room, "me too");
		await Promise.all([ada, bob, late].map((client) => client.untilText(room, "me too")));
	});
});

test("who left while the router was away is gone afterwards", async (t) => {
	await withCluster({ gateways: 2, routers: 1 }, async (cluster) => {
		const room = freshRoom();
		const [ada, bob] = [await connect(t, cluster.urls[0]), await connect(t, cluster.urls[1])];
		await ada.invoke("JoinRoom", room);
		await bob.invoke("JoinRoom", room);

		await cluster.kill("r1");
		await bob.stop();
		await cluster.restart("r1");

		await ada.until(async () => (await ada.invoke("RoomMembers", room)).members.length === 1, "bob to be gone");
		assert.deepEqual(ada.states, []);
	});
});
