// SPDX-License-Identifier: Apache-2.0
// The chat hub as official clients see it, on clusters of several shapes: every member gets
// every message once and in order, whichever gateway it is on.
"use strict";

const { describe, test, before, after, afterEach } = require("node:test");
const assert = require("node:assert/strict");
const { sharedCluster, withCluster } = require("../kit/cluster.js");
const { connect } = require("../kit/clients.js");
const { freshRoom, rawClient, sayMany, assertComplete } = require("../kit/chat.js");

const MEMBERS = 12;
const SENDERS = 4;
const MESSAGES = 200;

for (const [gateways, routers] of [[1, 1], [2, 2], [3, 3]]) {
	describe(`chat on ${gateways} gateways and ${routers} routers`, () => {
		const cluster = sharedCluster({ before, after, afterEach }, { gateways, routers });
		const url = (i) => cluster().urls[i % gateways];

		test("each member gets each message once and in order", async (t) => {
			const room = freshRoom();
			const members = await Promise.all(Array.from({ length: MEMBERS }, (_, i) => connect(t, url(i))));
			await Promise.all(members.map((member) => member.invoke("JoinRoom", room)));
			const senders = members.slice(0, SENDERS);

			await Promise.all(senders.map((sender) => sayMany(sender, room, MESSAGES)));

			for (const member of members) {
				await member.until((m) => m.texts(room).length >= SENDERS * MESSAGES, "all messages");
				assertComplete(member, room, senders, MESSAGES);
			}
		});

		test("a send right after a join returned reaches the joiner", async (t) => {
			const sender = await connect(t, url(0));
			const joiner = await connect(t, url(1));
			for (let i = 0; i < 100; i++) {
				const room = freshRoom("join");
				await joiner.invoke("JoinRoom", room);
				await sender.invoke("SendMessage", room, `first ${i}`);
				await joiner.untilText(room, `first ${i}`);
			}
		});

		test("no send after a leave returned reaches the leaver", async (t) => {
			const sender = await connect(t, url(0));
			const leaver = await connect(t, url(1));
			const left = [];
			for (let i = 0; i < 30; i++) {
				const room = freshRoom("leave");
				left.push(room);
				await leaver.invoke("JoinRoom", room);
				await leaver.invoke("LeaveRoom", room);
				await sender.invoke("SendMessage", room, "too late");
			}
			const fence = freshRoom("fence");
			await leaver.invoke("JoinRoom", fence);
			await sender.invoke("SendMessage", fence, "over");
			await leaver.untilText(fence, "over");
			assert.deepEqual(left.flatMap((room) => leaver.texts(room)), []);
		});

		test("joining twice delivers once", async (t) => {
			const room = freshRoom();
			const member = await connect(t, url(1));
			await member.invoke("JoinRoom", room);
			await member.invoke("JoinRoom", room);
			await member.invoke("SendMessage", room, "one");
			await member.invoke("SendMessage", room, "two");
			await member.untilText(room, "two");
			assert.deepEqual(member.texts(room), ["one", "two"]);
		});
	});
}

test("a long history does not make its reader a slow one", async (t) => {
	await withCluster({}, async (cluster) => {
		const [writer, reader] = [await rawClient(t, cluster.addresses[0]), await rawClient(t, cluster.addresses[0])];
		const room = freshRoom();
		for (let i = 0; i < 45; i++)
			assert.equal((await writer.call("SendMessage", room, "x".repeat(30000))).error, undefined);
		assert.equal((await reader.call("JoinRoom", room)).error, undefined);
	});
});

