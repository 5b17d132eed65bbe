// SPDX-License-Identifier: Apache-2.0
// A send goes to the gateways that have members, once to each, and to no other.
"use strict";

const { test } = require("node:test");
const assert = require("node:assert/strict");
const { withCluster } = require("../kit/cluster.js");
const { connect } = require("../kit/clients.js");
const { freshRoom } = require("../kit/chat.js");

const SENDS = 20;
const GATEWAYS = ["g1", "g2", "g3"];

async function delivers(cluster) {
	const metrics = await Promise.all(GATEWAYS.map((name) => cluster.metrics(name)));
	return metrics.map((values) => values.get("gateway_deliver_total"));
}

// How many Deliver messages each gateway got for SENDS sends. A send that has returned was
// handled by all of them.
async function countSends(cluster, sender, room) {
	const before = await delivers(cluster);
	for (let i = 0; i < SENDS; i++)
		await sender.invoke("SendMessage", room, `message ${i}`);
	const after = await delivers(cluster);
	return after.map((count, i) => count - before[i]);
}

test("a group's message goes to gateways with members only, once to each", async (t) => {
	await withCluster({ gateways: GATEWAYS.length, routers: 2 }, async (cluster) => {
		const room = freshRoom();
		const other = freshRoom();
		const ada = await connect(t, cluster.urls[0]);
		const bob = await connect(t, cluster.urls[1]);
		const bee = await connect(t, cluster.urls[1]);
		const cleo = await connect(t, cluster.urls[2]);
		for (const member of [ada, bob, bee])
			await member.invoke("JoinRoom", room);
		await cleo.invoke("JoinRoom", other);

		assert.deepEqual(await countSends(cluster, ada, room), [SENDS, SENDS, 0]);
		await bob.invoke("LeaveRoom", room);
		await ada.until(() => ada.of("UserLeftRoom").length === 1, "the leave");
		assert.deepEqual(await countSends(cluster, ada, room), [SENDS, SENDS, 0], "bee is still there");
		await bee.invoke("LeaveRoom", room);
		await ada.until(() => ada.of("UserLeftRoom").length === 2, "both leaves");
		assert.deepEqual(await countSends(cluster, ada, room), [SENDS, 0, 0]);
		assert.deepEqual(await countSends(cluster, cleo, other), [0, 0, SENDS]);
	});
});
