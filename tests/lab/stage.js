// SPDX-License-Identifier: Apache-2.0
// What a row of the lab plays on: the cluster in its world, the traffic, a source of chance that
// a seed repeats, and the judgement. A row is an object (rows/):
//
//	row, title, goal       of the table; the goal in its words
//	cluster, traffic       options of LabCluster and of traffic.js, if others than usual
//	judge                  options of the history checker
//	faults(stage)          what it does, while traffic goes on
//	checks(stage, verdict) what it measured: [{what, goal, value, unit?, isMet, isGate?}]
//
// A check that is a gate breaks the run when it is not met; others are only told.
"use strict";

const { spawn } = require("node:child_process");
const fs = require("node:fs");
const path = require("node:path");
const { buildFolder } = require("../kit/program.js");
const { waitFor, within } = require("../kit/wait.js");
const { JwtKey } = require("../kit/jwt.js");
const { LabCluster } = require("./cluster.js");
const { Helper } = require("./helper.js");
const { HistoryWriter, nowUs } = require("./history_writer.js");
const { Load } = require("./load.js");
const { Net } = require("./net.js");
const { ROWS } = require("./rows.js");
const world = require("./world.js");

const WARM_MS = 4000;
const COOL_MS = 3000;
const ATTACK_MS = 60000;
// Of --short, a gate: a machine that is slow makes presence late, and breaks nothing. What is wrong for
// longer than the checker allows otherwise is told as a figure.
const PATIENCE = { settleMs: 20000, lostMs: 60000 };
const OF_PRESENCE = ["ghost", "absent"];
const PROMISES = ["lost", "doubled", "reordered", "stranger", "refused", "invented", "ghost", "absent", "repeated"];

class Stage {
	#random;

	constructor(options) {
		const { row, seed, scale, isLong, isShort, folder } = options;
		this.row = ROWS.get(row);
		this.scale = scale;
		this.seed = seed;
		this.isLong = isLong;
		this.isShort = isShort;
		this.folder = path.join(folder, `row${row}`);
		fs.mkdirSync(this.folder, { recursive: true });
		// Each row draws from its own source: alone it does what it does among others.
		this.#random = generator(seed * 64 + row);
		this.figures = {}; // what a row measures on its way
		this.net = new Net();
		this.cluster = new LabCluster(this.net, this.folder, this.row.cluster);
	}

	// ---- chance

	random() {
		return this.#random();
	}

	between(low, high) {
		return low + this.random() * (high - low);
	}

	pick(list) {
		return list[Math.floor(this.random() * list.length)];
	}

	// ---- time: of faults, which is what a schedule is made of

	pause(ms) {
		return new Promise((resolve) => setTimeout(resolve, ms));
	}

	// As long as the table says with LONG=1.
	ms(usual, long) {
		return this.isLong ? long : usual;
	}

	// Writes down what is done, for the reader and for the figures from here on.
	mark(text) {
		console.log(`${String(this.row.row).padStart(4)} ${((nowUs() - this.startedUs) / 1e6).toFixed(1).padStart(6)} s  ${text}`);
		this.marks.mark(text);
		return nowUs();
	}

	// Milliseconds until `ask` is true; Infinity: not in that time.
	async until(ask, deadlineMs, what) {
		const since = nowUs();
		try {
			await waitFor(ask, deadlineMs, what);
			return (nowUs() - since) / 1000;
		} catch {
			return Infinity;
		}
	}

	waitFor(ask, deadlineMs, what) {
		return waitFor(ask, deadlineMs, what);
	}

	// ---- other clients

	// heliograph-bench on the clients' host; resolves with its result (bench/result.h), or null.
	async bench(args, limitMs) {
		const file = path.join(this.folder, `bench-${nowUs()}.json`);
		const [command, ...words] = [...this.net.at("clients"), path.join(buildFolder(), "heliograph-bench"),
			`--token_key=${this.cluster.keys.auth}`, "--server_pids=none", "--progress=off", `--json=${file}`,
			`--seed=${this.seed}`, ...args];
		const child = spawn(command, words, { stdio: ["ignore", "ignore", "inherit"] });
		await within(new Promise((resolve) => child.on("exit", resolve)), limitMs, "heliograph-bench").catch(() => child.kill("SIGKILL"));
		return fs.existsSync(file) ? JSON.parse(fs.readFileSync(file, "utf8")) : null;
	}

