// SPDX-License-Identifier: Apache-2.0
// What the admin API has routers do, through real processes: groups and members in pages,
// joins, and sends to clients of both hub protocols on two gateways.
"use strict";

const { describe, test, before, after, afterEach } = require("node:test");
const assert = require("node:assert/strict");
const { MessagePackHubProtocol } = require("@microsoft/signalr-protocol-msgpack");
const { sharedCluster, withCluster } = require("../kit/cluster.js");
const { connect } = require("../kit/clients.js");
const { freshRoom } = require("../kit/chat.js");
const { untilOnline } = require("../kit/presence.js");
const { waitFor } = require("../kit/wait.js");

const ROLES = ["relay.join", "relay.send", "relay.user", "relay.all"];
const HUB = "/api/v1/hubs/relay";
const path = (...parts) => parts.map(encodeURIComponent).join("/");

// {status, body} of any request to presence.
async function api(cluster, method, target, body) {
	const response = await fetch(`http://${cluster.program("p1").admins[0]}${target}`, {
		method,
		headers: body === undefined ? {} : { "Content-Type": "application/json" },
		body: body === undefined ? undefined : typeof body === "string" ? body : JSON.stringify(body),
		signal: AbortSignal.timeout(20000),
	});
	const text = await response.text();
	return { status: response.status, body: text ? JSON.parse(text) : null };
}

// All elements of `list` over all pages.
async function pages(cluster, target, list, limit) {
	const all = [];
	let cursor = "";
	do {
		const query = `limit=${limit}${cursor && `&cursor=${encodeURIComponent(cursor)}`}`;
		const { status, body } = await api(cluster, "GET", `${target}${target.includes("?") ? "&" : "?"}${query}`);
		assert.equal(status, 200, JSON.stringify(body));
		assert.ok(body[list].length <= limit);
		all.push(...body[list]);
		cursor = body.next ?? "";
	} while (cursor);
	return all;
}

