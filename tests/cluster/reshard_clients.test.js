// SPDX-License-Identifier: Apache-2.0
// Routers are added and removed while clients of every kind talk: nobody loses a message
// or a connection, and what was begun goes on.
"use strict";

const { test } = require("node:test");
const assert = require("node:assert/strict");
const { withCluster } = require("../kit/cluster.js");
const { MessagePackHubProtocol } = require("@microsoft/signalr-protocol-msgpack");
const { connect, signalR } = require("../kit/clients.js");
const { freshRoom } = require("../kit/chat.js");
const { collect, tester, testhub } = require("../kit/testhub.js");
const { Traffic } = require("../kit/traffic.js");
const { untilAgreed, untilPhase, untilRouters, putRouters } = require("../kit/shards.js");
const { waitFor } = require("../kit/wait.js");

const WAIT_MS = 30000;
const { LongPolling, ServerSentEvents } = signalR.HttpTransportType;

// One client of each kind.
const KINDS = [{}, { protocol: new MessagePackHubProtocol() }, { http: { transport: ServerSentEvents } },
	{ http: { transport: LongPolling } }, { stateful: true }, { stateful: true, protocol: new MessagePackHubProtocol() }];

async function change(cluster, names) {
	await putRouters(cluster, cluster.routerList(names));
	await untilRouters(cluster, names);
}

async function crowd(t, cluster) {
	const clients = await Promise.all(KINDS.map((kind, i) => connect(t, cluster.urls[i % cluster.urls.length], kind)));
	const rooms = new Map();
	for (let i = 0; i < 12; i++)
		rooms.set(freshRoom(), [0, 1, 2].map((k) => clients[(i + k) % clients.length]));
	return { clients, rooms };
}

test("routers come and go under traffic, and nobody loses a message or a connection", async (t) => {
	await withCluster({ gateways: 2, routers: 2, gatewayArgs: ["--stateful_reconnect=on"] }, async (cluster) => {
		await untilAgreed(cluster);
		const { clients, rooms } = await crowd(t, cluster);
		const traffic = new Traffic(rooms);
		await traffic.start();
		await traffic.flows();

		for (const name of ["r3", "r4"])
			await cluster.addRouter(name, cluster.routerList(["r1", "r2", name]));
		for (const names of [["r1", "r2", "r3", "r4"], ["r4"], ["r1", "r3", "r4"]]) {
			await change(cluster, names);
			await traffic.flows();
		}

		await traffic.stop();
		await traffic.check();
		assert.deepEqual(clients.flatMap((client) => client.states), []);
		const refused = traffic.lanes.flatMap((lane) => lane.refused);
		assert.deepEqual(refused, [], "no call failed");
		for (const name of ["g1", "g2"]) {
			const metrics = await cluster.metrics(name);
			assert.equal(metrics.get("gateway_shards_jumped_total"), 0);
			assert.equal(metrics.get("gateway_release_timeout_total"), 0);
			assert.equal(metrics.get('gateway_close_total{reason="fenced"}'), 0);
			assert.ok(metrics.get("gateway_conns_moved_total") > 0);
		}
	});
});

// Each client goes in and out of rooms of its own while another one talks in them.
test("who joins hears the next message, and who leaves hears none, in every phase", async (t) => {
	await withCluster({ gateways: 2, routers: 1 }, async (cluster) => {
		await untilAgreed(cluster);
		const [talker, ...guests] = await Promise.all(Array.from({ length: 4 }, (_, i) => connect(t, cluster.urls[i % 2])));
		let isOver = false;
		let rounds = 0;
		async function visit(guest) {
			while (!isOver) {
				const room = freshRoom();
				await talker.invoke("JoinRoom", room);
				await guest.invoke("JoinRoom", room);
				await talker.invoke("SendMessage", room, "in");
				await guest.untilText(room, "in");
				await guest.invoke("LeaveRoom", room);
				await talker.invoke("SendMessage", room, "out");
				await talker.invoke("LeaveRoom", room);
				assert.deepEqual(guest.texts(room), ["in"]);
				rounds++;
			}
		}
		const visits = guests.map(visit);
		await cluster.addRouter("r2", cluster.routerList(["r1", "r2"]));
		for (const names of [["r1", "r2"], ["r2"], ["r1", "r2"], ["r1"]]) {
			const goal = rounds + 10;
			await change(cluster, names);
			await waitFor(() => rounds > goal, WAIT_MS, "visits to go on");
		}
		isOver = true;
		await Promise.all(visits);
	});
});

