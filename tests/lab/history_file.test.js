// SPDX-License-Identifier: Apache-2.0
// The history checker as a program: files of several writers, what is wrong with them, its
// exit status; and the two structures under it.
"use strict";

const { describe, test, before, after } = require("node:test");
const assert = require("node:assert/strict");
const { spawnSync } = require("node:child_process");
const fs = require("node:fs");
const os = require("node:os");
const path = require("node:path");
const { randomOf } = require("../kit/random.js");
const { Histogram, Ranges } = require("./figures.js");
const { check } = require("./history.js");
const { HistoryWriter, nowUs } = require("./history_writer.js");
const { Story } = require("./story.js");

let folder;
before(() => (folder = fs.mkdtempSync(path.join(os.tmpdir(), "heliograph-history-"))));
after(() => fs.rmSync(folder, { recursive: true }));

const file = (name) => path.join(folder, name);
const good = () => new Story().open("ann").open("bob").join("bob").say("ann", ["bob"]);
const run = (...args) => spawnSync(process.execPath, [path.join(__dirname, "history.js"), ...args], { encoding: "utf8" });

describe("files", () => {
	test("the senders' and the receivers' may be two, in any order", () => {
		const story = good();
		const receiver = new Story();
		receiver.lines = story.lines.filter(([what, , client]) => what === "r" || client === "bob");
		story.lines = story.lines.filter((line) => !receiver.lines.includes(line));
		const files = [story.write(file("ann")), receiver.write(file("bob"))];
		for (const order of [files, [...files].reverse()]) {
			const { ok, counts } = check(order);
			assert.deepEqual([ok, counts.sent, counts.got], [true, 1, 1]);
		}
	});

	test("one without its last line is incomplete", () => {
		const { ok, incomplete, violations } = check([good().write(file("cut"), { isWhole: false })]);
		assert.deepEqual([ok, incomplete, violations], [false, [file("cut")], []]);
	});

	test("one that ends in the middle of a line is, too", () => {
		fs.writeFileSync(file("half"), fs.readFileSync(good().write(file("whole")), "utf8").slice(0, -3));
		assert.deepEqual(check([file("half")]).incomplete, [file("half")]);
	});

	const bad = {
		"empty": ["", /:0: an empty file/],
		"no JSON": ["[\"h\",1,1]\nx\n", /:2: Unexpected token/],
		"no head": ["[\"o\",1,\"a\",1,1,{}]\n", /:1: the first line is no head/],
		"another version": ["[\"h\",1,2]\n", /:1: the first line is no head of version 1/],
		"no time": ["[\"h\",1,1]\n[\"o\",\"1\",\"a\",1,1,{}]\n", /:2: no line of a history/],
		"a kind nobody knows": ["[\"h\",1,1]\n[\"y\",1]\n", /:2: "y" is no kind of line/],
		"more behind the last": ["[\"h\",1,1]\n[\"z\",1]\n[\"z\",2]\n", /:3: a line behind the last/],
		"a number left out": ["[\"h\",1,1]\n[\"s\",1,\"a\",1,\"g\",2]\n", /:2: a to g: number 2 follows 0/],
		"an outcome of nothing": ["[\"h\",1,1]\n[\"c\",1,\"a\",\"g\",1,\"ok\"]\n", /:2: an outcome of a to g/],
		"two outcomes": ["[\"h\",1,1]\n[\"s\",1,\"a\",1,\"g\",1]\n[\"c\",1,\"a\",\"g\",1,\"ok\"]\n[\"c\",1,\"a\",\"g\",1,\"ok\"]\n",
			/:4: a to g: number 1 has no outcome to come/],
		"an outcome nobody knows": ["[\"h\",1,1]\n[\"s\",1,\"a\",1,\"g\",1]\n[\"c\",1,\"a\",\"g\",1,\"done\"]\n", /:3: "done" is no outcome/],
		"a join of no connection": ["[\"h\",1,1]\n[\"j\",1,\"a\",1,\"g\",1,\"ok\"]\n", /:2: no connection a\/1 was opened/],
		"a delivery to none": ["[\"h\",1,1]\n[\"r\",1,\"a\",1,\"b\",\"g\",1]\n", /:2: no connection a\/1 was opened/],
		"a line without an end": [`["h",1,1,"${"x".repeat(4 << 20)}`, /a line of more than/],
	};
	for (const [what, [text, message]] of Object.entries(bad))
		test(`${what}: refused, with file and line`, () => {
			fs.writeFileSync(file("bad"), text);
			assert.throws(() => check([file("bad")]), { message });
		});

	test("what HistoryWriter writes is read", () => {
		const writer = new HistoryWriter(file("written"), { writer: "test" });
		const calledUs = nowUs();
		writer.mark("begin");
		writer.opened("ann", 1, calledUs, { user: "ann", id: "1", kind: "stateful" });
		writer.joined("ann", 1, "g", nowUs());
		writer.watching("w", true);
		writer.presence("w", "ann", "on");
		writer.sent("ann", 1, "g", 1);
		writer.received("ann", 1, "ann", "g", 1);
		writer.completed("ann", "g", 1, "ok");
		writer.sent("ann", 1, "g", 2);
		writer.completed("ann", "g", 2, "refused", "no");
		writer.socket("ann", 1, "down");
		writer.socket("ann", 1, "up");
		writer.online(["ann"], nowUs());
		writer.left("ann", 1, "g", nowUs());
		writer.watching("w", false);
		writer.ended("ann", 1, "own");
		writer.close();
		const verdict = check([file("written")]);
		assert.deepEqual([verdict.ok, verdict.incomplete], [true, []]);
		assert.deepEqual([verdict.counts.accepted, verdict.counts.refused, verdict.counts.got], [1, 1, 1]);
		assert.deepEqual([verdict.presence.lists, verdict.presence.events, verdict.reattach.back], [1, 1, 1]);
	});
});

