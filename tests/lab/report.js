// SPDX-License-Identifier: Apache-2.0
// Results of the lab's rows as words, JSON and a table.
"use strict";

const fs = require("node:fs");
const os = require("node:os");
const path = require("node:path");

const isBroken = (result) => Boolean(result.error) || result.checks.some((check) => check.isGate && !check.isMet);

function verdictOf(check) {
	return check.isMet ? "met" : check.isGate ? "BROKEN" : "missed";
}

function stateOf(result) {
	if (result.error)
		return "not finished";
	if (isBroken(result))
		return "BROKEN";
	return result.checks.every((check) => check.isMet) ? "met" : "kept, figures missed";
}

function valueOf({ value, unit }) {
	const text = typeof value === "number" ? String(Math.round(value * 10) / 10) : value;
	return unit && text !== "never" ? `${text} ${unit}` : text;
}

function words(result) {
	const lines = result.checks.map((check) =>
		`  ${verdictOf(check).padEnd(7)}${check.what}: ${valueOf(check)} (${check.goal})`);
	for (const text of result.error ? [result.error] : [...result.crashes, ...result.violations.map((each) => JSON.stringify(each))])
		lines.push(`  | ${text.split("\n").join("\n  | ")}`);
	return [`row ${result.row}: ${stateOf(result)}, seed ${result.seed}, ${result.seconds ?? "?"} s`, ...lines].join("\n");
}

// One row of the table: what is to be reached, and what was.
function line(result) {
	const measured = result.error ? `not finished: ${result.error.split("\n")[0]}`
		: result.checks.map((check) => `${check.what} ${valueOf(check)}${check.isMet ? "" : ` (**${verdictOf(check)}**, ${check.goal})`}`)
			.join("; ");
	const cells = [result.row, result.title, result.goal, measured, stateOf(result), result.seed];
	return `| ${cells.map((cell) => String(cell).replaceAll("|", "\\|")).join(" | ")} |`;
}

function markdown(about, results) {
	return [`# Faults: ${about.date}`, "",
		`Scale ${about.scale}${about.isLong ? ", long" : ""}, on ${about.cpus} × ${about.cpu}, load of the machine ${about.load} at the end.`, "",
		"| # | fault | outcome to reach | measured | verdict | seed |", "| --- | --- | --- | --- | --- | --- |",
		...results.map(line), ""].join("\n");
}

function write(base, results, { scale, isLong, seed }) {
	const about = { date: new Date().toISOString().slice(0, 10), seed, scale, isLong, cpus: os.cpus().length,
		cpu: os.cpus()[0]?.model.trim(), load: os.loadavg().map((value) => value.toFixed(1)).join(" ") };
	fs.mkdirSync(path.dirname(base), { recursive: true });
	fs.writeFileSync(`${base}.json`, `${JSON.stringify({ about, results }, null, "\t")}\n`);
	fs.writeFileSync(`${base}.md`, markdown(about, results));
}

module.exports = { isBroken, words, write };
