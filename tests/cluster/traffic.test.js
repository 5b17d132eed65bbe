// SPDX-License-Identifier: Apache-2.0
// tests/lab/traffic.js as a program: what it answers, and that its file is whole however it
// is told to end.
"use strict";

const { describe, test, before, after, afterEach } = require("node:test");
const assert = require("node:assert/strict");
const { spawn } = require("node:child_process");
const fs = require("node:fs");
const os = require("node:os");
const path = require("node:path");
const readline = require("node:readline");
const { sharedCluster } = require("../kit/cluster.js");
const { within } = require("../kit/wait.js");
const { check } = require("../lab/history.js");

const TRAFFIC = path.join(__dirname, "../lab/traffic.js");
const ANSWER_MS = 60000;
const SMALL = { clients: 4, groups: 2, rate: 50, stateful_share: 0, sse_share: 0.5, longpolling_share: 0.25, retry_ms: 100 };

// The program with these options: say(line), and answer(), the next line that it prints.
function start(t, options) {
	const args = Object.entries(options).map(([name, value]) => `--${name}=${value}`);
	const child = spawn(process.execPath, [TRAFFIC, ...args], { stdio: ["pipe", "pipe", "pipe"] });
	const run = { child, errors: "" };
	child.stderr.on("data", (text) => (run.errors += text));
	run.ended = new Promise((resolve) => child.on("close", (code, signal) => resolve(signal ?? code)));
	const lines = readline.createInterface({ input: child.stdout })[Symbol.asyncIterator]();
	run.say = (line) => child.stdin.write(`${line}\n`);
	run.answer = async () => {
		const { value } = await within(lines.next(), ANSWER_MS, "an answer");
		const [, word, json] = /^(\S+) ?(.*)$/.exec(value);
		return [word, json ? JSON.parse(json) : null];
	};
	t.after(() => child.kill("SIGKILL"));
	return run;
}

describe("the traffic program", () => {
	const cluster = sharedCluster({ before, after, afterEach }, { gateways: 2, routers: 1 });
	const file = (t) => {
		const folder = fs.mkdtempSync(path.join(os.tmpdir(), "heliograph-history-"));
		t.after(() => fs.rmSync(folder, { recursive: true }));
		return path.join(folder, "history.jsonl");
	};
	const begin = async (t, history) => {
		const run = start(t, { ...SMALL, history, urls: cluster().urls.join() });
		const [word, { clients, up }] = await run.answer();
		assert.deepEqual([word, clients, up], ["ready", 4, 4], run.errors);
		return run;
	};
	const expectWhole = (history, { own, left }) => {
		const { violations, incomplete, ends } = check([history]);
		assert.deepEqual([violations, incomplete, ends.own, ends.left], [[], [], own, left]);
	};

	test("obeys, and answers each word", async (t) => {
		const history = file(t);
		const run = await begin(t, history);
		run.say("mark the first");
		assert.deepEqual(await run.answer(), ["marked", null]);
		for (let accepted = 0; accepted < 20;) {
			run.say("status");
			const [word, status] = await run.answer();
			assert.equal(word, "status");
			({ accepted } = status);
		}
		run.say("stop");
		const [word, { answered, arrived, quiet, waiting }] = await run.answer();
		assert.deepEqual([word, answered, arrived, quiet, waiting], ["quiet", true, true, true, 0]);
		run.say("dance");
		assert.deepEqual(await run.answer(), ["what", "dance"]);
		run.say("close");
		assert.deepEqual(await run.answer(), ["closed", null]);
		assert.equal(await within(run.ended, ANSWER_MS, "the end"), 0, run.errors);
		const { violations, marks } = check([history]);
		assert.deepEqual([violations, marks.map(({ text }) => text)], [[], ["the first"]]);
	});

	const quietly = { own: 4, left: 0 };
	for (const [what, end, ends] of [["SIGTERM", (run) => run.child.kill("SIGTERM"), quietly],
		["the end of its input", (run) => run.child.stdin.end(), quietly],
		["\"close\" alone, in the middle of things", (run) => run.say("close"), { own: 0, left: 4 }]])
		test(`ends with a whole file by ${what}`, async (t) => {
			const history = file(t);
			const run = await begin(t, history);
			end(run);
			assert.equal(await within(run.ended, ANSWER_MS, "the end"), 0, run.errors);
			expectWhole(history, ends);
		});

	test("names an option that it does not know, and one that is missing", async (t) => {
		for (const [options, error] of [[{ dance: 1 }, /--dance=1: no such option; there are history, urls/],
			[{ history: "/dev/null" }, /--urls is missing/], [{ clients: "many" }, /--clients=many: no number/]]) {
			const run = start(t, options);
			assert.equal(await within(run.ended, ANSWER_MS, "the end"), 1);
			assert.match(run.errors, error);
		}
	});
});
