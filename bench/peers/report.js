// SPDX-License-Identifier: Apache-2.0
// The result as Markdown: what a person reads, and what docs/PERFORMANCE.md quotes.
"use strict";

const { ratioOf } = require("./figures.js");
const { GATEWAY } = require("./workloads.js");

function digits(value) {
	if (value >= 1000)
		return Math.round(value).toLocaleString("en");
	return value >= 100 ? value.toFixed(0) : value >= 10 ? value.toFixed(1) : value.toFixed(2);
}

function cell(figure) {
	return figure ? `${digits(figure.median)} (${digits(figure.min)}..${digits(figure.max)})` : "–";
}

function table(head, rows) {
	return [head, head.map((_, i) => (i ? "--:" : "---")), ...rows].map((row) => `| ${row.join(" | ")} |`).join("\n");
}

function workloadTable({ title, rows, isBatch }) {
	const floor = isBatch ? "floor-batched" : "floor";
	const head = ["server", "CPU µs a delivery", isBatch ? "÷ batched floor" : "÷ floor", "÷ our gateway", "deliveries/s",
		"p50 ms", "p99 ms"];
	const lines = rows.map((row) => [row.title, cell(row.figures.cpu_us), cell(ratioOf(rows, row.name, floor)),
		cell(ratioOf(rows, row.name, GATEWAY)), digits(row.figures.deliveries_per_s.median),
		cell(row.figures.p50_ms), cell(row.figures.p99_ms)]);
	return `### ${title}\n\n${table(head, lines)}\n`;
}

function idleTable(rows) {
	const head = ["server", "RSS before, MiB", "bytes an idle connection", "connects/s", "CPU µs a connect"];
	const lines = rows.map((row) => [row.title, digits(row.figures.base_bytes.median / (1 << 20)),
		cell(row.figures.connection_bytes), cell(row.figures.connects_per_s), cell(row.figures.connect_cpu_us)]);
	return `### Idle connections\n\n${table(head, lines)}\n`;
}

function nameOf({ workload, figure, of, over, under }) {
	return `${workload}: ${figure ? `${figure} of ${of}` : `CPU of ${over} ÷ ${under}`}`;
}

function targetTable(targets) {
	const head = ["target", "wanted", "found", ""];
	const lines = targets.map((target) => [nameOf(target),
		target.max === undefined ? `≥ ${target.min}` : `≤ ${target.max}`, cell(target.found),
		target.isMet ? "met" : "**missed**"]);
	return `### Targets\n\n${table(head, lines)}\n`;
}

function markdown(result) {
	const { machine, about } = result;
	return [
		`# Peers, ${about.date}\n`,
		`\`${about.command}\` at ${about.commit}; ${about.rounds} rounds, medians (lowest..highest); ratios are medians of`,
		"those within a round. Made by `make bench-peers`; docs/PERFORMANCE.md says how.\n",
		`Machine: ${machine.cpu}, ${machine.cores} cores, ${machine.memory_gib} GiB, Linux ${machine.kernel}; load average`,
		`before the first run ${machine.load}.${machine.load > 0.5 ? " **Other work was running.**" : ""}`,
		`Versions: ${Object.entries(about.versions).map(([name, version]) => `${name} ${version}`).join(", ")}.`,
		...result.absent.map(({ name, why }) => `Absent: ${name}: ${why}.`),
		"",
		...result.workloads.filter(({ rows }) => rows.length).map(workloadTable),
		...(result.idle.length ? [idleTable(result.idle)] : []),
		...(result.targets.length ? [targetTable(result.targets)] : []),
		...(result.failures.length ? [`### Failed runs\n\n${result.failures.map((text) => `- ${text}`).join("\n")}\n`] : []),
	].join("\n");
}

module.exports = { cell, digits, markdown, nameOf };
