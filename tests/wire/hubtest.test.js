// SPDX-License-Identifier: Apache-2.0
// heliograph-hubtest as the authors of hubs use it: what it prints, and how it ends.
"use strict";

const { describe, test, before, after } = require("node:test");
const assert = require("node:assert/strict");
const { spawnSync } = require("node:child_process");
const fs = require("node:fs");
const os = require("node:os");
const path = require("node:path");
const { ROOT, buildFolder } = require("../kit/program.js");

describe("heliograph-hubtest", () => {
	let folder;
	before(() => { folder = fs.mkdtempSync(path.join(os.tmpdir(), "heliograph-test-")); });
	after(() => fs.rmSync(folder, { recursive: true }));

	const file = (name) => path.join(folder, name);

	function write(name, ...lines) {
		fs.writeFileSync(file(name), lines.map((line) => `${line}\n`).join(""));
		return name;
	}

	function run(...args) {
		const { status, stdout, stderr } = spawnSync(path.join(buildFolder(), "heliograph-hubtest"),
			[`--hub_module=${path.join(buildFolder(), "testhub.so")}`, ...args], { cwd: folder, encoding: "utf8" });
		return { status, stdout, stderr };
	}

	const GOOD = ["connect c1", 'c1 invoke Echo "tea"', '  c1 Echo returned "tea"'];

	test("every command does what the manual says", () => {
		const scenario = path.join(ROOT, "tests/wire/data/hubtest.txt");
		assert.deepEqual(run(scenario),
			{ status: 0, stdout: `${scenario}: ${commands(scenario)} steps as expected\n`, stderr: "" });
	});

	function commands(scenario) {
		return fs.readFileSync(scenario, "utf8").split("\n").filter((line) => /^[^#\s]/.test(line)).length;
	}

	test("a difference is shown where it is, and the others run all the same", () => {
		write("a.txt", "connect c1", "# more", "c1 stream Stream", '  c1 Stream item "a"', '  c1 Stream item "x"',
			"  c1 Stream item <*>", "  c1 Stream ended", 'c1 invoke Echo "tea"');
		write("b.txt", ...GOOD);
		assert.deepEqual(run("a.txt", "b.txt"), {
			status: 1,
			stdout: [
				"a.txt:3: c1 stream Stream",
				'    c1 Stream item "a"',
				'  - c1 Stream item "x"',
				'  + c1 Stream item "b"',
				'    c1 Stream item "c"',
				"    c1 Stream ended",
				'a.txt:8: c1 invoke Echo "tea"',
				'  + c1 Echo returned "tea"',
				"a.txt: 2 of 3 steps NOT as expected",
				"b.txt: 2 steps as expected",
				"",
			].join("\n"),
			stderr: "",
		});
	});

	test("--update writes what is seen, and leaves the rest as it was", () => {
		write("a.txt", "# A tour.", "", "connect c1", "c1 stream Stream", "\tc1 Stream item <*>", "  c1 Stream nonsense",
			"  c1 Stream item <*>", "  c1 Stream ended", "# the end", 'c1 invoke Echo "tea"');
		assert.match(run("--update", "a.txt").stdout, /\na\.txt: 2 of 3 steps written anew\n$/);
		assert.equal(fs.readFileSync(file("a.txt"), "utf8"), [
			"# A tour.", "", "connect c1", "c1 stream Stream", "  c1 Stream item <*>", '  c1 Stream item "b"',
			"  c1 Stream item <*>", "  c1 Stream ended", "# the end", 'c1 invoke Echo "tea"',
			'  c1 Echo returned "tea"', "",
		].join("\n"));
		assert.equal(run("a.txt").stdout, "a.txt: 3 steps as expected\n");
	});

	test("--verbose shows every step", () => {
		write("a.txt", ...GOOD);
		assert.equal(run("--verbose", "a.txt").stdout, [
			"a.txt:1: connect c1", 'a.txt:2: c1 invoke Echo "tea"', '    c1 Echo returned "tea"',
			"a.txt: 2 steps as expected", "",
		].join("\n"));
	});

	for (const [what, lines, said] of [
		["a command that there is not", ["dance"],
			"  dance is nobody connected, nor one of: connect, disconnect, online, offline, wait, hub, redis"],
		["somebody who is gone", ["connect c1", "disconnect c1", 'c1 invoke Echo "x"'], /^ {2}c1 is nobody connected/],
		["a verb that there is not", ["connect c1", "c1 dances"], /^ {2}players may: invoke, send/],
		["an argument that is no JSON", ["connect c1", "c1 invoke Echo tea"], "  an argument that is no JSON: tea"],
		["an open bracket", ["connect c1", "c1 invoke Echo [1"], "  a quote or bracket is not closed, or too many words"],
		["a name that is taken", ["connect c1", "connect c1"], "  a name that nobody connected has is wanted"],
		["a word that connect does not know", ["connect c1 age=5"], /^ {2}age=5 is none of user=, name=/],
		["an answer to nothing", ["connect c1", "c1 answer 1"], "  nothing was asked"],
		["a stream that there is not", ["connect c1", "c1 item ~n 1"], "  a stream under way, ~name, and a value are wanted"],
		["no time", ["wait soon"], /^ {2}/],
		["a hub that is not served", ["hub poll"], "  the name of a hub that is served is wanted"],
		["an expectation of nothing", ["  c1 got X"], /nothing was done yet/],
	]) {
		test(`${what} ends the scenario`, () => {
			write("a.txt", ...lines, "connect c9");
			const { status, stdout } = run("a.txt");
			const out = stdout.trimEnd().split("\n");
			assert.equal(status, 1);
			assert.equal(out.at(-1), "a.txt: stopped");
			assert.match(out.at(0), new RegExp(`^a\\.txt:${lines.length}: `));
			if (typeof said === "string")
				assert.equal(out.at(-2), said);
			else
				assert.match(out.at(-2), said);
		});
	}

	test("a hub that does not come to rest is stopped", () => {
		write("a.txt", "connect c1", "c1 stream Flood");
		const { status, stdout } = run("a.txt");
		assert.equal(status, 1);
		assert.match(stdout, /^a\.txt:2: c1 stream Flood\n {2}the hub does not come to rest/);
	});

	describe("a method that takes the program with it", () => {
		const WILD = `
#include <stdlib.h>
#include "router/hub.h"

static enum hub_rc stay(struct hub_call *call)
{
	(void)call;
	for (volatile int i = 0;; i = !i)
		continue;
}

static enum hub_rc fall(struct hub_call *call)
{
	(void)call;
	abort();
}

static enum hub_rc go_on(struct hub_call *call)
{
	(void)call;
	return HUB_OK;
}

static const struct hub_method methods[] = {
	{ .name = "Stay", .fn = stay, .arguments = "" },
	{ .name = "Fall", .fn = fall, .arguments = "" },
	{ .name = "GoOn", .fn = go_on, .arguments = "" },
};

static const struct hub_module wild = {
	.api_version = HUB_API_VERSION, .name = "wild", .methods = methods, .methods_n = 3,
};

HUB_EXPORT(&wild);
`;

		before(() => {
			fs.writeFileSync(file("wild.c"), WILD);
			const { status, stderr } = spawnSync(process.env.CC || "gcc", ["-std=gnu11", "-shared", "-fPIC", `-I${ROOT}`,
				"-o", file("wild.so"), file("wild.c")], { encoding: "utf8" });
			assert.equal(status, 0, stderr);
		});

		function runWild(method, ...args) {
			write("a.txt", "connect c1", "c1 invoke GoOn", "  c1 GoOn returned null", `c1 invoke ${method}`);
			return spawnSync(path.join(buildFolder(), "heliograph-hubtest"),
				["--hub_module=./wild.so", ...args, "a.txt"], { cwd: folder, encoding: "utf8" });
		}

		const BEFORE = "a.txt:1: connect c1\na.txt:2: c1 invoke GoOn\n    c1 GoOn returned null\n";

		test("is named with its line when it does not come back", () => {
			const late = "a.txt:4: c1 invoke Stay\n  a method has gone on for 1 s and does not come back\na.txt: stopped\n";
			const plain = runWild("Stay", "--patience=1");
			assert.deepEqual([plain.status, plain.stdout], [1, late]);
			const verbose = runWild("Stay", "--patience=1", "--verbose");
			assert.deepEqual([verbose.status, verbose.stdout], [1, BEFORE + late]);
		});

		test("is named with its line when it crashes", () => {
			const plain = runWild("Fall");
			assert.notEqual(plain.status, 0);
			assert.equal(plain.stdout, "a.txt:4: c1 invoke Fall\n");
			assert.match(plain.stderr, /event=hub\.crashed node=hubtest hub=wild method="Fall"/);
			assert.equal(runWild("Fall", "--verbose").stdout, `${BEFORE}a.txt:4: c1 invoke Fall\n`);
		});

		test("has up to an hour, or no limit", () => {
			for (const patience of ["0", "3600"])
				assert.equal(runWild("GoOn", `--patience=${patience}`).status, 1, "GoOn returns what is not expected");
			for (const patience of ["3601", "", "soon"])
				assert.equal(runWild("GoOn", `--patience=${patience}`).stderr,
					"heliograph-hubtest: --patience: accepted are 0..3600 seconds\n");
		});
	});

	test("a step may have 1,000 lines, and no more", () => {
		const items = Array.from({ length: 999 }, (_, i) => `  c1 Count item ${i}`);
		write("a.txt", "connect c1", "c1 stream Count 999", ...items, "  c1 Count ended");
		assert.equal(run("a.txt").stdout, "a.txt: 2 steps as expected\n");
		write("a.txt", "connect c1", "c1 stream Count 1000");
		assert.match(run("a.txt").stdout, /does not come to rest.*1000 lines/);
	});

	test("64 clients may come, and no more", () => {
		const come = Array.from({ length: 64 }, (_, i) => `connect c${i}`);
		write("a.txt", ...come);
		assert.equal(run("a.txt").stdout, "a.txt: 64 steps as expected\n");
		write("a.txt", ...come, "reset", "connect again");
		assert.equal(run("a.txt").stdout, "a.txt: 66 steps as expected\n");
		write("a.txt", ...come, "connect another");
		assert.match(run("a.txt").stdout, /^a\.txt:65: connect another\n {2}more than 64 have come\n/);
	});

	test("a file of more than 1 MiB is not read", () => {
		fs.writeFileSync(file("a.txt"), "connect c1\n".padEnd(1 << 20, "#\n"));
		assert.equal(run("a.txt").stdout, "a.txt: 1 step as expected\n");
		fs.appendFileSync(file("a.txt"), "#");
		assert.deepEqual(run("a.txt"), {
			status: 1, stdout: "a.txt: it cannot be read, or is larger than 1048576 bytes\n", stderr: "",
		});
	});

	test("it ends with 1 when it cannot begin", () => {
		write("a.txt", ...GOOD);
		for (const [args, said] of [
			[[], "heliograph-hubtest: no scenario is named\n"],
			[["--hubs=nowhere", "a.txt"], /nowhere/],
			[["--no_such_option=1", "a.txt"], /no_such_option/],
		]) {
			const { status, stderr } = run(...args);
			assert.equal(status, 1);
			if (typeof said === "string")
				assert.equal(stderr, said);
			else
				assert.match(stderr, said);
		}
		assert.deepEqual(run("absent.txt"), { status: 1, stdout: "absent.txt: No such file or directory\n", stderr: "" });
	});
});
