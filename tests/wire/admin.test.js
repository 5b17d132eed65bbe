// SPDX-License-Identifier: Apache-2.0
// The admin API with official clients behind it. Every answer is held to the description
// that presence serves.
"use strict";

const { describe, test, before, after, afterEach } = require("node:test");
const assert = require("node:assert/strict");
const { sharedCluster, withCluster } = require("../kit/cluster.js");
const { connect } = require("../kit/clients.js");
const { freshRoom } = require("../kit/chat.js");
const { openApi } = require("../kit/openapi.js");
const { untilOnline } = require("../kit/presence.js");
const { waitFor } = require("../kit/wait.js");
const { MessagePackHubProtocol } = require("@microsoft/signalr-protocol-msgpack");

const notices = (client) => client.events.filter(({ event }) => event === "notice").map(({ args }) => args);

describe("the admin API", () => {
	const cluster = sharedCluster({ before, after, afterEach },
		{ gateways: 2, routers: 2, presenceArgs: ["--page_max=50"] });
	let api;
	before(async () => {
		api = await openApi(cluster());
	});
	const client = (t, i, userId, options) => connect(t, cluster().urls[i],
		{ userId, events: ["notice", "ReceiveMessage"], ...options });
	const member = (group, params) => ({ params: { hub: "chat", group, ...params } });

	test("its description is OpenAPI 3.1, and has an ETag", async () => {
		const { Validator } = await import("@seriousme/openapi-schema-validator");
		const validator = new Validator();
		const result = await validator.validate(structuredClone(api.document));
		assert.ok(result.valid, JSON.stringify(result.errors, null, 1));
		assert.equal(validator.version, "3.1");
		const { headers } = await api.call("getOpenapi");
		assert.equal((await api.call("getOpenapi", { headers: { "If-None-Match": headers.etag } })).status, 304);
		assert.equal((await api.call("getOpenapi", { headers: { "If-None-Match": "\"other\"" } })).status, 200);
	});

	test("every reading operation without parameters answers as described", async () => {
		for (const operation of ["getStats", "getStatsHistory", "getCluster", "listProcesses", "listUsers"])
			await api.ok(operation);
	});

	test("HEAD says what GET would", async () => {
		const get = await fetch(...api.request("listProcesses"));
		const head = await fetch(...api.request("listProcesses", { method: "HEAD" }));
		assert.deepEqual([head.status, head.headers.get("content-type")], [200, "application/json"]);
		assert.equal(await head.text(), "");
		await get.text();
	});

	test("the cluster has an ETag that stays until somebody was heard", async () => {
		await waitFor(async () => {
			const { headers } = await api.call("getCluster");
			const again = await api.call("getCluster", { headers: { "If-None-Match": headers.etag } });
			return again.status === 304;
		}, 5000, "two answers between two reports");
		const first = await api.call("getCluster");
		await waitFor(async () => (await api.call("getCluster")).headers.etag !== first.headers.etag, 10000,
			"another report");
	});

	test("users are found by prefix, in pages, in order", async (t) => {
		const prefix = `${freshRoom("page")}-`;
		const ids = Array.from({ length: 7 }, (_, i) => `${prefix}${i}`);
		await Promise.all(ids.map((id, i) => client(t, i % 2, id)));
		await waitFor(async () => (await api.all("listUsers", "users", { query: { prefix } })).length === 7, 10000,
			"all to be online");
		for (const limit of [1, 2, 3, 7, 50]) {
			const users = await api.all("listUsers", "users", { query: { prefix, limit } });
			assert.deepEqual(users.map((user) => user.userId), ids, `limit ${limit}`);
		}
		assert.equal((await api.ok("listUsers", { query: { prefix, limit: 1 } })).total >= 7, true);
	});

	test("a user's connections come in pages", async (t) => {
		const userId = freshRoom("user");
		const clients = await Promise.all([0, 1, 0, 1, 0].map((i) => client(t, i, userId)));
		const ask = { params: { userId }, query: { limit: 2 } };
		await waitFor(async () => {
			const { status, body } = await api.call("getUser", ask);
			return status === 200 && body.connectionCount === 5;
		}, 10000, "five connections");
		const found = await api.all("getUser", "connections", ask);
		assert.deepEqual(found.map((one) => one.connectionId).sort(), clients.map((one) => one.id).sort());
	});

	test("a connection tells its groups, in pages", async (t) => {
		const one = await client(t, 0, freshRoom("user"));
		await untilOnline(cluster(), [one.user.userId]);
		const groups = ["a", "b", "c"].map((name) => freshRoom(name));
		for (const group of groups)
			await api.ok("addConnectionToGroup", member(group, { connectionId: one.id }));
		await one.invoke("JoinRoom", freshRoom());
		const ask = { params: { connectionId: one.id } };
		const details = await api.ok("getConnection", ask);
		assert.deepEqual(details.groups.filter((name) => groups.includes(name)), groups);
		assert.equal(details.groups.length, 4);
		assert.deepEqual(await api.all("getConnection", "groups", { ...ask, query: { limit: 1 } }), details.groups);
		assert.equal(details.userId, one.user.userId);
		assert.equal(details.transport, "WebSockets");
	});

	test("a disconnected client is told why, and does not come back", async (t) => {
		const one = await client(t, 1, freshRoom("user"), { reconnect: [0, 10, 100] });
		await untilOnline(cluster(), [one.user.userId]);
		const params = { connectionId: one.id };
		assert.deepEqual(await api.ok("disconnectConnection", { params, body: { reason: "go \"away\" \u00fc" } }),
			{ disconnected: 1 });
		await one.until(() => one.closed, "the end");
		assert.match(String(one.closed.error), /go "away" \u00fc/);
		assert.deepEqual(one.states, ["closed"]);
		await untilOnline(cluster(), []);
		await api.problem("disconnectConnection", { params }, 404, "not-here");
	});

	test("a client that may reconnect does", async (t) => {
		const one = await client(t, 0, freshRoom("user"), { reconnect: [0, 10, 100, 1000] });
		await untilOnline(cluster(), [one.user.userId]);
		await api.ok("disconnectConnection", { params: { connectionId: one.id }, body: { allowReconnect: true } });
		await one.until(() => one.states.includes("reconnected"), "to be back");
	});

	test("every connection of a user is closed, on all gateways", async (t) => {
		const userId = freshRoom("user");
		const clients = await Promise.all([0, 1, 0].map((i) => client(t, i, userId)));
		const other = await client(t, 0, freshRoom("other"));
		await waitFor(async () => {
			const { body } = await api.call("getUser", { params: { userId } });
			return body.connectionCount === 3;
		}, 10000, "three connections");
		assert.deepEqual(await api.ok("disconnectUser", { params: { userId }, body: { reason: "all of you" } }),
			{ disconnected: 3 });
		for (const one of clients) {
			await one.until(() => one.closed, "the end");
			assert.match(String(one.closed.error), /all of you/);
		}
		await untilOnline(cluster(), [other.user.userId]);
		await api.problem("disconnectUser", { params: { userId } }, 404, "not-here");
	});

	test("connections are added to a group and removed, and the next send knows", async (t) => {
		const group = freshRoom("g/\u00fc %");
		const [ann, ben] = await Promise.all([client(t, 0, "ann"), client(t, 1, "ben")]);
		const send = (n) => api.ok("sendToGroup", { params: { hub: "chat", group },
			body: { target: "notice", arguments: [n, { deep: [null, 1.5, "\u00fc"] }] } });
		await api.problem("getGroup", member(group), 404, "not-here");
		assert.deepEqual(await api.ok("addConnectionToGroup", member(group, { connectionId: ann.id })), { connections: 1 });
		assert.deepEqual(await api.ok("addConnectionToGroup", member(group, { connectionId: ann.id })), { connections: 1 });
		await send(1);
		await api.ok("addConnectionToGroup", member(group, { connectionId: ben.id }));
		assert.deepEqual(await send(2), { delivered: true });
		const { size, members } = await api.ok("getGroup", member(group));
		assert.equal(size, 2);
		assert.deepEqual(members.map((one) => one.userId).sort(), ["ann", "ben"]);
		await api.ok("removeConnectionFromGroup", member(group, { connectionId: ann.id }));
		await send(3);
		await ben.until(() => notices(ben).length === 2, "two notices");
		await ann.until(() => notices(ann).length === 2, "two notices");
		const deep = { deep: [null, 1.5, "\u00fc"] };
		assert.deepEqual(notices(ann), [[1, deep], [2, deep]]);
		assert.deepEqual(notices(ben), [[2, deep], [3, deep]]);
		await api.problem("addConnectionToGroup", member(group, { connectionId: "nobody" }), 404, "not-here");
	});

	test("users are added to a group with the connections of that hub", async (t) => {
		const group = freshRoom("group");
		const userId = freshRoom("user");
		await Promise.all([client(t, 0, userId), client(t, 1, userId), client(t, 0, userId, { hub: "relay" })]);
		await waitFor(async () => {
			const { body } = await api.call("getUser", { params: { userId } });
			return body.connectionCount === 3;
		}, 10000, "three connections");
		assert.deepEqual(await api.ok("addUserToGroup", member(group, { userId })), { connections: 2 });
		assert.equal((await api.ok("getGroup", member(group))).size, 2);
		assert.deepEqual(await api.ok("removeUserFromGroup", member(group, { userId })), { connections: 2 });
		await api.problem("getGroup", member(group), 404, "not-here");
	});

	test("groups are listed over all shards, by prefix, in pages", async (t) => {
		const prefix = `${freshRoom("list")}-`;
		const one = await client(t, 0, freshRoom("user"));
		const names = Array.from({ length: 9 }, (_, i) => `${prefix}${i}`);
		for (const group of names)
			await api.ok("addConnectionToGroup", member(group, { connectionId: one.id }));
		for (const limit of [1, 2, 4, 50]) {
			const groups = await api.all("listGroups", "groups", { params: { hub: "chat" }, query: { prefix, limit } });
			assert.deepEqual(groups.map((group) => group.name).sort(), names, `limit ${limit}`);
			assert.ok(groups.every((group) => group.members === 1));
		}
		await api.problem("listGroups", { params: { hub: "nohub" } }, 404, "not-here");
	});

	test("members of a group come in pages", async (t) => {
		const group = freshRoom("group");
		const clients = await Promise.all([0, 1, 0, 1, 0].map((i) => client(t, i)));
		for (const one of clients)
			await api.ok("addConnectionToGroup", member(group, { connectionId: one.id }));
		const members = await api.all("getGroup", "members", { ...member(group), query: { limit: 2 } });
		assert.deepEqual(members.map((one) => one.connectionId).sort(), clients.map((one) => one.id).sort());
	});

	test("sends reach all, a user, a connection, whatever they speak, but not who is excluded", async (t) => {
		const userId = freshRoom("user");
		const [json, pack, other] = await Promise.all([client(t, 0, userId),
			client(t, 1, userId, { protocol: new MessagePackHubProtocol() }), client(t, 1, freshRoom("other"))]);
		const body = (n, excluded) => ({ target: "notice", arguments: [n], ...(excluded && { excluded }) });
		const hub = "chat";
		await waitFor(async () => {
			const { body: user } = await api.call("getUser", { params: { userId } });
			return user.connectionCount === 2;
		}, 10000, "both to be known");
		await api.ok("sendToAll", { params: { hub }, body: body("all") });
		await api.ok("sendToAll", { params: { hub }, body: body("some", [json.id]) });
		await api.ok("sendToUser", { params: { hub, userId }, body: body("user") });
		await api.ok("sendToConnection", { params: { hub, connectionId: other.id }, body: body("one") });
		await api.problem("sendToUser", { params: { hub, userId: "nobody" }, body: body("none") }, 404, "not-here");
		await json.until(() => notices(json).length === 2, "its notices");
		await pack.until(() => notices(pack).length === 3, "its notices");
		await other.until(() => notices(other).length === 3, "its notices");
		assert.deepEqual(notices(json), [["all"], ["user"]]);
		assert.deepEqual(notices(pack), [["all"], ["some"], ["user"]]);
		assert.deepEqual(notices(other), [["all"], ["some"], ["one"]]);
		await api.problem("sendToAll", { params: { hub: "nohub" }, body: body("x") }, 404, "not-here");
	});

	test("arguments arrive as they were sent", async (t) => {
		const one = await client(t, 0, freshRoom("user"));
		const text = "{\"target\":\"notice\",\"arguments\":[ 1e2, -1, \"\\ud83d\\ude00\\u0000\", [[]], {\"a\" : {}}, 9007199254740993 ]}";
		await api.ok("sendToConnection", { params: { hub: "chat", connectionId: one.id }, body: text });
		await one.until(() => notices(one).length === 1, "the notice");
		assert.deepEqual(notices(one)[0], [100, -1, "\ud83d\ude00\0", [[]], { a: {} }, 9007199254740992]);
	});

	test("acts are told to the log, and what was said is not", async (t) => {
		const one = await client(t, 0, freshRoom("user"));
		await api.ok("sendToConnection", { params: { hub: "chat", connectionId: one.id },
			body: { target: "notice", arguments: ["secret-argument"] } });
		const log = cluster().program("p1").log;
		await waitFor(() => log.some((line) => line.includes("act=sendToConnection")
			&& line.includes(`connectionId="${one.id}"`) && line.includes("status=202")), 5000, "the line");
		assert.ok(log.some((line) => /event=admin.act .*remote=127\.0\.0\.1:\d+ by=anybody/.test(line)));
		assert.ok(!log.some((line) => line.includes("secret-argument")));
	});
});

