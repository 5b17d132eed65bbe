// SPDX-License-Identifier: Apache-2.0
// One connection of a client, from its opening to its end, through all its sockets when it
// is a stateful one; and when it was a member of what.
"use strict";

class Session {
	#windows = new Map(); // target -> memberships, in order

	constructor(client, life, openedUs, calledUs, about) {
		this.client = client;
		this.life = life;
		this.calledUs = calledUs;
		this.openedUs = openedUs;
		this.about = about ?? {};
		this.endedUs = Infinity;
		this.how = null; // "own", "left" or "lost" once it has ended
		this.reason = "";
	}

	get isStateful() {
		return this.about.kind === "stateful";
	}

	get targets() {
		return this.#windows;
	}

	// As a violation tells it.
	get told() {
		const { client, life, about, openedUs, endedUs, how, reason } = this;
		return { client, life, ...about, openedUs, ...(how && { endedUs, how, reason }) };
	}

	end(us, how, reason) {
		if (this.how)
			throw new Error(`connection ${this.client}/${this.life} ends twice`);
		if (!["own", "left", "lost"].includes(how))
			throw new Error(`"${how}" is no way to end`);
		this.endedUs = us;
		this.how = how;
		this.reason = reason ?? "";
	}

	// A membership may begin with the call; from the return on it certainly is one, unless
	// nobody knows what became of the call. Joining twice is joining once.
	join(target, calledUs, returnedUs, outcome) {
		if (outcome === "refused")
			return;
		const windows = this.#of(target);
		if (outcome === "ok" && windows.some((window) => window.joinedUs < Infinity && window.leaveCalledUs === Infinity))
			return;
		windows.push({ joinCalledUs: calledUs, joinedUs: outcome === "ok" ? returnedUs : Infinity,
			leaveCalledUs: Infinity, leftUs: Infinity });
	}

	// It certainly is one up to the call, and may be one up to the return.
	leave(target, calledUs, returnedUs, outcome) {
		if (outcome === "refused")
			return;
		for (const window of this.#of(target)) {
			window.leaveCalledUs = Math.min(window.leaveCalledUs, calledUs);
			if (outcome === "ok")
				window.leftUs = Math.min(window.leftUs, returnedUs);
		}
	}

	// May a message that was sent then, and accepted then (Infinity: never), have come?
	mayHear(target, sentUs, acceptedUs) {
		const windows = this.#windows.get(target);
		if (!windows)
			return false;
		for (const { joinCalledUs, leftUs } of windows)
			if (acceptedUs >= joinCalledUs && sentUs <= leftUs)
				return true;
		return false;
	}

	#of(target) {
		let windows = this.#windows.get(target);
		if (!windows) {
			windows = [];
			this.#windows.set(target, windows);
		}
		return windows;
	}
}

module.exports = { Session };
