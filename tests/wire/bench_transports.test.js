// SPDX-License-Identifier: Apache-2.0
// heliograph-bench as a client: each transport with each protocol, tokens in each place, and
// what it says when it cannot connect.
"use strict";

const { describe, test, before, after, afterEach } = require("node:test");
const assert = require("node:assert/strict");
const http = require("node:http");
const { sharedCluster } = require("../kit/cluster.js");
const { benchhub } = require("../kit/benchhub.js");
const { bench } = require("../kit/bench.js");
const { balance } = require("../kit/balancer.js");
const { Liar } = require("../kit/liar.js");
const { waitFor } = require("../kit/wait.js");

const FAULTS = ["lost", "duplicates", "reordered", "strangers", "malformed", "errors", "closes", "connect_errors"];
const CROWD = { connections: 12, rate: 100, connect_timeout: "5s" };

describe("heliograph-bench over", () => {
	const cluster = sharedCluster({ before, after, afterEach }, benchhub({ gateways: 2, routers: 2 }));
	const run = (options) =>
		bench({ url: `${cluster().urls[0]}/hubs/bench`, dev_tokens: "on", ...CROWD, ...options });

	async function clean(options, counted) {
		const { code, text, figures } = await run(options);
		assert.equal(code, 0, text);
		assert.deepEqual(FAULTS.filter((name) => figures[name] !== 0), [], text);
		for (const name of counted)
			assert.ok(figures[name] > 0, `${name} in\n${text}`);
		return figures;
	}

	for (const [transport, protocol] of [["websockets", "json"], ["websockets", "messagepack"], ["sse", "json"],
		["longpolling", "json"], ["longpolling", "messagepack"]]) {
		const way = { transport, protocol };

		test(`${transport}, ${protocol}: an answer to each invocation`, async () => {
			const figures = await clean({ ...way, scenario: "echo" }, ["sent"]);
			assert.equal(figures.results, figures.sent);
		});
		test(`${transport}, ${protocol}: everybody hears everything, once`, async () => {
			const figures = await clean({ ...way, scenario: "broadcast" }, ["sent"]);
			assert.equal(figures.deliveries, 12 * figures.sent);
		});
		test(`${transport}, ${protocol}: many at once in a closed loop`, async () => {
			const figures = await clean({ ...way, scenario: "broadcast", rate: 0, in_flight: 8 }, ["sent"]);
			assert.equal(figures.deliveries, 12 * figures.sent);
		});
		test(`${transport}, ${protocol}: large payloads`, () =>
			clean({ ...way, scenario: "broadcast", size: 20000, connections: 4, rate: 50 }, ["sent"]));
		test(`${transport}, ${protocol}: streams both ways and questions`, async () => {
			await clean({ ...way, scenario: "stream", rate: 10 }, ["items"]);
			await clean({ ...way, scenario: "upload", rate: 10 }, ["uploads"]);
			await clean({ ...way, scenario: "client-results", rate: 50 }, ["results"]);
		});
		test(`${transport}, ${protocol}: through a balancer that sends each request anywhere`, async (t) => {
			const { url } = await balance(t, cluster());
			await clean({ ...way, scenario: "echo", url: `${url}/hubs/bench` }, ["sent"]);
		});
	}

	test("websockets without negotiation", () =>
		clean({ scenario: "echo", negotiate: "off" }, ["sent"]));

	test("a URL with a query of its own", () =>
		clean({ scenario: "echo", url: `${cluster().urls[0]}/hubs/bench?a=b`, transport: "longpolling" }, ["sent"]));
});

describe("heliograph-bench says why, to", () => {
	const cluster = sharedCluster({ before, after, afterEach }, benchhub());
	const fails = async (options, expected) => {
		const { code, text } = await bench({ url: `${cluster().urls[0]}/hubs/bench`, ...CROWD, connections: 2,
			scenario: "echo", ...options });
		assert.notEqual(code, 0);
		assert.match(text, expected);
	};

	test("binary messages over events", () =>
		fails({ transport: "sse", protocol: "messagepack" }, /sse.*messagepack|messagepack.*sse/));
	test("polling without negotiation", () =>
		fails({ transport: "longpolling", negotiate: "off" }, /negotiat/));
	test("https", () => fails({ url: "https://127.0.0.1:1/hubs/bench" }, /https|http:/));
	test("nobody there", () => fails({ url: "http://127.0.0.1:1/hubs/bench" }, /refused/));
	test("a hub that does not exist", () =>
		fails({ url: `${cluster().urls[0]}/hubs/other` }, /negotiate was refused: 404/));
	test("a token that nobody believes", () =>
		fails({ token_key: "x".repeat(32) }, /negotiate was refused: 401/));
	test("a server that answers nonsense", async (t) => {
		const server = http.createServer((request, response) => response.end("nonsense"));
		await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
		t.after(() => server.close());
		await fails({ url: `http://127.0.0.1:${server.address().port}/hubs/bench` }, /no JSON/);
		await fails({ url: `http://127.0.0.1:${server.address().port}/hubs/bench`, negotiate: "off" },
			/WebSocket refused/);
	});
});

// A server without negotiation that says nothing by itself.
describe("heliograph-bench and a server that", () => {
	async function against(t, options, meanwhile = async () => {}) {
		const liar = new Liar("none");
		const url = await liar.start();
		t.after(() => liar.stop());
		const [result] = await Promise.all([
			bench({ url, negotiate: "off", connections: 4, scenario: "idle", ...options }),
			meanwhile(liar),
		]);
		return result;
	}

	test("is silent: it is taken for gone, and connected to again", async (t) => {
		const { code, text, figures } = await against(t, { keep_alive: "100ms", hold: "900ms" });
		assert.equal(code, 2);
		assert.match(text, /ended although nobody asked/);
		assert.ok(figures.closes >= 4, text);
		assert.ok(figures.pings >= 4, text);
		assert.ok(figures.connects > 4, text);
	});

	test("closes and lets connect again: every client comes back", async (t) => {
		const { code, text, figures } = await against(t, { keep_alive: "20s", hold: "1500ms" }, async (liar) => {
			await waitFor(() => liar.peers.size === 4 && [...liar.peers].every((peer) => peer.isGreeted), 5000,
				"four clients");
			for (const peer of liar.peers)
				peer.say({ type: 7, allowReconnect: true });
		});
		assert.equal(code, 2, text);
		assert.equal(figures.closes, 4);
		assert.equal(figures.connects, 8);
		assert.equal(figures.open, 4);
	});

	test("refuses the handshake: says so", async (t) => {
		const { code, text } = await against(t, {}, async (liar) => {
			liar.server.on("upgrade", () => [...liar.peers].at(-1).say({ error: "go away" }));
		});
		assert.notEqual(code, 0);
		assert.match(text, /refused the handshake: go away/);
	});
});
