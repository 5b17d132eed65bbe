// SPDX-License-Identifier: Apache-2.0
// Traffic that makes a history (history.js): official clients of all kinds in groups of the
// relay hub, who send to each other at a pace that waits for nobody.
//
//	node tests/lab/traffic.js --history=FILE --urls=http://HOST:PORT[,…] [--clients=60] [--rate=200] …
//
// It prints "ready {json}" when all are connected and have joined. Then it obeys lines on
// stdin, and answers each with one line:
//	status       "status {json}": clients up, messages sent, accepted, waiting …
//	mark TEXT    "marked": TEXT goes into the history
//	stop         "quiet {json}": nobody sends any more, every send has its outcome, what was due has come or is
//	             overdue, and nothing has come for a second; `late`: clients that wait for something all the same
//	close        "closed": all clients have ended; the process ends with 0. Or it ends with 1, saying who has not
// SIGTERM, SIGINT and the end of stdin: stop and close. Options are in OPTIONS below.
"use strict";

const crypto = require("node:crypto");
const fs = require("node:fs");
const { mintToken } = require("../kit/clients.js");
const { randomOf } = require("../kit/random.js");
const { pause, waitFor, within } = require("../kit/wait.js");
const { HistoryWriter, nowUs } = require("./history_writer.js");
const { Talker, groupTarget, userTarget, TRANSPORTS, PROTOCOLS } = require("./talker.js");

const OPTIONS = {
	history: "", // the file that is written
	urls: "", // of gateways or an edge, dealt out in turn
	name: "t", // in front of the names of clients, users: several processes differ in it
	group_name: "g", // in front of the names of groups: several processes may share them
	clients: 60,
	users: 0, // 0: each client is a user of its own
	groups: 6,
	memberships: 1, // groups of each client
	rate: 200, // messages a second, of all clients
	users_share: 0.05, // of the messages go to users
	stateful_share: 0.5,
	messagepack_share: 0.5,
	sse_share: 0, // stateful clients are on WebSockets whatever these say
	longpolling_share: 0,
	churn: 0, // leaves and joins again, a second
	reopen: 0, // connections ended and begun again, a second
	retry_ms: -1, // of reconnects; -1: as @microsoft/signalr does by itself
	start_parallel: 50, // connections on the way at once
	waiting_max: 200, // sends of one client without an outcome: over it the client is passed over
	stop_ms: 60000, // how long "stop" and "close" each wait at most
	token_key_file: "", // HS256; empty: tokens are asked for at POST /dev/token
	seed: 1,
};

const TICK_MS = 5;
const JOIN_AGAIN_MS = 20;
const QUIET_MS = 1000;
const START_TRIES = 4;
const TOKEN_S = 3600;

// HS256, as the gateway's auth_key_file has it.
function signer(file) {
	const key = fs.readFileSync(file, "utf8").trim();
	const base64url = (value) => Buffer.from(JSON.stringify(value)).toString("base64url");
	return ({ userId, ...claims }) => {
		const exp = Math.floor(Date.now() / 1000) + TOKEN_S;
		const text = `${base64url({ alg: "HS256", typ: "JWT" })}.${base64url({ sub: userId, ...claims, exp })}`;
		return `${text}.${crypto.createHmac("sha256", key).update(text).digest("base64url")}`;
	};
}

// The official client gives up a handshake that takes it 15 s.
async function begin(talker) {
	const calledUs = nowUs();
	for (let tries = 1; ; tries++)
		try {
			return await talker.start(calledUs);
		} catch (error) {
			if (tries === START_TRIES)
				throw error;
		}
}

class Traffic {
	#options;
	#random;
	#timer = null;
	#isStopped = false;
	#startedMs = 0;
	#turn = 0;
	#heard = 0; // deliveries
	#heardMs = 0; // when one came last
	#due = { rate: 0, churn: 0, reopen: 0 }; // done so far
	#acts = new Set(); // joins and reopenings on the way

