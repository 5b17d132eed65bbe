// SPDX-License-Identifier: Apache-2.0
// Writes what compat.test.js saw as tables: node table.js docs/COMPATIBILITY.md replaces what
// stands between the two marks there.
"use strict";

const fs = require("node:fs");
const path = require("node:path");

const BUILD = path.resolve(process.env.HELIOGRAPH_BUILD ?? "build/release");
const [BEGIN, END] = ["<!-- from the test run -->\n", "<!-- end -->\n"];
const COLUMNS = [["WebSockets", "json", "WS json"], ["WebSockets", "messagepack", "WS msgpack"],
	["ServerSentEvents", "json", "SSE json"], ["LongPolling", "json", "LP json"], ["LongPolling", "messagepack", "LP msgpack"]];
const MARKS = { works: "yes", fails: "**no**", "-": "" };

const title = (folder) => folder.replace(/^(\w+)-/, (_, scope) => `@${scope}/signalr `);
const byVersion = (a, b) => parseFloat(b.split("-")[1]) - parseFloat(a.split("-")[1]);

function table(rows) {
	const features = [...new Set(rows.map(({ feature }) => feature))];
	const cell = (feature, transport, protocol) =>
		MARKS[rows.find((row) => row.feature === feature && row.transport === transport && row.protocol === protocol).result];
	return [`| feature | ${COLUMNS.map(([, , name]) => name).join(" | ")} |`, `| --- |${" --- |".repeat(COLUMNS.length)}`,
		...features.map((feature) => `| ${feature} | ${COLUMNS.map(([t, p]) => cell(feature, t, p)).join(" | ")} |`)].join("\n");
}

const results = JSON.parse(fs.readFileSync(path.join(BUILD, "compat.json"), "utf8"));
const file = process.argv[2];
const text = fs.readFileSync(file, "utf8");
const [from, to] = [text.indexOf(BEGIN), text.indexOf(END)];
if (from < 0 || to < from)
	throw new Error(`${file} has no place for the tables`);
const tables = Object.keys(results).sort(byVersion).map((folder) => `### ${title(folder)}\n\n${table(results[folder])}\n`);
fs.writeFileSync(file, `${text.slice(0, from + BEGIN.length)}\n${tables.join("\n")}\n${text.slice(to)}`);
