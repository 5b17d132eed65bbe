// SPDX-License-Identifier: Apache-2.0
// Options of one hub: what clients see of them, and that the other hub is as it was.
"use strict";

const { describe, test, before, after, afterEach } = require("node:test");
const assert = require("node:assert/strict");
const { sharedCluster, withCluster } = require("../kit/cluster.js");
const { mintToken, signalR } = require("../kit/clients.js");
const { RawWebSocket, httpRequest } = require("../kit/raw.js");

const NEGOTIATE = "negotiate?negotiateVersion=1";

describe("options of a hub", () => {
	const cluster = sharedCluster({ before, after, afterEach }, {
		gatewayArgs: [
			"--hub.chat.path=/live/Chat", "--hub.chat.auth=required",
			"--hub.chat.negotiate_version_min=1", "--hub.chat.message_bytes_max=2KiB",
			"--hub.relay.roles=staff, on call", "--hub.relay.transports=sse",
		],
	});

	const bearer = async (roles) =>
		({ Authorization: `Bearer ${await mintToken(cluster().urls[0], { userId: "u", name: "U", roles })}` });
	const post = (target, headers) => httpRequest(cluster().addresses[0], "POST", target, { headers });
	const upgrade = async (t, target, headers) => {
		const ws = await RawWebSocket.open(cluster().addresses[0], target, headers);
		t.after(() => ws.destroy());
		return ws;
	};

	test("a hub is at its own path, in any case, and no longer at the default one", async () => {
		const headers = await bearer([]);
		for (const path of ["/live/Chat", "/LIVE/chat", "/live/%43hat"])
			assert.equal((await post(`${path}/${NEGOTIATE}`, headers)).status, 200, path);
		for (const path of ["/hubs/chat", "/live", "/live/Chat2", "/live/Chat/more", "/live%2fChat"])
			assert.equal((await post(`${path}/${NEGOTIATE}`, headers)).status, 404, path);
	});

	test("the official client finds it there", async (t) => {
		const connection = new signalR.HubConnectionBuilder()
			.withUrl(`${cluster().urls[0]}/live/chat`, {
				transport: signalR.HttpTransportType.WebSockets,
				accessTokenFactory: () => mintToken(cluster().urls[0], { userId: "ann", name: "Ann" }),
			})
			.configureLogging(signalR.LogLevel.None)
			.build();
		connection.on("LoadMessages", () => {});
		connection.on("UserJoinedRoom", () => {});
		t.after(() => connection.stop());
		await connection.start();
		await connection.invoke("JoinRoom", "a room");
	});

	test("without a token, where one is required, it is 401", async (t) => {
		const answer = await post(`/live/chat/${NEGOTIATE}`);
		assert.deepEqual([answer.status, answer.headers["www-authenticate"]], [401, "Bearer"]);
		assert.equal((await upgrade(t, "/live/chat")).opened.status, 401);
		assert.equal((await upgrade(t, "/live/chat", await bearer([]))).opened.status, 101);
	});

	test("without one of the roles it is 403", async () => {
		assert.equal((await post(`/hubs/relay/${NEGOTIATE}`)).status, 401);
		assert.equal((await post(`/hubs/relay/${NEGOTIATE}`, await bearer(["Staff", "on"]))).status, 403);
		for (const roles of [["staff"], ["other", "on call"]])
			assert.equal((await post(`/hubs/relay/${NEGOTIATE}`, await bearer(roles))).status, 200, roles);
	});

	test("an old negotiation is refused where a newer one is needed", async () => {
		const headers = await bearer(["staff"]);
		const old = JSON.parse((await post("/live/chat/negotiate", headers)).body);
		assert.match(old.error, /The client requested version '0', but the server does not support this version\./);
		assert.equal(JSON.parse((await post("/hubs/relay/negotiate", headers)).body).error, undefined);
	});

	test("a transport that the hub does not have is neither offered nor taken", async (t) => {
		const headers = await bearer(["staff"]);
		const offered = async (path) => JSON.parse((await post(`${path}/${NEGOTIATE}`, headers)).body)
			.availableTransports.map((entry) => entry.transport);
		assert.ok((await offered("/live/chat")).includes("WebSockets"));
		assert.ok(!(await offered("/hubs/relay")).includes("WebSockets"));
		const ws = await upgrade(t, "/hubs/relay", headers);
		assert.deepEqual([ws.opened.status, ws.opened.body],
			[404, "WebSockets transport not supported by this end point type"]);
	});

	test("a message may be as long as the hub says", async (t) => {
		const longPing = (length) => {
			const text = JSON.stringify({ type: 6, pad: "" });
			return { type: 6, pad: "x".repeat(length - text.length) };
		};
		for (const [length, isTaken] of [[2047, true], [2048, false]]) {
			const ws = await upgrade(t, "/live/chat", await bearer([]));
			assert.deepEqual(await ws.handshake(), {});
			ws.send(longPing(length), { type: 1, invocationId: "1", target: "None", arguments: [] });
			const answer = await ws.message();
			assert.equal(answer.type, isTaken ? 3 : 7, `${length} bytes`);
		}
	});
});

test("SIGHUP changes what hubs may", async () => {
	const fs = require("node:fs");
	const os = require("node:os");
	const path = require("node:path");
	const { waitFor } = require("../kit/wait.js");
	const folder = fs.mkdtempSync(path.join(os.tmpdir(), "heliograph-conf-"));
	const file = path.join(folder, "gateway.conf");

	fs.writeFileSync(file, "hub.chat.path = /one\n");
	try {
		await withCluster({ gatewayArgs: [`--conf=${file}`] }, async (cluster) => {
			const status = async (target) =>
				(await httpRequest(cluster.addresses[0], "POST", `${target}/${NEGOTIATE}`)).status;
			assert.deepEqual([await status("/one"), await status("/two")], [200, 404]);
			fs.writeFileSync(file, "hub.chat.path = /two\n");
			cluster.kill("g1", "SIGHUP");
			await waitFor(async () => await status("/two") === 200, 5000, "the new path");
			assert.equal(await status("/one"), 404);
		});
	} finally {
		fs.rmSync(folder, { recursive: true });
	}
});
