// SPDX-License-Identifier: Apache-2.0
// No sticky sessions: behind a balancer that gives every request to another gateway, the
// official clients notice nothing.
"use strict";

const { describe, test, before, after, afterEach } = require("node:test");
const assert = require("node:assert/strict");
const { sharedCluster, withCluster } = require("../kit/cluster.js");
const { connect, signalR } = require("../kit/clients.js");
const { freshRoom, sayMany, assertComplete } = require("../kit/chat.js");
const { Balancer } = require("../kit/balancer.js");
const { openEvents } = require("../kit/events.js");
const { readyPoller, poller, openPoller } = require("../kit/poll.js");
const { waitFor } = require("../kit/wait.js");

const polling = { http: { transport: signalR.HttpTransportType.LongPolling } };

async function total(cluster, name) {
	let sum = 0;
	for (let i = 1; i <= cluster.addresses.length; i++)
		sum += (await cluster.metrics(`g${i}`)).get(name);
	return sum;
}

describe("long polling over several gateways", () => {
	const cluster = sharedCluster({ before, after, afterEach }, { gateways: 3, routers: 2 });
	let balancer;
	let url;
	before(async () => {
		balancer = await new Balancer(cluster().addresses).start();
		url = balancer.url;
	});
	after(() => balancer.stop());

	test("each member gets each message once and in order", async (t) => {
		const room = freshRoom();
		const members = await Promise.all([connect(t, url, polling), connect(t, url, polling),
			connect(t, url, polling), connect(t, url)]);
		await Promise.all(members.map((member) => member.invoke("JoinRoom", room)));
		const senders = members.slice(1);
		await Promise.all(senders.map((sender) => sayMany(sender, room, 100)));
		for (const member of members) {
			await member.until((m) => m.texts(room).length >= 300, "all messages");
			assertComplete(member, room, senders, 100);
		}
		assert.ok(await total(cluster(), "gateway_forward_total") > 6, "requests were forwarded");
	});

	test("a client that stops is gone everywhere", async (t) => {
		const clients = await Promise.all(Array.from({ length: 6 }, () => connect(t, url, polling)));
		assert.ok(await total(cluster(), "gateway_claims") >= 6);
		await Promise.all(clients.map((client) => client.stop()));
		await waitFor(async () => await total(cluster(), "gateway_claims") === 0
			&& await total(cluster(), "gateway_forwards") === 0
			&& await total(cluster(), "gateway_replies") === 0, 5000, "no claim to be left");
	});

	test("a poll elsewhere replaces the one that waits, and gets what comes", async (t) => {
		const client = await readyPoller(t, cluster().addresses[0]);
		const first = client.poll();
		await waitFor(async () => await total(cluster(), "gateway_poll_total") >= 3, 5000, "the first poll");
		client.address = cluster().addresses[1];
		const second = client.poll();
		assert.equal((await first).status, 204);
		client.address = cluster().addresses[2];
		await client.post({ type: 1, invocationId: "1", target: "LeaveRoom", arguments: ["none"] });
		const answer = await second;
		assert.equal(answer.status, 200);
		assert.match(answer.body, /"invocationId":"1"/);
		assert.match(answer.headers["content-type"] ?? "", /octet-stream/);
		assert.match(answer.headers["cache-control"] ?? "", /no-cache/);
	});

	test("a client that leaves a forwarded poll loses nothing", async (t) => {
		const client = await readyPoller(t, cluster().addresses[0]);
		client.address = cluster().addresses[1];
		const socket = client.begin("GET");
		await waitFor(async () => (await cluster().metrics("g1")).get("gateway_replies") === 1, 5000, "the poll");
		client.drop(socket);
		await waitFor(async () => (await cluster().metrics("g1")).get("gateway_replies") === 0, 5000, "its end");
		client.address = cluster().addresses[2];
		assert.equal((await client.call("LeaveRoom", "none")).invocationId, "1");
	});

	test("the status table holds for requests that come in elsewhere", async (t) => {
		const client = await readyPoller(t, cluster().addresses[0]);
		client.address = cluster().addresses[1];
		const events = await client.request("GET", "", { Accept: "text/event-stream" });
		assert.equal(events.status === 400 || events.status === 404, true, `events: ${events.status}`);
		assert.equal((await client.request("DELETE")).status, 202);
		assert.equal((await client.request("GET")).status, 404);
		client.address = cluster().addresses[2];
		assert.equal((await client.request("DELETE")).status, 404);
	});

	test("a POST that overtakes the first GET waits for it, wherever they come in", async (t) => {
		const client = await poller(t, cluster().addresses[0]);
		client.address = cluster().addresses[1];
		const post = client.post({ protocol: "json", version: 1 });
		await waitFor(async () => (await cluster().metrics("g2")).get("gateway_attach_posts") === 1, 5000, "the POST");
		client.address = cluster().addresses[2];
		assert.equal((await client.poll()).status, 200);
		assert.equal((await post).status, 200);
		assert.deepEqual(await client.message(), {});
	});

	test("one token, two first GETs at two gateways: one connection", async (t) => {
		const client = await poller(t, cluster().addresses[0]);
		const first = client.poll();
		client.address = cluster().addresses[1];
		const second = client.poll();
		const fast = await Promise.race([first, second]);
		assert.deepEqual([fast.status, fast.body], [200, ""]);
		client.address = cluster().addresses[2];
		await client.post({ protocol: "json", version: 1 });
		const bodies = (await Promise.all([first, second])).map((answer) => answer.body);
		assert.deepEqual(bodies.sort(), ["", "{}\x1e"]);
	});
});

