// SPDX-License-Identifier: Apache-2.0
// The state of hubs in a Redis that all routers share: it outlives every router, and says so
// when Redis is away. Without Redis it ends with them.
"use strict";

const { test } = require("node:test");
const assert = require("node:assert/strict");
const { withCluster } = require("../kit/cluster.js");
const { connect } = require("../kit/clients.js");
const { freshRoom } = require("../kit/chat.js");
const { startRedis } = require("../kit/redis.js");

const ROUTERS = ["r1", "r2"];
const ROOMS = 8; // of both routers, whatever they are called
const WAIT_MS = 10000;
const REDIS = ["--redis_timeout=1s", "--redis_connect_timeout=1s", "--hub_await_timeout=5s"];

// The texts that a newcomer finds in the room.
async function history(t, cluster, room) {
	const late = await connect(t, cluster.urls[1]);
	await late.invoke("JoinRoom", room);
	await late.until((client) => client.of("LoadMessages").length === 1, "the history");
	const [messages] = late.of("LoadMessages");
	await late.stop();
	return messages.map((message) => message.message);
}

async function killAllRouters(cluster) {
	await Promise.all(ROUTERS.map((name) => cluster.kill(name)));
	await Promise.all(ROUTERS.map((name) => cluster.restart(name)));
}

test("a room's history survives the death of every router", async (t) => {
	const redis = await startRedis();
	t.after(() => redis.stop());
	await withCluster({ gateways: 2, routers: 2, hubRedis: redis.url(), routerArgs: REDIS }, async (cluster) => {
		const ada = await connect(t, cluster.urls[0]);
		const rooms = Array.from({ length: ROOMS }, () => freshRoom());
		for (const room of rooms) {
			await ada.invoke("JoinRoom", room);
			await ada.invoke("SendMessage", room, "before");
		}

		await killAllRouters(cluster);
		for (const room of rooms)
			await ada.invoke("SendMessage", room, "after");

		for (const room of rooms)
			assert.deepEqual(await history(t, cluster, room), ["before", "after"]);
		const keys = await redis.master.command("KEYS", "heliograph:state:{chat:*");
		assert.equal(keys.length, ROOMS);
		for (const key of keys)
			assert.ok(await redis.master.command("PTTL", key) > 0, `${key} expires`);
		const counted = await Promise.all(ROUTERS.map((name) => cluster.metrics(name)));
		assert.ok(counted.every((metrics) => metrics.get("router_state_keys") === 0));
		assert.ok(counted.some((metrics) => metrics.get("router_state_change_total") > 0));
	});
});

test("without Redis a room's history ends with its router", async (t) => {
	await withCluster({ gateways: 2, routers: 2 }, async (cluster) => {
		const ada = await connect(t, cluster.urls[0]);
		const room = freshRoom();
		await ada.invoke("JoinRoom", room);
		await ada.invoke("SendMessage", room, "before");
		assert.deepEqual(await history(t, cluster, room), ["before"]);

		await killAllRouters(cluster);

		assert.deepEqual(await history(t, cluster, room), []);
	});
});

test("while Redis is away what needs it fails, and goes on when it is back", async (t) => {
	const redis = await startRedis();
	t.after(() => redis.stop());
	await withCluster({ gateways: 2, routers: 2, hubRedis: redis.url(), routerArgs: REDIS }, async (cluster) => {
		const ada = await connect(t, cluster.urls[0]);
		const room = freshRoom();
		await ada.invoke("JoinRoom", room);
		await ada.invoke("SendMessage", room, "before");

		await redis.master.kill();
		await assert.rejects(ada.invoke("SendMessage", room, "lost"));
		await ada.invoke("RoomMembers", room); // what needs no state works

		await redis.master.start(); // it keeps nothing on disk
		for (const name of ROUTERS)
			await cluster.untilRedis(name, WAIT_MS);
		await ada.until(() => ada.invoke("SendMessage", room, "after").then(() => true), "a send");
		assert.equal((await history(t, cluster, room)).at(-1), "after");
		assert.deepEqual(ada.states, []);
	});
});
