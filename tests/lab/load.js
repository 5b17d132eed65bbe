// SPDX-License-Identifier: Apache-2.0
// The traffic of a row: processes of traffic.js on the clients' host, through the edge, and an
// observer of presence; all of them write histories, which are judged together at the end.
"use strict";

const path = require("node:path");
const { waitFor, within } = require("../kit/wait.js");
const { Helper } = require("./helper.js");
const { check } = require("./history.js");
const { Observer } = require("./observer.js");

// At SCALE=1.
const CLIENTS = 300;
const RATE = 50;
const GROUP_SIZE = 20;
// Deadlines that only what hangs can miss, on any machine: none of them is a figure.
const START_MS = 180000;
const ANSWER_MS = 60000;
const STOP_MS = 120000;

class Load {
	#helper;

	// `options` of traffic.js, where they are not the usual; null: no traffic.
	constructor(stage, options = {}) {
		const clients = Math.max(Math.round(CLIENTS * stage.scale), GROUP_SIZE);
		this.stage = stage;
		this.options = { clients, groups: Math.round(clients / GROUP_SIZE), rate: RATE * stage.scale, memberships: 1,
			stateful_share: 0.5, sse_share: 0.1, longpolling_share: 0.1, seed: stage.seed,
			stop_ms: STOP_MS, ...options };
		this.file = path.join(stage.folder, "traffic.history");
		this.observer = new Observer(stage);
	}

	async start() {
		await this.observer.start();
		const { net, cluster } = this.stage;
		const args = Object.entries({ history: this.file, urls: cluster.url, token_key_file: cluster.file("auth.key"),
			...this.options }).map(([name, value]) => `--${name}=${value}`);
		this.#helper = new Helper("traffic", [...net.at("clients"), process.execPath, path.join(__dirname, "traffic.js"), ...args]);
		await this.#helper.answer(START_MS, "its beginning");
		await this.#untilStateful();
	}

	// A gateway may refuse them that: then nothing that is said of stateful clients is true.
	async #untilStateful() {
		const { cluster } = this.stage;
		const { stateful } = await this.status();
		await waitFor(async () => await cluster.total(cluster.gateways, "stateful_connections") >= stateful, START_MS,
			`${stateful} connections with stateful reconnect`);
	}

	// {clients, stateful, up, joined, sent, waiting ...} at the moment.
	async status() {
		return JSON.parse((await this.#helper.ask("status", ANSWER_MS)).replace(/^status /, ""));
	}

	// Nobody sends any more, what is due has come, all clients have gone.
	async stop() {
		this.quiet = JSON.parse((await this.#helper.ask("stop", 3 * STOP_MS + ANSWER_MS)).replace(/^quiet /, ""));
		await this.observer.stop();
		await this.#helper.ask("close", 2 * STOP_MS);
		await within(this.#helper.ended, ANSWER_MS, "the end of the traffic");
	}

	async check(others, options) {
		return check([this.file, this.observer.file, ...others], options);
	}

	about(verdict) {
		const { counts } = verdict;
		return { clients: this.options.clients, rate: this.options.rate, sent: counts.sent, delivered: counts.got };
	}
}

module.exports = { Load };
