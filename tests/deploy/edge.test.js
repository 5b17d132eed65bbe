// SPDX-License-Identifier: Apache-2.0
// The examples of deploy/edge as they are shipped, with addresses of the test's: real HAProxy and nginx in front of
// three gateways, official clients, gateways that end under them.
"use strict";

const { after, before, describe, test } = require("node:test");
const assert = require("node:assert/strict");
const { Cluster } = require("../kit/cluster.js");
const { connect, signalR } = require("../kit/clients.js");
const { freshRoom } = require("../kit/chat.js");
const { EDGES, Edge } = require("../kit/edge.js");
const { Traffic } = require("../kit/traffic.js");
const { waitFor } = require("../kit/wait.js");

const WAIT_MS = 30000;
const TRANSPORTS = ["WebSockets", "ServerSentEvents", "LongPolling"];
const gatewayArgs = ["--stateful_reconnect=on", "--reattach_per_minute_max=100000", "--lease=2s", "--drain_timeout=20s",
	"--trusted_proxies=127.0.0.1"];

for (const kind of Object.keys(EDGES))
	describe(`${kind} in front of gateways`, () => {
		let cluster;
		let edge;
		before(async () => {
			cluster = new Cluster({ gateways: 3, routers: 2, gatewayArgs });
			await cluster.start();
			edge = new Edge(kind, cluster);
			await edge.start();
		});
		after(async () => {
			await edge?.stop();
			await cluster.stop();
		});

		const by = (t, transport, options) => connect(t, edge.url, { http: { transport: signalR.HttpTransportType[transport] }, ...options });

		test("every transport goes through, to any gateway, as it comes", async (t) => {
			const room = freshRoom();
			const clients = [];
			for (let i = 0; i < 9; i++)
				clients.push(await by(t, TRANSPORTS[i % 3]));
			for (const client of clients)
				await client.invoke("JoinRoom", room);
			for (const [i, client] of clients.entries()) {
				await client.invoke("SendMessage", room, `m${i}`);
				// Each before the next is sent: nothing waits in a buffer.
				await Promise.all(clients.map((receiver) => receiver.untilText(room, `m${i}`)));
			}
		});

		test("a client's address and the page's are passed on", async () => {
			const negotiate = (origin) => fetch(`${edge.url}/hubs/chat/negotiate?negotiateVersion=1`,
				{ method: "POST", headers: { origin, "x-forwarded-host": "evil.example", "x-forwarded-proto": "https" } });
			assert.equal((await negotiate(edge.url)).status, 200, "its own page");
			assert.equal((await negotiate("https://evil.example")).headers.get("access-control-allow-origin"), null);
		});

		test("stateful clients do not notice that each gateway in turn is drained and comes back", async (t) => {
			const clients = await Promise.all(Array.from({ length: 6 }, () => by(t, "WebSockets", { stateful: true })));
			const traffic = new Traffic(new Map([[freshRoom(), clients]]));
			t.after(() => traffic.stop().catch(() => {}));
			await traffic.start();
			await traffic.flows(1);
			for (const name of ["g1", "g2", "g3"]) {
				assert.deepEqual(await cluster.kill(name, "SIGTERM"), { code: 0, signal: null });
				await traffic.flows(1);
				await cluster.restart(name);
				await waitFor(async () => (await cluster.admin(name, "/readyz")).status === 200, WAIT_MS, `${name} to be ready`);
				await traffic.flows(1);
			}
			await traffic.stop();
			await traffic.check();
			assert.deepEqual(traffic.lanes.flatMap((lane) => lane.refused), []);
			assert.deepEqual(clients.flatMap((client) => client.states), []);
		});

		test("nobody is sent to a gateway that is gone", async (t) => {
			const room = freshRoom();
			await cluster.kill("g2");
			for (let i = 0; i < 12; i++) {
				const client = await by(t, TRANSPORTS[i % 3]);
				await client.invoke("JoinRoom", room);
				await client.invoke("JoinRoom", room);
			}
		});
	});
