// SPDX-License-Identifier: Apache-2.0
// The options that a container starts one of our programs with: file, environment and
// command line, put together as the program does.
"use strict";

const { spawnSync } = require("node:child_process");
const fs = require("node:fs");
const os = require("node:os");
const path = require("node:path");
const { buildFolder } = require("../../kit/program.js");
const { environment, keysOf, mounted } = require("./mounts.js");

const PREFIX = "HELIOGRAPH_";

function programOf(container) {
	const found = /^\/usr\/sbin\/(heliograph-[a-z]+)$/.exec((container.command || [])[0] || "");
	return found ? found[1] : undefined;
}

function parseFile(text) {
	return Object.fromEntries(text.split("\n").map((line) => line.trim()).filter((line) => line && !line.startsWith("#"))
		.map((line) => /^([^=\s]+)\s*=\s*(.*)$/.exec(line).slice(1)));
}

function argumentsOf(container) {
	return Object.fromEntries((container.args || []).map((arg) => /^--([^=]+)=(.*)$/.exec(arg).slice(1)));
}

// {values, text, env, args}, or undefined when it runs something else.
function options(docs, workload, container) {
	if (!programOf(container))
		return undefined;
	const { conf, ...args } = argumentsOf(container);
	const file = mounted(docs, workload, container).get(conf);
	const text = conf === undefined ? "" : file ? keysOf(docs, file.kind, file.name)[file.key] : undefined;
	const env = environment(docs, container, { "metadata.name": `${workload.metadata.name}-0` });
	const own = Object.fromEntries(Object.entries(env).filter(([name]) => name.startsWith(PREFIX))
		.map(([name, value]) => [name.slice(PREFIX.length).toLowerCase(), value]));
	return { values: { ...parseFile(text || ""), ...own, ...args }, text, env: own, args };
}

// Every option that the program has, from the file of defaults that it prints.
const known = new Map();
function knownOptions(program) {
	if (!known.has(program)) {
		const run = spawnSync(path.join(buildFolder(), program), ["--print-conf"], { encoding: "utf8" });
		if (run.status !== 0)
			throw new Error(`${program} --print-conf: ${run.error || run.stderr}`);
		known.set(program, new Map([...run.stdout.matchAll(/^([a-z_]+) = ?(.*)$/gm)].map(([, name, value]) => [name, value])));
	}
	return known.get(program);
}

// Does the program itself take them? It checks and exits.
function optionProblems(docs, workload, container) {
	const own = options(docs, workload, container);
	const program = programOf(container);
	if (own.text === undefined)
		return [`${workload.metadata.name}: the file of --conf is not mounted`];
	// A name in the environment that no option has is somebody else's to the program.
	const strangers = Object.keys(own.env).filter((name) => !knownOptions(program).has(name))
		.map((name) => `${workload.metadata.name}: ${program} has no option ${name}`);
	const folder = fs.mkdtempSync(path.join(os.tmpdir(), "heliograph-conf-"));
	try {
		fs.writeFileSync(path.join(folder, "conf"), own.text);
		const env = Object.fromEntries(Object.entries(own.env).map(([name, value]) => [PREFIX + name.toUpperCase(), value]));
		const args = Object.entries(own.args).map(([name, value]) => `--${name}=${value}`);
		const run = spawnSync(path.join(buildFolder(), program), ["-n", `--conf=${path.join(folder, "conf")}`, ...args],
			{ encoding: "utf8", env });
		return run.status === 0 ? strangers : [...strangers, `${workload.metadata.name}: ${run.error || run.stderr.trim()}`];
	} finally {
		fs.rmSync(folder, { recursive: true, force: true });
	}
}

// Milliseconds of "250ms", "15s", "2m", "1h" or a bare number.
function milliseconds(text) {
	const [, number, unit] = /^(\d+)(ms|s|m|h|d)?$/.exec(text);
	return Number(number) * { ms: 1, s: 1000, m: 60000, h: 3600000, d: 86400000 }[unit || "ms"];
}

// An option's value in effect: as given, or the default.
function effective(docs, workload, container, name) {
	const { values } = options(docs, workload, container);
	return values[name] ?? knownOptions(programOf(container)).get(name);
}

module.exports = { effective, knownOptions, milliseconds, optionProblems, options, programOf };
