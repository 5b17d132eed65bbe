// SPDX-License-Identifier: Apache-2.0
// Writes down what presence says: who is online, asked of each replica in turn, and who came
// and went, heard from the feed of each. What a row does to presence or its store on purpose
// happens between suspend() and resume(), which leave it unjudged: rows measure that
// themselves.
"use strict";

const http = require("node:http");
const path = require("node:path");
const { HistoryWriter, nowUs } = require("./history_writer.js");

const LIST_EVERY_MS = 1000;
const FEED_AGAIN_MS = 500;
// A presence that starts says nothing of who comes and goes for a lease (docs/PRESENCE.md, "The quiet phase").
const QUIET_MS = 12000;
const EVENTS = { online: "on", offline: "off" };

class Observer {
	#timer = null;
	#turn = 0;
	#feeds = new Map(); // presence -> request
	#isOn = false;
	#isAsking = false;

	constructor(stage) {
		this.cluster = stage.cluster;
		this.file = path.join(stage.folder, "presence.history");
		this.history = new HistoryWriter(this.file, { writer: "observer" });
		this.failed = 0; // questions without an answer
	}

	async start() {
		this.resume(true);
		this.#timer = setInterval(() => this.#ask(), LIST_EVERY_MS);
	}

	// `isNew`: presence has just started.
	resume(isNew = false) {
		if (this.#isOn)
			return;
		this.#isOn = true;
		for (const name of this.cluster.presences)
			setTimeout(() => this.#listen(name), isNew ? QUIET_MS : 0);
	}

	suspend() {
		this.#isOn = false;
		for (const request of this.#feeds.values())
			request.destroy();
	}

	// With one more list of each replica, which must be right.
	async stop() {
		clearInterval(this.#timer);
		for (const name of this.cluster.presences)
			await this.#list(name).catch(() => this.failed++);
		this.suspend();
		this.history.close();
	}

	// The ids of all who are online, as one replica has them.
	async online(name) {
		const users = [];
		let cursor = "";
		do {
			const page = await this.cluster.json(`/api/v1/users${cursor && `?cursor=${encodeURIComponent(cursor)}`}`, name);
			users.push(...page.users.map((user) => user.userId));
			cursor = page.next ?? "";
		} while (cursor);
		return users;
	}

	async #ask() {
		if (!this.#isOn || this.#isAsking)
			return;
		this.#isAsking = true;
		const { presences } = this.cluster;
		await this.#list(presences[this.#turn++ % presences.length]).catch(() => this.failed++);
		this.#isAsking = false;
	}

	async #list(name) {
		const calledUs = nowUs();
		const users = await this.online(name);
		if (this.#isOn)
			this.history.online(users, calledUs);
	}

	// Again and again, until suspended.
	#listen(name) {
		if (!this.#isOn || this.#feeds.has(name))
			return;
		const request = http.get({ host: this.cluster.net.ip(name), port: 9100, path: "/api/v1/events",
			headers: { Authorization: `Bearer ${this.cluster.token}` } });
		let isOpen = false;
		this.#feeds.set(name, request);
		request.on("error", () => {});
		request.on("response", (response) => {
			if (response.statusCode !== 200)
				return request.destroy();
			isOpen = true;
			this.history.watching(name, true);
			this.#read(response, name, request);
		});
		request.on("close", () => {
			this.#feeds.delete(name);
			if (isOpen)
				this.history.watching(name, false);
			setTimeout(() => this.#listen(name), FEED_AGAIN_MS);
		});
	}

	#read(response, name, request) {
		let rest = "";
		response.setEncoding("utf8");
		response.on("error", () => {});
		response.on("data", (more) => {
			const blocks = (rest + more).split("\n\n");
			rest = blocks.pop();
			for (const block of blocks) {
				const [, event] = /^event: (\w+)$/m.exec(block) ?? [];
				const [, data] = /^data: (.*)$/m.exec(block) ?? [];
				if (event === "reset")
					return request.destroy(); // a gap: listens anew
				if (EVENTS[event])
					this.history.presence(name, JSON.parse(data).userId, EVENTS[event]);
			}
		});
	}
}

module.exports = { Observer };
