#!/usr/bin/env node
// SPDX-License-Identifier: Apache-2.0
// Tries the WebSocket layer of a SignalR server, any server:
//
//	node tests/conformance/ws/run.js ADDRESS PATH [--filter=6.*,7.1.1] [--json=FILE] [--jobs=N]
//
// ADDRESS is host:port, PATH that of a hub, with `?access_token=...` if it takes one. Prints
// a line for each case and a table; the exit status is 1 if any case failed. The numbers
// are those of the Autobahn|Testsuite's fuzzing client; H are our own.
"use strict";

const fs = require("node:fs");
const { parseArgs } = require("node:util");
const { cases, matching, sectionOf, SECTIONS } = require("./cases/index.js");
const { runCases, VERDICT, DEFAULTS } = require("./runner.js");

const VERDICTS = Object.values(VERDICT);
const USAGE = "usage: node tests/conformance/ws/run.js ADDRESS PATH [--filter=IDS] [--json=FILE] [--jobs=N]";

function resultLine({ id, title, verdict, why, ms }) {
	const note = why ? ` (${why})` : "";
	return `${verdict.padEnd(13)} ${id.padEnd(8)} ${title}${note}, ${ms} ms`;
}

// section -> verdict -> how many
function countBySection(results) {
	const counts = new Map();
	for (const { id, verdict } of results) {
		const section = sectionOf(id);
		const row = counts.get(section) ?? Object.fromEntries(VERDICTS.map((each) => [each, 0]));
		row[verdict]++;
		counts.set(section, row);
	}
	return counts;
}

function table(results) {
	const row = (name, cells) => [name.padEnd(28), ...cells.map((cell) => String(cell).padStart(14))].join("");
	const lines = [row("section", VERDICTS)];
	for (const [section, counts] of countBySection(results))
		lines.push(row(`${section} ${SECTIONS[section]}`, VERDICTS.map((verdict) => counts[verdict])));
	lines.push(row("all", VERDICTS.map((verdict) => results.filter((result) => result.verdict === verdict).length)));
	return lines.join("\n");
}

function readArguments() {
	const { positionals, values } = parseArgs({
		allowPositionals: true,
		options: { filter: { type: "string" }, json: { type: "string" }, jobs: { type: "string" } },
	});
	const [address, path, ...more] = positionals;
	const jobs = Number(values.jobs ?? DEFAULTS.jobs);
	if (!/^.+:\d+$/.test(address ?? "") || !path?.startsWith("/") || more.length > 0 || !(jobs >= 1))
		throw new Error(USAGE);
	return { address, path, jobs, filter: values.filter, json: values.json };
}

async function main() {
	const { address, path, jobs, filter, json } = readArguments();
	const chosen = filter ? matching(filter) : cases;
	if (chosen.length === 0)
		throw new Error(`no case matches ${filter}`);
	const results = await runCases(chosen, {
		address, path, jobs, onResult: (result) => console.log(resultLine(result)),
	});
	console.log(`\n${table(results)}`);
	if (json)
		fs.writeFileSync(json, `${JSON.stringify({ address, path: path.split("?")[0], results }, null, 1)}\n`);
	process.exitCode = results.some(({ verdict }) => verdict === VERDICT.FAILED) ? 1 : 0;
}

if (require.main === module)
	main().catch((error) => {
		console.error(error.message);
		process.exitCode = 2;
	});

module.exports = { resultLine, table };
