// SPDX-License-Identifier: Apache-2.0
// The notifications hub as official clients see it: who may notify whom, what waits for users
// who are away, groups, and how clients come in.
"use strict";

const { describe, test, before, after, afterEach } = require("node:test");
const assert = require("node:assert/strict");
const { sharedCluster } = require("../kit/cluster.js");
const { Client, connect, mintToken } = require("../kit/clients.js");
const { freshRoom } = require("../kit/chat.js");
const { listen, listenSse, notifying, untilOf } = require("../kit/notifications.js");
const { httpRequest } = require("../kit/raw.js");

const LONG_MS = 20000;
const UNAUTHORIZED = /HubException: Unauthorized to send notification to this user$/;

describe("the notifications hub", () => {
	const cluster = sharedCluster({ before, after, afterEach }, notifying({ gateways: 2, routers: 2 }));
	const url = (i) => cluster().urls[i];
	const admin = (t, i = 0) => listen(t, url(i), { roles: ["Admin"] });

	test("one reaches all of the user's connections", async (t) => {
		const sender = await admin(t);
		const first = await listen(t, url(0));
		const second = await listenSse(t, url(1), { userId: first.user.userId });
		const wanted = { title: "Hi", message: "there", icon: "/i.png", priority: "high" };
		assert.equal(await sender.invoke("SendNotificationToUser", first.user.userId, wanted), null);
		for (const client of [first, second]) {
			const [notification] = await untilOf(client, "ReceiveNotification", 1);
			const { id, createdAt, ...rest } = notification;
			assert.deepEqual(rest, { ...wanted, read: false });
			assert.match(id, /^[\w-]{22}$/);
			assert.match(createdAt, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
		}
		assert.equal(first.of("ReceiveNotification")[0].id, second.of("ReceiveNotification")[0].id);
		assert.deepEqual(sender.of("ReceiveNotification"), []);
	});

	test("those that wait come on connect, oldest first, until they are read", async (t) => {
		const sender = await admin(t);
		const userId = freshRoom("away");
		const titles = Array.from({ length: 12 }, (_, i) => `number ${i}`);
		for (const title of titles)
			await sender.invoke("SendNotificationToUser", userId, { title, message: "text" });

		const first = await listen(t, url(1), { userId });
		const waiting = await untilOf(first, "ReceiveNotification", titles.length);
		assert.deepEqual(waiting.map(({ title }) => title), titles);
		for (const { id } of waiting.slice(0, 5))
			await first.invoke("MarkNotificationAsRead", id);
		assert.deepEqual(first.of("NotificationRead"), waiting.slice(0, 5).map(({ id }) => id));

		const second = await listen(t, url(0), { userId });
		const left = await untilOf(second, "ReceiveNotification", 7);
		assert.deepEqual(left, waiting.slice(5));
	});

	test("nobody but Admin, notify and oneself may", async (t) => {
		const target = await listen(t, url(0));
		const send = async (roles, userId = target.user.userId) =>
			(await listen(t, url(1), { roles })).invoke("SendNotificationToUser", userId, { title: "t", message: "m" });
		await assert.rejects(send([]), UNAUTHORIZED);
		await assert.rejects(send(["admin", "notify:somebody"]), UNAUTHORIZED);
		await send(["notify"]);
		await send([`notify:${target.user.userId}`]);
		await target.invoke("SendNotificationToUser", target.user.userId, { title: "t", message: "note to self" });
		const texts = (await untilOf(target, "ReceiveNotification", 3)).map(({ message }) => message);
		assert.deepEqual(texts, ["m", "m", "note to self"]);
	});

	test("what is no notification is refused with a reason", async (t) => {
		const sender = await admin(t);
		const refused = (notification, reason) =>
			assert.rejects(sender.invoke("SendNotificationToUser", "bob", notification), reason);
		await refused({ title: "t" }, /notification\.message: a string is wanted/);
		await refused({ title: "t", message: "m", priority: "urgent" }, /one of low, normal, high is wanted/);
		await refused({ title: "x".repeat(257), message: "m" }, /notification\.title: at most 256 bytes/);
	});

	test("a role's group hears its members and Admin", async (t) => {
		const role = freshRoom("role");
		const [member, boss, other] = [await listen(t, url(0), { roles: [role] }), await admin(t, 1), await listen(t, url(1))];
		await assert.rejects(other.invoke("BroadcastToGroup", `role-${role}`, "me too"),
			/HubException: Unauthorized to broadcast to this group$/);
		await boss.invoke("BroadcastToGroup", `role-${role}`, "from above");
		await member.invoke("BroadcastToGroup", `role-${role}`, "from within");
		const heard = (await untilOf(member, "ReceiveBroadcast", 2)).map(({ timestamp, ...rest }) => {
			assert.ok(Math.abs(Date.parse(timestamp) - Date.now()) < 60000);
			return rest;
		});
		const from = (sender, message) => ({ groupName: `role-${role}`, message, senderId: sender.user.userId });
		assert.deepEqual(heard, [from(boss, "from above"), from(member, "from within")]);
		assert.deepEqual([...boss.of("ReceiveBroadcast"), ...other.of("ReceiveBroadcast")], []);
	});

	test("data updates are subscribed to by type and filter", async (t) => {
		const [one, two] = [await listen(t, url(0)), await listen(t, url(1))];
		const type = freshRoom("type");
		await one.invoke("SubscribeToDataUpdates", type, "EUR");
		await two.invoke("BroadcastToGroup", `data-${type}-EUR`, "subscribed");
		await one.invoke("UnsubscribeFromDataUpdates", type, "EUR");
		await two.invoke("BroadcastToGroup", `data-${type}-EUR`, "unsubscribed");
		await one.invoke("SubscribeToDataUpdates", type, "EUR");
		await two.invoke("BroadcastToGroup", `data-${type}-EUR`, "again");
		await one.until(() => one.of("ReceiveBroadcast").some(({ message }) => message === "again"), "the last");
		assert.deepEqual(one.of("ReceiveBroadcast").map(({ message }) => message), ["subscribed", "again"]);
	});

	test("the others hear of a user's first connection and of its last", async (t) => {
		const watcher = await listen(t, url(0));
		const told = (event, userId) => watcher.of(event).filter((user) => user.userId === userId);
		const userId = freshRoom("user");
		const first = await listen(t, url(0), { userId });
		await watcher.until(() => told("UserConnected", userId).length, "to hear of the user", LONG_MS);
		const second = await listen(t, url(1), { userId });
		await first.stop();
		await second.stop();
		await watcher.until(() => told("UserDisconnected", userId).length, "to hear of its end", LONG_MS);

		const [came] = told("UserConnected", userId);
		assert.deepEqual(Object.keys(came).sort(), ["connectedAt", "status", "userId"]);
		assert.equal(came.status, "online");
		assert.match(came.connectedAt, /Z$/);
		const [went] = told("UserDisconnected", userId);
		assert.deepEqual(Object.keys(went).sort(), ["disconnectedAt", "status", "userId"]);
		assert.equal(went.status, "offline");
		assert.deepEqual([told("UserConnected", userId).length, told("UserDisconnected", userId).length], [1, 1]);
		for (const client of [first, second])
			assert.deepEqual(client.of("UserConnected").filter((user) => user.userId === userId), []);
	});

	test("who has no token, or none that names a user, stays out", async (t) => {
		const target = "/hubs/notifications/negotiate?negotiateVersion=1";
		assert.equal((await httpRequest(cluster().addresses[0], "POST", target)).status, 401);
		const headers = { Authorization: `Bearer ${await mintToken(url(0), { userId: "ann", name: "Ann" })}` };
		const { body } = await httpRequest(cluster().addresses[0], "POST", target, { headers });
		assert.deepEqual(JSON.parse(body).availableTransports.map(({ transport }) => transport),
			["WebSockets", "ServerSentEvents"]);
		const anonymous = new Client(url(0), { hub: "notifications", http: { accessTokenFactory: () => "" } });
		await assert.rejects(anonymous.start(), /401/);
		await connect(t, url(0)); // the other hub is as it was
	});
});
