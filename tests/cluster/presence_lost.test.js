// SPDX-License-Identifier: Apache-2.0
// Presence is killed: nobody who talks notices, and afterwards it knows everything again.
"use strict";

const { test } = require("node:test");
const assert = require("node:assert/strict");
const { withCluster } = require("../kit/cluster.js");
const { connect } = require("../kit/clients.js");
const { freshRoom } = require("../kit/chat.js");
const { Traffic } = require("../kit/traffic.js");
const { untilOnline, userConnections } = require("../kit/presence.js");

test("messages flow without presence, and it is exact after its restart", async (t) => {
	await withCluster({ gateways: 2, routers: 2, gatewayArgs: ["--lease=1s"] }, async (cluster) => {
		const stay = [await connect(t, cluster.urls[0]), await connect(t, cluster.urls[1])];
		const goes = await connect(t, cluster.urls[0]);
		await untilOnline(cluster, [...stay, goes].map((client) => client.user.userId));
		const traffic = new Traffic(new Map([[freshRoom(), stay]]));
		await traffic.start();

		await cluster.kill("p1");
		await traffic.flows(30);
		await goes.stop();
		const comes = await connect(t, cluster.urls[1]);
		await cluster.restart("p1");

		await untilOnline(cluster, [...stay, comes].map((client) => client.user.userId));
		assert.deepEqual(await userConnections(cluster, comes.user.userId), [comes.id]);
		await traffic.flows();
		await traffic.stop();
		await traffic.check();
		assert.deepEqual(stay.flatMap((client) => client.states), []);
	});
});
