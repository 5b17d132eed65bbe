// SPDX-License-Identifier: Apache-2.0
// All WebSocket conformance cases against a real gateway; tests/conformance/ws/run.js runs
// them by hand against any server.
"use strict";

const { describe, test, before, after, afterEach } = require("node:test");
const assert = require("node:assert/strict");
const { sharedCluster } = require("../kit/cluster.js");
const { waitFor } = require("../kit/wait.js");
const { cases, sectionOf, SECTIONS } = require("../conformance/ws/cases/index.js");
const { runCases, VERDICT } = require("../conformance/ws/runner.js");
const { resultLine } = require("../conformance/ws/run.js");

const LEAVE_MS = 8000;

// A call, and at once what ends the connection. The call runs in a router, so whether its
// answer is back in time is nobody's promise.
const MAY_LACK_AN_ANSWER = ["3.2", "3.3", "3.4", "4.1.3", "4.1.4", "4.1.5", "4.2.3", "4.2.4", "4.2.5", "5.15", "7.1.1"];

// Where the protocol leaves it open, what the gateway does: the code it closes with.
const INFORMATIONAL = { "7.1.6": 1000, "7.13.1": 1002, "7.13.2": 1002, "H.3.7": 1008 };

describe("WebSocket conformance of the gateway", () => {
	const cluster = sharedCluster({ before, after, afterEach }, {});

	for (const [section, title] of Object.entries(SECTIONS))
		test(`${section}: ${title}`, async () => {
			const chosen = cases.filter(({ id }) => sectionOf(id) === section);
			const results = await runCases(chosen, { address: cluster().addresses[0], path: "/hubs/chat" });
			const wrong = results.filter(({ id, verdict, closeCode }) => {
				switch (verdict) {
				case VERDICT.OK:
					return false;
				case VERDICT.NON_STRICT:
					return !MAY_LACK_AN_ANSWER.includes(id);
				case VERDICT.INFORMATIONAL:
					return INFORMATIONAL[id] !== closeCode;
				default:
					return true;
				}
			});
			assert.equal(results.length, chosen.length);
			assert.deepEqual(wrong.map(resultLine), []);
		});

	test("leaves no socket behind", async () => {
		await waitFor(async () => (await cluster().metrics("g1")).get("gateway_ws_sockets") === 0,
			LEAVE_MS, "all sockets to be gone");
	});
});
