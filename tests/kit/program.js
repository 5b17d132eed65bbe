// SPDX-License-Identifier: Apache-2.0
// One of our programs as a child process: started until its ready line, killed, started
// again, its log kept. Owns the process group, so that workers never outlive a test.
"use strict";

const { spawn } = require("node:child_process");
const path = require("node:path");
const { within } = require("./wait.js");

const ROOT = path.resolve(__dirname, "../..");
const READY_MS = 60000;
const LOG_LINES_MAX = 4000;

const running = new Set();

// The last resort, for a test file that ends in any way at all.
process.on("exit", () => {
	for (const program of running)
		program.killGroup();
});
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"])
	process.on(signal, () => process.exit(1));

function buildFolder() {
	return path.resolve(ROOT, process.env.HELIOGRAPH_BUILD || "build/release");
}

function parseReady(line) {
	return Object.fromEntries(line.split(" ").slice(1).map((pair) => {
		const at = pair.indexOf("=");
		return [pair.slice(0, at), pair.slice(at + 1)];
	}));
}

class Program {
	// `before`: words in front of the command, of a program that becomes it; `env`: more of it.
	constructor(kind, name, args, { before = [], env = {} } = {}) {
		this.kind = kind;
		this.name = name;
		this.args = args;
		this.before = before;
		this.env = env;
		this.log = [];
		this.ready = null; // the key=value pairs of its ready line
		this.workers = []; // the same of each worker, when it has several
		this.exit = null; // {code, signal} once it has ended
		this.wasKilled = false; // by the test, so that its end is no crash
	}

	get pid() {
		return Number(this.ready.pid);
	}

	// The admin address of each process behind this name.
	get admins() {
		return [...this.workers, this.ready].map((ready) => ready.admin).filter(Boolean);
	}

	async start() {
		this.exit = null;
		this.workers = [];
		this.wasKilled = false;
		const program = path.join(buildFolder(), `heliograph-${this.kind}`);
		const [command, ...args] = [...this.before, program, ...this.args];
		const child = spawn(command, args, {
			cwd: ROOT,
			detached: true,
			stdio: ["ignore", "pipe", "pipe"],
			env: { ...process.env, ASAN_OPTIONS: "abort_on_error=1:detect_stack_use_after_return=1",
				...this.env },
		});
		this.child = child;
		running.add(this);
		this.#keepLog(child.stderr);
		this.ended = new Promise((resolve) => {
			child.on("error", (error) => this.#onEnd({ code: null, signal: null, error }, resolve));
			child.on("exit", (code, signal) => this.#onEnd({ code, signal }, resolve));
		});
		const early = this.ended.then((exit) => {
			throw new Error(`${this.name} ended before it was ready: ${JSON.stringify(exit)}\n${this.tail()}`);
		});
		early.catch(() => {});
		this.ready = await within(Promise.race([this.#readyLine(child.stdout), early]), READY_MS,
			`start of ${this.name}`);
	}

	// Sends the signal to the main process alone; the kernel and the program do the rest.
	signal(signal) {
		this.wasKilled = true;
		process.kill(this.pid, signal);
		return this.ended;
	}

	// Ends in order; whatever is left after the deadline is ended the hard way.
	async stop(deadlineMs = 8000) {
		if (this.exit)
			return this.exit;
		this.child.kill("SIGTERM");
		try {
			await within(this.ended, deadlineMs, `stop of ${this.name}`);
		} catch (error) {
			this.killGroup();
			await this.ended;
			throw error;
		}
		return this.exit;
	}

	killGroup() {
		try {
			process.kill(-this.child.pid, "SIGKILL");
		} catch {
			// The whole group is gone already.
		}
	}

	tail(lines = 60) {
		return [`--- ${this.name} (${this.kind}) ---`, ...this.log.slice(-lines)].join("\n");
	}

	#onEnd(exit, resolve) {
		this.exit = exit;
		this.killGroup();
		running.delete(this);
		resolve(exit);
	}

	#keepLog(stream) {
		let rest = "";
		stream.setEncoding("utf8");
		stream.on("data", (text) => {
			const lines = (rest + text).split("\n");
			rest = lines.pop();
			this.log.push(...lines);
			this.log.splice(0, this.log.length - LOG_LINES_MAX);
		});
	}

	// Workers tell first that they are ready; the line with our own name is the last.
	#readyLine(stream) {
		let rest = "";
		stream.setEncoding("utf8");
		return new Promise((resolve) => {
			stream.on("data", (more) => {
				const lines = (rest + more).split("\n");
				rest = lines.pop();
				for (const ready of lines.filter((line) => line.startsWith("ready ")).map(parseReady))
					if (ready.name === this.name)
						resolve(ready);
					else
						this.workers.push(ready);
			});
		});
	}
}

module.exports = { Program, ROOT, buildFolder };
