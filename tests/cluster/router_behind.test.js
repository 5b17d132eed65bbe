// SPDX-License-Identifier: Apache-2.0
// A router that is behind, or away: its clients are slowed down, and what they call fails in
// time, with an error that says whether it ran.
"use strict";

const { test } = require("node:test");
const assert = require("node:assert/strict");
const { withCluster } = require("../kit/cluster.js");
const { waitFor } = require("../kit/wait.js");
const { Client, connect } = require("../kit/clients.js");
const { freshRoom } = require("../kit/chat.js");

const WAIT_MS = 30000;
const SENDERS = 3;
const MESSAGES = 40; // of each sender: together some four windows
const PADDING = "x".repeat(2000);
const NOT_RUN = /It was not run: its router is away/;
const UNKNOWN = /The outcome is unknown/;

const text = (sender, n) => `${sender}:${n}:${PADDING}`;

async function metric(cluster, name) {
	return (await cluster.metrics("g1")).get(name);
}

test("a router that stands still slows its clients down, and nothing is lost", async (t) => {
	// Its links stay up: it is behind, not away.
	const links = ["--link_window=64KiB", "--link_stream_timeout=60s"];
	await withCluster({ routers: 1, gatewayArgs: links, routerArgs: links }, async (cluster) => {
		const room = freshRoom();
		const senders = await Promise.all(Array.from({ length: SENDERS }, () => connect(t, cluster.urls[0])));
		const reader = await connect(t, cluster.urls[0]);
		for (const client of [...senders, reader])
			await client.invoke("JoinRoom", room);

		cluster.kill("r1", "SIGSTOP").catch(() => {});
		const calls = [];
		for (let n = 0; n < MESSAGES; n++)
			senders.forEach((sender, i) => {
				// Of both sorts: what nobody awaits must not vanish either.
				const method = n % 2 ? "send" : "invoke";
				calls.push(sender.connection[method]("SendMessage", room, text(i, n)));
			});
		await waitFor(async () => await metric(cluster, "gateway_backlog") === SENDERS, WAIT_MS, "all senders to wait");
		cluster.kill("r1", "SIGCONT").catch(() => {});

		await Promise.all(calls);
		await reader.until(() => reader.texts(room).length >= SENDERS * MESSAGES, "all messages", WAIT_MS);
		for (let i = 0; i < SENDERS; i++)
			assert.deepEqual(reader.texts(room).filter((got) => got.startsWith(`${i}:`)),
				Array.from({ length: MESSAGES }, (_, n) => text(i, n)));
		assert.equal(await metric(cluster, "gateway_backlog"), 0);
		assert.equal(await metric(cluster, "gateway_link_window_full_total"), 0);
		assert.deepEqual(senders.flatMap((client) => client.states), []);
	});
});

test("what waits for a router that stays away fails in time, and says that it was not run", async (t) => {
	await withCluster({ routers: 1, gatewayArgs: ["--invoke_timeout=1s", "--lease=1s"] }, async (cluster) => {
		const room = freshRoom();
		const client = await connect(t, cluster.urls[0]);
		await client.invoke("JoinRoom", room);

		await cluster.kill("r1");
		await assert.rejects(client.invoke("SendMessage", room, "one"), NOT_RUN);
		// From now on nobody waits for it.
		await assert.rejects(client.invoke("SendMessage", room, "two"), NOT_RUN);
		await cluster.restart("r1");

		await waitFor(() => client.invoke("SendMessage", room, "three").then(() => true, () => false), WAIT_MS,
			"the router to be back");
		await client.untilText(room, "three");
		assert.deepEqual(client.texts(room), ["three"], "what was said not to have run did not run later");
		assert.deepEqual(client.states, []);
	});
});

test("what a router has taken and does not answer ends as unknown when it stays away", async (t) => {
	const links = ["--link_ping_interval=100ms", "--link_stream_timeout=500ms"];
	await withCluster({ routers: 1, gatewayArgs: [...links, "--invoke_timeout=1s", "--lease=1s"] }, async (cluster) => {
		const room = freshRoom();
		const client = await connect(t, cluster.urls[0]);
		await client.invoke("JoinRoom", room);

		cluster.kill("r1", "SIGSTOP").catch(() => {});
		await assert.rejects(client.invoke("SendMessage", room, "one"), UNKNOWN);
		cluster.kill("r1", "SIGCONT").catch(() => {});

		// Sends were confirmed without this gateway perhaps, so it sends its clients to reconnect.
		const late = new Client(cluster.urls[0]);
		t.after(() => late.stop());
		await waitFor(() => late.start().then(() => late.invoke("JoinRoom", room)).then(() => true, () => false), WAIT_MS,
			"the router to be back");
		// It may have run or not, but not twice.
		await late.until(() => late.of("LoadMessages").length > 0, "the history");
		const [history] = late.of("LoadMessages");
		assert.ok(JSON.stringify(history).split('"one"').length <= 2, "it ran twice");
	});
});
