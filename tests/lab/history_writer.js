// SPDX-License-Identifier: Apache-2.0
// Writes one file of a history (the format is at the top of history.js). Lines are buffered
// and written in large pieces, synchronously: a writer that is killed loses the last piece,
// and its file lacks the line that says that it is whole.
"use strict";

const fs = require("node:fs");

const PIECE_CHARACTERS = 1 << 18;

// Microseconds of CLOCK_MONOTONIC: the same clock in all processes of a machine, whatever
// network namespace they are in.
function nowUs() {
	return Number(process.hrtime.bigint() / 1000n);
}

class HistoryWriter {
	#fd;
	#lines = "";

	constructor(file, about = {}) {
		this.file = file;
		this.#fd = fs.openSync(file, "w");
		this.#add(["h", nowUs(), 1, about]);
	}

	// `calledUs` is nowUs() before the call that has now returned.
	opened(client, life, calledUs, about) {
		this.#add(["o", nowUs(), client, life, calledUs, about]);
	}

	// how: "own", its user stops it when all is quiet, "left", in the middle of things (call
	// this before), "lost".
	ended(client, life, how, reason = "") {
		this.#add(["e", nowUs(), client, life, how, reason]);
	}

	joined(client, life, target, calledUs, outcome = "ok") {
		this.#add(["j", nowUs(), client, life, target, calledUs, outcome]);
	}

	left(client, life, target, calledUs, outcome = "ok") {
		this.#add(["l", nowUs(), client, life, target, calledUs, outcome]);
	}

	// Before the call.
	sent(client, life, target, n) {
		this.#add(["s", nowUs(), client, life, target, n]);
	}

	// outcome: "ok", "refused" (it certainly was not done), "unknown".
	completed(client, target, n, outcome, reason) {
		const line = ["c", nowUs(), client, target, n, outcome];
		if (reason !== undefined)
			line.push(reason);
		this.#add(line);
	}

	received(client, life, sender, target, n) {
		this.#add(["r", nowUs(), client, life, sender, target, n]);
	}

	// A stateful connection's socket: "down" or "up" (again).
	socket(client, life, state) {
		this.#add(["w", nowUs(), client, life, state]);
	}

	watching(watcher, isWatching) {
		this.#add(["pw", nowUs(), watcher, isWatching ? "on" : "off"]);
	}

	presence(watcher, user, event) {
		this.#add(["p", nowUs(), watcher, user, event]);
	}

	// Who was online by an answer that was asked for at `calledUs`.
	online(users, calledUs) {
		this.#add(["q", nowUs(), calledUs, users]);
	}

	// What was done to the cluster, for the reader and for the figures in between.
	mark(text) {
		this.#add(["m", nowUs(), text]);
	}

	// What a client that was given up says later is left out.
	close() {
		this.#add(["z", nowUs()]);
		this.#flush();
		fs.closeSync(this.#fd);
		this.#fd = -1;
	}

	#add(line) {
		if (this.#fd < 0)
			return;
		this.#lines += `${JSON.stringify(line)}\n`;
		if (this.#lines.length >= PIECE_CHARACTERS)
			this.#flush();
	}

	#flush() {
		fs.writeSync(this.#fd, this.#lines);
		this.#lines = "";
	}
}

module.exports = { HistoryWriter, nowUs };
