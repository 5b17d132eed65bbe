// SPDX-License-Identifier: Apache-2.0
// Presence's admin API: who is online, how many, through which connections.
"use strict";

const { describe, test, before, after, afterEach } = require("node:test");
const assert = require("node:assert/strict");
const { sharedCluster } = require("../kit/cluster.js");
const { connect } = require("../kit/clients.js");
const { rawClient, freshRoom } = require("../kit/chat.js");
const { untilOnline, userConnections } = require("../kit/presence.js");
const { waitFor } = require("../kit/wait.js");

describe("presence", () => {
	const cluster = sharedCluster({ before, after, afterEach }, { gateways: 2, routers: 2 });
	const stats = () => cluster().adminJson("/api/v1/stats");
	const settled = (users, connections) => waitFor(async () => {
		const now = await stats();
		return now.users === users && now.connections === connections;
	}, 10000, `${users} users and ${connections} connections`);

	test("a user is online from the first connection to the last", async (t) => {
		const userId = freshRoom("user");
		const first = await connect(t, cluster().urls[0], { userId });
		await untilOnline(cluster(), [userId]);
		const second = await connect(t, cluster().urls[1], { userId });
		await waitFor(async () => (await userConnections(cluster(), userId)).length === 2, 10000, "two connections");
		assert.deepEqual(await userConnections(cluster(), userId), [first.id, second.id].sort());
		await first.stop();
		await waitFor(async () => (await userConnections(cluster(), userId)).length === 1, 10000, "one connection");
		await untilOnline(cluster(), [userId]);
		await second.stop();
		await untilOnline(cluster(), []);
	});

	test("the numbers follow, and return to zero", async (t) => {
		const clients = await Promise.all([0, 1, 0, 1, 0].map((i) => connect(t, cluster().urls[i])));
		await settled(5, 5);
		await Promise.all(clients.map((client) => client.stop()));
		await settled(0, 0);
	});

	test("a connection that just broke is forgotten", async (t) => {
		const raw = await rawClient(t, cluster().addresses[1], { user: { userId: "broken" } });
		await untilOnline(cluster(), ["broken"]);
		raw.destroy();
		await untilOnline(cluster(), []);
	});

	test("a connection tells its user, its hub and its gateway", async (t) => {
		const userId = freshRoom("user");
		const client = await connect(t, cluster().urls[1], { userId });
		await untilOnline(cluster(), [userId]);
		const found = await cluster().adminJson(`/api/v1/connections/${client.id}`);
		assert.equal(found.connectionId, client.id);
		assert.equal(found.userId, userId);
		assert.equal(found.hub, "chat");
		assert.equal(found.gateway, "g2");
	});

	test("who is not there is 404", async () => {
		for (const target of ["/api/v1/users/nobody", "/api/v1/connections/none", "/api/v1/nothing"])
			assert.equal((await cluster().admin("p1", target)).status, 404, target);
	});

	test("a user id may hold any character", async (t) => {
		const userId = "\u00fc /%?#\"<\ud83d\ude00";
		const client = await connect(t, cluster().urls[0], { userId });
		await untilOnline(cluster(), [userId]);
		assert.deepEqual(await userConnections(cluster(), userId), [client.id]);
	});

	test("every process is listed with its role", async () => {
		const { processes } = await cluster().adminJson("/api/v1/processes");
		const listed = processes.map((process) => `${process.role} ${process.name}`).sort();
		assert.deepEqual(listed.filter((line) => !line.startsWith("presence")),
			["gateway g1", "gateway g2", "router r1", "router r2"]);
	});
});
