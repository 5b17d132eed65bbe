// SPDX-License-Identifier: Apache-2.0
// A client of Server-Sent Events made of raw sockets: one for the stream, one for each of its
// other requests. It reads the stream strictly, because servers must be right.
"use strict";

const assert = require("node:assert/strict");
const { Poller } = require("./poll.js");
const { RECORD_SEPARATOR } = require("./raw.js");
const { waitFor } = require("./wait.js");

const WAIT_MS = 8000;
const ACCEPT = { Accept: "text/event-stream" };

class EventClient extends Poller {
	#messages = []; // cut from events and not yet taken

	// The GET: the stream's socket once its head was read into `head`.
	async begins(headers = {}) {
		this.stream = this.begin("GET", "", { ...ACCEPT, ...headers });
		this.head = await this.stream.head();
		return this;
	}

	async open() {
		await this.negotiate();
		await this.begins();
		assert.equal(this.head.status, 200);
		assert.equal(await this.line(), ":");
		return this;
	}

	// The next line of the stream, without its CR LF.
	async line() {
		const at = await waitFor(() => {
			const end = this.stream.bytes.indexOf("\n");
			if (end < 0 && this.stream.isEnded)
				throw new Error("the stream ended");
			return end >= 0 && end + 1;
		}, WAIT_MS, "a line of the stream");
		const text = this.stream.take(at).toString("utf8");
		assert.ok(text.endsWith("\r\n"), `a line that does not end in CR LF: ${JSON.stringify(text)}`);
		return text.slice(0, -2);
	}

	// The data of the next event.
	async event() {
		const lines = [];
		for (let line = await this.line(); line !== ""; line = await this.line()) {
			assert.ok(line.startsWith("data: ") && !line.includes("\r"), `a strange line: ${JSON.stringify(line)}`);
			lines.push(line.slice("data: ".length));
		}
		return lines.join("\n");
	}

	// The next hub message; pings are left out unless asked for.
	async message({ pings = false } = {}) {
		for (;;) {
			while (this.#messages.length === 0) {
				const data = await this.event();
				assert.ok(data.endsWith(RECORD_SEPARATOR), `a hub message was split over two events: ${data}`);
				this.#messages.push(...data.slice(0, -1).split(RECORD_SEPARATOR).map((part) => JSON.parse(part)));
			}
			const message = this.#messages.shift();
			if (pings || message.type !== 6)
				return message;
		}
	}

	// Nothing more came, and the stream is at its end.
	async ended() {
		await this.stream.untilEnd();
		assert.equal(this.stream.bytes.toString(), "");
	}
}

// Negotiated; its sockets are closed when the test ends.
async function eventClient(test, address, options) {
	const client = new EventClient(address, options);
	test.after(() => client.destroy());
	await client.negotiate();
	return client;
}

// ... and its stream open.
async function openEvents(test, address, options) {
	const client = new EventClient(address, options);
	test.after(() => client.destroy());
	return client.open();
}

// ... and its handshake done.
async function readyEvents(test, address, options) {
	const client = new EventClient(address, options);
	test.after(() => client.destroy());
	assert.deepEqual(await client.handshake(), {});
	return client;
}

module.exports = { EventClient, eventClient, openEvents, readyEvents };
