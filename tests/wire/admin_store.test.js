// SPDX-License-Identifier: Apache-2.0
// The admin API of two replicas on one Redis, and while Redis is away.
"use strict";

const { test } = require("node:test");
const assert = require("node:assert/strict");
const { withCluster } = require("../kit/cluster.js");
const { connect } = require("../kit/clients.js");
const { freshRoom } = require("../kit/chat.js");
const { openApi } = require("../kit/openapi.js");
const { startRedis } = require("../kit/redis.js");
const { waitFor } = require("../kit/wait.js");

const REDIS = ["--redis_timeout=500ms", "--redis_connect_timeout=500ms", "--page_max=50"];

test("any replica tells of everybody, and acts on everybody", async (t) => {
	const redis = await startRedis();
	t.after(() => redis.stop());
	await withCluster({ gateways: 2, routers: 1, presences: 2, redis: redis.url(), presenceArgs: REDIS }, async (cluster) => {
		const apis = [await openApi(cluster, "p1"), await openApi(cluster, "p2")];
		const prefix = freshRoom("u/\u00fc-");
		const ids = Array.from({ length: 5 }, (_, i) => `${prefix}${i}`);
		const clients = await Promise.all(ids.map((userId, i) => connect(t, cluster.urls[i % 2], { userId })));
		for (const api of apis) {
			await waitFor(async () => (await api.all("listUsers", "users", { query: { prefix } })).length === 5, 10000, "all");
			for (const limit of [1, 2, 5]) {
				const users = await api.all("listUsers", "users", { query: { prefix, limit } });
				assert.deepEqual(users.map((user) => user.userId), ids, `limit ${limit}`);
			}
			assert.equal((await api.ok("getStats")).store.kind, "redis");
			await api.problem("listUsers", { query: { cursor: "dXg" } }, 400, "bad-cursor");
		}
		// One of each gateway, through one replica: which of them is their home does not matter.
		for (const i of [0, 1]) {
			assert.deepEqual(await apis[1].ok("disconnectUser", { params: { userId: ids[i] }, body: { reason: "out" } }),
				{ disconnected: 1 });
			await clients[i].until(() => clients[i].closed, "the end");
		}
		for (const api of apis)
			await waitFor(async () => (await api.all("listUsers", "users", { query: { prefix } })).length === 3, 10000, "three");
	});
});

test("while Redis is away questions say so, numbers are the last ones, and sends go on", async (t) => {
	const redis = await startRedis();
	t.after(() => redis.stop());
	await withCluster({ gateways: 1, routers: 1, redis: redis.url(), presenceArgs: REDIS }, async (cluster) => {
		const api = await openApi(cluster);
		const one = await connect(t, cluster.urls[0], { userId: "ann", events: ["notice"] });
		const params = { hub: "chat", group: freshRoom(), connectionId: one.id, userId: "ann" };
		await waitFor(async () => (await api.ok("getStats")).users === 1, 10000, "ann");
		await redis.master.kill();
		await waitFor(async () => (await api.ok("getStats")).store.isAway, 10000, "presence to notice");
		const stats = await api.ok("getStats");
		assert.deepEqual([stats.users, stats.connections], [1, 1]);
		assert.equal(typeof stats.store.staleSeconds, "number");
		for (const operation of ["listUsers", "getUser", "getConnection", "disconnectConnection", "disconnectUser", "addUserToGroup"]) {
			const { body, headers } = await api.problem(operation, { params }, 503, "store-away");
			assert.equal(typeof body.staleSeconds, "number", operation);
			assert.equal(headers["retry-after"], "1");
		}
		await api.ok("addConnectionToGroup", { params });
		await api.ok("sendToGroup", { params, body: { target: "notice", arguments: ["still here"] } });
		await one.until(() => one.of("notice")[0] === "still here", "the notice");
		await redis.master.start();
		await waitFor(async () => (await api.call("getUser", { params })).status === 200, 20000, "ann again");
		assert.equal((await api.ok("getStats")).store.isAway, false);
	});
});