	constructor(options) {
		this.#options = { ...OPTIONS, ...options };
		this.#random = randomOf(this.#options.seed);
		this.history = new HistoryWriter(this.#options.history, { writer: "traffic", ...this.#options });
		this.passedOver = 0; // sends that no client could do
		this.sent = 0;
		this.talkers = Array.from({ length: this.#options.clients }, (_, i) => this.#talker(i));
	}

	// Connects all, and begins to talk.
	async start() {
		const waiting = [...this.talkers];
		const starter = async () => {
			for (let talker; (talker = waiting.shift());)
				await begin(talker);
		};
		await Promise.all(Array.from({ length: this.#options.start_parallel }, starter));
		this.#startedMs = performance.now();
		this.#timer = setInterval(() => this.#tick(), TICK_MS);
	}

	get status() {
		return {
			clients: this.talkers.length,
			stateful: this.talkers.filter((talker) => talker.isStateful).length,
			up: this.talkers.filter((talker) => talker.isUp).length,
			joined: this.talkers.filter((talker) => talker.since.size > talker.groups.length).length,
			sent: this.sent,
			accepted: this.#sum("acceptedCount"),
			waiting: this.#waiting,
			passed_over: this.passedOver,
			heard: this.#sum("heard"),
			lost: this.#sum("lost"),
		};
	}

	mark(text) {
		this.history.mark(text);
	}

	// Ends the sending, and waits until nothing is due any more: true, or it took too long.
	async stop() {
		clearInterval(this.#timer);
		const dueMs = performance.now() + this.#options.stop_ms;
		const until = (ask, what) => waitFor(ask, Math.max(dueMs - performance.now(), 0), what).then(() => true, () => false);
		const isAnswered = await until(() => this.#waiting === 0 && this.#acts.size === 0, "all outcomes");
		const isHeard = await until(() => this.#isHeard(), "what is due");
		const isQuiet = await until(() => this.#isQuiet(), "quiet");
		this.#isStopped = true;
		const late = this.talkers.filter((talker) => talker.waiting > 0 || talker.isActing).map((talker) => talker.story);
		return { answered: isAnswered, arrived: isHeard, quiet: isQuiet, late };
	}

	// Without a stop before, what was due is still on the way. Rejects when somebody does not end in time.
	async close() {
		clearInterval(this.#timer);
		const left = new Set(this.talkers);
		const ends = this.talkers.map(async (talker) => {
			await talker.stop(this.#isStopped ? "own" : "left");
			left.delete(talker);
		});
		const all = Promise.all([...ends, ...this.#acts]);
		all.catch(() => {}); // it may come late
		try {
			await within(all, this.#options.stop_ms, "the end of all clients");
			await waitFor(() => this.#waiting === 0, this.#options.stop_ms, "outcomes of ended connections");
		} catch (error) {
			const late = this.talkers.filter((talker) => left.has(talker) || talker.waiting > 0 || talker.isActing);
			throw new Error(`${error.message}; late: ${late.map((talker) => talker.story).join("; ")}`);
		} finally {
			this.history.close();
		}
	}

	get #waiting() {
		return this.#sum("waiting");
	}

	#sum(what) {
		return this.talkers.reduce((sum, talker) => sum + talker[what], 0);
	}

	#talker(i) {
		const options = this.#options;
		const urls = String(options.urls).split(",");
		const share = (of) => this.#random() < of;
		const kind = share(options.stateful_share) ? "stateful" : "plain";
		const other = this.#random();
		const transport = kind === "stateful" ? "websockets"
			: other < options.sse_share ? "sse"
			: other < options.sse_share + options.longpolling_share ? "longpolling" : "websockets";
		// Server-Sent Events are text.
		const isText = transport === "sse" || !share(options.messagepack_share);
		const url = urls[i % urls.length];
		return new Talker({
			name: `${options.name}${i}`,
			user: `${options.name}u${options.users ? i % options.users : i}`,
			url, kind, transport,
			protocol: isText ? "json" : "messagepack",
			groups: Array.from({ length: options.memberships }, (_, k) =>
				`${options.group_name}${(i + k) % options.groups}`),
			retryMs: options.retry_ms < 0 ? null : options.retry_ms,
			token: options.token_key_file ? signer(options.token_key_file) : (user) => mintToken(url, user),
		}, this.history);
	}

	// Does what is due by the clock, whatever became of what was due before.
	#tick() {
		const seconds = (performance.now() - this.#startedMs) / 1000;
		for (; this.#due.rate < seconds * this.#options.rate; this.#due.rate++)
			this.#say();
		for (; this.#due.churn < seconds * this.#options.churn; this.#due.churn++)
			this.#act((talker) => this.#leaveAndJoin(talker));
		for (; this.#due.reopen < seconds * this.#options.reopen; this.#due.reopen++)
			this.#act((talker) => talker.reopen());
	}

	// The next client in turn that can send.
	#say() {
		for (let i = 0; i < this.talkers.length; i++) {
			const talker = this.talkers[this.#turn++ % this.talkers.length];
			if (!talker.isUp || talker.waiting >= this.#options.waiting_max)
				continue;
			this.sent++;
			talker.say(this.#target(talker));
			return;
		}
		this.passedOver++;
	}

	#target(talker) {
		if (this.#random() < this.#options.users_share)
			return userTarget(this.#one(this.talkers).user);
		return groupTarget(this.#one(talker.groups));
	}

	// Each client does one of them at a time.
	#act(does) {
		const talker = this.#one(this.talkers);
		if (!talker.isUp || talker.isActing || talker.since.size <= talker.groups.length)
			return;
		talker.isActing = true;
		const act = does(talker).finally(() => {
			talker.isActing = false;
			this.#acts.delete(act);
		});
		this.#acts.add(act);
	}

	async #leaveAndJoin(talker) {
		const { life } = talker;
		const group = this.#one(talker.groups);
		await talker.leave(group);
		// A client that is just ending refuses at once, and would let nobody else run.
		while (talker.isUp && life === talker.life && await talker.join(group) !== "ok")
			await pause(JOIN_AGAIN_MS);
	}

	#one(list) {
		return list[Math.floor(this.#random() * list.length)];
	}

	// All that this process' clients were accepted with has come to those of them who must
	// have it.
	#isHeard() {
		for (const sender of this.talkers)
			for (const [target, last] of sender.accepted)
				if (!this.talkers.every((talker) => talker.hasHeard(sender.name, target, last)))
					return false;
		return true;
	}

	#isQuiet() {
		const { heard } = this.status;
		if (heard !== this.#heard) {
			this.#heard = heard;
			this.#heardMs = performance.now();
		}
		return performance.now() - this.#heardMs >= QUIET_MS;
	}
}

module.exports = { Traffic, OPTIONS, nowUs };

if (require.main === module)
	require("./traffic_main.js").main(process.argv.slice(2));
