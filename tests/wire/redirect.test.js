// SPDX-License-Identifier: Apache-2.0
// Negotiation that sends clients elsewhere, and connections that end with their token.
"use strict";

const { describe, test, before, after, afterEach } = require("node:test");
const assert = require("node:assert/strict");
const fs = require("node:fs");
const os = require("node:os");
const path = require("node:path");
const { withCluster, sharedCluster } = require("../kit/cluster.js");
const { mintToken, signalR } = require("../kit/clients.js");
const { httpRequest } = require("../kit/raw.js");
const { JwtKey } = require("../kit/jwt.js");
const { waitFor } = require("../kit/wait.js");

// A key that the test has too.
function sharedKey(t) {
	const key = new JwtKey("HS256");
	const folder = fs.mkdtempSync(path.join(os.tmpdir(), "heliograph-key-"));
	fs.writeFileSync(path.join(folder, "auth.key"), key.file, { mode: 0o600 });
	t.after(() => fs.rmSync(folder, { recursive: true, force: true }));
	return { key, option: `--auth_key_file=${path.join(folder, "auth.key")}` };
}

function clientOf(t, url, accessTokenFactory, transport) {
	const connection = new signalR.HubConnectionBuilder()
		.withUrl(url, { accessTokenFactory, transport })
		.configureLogging(signalR.LogLevel.None).build();
	t.after(() => connection.stop());
	return connection;
}

test("a hub sends its clients to another cluster, with a token for it", async (t) => {
	const { key, option } = sharedKey(t);
	await withCluster({ gatewayArgs: [option, "--hub.relay.auth=required"] }, async (there) => {
		await withCluster({ gatewayArgs: [option, "--hub.chat.auth=required", "--hub.chat.redirect_token=on",
			`--hub.chat.redirect_url=${there.urls[0]}/hubs/relay?from=here`] }, async (here) => {
			let asked = 0;
			const connection = clientOf(t, `${here.urls[0]}/hubs/chat`, () => {
				asked++;
				return key.sign({ sub: "ada", role: ["relay.all"] });
			});
			await connection.start();
			assert.equal(asked, 1, "from there on the answer's token is used");
			assert.equal((await there.metrics("g1")).get("gateway_connections"), 1);
			await connection.invoke("SendToAll", "news", "x"); // which only the role allows
			const answer = await httpRequest(here.addresses[0], "POST", "/hubs/chat/negotiate?negotiateVersion=1",
				{ headers: { Authorization: `Bearer ${key.sign({ sub: "ada" })}` } });
			const { accessToken, url, ...rest } = JSON.parse(answer.body);
			assert.deepEqual(rest, {});
			assert.equal(url, `${there.urls[0]}/hubs/relay?from=here`);
			const claims = JSON.parse(Buffer.from(accessToken.split(".")[1], "base64url"));
			assert.equal(claims.sub, "ada");
			assert.ok(claims.exp <= Date.now() / 1000 + 61, "it does not outlive the token it stands for");
			assert.equal((await here.metrics("g1")).get("gateway_negotiate_redirected_total"), 2);
			await connection.stop();
		});
	});
});

test("an anonymous client is sent on without a token", async () => {
	await withCluster({ gatewayArgs: ["--hub.chat.redirect_url=https://other.example/chat", "--hub.chat.redirect_token=on"] },
		async (cluster) => {
			const answer = await httpRequest(cluster.addresses[0], "POST", "/hubs/chat/negotiate?negotiateVersion=1");
			assert.deepEqual(JSON.parse(answer.body), { url: "https://other.example/chat" });
		});
});

describe("close_on_auth_expiration", () => {
	const key = new JwtKey("HS256");
	const folder = fs.mkdtempSync(path.join(os.tmpdir(), "heliograph-key-"));
	const file = path.join(folder, "auth.key");
	fs.writeFileSync(file, key.file, { mode: 0o600 });
	const cluster = sharedCluster({ before, after, afterEach }, {
		gatewayArgs: [`--auth_key_file=${file}`, "--hub.chat.close_on_auth_expiration=on", "--auth_leeway=0"],
	});
	after(() => fs.rmSync(folder, { recursive: true, force: true }));
	const short = () => key.sign({ sub: "ada", exp: Math.floor(Date.now() / 1000) + 2 });

	for (const transport of ["WebSockets", "LongPolling"]) {
		test(`ends a connection with its token, over ${transport}`, async (t) => {
			const connection = clientOf(t, `${cluster().urls[0]}/hubs/chat`, short, signalR.HttpTransportType[transport]);
			let closed = null;
			connection.onclose((error) => (closed = { error }));
			await connection.start();
			await waitFor(() => closed, 8000, "the connection's end");
			const metrics = await cluster().metrics("g1");
			const count = [...metrics].find(([name]) => name.includes('close_total{reason="expired"}'))[1];
			assert.ok(count >= 1);
		});
	}

	test("is off for the other hub", async (t) => {
		const connection = clientOf(t, `${cluster().urls[0]}/hubs/relay`, short);
		let isClosed = false;
		connection.onclose(() => (isClosed = true));
		await connection.start();
		await new Promise((resolve) => setTimeout(resolve, 3500));
		assert.equal(isClosed, false);
	});
});