describe("the chat hub's events", () => {
	const cluster = sharedCluster({ before, after, afterEach }, { gateways: 2, routers: 2 });
	const pair = async (t, room) => {
		const ada = await connect(t, cluster().urls[0], { name: "Ada" });
		const bob = await connect(t, cluster().urls[1], { name: "Bob" });
		await ada.invoke("JoinRoom", room);
		const joined = await bob.invoke("JoinRoom", room);
		return { ada, bob, joined };
	};

	test("JoinRoom answers with the members", async (t) => {
		const { ada, bob, joined } = await pair(t, freshRoom());
		const ids = joined.members.map((member) => [member.userId, member.userName]).sort();
		assert.deepEqual(ids, [[ada.user.userId, "Ada"], [bob.user.userId, "Bob"]].sort());
	});

	test("RoomMembers tells the same later", async (t) => {
		const room = freshRoom();
		const { ada, bob } = await pair(t, room);
		await bob.invoke("LeaveRoom", room);
		const { members } = await ada.invoke("RoomMembers", room);
		assert.deepEqual(members, [{ userId: ada.user.userId, userName: "Ada" }]);
	});

	test("one user with two connections is one member", async (t) => {
		const room = freshRoom();
		const { ada } = await pair(t, room);
		const second = await connect(t, cluster().urls[1], { userId: ada.user.userId, name: "Ada" });
		const { members } = await second.invoke("JoinRoom", room);
		assert.equal(members.filter((member) => member.userId === ada.user.userId).length, 1);
	});

	test("a message carries what the page needs", async (t) => {
		const room = freshRoom();
		const { ada, bob } = await pair(t, room);
		await ada.invoke("SendMessage", room, "hello \u2600 \"quoted\"\n\u0000");
		const [message] = await bob.until((client) => client.of("ReceiveMessage").length === 1
			&& client.of("ReceiveMessage"), "the message");
		assert.deepEqual(Object.keys(message).sort(),
			["id", "message", "number", "roomId", "timestamp", "userId", "userName"]);
		assert.equal(message.number, 1);
		assert.equal(message.message, "hello \u2600 \"quoted\"\n\u0000");
		assert.equal(message.userName, "Ada");
		assert.match(message.timestamp, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
		assert.ok(Math.abs(Date.parse(message.timestamp) - Date.now()) < 60000);
	});

	test("the caller of JoinRoom gets the last 50 messages, oldest first", async (t) => {
		const room = freshRoom();
		const { ada } = await pair(t, room);
		await sayMany(ada, room, 60);
		const late = await connect(t, cluster().urls[1]);
		await late.invoke("JoinRoom", room);
		const [history] = await late.until((client) => client.of("LoadMessages").length === 1
			&& client.of("LoadMessages"), "the history");
		const expected = Array.from({ length: 50 }, (_, i) => `${ada.user.userId}:${i + 10}`);
		assert.deepEqual(history.map((message) => message.message), expected);
	});

	test("the history of a new room is empty", async (t) => {
		const { ada } = await pair(t, freshRoom());
		await ada.until((client) => client.of("LoadMessages").length === 1, "the history");
		assert.deepEqual(ada.of("LoadMessages"), [[]]);
	});

	test("the room hears of a join", async (t) => {
		const room = freshRoom();
		const { ada, bob } = await pair(t, room);
		const event = { userId: bob.user.userId, userName: "Bob", roomId: room };
		await ada.until((client) => client.of("UserJoinedRoom").some((e) => e.userId === event.userId), "the join");
		assert.deepEqual(ada.of("UserJoinedRoom").find((e) => e.userId === event.userId), event);
	});

	test("typing is told to the others alone", async (t) => {
		const room = freshRoom();
		const { ada, bob } = await pair(t, room);
		await ada.invoke("StartTyping", room);
		await ada.invoke("StopTyping", room);
		await ada.invoke("SendMessage", room, "fence");
		await ada.untilText(room, "fence");
		await bob.untilText(room, "fence");
		const typing = (isTyping) => ({ userId: ada.user.userId, userName: "Ada", isTyping });
		assert.deepEqual(bob.of("UserTyping"), [typing(true), typing(false)]);
		assert.deepEqual(ada.of("UserTyping"), []);
	});

	test("the room hears of a leave", async (t) => {
		const room = freshRoom();
		const { ada, bob } = await pair(t, room);
		await bob.invoke("LeaveRoom", room);
		await ada.until((client) => client.of("UserLeftRoom").length, "the leave");
		assert.deepEqual(ada.of("UserLeftRoom"), [{ userId: bob.user.userId, userName: "Bob", roomId: room }]);
	});

	test("the room hears of a client that stopped", async (t) => {
		const { ada, bob } = await pair(t, freshRoom());
		await bob.stop();
		await ada.until((client) => client.of("UserLeftRoom").some((e) => e.userId === bob.user.userId), "the leave");
	});

	test("the room hears of a connection that just broke", async (t) => {
		const room = freshRoom();
		const { ada } = await pair(t, room);
		const raw = await rawClient(t, cluster().addresses[1], { user: { userId: "broken", name: "Broken" } });
		await raw.call("JoinRoom", room);
		raw.destroy();
		await ada.until((client) => client.of("UserLeftRoom").some((e) => e.userId === "broken"), "the leave");
	});
});

describe("the history of a room", () => {
	const cluster = sharedCluster({ before, after, afterEach }, { gateways: 2, routers: 3 });
	const url = (i) => cluster().urls[i % 2];
	const pages = async (client, room, count) => {
		const read = [];
		for (let before = 0, isMore = true; isMore; before = read[0][0].number) {
			const page = await client.invoke("RoomHistory", room, before, count);
			read.unshift(page.messages);
			isMore = page.isMore;
		}
		return read;
	};

	// Messages of different senders may arrive in another order than that of their numbers.
	test("numbers messages without gaps, for all alike, each sender's in the order they were sent", async (t) => {
		const room = freshRoom();
		const members = await Promise.all(Array.from({ length: 6 }, (_, i) => connect(t, url(i))));
		await Promise.all(members.map((member) => member.invoke("JoinRoom", room)));
		await Promise.all(members.map((member) => sayMany(member, room, 50)));
		for (const member of members)
			await member.until((m) => m.texts(room).length >= 300, "all messages");

		const byNumber = (a, b) => a.number - b.number;
		const all = members[0].of("ReceiveMessage").sort(byNumber);
		assert.deepEqual(all.map(({ number }) => number), Array.from({ length: 300 }, (_, i) => i + 1));
		for (const member of members) {
			const received = member.of("ReceiveMessage");
			for (const { user } of members) {
				const numbers = received.filter(({ userId }) => userId === user.userId).map(({ number }) => number);
				assert.deepEqual(numbers, [...numbers].sort((a, b) => a - b));
			}
			assert.deepEqual(received.sort(byNumber), all);
		}
		assert.deepEqual((await pages(members[5], room, 100)).flat(), all);
	});

	test("is read in pages, from the newest back", async (t) => {
		const room = freshRoom();
		const client = await connect(t, url(0));
		await sayMany(client, room, 25);
		const read = await pages(client, room, 10);
		assert.deepEqual(read.map((page) => page.length), [5, 10, 10]);
		assert.deepEqual(read.flat().map(({ message }) => message),
			Array.from({ length: 25 }, (_, i) => `${client.user.userId}:${i}`));
		await assert.rejects(client.invoke("RoomHistory", room, 0, 101), /count: 1 to 100 are allowed\.$/);
	});

	test("of long messages comes in smaller pages, and whole", async (t) => {
		const room = freshRoom();
		const client = await connect(t, url(0));
		for (let i = 0; i < 90; i++)
			await client.invoke("SendMessage", room, `${i}:${"x".repeat(30000)}`);
		const read = await pages(client, room, 100);
		assert.ok(read.length > 1, "it is too much for one page");
		assert.deepEqual(read.flat().map(({ message }) => parseInt(message, 10)), Array.from({ length: 90 }, (_, i) => i));
	});
});
