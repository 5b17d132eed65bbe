// SPDX-License-Identifier: Apache-2.0
// Several replicas of presence, each with a memory of its own: a gateway tells one of them,
// its home, who is here, another one when that is gone, and the first again when it is back.
"use strict";

const { test } = require("node:test");
const assert = require("node:assert/strict");
const { withCluster } = require("../kit/cluster.js");
const { connect } = require("../kit/clients.js");
const { freshRoom } = require("../kit/chat.js");
const { Traffic } = require("../kit/traffic.js");
const { waitFor } = require("../kit/wait.js");

const REPLICAS = ["p1", "p2"];
const WAIT_MS = 20000;

async function usersAt(cluster, replica) {
	const { users } = await cluster.adminJson("/api/v1/users", replica);
	return users.map((user) => user.userId).sort();
}

function untilUsersAt(cluster, replica, clients) {
	const wanted = JSON.stringify(clients.map((client) => client.user.userId).sort());
	return waitFor(async () => JSON.stringify(await usersAt(cluster, replica)) === wanted, WAIT_MS,
		`${replica} to know ${wanted}`);
}

// The replica that knows `client`, alone.
async function homeOf(cluster, client) {
	let homes = [];
	await waitFor(async () => {
		const users = await Promise.all(REPLICAS.map((name) => usersAt(cluster, name)));
		homes = REPLICAS.filter((_, i) => users[i].includes(client.user.userId));
		return homes.length === 1;
	}, WAIT_MS, "one replica to know the user");
	return homes[0];
}

async function gauge(cluster, program, name) {
	return (await cluster.metrics(program)).get(name);
}

test("a gateway moves to another replica, and back", async (t) => {
	await withCluster({ gateways: 1, routers: 1, presences: 2 }, async (cluster) => {
		const stay = [await connect(t, cluster.urls[0]), await connect(t, cluster.urls[0])];
		const home = await homeOf(cluster, stay[0]);
		const other = REPLICAS.find((name) => name !== home);
		await untilUsersAt(cluster, home, stay);
		await untilUsersAt(cluster, other, []);
		const traffic = new Traffic(new Map([[freshRoom(), stay]]));
		await traffic.start();

		await cluster.kill(home);
		await untilUsersAt(cluster, other, stay);
		const comes = await connect(t, cluster.urls[0]);
		await untilUsersAt(cluster, other, [...stay, comes]);

		await cluster.restart(home);
		await untilUsersAt(cluster, home, [...stay, comes]);
		await comes.stop();
		await untilUsersAt(cluster, home, stay);
		await traffic.flows();
		await traffic.stop();
		await traffic.check();
		assert.deepEqual(stay.flatMap((client) => client.states), []);
	});
});

test("every replica hears that all processes live", async () => {
	await withCluster({ gateways: 2, routers: 2, presences: 2 }, async (cluster) => {
		for (const name of REPLICAS)
			await waitFor(async () => {
				const { processes } = await cluster.adminJson("/api/v1/processes", name);
				const lines = processes.map((process) => `${process.role} ${process.name}`).sort();
				return JSON.stringify(lines.filter((line) => !line.startsWith("presence"))) ===
					JSON.stringify(["gateway g1", "gateway g2", "router r1", "router r2"]);
			}, WAIT_MS, `${name} to know all processes`);
		for (const [name, prefix] of [["g1", "gateway"], ["g2", "gateway"], ["r1", "router"], ["r2", "router"]])
			await waitFor(async () => await gauge(cluster, name, `${prefix}_presence_up`) === 2, WAIT_MS, "both to be up");
	});
});

test("without any replica clients go on, and the first to come back is told", async (t) => {
	await withCluster({ gateways: 1, routers: 1, presences: 2 }, async (cluster) => {
		const first = await connect(t, cluster.urls[0]);
		const home = await homeOf(cluster, first);
		const other = REPLICAS.find((name) => name !== home);

		await Promise.all(REPLICAS.map((name) => cluster.kill(name)));
		const second = await connect(t, cluster.urls[0]);
		await waitFor(async () => await gauge(cluster, "g1", "gateway_presence_up") === 0, WAIT_MS, "both to be missed");
		await cluster.restart(other);
		await untilUsersAt(cluster, other, [first, second]);
	});
});
