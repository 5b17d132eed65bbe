// SPDX-License-Identifier: Apache-2.0
// A connection token that is used at a second gateway: the newcomer is sent away, and the
// first connection notices nothing, nor does anybody who asks for its user; nor is there a
// second connection when the first one is lost.
"use strict";

const { test } = require("node:test");
const assert = require("node:assert/strict");
const { withCluster } = require("../kit/cluster.js");
const { connect, mintToken } = require("../kit/clients.js");
const { RawWebSocket, httpRequest } = require("../kit/raw.js");
const { waitFor } = require("../kit/wait.js");
const { untilOnline, userConnections } = require("../kit/presence.js");

const target = (connectionToken, accessToken) => `/hubs/relay?id=${encodeURIComponent(connectionToken)}`
	+ `&access_token=${encodeURIComponent(accessToken)}`;

async function attach(t, address, connectionToken, accessToken, handshake) {
	const ws = await RawWebSocket.open(address, target(connectionToken, accessToken));
	t.after(() => ws.destroy());
	assert.deepEqual(await ws.handshake(handshake), {});
	return ws;
}

test("a token used at two gateways takes nothing from its connection", async (t) => {
	await withCluster({ gateways: 2, routers: 2 }, async (cluster) => {
		const [first, second] = cluster.addresses;
		const sender = await connect(t, cluster.urls[1], { hub: "relay", userId: "ben", roles: ["relay.user"] });
		const accessToken = await mintToken(cluster.urls[0], { userId: "ann" });
		const { body } = await httpRequest(first, "POST", "/hubs/relay/negotiate?negotiateVersion=1",
			{ headers: { Authorization: `Bearer ${accessToken}` } });
		const { connectionToken, connectionId } = JSON.parse(body);
		const ann = await attach(t, first, connectionToken, accessToken);
		await untilOnline(cluster, ["ann", "ben"]);

		const copy = await attach(t, second, connectionToken, accessToken);
		assert.equal((await copy.message()).type, 7);
		await waitFor(async () => (await cluster.metrics("p1")).get("presence_closed_total") === 1, 8000,
			"the end of the copy at presence");

		await sender.invoke("SendToUser", "ann", "news", 1);
		assert.deepEqual((await ann.message()).arguments, [1]);
		await untilOnline(cluster, ["ann", "ben"]);
		assert.deepEqual(await userConnections(cluster, "ann"), [connectionId]);
	});
});

// A client with stateful reconnect comes back with the token that it has, wherever it is sent to: as a new
// connection it would be shaken hands with, which it does not expect.
test("a token opens no second connection when the gateway of the first is killed", async (t) => {
	const gatewayArgs = ["--stateful_reconnect=on"];
	const lease = ["--lease=1s"];
	await withCluster({ gateways: 2, routers: 2, gatewayArgs, routerArgs: lease, presenceArgs: lease }, async (cluster) => {
		const [first, second] = cluster.addresses;
		const accessToken = await mintToken(cluster.urls[0], { userId: "ann" });
		const { body } = await httpRequest(first, "POST", "/hubs/relay/negotiate?negotiateVersion=1&useStatefulReconnect=true",
			{ headers: { Authorization: `Bearer ${accessToken}` } });
		const { connectionToken } = JSON.parse(body);
		await attach(t, first, connectionToken, accessToken, { protocol: "json", version: 2 });
		await untilOnline(cluster, ["ann"]);
		await cluster.kill("g1");
		for (const address of [second, first]) {
			if (address === first)
				await cluster.restart("g1");
			const again = await RawWebSocket.open(address, target(connectionToken, accessToken));
			t.after(() => again.destroy());
			assert.equal(again.opened.status, 404);
		}
	});
});

// The router that knew of it is killed as well: who has passed a request on still does.
test("nor when the router that knew of it is killed, too, at a gateway that it has been to", async (t) => {
	await withCluster({ gateways: 2, routers: 1 }, async (cluster) => {
		const [first, second] = cluster.addresses;
		const accessToken = await mintToken(cluster.urls[0], { userId: "ann" });
		const headers = { Authorization: `Bearer ${accessToken}` };
		const { body } = await httpRequest(first, "POST", "/hubs/relay/negotiate?negotiateVersion=1", { headers });
		const { connectionToken } = JSON.parse(body);
		const at = (address, method, text) => httpRequest(address, method, target(connectionToken, accessToken),
			{ body: text });
		assert.equal((await at(first, "GET")).status, 200);
		assert.equal((await at(second, "POST", '{"protocol":"json","version":1}\x1e')).status, 200);
		assert.equal((await at(second, "GET")).body, "{}\x1e");
		await cluster.kill("g1");
		await cluster.kill("r1");
		await cluster.restart("r1");
		await cluster.restart("g1");

		assert.equal((await at(second, "GET")).status, 404);
		assert.equal((await at(second, "POST", '{"type":6}\x1e')).status, 404);
	});
});
