// SPDX-License-Identifier: Apache-2.0
// A process of the lab that is told lines and answers each with one.
"use strict";

const { spawn } = require("node:child_process");
const readline = require("node:readline");
const { within } = require("../kit/wait.js");

class Helper {
	#process;
	#answers = [];
	#lines = [];
	#hasEnded = false;

	// `words`: the command, as Net.at() gives it, and its arguments.
	constructor(name, [command, ...words]) {
		this.name = name;
		this.#process = spawn(command, words, { stdio: ["pipe", "pipe", "inherit"] });
		this.#process.stdin.on("error", () => {});
		readline.createInterface({ input: this.#process.stdout }).on("line", (line) => this.#take(line));
		this.ended = new Promise((resolve) => {
			const end = (how) => {
				this.#hasEnded = true;
				resolve(how);
			};
			this.#process.on("exit", (code, signal) => end(code ?? signal));
			this.#process.on("error", (error) => end(error.message));
		});
	}

	ask(line, limitMs) {
		this.#process.stdin.write(`${line}\n`);
		return this.answer(limitMs, `an answer to "${line}"`);
	}

	// The next line that it says.
	answer(limitMs, what) {
		const early = this.ended.then((how) => {
			throw new Error(`${this.name} ended with ${how}`);
		});
		early.catch(() => {});
		if (this.#lines.length)
			return Promise.resolve(this.#lines.shift());
		const line = this.#hasEnded ? early : new Promise((resolve) => this.#answers.push(resolve));
		return within(Promise.race([line, early]), limitMs, `${this.name}: ${what}`);
	}

	kill() {
		this.#process.kill("SIGKILL");
		return this.ended;
	}

	#take(line) {
		const answer = this.#answers.shift();
		if (answer)
			answer(line);
		else
			this.#lines.push(line);
	}
}

module.exports = { Helper };
