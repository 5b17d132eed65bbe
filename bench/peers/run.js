// SPDX-License-Identifier: Apache-2.0
// Floor, Heliograph and peers under the same load, in turns: A B C A B C, each with the
// server's core to itself and the load tool on another. `make bench-peers` builds and
// installs what it needs and starts it.
//
//	PEERS="floor bun"        only these (floor floor-batched heliograph bun nats aspnetcore
//	                         socketio)
//	WORKLOADS="1k-1 idle"    only these (1k-1 1k-16 10k-1 10k-4 100x100 1kx20 idle)
//	ROUNDS=5                 of each workload; of idle at most 3
//	CORES="0 1"              server, client
//	OUT=bench/results        where peers-DATE.json and peers-DATE.md go
//	OPTIONS=                 more for the load tool: --size=2KiB
"use strict";

const { spawn } = require("node:child_process");
const fs = require("node:fs");
const os = require("node:os");
const path = require("node:path");
const { idleRowsOf, judge, rowsOf, summarise } = require("./figures.js");
const { BUILD, ROOT, choose, firstLine } = require("./peers.js");
const { cell, digits, markdown, nameOf } = require("./report.js");
const { Server } = require("./server.js");
const { IDLE, TARGETS, WORKLOADS, idleArgs, loadArgs } = require("./workloads.js");

const LOAD_SECONDS_MAX = 90;

function words(name) {
	return (process.env[name] || "").split(/\s+/).filter(Boolean);
}

function settings() {
	const workloads = words("WORKLOADS");
	const names = [...WORKLOADS.map(({ name }) => name), "idle"];
	const unknown = workloads.filter((name) => !names.includes(name));
	const [server = "0", client = os.cpus().length > 1 ? "1" : "0"] = words("CORES");
	const rounds = Number(process.env.ROUNDS || 5);
	if (unknown.length)
		throw new Error(`WORKLOADS: ${unknown.join(" ")}: there are ${names.join(" ")}`);
	if (!Number.isInteger(rounds) || rounds < 1)
		throw new Error(`ROUNDS: ${process.env.ROUNDS}: a number from 1 is needed`);
	return { rounds, cores: { server, client }, out: path.resolve(ROOT, process.env.OUT || "bench/results"),
		options: words("OPTIONS"), has: (name) => !workloads.length || workloads.includes(name), ...choose(words("PEERS")) };
}

// The tool's own words: what makes a run a failure, or why there was none.
function whatWentWrong(text) {
	return text.split("\n").filter((line) => /^(ERROR|FAILED|heliograph-bench:)/.test(line))
		.map((line) => line.replace(/^(ERROR|FAILED|heliograph-bench:)\s+/, "")).join("; ");
}

// Runs the load tool on the client's core; its figures, once what it received was right.
async function load(server, args, { cores, options }) {
	const file = path.join(os.tmpdir(), `heliograph-peers-${process.pid}.json`);
	const all = [...server.load, ...args, ...options, `--json=${file}`, "--progress=off"];
	const child = spawn("taskset", ["-c", cores.client, path.join(BUILD, "heliograph-bench"), ...all],
		{ stdio: ["ignore", "pipe", "pipe"], timeout: LOAD_SECONDS_MAX * 1000, killSignal: "SIGTERM" });
	let text = "";
	for (const stream of [child.stdout, child.stderr])
		stream.on("data", (more) => { text = (text + more).slice(-4000); });
	const code = await new Promise((resolve, reject) => {
		child.on("error", reject);
		child.on("close", (exit, signal) => resolve(exit ?? signal));
	});
	const result = fs.existsSync(file) ? fs.readFileSync(file, "utf8") : "";
	fs.rmSync(file, { force: true });
	if (code !== 0)
		throw new Error(`${whatWentWrong(text) || code}\n    heliograph-bench ${all.join(" ")}`);
	const { figures } = JSON.parse(result);
	for (const key of ["lost", "duplicates", "malformed", "closes", "connect_errors"])
		if (figures[key])
			throw new Error(`${key}: ${figures[key]}`);
	return figures;
}

// Calls `body(peer, server)` for each peer, round by round; what fails is told and kept.
async function inTurns(title, peers, rounds, failures, body) {
	const started = Date.now();
	console.log(`\n${title}`);
	for (let round = 1; round <= rounds; round++) {
		for (const peer of peers) {
			try {
				const text = await body(peer, round);
				console.log(`  round ${round}  ${peer.title.padEnd(22)} ${text}`);
			} catch (error) {
				failures.push(`${title}, round ${round}, ${peer.name}: ${error.message.split("\n")[0]}`);
				console.log(`  round ${round}  ${peer.title.padEnd(22)} FAILED: ${error.message}`);
			}
		}
	}
	console.log(`  ${Math.round((Date.now() - started) / 1000)} s`);
}

