// SPDX-License-Identifier: Apache-2.0
// A long polling client of single requests, each on a socket of its own, so that a test
// decides what is asked when.
"use strict";

const { RawSocket, httpRequest, headText, RECORD_SEPARATOR } = require("./raw.js");

async function negotiate(address, { hub = "chat", query = "?negotiateVersion=1", headers = {} } = {}) {
	const response = await httpRequest(address, "POST", `/hubs/${hub}/negotiate${query}`, { headers });
	if (response.status !== 200)
		throw new Error(`negotiate answered ${response.status}`);
	return JSON.parse(response.body);
}

class Poller {
	#messages = []; // cut from answers and not yet taken
	#sockets = new Set();

	constructor(address, { hub = "chat", query, headers = {} } = {}) {
		this.address = address;
		this.headers = headers;
		this.hub = hub;
		this.query = query; // of its negotiation
		this.posted = Promise.resolve();
	}

	async negotiate() {
		this.answer = await negotiate(this.address, this);
		this.target = `/hubs/${this.hub}?id=${encodeURIComponent(this.answer.connectionToken)}`;
		return this;
	}

	// Sends it, and gives the socket before anything is answered.
	begin(method, body = "", headers = {}) {
		const raw = new RawSocket(this.address);
		this.#sockets.add(raw);
		raw.write(headText(method, this.target, this.address, { ...this.headers, ...headers }, Buffer.byteLength(body)));
		raw.write(body);
		return raw;
	}

	async request(method, body, headers) {
		const raw = this.begin(method, body, headers);
		try {
			return await raw.response();
		} finally {
			this.drop(raw);
		}
	}

	drop(raw) {
		raw.destroy();
		this.#sockets.delete(raw);
	}

	poll() {
		return this.request("GET");
	}

	post(...messages) {
		return this.request("POST", messages.map((message) => JSON.stringify(message) + RECORD_SEPARATOR).join(""));
	}

	async open() {
		await this.negotiate();
		const first = await this.poll();
		if (first.status !== 200 || first.body !== "")
			throw new Error(`the first poll was answered ${first.status} "${first.body}"`);
		return this;
	}

	async handshake() {
		await this.open();
		await this.post({ protocol: "json", version: 1 });
		return this.message();
	}

	// The next hub message; pings are left out. Throws when a poll is not answered 200.
	async message() {
		for (;;) {
			while (this.#messages.length === 0)
				this.#cut(await this.poll());
			const message = this.#messages.shift();
			if (message.type !== 6)
				return message;
		}
	}

	async completion(invocationId) {
		for (;;) {
			const message = await this.message();
			if (message.type === 3 && message.invocationId === invocationId)
				return message;
			if (message.type === 7)
				throw new Error(`hub Close instead of a completion: ${JSON.stringify(message)}`);
		}
	}

	async call(target, ...args) {
		const invocationId = String(this.calls = (this.calls ?? 0) + 1);
		await this.post({ type: 1, invocationId, target, arguments: args });
		return this.completion(invocationId);
	}

	destroy() {
		for (const raw of this.#sockets)
			raw.destroy();
	}

	#cut({ status, body }) {
		if (status !== 200)
			throw new Error(`a poll was answered ${status} "${body}"`);
		if (body !== "" && !body.endsWith(RECORD_SEPARATOR))
			throw new Error(`a hub message was split over two answers: ${body}`);
		for (const part of body.split(RECORD_SEPARATOR).slice(0, -1))
			this.#messages.push(JSON.parse(part));
	}
}

// Negotiated; its sockets are closed when the test ends.
async function poller(test, address, options) {
	const client = new Poller(address, options);
	test.after(() => client.destroy());
	return client.negotiate();
}

// ... and its first poll answered.
async function openPoller(test, address, options) {
	const client = new Poller(address, options);
	test.after(() => client.destroy());
	return client.open();
}

// ... and its handshake done.
async function readyPoller(test, address, options) {
	const client = new Poller(address, options);
	test.after(() => client.destroy());
	const answer = await client.handshake();
	if (JSON.stringify(answer) !== "{}")
		throw new Error(`handshake answered with ${JSON.stringify(answer)}`);
	return client;
}

module.exports = { Poller, negotiate, poller, openPoller, readyPoller };
