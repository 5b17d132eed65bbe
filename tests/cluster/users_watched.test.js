// SPDX-License-Identifier: Apache-2.0
// A hub that tells all its clients of users that come and go (tests/conformance/testhub.c,
// visitors): each change once, whichever router, gateway or hub it happens at.
"use strict";

const { test } = require("node:test");
const assert = require("node:assert/strict");
const { withCluster } = require("../kit/cluster.js");
const { connect } = require("../kit/clients.js");
const { untilOnline } = require("../kit/presence.js");
const { startRedis } = require("../kit/redis.js");
const { testhub } = require("../kit/testhub.js");
const { waitFor } = require("../kit/wait.js");

const EVENTS = ["Online", "Offline"];
const LONG_MS = 20000;

// Presence that began empty tells of nobody for a lease: then of all who came meanwhile.
function watched(options) {
	return testhub({ ...options, presenceArgs: ["--lease=1s"] });
}

function watch(t, url, options) {
	return connect(t, url, { hub: "visitors", events: EVENTS, ...options });
}

// It hears of itself when presence tells.
async function watchSettled(t, url, options) {
	const watcher = await watch(t, url, options);
	await untilTold(watcher, watcher, ["Online"]);
	return watcher;
}

// What the watcher was told of that user: ["Online", "Offline", ...].
function toldOf(watcher, client) {
	return watcher.events.filter(({ args }) => args[0] === client.user.userId).map(({ event }) => event);
}

function untilTold(watcher, client, events) {
	const wanted = events.join();
	return watcher.until(() => toldOf(watcher, client).join() === wanted,
		`to hear ${wanted} of ${client.user.userId}, heard ${toldOf(watcher, client)}`, LONG_MS);
}

test("all of a hub hear of a user's first connection and of its last", async (t) => {
	await withCluster(watched({ gateways: 2, routers: 1 }), async (cluster) => {
		const watchers = [await watchSettled(t, cluster.urls[0]), await watch(t, cluster.urls[1])];
		const first = await connect(t, cluster.urls[0]);
		for (const watcher of watchers)
			await untilTold(watcher, first, ["Online"]);
		const { args } = watchers[0].events.find((event) => event.args[0] === first.user.userId);
		assert.deepEqual(args, [first.user.userId, first.user.name, ""]);

		const second = await connect(t, cluster.urls[1], { userId: first.user.userId, hub: "testhub" });
		await first.stop();
		const marker = await connect(t, cluster.urls[0]);
		for (const watcher of watchers) {
			await untilTold(watcher, marker, ["Online"]);
			await untilTold(watcher, first, ["Online"]);
		}
		await second.stop();
		for (const watcher of watchers)
			await untilTold(watcher, first, ["Online", "Offline"]);
	});
});

test("of two routers one runs it, and one user's changes are told in order", async (t) => {
	await withCluster(watched({ gateways: 2, routers: 2 }), async (cluster) => {
		const watcher = await watchSettled(t, cluster.urls[0]);
		const visits = Array.from({ length: 20 }, (_, i) => connect(t, cluster.urls[i % 2]));
		const clients = await Promise.all(visits);
		await untilOnline(cluster, [watcher, ...clients].map((client) => client.user.userId));
		await Promise.all(clients.map((client) => client.stop()));
		await untilOnline(cluster, [watcher.user.userId]);
		for (const client of clients)
			await untilTold(watcher, client, ["Online", "Offline"]);

		const calls = await Promise.all(["r1", "r2"].map(async (name) =>
			(await cluster.metrics(name)).get("router_user_call_total")));
		assert.ok(calls.every((n) => n > 0), `both routers own users: ${calls}`);
		assert.equal(calls[0] + calls[1], 41, `each change was run once: ${calls}`); // and the watcher's
	});
});

test("a hub that fails is logged and stops nobody", async (t) => {
	await withCluster(watched({ routers: 1 }), async (cluster) => {
		const watcher = await watchSettled(t, cluster.urls[0]);
		const unwelcome = await connect(t, cluster.urls[0], { userId: "unwelcome" });
		const welcome = await connect(t, cluster.urls[0]);
		await untilTold(watcher, welcome, ["Online"]);
		assert.deepEqual(toldOf(watcher, unwelcome), []);
		assert.equal((await cluster.metrics("r1")).get("router_user_call_failed_total"), 1);
		assert.ok(cluster.program("r1").log.some((line) => line.includes("event=user.call_failed")));
	});
});

test("what happens while a router is away is told when it is back", async (t) => {
	await withCluster(watched({ gateways: 2, routers: 2 }), async (cluster) => {
		const reconnect = { nextRetryDelayInMilliseconds: () => 50 };
		const watcher = await watchSettled(t, cluster.urls[0], { reconnect });
		const before = await connect(t, cluster.urls[1], { reconnect });
		await untilTold(watcher, before, ["Online"]);

		await cluster.kill("r1");
		await cluster.kill("r2");
		const clients = await Promise.all(Array.from({ length: 8 }, (_, i) => connect(t, cluster.urls[i % 2])));
		await untilOnline(cluster, [watcher, before, ...clients].map((client) => client.user.userId));
		await cluster.restart("r1");
		await cluster.restart("r2");

		for (const client of clients)
			await untilTold(watcher, client, ["Online"]);
		await clients[0].stop();
		await untilTold(watcher, clients[0], ["Online", "Offline"]);
	});
});

test("a new life of presence tells nobody twice, and goes on", async (t) => {
	await withCluster(watched({ gateways: 1, routers: 2 }), async (cluster) => {
		const watcher = await watchSettled(t, cluster.urls[0]);
		const stays = await connect(t, cluster.urls[0]);
		await untilTold(watcher, stays, ["Online"]);

		// An Opened whose handling it did not hear of says that the user is new.
		await waitFor(async () => (await cluster.metrics("g1")).get("gateway_opened_waiting") === 0, LONG_MS,
			"presence to confirm all");
		await cluster.kill("p1");
		await cluster.restart("p1");
		await untilOnline(cluster, [watcher.user.userId, stays.user.userId]);
		const comes = await connect(t, cluster.urls[0]);

		await untilTold(watcher, comes, ["Online"]);
		await untilTold(watcher, stays, ["Online"]);
	});
});

test("with two replicas on one Redis each change is told once, whichever is lost", async (t) => {
	const redis = await startRedis();
	t.after(() => redis.stop());
	await withCluster(watched({ gateways: 2, routers: 2, presences: 2, redis: redis.url() }), async (cluster) => {
		const watcher = await watchSettled(t, cluster.urls[0]);
		const told = [];
		for (const lost of ["p1", "p2"]) {
			const before = await connect(t, cluster.urls[0]);
			await untilTold(watcher, before, ["Online"]);
			await cluster.kill(lost);
			const meanwhile = await Promise.all([0, 1, 0, 1].map((i) => connect(t, cluster.urls[i])));
			for (const client of meanwhile)
				await untilTold(watcher, client, ["Online"]);
			await cluster.restart(lost);
			await before.stop();
			await untilTold(watcher, before, ["Online", "Offline"]);
			told.push(...meanwhile);
		}
		for (const client of told)
			await untilTold(watcher, client, ["Online"]);
	});
});