async function measureWorkload(workload, servers, config, failures) {
	const peers = config.present.filter((peer) => servers.has(peer.name) && (workload.isBatch || !peer.isBatch));
	const runs = [];
	await inTurns(workload.title, peers, config.rounds, failures, async (peer, round) => {
		const figures = await load(servers.get(peer.name), loadArgs(workload), config);
		const rows = rowsOf(peer, figures);
		runs.push(...rows.map((row) => ({ round, row })));
		return rows.map(({ figures: { cpu_us: cpu, deliveries_per_s: rate, p99_ms: p99 } }, i) =>
			(i ? `all ${digits(cpu)} us` : `${digits(cpu)} us a delivery, ${digits(rate)}/s, p99 ${digits(p99)} ms`))
			.join("; ");
	});
	return { name: workload.name, title: workload.title, isBatch: Boolean(workload.isBatch), load: loadArgs(workload),
		rows: summarise(runs) };
}

// Fresh servers: memory that an earlier workload left behind would hide what is measured.
async function measureIdle(config, failures) {
	const runs = [];
	const peers = config.present.filter(({ isBatch }) => !isBatch);
	const rounds = Math.min(config.rounds, IDLE.roundsMax);
	await inTurns("Idle connections", peers, rounds, failures, async (peer, round) => {
		const server = new Server(peer, config.cores);
		try {
			await server.start();
			const few = await load(server, idleArgs(IDLE.few), config);
			const many = await load(server, idleArgs(IDLE.many), config);
			const rows = idleRowsOf(peer, few, many, IDLE.many - IDLE.few);
			runs.push(...rows.map((row) => ({ round, row })));
			return rows.map(({ figures: { connection_bytes: bytes, connects_per_s: rate } }, i) =>
				(i ? `all ${digits(bytes)}` : `${digits(bytes)} bytes a connection, ${digits(rate)} connects/s`)).join("; ");
		} finally {
			await server.stop();
		}
	});
	return summarise(runs);
}

async function measureFanOut(config, failures) {
	const wanted = WORKLOADS.filter(({ name }) => config.has(name));
	const servers = new Map();
	const workloads = [];
	try {
		for (const peer of wanted.length ? config.present : []) {
			const server = new Server(peer, config.cores);
			await server.start().then(() => servers.set(peer.name, server), async (error) => {
				failures.push(error.message.split("\n")[0]);
				console.log(`FAILED: ${error.message}`);
				await server.stop();
			});
		}
		for (const workload of wanted)
			workloads.push(await measureWorkload(workload, servers, config, failures));
	} finally {
		await Promise.all([...servers.values()].map((server) => server.stop()));
	}
	return workloads;
}

function about(config) {
	const set = ["PEERS", "WORKLOADS", "ROUNDS", "CORES", "OPTIONS"].filter((name) => process.env[name]);
	return {
		date: new Date().toISOString().slice(0, 16).replace("T", " "),
		command: ["make bench-peers", ...set.map((name) => `${name}="${process.env[name]}"`)].join(" "),
		commit: firstLine("git", ["-C", ROOT, "describe", "--always", "--dirty"]) || "an archive",
		rounds: config.rounds,
		cores: config.cores,
		versions: Object.fromEntries([...config.present.map(({ name, version }) => [name, version]),
			["node", process.versions.node]]),
	};
}

function machine() {
	const [cpu] = os.cpus();
	return { cpu: cpu.model.trim(), cores: os.cpus().length, memory_gib: Math.round(os.totalmem() / 2 ** 30),
		kernel: os.release(), load: Number(os.loadavg()[0].toFixed(2)) };
}

async function main() {
	const config = settings();
	const failures = [];
	const result = { about: about(config), machine: machine(),
		absent: config.absent.map(({ name, why }) => ({ name, why })) };
	for (const { title, why } of config.absent)
		console.log(`absent: ${title}: ${why}`);
	console.log(`${config.present.map(({ name, version }) => `${name} ${version}`).join(", ")}`);
	result.workloads = await measureFanOut(config, failures);
	result.idle = config.has("idle") ? await measureIdle(config, failures) : [];
	result.targets = judge(TARGETS, result.workloads);
	result.failures = failures;

	const base = path.join(config.out, `peers-${result.about.date.slice(0, 10)}`);
	fs.mkdirSync(config.out, { recursive: true });
	fs.writeFileSync(`${base}.json`, `${JSON.stringify(result, null, 1)}\n`);
	fs.writeFileSync(`${base}.md`, markdown(result));
	console.log(`\n${markdown(result)}`);
	for (const target of result.targets.filter(({ isMet }) => !isMet))
		console.log(`missed: ${nameOf(target)}: ${cell(target.found)}`);
	console.log(`${path.relative(ROOT, base)}.md and .json written`);
	process.exitCode = failures.length ? 1 : 0;
}

main().catch((error) => {
	console.error(`bench-peers: ${error.message}`);
	process.exit(1);
});