describe("groups through the admin API", () => {
	const cluster = sharedCluster({ before, after, afterEach }, { gateways: 2, routers: 2 });
	// Its router knows it once it has answered a call: before, a command may not find it.
	const client = async (t, i, options) => {
		const made = await connect(t, cluster().urls[i % 2],
			{ hub: "relay", roles: ROLES, events: ["news", "fence"], ...options });
		await made.invoke("LeaveGroup", "none");
		return made;
	};
	const call = (method, target, body) => api(cluster(), method, `${HUB}/${target}`, body);
	const send = (target, text, more) => call("POST", `${target}/send`, { target: "news", arguments: [text], ...more });
	// What the client heard until a message that was sent to it last.
	const heard = async (of) => {
		const { status } = await call("POST", `connections/${of.id}/send`, { target: "fence", arguments: [] });
		assert.equal(status, 202);
		await of.until((c) => c.of("fence").length, "the fence");
		return of.of("news");
	};

	test("all groups of a hub, of every shard, each on exactly one page with its size", async (t) => {
		const prefix = freshRoom("list");
		const [first, second] = [await client(t, 0), await client(t, 1)];
		const names = Array.from({ length: 23 }, (_, i) => `${prefix}-${i}`);
		for (const name of names)
			await first.invoke("JoinGroup", name);
		for (const name of names.slice(0, 5))
			await second.invoke("JoinGroup", name);
		const listed = await pages(cluster(), `${HUB}/groups?prefix=${prefix}`, "groups", 4);
		assert.deepEqual(listed.map((group) => group.name).sort(), [...names].sort());
		for (const { name, members } of listed)
			assert.equal(members, names.indexOf(name) < 5 ? 2 : 1, name);
		const all = await pages(cluster(), `${HUB}/groups`, "groups", 1000);
		assert.ok(names.every((name) => all.some((group) => group.name === name)));
		assert.deepEqual(await pages(cluster(), `/api/v1/hubs/chat/groups?prefix=${prefix}`, "groups", 10), []);
	});

	test("a group ends with its last member", async (t) => {
		const group = freshRoom("brief");
		const only = await client(t, 0);
		await only.invoke("JoinGroup", group);
		assert.equal((await call("GET", path("groups", group))).status, 200);
		await only.invoke("LeaveGroup", group);
		assert.equal((await call("GET", path("groups", group))).status, 404);
		assert.deepEqual(await pages(cluster(), `${HUB}/groups?prefix=${group}`, "groups", 10), []);
	});

	test("a group's members, of all gateways, each on exactly one page", async (t) => {
		const group = freshRoom("members of / ü");
		const clients = await Promise.all(Array.from({ length: 7 }, (_, i) => client(t, i)));
		for (const member of clients)
			await member.invoke("JoinGroup", group);
		const { body } = await call("GET", `${path("groups", group)}?limit=1`);
		assert.equal(body.size, 7);
		assert.equal(body.name, group);
		const listed = await pages(cluster(), `${HUB}/${path("groups", group)}`, "members", 3);
		assert.deepEqual(listed.map((member) => member.connectionId), clients.map((member) => member.id).sort());
		for (const { connectionId, userId } of listed)
			assert.equal(userId, clients.find((member) => member.id === connectionId).user.userId);
	});

	test("a connection that is put into a group hears what is sent there, until it is taken out", async (t) => {
		const group = freshRoom("put");
		const [json, binary, outside] = [await client(t, 0),
			await client(t, 1, { protocol: new MessagePackHubProtocol() }), await client(t, 0)];
		for (const member of [json, binary]) {
			const joined = await call("PUT", path("groups", group, "connections", member.id));
			assert.deepEqual([joined.status, joined.body], [200, { connections: 1 }]);
		}
		const sent = await send(path("groups", group), { n: 1, text: "ü", list: [1.5, null, true] });
		assert.deepEqual([sent.status, sent.body], [202, { delivered: true }]);
		for (const member of [json, binary])
			assert.deepEqual(await heard(member), [{ n: 1, text: "ü", list: [1.5, null, true] }]);
		assert.deepEqual(await heard(outside), []);
		assert.equal((await call("DELETE", path("groups", group, "connections", json.id))).status, 200);
		assert.equal((await send(path("groups", group), "two")).status, 202);
		await binary.until((c) => c.of("news").length === 2, "the second message");
		assert.equal((await heard(json)).length, 1);
	});

	test("a user is put into a group with all connections", async (t) => {
		const group = freshRoom("user");
		const userId = freshRoom("someone");
		const clients = [await client(t, 0, { userId }), await client(t, 1, { userId })];
		await waitFor(async () => (await api(cluster(), "GET", `/api/v1/users/${userId}`)).body.connections?.length === 2,
			10000, "presence to know both");
		const joined = await call("PUT", path("groups", group, "users", userId));
		assert.deepEqual([joined.status, joined.body], [200, { connections: 2 }]);
		assert.equal((await send(path("groups", group), "hello")).status, 202);
		for (const member of clients)
			assert.deepEqual(await heard(member), ["hello"]);
		const left = await call("DELETE", path("groups", group, "users", userId));
		assert.deepEqual([left.status, left.body], [200, { connections: 2 }]);
		assert.equal((await call("GET", path("groups", group))).status, 404);
	});

	test("a send to a group leaves out whom it is told to", async (t) => {
		const group = freshRoom("but");
		const clients = [await client(t, 0), await client(t, 1)];
		for (const member of clients)
			await member.invoke("JoinGroup", group);
		assert.equal((await send(path("groups", group), "x", { excluded: [clients[0].id] })).status, 202);
		assert.deepEqual(await heard(clients[1]), ["x"]);
		assert.deepEqual(await heard(clients[0]), []);
	});

	test("a user, a connection and everybody can be sent to", async (t) => {
		const userId = freshRoom("someone");
		const [first, second, other] = [await client(t, 0, { userId }), await client(t, 1, { userId }), await client(t, 1)];
		assert.equal((await send(path("users", userId), "user")).status, 202);
		assert.equal((await send(path("connections", second.id), "one")).status, 202);
		assert.equal((await call("POST", "send", { target: "news", arguments: ["all"] })).status, 202);
		assert.deepEqual(await heard(first), ["user", "all"]);
		assert.deepEqual(await heard(second), ["user", "one", "all"]);
		assert.deepEqual(await heard(other), ["all"]);
	});

	test("who is not there cannot be sent to, nor put into a group", async (t) => {
		const nobody = "A".repeat(22);
		for (const target of [path("groups", freshRoom()), path("users", freshRoom()), path("connections", nobody)])
			assert.equal((await send(target, "x")).status, 404, target);
		assert.equal((await call("PUT", path("groups", "g", "connections", nobody))).status, 404);
		assert.equal((await call("DELETE", path("groups", "g", "connections", nobody))).status, 404);
		assert.equal((await api(cluster(), "POST", "/api/v1/hubs/none/send", { target: "x", arguments: [] })).status, 404);
		// A connection of another hub is not there either.
		const chat = await connect(t, cluster().urls[0]);
		await chat.invoke("JoinRoom", freshRoom());
		assert.equal((await call("PUT", path("groups", "g", "connections", chat.id))).status, 404);
	});

	test("what cannot be sent is refused, and nothing goes out", async (t) => {
		const one = await client(t, 0);
		const target = `connections/${one.id}/send`;
		const deep = "[".repeat(80) + "]".repeat(80);
		for (const body of ["", "{", { arguments: [] }, { target: "", arguments: [] }, { target: "news", arguments: {} },
			{ target: "news", arguments: ["x".repeat(300000)] }, `{"target":"news","arguments":${deep}}`]) {
			const { status } = await call("POST", target, body);
			assert.ok(status >= 400 && status < 500, `${JSON.stringify(body).slice(0, 60)}: ${status}`);
		}
		assert.deepEqual(await heard(one), []);
	});

	test("a name too long for the gateway is refused", async (t) => {
		const one = await client(t, 0);
		assert.equal((await call("PUT", path("groups", "x".repeat(1024), "connections", one.id))).status, 200);
		assert.equal((await call("PUT", path("groups", "x".repeat(1025), "connections", one.id))).status, 422);
	});
});

// A shard that starts again has no groups yet: it answers when gateways have told it all.
test("after a router's restart its groups are all there or not listed at all", { timeout: 120000 }, async (t) => {
	await withCluster({ gateways: 2, routers: 2 }, async (cluster) => {
		const client = await connect(t, cluster.urls[0], { hub: "relay", roles: ROLES, events: [] });
		const names = Array.from({ length: 40 }, (_, i) => `g-${i}`);
		for (const name of names)
			await client.invoke("JoinGroup", name);
		await untilOnline(cluster, [client.user.userId]);
		await cluster.kill("r2");
		await cluster.restart("r2");
		const listed = await waitFor(async () => {
			const { status, body } = await api(cluster, "GET", `${HUB}/groups?limit=1000`);
			return status === 200 && body;
		}, 30000, "the groups to be listed again");
		assert.deepEqual(listed.groups.map((group) => group.name).sort(), [...names].sort());
		await client.stop();
	});
});