	// Clients of attack.js, on a host of theirs, against one gateway.
	async attack(kind, count, gateway) {
		const target = this.cluster.gatewayUrl(gateway).replace("http://", "");
		const key = new JwtKey("HS256");
		key.secret = this.cluster.keys.auth;
		const token = key.sign({ sub: kind, exp: Math.floor(Date.now() / 1000) + 3600,
			roles: ["relay.join", "relay.send", "relay.all"] });
		const helper = new Helper(`attack ${kind}`, [...this.net.at("attackers"), process.execPath,
			path.join(__dirname, "attack.js"), kind, String(count), target, token]);
		await helper.answer(ATTACK_MS, "its beginning");
		const ask = async (line) => JSON.parse(await helper.ask(line, ATTACK_MS));
		return { status: () => ask("status"), pause: () => ask("pause"), again: () => ask("again"), kill: () => helper.kill() };
	}

	// ---- from the beginning to the end

	async play() {
		this.startedUs = nowUs();
		console.log(`row ${this.row.row}: ${this.row.title}`);
		this.marks = new HistoryWriter(path.join(this.folder, "marks.history"), { writer: "lab" });
		await this.net.start();
		await this.cluster.start();
		this.load = new Load(this, this.row.traffic);
		await this.load.start();
		await this.cluster.untilSettled();
		await this.pause(this.row.warmMs ?? WARM_MS);
		await this.row.faults(this);
		await this.pause(COOL_MS);
		this.mark("over");
		await this.load.stop();
		this.marks.close();
		const verdict = await this.#judge(this.isShort ? PATIENCE : {});
		const own = await this.row.checks(this, verdict);
		if (this.isShort)
			own.push(late(await this.#judge({})));
		const crashes = await this.cluster.stop();
		return this.#result(verdict, [...own, ...promises(verdict, crashes)], crashes);
	}

	#judge(patience) {
		return this.load.check([this.marks.file], { ...this.row.judge, ...patience });
	}

	#result(verdict, checks, crashes) {
		return { row: this.row.row, title: this.row.title, goal: this.row.goal, seed: this.seed, scale: this.scale,
			seconds: Math.round((nowUs() - this.startedUs) / 1e5) / 10, load: this.load.about(verdict), checks, crashes,
			figures: this.figures, counts: verdict.counts,
			presence: { ...verdict.presence, unanswered: this.load.observer.failed }, delivery: verdict.delivery, answer: verdict.answer,
			ends: verdict.ends, reattach: verdict.reattach, reasons: verdict.reasons, marks: verdict.marks, phases: verdict.phases,
			violations: verdict.violations };
	}
}

// What presence said that had not been true for some seconds.
function late(verdict) {
	const n = OF_PRESENCE.reduce((sum, rule) => sum + verdict.broken[rule], 0);
	return { what: "presence late", goal: "0", value: n, isMet: n === 0 };
}

// What every row must keep, whatever it does.
function promises(verdict, crashes) {
	const broken = PROMISES.filter((rule) => verdict.broken[rule]).map((rule) => `${verdict.broken[rule]} ${rule}`);
	return [
		{ what: "promises broken", goal: "none", value: broken.join(", ") || "none", isMet: broken.length === 0, isGate: true },
		{ what: "histories without an end", goal: "0", value: verdict.incomplete.length, isMet: verdict.incomplete.length === 0,
			isGate: true },
		{ what: "crashes", goal: "0", value: crashes.length, isMet: crashes.length === 0, isGate: true },
	];
}

// mulberry32: small, and the same everywhere.
function generator(seed) {
	let a = seed >>> 0;
	return () => {
		a = (a + 0x6d2b79f5) >>> 0;
		let t = Math.imul(a ^ (a >>> 15), a | 1);
		t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
		return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
	};
}

// The whole of a row's world: plays it, leaves the result in its file, ends.
async function play(options) {
	world.settle();
	const stage = new Stage(options);
	let result;
	try {
		result = await stage.play();
	} catch (error) {
		const { row, title, goal } = stage.row;
		result = { row, title, goal, seed: options.seed, scale: options.scale, checks: [], error: error.stack };
	}
	stage.cluster.writeLogs(stage.folder);
	fs.writeFileSync(options.file, JSON.stringify(result, (key, value) => value === Infinity ? "never" : value));
	process.exit(0);
}

module.exports = { play };