describe("the program", () => {
	test("exits with 0 and says that all was kept", () => {
		const { status, stdout } = run(good().write(file("good")));
		assert.equal(status, 0, stdout);
		assert.match(stdout, /\n1 deliveries, 0 owed: 0 lost, 0 doubled/);
		assert.match(stdout, /\nkept\n$/);
	});

	test("exits with 1 and names what was broken", () => {
		const { status, stdout } = run(good().say("ann", ["bob", "bob"]).write(file("broken")));
		assert.equal(status, 1);
		assert.match(stdout, /BROKEN \{"rule":"doubled","sender":"ann","target":"g","n":2/);
		assert.match(stdout, /\nBROKEN\n$/);
	});

	test("exits with 1 for an incomplete file", () => {
		const { status, stdout } = run(good().write(file("short"), { isWhole: false }));
		assert.equal(status, 1);
		assert.match(stdout, /INCOMPLETE .*short/);
	});

	test("exits with 2 for what is no history, no file, no option", () => {
		fs.writeFileSync(file("none"), "x\n");
		for (const args of [[file("none")], [file("absent")], ["--tail=1", file("none")], []])
			assert.equal(run(...args).status, 2, args.join(" "));
	});

	test("has its limits of time as options, and the verdict as JSON", () => {
		const late = good().say("ann", []).pass(2000).end("bob").write(file("late"));
		const { status, stdout } = run("--json", "--tail_ms=3000", late);
		assert.equal(status, 0);
		assert.equal(JSON.parse(stdout).counts.expected, 0);
		assert.equal(run(late).status, 1);
	});
});

describe("figures", () => {
	test("a histogram's figures are at most 1/64 above the truth", () => {
		const random = randomOf(7);
		const times = Array.from({ length: 10000 }, () => Math.floor(random() ** 4 * 1e8));
		const histogram = new Histogram();
		for (const us of times)
			histogram.add(us);
		times.sort((a, b) => a - b);
		for (const share of [0.001, 0.1, 0.5, 0.9, 0.99, 0.999, 1]) {
			const truth = times[Math.ceil(times.length * share) - 1];
			assert.ok(histogram.at(share) >= truth && histogram.at(share) <= truth * 65 / 64 + 1, `${share}: ${truth}`);
		}
		assert.equal(new Histogram().at(0.5), 0);
	});

	test("every power of two, and its neighbours, is in a bucket of its own size", () => {
		for (let power = 0; power < 45; power++)
			for (const us of [2 ** power - 1, 2 ** power, 2 ** power + 1]) {
				const histogram = new Histogram();
				histogram.add(us);
				histogram.add(2 ** 46);
				assert.ok(histogram.at(0.5) >= us && histogram.at(0.5) <= us * 65 / 64 + 1, `${us}: ${histogram.at(0.5)}`);
			}
	});

	test("ranges are a set", () => {
		const random = randomOf(11);
		for (let round = 0; round < 50; round++) {
			const ranges = new Ranges();
			const set = new Set();
			for (let i = 0; i < 200; i++) {
				const n = Math.floor(random() * 150);
				assert.equal(ranges.add(n), !set.has(n));
				set.add(n);
			}
			const sorted = [...set].sort((a, b) => a - b);
			assert.equal(ranges.size, sorted.filter((n) => !set.has(n + 1)).length);
			for (let n = 0; n < 160; n++) {
				assert.equal(ranges.has(n), set.has(n), `${n}`);
				if (!set.has(n))
					assert.deepEqual(ranges.around(n), { before: sorted.filter((m) => m < n).pop() ?? null,
						after: sorted.find((m) => m > n) ?? null });
			}
		}
	});
});
