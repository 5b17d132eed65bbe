// SPDX-License-Identifier: Apache-2.0
// A thousand cuts: the sockets of stateful clients break at random while everybody talks,
// and each comes back at whichever gateway the balancer says. Nothing is lost, nothing
// comes twice, nothing changes its place. HELIOGRAPH_SEED=n repeats a run.
"use strict";

const { test } = require("node:test");
const assert = require("node:assert/strict");
const { withCluster } = require("../kit/cluster.js");
const { connect } = require("../kit/clients.js");
const { balance } = require("../kit/balancer.js");
const { freshRoom } = require("../kit/chat.js");
const { randomOf } = require("../kit/random.js");
const { Traffic } = require("../kit/traffic.js");
const { waitFor } = require("../kit/wait.js");

const GATEWAYS = 3;
const CLIENTS = 12;
const CUTS = 1000;
const SEED = Number(process.env.HELIOGRAPH_SEED ?? Date.now() % 1000000);
const gatewayArgs = ["--stateful_reconnect=on", "--reattach_per_minute_max=100000"];
const lease = ["--lease=1s"];

async function total(cluster, name) {
	let sum = 0;
	for (let i = 1; i <= cluster.addresses.length; i++)
		sum += (await cluster.metrics(`g${i}`)).get(name);
	return sum;
}

function crowd(t, url) {
	return Promise.all(Array.from({ length: CLIENTS }, () => connect(t, url, { stateful: true })));
}

test("a thousand cuts cost nobody a message", async (t) => {
	t.diagnostic(`HELIOGRAPH_SEED=${SEED}`);
	await withCluster({ gateways: GATEWAYS, routers: 2, gatewayArgs }, async (cluster) => {
		const balancer = await balance(t, cluster);
		const random = randomOf(SEED);
		const clients = await crowd(t, balancer.url);
		const traffic = new Traffic(new Map([[freshRoom(), clients.slice(0, 6)], [freshRoom(), clients.slice(6)],
			[freshRoom(), clients.filter((_, i) => i % 3 === 0)]]));
		await traffic.start();
		await traffic.flows(1);

		let cuts = 0;
		while (cuts < CUTS) {
			cuts += balancer.cut(() => random() < 0.3);
			await new Promise((resolve) => setTimeout(resolve, random() * 40));
		}

		await traffic.flows(1);
		await traffic.stop();
		await traffic.check();
		assert.deepEqual(traffic.lanes.flatMap((lane) => lane.refused), []);
		assert.deepEqual(clients.flatMap((client) => client.states), [], "no connection ended");
		assert.ok(await total(cluster, "gateway_tunnel_total") > 100, "clients came back elsewhere");
		assert.ok(await total(cluster, "gateway_stateful_attached_total") > 300, "and came back often");
	});
});

test("a client whose gateway is killed is told so; the others go on", async (t) => {
	await withCluster({ gateways: 2, routers: 1, gatewayArgs, routerArgs: lease, presenceArgs: lease }, async (cluster) => {
		const room = freshRoom();
		const [lost, kept] = await Promise.all([connect(t, cluster.urls[0], { stateful: true }),
			connect(t, cluster.urls[1], { stateful: true })]);
		await Promise.all([lost, kept].map((client) => client.invoke("JoinRoom", room)));
		await cluster.kill("g1");
		await waitFor(() => lost.closed !== null, 20000, "the end of the lost gateway's client");
		await waitFor(async () => (await cluster.metrics("r1")).get("router_gateways") === 1, 5000, "its loss");
		await kept.invoke("SendMessage", room, "alone");
		await kept.untilText(room, "alone");
		assert.deepEqual(kept.states, []);
	});
});

test("a killed router breaks tunnels, and costs nobody a message", async (t) => {
	await withCluster({ gateways: 2, routers: 2, gatewayArgs }, async (cluster) => {
		const balancer = await balance(t, cluster);
		const clients = await crowd(t, balancer.url);
		const traffic = new Traffic(new Map([[freshRoom(), clients]]));
		await traffic.start();
		balancer.cut();
		await waitFor(async () => await total(cluster, "gateway_tunnels") > 0, 5000, "a tunnel");
		for (const name of ["r1", "r2"]) {
			await cluster.kill(name);
			await cluster.restart(name);
			await traffic.flows();
		}
		await traffic.stop();
		await traffic.check();
		assert.deepEqual(clients.flatMap((client) => client.states), [], "no connection ended");
	});
});

test("the socket of a tunnel ends with its connection, and the other way round", async (t) => {
	await withCluster({ gateways: 2, routers: 1, gatewayArgs }, async (cluster) => {
		const balancer = await balance(t, cluster);
		balancer.addresses = [cluster.addresses[0]];
		const client = await connect(t, balancer.url, { stateful: true });
		balancer.addresses = [cluster.addresses[1]];
		balancer.cut();
		await waitFor(async () => (await cluster.metrics("g2")).get("gateway_tunnels") === 1, 5000, "the tunnel");
		await client.invoke("JoinRoom", freshRoom());
		assert.equal((await cluster.metrics("g1")).get("gateway_connections"), 1);
		await client.stop();
		await waitFor(async () => await total(cluster, "gateway_connections") === 0
			&& await total(cluster, "gateway_tunnels") === 0
			&& await total(cluster, "gateway_claims") === 0
			&& (await cluster.metrics("r1")).get("router_passes") === 0, 5000, "nothing to be left");
	});
});

test("whoever comes back too often is answered 429", async (t) => {
	const few = ["--stateful_reconnect=on", "--reattach_per_minute_max=3"];
	await withCluster({ gateways: 2, routers: 1, gatewayArgs: few }, async (cluster) => {
		const balancer = await balance(t, cluster);
		const client = await connect(t, balancer.url, { stateful: true });
		await waitFor(async () => {
			balancer.cut();
			return client.closed !== null;
		}, 20000, "the fourth new socket to be refused");
		assert.equal(await total(cluster, "gateway_stateful_refused_total"), 1);
	});
});
