// SPDX-License-Identifier: Apache-2.0
// All gateways are replaced, one after the other, behind a balancer that sends every request
// to a random one: the connections with stateful reconnect go over to other gateways and
// notice nothing; the others reconnect. HELIOGRAPH_SEED=n repeats a run.
"use strict";

const { test } = require("node:test");
const assert = require("node:assert/strict");
const { MessagePackHubProtocol } = require("@microsoft/signalr-protocol-msgpack");
const { withCluster } = require("../kit/cluster.js");
const { connect, signalR } = require("../kit/clients.js");
const { balance } = require("../kit/balancer.js");
const { freshRoom } = require("../kit/chat.js");
const { Edge } = require("../kit/edge.js");
const { randomOf } = require("../kit/random.js");
const { waitFor } = require("../kit/wait.js");
const { Traffic } = require("../kit/traffic.js");
const { untilOnline } = require("../kit/presence.js");

const GATEWAYS = 3;
const SEED = Number(process.env.HELIOGRAPH_SEED ?? Date.now() % 1000000);
const gatewayArgs = ["--stateful_reconnect=on", "--reattach_per_minute_max=100000", "--lease=2s", "--drain_timeout=20s"];

async function total(cluster, name) {
	let sum = 0;
	for (let i = 1; i <= cluster.addresses.length; i++)
		sum += (await cluster.metrics(`g${i}`)).get(name);
	return sum;
}

async function roll(cluster, between = async () => {}) {
	for (let i = 1; i <= GATEWAYS; i++) {
		assert.deepEqual(await cluster.kill(`g${i}`, "SIGTERM"), { code: 0, signal: null });
		await cluster.restart(`g${i}`);
		await between();
	}
}

function stateful(t, url, n) {
	return Promise.all(Array.from({ length: n }, (_, i) => connect(t, url, {
		stateful: true,
		protocol: i % 2 ? new MessagePackHubProtocol() : undefined,
	})));
}

test("stateful clients do not notice a rolling restart", async (t) => {
	t.diagnostic(`HELIOGRAPH_SEED=${SEED}`);
	await withCluster({ gateways: GATEWAYS, routers: 2, gatewayArgs }, async (cluster) => {
		const balancer = await balance(t, cluster, { random: randomOf(SEED), keepAlive: false });
		const clients = await stateful(t, balancer.url, 12);
		const ids = clients.map((client) => client.id);
		const traffic = new Traffic(new Map([[freshRoom(), clients.slice(0, 6)], [freshRoom(), clients.slice(6)],
			[freshRoom(), clients.filter((_, i) => i % 3 === 0)]]));
		await traffic.start();
		await traffic.flows(1);

		await roll(cluster, () => traffic.flows(1));

		await traffic.flows(1);
		await traffic.stop();
		await traffic.check();
		assert.deepEqual(traffic.lanes.flatMap((lane) => lane.refused), [], "no send failed");
		assert.deepEqual(clients.flatMap((client) => client.states), [], "no connection ended");
		assert.deepEqual(clients.map((client) => client.id), ids);
		await untilOnline(cluster, clients.map((client) => client.user.userId));
		assert.equal(await total(cluster, "gateway_connections"), clients.length);
		// The drains say so, too: their metrics went with the processes.
		const drains = Array.from({ length: GATEWAYS }, (_, i) => cluster.program(`g${i + 1}`).log)
			.flat().filter((line) => line.includes(" event=drain.over "));
		assert.equal(drains.length, GATEWAYS);
		for (const line of drains) {
			const [, offered, handedOver] = /offered=(\d+) handed_over=(\d+) untaken=0 failed=0 cut=0$/.exec(line);
			assert.equal(handedOver, offered, line);
		}
	});
});

const TRANSPORTS = ["WebSockets", "ServerSentEvents", "LongPolling"];

// Asks for something every now and then, and notes what became of it. A call that a client
// makes when its Close is on the way already has no answer anywhere.
class Asker {
	#isStopping = false;