describe("Server-Sent Events over several gateways", () => {
	const cluster = sharedCluster({ before, after, afterEach }, { gateways: 3, routers: 2 });

	test("POSTs reach the stream wherever they come in, and its end releases the claim", async (t) => {
		const client = await openEvents(t, cluster().addresses[0]);
		client.address = cluster().addresses[1];
		assert.equal((await client.post({ protocol: "json", version: 1 })).status, 200);
		assert.deepEqual(await client.message(), {});
		client.address = cluster().addresses[2];
		await client.post({ type: 1, invocationId: "1", target: "LeaveRoom", arguments: ["none"] });
		assert.equal((await client.message()).invocationId, "1");
		assert.equal(await total(cluster(), "gateway_claims"), 1);

		const second = await client.request("GET", "", { Accept: "text/event-stream" });
		assert.equal(second.status, 409);
		assert.equal((await client.poll()).status, 400);
		assert.equal((await client.request("DELETE")).status, 400);

		client.drop(client.stream);
		await waitFor(async () => await total(cluster(), "gateway_claims") === 0, 5000, "the claim's end");
		assert.equal((await client.post({ type: 6 })).status, 404);
	});

	test("each member gets each message once and in order", async (t) => {
		const balancer = await new Balancer(cluster().addresses).start();
		t.after(() => balancer.stop());
		const events = { http: { transport: signalR.HttpTransportType.ServerSentEvents } };
		const room = freshRoom();
		const members = await Promise.all(Array.from({ length: 4 }, () => connect(t, balancer.url, events)));
		await Promise.all(members.map((member) => member.invoke("JoinRoom", room)));
		await Promise.all(members.map((sender) => sayMany(sender, room, 50)));
		for (const member of members) {
			await member.until((m) => m.texts(room).length >= 200, "all messages");
			assertComplete(member, room, members, 50);
		}
		await Promise.all(members.map((member) => member.stop()));
		await waitFor(async () => await total(cluster(), "gateway_claims") === 0
			&& await total(cluster(), "gateway_forwards") === 0, 5000, "no claim to be left");
	});
});

test("two workers behind one port share their clients", async (t) => {
	await withCluster({ gateways: 1, workers: 2, routers: 1 }, async (cluster) => {
		const room = freshRoom();
		const members = await Promise.all(Array.from({ length: 4 }, () => connect(t, cluster.urls[0], polling)));
		await Promise.all(members.map((member) => member.invoke("JoinRoom", room)));
		await Promise.all(members.map((sender) => sayMany(sender, room, 25)));
		for (const member of members) {
			await member.until((m) => m.texts(room).length >= 100, "all messages");
			assertComplete(member, room, members, 25);
		}
	});
});

test("more than forwards_max are answered 503", async (t) => {
	await withCluster({ gateways: 2, routers: 1, gatewayArgs: ["--forwards_max=1"] }, async (cluster) => {
		const client = await readyPoller(t, cluster.addresses[0]);
		client.address = cluster.addresses[1];
		const waiting = client.poll();
		await waitFor(async () => (await cluster.metrics("g2")).get("gateway_forwards") === 1, 5000, "the poll");
		assert.equal((await client.post({ type: 6 })).status, 503);
		client.address = cluster.addresses[0];
		await client.post({ type: 1, invocationId: "1", target: "LeaveRoom", arguments: ["none"] });
		assert.equal((await waiting).status, 200);
	});
});

test("a killed holder ends its clients, and nobody else's", async (t) => {
	await withCluster({ gateways: 3, routers: 1, routerArgs: ["--lease=1s"], presenceArgs: ["--lease=1s"] }, async (cluster) => {
		const held = await readyPoller(t, cluster.addresses[0]);
		const other = await openPoller(t, cluster.addresses[1]);
		held.address = cluster.addresses[2];
		const waiting = held.poll();
		await waitFor(async () => (await cluster.metrics("g3")).get("gateway_forwards") === 1, 5000, "the poll");
		await cluster.kill("g1");
		assert.equal((await waiting).status, 404);
		other.address = cluster.addresses[2];
		await other.post({ protocol: "json", version: 1 });
		assert.deepEqual(await other.message(), {});
	});
});

test("a killed router ends no poll, whoever passed it on", async (t) => {
	await withCluster({ gateways: 2, routers: 1 }, async (cluster) => {
		const far = await readyPoller(t, cluster.addresses[0]);
		const near = await readyPoller(t, cluster.addresses[0]);
		far.address = cluster.addresses[1];
		const waiting = far.poll();
		await waitFor(async () => (await cluster.metrics("g2")).get("gateway_forwards") === 1, 5000, "the poll");
		await cluster.kill("r1");
		await cluster.restart("r1");
		await far.post({ type: 1, invocationId: "7", target: "LeaveRoom", arguments: ["none"] });
		const { status, body } = await waiting;
		assert.equal(status, 200);
		assert.match(body, /"invocationId":"7"/);
		assert.equal((await cluster.metrics("g2")).get("gateway_forward_lost_total"), 1);
		assert.equal((await near.call("LeaveRoom", "none")).invocationId, "1");
		near.address = cluster.addresses[1];
		assert.equal((await near.call("LeaveRoom", "none")).invocationId, "2");
	});
});
