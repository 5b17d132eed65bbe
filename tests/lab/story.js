// SPDX-License-Identifier: Apache-2.0
// Histories that tests tell line by line, on a clock that moves a millisecond with each.
"use strict";

const fs = require("node:fs");
const { History } = require("./history.js");

const STEP_US = 1000;

class Story {
	constructor() {
		this.us = 1e9;
		this.lines = [];
		this.numbers = new Map(); // "sender target" -> last
	}

	pass(ms) {
		this.us += ms * 1000;
		return this;
	}

	add(what, ...rest) {
		this.us += STEP_US;
		this.lines.push([what, this.us, ...rest]);
		return this;
	}

	open(client, life = 1, about = {}) {
		return this.add("o", client, life, this.us, { user: `${client}'s`, id: `${client}-${life}`, kind: "plain", ...about });
	}

	end(client, how = "own", life = 1) {
		return this.add("e", client, life, how, "");
	}

	join(client, target = "g", outcome = "ok", life = 1) {
		const calledUs = this.us;
		return this.pass(2).add("j", client, life, target, calledUs, outcome);
	}

	leave(client, target = "g", outcome = "ok", life = 1) {
		const calledUs = this.us;
		return this.pass(2).add("l", client, life, target, calledUs, outcome);
	}

	// The next number, without an outcome.
	send(client, target = "g", life = 1) {
		const key = `${client} ${target}`;
		const n = (this.numbers.get(key) ?? 0) + 1;
		this.numbers.set(key, n);
		return this.add("s", client, life, target, n);
	}

	// What became of the last one sent, or of number n.
	done(client, outcome = "ok", target = "g", n = this.numbers.get(`${client} ${target}`)) {
		return this.add("c", client, target, n, outcome);
	}

	// The next number, accepted and heard by all of them.
	say(client, receivers, target = "g") {
		this.send(client, target);
		for (const receiver of receivers)
			this.hear(receiver, client, this.numbers.get(`${client} ${target}`), target);
		return this.done(client, "ok", target);
	}

	hear(client, sender, n, target = "g", life = 1) {
		return this.add("r", client, life, sender, target, n);
	}

	verdict(options) {
		return judge(this.lines, options);
	}

	write(file, { isWhole = true } = {}) {
		const lines = [["h", 1, 1, {}], ...this.lines, ...(isWhole ? [["z", this.us]] : [])];
		fs.writeFileSync(file, lines.map((line) => `${JSON.stringify(line)}\n`).join(""));
		return file;
	}
}

// As history.js judges files, from memory.
function judge(lines, options) {
	const history = new History(options);
	for (const line of lines)
		if (line[0] !== "r")
			history.define(line);
	for (const line of lines)
		if (line[0] === "r")
			history.deliver(line);
	return history.verdict();
}

module.exports = { Story, judge };
