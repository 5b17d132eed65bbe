// SPDX-License-Identifier: Apache-2.0
// heliograph-bench: every scenario against a real cluster loses nothing and counts what was
// asked for; and against a server that does wrong it finds each fault as often as it was made.
"use strict";

const { describe, test, before, after, afterEach } = require("node:test");
const assert = require("node:assert/strict");
const { sharedCluster } = require("../kit/cluster.js");
const { benchhub } = require("../kit/benchhub.js");
const { bench } = require("../kit/bench.js");
const { Liar } = require("../kit/liar.js");

const FAULTS = ["lost", "duplicates", "reordered", "gaps", "strangers", "malformed", "errors", "unanswered", "closes",
	"connect_errors"];
const CLEAN = FAULTS.map((name) => `${name}=0`).join(",");

// A rate, so that little is asked of a busy machine; how much of it was kept is no claim here.
const CROWD = { connections: 20, rate: 200, expect: CLEAN };

describe("heliograph-bench and a cluster", () => {
	const cluster = sharedCluster({ before, after, afterEach }, benchhub({ gateways: 2, routers: 2, gatewayArgs: ["--keepalive_interval=100ms"] }));
	const run = (options) => bench({ url: `${cluster().urls[0]}/hubs/bench`, dev_tokens: "on", ...CROWD, ...options });

	// Nothing went wrong, and something happened at all.
	async function clean(options, counted) {
		const { code, text, figures } = await run(options);
		assert.equal(code, 0, text);
		assert.deepEqual(FAULTS.filter((name) => figures[name] !== 0), [], text);
		for (const name of counted)
			assert.ok(figures[name] > 0, `${name} in\n${text}`);
		return figures;
	}

	test("connect opens one after the other, and the oldest again", async () => {
		const figures = await clean({ scenario: "connect", connections: 5, rate: 50 }, ["reconnect_rate"]);
		assert.ok(figures.connects > 5 && figures.open <= 5);
	});

	test("churn opens again what it closes", async () => {
		const figures = await clean({ scenario: "churn", rate: 50 }, ["reconnects"]);
		assert.equal(figures.connects, 20 + figures.reconnects);
	});

	test("idle keeps connections alive", async () => {
		const figures = await clean({ scenario: "idle", keep_alive: "500ms", hold: "1200ms" }, ["pings"]);
		assert.equal(figures.open, 20);
		assert.equal(figures.sent, 0);
	});

	for (const protocol of ["json", "messagepack"])
		test(`echo in ${protocol}`, async () => {
			const figures = await clean({ scenario: "echo", protocol }, ["sent", "answer_p50_us"]);
			assert.equal(figures.deliveries, figures.sent);
			assert.equal(figures.results, figures.sent);
		});

	test("echo in a closed loop", async () => {
		const figures = await clean({ scenario: "echo", rate: 0, in_flight: 4 }, ["sent"]);
		assert.equal(figures.results, figures.sent);
	});

	test("broadcast reaches everybody, of two workers", async () => {
		const figures = await clean({ scenario: "broadcast", workers: 2 }, ["sent", "delivery_p50_us"]);
		assert.equal(figures.deliveries, 20 * figures.sent);
	});

	test("send-to-group reaches the members", async () => {
		const figures = await clean({ scenario: "send-to-group", groups: 4, group_size: 5, workers: 2 }, ["sent"]);
		assert.equal(figures.deliveries, 5 * figures.sent);
	});

	test("send-to-user reaches the user's connections", async () => {
		const figures = await clean({ scenario: "send-to-user", users: 5 }, ["sent"]);
		assert.equal(figures.deliveries, 4 * figures.sent);
	});

	test("send-to-connection reaches that one", async () => {
		const figures = await clean({ scenario: "send-to-connection" }, ["sent"]);
		assert.equal(figures.deliveries, figures.sent);
	});

	test("join-leave: what follows a join arrives, what follows a leave does not", async () => {
		const figures = await clean({ scenario: "join-leave" }, ["joins"]);
		assert.ok(Math.abs(figures.sent - 2 * figures.deliveries) <= 10, "half of what is sent is for nobody");
	});

	for (const protocol of ["json", "messagepack"])
		test(`stream and upload in ${protocol}`, async () => {
			const down = await clean({ scenario: "stream", rate: 20, protocol }, ["items"]);
			assert.equal(down.deliveries, down.items);
			assert.equal(down.items, 100 * down.results);
			const up = await clean({ scenario: "upload", rate: 20, protocol }, ["uploads"]);
			assert.equal(up.deliveries, up.uploads);
			assert.equal(up.uploads, 100 * up.results);
		});

	test("client-results: every question comes back answered", async () => {
		const figures = await clean({ scenario: "client-results" }, ["sent"]);
		assert.equal(figures.deliveries, figures.sent);
		assert.equal(figures.results, figures.sent);
	});

	test("mixed has some of all", async () => {
		const figures = await clean({ scenario: "mixed", groups: 4, group_size: 5, rate: 400 }, ["results", "joins"]);
		assert.ok(figures.deliveries > figures.sent);
	});

	for (const transport of ["sse", "longpolling"])
		test(`mixed over ${transport}`, async () => {
			const figures = await clean({ scenario: "mixed", groups: 4, group_size: 5, transport }, ["sent"]);
			assert.ok(figures.deliveries > figures.sent);
		});

	test("group-beside-broadcast sends more than it is asked to", async () => {
		const figures = await clean({ scenario: "group-beside-broadcast", groups: 2, group_size: 5, rate: 50 },
			["delivery_p99_us"]);
		assert.ok(figures.results > 20, "the big group has had messages of its own");
	});

	test("what a scenario cannot do without is said", async () => {
		for (const [options, why] of [
			[{ scenario: "send-to-user", dev_tokens: "off" }, /send-to-user needs users: --token_key/],
			[{ scenario: "group-beside-broadcast", rate: 0 }, /group-beside-broadcast needs a --rate/],
			[{ scenario: "join-leave", connections: 1 }, /join-leave needs two connections/],
			[{ scenario: "send-to-connection", negotiate: "off" }, /negotiat/],
			[{ scenario: "send-to-nobody" }, /send-to-nobody/],
		]) {
			const { code, text, figures } = await run(options);
			assert.equal(code, 1, text);
			assert.match(text, why);
			assert.equal(figures, null);
		}
	});
});

