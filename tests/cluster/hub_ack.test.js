// SPDX-License-Identifier: Apache-2.0
// A gateway with receivers is killed and stays away. Nobody knows whether they got what was
// sent: a call of a hub whose sends all gateways must have fails, one whose shard is enough
// does not.
"use strict";

const { test } = require("node:test");
const assert = require("node:assert/strict");
const { withCluster } = require("../kit/cluster.js");
const { connect } = require("../kit/clients.js");
const { freshRoom } = require("../kit/chat.js");

// The routers remember the gateway for longer than anybody waits for it.
const ARGS = ["--lease=5m", "--hub_await_timeout=1s"];

async function sendWithoutGateway(t, args, check) {
	await withCluster({ gateways: 2, routerArgs: [...ARGS, ...args] }, async (cluster) => {
		const room = freshRoom();
		const [ada, bob, eve] = await Promise.all([0, 0, 1].map((i) => connect(t, cluster.urls[i])));
		for (const client of [ada, bob, eve])
			await client.invoke("JoinRoom", room);
		await cluster.kill("g2");
		await check(ada.invoke("SendMessage", room, "hello"));
		await bob.untilText(room, "hello");
		assert.deepEqual([...ada.states, ...bob.states], []);
	});
}

test("a call fails when a gateway that may have receivers is gone", (t) =>
	sendWithoutGateway(t, [], (call) => assert.rejects(call, /Not every receiver is known to have been reached/)));

test("a call of a hub with ack = shard completes without that gateway", (t) =>
	sendWithoutGateway(t, ["--hub.chat.ack=shard"], (call) => call));