	constructor(client, room) {
		this.client = client;
		this.room = room;
		this.answered = 0;
		this.failed = [];
	}

	start() {
		this.loop = this.#run();
	}

	async stop() {
		this.#isStopping = true;
		await this.loop;
	}

	// Once more than until now.
	isAnswered() {
		const before = this.answered;
		return waitFor(() => this.answered > before, 30000, "an answer");
	}

	async #run() {
		const { connection } = this.client;
		while (!this.#isStopping) {
			if (connection.state === signalR.HubConnectionState.Connected)
				await connection.invoke("RoomMembers", this.room).then(() => this.answered++,
					(error) => this.failed.push(error.message));
			await new Promise((resolve) => setTimeout(resolve, 100));
		}
	}
}

function plain(t, url) {
	const reconnect = { nextRetryDelayInMilliseconds: () => 50 };
	return Promise.all(TRANSPORTS.map((name) => connect(t, url, {
		reconnect,
		http: { transport: signalR.HttpTransportType[name] },
	})));
}

async function untilBack(clients, comebacks) {
	for (const [i, client] of clients.entries())
		await client.until(() => client.states.filter((state) => state === "reconnected").length >= comebacks[i] &&
			client.connection.state === signalR.HubConnectionState.Connected, "the reconnect", 30000);
}

// HAProxy is as it is shipped (deploy/edge), and chooses by a chance of its own.
const BALANCERS = {
	"a balancer that chooses by chance": (t, cluster) => balance(t, cluster, { random: randomOf(SEED), keepAlive: false }),
	async HAProxy(t, cluster) {
		const edge = new Edge("haproxy", cluster);
		t.after(() => edge.stop());
		await edge.start();
		return edge;
	},
};

for (const [name, start] of Object.entries(BALANCERS))
	test(`clients of every transport come back during a rolling restart behind ${name}`, async (t) => {
		t.diagnostic(`HELIOGRAPH_SEED=${SEED}`);
		await withCluster({ gateways: GATEWAYS, routers: 2, gatewayArgs }, async (cluster) => {
			const balancer = await start(t, cluster);
			const clients = await plain(t, balancer.url);
			const room = freshRoom();
			const askers = clients.map((client) => new Asker(client, room));
			await Promise.all(clients.map((client) => client.invoke("JoinRoom", room)));
			askers.forEach((asker) => asker.start());

			await roll(cluster, async () => {
				await untilBack(clients, clients.map((client) =>
					client.states.filter((state) => state === "reconnecting").length));
				// However fast a drain is: nobody meets two of them without an answer between.
				await Promise.all(askers.map((asker) => asker.isAnswered()));
			});

			await Promise.all(askers.map((asker) => asker.stop()));
			for (const asker of askers)
				assert.ok(asker.answered > 0 && asker.failed.length <= 2 * GATEWAYS, asker.failed.join("; "));
			assert.deepEqual(clients.filter((client) => client.closed), []);
			await untilOnline(cluster, clients.map((client) => client.user.userId));
		});
	});

test("a killed gateway costs the clients of others nothing, on any transport", async (t) => {
	t.diagnostic(`HELIOGRAPH_SEED=${SEED}`);
	await withCluster({ gateways: GATEWAYS, routers: 2, gatewayArgs }, async (cluster) => {
		const kept = [...await stateful(t, cluster.urls[1], 2), ...await stateful(t, cluster.urls[2], 2)];
		const lost = await plain(t, cluster.urls[0]);
		const room = freshRoom();
		const traffic = new Traffic(new Map([[room, kept]]));
		await traffic.start();
		await traffic.flows(1);

		await cluster.kill("g1");
		await untilOnline(cluster, kept.map((client) => client.user.userId));
		await traffic.flows(1);
		await cluster.restart("g1");
		await untilBack(lost, lost.map(() => 1));

		await traffic.flows(1);
		await traffic.stop();
		await traffic.check();
		assert.deepEqual(kept.flatMap((client) => client.states), []);
		await untilOnline(cluster, [...kept, ...lost].map((client) => client.user.userId));
	});
});
