// SPDX-License-Identifier: Apache-2.0
// The conformance cases against a server that is right, and against the same server with one
// thing wrong at a time: each defect has to be found, by the cases that are about it.
"use strict";

const { describe, test } = require("node:test");
const assert = require("node:assert/strict");
const { execFile } = require("node:child_process");
const fs = require("node:fs");
const os = require("node:os");
const path = require("node:path");
const { cases, matching } = require("../conformance/ws/cases/index.js");
const { runCases, VERDICT } = require("../conformance/ws/runner.js");
const { startServer, DEFECTS } = require("../conformance/ws/broken.js");

// What is broken is waited for in vain.
const IMPATIENT = { waitMs: 400, graceMs: 100, jobs: 16 };

// Defect -> [cases to run, those of them that must fail].
const FOUND_BY = {
	"no-mask-check": ["H.1.6,H.2.*", ["H.1.6", "H.2.1", "H.2.2", "H.2.3", "H.2.4"]],
	"masked-answers": ["1.*", ["1.1.1", "1.2.2"]],
	"rsv-ignored": ["3.*", ["3.1", "3.2", "3.3", "3.4", "3.5", "3.6", "3.7"]],
	"reserved-opcode": ["4.*", ["4.1.1", "4.1.5", "4.2.1", "4.2.5"]],
	"long-lengths": ["H.2.*", ["H.2.6", "H.2.7", "H.2.8"]],
	"short-lengths": ["1.*", ["1.1.7", "1.2.7"]],
	"long-control": ["2.*,7.3.*", ["2.5", "7.3.6"]],
	"fragmented-control": ["5.1,5.2", ["5.1"]],
	"wrong-pong": ["2.*", ["2.2", "2.3", "2.4", "2.6", "2.10"]],
	"late-pong": ["5.*,H.3.*", ["5.6", "5.7", "5.8", "5.19", "5.20", "H.3.4"]],
	"pong-for-pong": ["2.*", ["2.7", "2.8", "2.9"]],
	"interleaved-data": ["5.*", ["5.18"]],
	"continuation-of-nothing": ["5.*", ["5.9", "5.10", "5.11", "5.12", "5.13", "5.14", "5.15", "5.16", "5.17"]],
	"lost-fragment": ["5.*", ["5.3", "5.4", "5.5", "5.6", "5.19"]],
	"no-utf8": ["6.*", ["6.3.1", "6.3.2", "6.4.1", "6.8.1", "6.12.1", "6.20.1"]],
	"half-utf8": ["6.*", ["6.6.1", "6.6.3", "6.14.6"]],
	"one-byte-close": ["7.3.*", ["7.3.2"]],
	"any-close-code": ["7.9.*", [1, 2, 3, 4, 5, 6, 7, 8, 9].map((i) => `7.9.${i}`)],
	"any-close-reason": ["7.5.*", ["7.5.1"]],
	"wrong-close-code": ["7.*", ["7.1.2", "7.3.1", "7.7.1"]],
	"no-close": ["7.1.*", ["7.1.2", "7.1.3", "7.1.4", "7.1.5"]],
	"open-after-close": ["7.1.*", ["7.1.2", "7.1.3", "7.1.4", "7.1.5"]],
	"reads-after-close": ["7.1.*", ["7.1.2", "7.1.3", "7.1.4", "7.1.5"]],
	"talks-after-close": ["7.1.*", ["7.1.2", "7.1.3"]],
	"wrong-failure": ["3.*,6.3.*", ["3.1", "3.7", "6.3.1"]],
	"split-answers": ["1.*", ["1.1.1", "1.1.2", "1.2.2"]],
	"lost-behind-opening": ["H.1.*", ["H.1.3"]],
};

// Allowed, and told apart from what is best.
const NOT_STRICT = {
	"late-utf8": ["6.4.*", ["6.4.1", "6.4.2", "6.4.3", "6.4.4"]],
	"dropped": ["3.*", ["3.1", "3.5", "3.6", "3.7"]],
};

async function runAgainst(defects, filter, options) {
	const server = await startServer(...defects);
	try {
		return await runCases(matching(filter), { address: server.address, path: "/hubs/any", ...options });
	} finally {
		await server.stop();
	}
}

const having = (results, verdict) => results.filter((result) => result.verdict === verdict).map(({ id }) => id);

function assertIncludes(all, some, results) {
	const missing = some.filter((id) => !all.includes(id));
	assert.deepEqual(missing, [], `not among ${all}: ${JSON.stringify(results, null, 1)}`);
}

