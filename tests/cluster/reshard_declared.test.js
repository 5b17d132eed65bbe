// SPDX-License-Identifier: Apache-2.0
// Routers that are declared, as deploy/kubernetes does: their number is in an option of
// presence's replicas, which are restarted one after the other with another one while
// messages flow. Lists are ranges that say how many there are.
"use strict";

const test = require("node:test");
const assert = require("node:assert/strict");
const path = require("node:path");
const { connect } = require("../kit/clients.js");
const { freshRoom } = require("../kit/chat.js");
const { Cluster } = require("../kit/cluster.js");
const { startRedis } = require("../kit/redis.js");
const { untilAgreed, untilRouters } = require("../kit/shards.js");
const { Traffic } = require("../kit/traffic.js");

const LEASE = ["--lease=4s", "--link_stream_timeout=1500ms", "--link_ping_interval=300ms"];

// r1 to rN at sockets beside each other.
function declared(cluster, n) {
	const folder = path.dirname(cluster.routerList(["r1"]).replace("r1=ipc://", ""));
	return `r{1..<${n + 1}}=ipc://${folder}/r{}.sock`;
}

// As a StatefulSet is updated: the last one first, each ready before the next.
async function roll(cluster, list) {
	for (const name of ["p2", "p1"]) {
		const program = cluster.program(name);
		await program.stop();
		program.args = [...program.args.filter((arg) => !arg.startsWith("--routers=")), `--routers=${list}`];
		await cluster.restart(name);
	}
}

test("replicas that are restarted with another number of routers make it so, without a message lost", async (t) => {
	const redis = await startRedis();
	t.after(() => redis.stop());
	const cluster = new Cluster({ gateways: 2, routers: 2, presences: 2, redis: redis.url(), gatewayArgs: LEASE,
		routerArgs: LEASE, presenceArgs: [...LEASE] });
	cluster.options.presenceArgs.push(`--routers=${declared(cluster, 2)}`);
	t.after(() => cluster.stop());
	await cluster.start();
	const { epoch } = await untilAgreed(cluster);
	const people = [];
	for (const i of [0, 1, 0, 1])
		people.push(await connect(t, cluster.urls[i], { userId: `person-${people.length}` }));
	const traffic = new Traffic(new Map([[freshRoom(), people.slice(0, 2)], [freshRoom(), people.slice(2)]]));
	await traffic.start();
	await traffic.flows();

	await cluster.addRouter("r3", declared(cluster, 3));
	await roll(cluster, declared(cluster, 3));
	const three = await untilRouters(cluster, ["r1", "r2", "r3"]);
	assert.equal(three.epoch, epoch + 1, "one change, not several there and back");
	assert.equal(three.targetFrom, "option");
	await untilRouters(cluster, ["r1", "r2", "r3"], "p2");
	await traffic.flows();

	// Those who are to go do so when they own nothing any more.
	await roll(cluster, declared(cluster, 2));
	assert.equal((await untilRouters(cluster, ["r1", "r2"])).epoch, epoch + 2);
	await traffic.flows();
	await traffic.stop();
	await traffic.check();
});