describe("heliograph-bench and a server that does wrong", () => {
	// How `planted` faults must show: each count, and no other.
	const shows = {
		drop: (planted) => ({ lost: planted }),
		double: (planted) => ({ duplicates: planted }),
		swap: (planted) => ({ reordered: planted, gaps: planted }),
		stranger: (planted) => ({ strangers: planted }),
		garble: (planted) => ({ lost: planted, malformed: planted }),
		cut: (planted) => ({ lost: planted, malformed: planted }),
		stain: (planted) => ({ lost: planted, malformed: planted }),
		misname: (planted) => ({ lost: planted }),
		mute: (planted) => ({ lost: planted, unanswered: planted }),
		repeat: (planted) => ({ malformed: planted }),
	};

	async function against(fault, options) {
		const liar = new Liar(fault);
		const url = await liar.start();
		const result = await bench({ url, negotiate: "off", connections: 8, groups: 2, group_size: 4, rate: 600,
			drain: "1s", scenario: ["mute", "repeat"].includes(fault) ? "echo" : "send-to-group", ...options });
		await liar.stop();
		return { ...result, planted: liar.planted };
	}

	const found = (figures, ignored = []) => Object.fromEntries(FAULTS.filter((name) =>
		!ignored.includes(name) && figures[name] !== 0).map((name) => [name, figures[name]]));

	test("none is found when none is made", async () => {
		const { code, text, figures } = await against("none", { expect: CLEAN });
		assert.equal(code, 0, text);
		assert.deepEqual(found(figures), {});
		assert.equal(figures.deliveries, 4 * figures.sent);
	});

	for (const [fault, expected] of Object.entries(shows))
		test(`${fault}: found as often as made`, async () => {
			const wanted = Object.keys(expected(1));
			const { code, text, figures, planted } = await against(fault, { expect: `${wanted[0]}=0` });
			assert.ok(planted >= 2, `planted ${planted} in\n${text}`);
			// What is missing shows as a gap only when something follows it.
			const ignored = wanted.includes("lost") ? ["gaps"] : [];
			assert.deepEqual(found(figures, ignored), expected(planted), text);
			assert.equal(code, 2, text);
			assert.match(text, new RegExp(`FAILED +${wanted[0]}=0: ${planted}\\b`));
		});
});
