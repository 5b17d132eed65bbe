// SPDX-License-Identifier: Apache-2.0
// What is answered to each request at a hub's own URL, by the connection's transport.
"use strict";

const { describe, test, before, after, afterEach } = require("node:test");
const assert = require("node:assert/strict");
const { sharedCluster, withCluster } = require("../kit/cluster.js");
const { mintToken } = require("../kit/clients.js");
const { RawWebSocket } = require("../kit/raw.js");
const { eventClient, readyEvents } = require("../kit/events.js");
const { negotiate, openPoller, poller, readyPoller } = require("../kit/poll.js");
const { waitFor } = require("../kit/wait.js");

const SSE = { Accept: "text/event-stream" };
const UNKNOWN = [404, "No Connection with that ID"];
const CHANGED = [400, "Cannot change transports mid-connection"];
const brief = ({ status, body }) => [status, body];
const unsupported = (name) => [404, `${name} transport not supported by this end point type`];

async function websocket(t, client) {
	const ws = await RawWebSocket.open(client.address, client.target, client.headers);
	t.after(() => ws.destroy());
	return ws;
}

describe("requests about a long polling connection", () => {
	const cluster = sharedCluster({ before, after, afterEach }, { gatewayArgs: ["--post_bytes_max=64KiB"] });
	const address = () => cluster().addresses[0];
	const metric = async (name) => (await cluster().metrics("g1")).get(`gateway_${name}`);
	// A poll that the gateway has seen and keeps.
	const waitingPoll = async (client) => {
		const seen = await metric("poll_total");
		const raw = client.begin("GET");
		await waitFor(async () => (await metric("poll_total")) > seen, 5000, "the poll to wait");
		return raw;
	};

	test("the first poll is answered at once, empty and binary, and kept by no cache", async (t) => {
		const client = await poller(t, address());
		const { status, headers, body } = await client.poll();
		assert.deepEqual([status, body], [200, ""]);
		assert.equal(headers["content-type"], "application/octet-stream");
		assert.equal(headers["content-length"], "0");
		assert.equal(headers["cache-control"], "no-cache, no-store");
		assert.equal(headers.pragma, "no-cache");
		assert.equal(headers.expires, "Thu, 01 Jan 1970 00:00:00 GMT");
	});

	test("a POST is answered empty, and what it causes comes with a poll", async (t) => {
		const client = await openPoller(t, address());
		const { status, headers, body } = await client.post({ protocol: "json", version: 1 });
		assert.deepEqual([status, body, headers["content-type"]], [200, "", "text/plain"]);
		const answer = await client.poll();
		assert.deepEqual([answer.status, answer.body], [200, "{}\x1e"]);
		assert.equal(answer.headers["content-type"], "application/octet-stream");
		assert.equal(answer.headers["content-length"], "3");
	});

	test("a poll that waits is answered when there is something", async (t) => {
		const client = await openPoller(t, address());
		const raw = await waitingPoll(client);
		await client.post({ protocol: "json", version: 1 });
		assert.equal((await raw.response()).body, "{}\x1e");
	});

	test("a newer poll ends the one that waits with 204", async (t) => {
		const client = await readyPoller(t, address());
		const old = await waitingPoll(client);
		const newer = await waitingPoll(client);
		assert.deepEqual(brief(await old.response()), [204, ""]);
		await client.post({ type: 1, invocationId: "x", target: "LeaveRoom", arguments: ["none"] });
		assert.match((await newer.response()).body, /"invocationId":"x"/);
	});

	test("DELETE is 202, ends the poll that waits with 204, and nothing is left", async (t) => {
		const client = await readyPoller(t, address());
		const raw = await waitingPoll(client);
		assert.deepEqual(brief(await client.request("DELETE")), [202, ""]);
		assert.deepEqual(brief(await raw.response()), [204, ""]);
		assert.deepEqual(brief(await client.poll()), UNKNOWN);
		assert.deepEqual(brief(await client.post({ type: 6 })), UNKNOWN);
		assert.deepEqual(brief(await client.request("DELETE")), UNKNOWN);
	});

	test("after the server's end the queued bytes are polled, then 204, then it is unknown", async (t) => {
		const client = await readyPoller(t, address());
		await client.post({ type: 7 });
		assert.deepEqual(brief(await client.poll()), [200, '{"type":7}\x1e']);
		assert.deepEqual(brief(await client.post({ type: 6 })), [404, ""]);
		assert.deepEqual(brief(await client.poll()), [204, ""]);
		assert.deepEqual(brief(await client.poll()), UNKNOWN);
	});

	test("DELETE also takes what an ended connection has left", async (t) => {
		const client = await readyPoller(t, address());
		await client.post({ type: 7 });
		assert.deepEqual(brief(await client.request("DELETE")), [202, ""]);
		assert.deepEqual(brief(await client.poll()), UNKNOWN);
	});

	test("other transports are refused", async (t) => {
		const client = await readyPoller(t, address());
		assert.deepEqual(brief((await websocket(t, client)).opened), CHANGED);
		assert.deepEqual(brief(await client.request("GET", "", SSE)), CHANGED);
		assert.equal((await client.call("LeaveRoom", "none")).error, undefined);
	});

	test("another method is 405", async (t) => {
		const client = await openPoller(t, address());
		const { status, headers } = await client.request("PUT", "x");
		assert.deepEqual([status, headers.allow], [405, "GET, POST, DELETE"]);
		assert.equal((await client.request("HEAD")).status, 405);
	});

	test("a body of the limit is taken, one byte more is 413", async (t) => {
		const client = await openPoller(t, address());
		const hello = '{"protocol":"json","version":1}\x1e';
		const full = hello + ('{"type":6}' + " ".repeat(1000) + "\x1e").repeat(64);
		assert.equal((await client.request("POST", full + " ".repeat(65536 - full.length))).status, 200);
		assert.deepEqual(await client.message(), {});
		assert.equal((await client.request("POST", " ".repeat(65537))).status, 413);
	});

	test("another user's request does not find the connection", async (t) => {
		const [ann, bob] = await Promise.all(["ann", "bob"].map(async (userId) =>
			({ Authorization: `Bearer ${await mintToken(`http://${address()}`, { userId })}` })));
		const client = await readyPoller(t, address(), { headers: ann });
		for (const method of ["GET", "POST", "DELETE"]) {
			assert.deepEqual(brief(await client.request(method, "", bob)), UNKNOWN);
			assert.deepEqual(brief(await client.request(method, "", { Authorization: null })), UNKNOWN);
		}
		assert.equal((await client.request("GET", "", { Authorization: "Bearer e30.e30.AAAA" })).status, 401);
		assert.equal((await client.call("LeaveRoom", "none")).error, undefined);
	});

	test("another user's negotiation opens no WebSocket", async (t) => {
		const ann = { Authorization: `Bearer ${await mintToken(`http://${address()}`, { userId: "ann" })}` };
		const client = await poller(t, address(), { headers: ann });
		client.headers = {};
		assert.deepEqual(brief((await websocket(t, client)).opened), UNKNOWN);
	});

	test("an id is of one hub", async (t) => {
		const client = await readyPoller(t, address());
		client.target = client.target.replace("/chat", "/relay");
		assert.deepEqual(brief(await client.poll()), UNKNOWN);
	});

	test("a POST that comes first waits for the poll that opens the connection", async (t) => {
		const client = await poller(t, address());
		const hello = client.begin("POST", '{"protocol":"json","ver');
		await waitFor(async () => (await metric("attach_posts")) === 1, 5000, "the POST to wait");
		const rest = client.begin("POST", 'sion":1}\x1e');
		await waitFor(async () => (await metric("attach_posts")) === 2, 5000, "the second POST to wait");
		assert.deepEqual(brief(await client.poll()), [200, ""]);
		assert.equal((await hello.response()).status, 200);
		assert.equal((await rest.response()).status, 200);
		assert.deepEqual(await client.message(), {});
		assert.equal(await metric("attach_posts"), 0);
	});

	test("a POST whose client goes away before the first poll is forgotten", async (t) => {
		const client = await poller(t, address());
		const raw = client.begin("POST", "x");
		await waitFor(async () => (await metric("attach_posts")) === 1, 5000, "the POST to wait");
		raw.destroy();
		await waitFor(async () => (await metric("attach_posts")) === 0, 5000, "the POST to be gone");
	});

	test("DELETE of a connection that nobody opened is 404", async (t) => {
		const client = await poller(t, address());
		assert.deepEqual(brief(await client.request("DELETE")), UNKNOWN);
		assert.deepEqual(brief(await client.poll()), [200, ""]);
	});
});

describe("requests about a WebSocket connection", () => {
	const cluster = sharedCluster({ before, after, afterEach }, {});

	test("are refused, each with its reason", async (t) => {
		const client = await poller(t, cluster().addresses[0]);
		const ws = await websocket(t, client);
		assert.deepEqual(await ws.handshake(), {});
		assert.deepEqual(brief(await client.poll()), CHANGED);
		assert.deepEqual(brief(await client.request("GET", "", SSE)), CHANGED);
		assert.deepEqual(brief(await client.request("POST", "x")),
			[405, "POST requests are not allowed for WebSocket connections."]);
		assert.deepEqual(brief(await client.request("DELETE")),
			[400, "Cannot terminate this connection using the DELETE endpoint."]);
		assert.deepEqual(brief((await websocket(t, client)).opened), [409, ""]);
		assert.equal((await ws.call("LeaveRoom", "none")).error, undefined);
	});

	test("are unknown once it has ended, though its token is fresh", async (t) => {
		const client = await poller(t, cluster().addresses[0]);
		const ws = await websocket(t, client);
		assert.deepEqual(await ws.handshake(), {});
		ws.destroy();
		await waitFor(async () => (await client.request("POST", "x")).status === 404, 5000, "the end");
		assert.deepEqual(brief((await websocket(t, client)).opened), UNKNOWN);
		assert.deepEqual(brief(await client.poll()), UNKNOWN);
		// Its shard has confirmed the end: nothing but the spent token is left.
		await waitFor(async () => {
			const metrics = await cluster().metrics("g1");
			return metrics.get("gateway_connections") + metrics.get("gateway_connections_waiting") === 0;
		}, 5000, "the shard to confirm");
		assert.deepEqual(brief((await websocket(t, client)).opened), UNKNOWN);
		assert.deepEqual(brief(await client.poll()), UNKNOWN);
	});
});

test("POSTs that come first wait for their connections up to a limit of bytes", async (t) => {
	// No time runs out for one of the sixteen before the last has come, however slow the machine;
	// and the link, which has not room for all of them at once, is waited for.
	const gatewayArgs = ["body", "send", "forward", "disconnect"].map((name) => `--${name}_timeout=5m`);
	gatewayArgs.push("--link_window=4MiB");
	await withCluster({ gatewayArgs }, async (cluster) => {
		const client = await poller(t, cluster.addresses[0]);
		const metric = async (name) => (await cluster.metrics("g1")).get(`gateway_${name}`);
		const body = "x".repeat(1 << 20);
		for (let i = 0; i < 16; i++)
			client.begin("POST", body);
		await waitFor(async () => (await metric("attach_posts")) === 16, 20000, "the POSTs to wait");
		assert.deepEqual(brief(await client.request("POST", "x")), [503, "Too many requests wait."]);
		assert.equal(await metric("post_refused_total"), 1);
		client.destroy();
		await waitFor(async () => (await metric("attach_posts")) === 0, 5000, "the POSTs to be gone");
		const late = await poller(t, cluster.addresses[0]);
		late.begin("POST", "x");
		await waitFor(async () => (await metric("attach_posts")) === 1, 5000, "another to wait");
	});
});

test("a token stays spent when a reload makes tokens fresh for longer", async (t) => {
	const fs = require("node:fs");
	const os = require("node:os");
	const path = require("node:path");
	const folder = fs.mkdtempSync(path.join(os.tmpdir(), "heliograph-conf-"));
	const file = path.join(folder, "gateway.conf");

	fs.writeFileSync(file, "disconnect_timeout = 1s\n");
	try {
		await withCluster({ gatewayArgs: [`--conf=${file}`] }, async (cluster) => {
			const client = await poller(t, cluster.addresses[0]);
			const count = async (name) => (await cluster.metrics("g1")).get(`gateway_${name}`);
			const ws = await websocket(t, client);
			assert.deepEqual(await ws.handshake(), {});
			ws.destroy();
			await waitFor(async () => await count("connections") === 0, 5000, "the end");
			await waitFor(async () => {
				const expired = await count("id_expired_total");
				assert.deepEqual(brief((await websocket(t, client)).opened), UNKNOWN);
				return await count("id_expired_total") > expired;
			}, 5000, "the token to be too old");
			fs.writeFileSync(file, "disconnect_timeout = 60s\n");
			cluster.kill("g1", "SIGHUP");
			await waitFor(async () => {
				const spent = await count("id_spent_total");
				assert.deepEqual(brief((await websocket(t, client)).opened), UNKNOWN);
				return await count("id_spent_total") > spent;
			}, 5000, "the token to be fresh and spent");
		});
	} finally {
		fs.rmSync(folder, { recursive: true });
	}
});

describe("requests about an event stream", () => {
	const cluster = sharedCluster({ before, after, afterEach }, {});
	const address = () => cluster().addresses[0];

	test("are refused, each with its reason, but for POST", async (t) => {
		const client = await readyEvents(t, address());
		assert.deepEqual(brief(await client.request("GET", "", SSE)), [409, ""]);
		assert.deepEqual(brief(await client.poll()), CHANGED);
		assert.deepEqual(brief((await websocket(t, client)).opened), CHANGED);
		assert.deepEqual(brief(await client.request("DELETE")),
			[400, "Cannot terminate this connection using the DELETE endpoint."]);
		assert.deepEqual(brief(await client.request("POST", "")), [200, ""]);
		assert.equal((await client.request("HEAD", "", SSE)).status, 405);
		assert.equal((await client.call("LeaveRoom", "none")).error, undefined);
	});

	test("are unknown once it has ended", async (t) => {
		const client = await readyEvents(t, address());
		await client.post({ type: 7 });
		assert.deepEqual(await client.message(), { type: 7 });
		for (const [method, headers] of [["POST"], ["DELETE"], ["GET"], ["GET", SSE]])
			assert.deepEqual(brief(await client.request(method, "", headers)), UNKNOWN, method);
	});

	test("a POST that comes first waits for the stream", async (t) => {
		const client = await eventClient(t, address());
		const hello = client.begin("POST", '{"protocol":"json","version":1}\x1e');
		await waitFor(async () => (await cluster().metrics("g1")).get("gateway_attach_posts") === 1, 5000, "the POST to wait");
		await client.begins();
		assert.equal(client.head.status, 200);
		assert.equal(await client.line(), ":");
		assert.equal((await hello.response()).status, 200);
		assert.deepEqual(await client.message(), {});
	});

	test("a refusal has a length, and keeps its connection", async (t) => {
		const client = await readyEvents(t, address());
		const { headers } = await client.request("GET", "", SSE);
		assert.deepEqual([headers["content-length"], headers["content-type"], headers.connection], ["0", "text/plain", undefined]);
	});

	test("need an id, and another user's is unknown", async (t) => {
		const client = await readyEvents(t, address());
		const ann = { Authorization: `Bearer ${await mintToken(`http://${address()}`, { userId: "ann" })}` };
		for (const method of ["GET", "POST", "DELETE"])
			assert.deepEqual(brief(await client.request(method, "", { ...SSE, ...ann })), UNKNOWN);
		client.target = client.target.split("?")[0];
		assert.deepEqual(brief(await client.request("GET", "", SSE)), [400, "Connection ID required"]);
	});
});

test("a transport that is switched off for a hub is 404 with its name, and not offered", async (t) => {
	const gatewayArgs = ["--hub.chat.transports=longpolling", "--hub.relay.transports=websockets"];
	await withCluster({ gatewayArgs }, async (cluster) => {
		const [address] = cluster.addresses;
		const polling = await poller(t, address);
		const sockets = await poller(t, address, { hub: "relay" });
		assert.deepEqual(polling.answer.availableTransports.map((entry) => entry.transport), ["LongPolling"]);
		assert.deepEqual(sockets.answer.availableTransports.map((entry) => entry.transport), ["WebSockets"]);
		assert.deepEqual(brief((await websocket(t, polling)).opened), unsupported("WebSockets"));
		assert.deepEqual(brief(await sockets.poll()), unsupported("LongPolling"));
		assert.deepEqual(brief(await sockets.request("GET", "", SSE)), unsupported("ServerSentEvents"));
		assert.deepEqual(brief(await polling.poll()), [200, ""]);
		assert.equal((await websocket(t, sockets)).opened.status, 101);
	});
});

test("negotiate refuses what is below the hub's least version", async () => {
	await withCluster({ gatewayArgs: ["--hub.chat.negotiate_version_min=1"] }, async (cluster) => {
		const answer = async (query) => negotiate(cluster.addresses[0], { query });
		assert.deepEqual(await answer(""),
			{ error: "The client requested version '0', but the server does not support this version." });
		assert.equal((await answer("?negotiateVersion=1")).negotiateVersion, 1);
	});
});

test("stateful reconnect is answered to those who ask, where it is on", async () => {
	await withCluster({ gatewayArgs: ["--hub.chat.stateful_reconnect=on"] }, async (cluster) => {
		const asked = async (hub, query) =>
			(await negotiate(cluster.addresses[0], { hub, query })).useStatefulReconnect;
		assert.equal(await asked("chat", "?negotiateVersion=1&useStatefulReconnect=true"), true);
		assert.equal(await asked("chat", "?negotiateVersion=1&useStatefulReconnect=false"), undefined);
		assert.equal(await asked("chat", "?negotiateVersion=1"), undefined);
		assert.equal(await asked("chat", "?useStatefulReconnect=true"), undefined);
		assert.equal(await asked("relay", "?negotiateVersion=1&useStatefulReconnect=true"), undefined);
	});
});

test("time runs out for polls that wait, clients without one, and POSTs without a connection", async (t) => {
	const gatewayArgs = ["--poll_timeout=300ms", "--disconnect_timeout=1s"];
	await withCluster({ gatewayArgs }, async (cluster) => {
		const [address] = cluster.addresses;
		const connections = async () => (await cluster.metrics("g1")).get("gateway_lp_transports");
		const early = await poller(t, address);
		const late = early.request("POST", "x");

		const client = await readyPoller(t, address);
		for (let i = 0; i < 5; i++) {
			const { status, headers, body } = await client.poll();
			assert.deepEqual([status, headers["content-type"], body], [200, "text/plain", ""]);
		}
		assert.equal(await connections(), 1);
		await waitFor(async () => (await connections()) === 0, 5000, "the disconnect timeout");
		assert.deepEqual(brief(await client.poll()), UNKNOWN);
		assert.deepEqual(brief(await late), UNKNOWN);
	});
});

test("a client that goes away while its poll waits is gone after the disconnect timeout", async (t) => {
	await withCluster({ gatewayArgs: ["--disconnect_timeout=1s"] }, async (cluster) => {
		const metric = async (name) => (await cluster.metrics("g1")).get(`gateway_${name}`);
		const client = await readyPoller(t, cluster.addresses[0]);
		const seen = await metric("poll_total");
		const raw = client.begin("GET");
		await waitFor(async () => (await metric("poll_total")) > seen, 5000, "the poll to wait");
		raw.destroy();
		await waitFor(async () => (await metric("lp_transports")) === 0, 5000, "the disconnect timeout");
		assert.equal(await metric('close_total{reason="transport"}'), 1);
		assert.equal(await metric("lp_disconnect_total"), 1);
	});
});