describe("WebSocket conformance cases", { concurrency: 4 }, () => {
	test("are as many as in the public suite, and ours", () => {
		const ids = new Set(cases.map(({ id }) => id));
		assert.equal(ids.size, cases.length);
		assert.equal(cases.filter(({ id }) => !id.startsWith("H.")).length, 301);
	});

	test("find nothing wrong with a server that is right", async () => {
		const results = await runAgainst([], "*", {});
		assert.deepEqual(results.filter(({ verdict }) =>
			verdict !== VERDICT.OK && verdict !== VERDICT.INFORMATIONAL), []);
		assert.deepEqual(having(results, VERDICT.INFORMATIONAL), ["7.1.6", "7.13.1", "7.13.2", "H.3.7"]);
	});

	for (const [defect, [filter, ids]] of Object.entries(FOUND_BY))
		test(`find a server that ${DEFECTS[defect]}`, async () => {
			const results = await runAgainst([defect], filter, IMPATIENT);
			assertIncludes(having(results, VERDICT.FAILED), ids, results);
		});

	for (const [defect, [filter, ids]] of Object.entries(NOT_STRICT))
		test(`call a server non-strict that ${DEFECTS[defect]}`, async () => {
			const results = await runAgainst([defect], filter, { graceMs: IMPATIENT.graceMs });
			assertIncludes(having(results, VERDICT.NON_STRICT), ids, results);
			assert.deepEqual(having(results, VERDICT.FAILED), []);
		});

	test("have a test for every defect", () => {
		assert.deepEqual([...Object.keys(FOUND_BY), ...Object.keys(NOT_STRICT)].sort(), Object.keys(DEFECTS).sort());
	});
});

// The exit status and all that was printed.
function command(...args) {
	return new Promise((resolve) => {
		execFile(process.execPath, [path.join(__dirname, "../conformance/ws/run.js"), ...args],
			(error, stdout, stderr) => resolve({ status: error ? error.code : 0, stdout, stderr }));
	});
}

describe("the command", () => {
	const against = async (defects, ...args) => {
		const server = await startServer(...defects);
		try {
			return await command(server.address, "/hubs/any", ...args);
		} finally {
			await server.stop();
		}
	};

	test("prints a line for each case and a table", async () => {
		const { status, stdout } = await against([], "--filter", "2.1*,7.3.1", "--jobs=2");
		assert.equal(status, 0);
		assert.match(stdout, /^OK {12}2\.1 {6}an empty Ping, \d+ ms$/m);
		assert.deepEqual([...stdout.matchAll(/^OK +(\S+)/gm)].map(([, id]) => id).sort(), ["2.1", "2.10", "2.11", "7.3.1"]);
		assert.match(stdout, /^2 Pings and Pongs +3 +0 +0 +0$/m);
		assert.match(stdout, /^all +4 +0 +0 +0$/m);
	});

	test("exits with 1 when a case failed, and says why in a file", async (t) => {
		const folder = fs.mkdtempSync(path.join(os.tmpdir(), "heliograph-test-"));
		t.after(() => fs.rmSync(folder, { recursive: true }));
		const file = path.join(folder, "results.json");
		const { status } = await against(["wrong-close-code"], "--filter=7.3.1", `--json=${file}`);
		assert.equal(status, 1);
		const { results } = JSON.parse(fs.readFileSync(file, "utf8"));
		assert.equal(results.length, 1);
		assert.deepEqual({ ...results[0], ms: 0 }, {
			id: "7.3.1", title: "an empty Close", verdict: "FAILED", why: "closed with 1011, expected 1000 or nothing",
			closeCode: 1011, ms: 0,
		});
	});

	for (const [name, args, expected] of [
		["nothing", [], /^usage: /],
		["an address without a port", ["localhost", "/hubs/any"], /^usage: /],
		["a path without a slash", ["127.0.0.1:1", "hubs"], /^usage: /],
		["an option it does not have", ["127.0.0.1:1", "/hubs/any", "--all"], /--all/],
		["no jobs", ["127.0.0.1:1", "/hubs/any", "--jobs=0"], /^usage: /],
		["a filter that nothing matches", ["127.0.0.1:1", "/hubs/any", "--filter=8.*"], /^no case matches 8/],
	])
		test(`exits with 2 when given ${name}`, async () => {
			const { status, stderr } = await command(...args);
			assert.equal(status, 2);
			assert.match(stderr, expected);
		});

	test("calls every case failed when nobody listens", async () => {
		const { status, stdout } = await command("127.0.0.1:1", "/hubs/any", "--filter=2.1");
		assert.equal(status, 1);
		assert.match(stdout, /^FAILED +2\.1 .*no WebSocket/m);
	});
});