test("a gateway is drained: its clients go elsewhere, and it ends", async (t) => {
	await withCluster({ gateways: 2, routers: 1 }, async (cluster) => {
		const api = await openApi(cluster);
		const one = await connect(t, cluster.urls[0], { userId: "ann", reconnect: [0, 50, 100] });
		await untilOnline(cluster, ["ann"]);
		const gateway = cluster.program("g1");
		gateway.wasKilled = true; // it is to end
		assert.deepEqual(await api.ok("drainGateway", { params: { gateway: "g1" } }), { gateway: "g1", isDraining: true });
		const { code } = await gateway.ended;
		assert.equal(code, 0);
		await one.until(() => one.states.length > 0, "to be told");
		await one.stop();
		await api.problem("drainGateway", { params: { gateway: "g9" } }, 404, "not-here");
	});
});

test("without routers sends and joins are refused, and questions about users go on", async (t) => {
	await withCluster({ gateways: 1, routers: 1, presenceArgs: ["--command_timeout=300ms"] }, async (cluster) => {
		const api = await openApi(cluster);
		const one = await connect(t, cluster.urls[0], { userId: "ann" });
		await untilOnline(cluster, ["ann"]);
		await cluster.kill("r1");
		const send = { params: { hub: "chat" }, body: { target: "notice" } };
		await waitFor(async () => (await api.call("sendToAll", send)).status >= 500, 10000, "a refusal");
		const { status, body } = await api.call("addUserToGroup", { params: { hub: "chat", group: "g", userId: "ann" } });
		assert.ok([503, 504].includes(status), JSON.stringify(body));
		assert.equal((await api.ok("getUser", { params: { userId: "ann" } })).connectionCount, 1);
		assert.deepEqual(await api.ok("disconnectUser", { params: { userId: "ann" } }), { disconnected: 1 });
		await one.until(() => one.closed, "the end");
	});
});
