// SPDX-License-Identifier: Apache-2.0
// What a page of another origin may do, by the bytes that a browser would send; and which
// proxies are believed. tests/browser/cors.test.js asks a real one.
"use strict";

const { describe, test, before, after, afterEach } = require("node:test");
const assert = require("node:assert/strict");
const { sharedCluster, withCluster } = require("../kit/cluster.js");
const { connect, mintToken, signalR } = require("../kit/clients.js");
const { RawSocket, RawWebSocket, httpRequest } = require("../kit/raw.js");
const { poller } = require("../kit/poll.js");
const { openEvents } = require("../kit/events.js");
const { untilOnline } = require("../kit/presence.js");

const APP = "https://app.example";
const EVIL = "https://app.example.evil";
const PREFLIGHT = { "Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "authorization,x-tenant" };

// The answer's headers that tell a browser whom it is for.
function permission({ headers }) {
	return [headers["access-control-allow-origin"], headers["access-control-allow-credentials"], headers.vary];
}

const GRANTED = [APP, "true", "Origin"];
const NOT_GRANTED = [undefined, undefined, "Origin"];

describe("origins", () => {
	const cluster = sharedCluster({ before, after, afterEach }, { gatewayArgs: [
		`--cors_origins=${APP}, http://dev.example:3000`, "--hub.relay.cors_origins=", "--auth=required",
		"--hub.chat.auth=anonymous"] });
	const address = () => cluster().addresses[0];
	const metric = async (name) => (await cluster().metrics("g1")).get(`gateway_${name}`);
	const negotiate = (origin, hub = "chat") =>
		httpRequest(address(), "POST", `/hubs/${hub}/negotiate?negotiateVersion=1`, { headers: { Origin: origin } });
	const upgrade = async (t, headers, hub = "chat") => {
		const ws = await RawWebSocket.open(address(), `/hubs/${hub}`, headers);
		t.after(() => ws.destroy());
		return ws.opened.status;
	};

	test("a listed page reads the negotiate answer", async () => {
		const answer = await negotiate(APP);
		assert.equal(answer.status, 200);
		assert.deepEqual(permission(answer), GRANTED);
	});

	test("a foreign page gets an answer that its browser keeps from it", async () => {
		const before = await metric("origin_foreign_total");
		const answer = await negotiate(EVIL);
		assert.equal(answer.status, 200);
		assert.deepEqual(permission(answer), NOT_GRANTED);
		assert.equal(await metric("origin_foreign_total"), before + 1);
	});

	test("our own page needs no permission", async () => {
		const answer = await negotiate(`http://${address()}`);
		assert.equal(answer.status, 200);
		assert.deepEqual(permission(answer), NOT_GRANTED);
	});

	test("a WebSocket opens for pages of ours, for listed ones, and for whom is no page", async (t) => {
		assert.equal(await upgrade(t, { Origin: APP }), 101);
		assert.equal(await upgrade(t, { Origin: `${APP}:443` }), 101);
		assert.equal(await upgrade(t, { Origin: `http://${address()}` }), 101);
		assert.equal(await upgrade(t, {}), 101);
	});

	test("a WebSocket of any other page is refused, counted and told", async (t) => {
		const before = await metric("origin_refused_total");
		const foreign = [EVIL, "http://app.example", "https://app.example:444", "https://x.app.example", "null", "",
			"https://app.example/", "https://ann@app.example", `https://${address()}`];
		for (const origin of foreign)
			assert.equal(await upgrade(t, { Origin: origin }), 403, origin);
		assert.equal(await metric("origin_refused_total"), before + foreign.length);
		assert.match(cluster().logs(), /event=edge\.origin_refused .*hub=chat origin="https:\/\/app\.example\.evil"/);
	});

	test("two origins are none that is allowed", async (t) => {
		const raw = new RawSocket(address());
		t.after(() => raw.destroy());
		raw.write(`GET /hubs/chat HTTP/1.1\r\nHost: ${address()}\r\nOrigin: ${APP}\r\nOrigin: ${APP}\r\n`
			+ "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
			+ "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n");
		assert.equal((await raw.response()).status, 403);
	});

	test("a hub has its own list", async (t) => {
		const headers = { Origin: APP, Authorization: `Bearer ${await mintToken(cluster().urls[0], { userId: "ann" })}` };
		assert.equal(await upgrade(t, headers, "relay"), 403);
		assert.deepEqual(permission(await negotiate(APP, "relay")), [undefined, undefined, undefined]);
	});

	test("errors are readable too", async () => {
		const ask = async (method, target) => {
			const answer = await httpRequest(address(), method, target, { headers: { Origin: APP } });
			assert.deepEqual(permission(answer), GRANTED, `${method} ${target}`);
			return answer.status;
		};
		assert.equal(await ask("POST", "/hubs/chat/negotiate?access_token=bad"), 401);
		assert.equal(await ask("GET", "/hubs/chat?id=unknown"), 404);
		assert.equal(await ask("POST", "/hubs/chat?id=unknown"), 404);
		assert.equal(await ask("DELETE", "/hubs/chat?id=unknown"), 404);
		assert.equal(await ask("POST", "/hubs/chat"), 400);
		assert.equal(await ask("PUT", "/hubs/chat"), 405);
		assert.equal(await ask("GET", "/hubs/chat/negotiate"), 405);
	});

	test("long polls, those that wait included, and POSTs are readable", async (t) => {
		const client = await poller(t, address(), { headers: { Origin: APP } });
		assert.deepEqual(permission(await client.poll()), GRANTED);
		const waiting = client.poll();
		assert.deepEqual(permission(await client.post({ protocol: "json", version: 1 })), GRANTED);
		const answer = await waiting;
		assert.equal(answer.body, "{}\x1e");
		assert.deepEqual(permission(answer), GRANTED);
		const last = await client.request("DELETE");
		assert.equal(last.status, 202);
		assert.deepEqual(permission(last), GRANTED);
	});

	test("an event stream is readable by a listed page, from its head on", async (t) => {
		for (const [origin, expected] of [[APP, GRANTED], [EVIL, NOT_GRANTED], [`http://${address()}`, NOT_GRANTED]]) {
			const client = await openEvents(t, address(), { headers: { Origin: origin } });
			assert.deepEqual([client.head.status, client.head.headers["content-type"]], [200, "text/event-stream"]);
			assert.deepEqual(permission(client.head), expected, origin);
			assert.deepEqual(permission(await client.post({ protocol: "json", version: 1 })), expected, origin);
			assert.deepEqual(await client.message(), {});
		}
	});

	test("a preflight tells what may be asked", async () => {
		for (const target of ["/hubs/chat", "/hubs/chat/negotiate", "/hubs/chat?id=unknown"]) {
			const { status, headers } = await httpRequest(address(), "OPTIONS", target, { headers: { Origin: APP, ...PREFLIGHT } });
			assert.equal(status, 204);
			assert.deepEqual(permission({ headers }), GRANTED);
			assert.equal(headers["access-control-allow-methods"], "GET, POST, DELETE, OPTIONS");
			assert.equal(headers["access-control-allow-headers"], "authorization,x-tenant");
			assert.equal(headers["access-control-max-age"], "600");
		}
	});

	test("a preflight that asks for no header's name is told ours", async () => {
		const { status, headers } = await httpRequest(address(), "OPTIONS", "/hubs/chat",
			{ headers: { Origin: APP, ...PREFLIGHT, "Access-Control-Request-Headers": "x y" } });
		assert.equal(status, 204);
		assert.equal(headers["access-control-allow-headers"],
			"authorization, content-type, x-requested-with, x-signalr-user-agent");
	});

	test("a preflight of a foreign page is refused, and without an origin it is a bad method", async () => {
		const preflight = (headers) => httpRequest(address(), "OPTIONS", "/hubs/chat", { headers: { ...headers, ...PREFLIGHT } });
		const foreign = await preflight({ Origin: EVIL });
		assert.equal(foreign.status, 403);
		assert.deepEqual(permission(foreign), NOT_GRANTED);
		assert.equal((await preflight({})).status, 405);
	});

	test("official clients, who are no pages, connect by every transport", async (t) => {
		const { WebSockets, ServerSentEvents, LongPolling } = signalR.HttpTransportType;
		for (const transport of [WebSockets, ServerSentEvents, LongPolling]) {
			const client = await connect(t, cluster().urls[0], { http: { transport } });
			assert.ok(client.id);
		}
	});
});

test("a star allows any page, by its own name, but none without one", async (t) => {
	await withCluster({ gatewayArgs: ["--cors_origins=*"] }, async (cluster) => {
		const ask = (Origin) => httpRequest(cluster.addresses[0], "POST", "/hubs/chat/negotiate", { headers: { Origin } });
		assert.deepEqual(permission(await ask(EVIL)), [EVIL, "true", "Origin"]);
		assert.deepEqual(permission(await ask("null")), NOT_GRANTED);
		const ws = await RawWebSocket.open(cluster.addresses[0], "/hubs/chat", { Origin: "null" });
		t.after(() => ws.destroy());
		assert.equal(ws.opened.status, 403);
	});
});

test("a trusted proxy tells whose page it is and who is there", async (t) => {
	await withCluster({ gatewayArgs: ["--trusted_proxies=127.0.0.0/8"] }, async (cluster) => {
		const open = async (headers) => {
			const ws = await RawWebSocket.open(cluster.addresses[0], "/hubs/chat", { Origin: "https://gate.example", ...headers });
			t.after(() => ws.destroy());
			return ws;
		};
		const behind = { Host: "gate.example", "X-Forwarded-Proto": "https" };
		assert.equal((await open({ ...behind, "X-Forwarded-Proto": "http" })).opened.status, 403);
		assert.equal((await open({ "X-Forwarded-Proto": "https" })).opened.status, 403);
		assert.equal((await open({ "X-Forwarded-Proto": "https", "X-Forwarded-Host": "gate.example" })).opened.status, 101);
		const token = await mintToken(cluster.urls[0], { userId: "ann" });
		const ws = await open({ ...behind, "X-Forwarded-For": "10.1.1.1, 203.0.113.7", Authorization: `Bearer ${token}` });
		await ws.handshake();
		await untilOnline(cluster, ["ann"]);
		const { connections } = await cluster.adminJson("/api/v1/users/ann");
		assert.deepEqual(connections.map(({ remote }) => remote), ["203.0.113.7"]);
	});
});

test("nobody else is believed", async (t) => {
	await withCluster({}, async (cluster) => {
		const ws = await RawWebSocket.open(cluster.addresses[0], "/hubs/chat", { Origin: "https://gate.example",
			Host: "gate.example", "X-Forwarded-Proto": "https" });
		t.after(() => ws.destroy());
		assert.equal(ws.opened.status, 403);
	});
});
