// SPDX-License-Identifier: Apache-2.0
// The lab: a whole cluster in network namespaces of its own, traffic on it that writes down
// what it sent and heard, faults, and the judgement of the history.
//
//	node tests/lab/lab.js [--short]
//
//	ROW=7,8     these rows only; a row is a file of rows/
//	SEED=…      of everything that is chosen by chance; it is printed, and repeats the schedule
//	SCALE=1     of the load: 1 is 300 clients and 1,000 deliveries a second
//	LONG=1      faults for as long as the table of docs/RELIABILITY.md says
//	OUT=FILE    FILE.json and FILE.md are the result; build/lab/faults if not given
//	LOG=DIR     where histories and logs are, which stay there; without it only those of a run that broke something
//
// Each row has a world of its own (world.js), and a time limit that only what hangs can miss. Exit
// status 1: a promise was broken (something accepted was lost, came twice or out of order, a ghost, a
// crash), or a row did not come to its end. Figures that were missed are told, and are no failure: they
// hang on the machine. --short runs the rows that CI is gated by, all at once, so that no figure of
// theirs is worth much; where no namespaces can be made it says so, and skips them.
"use strict";

const fs = require("node:fs");
const os = require("node:os");
const path = require("node:path");
const { buildFolder } = require("../kit/program.js");
const report = require("./report.js");
const { ROWS, SHORT } = require("./rows.js");
const { play } = require("./stage.js");
const world = require("./world.js");

const ROW_SECONDS_MAX = 600;
const ROW_SECONDS_MAX_LONG = 1500;

function number(name, fallback, min, max) {
	const text = process.env[name] || String(fallback);
	const value = Number(text);
	if (!/^[0-9.]+$/.test(text) || !(value >= min && value <= max))
		throw new Error(`${name}=${text}: a number from ${min} to ${max} is needed`);
	return value;
}

function settings() {
	const isShort = process.argv.includes("--short");
	const wanted = (process.env.ROW || "").split(",").filter(Boolean).map(Number);
	const unknown = wanted.filter((row) => !ROWS.has(row));
	if (unknown.length)
		throw new Error(`ROW=${process.env.ROW}: there are ${[...ROWS.keys()].join(", ")}`);
	return {
		isShort,
		rows: wanted.length ? wanted : isShort ? SHORT : [...ROWS.keys()],
		seed: number("SEED", Math.floor(Math.random() * 1e9), 0, Number.MAX_SAFE_INTEGER),
		scale: number("SCALE", isShort ? 0.3 : 1, 0.05, 100),
		isLong: process.env.LONG === "1",
		log: process.env.LOG ? path.resolve(process.env.LOG) : "",
		out: path.resolve(process.env.OUT || path.join(buildFolder(), "../lab/faults")),
	};
}

// One row in its world; what it left in its file is its result.
async function runRow(row, options, folder) {
	const file = path.join(folder, `row${row}.json`);
	const seconds = options.isLong ? ROW_SECONDS_MAX_LONG : ROW_SECONDS_MAX;
	const status = await world.enter({ TMPDIR: folder, HELIOGRAPH_LAB: JSON.stringify({ ...options, row, folder, file }) }, seconds * 1000);
	if (fs.existsSync(file))
		return JSON.parse(fs.readFileSync(file, "utf8"));
	const { title, goal } = ROWS.get(row);
	return { row, title, goal, seed: options.seed, checks: [], error: `its world ended with ${status}` };
}

// Those of --short at once: they wait most of the time.
async function runRows(options, folder) {
	const results = [];
	const run = async (row) => {
		const result = await runRow(row, options, folder);
		console.log(report.words(result));
		return result;
	};
	if (options.isShort)
		return Promise.all(options.rows.map(run));
	for (const row of options.rows)
		results.push(await run(row));
	return results;
}

async function main() {
	const options = settings();
	const why = world.missing();
	if (why) {
		console.log(`lab: SKIPPED, nothing was tested: ${why}`);
		console.log(`0 passed, 0 failed, ${options.rows.length} skipped`);
		process.exitCode = options.isShort ? 0 : 1;
		return;
	}
	const folder = options.log || fs.mkdtempSync(path.join(os.tmpdir(), "heliograph-lab-"));
	fs.mkdirSync(folder, { recursive: true });
	let isKept = Boolean(options.log);
	// Also when a signal ends the run.
	process.on("exit", () => isKept || fs.rmSync(folder, { recursive: true, force: true }));
	console.log(`lab: SEED=${options.seed} SCALE=${options.scale}${options.isLong ? " LONG=1" : ""}, rows ${options.rows.join(", ")}`);
	const results = await runRows(options, folder);
	const failed = results.filter(report.isBroken);
	report.write(options.out, results, options);
	console.log(`lab: ${options.out}.md and .json`);
	if (failed.length)
		console.log(`lab: histories and logs are in ${folder}\nnext: make lab ROW=${failed[0].row} SEED=${options.seed}`);
	isKept ||= failed.length > 0;
	console.log(`${results.length - failed.length} passed, ${failed.length} failed`);
	process.exitCode = failed.length ? 1 : 0;
}

if (world.isInside())
	play(JSON.parse(process.env.HELIOGRAPH_LAB));
else
	main().catch((error) => {
		console.error(`lab: ${error.message}`);
		process.exitCode = 1;
	});
