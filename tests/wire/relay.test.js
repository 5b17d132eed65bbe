// SPDX-License-Identifier: Apache-2.0
// The relay hub: messaging from client to client, as far as the roles in the token allow.
"use strict";

const { describe, test, before, after, afterEach } = require("node:test");
const assert = require("node:assert/strict");
const { sharedCluster } = require("../kit/cluster.js");
const { connect } = require("../kit/clients.js");
const { freshRoom } = require("../kit/chat.js");

const EVERYTHING = ["relay.join", "relay.send", "relay.user", "relay.connection", "relay.all"];

describe("the relay hub", () => {
	const cluster = sharedCluster({ before, after, afterEach }, { gateways: 2, routers: 2 });
	const member = (t, i, roles = EVERYTHING, userId = undefined) =>
		connect(t, cluster().urls[i % 2], { hub: "relay", roles, userId, events: ["news", "other", "fence"] });
	// What the client heard until a message that was sent to it last.
	const heard = async (client, sender) => {
		await sender.invoke("SendToConnection", client.id, "fence", "over");
		await client.until((c) => c.of("fence").length, "the fence");
		return client.events.filter((entry) => entry.event !== "fence");
	};

	test("SendToGroup reaches the members on all gateways, the sender too if it is one", async (t) => {
		const group = freshRoom("group");
		const clients = await Promise.all([0, 1, 2, 3].map((i) => member(t, i)));
		const [sender, inside, alsoInside, outside] = clients;
		for (const client of [sender, inside, alsoInside])
			await client.invoke("JoinGroup", group);
		await sender.invoke("SendToGroup", group, "news", { n: 1 });
		for (const client of [sender, inside, alsoInside])
			await client.until((c) => c.of("news").length === 1, "the news");
		assert.deepEqual(inside.of("news"), [{ n: 1 }]);
		assert.deepEqual(await heard(outside, sender), []);
	});

	test("LeaveGroup takes effect before it returns", async (t) => {
		const group = freshRoom("group");
		const [sender, leaver] = [await member(t, 0), await member(t, 1)];
		await leaver.invoke("JoinGroup", group);
		await leaver.invoke("LeaveGroup", group);
		await sender.invoke("SendToGroup", group, "news", 1);
		assert.deepEqual(await heard(leaver, sender), []);
	});

	test("leaving a group never joined is no error", async (t) => {
		const client = await member(t, 0);
		assert.equal(await client.invoke("LeaveGroup", freshRoom("group")), null);
	});

	test("a group is named case-sensitively", async (t) => {
		const group = freshRoom("group");
		const [sender, other] = [await member(t, 0), await member(t, 1)];
		await other.invoke("JoinGroup", group.toUpperCase());
		await sender.invoke("SendToGroup", group, "news", 1);
		assert.deepEqual(await heard(other, sender), []);
	});

	test("SendToUser reaches all connections of the user and no other", async (t) => {
		const userId = freshRoom("user");
		const sender = await member(t, 0);
		const [first, second, stranger] =
			[await member(t, 0, [], userId), await member(t, 1, [], userId), await member(t, 1)];
		await sender.invoke("SendToUser", userId, "news", "for you");
		for (const client of [first, second])
			await client.until((c) => c.of("news").length === 1, "the news");
		assert.deepEqual(await heard(stranger, sender), []);
	});

	test("SendToUser still reaches the second connection after the first ended", async (t) => {
		const userId = freshRoom("user");
		const sender = await member(t, 0);
		const [first, second] = [await member(t, 0, [], userId), await member(t, 1, [], userId)];
		await first.stop();
		await sender.invoke("SendToUser", userId, "news", "still here");
		await second.until((c) => c.of("news").length === 1, "the news");
	});

	test("SendToConnection reaches one connection on another gateway", async (t) => {
		const userId = freshRoom("user");
		const sender = await member(t, 0);
		const [one, other] = [await member(t, 1, [], userId), await member(t, 1, [], userId)];
		await sender.invoke("SendToConnection", one.id, "news", "you alone");
		await one.until((c) => c.of("news").length === 1, "the news");
		assert.deepEqual(await heard(other, sender), []);
	});

	test("SendToConnection to one that is gone does not throw", async (t) => {
		const [sender, gone] = [await member(t, 0), await member(t, 1)];
		const id = gone.id;
		await gone.stop();
		assert.equal(await sender.invoke("SendToConnection", id, "news", 1), null);
	});

	test("SendToAll reaches everybody, once", async (t) => {
		const clients = await Promise.all([0, 1, 2, 3].map((i) => member(t, i)));
		const mark = freshRoom("mark");
		await clients[0].invoke("SendToAll", "news", mark);
		for (const client of clients)
			await client.until((c) => c.of("news").includes(mark), "the news");
		for (const client of clients)
			assert.deepEqual((await heard(client, clients[0])).map((entry) => entry.args[0]), [mark]);
	});

	test("SendToOthers leaves out the sender", async (t) => {
		const clients = await Promise.all([0, 1, 2].map((i) => member(t, i)));
		await clients[0].invoke("SendToOthers", "news", "not me");
		for (const client of clients.slice(1))
			await client.until((c) => c.of("news").length === 1, "the news");
		assert.deepEqual(await heard(clients[0], clients[1]), []);
	});

	test("several arguments of every kind arrive as they were sent", async (t) => {
		const group = freshRoom("group");
		const [sender, receiver] = [await member(t, 0), await member(t, 1)];
		await receiver.invoke("JoinGroup", group);
		const values = [null, true, -1.5, 9007199254740991, "\u00e4\ud83d\ude00", [1, [2]], { a: { b: [] } }];
		await sender.invoke("SendToGroup", group, "news", ...values);
		await receiver.until((c) => c.events.length === 1, "the news");
		assert.deepEqual(receiver.events[0].args, values);
	});

	test("order from one sender to one group is kept", async (t) => {
		const group = freshRoom("group");
		const [sender, receiver] = [await member(t, 0), await member(t, 1)];
		await receiver.invoke("JoinGroup", group);
		const numbers = Array.from({ length: 300 }, (_, i) => i);
		await Promise.all(numbers.map((n) => sender.invoke("SendToGroup", group, "news", n)));
		await receiver.until((c) => c.of("news").length === 300, "all numbers");
		assert.deepEqual(receiver.of("news"), numbers);
	});

	describe("permissions", () => {
		const refused = (promise, permission) => assert.rejects(promise, {
			message: new RegExp(`HubException: Not allowed: ${permission.replace(/[.]/g, "\\.")} is missing\\.$`),
		});

		test("without any role every verb is refused", async (t) => {
			const nobody = await member(t, 0, []);
			await refused(nobody.invoke("JoinGroup", "g"), "relay.join:g");
			await refused(nobody.invoke("SendToGroup", "g", "news", 1), "relay.send:g");
			await refused(nobody.invoke("SendToUser", "u", "news", 1), "relay.user:u");
			await refused(nobody.invoke("SendToConnection", nobody.id, "news", 1), `relay.connection:${nobody.id}`);
			await refused(nobody.invoke("SendToAll", "news", 1), "relay.all");
			await refused(nobody.invoke("SendToOthers", "news", 1), "relay.all");
		});

		test("a role for one group opens that group alone", async (t) => {
			const group = freshRoom("group");
			const client = await member(t, 0, [`relay.join:${group}`, `relay.send:${group}`]);
			await client.invoke("JoinGroup", group);
			await client.invoke("SendToGroup", group, "news", "mine");
			await client.until((c) => c.of("news").length === 1, "the news");
			await refused(client.invoke("JoinGroup", "elsewhere"), "relay.join:elsewhere");
			await refused(client.invoke("SendToGroup", "elsewhere", "news", 1), "relay.send:elsewhere");
		});

		test("a list or a pattern opens what it names", async (t) => {
			const client = await member(t, 0, ["relay.join:lobby,room-*", "relay.send:room-*"]);
			for (const group of ["lobby", "room-", "room-7"])
				await client.invoke("JoinGroup", group);
			await client.invoke("SendToGroup", "room-7", "news", "mine");
			await client.until((c) => c.of("news").length === 1, "the news");
			await refused(client.invoke("JoinGroup", "room"), "relay.join:room");
			await refused(client.invoke("JoinGroup", "lobby,room-*"), "relay.join:lobby,room-\\*");
			await refused(client.invoke("SendToGroup", "lobby", "news", 1), "relay.send:lobby");
		});

		test("joining does not allow sending", async (t) => {
			const client = await member(t, 0, ["relay.join"]);
			await client.invoke("JoinGroup", "g");
			await refused(client.invoke("SendToGroup", "g", "news", 1), "relay.send:g");
		});
	});
});