test("streams go on where they began while their clients' calls run elsewhere", async (t) => {
	await withCluster(testhub({ gateways: 2, routers: 1 }), async (cluster) => {
		await untilAgreed(cluster);
		const clients = await Promise.all(Array.from({ length: 8 }, (_, i) => tester(t, cluster.urls[i % 2])));
		const streams = clients.map((client) => collect(client.connection.stream("InfiniteStream")));
		const uploads = clients.map((client) => {
			const subject = new signalR.Subject();
			const result = client.connection.invoke("StreamingConcat", subject);
			subject.next("a");
			return { subject, result };
		});
		await cluster.addRouter("r2", cluster.routerList(["r1", "r2"]));
		await putRouters(cluster, cluster.routerList(["r1", "r2"]));
		await untilPhase(cluster, "commit");

		// The streams hold the phase back; all else has moved.
		await waitFor(async () => {
			await Promise.all(clients.map((client) => client.invoke("Echo", "x")));
			return (await cluster.metrics("r2")).get("router_invoke_total") > 0;
		}, WAIT_MS, "calls at the new router");
		uploads.forEach(({ subject }) => subject.next("b"));
		assert.deepEqual(await Promise.all(clients.map((client) => client.invoke("Echo", client.id))),
			clients.map((client) => client.id));
		uploads.forEach(({ subject }) => { subject.next("c"); subject.complete(); });
		assert.deepEqual(await Promise.all(uploads.map(({ result }) => result)), clients.map(() => "abc"));
		assert.deepEqual(streams.map((seen) => seen.isOver), clients.map(() => false));
		streams.forEach((seen) => seen.subscription.dispose());
		await untilRouters(cluster, ["r1", "r2"]);
		await Promise.all(clients.map((client) =>
			client.until(() => client.of("StreamCanceled").length === 1, "its stream to be canceled")));
		for (const name of ["g1", "g2"])
			assert.equal((await cluster.metrics(name)).get("gateway_invoke_ended_total"), 0);
	});
});

test("streams without an end are ended when reshard_timeout is over", async (t) => {
	await withCluster(testhub({ gateways: 1, routers: 1, gatewayArgs: ["--reshard_timeout=500ms"] }), async (cluster) => {
		await untilAgreed(cluster);
		const clients = await Promise.all(Array.from({ length: 8 }, () => tester(t, cluster.urls[0])));
		const streams = clients.map((client) => collect(client.connection.stream("InfiniteStream")));
		await cluster.addRouter("r2", cluster.routerList(["r1", "r2"]));
		await change(cluster, ["r2"]);
		await waitFor(() => streams.every((seen) => seen.isOver), WAIT_MS, "the streams to end");
		assert.match(streams[0].error, /The outcome is unknown: another router runs the hub now/);
		assert.equal(await clients[0].invoke("Echo", "on it goes"), "on it goes");
		assert.equal((await cluster.metrics("g1")).get("gateway_invoke_ended_total"), clients.length);
	});
});

test("clients answer what hubs ask them, also behind calls that wait", async (t) => {
	await withCluster(testhub({ gateways: 2, routers: 1 }), async (cluster) => {
		await untilAgreed(cluster);
		const clients = await Promise.all(Array.from({ length: 6 }, (_, i) => tester(t, cluster.urls[i % 2])));
		clients.forEach((client, i) => client.connection.on("Result", () => i));
		let isOver = false;
		let rounds = 0;
		async function ask(client, i) {
			while (!isOver) {
				const other = (i + rounds) % clients.length;
				const answers = await Promise.all([client.invoke("ClientResult", client.id), client.invoke("Echo", "x"),
					client.invoke("ClientResult", clients[other].id), client.invoke("Echo", "y")]);
				assert.deepEqual(answers, [i, "x", other, "y"]);
				rounds++;
			}
		}
		const asking = clients.map(ask);
		await cluster.addRouter("r2", cluster.routerList(["r1", "r2"]));
		for (const names of [["r1", "r2"], ["r2"], ["r1", "r2"], ["r1"]]) {
			const goal = rounds + 20;
			await change(cluster, names);
			await waitFor(() => rounds > goal, WAIT_MS, "questions to go on");
		}
		isOver = true;
		await Promise.all(asking);
	});
});
