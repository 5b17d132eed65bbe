// SPDX-License-Identifier: Apache-2.0
// The HTTP surface before a WebSocket opens: negotiation and the status codes.
"use strict";

const { describe, test, before, after, afterEach } = require("node:test");
const assert = require("node:assert/strict");
const { sharedCluster, withCluster } = require("../kit/cluster.js");
const { connect, mintToken, signalR } = require("../kit/clients.js");
const { RawSocket, RawWebSocket, httpRequest, requestText, upgradeText } = require("../kit/raw.js");
const { freshRoom } = require("../kit/chat.js");
const { waitFor } = require("../kit/wait.js");

describe("negotiate and status codes", () => {
	const cluster = sharedCluster({ before, after, afterEach }, {});
	let headers = null;
	let token = "";

	before(async () => {
		token = await mintToken(cluster().urls[0], { userId: "negotiator", name: "N" });
		headers = { Authorization: `Bearer ${token}` };
	});

	const request = (method, target, body) => httpRequest(cluster().addresses[0], method, target, { headers, body });
	const negotiate = async (query) => {
		const response = await request("POST", `/hubs/chat/negotiate${query}`);
		assert.equal(response.status, 200);
		assert.match(response.headers["content-type"], /^application\/json/);
		return JSON.parse(response.body);
	};
	const upgrade = async (t, target, more = {}) => {
		const ws = await RawWebSocket.open(cluster().addresses[0], target, { ...headers, ...more });
		t.after(() => ws.destroy());
		return ws;
	};

	test("version 1 gives an id, a secret token and the transports", async () => {
		const answer = await negotiate("?negotiateVersion=1");
		assert.equal(answer.negotiateVersion, 1);
		assert.match(answer.connectionId, /^[\w-]{22,}$/);
		assert.match(answer.connectionToken, /^[\w.-]{22,}$/);
		assert.notEqual(answer.connectionToken, answer.connectionId);
		assert.deepEqual(answer.availableTransports, [
			{ transport: "WebSockets", transferFormats: ["Text", "Binary"] },
			{ transport: "ServerSentEvents", transferFormats: ["Text"] },
			{ transport: "LongPolling", transferFormats: ["Text", "Binary"] },
		]);
		assert.ok(!("ProtocolVersion" in answer) && !("error" in answer) && !answer.useStatefulReconnect);
	});

	test("without a version the answer is version 0, where the id is the token", async (t) => {
		const answer = await negotiate("");
		assert.equal(answer.negotiateVersion ?? 0, 0);
		assert.ok(!("connectionToken" in answer));
		const ws = await upgrade(t, `/hubs/chat?id=${encodeURIComponent(answer.connectionId)}`);
		assert.deepEqual(await ws.handshake(), {});
	});

	test("a version above ours is answered with ours", async () => {
		assert.equal((await negotiate("?negotiateVersion=7")).negotiateVersion, 1);
	});

	test("a version that is no number is an error in a 200", async () => {
		assert.equal((await negotiate("?negotiateVersion=one")).error,
			"The client requested a non-integer protocol version.");
	});

	test("a version below 0 is an error in a 200", async () => {
		assert.equal((await negotiate("?negotiateVersion=-1")).error,
			"The client requested version '-1', but the server does not support this version.");
	});

	test("path and query keys match in any case", async () => {
		const response = await request("POST", "/HUBS/Chat/Negotiate?NEGOTIATEVERSION=1");
		assert.equal(JSON.parse(response.body).negotiateVersion, 1);
	});

	test("two negotiations give two connections", async () => {
		const [one, two] = [await negotiate("?negotiateVersion=1"), await negotiate("?negotiateVersion=1")];
		assert.notEqual(one.connectionId, two.connectionId);
		assert.notEqual(one.connectionToken, two.connectionToken);
	});

	test("negotiate is POST alone", async () => {
		assert.equal((await request("GET", "/hubs/chat/negotiate?negotiateVersion=1")).status, 405);
	});

	test("a foreign method on a hub is 405", async () => {
		assert.equal((await request("PUT", "/hubs/chat")).status, 405);
	});

	for (const method of ["GET", "POST", "DELETE"]) {
		test(`${method} without an id is 400`, async () => {
			const response = await request(method, "/hubs/chat");
			assert.deepEqual([response.status, response.body], [400, "Connection ID required"]);
		});

		test(`${method} with an unknown id is 404`, async () => {
			const response = await request(method, "/hubs/chat?id=AAAAAAAAAAAAAAAAAAAAAA");
			assert.deepEqual([response.status, response.body], [404, "No Connection with that ID"]);
		});
	}

	test("a WebSocket with an unknown id is 404", async (t) => {
		const ws = await upgrade(t, "/hubs/chat?id=AAAAAAAAAAAAAAAAAAAAAA");
		assert.deepEqual([ws.opened.status, ws.opened.body], [404, "No Connection with that ID"]);
	});

	test("the public id of version 1 does not open the connection", async (t) => {
		const { connectionId } = await negotiate("?negotiateVersion=1");
		const ws = await upgrade(t, `/hubs/chat?id=${connectionId}`);
		assert.equal(ws.opened.status, 404);
	});

	test("a second WebSocket on a bound connection is 409, and the first one lives", async (t) => {
		const { connectionToken } = await negotiate("?negotiateVersion=1");
		const target = `/hubs/chat?id=${encodeURIComponent(connectionToken)}`;
		const first = await upgrade(t, target);
		assert.deepEqual(await first.handshake(), {});
		const second = await upgrade(t, target);
		assert.equal(second.opened.status, 409);
		assert.equal((await first.call("LeaveRoom", "none")).error, undefined);
	});

	test("POST and DELETE on a WebSocket connection are refused with a reason", async (t) => {
		const { connectionToken } = await negotiate("?negotiateVersion=1");
		const target = `/hubs/chat?id=${encodeURIComponent(connectionToken)}`;
		const ws = await upgrade(t, target);
		assert.deepEqual(await ws.handshake(), {});
		const post = await request("POST", target, "x");
		assert.deepEqual([post.status, post.body], [405, "POST requests are not allowed for WebSocket connections."]);
		const del = await request("DELETE", target);
		assert.deepEqual([del.status, del.body],
			[400, "Cannot terminate this connection using the DELETE endpoint."]);
	});

	test("a negotiated token is worth nothing after the disconnect timeout", async (t) => {
		await withCluster({ gatewayArgs: ["--disconnect_timeout=1s"] }, async (own) => {
			const [address] = own.addresses;
			const { body } = await httpRequest(address, "POST", "/hubs/chat/negotiate?negotiateVersion=1");
			const target = `/hubs/chat?id=${encodeURIComponent(JSON.parse(body).connectionToken)}`;
			await waitFor(async () => {
				const ws = await RawWebSocket.open(address, target);
				ws.destroy();
				return ws.opened.status === 404 && ws.opened.body === "No Connection with that ID";
			}, 6000, "404 for an old token");
		});
	});

	test("a gateway that a router does not know yet takes no clients", async () => {
		await withCluster({}, async (own) => {
			await own.kill("g1");
			process.kill(own.program("r1").pid, "SIGSTOP");
			await own.program("g1").start();
			const [address] = own.addresses;
			const early = await httpRequest(address, "POST", "/hubs/chat/negotiate?negotiateVersion=1");
			assert.deepEqual([early.status, early.headers["retry-after"]], [503, "5"]);
			const ws = await RawWebSocket.open(address, "/hubs/chat");
			ws.destroy();
			assert.equal(ws.opened.status, 503);
			process.kill(own.program("r1").pid, "SIGCONT");
			await own.untilReady("g1");
			const { status } = await httpRequest(address, "POST", "/hubs/chat/negotiate?negotiateVersion=1");
			assert.equal(status, 200);
		});
	});

	test("/dev/token is for hosts on loopback only", async () => {
		const ask = async (host) => {
			const raw = new RawSocket(cluster().addresses[0]);
			try {
				raw.write(requestText("POST", "/dev/token", host, {}, '{"userId":"u"}'));
				return [host, (await raw.response()).status];
			} finally {
				raw.destroy();
			}
		};
		for (const host of ["localhost", "LocalHost:80", "127.0.0.1", "127.1.2.3:8080", "[::1]", "[::1]:80"])
			assert.deepEqual(await ask(host), [host, 200]);
		for (const host of ["evil.example", "evil.example:8080", "128.0.0.1", "127.0.0.1.evil.example", "localhost.evil.example",
			"[::2]:80", "127.0.0", "10.0.0.1:80"])
			assert.deepEqual(await ask(host), [host, 403]);
	});

	test("an unknown hub is 404", async (t) => {
		assert.equal((await request("POST", "/hubs/nothing/negotiate?negotiateVersion=1")).status, 404);
		assert.equal((await upgrade(t, "/hubs/nothing")).opened.status, 404);
	});

	test("a token that nobody signed is 401", async (t) => {
		const forged = { Authorization: "Bearer e30.e30.AAAA" };
		const response = await httpRequest(cluster().addresses[0], "POST", "/hubs/chat/negotiate?negotiateVersion=1",
			{ headers: forged });
		assert.equal(response.status, 401);
		assert.equal((await upgrade(t, "/hubs/chat", forged)).opened.status, 401);
	});

	test("the token may come in the query", async (t) => {
		const ws = await RawWebSocket.open(cluster().addresses[0], `/hubs/chat?access_token=${encodeURIComponent(token)}`);
		t.after(() => ws.destroy());
		assert.deepEqual(await ws.handshake(), {});
	});

	test("no subprotocol and no extension is chosen for the client", async (t) => {
		const ws = await upgrade(t, "/hubs/chat", { "Sec-WebSocket-Extensions": "permessage-deflate" });
		assert.equal(ws.opened.status, 101);
		assert.equal(ws.opened.headers["sec-websocket-protocol"], undefined);
		assert.equal(ws.opened.headers["sec-websocket-extensions"], undefined);
	});

	test("an upgrade may come in any two pieces", async (t) => {
		const address = cluster().addresses[0];
		const text = upgradeText(address, "/hubs/chat", "dGhlIHNhbXBsZSBub25jZQ==", headers);
		const open = async (cut) => {
			const raw = new RawSocket(address);
			t.after(() => raw.destroy());
			await raw.writeInPieces([text.slice(0, cut), text.slice(cut)]);
			const head = await raw.head();
			raw.destroy();
			return [cut, head.status, head.headers["sec-websocket-accept"]];
		};
		for (let cut = 1; cut < text.length; cut += 40) {
			const batch = Array.from({ length: Math.min(40, text.length - cut) }, (_, i) => open(cut + i));
			for (const [at, status, accept] of await Promise.all(batch))
				assert.deepEqual([at, status, accept], [at, 101, "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="]);
		}
	});

	test("the official client works with and without negotiation", async (t) => {
		const room = freshRoom();
		const ada = await connect(t, cluster().urls[0]);
		const bob = await connect(t, cluster().urls[0], { http: { skipNegotiation: true } });
		assert.equal(bob.id, null);
		await ada.invoke("JoinRoom", room);
		await bob.invoke("JoinRoom", room);
		await ada.invoke("SendMessage", room, "hi");
		await bob.untilText(room, "hi");
		assert.equal(ada.connection.state, signalR.HubConnectionState.Connected);
	});

	test("the official client keeps a query of its own", async (t) => {
		const connection = new signalR.HubConnectionBuilder()
			.withUrl(`${cluster().urls[0]}/hubs/chat?tenant=a%20b`, { accessTokenFactory: () => token })
			.configureLogging(signalR.LogLevel.None).build();
		t.after(() => connection.stop());
		await connection.start();
		assert.equal(await connection.invoke("LeaveRoom", "none"), null);
	});
});
