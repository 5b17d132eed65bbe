// SPDX-License-Identifier: Apache-2.0
// One official client of the relay hub that writes down what it does and hears: it connects,
// joins its groups, says what it is told to say, and comes back when it was cut off.
"use strict";

const path = require("node:path");
const { signalR } = require("../kit/clients.js");
const { pause } = require("../kit/wait.js");
const { nowUs } = require("./history_writer.js");

// Those that @microsoft/signalr itself uses.
const ofSignalR = (name) => require(require.resolve(name, {
	paths: [path.dirname(require.resolve("@microsoft/signalr/package.json"))] }));
const WebSocket = ofSignalR("ws");
const EventSource = ofSignalR("eventsource");

const EVENT = "m";
const RETRY_MS = 200;
const ROLES = ["relay.join", "relay.send", "relay.user"];

const TRANSPORTS = {
	websockets: signalR.HttpTransportType.WebSockets,
	sse: signalR.HttpTransportType.ServerSentEvents,
	longpolling: signalR.HttpTransportType.LongPolling,
};

const PROTOCOLS = {
	json: () => new signalR.JsonHubProtocol(),
	messagepack: () => new (require("@microsoft/signalr-protocol-msgpack").MessagePackHubProtocol)(),
};

// docs/WIRE.md, "Errors in completions": what begins like the first was not run, and the
// client itself refuses what it cannot send. All else may have been done.
const CERTAIN = [/^Failed to invoke '/, /HubException: Not allowed/, /^Cannot send data if the connection is not/];

function outcomeOf(error) {
	return CERTAIN.some((pattern) => pattern.test(error.message)) ? "refused" : "unknown";
}

// The client gives up a stream that it could not open, and leaves it open to try again: what it gets
// then, the client takes for what came over its next one. Nobody but the client could mend that when
// the answer was an edge's, or none.
class GivenUpSource extends EventSource {
	constructor(...args) {
		super(...args);
		let isOpen = false;
		this.addEventListener("open", () => { isOpen = true; });
		this.addEventListener("error", () => isOpen || this.close());
	}
}

const groupTarget = (group) => `g:${group}`;
const userTarget = (user) => `u:${user}`;

class Talker {
	#options;
	#history;
	#connection;
	#numbers = new Map(); // target -> how many were sent
	#highs = new Map(); // "sender target" -> the highest number heard over this connection
	#isStopping = false;
	#isUp = false; // a connection is open, as its last line says
	#endedUs = 0;
	#heardLife = 1; // the connection over which messages come
	#revival = null; // of a connection that has ended for good, while it is under way
	#opening = Promise.resolve(); // of what follows a reconnect
	#sockets = new Set(); // that have not closed
	#tokens = new Set(); // that are asked for, each for a socket

	// options: name, user, url, kind ("stateful" or "plain"), transport, protocol, groups,
	// token (a function of the user and its roles), retryMs (to the next try of a reconnect;
	// null: as @microsoft/signalr does by itself).
	constructor(options, history) {
		this.#options = options;
		this.#history = history;
		this.name = options.name;
		this.user = options.user;
		this.groups = options.groups;
		this.life = 1;
		this.since = new Map(); // target -> when it had joined over this connection
		this.url = options.url;
		this.lost = 0; // connections, but by its own user
		this.waiting = 0; // sends without an outcome
		this.heard = 0; // deliveries
		this.acceptedCount = 0;
		this.isActing = false; // its user's: while it leaves, joins, begins again
		this.accepted = new Map(); // target -> {n, sentUs} of the last accepted send
		this.#connection = this.#build();
	}

	get isUp() {
		return this.#isUp;
	}

	// Asks for stateful reconnect; whether it has it is the gateway's to say.
	get isStateful() {
		return this.#options.kind === "stateful";
	}

	get isStopping() {
		return this.#isStopping;
	}

	// What it is, and is about: for people.
	get story() {
		const { kind, transport, protocol } = this.#options;
		return `${this.name} (${kind} ${transport} ${protocol}, ${this.#connection.state}, life ${this.life}` +
			`${this.waiting ? `, ${this.waiting} sends wait` : ""}${this.isActing ? ", joins or begins again" : ""})`;
	}

	// calledUs: of the first try, if there was one before: it may have come as far as to a connection.
	async start(calledUs = nowUs()) {
		await this.#connection.start();
		await this.#opened(calledUs);
	}

	// Its numbered message; resolves when its outcome is written down.
	async say(target) {
		const n = (this.#numbers.get(target) ?? 0) + 1;
		const isGroup = target.startsWith("g:");
		this.#numbers.set(target, n);
		this.waiting++;
		const sentUs = nowUs();
		this.#history.sent(this.name, this.life, target, n);
		try {
			await this.#connection.invoke(isGroup ? "SendToGroup" : "SendToUser", target.slice(2), EVENT,
				this.name, target, n);
			this.#history.completed(this.name, target, n, "ok");
			this.acceptedCount++;
			if (n > (this.accepted.get(target)?.n ?? 0))
				this.accepted.set(target, { n, sentUs });
		} catch (error) {
			this.#history.completed(this.name, target, n, outcomeOf(error), error.message);
		} finally {
			this.waiting--;
		}
	}

	async join(group) {
		const { life } = this;
		const calledUs = nowUs();
		const outcome = await this.#invoke("JoinGroup", group);
		this.#history.joined(this.name, life, groupTarget(group), calledUs, outcome);
		if (outcome === "ok" && life === this.life)
			this.since.set(groupTarget(group), nowUs());
		return outcome;
	}

	async leave(group) {
		const { life } = this;
		const calledUs = nowUs();
		this.since.delete(groupTarget(group));
		const outcome = await this.#invoke("LeaveGroup", group);
		this.#history.left(this.name, life, groupTarget(group), calledUs, outcome);
		return outcome;
	}

	// Has it heard that number, if it must have?
	hasHeard(sender, target, { n, sentUs }) {
		const since = this.since.get(target);
		return since === undefined || since > sentUs || (this.#highs.get(`${sender} ${target}`) ?? 0) >= n;
	}

	// Ends this connection in the middle of things, and begins the next.
	async reopen() {
		this.#end("left");
		await this.#connection.stop();
		await this.#endLateSockets();
		this.#heardLife = this.life;
		await this.#revive();
	}

	// how: "own" or "left", as history.js has it.
	async stop(how) {
		this.#isStopping = true;
		this.#end(how);
		await this.#connection.stop();
		await Promise.all([this.#revival ?? true, this.#opening]);
		// It may have come up meanwhile.
		this.#end("left");
		await this.#connection.stop();
	}

	#build() {
		const { url, kind, transport, protocol, retryMs } = this.#options;
		const builder = new signalR.HubConnectionBuilder()
			.withUrl(`${url}/hubs/relay`, {
				transport: TRANSPORTS[transport],
				accessTokenFactory: () => this.#token(),
				WebSocket: this.#watchedSocket(),
				EventSource: GivenUpSource,
			})
			.withHubProtocol(PROTOCOLS[protocol]())
			.configureLogging(signalR.LogLevel.None);
		if (kind === "stateful")
			builder.withStatefulReconnect();
		if (retryMs === null)
			builder.withAutomaticReconnect();
		else
			builder.withAutomaticReconnect({ nextRetryDelayInMilliseconds: () => retryMs });
		const connection = builder.build();
		connection.on(EVENT, (sender, target, n) => this.#heard(sender, target, n));
		connection.onreconnecting((error) => this.#end("lost", error?.message));
		connection.onreconnected(() => {
			this.#opening = this.#opened(this.#endedUs);
		});
		connection.onclose((error) => this.#closed(error));
		return connection;
	}

	#heard(sender, target, n) {
		const key = `${sender} ${target}`;
		this.heard++;
		this.#history.received(this.name, this.#heardLife, sender, target, n);
		if (n > (this.#highs.get(key) ?? 0))
			this.#highs.set(key, n);
	}

	async #opened(calledUs) {
		const { kind, transport, protocol, url } = this.#options;
		this.#history.opened(this.name, this.life, calledUs, { user: this.user, id: this.#connection.connectionId,
			kind, transport, protocol, url });
		this.#history.joined(this.name, this.life, userTarget(this.user), calledUs);
		this.since.set(userTarget(this.user), nowUs());
		this.#isUp = true;
		const { life } = this;
		for (const group of this.groups)
			while (this.#isUp && life === this.life && await this.join(group) !== "ok")
				await pause(RETRY_MS);
	}

	// What comes from now on, comes over the next connection; but one that is being stopped
	// in order goes on until it has stopped.
	#end(how, reason) {
		if (!this.#isUp)
			return;
		this.#isUp = false;
		this.lost += how === "lost";
		this.#endedUs = nowUs();
		this.#history.ended(this.name, this.life, how, reason);
		this.life++;
		if (how === "lost")
			this.#heardLife = this.life;
		this.since.clear();
		this.#highs.clear();
	}

	#closed(error) {
		if (this.#isStopping || (!this.#isUp && !error))
			return;
		this.#end("lost", error?.message);
		this.#revive();
	}

	// The client itself has given up, or was ended: its user begins again, once.
	#revive() {
		this.#revival ??= this.#startAgain().finally(() => { this.#revival = null; });
		return this.#revival;
	}

	async #startAgain() {
		const calledUs = nowUs();
		while (!this.#isStopping)
			try {
				await this.start(calledUs);
				return;
			} catch {
				await pause(RETRY_MS);
			}
	}

	async #invoke(method, group) {
		try {
			await this.#connection.invoke(method, group);
			return "ok";
		} catch (error) {
			return outcomeOf(error);
		}
	}

	// A stateful client that is stopped while it comes back goes on to come back: what it gets over
	// that socket it takes for what came over the one of its next beginning.
	async #endLateSockets() {
		await Promise.allSettled(this.#tokens);
		await pause(0);
		const late = [...this.#sockets].filter((socket) => [WebSocket.CONNECTING, WebSocket.OPEN].includes(socket.readyState));
		await Promise.all(late.map((socket) => new Promise((resolve) => {
			socket.once("close", resolve);
			socket.terminate();
		})));
	}

	#token() {
		const token = Promise.resolve(this.#options.token({ userId: this.user, name: this.user, roles: ROLES }));
		const forget = () => this.#tokens.delete(token);
		this.#tokens.add(token);
		token.then(forget, forget);
		return token;
	}

	// A WebSocket that tells when a stateful connection loses it, and has another.
	#watchedSocket() {
		const talker = this;
		return class extends WebSocket {
			constructor(...args) {
				super(...args);
				talker.#sockets.add(this);
				this.on("open", () => talker.#socket("up"));
				this.on("close", () => {
					talker.#sockets.delete(this);
					talker.#socket("down");
				});
			}
		};
	}

	#socket(state) {
		if (this.#isUp && this.#options.kind === "stateful")
			this.#history.socket(this.name, this.life, state);
	}
}

module.exports = { Talker, groupTarget, userTarget, TRANSPORTS, PROTOCOLS };
