// SPDX-License-Identifier: Apache-2.0
// What one client sends to one target, numbered 1, 2, 3 ... through all its connections, and
// what became of each: 21 bytes a message.
"use strict";

const OUTCOMES = { pending: 0, ok: 1, unknown: 2, refused: 3 };
const FIRST_SLOTS = 16;

function grown(array) {
	const twice = new array.constructor(2 * array.length);
	twice.set(array);
	return twice;
}

class Lane {
	#lives = new Uint32Array(FIRST_SLOTS);
	#sent = new Float64Array(FIRST_SLOTS);
	#accepted = new Float64Array(FIRST_SLOTS);
	#outcomes = new Uint8Array(FIRST_SLOTS);

	constructor(id, sender, target) {
		this.id = id;
		this.sender = sender;
		this.target = target;
		this.n = 0;
	}

	add(n, life, sentUs) {
		if (n !== this.n + 1)
			throw new Error(`${this.sender} to ${this.target}: number ${n} follows ${this.n}`);
		if (this.n && sentUs < this.#sent[this.n - 1])
			throw new Error(`${this.sender} to ${this.target}: number ${n} was sent before ${this.n}`);
		if (this.n === this.#sent.length) {
			this.#lives = grown(this.#lives);
			this.#sent = grown(this.#sent);
			this.#accepted = grown(this.#accepted);
			this.#outcomes = grown(this.#outcomes);
		}
		this.#lives[this.n] = life;
		this.#sent[this.n] = sentUs;
		this.#accepted[this.n] = Infinity;
		this.n++;
	}

	complete(n, outcome, us) {
		if (!this.has(n) || this.#outcomes[n - 1] !== OUTCOMES.pending)
			throw new Error(`${this.sender} to ${this.target}: number ${n} has no outcome to come`);
		if (!(OUTCOMES[outcome] > OUTCOMES.pending))
			throw new Error(`"${outcome}" is no outcome`);
		this.#outcomes[n - 1] = OUTCOMES[outcome];
		if (outcome === "ok")
			this.#accepted[n - 1] = us;
	}

	has(n) {
		return Number.isInteger(n) && n >= 1 && n <= this.n;
	}

	// Of which of the sender's connections.
	life(n) {
		return this.#lives[n - 1];
	}

	sentUs(n) {
		return this.#sent[n - 1];
	}

	// Infinity: it was not.
	acceptedUs(n) {
		return this.#accepted[n - 1];
	}

	isAccepted(n) {
		return this.#outcomes[n - 1] === OUTCOMES.ok;
	}

	isRefused(n) {
		return this.#outcomes[n - 1] === OUTCOMES.refused;
	}

	outcome(n) {
		const code = this.#outcomes[n - 1];
		return Object.keys(OUTCOMES).find((name) => OUTCOMES[name] === code);
	}

	// The first number that was sent then or later; n + 1: none was.
	firstSince(us) {
		let low = 0;
		let high = this.n;
		while (low < high) {
			const middle = (low + high) >> 1;
			if (this.#sent[middle] < us)
				low = middle + 1;
			else
				high = middle;
		}
		return low + 1;
	}

	// How many have each outcome, added to `counts`.
	count(counts) {
		counts.sent += this.n;
		for (let i = 0; i < this.n; i++)
			if (this.#outcomes[i] === OUTCOMES.ok)
				counts.accepted++;
			else if (this.#outcomes[i] === OUTCOMES.refused)
				counts.refused++;
			else
				counts.unknown++;
	}
}

module.exports = { Lane };
