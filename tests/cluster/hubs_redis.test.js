// SPDX-License-Identifier: Apache-2.0
// What the hubs keep in Redis: it is there when every router was killed, and the same at all.
"use strict";

const { test } = require("node:test");
const assert = require("node:assert/strict");
const { withCluster } = require("../kit/cluster.js");
const { connect } = require("../kit/clients.js");
const { freshRoom, sayMany } = require("../kit/chat.js");
const { listen, notifying, untilOf } = require("../kit/notifications.js");
const { startRedis } = require("../kit/redis.js");

const LONG_MS = 20000;

async function withRedis(t, body) {
	const redis = await startRedis();
	t.after(() => redis.stop());
	await withCluster(notifying({ gateways: 2, routers: 2, hubRedis: redis.url() }), body);
}

async function killRouters(cluster) {
	await Promise.all(["r1", "r2"].map((name) => cluster.kill(name)));
	await Promise.all(["r1", "r2"].map((name) => cluster.restart(name)));
}

test("notifications wait for their user while every router dies", async (t) => {
	await withRedis(t, async (cluster) => {
		const sender = await listen(t, cluster.urls[0], { roles: ["Admin"] });
		const titles = Array.from({ length: 10 }, (_, i) => `number ${i}`);
		for (const title of titles)
			await sender.invoke("SendNotificationToUser", "away", { title, message: "text" });
		await killRouters(cluster);

		const first = await listen(t, cluster.urls[1], { userId: "away" });
		const waiting = await untilOf(first, "ReceiveNotification", titles.length);
		assert.deepEqual(waiting.map(({ title }) => title), titles);
		await first.invoke("MarkNotificationAsRead", waiting[0].id);
		await killRouters(cluster);

		const second = await listen(t, cluster.urls[0], { userId: "away" });
		assert.deepEqual(await untilOf(second, "ReceiveNotification", 9), waiting.slice(1));
	});
});

test("a room's history, its ids and numbers go on", async (t) => {
	await withRedis(t, async (cluster) => {
		const room = freshRoom();
		const client = await connect(t, cluster.urls[0]);
		await sayMany(client, room, 60);
		const before = await client.invoke("RoomHistory", room, 0, 100);
		await killRouters(cluster);

		assert.deepEqual(await client.invoke("RoomHistory", room, 0, 100), before);
		await client.invoke("SendMessage", room, "after");
		const { messages } = await client.invoke("RoomHistory", room, 0, 1);
		assert.deepEqual(messages.map(({ message, number }) => [message, number]), [["after", 61]]);
	});
});

test("each user's coming and going is told once by two gateways", async (t) => {
	await withRedis(t, async (cluster) => {
		const watchers = [await listen(t, cluster.urls[0]), await listen(t, cluster.urls[1])];
		const told = (watcher, event) => watcher.of(event).map(({ userId }) => userId)
			.filter((userId) => userId.startsWith("guest")).sort();
		const ids = Array.from({ length: 10 }, (_, i) => `guest${i}`);
		const visits = await Promise.all(ids.flatMap((userId) => [0, 1].map((i) => listen(t, cluster.urls[i], { userId }))));
		for (const watcher of watchers)
			await watcher.until(() => told(watcher, "UserConnected").length >= ids.length, "to hear of all", LONG_MS);
		await Promise.all(visits.map((visit) => visit.stop()));
		for (const watcher of watchers) {
			await watcher.until(() => told(watcher, "UserDisconnected").length >= ids.length, "to hear of their end", LONG_MS);
			assert.deepEqual(told(watcher, "UserConnected"), ids);
			assert.deepEqual(told(watcher, "UserDisconnected"), ids);
		}
	});
});
