// SPDX-License-Identifier: Apache-2.0
// One live session with the chat hub: token, connection, room, and getting back to both.
// Owns the SignalR connection. Knows nothing of the page: it tells what happened through
// the callbacks it was given, and the page draws.

const RETRY_FIRST_MS = 400;
const RETRY_MAX_MS = 15000;
const ROSTER_SETTLE_MS = 120;

// Doubling with a third of jitter, so that a thousand tabs do not come back in step.
export function retryDelayMs(tries, random = Math.random) {
	const delay = Math.min(RETRY_FIRST_MS * 2 ** Math.min(tries, 16), RETRY_MAX_MS);
	return Math.round(delay * (0.67 + random() * 0.33));
}

async function mintToken(user) {
	const response = await fetch("dev/token", {
		method: "POST",
		headers: { "Content-Type": "application/json" },
		body: JSON.stringify({ userId: user.id, name: user.name, roles: [] }),
	});
	if (!response.ok)
		throw new Error(`The gateway gave no token (status ${response.status}).`);
	return (await response.json()).token;
}

export class Session {
	#connection = null;
	#user;
	#roomId;
	#on;
	#stopped = false;
	#restartTimer = 0;
	#rosterTimer = 0;
	#lostAt = 0;

	// on: { state, transport, joined, history, message, roster, typing, ack }
	constructor(user, roomId, on) {
		this.#user = user;
		this.#roomId = roomId;
		this.#on = on;
		this.#connection = this.#build();
	}

	get connectionId() {
		return this.#connection.connectionId;
	}

	get isConnected() {
		return this.#connection.state === signalR.HubConnectionState.Connected;
	}

	// Resolves once the room is entered; rejects when the very first try fails.
	async start() {
		this.#on.state("connecting");
		await this.#connection.start();
		await this.#enter();
	}

	async stop() {
		this.#stopped = true;
		clearTimeout(this.#restartTimer);
		clearTimeout(this.#rosterTimer);
		if (this.isConnected)
			await this.#connection.invoke("LeaveRoom", this.#roomId).catch(() => {});
		await this.#connection.stop().catch(() => {});
		this.#on.state("idle");
	}

	async say(text) {
		const sentAt = performance.now();
		await this.#connection.invoke("SendMessage", this.#roomId, text);
		this.#on.ack(performance.now() - sentAt);
	}

	// Typing is a hint: when it cannot be sent, nobody misses anything.
	setTyping(isTyping) {
		if (this.isConnected)
			this.#connection
				.send(isTyping ? "StartTyping" : "StopTyping", this.#roomId)
				.catch(() => {});
	}

	#build() {
		const connection = new signalR.HubConnectionBuilder()
			.withUrl("hubs/chat", { accessTokenFactory: () => mintToken(this.#user) })
			.withAutomaticReconnect({
				nextRetryDelayInMilliseconds: (retry) => this.#planRetry(retry.previousRetryCount),
			})
			.configureLogging({ log: (level, text) => this.#onLog(text) })
			.build();
		connection.onreconnecting(() => this.#onLost());
		connection.onreconnected(() => this.#enter().catch(() => {}));
		connection.onclose(() => this.#onClosed());
		this.#listen(connection);
		return connection;
	}

	#listen(connection) {
		const here = (event) => event.roomId === this.#roomId;
		connection.on("LoadMessages", (messages) => this.#on.history(messages));
		connection.on("ReceiveMessage", (message) => here(message) && this.#on.message(message));
		connection.on("UserTyping", (event) => this.#on.typing(event));
		connection.on("UserJoinedRoom", (event) => here(event) && this.#refreshRoster());
		connection.on("UserLeftRoom", (event) => here(event) && this.#refreshRoster());
	}

	// The client tells which transport it chose only in its log.
	#onLog(text) {
		const chosen = /Selecting transport '(\w+)'/.exec(text);
		if (chosen)
			this.#on.transport(chosen[1]);
	}

	#planRetry(tries) {
		const delay = retryDelayMs(tries);
		this.#on.state("reconnecting", { delay, tries: tries + 1 });
		return delay;
	}

	#onLost() {
		if (!this.#lostAt)
			this.#lostAt = performance.now();
		this.#on.state("reconnecting", { delay: 0, tries: 0 });
	}

	// The server ended it for good; a new connection may be welcome all the same.
	#onClosed() {
		if (this.#stopped)
			return;
		this.#onLost();
		this.#restart(0);
	}

	#restart(tries) {
		const delay = this.#planRetry(tries);
		this.#restartTimer = setTimeout(async () => {
			try {
				await this.#connection.start();
				await this.#enter();
			} catch {
				// A start that succeeded before its join failed ends in onclose.
				if (this.#connection.state === signalR.HubConnectionState.Disconnected)
					this.#restart(tries + 1);
			}
		}, delay);
	}

	// Membership ends with the connection, so every new connection joins again.
	async #enter() {
		const { members } = await this.#connection.invoke("JoinRoom", this.#roomId);
		const awayMs = this.#lostAt ? performance.now() - this.#lostAt : 0;
		this.#lostAt = 0;
		this.#on.joined(members, awayMs);
		this.#on.state("connected");
	}

	// Joins and leaves come in bursts, and one user may hold several tabs: ask, do not count.
	#refreshRoster() {
		clearTimeout(this.#rosterTimer);
		this.#rosterTimer = setTimeout(async () => {
			if (!this.isConnected)
				return;
			try {
				const { members } = await this.#connection.invoke("RoomMembers", this.#roomId);
				this.#on.roster(members);
			} catch {
				// The connection went meanwhile; joining again brings the roster.
			}
		}, ROSTER_SETTLE_MS);
	}
}
