// SPDX-License-Identifier: Apache-2.0
// Names of rooms and groups are bytes: one with a NUL in it is another name, not a shorter one.
"use strict";

const { describe, test, before, after, afterEach } = require("node:test");
const assert = require("node:assert/strict");
const { sharedCluster } = require("../kit/cluster.js");
const { connect } = require("../kit/clients.js");
const { freshRoom } = require("../kit/chat.js");

describe("names with a NUL", () => {
	const cluster = sharedCluster({ before, after, afterEach }, { gateways: 1, routers: 2 });
	const member = (t, roles) => connect(t, cluster().urls[0], { hub: "relay", roles, events: ["news"] });

	test("a room is not the room its name begins with", async (t) => {
		const roomId = freshRoom();
		const [inside, outside] = [await connect(t, cluster().urls[0]), await connect(t, cluster().urls[0])];
		await inside.invoke("JoinRoom", roomId);
		await outside.invoke("SendMessage", `${roomId}\0x`, "stray");
		await outside.invoke("SendMessage", roomId, "last");
		await inside.untilText(roomId, "last");
		assert.deepEqual(inside.of("ReceiveMessage").map((message) => message.message), ["last"]);
	});

	test("a role for one group allows no group whose name begins with it", async (t) => {
		const group = freshRoom("group");
		const joiner = await member(t, [`relay.join:${group}`]);
		const sender = await member(t, [`relay.send:${group}`]);
		await joiner.invoke("JoinGroup", group);
		await assert.rejects(joiner.invoke("JoinGroup", `${group}\0x`), /Not allowed/);
		await assert.rejects(sender.invoke("SendToGroup", `${group}\0x`, "news", 1), /Not allowed/);
	});
});
