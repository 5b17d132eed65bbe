// SPDX-License-Identifier: Apache-2.0
// A watcher of presence's /api/v1/events: keeps what it is told, in order.
"use strict";

const assert = require("node:assert/strict");
const http = require("node:http");
const { waitFor, within } = require("./wait.js");

const WAIT_MS = 20000;
const SIGN = { online: "+", offline: "-", reset: "!" };

class Feed {
	constructor(address, lastId = "") {
		this.address = address;
		this.lastId = lastId;
		this.events = []; // {id, event, userId, at}
		this.isEnded = false;
	}

	// From now on, or from behind `lastId`; resolves when the stream is open.
	static async open(t, address, lastId = "") {
		const feed = new Feed(address, lastId);
		const headers = lastId ? { "Last-Event-ID": lastId } : {};
		const [host, port] = address.split(":");
		feed.request = http.get({ host, port, path: "/api/v1/events", headers });
		t.after(() => feed.request.destroy());
		await within(new Promise((resolve, reject) => {
			feed.request.on("error", reject);
			feed.request.on("response", (response) => feed.#read(response, resolve, reject));
		}), WAIT_MS, `feed of ${address}`);
		return feed;
	}

	close() {
		this.request.destroy();
	}

	#read(response, opened, failed) {
		let rest = "";
		response.setEncoding("utf8");
		response.on("error", () => {});
		response.on("close", () => (this.isEnded = true));
		if (response.statusCode !== 200)
			failed(new Error(`/api/v1/events answered ${response.statusCode}`));
		response.on("data", (more) => {
			const blocks = (rest + more).split("\n\n");
			rest = blocks.pop();
			opened();
			for (const block of blocks)
				this.#take(block);
		});
	}

	#take(block) {
		const fields = new Map(block.split("\n").map((line) => {
			const at = line.indexOf(":");
			return [line.slice(0, at), line.slice(at + 1).trimStart()];
		}));
		if (!fields.has("event"))
			return;
		const id = fields.get("id");
		const data = JSON.parse(fields.get("data"));
		assert.ok(SIGN[fields.get("event")], `a strange event: ${block}`);
		assert.ok(id > this.lastId, `event ${id} behind ${this.lastId}`);
		this.lastId = id;
		this.events.push({ id, event: fields.get("event"), userId: data.userId, at: Date.parse(data.at) });
	}

	// What was told up to now is not looked at any more.
	forget() {
		this.events = [];
	}

	// "+ann -ann !", for comparing; resets only when asked for.
	text({ resets = false } = {}) {
		return this.events.filter((event) => resets || event.event !== "reset")
			.map((event) => `${SIGN[event.event]}${event.userId ?? ""}`).join(" ");
	}

	// What is known of one user.
	of(userId) {
		return this.events.filter((event) => event.userId === userId).map((event) => SIGN[event.event]).join("");
	}

	until(condition, what, deadlineMs = WAIT_MS) {
		return waitFor(() => condition(this), deadlineMs, what).catch((error) => {
			throw new Error(`${error.message}; told: ${this.text({ resets: true }).slice(0, 2000)}`);
		});
	}

	untilText(text, deadlineMs) {
		return this.until(() => this.text() === text, `the feed to tell ${JSON.stringify(text)}`, deadlineMs);
	}
}

module.exports = { Feed };
