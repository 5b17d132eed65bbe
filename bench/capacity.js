#!/usr/bin/env node
// SPDX-License-Identifier: Apache-2.0
// What a cluster needs for so many connections and messages: `make capacity`, some ten minutes.
// Each row is a cluster of its own (bench/cluster.sh: a gateway worker, 2 routers, presence, without
// Redis) under one run of heliograph-bench. CPU is the processes' own clocks, so that a busy machine
// disturbs it little; memory is what they grew by. Writes bench/results/capacity-<date>.{json,md}:
//
//	bench/capacity.js [ROW...]      ROWS of it only; nothing is written then
//	IDLE_SECONDS=60 RUN_SECONDS=20  how long connections are held, how long messages are counted
"use strict";

const { spawnSync } = require("node:child_process");
const fs = require("node:fs");
const os = require("node:os");
const path = require("node:path");

const ROOT = path.resolve(__dirname, "..");
const BUILD = path.resolve(ROOT, process.env.HELIOGRAPH_BUILD || "build/release");
const IDLE_SECONDS = Number(process.env.IDLE_SECONDS || 60);
const RUN_SECONDS = Number(process.env.RUN_SECONDS || 20);
const RUN_MS_MAX = 300000;
const PARTS = ["gateway", "router", "presence"];
const DESCRIPTORS_NEEDED = 20000;

// Held so long, each is pinged IDLE_SECONDS / 15 times from either side, as official clients are.
const idle = (transport, connections, more = []) => ({ kind: "idle", args: ["--scenario=idle", `--transport=${transport}`,
	`--connections=${connections}`, `--hold=${IDLE_SECONDS}s`, "--keep_alive=15s", ...more] });
const said = (scenario, connections, rate, more = []) => ({ kind: "said", args: [`--scenario=${scenario}`,
	`--connections=${connections}`, `--rate=${rate}`, `--duration=${RUN_SECONDS}s`, ...more] });

// SSE and long polling need a second socket now and then: half as many in 20,000 descriptors.
const ROWS = {
	"idle, WebSockets": idle("websockets", 10000),
	"idle, WebSockets, users with tokens": idle("websockets", 10000, ["--users=10000", "TOKENS"]),
	"idle, Server-Sent Events": idle("sse", 5000),
	"idle, long polling": idle("longpolling", 5000),
	"echo, JSON": said("echo", 1000, 2000),
	"echo, MessagePack": said("echo", 1000, 2000, ["--protocol=messagepack"]),
	"fan-out to all, 1,000 connections": said("broadcast", 1000, 20),
	"fan-out to groups of 10": said("send-to-group", 1000, 1000, ["--groups=100"]),
	"echo, long polling": said("echo", 200, 200, ["--transport=longpolling"]),
};

function measure(name) {
	const out = path.join(fs.mkdtempSync(path.join(os.tmpdir(), "heliograph-capacity-")), "result.json");
	const words = ROWS[name].args.filter((word) => word !== "TOKENS").map((word) => `'${word}'`).join(" ");
	const tokens = ROWS[name].args.includes("TOKENS") ? '--token_key="$(<"$AUTH_KEY_FILE")"' : "";
	const command = `exec '${BUILD}/heliograph-bench' --url="$URL" --progress=off --json='${out}' ${words} ${tokens} \
		--server_pids="gateway:$GATEWAY_PIDS;router:$ROUTER_PIDS;presence:$PRESENCE_PIDS"`;
	const { status, stdout, stderr } = spawnSync(path.join(__dirname, "cluster.sh"), ["bash", "-c", command],
		{ encoding: "utf8", timeout: RUN_MS_MAX, env: { ...process.env, HELIOGRAPH_BUILD: BUILD, ROUTERS: "2" } });
	if (status !== 0)
		throw new Error(`${name}: ended with ${status}\n${stdout}${stderr}`);
	const result = JSON.parse(fs.readFileSync(out, "utf8"));
	fs.rmSync(path.dirname(out), { recursive: true });
	return result;
}

// Per 10,000 connections, or per 1,000 messages a second (deliveries, or answers).
function row(name, { figures, about }) {
	const { kind } = ROWS[name];
	const rate = Math.max(figures.delivery_rate, figures.answer_rate);
	const units = kind === "idle" ? figures.open / 10000 : rate / 1000;
	const parts = Object.fromEntries(PARTS.map((part) => [part, {
		cores: figures[`${part}_cpu_cores`] / units,
		megabytes: (figures[`${part}_rss_bytes`] - figures[`${part}_rss_before_bytes`]) / units / 1e6,
	}]));
	return { name, kind, connections: figures.open, rate, parts, command: about.command };
}

const number = (value, digits) => (value < 0.5 * 10 ** -digits ? "0" : value.toFixed(digits));

function table(rows, kind) {
	const lines = rows.filter((one) => one.kind === kind).map(({ name, connections, rate, parts }) => {
		const cells = PARTS.flatMap((part) => [number(parts[part].cores, 4), ...(kind === "idle" ? [number(parts[part].megabytes, 1)] : [])]);
		return `| ${name} | ${Math.round(kind === "idle" ? connections : rate).toLocaleString("en")} | ${cells.join(" | ")} |`;
	});
	const heads = PARTS.flatMap((part) => [`${part} cores`, ...(kind === "idle" ? [`${part} MB`] : [])]);
	const first = kind === "idle" ? ["per 10,000 connections", "measured with"] : ["per 1,000 messages/s", "measured at"];
	return [`| ${[...first, ...heads].join(" | ")} |`, `|${" --- |".repeat(first.length + heads.length)}`, ...lines].join("\n");
}

function main() {
	const names = process.argv.length > 2 ? process.argv.slice(2) : Object.keys(ROWS);
	const unknown = names.filter((name) => !(name in ROWS));
	if (unknown.length > 0)
		throw new Error(`no row ${unknown}, but: ${Object.keys(ROWS).join("; ")}`);
	const { stdout } = spawnSync("bash", ["-c", "ulimit -H -n"], { encoding: "utf8" });
	if (Number(stdout) < DESCRIPTORS_NEEDED)
		throw new Error(`${DESCRIPTORS_NEEDED} descriptors a process are needed: ulimit -n ${DESCRIPTORS_NEEDED}`);
	const rows = [];
	let about = null;
	for (const name of names) {
		const load = os.loadavg()[0].toFixed(1);
		const result = measure(name);
		about = result.about;
		rows.push({ ...row(name, result), load });
		console.log(`${name}: ${JSON.stringify(rows.at(-1).parts)} (load ${load})`);
	}
	report(rows, about, process.argv.length === 2);
}

function report(rows, about, isWritten) {
	const text = `${table(rows, "idle")}\n\n${table(rows, "said")}\n`;
	console.log(`\n${text}`);
	if (!isWritten)
		return;
	const machine = { date: about.date, cores: about.cores, processor: about.processor, memory: about.memory, kernel: about.kernel, version: about.version };
	const base = path.join(__dirname, "results", `capacity-${about.date.slice(0, 10)}`);
	fs.writeFileSync(`${base}.json`, `${JSON.stringify({ machine, rows }, null, "\t")}\n`);
	fs.writeFileSync(`${base}.md`, `${about.processor}, ${about.cores} cores, ${about.kernel}, ${about.date}\n\n${text}`);
}

main();
