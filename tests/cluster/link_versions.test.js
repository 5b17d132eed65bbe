// SPDX-License-Identifier: Apache-2.0
// Programs of neighbouring versions in one cluster: it is upgraded and downgraded one process
// at a time, under traffic. link_version_max makes a program speak as the older one does.
"use strict";

const { test } = require("node:test");
const assert = require("node:assert/strict");
const { withCluster } = require("../kit/cluster.js");
const { connect } = require("../kit/clients.js");
const { freshRoom } = require("../kit/chat.js");
const { Traffic } = require("../kit/traffic.js");

const OLDER = "--link_version_max=1";
// g1 has the clients; to lose it is the matter of other tests.
const STEPS = ["r1", "g2", "p1", "r2"];

function speakOlder(cluster, name, isOlder) {
	const program = cluster.program(name);
	program.args = program.args.filter((arg) => arg !== OLDER).concat(isOlder ? [OLDER] : []);
}

// The version that `name` last agreed on with `peer`, from its log.
function agreed(cluster, name, peer) {
	const lines = cluster.program(name).log.filter((line) => line.includes(" event=link.up ") &&
		line.includes(` peer=${peer} `));
	return Number(/ version=(\d+) /.exec(lines.at(-1))?.[1]);
}

test("a cluster is upgraded and downgraded one process at a time", async (t) => {
	const older = { gatewayArgs: [OLDER], routerArgs: [OLDER], presenceArgs: [OLDER] };
	await withCluster({ gateways: 2, routers: 2, ...older }, async (cluster) => {
		const clients = await Promise.all([0, 1, 2, 3].map(() => connect(t, cluster.urls[0])));
		const rooms = new Map([0, 1, 2, 3].map((i) => [freshRoom(), [clients[i], clients[(i + 1) % 4]]]));
		const traffic = new Traffic(rooms);
		await traffic.start();
		await traffic.flows();
		assert.equal(agreed(cluster, "r1", "g1"), 1);

		const replace = async (name, isOlder) => {
			speakOlder(cluster, name, isOlder);
			await cluster.kill(name);
			await cluster.restart(name);
			await traffic.flows();
		};
		for (const name of STEPS)
			await replace(name, false);
		// The new ones among themselves, and with the one that is left.
		assert.equal(agreed(cluster, "r2", "r1"), 2);
		assert.equal(agreed(cluster, "r2", "g2"), 2);
		assert.equal(agreed(cluster, "r2", "g1"), 1);
		const late = await connect(t, cluster.urls[1]);
		const [room] = rooms.keys();
		await late.invoke("JoinRoom", room);
		await late.invoke("SendMessage", room, "from the new gateway");
		await clients[0].untilText(room, "from the new gateway");
		await late.stop();

		for (const name of STEPS)
			await replace(name, true);
		assert.equal(agreed(cluster, "r2", "g2"), 1);
		await traffic.stop();
		await traffic.check();
		assert.deepEqual(clients.flatMap((client) => client.states), []);
	});
});
