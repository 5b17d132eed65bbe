// SPDX-License-Identifier: Apache-2.0
// One room of the hub chat: who is in it, what is said, who types. Knows nothing of the page: it
// tells what happened through the callbacks it was given, and the page draws.

const ROSTER_SETTLE_MS = 120;

export class Room {
	#client;
	#roomId;
	#on;
	#rosterTimer = 0;
	#lostAt = 0;

	// on: { joined, history, message, roster, typing, ack }
	constructor(client, roomId, on) {
		this.#client = client;
		this.#roomId = roomId;
		this.#on = on;
		const here = (event) => event.roomId === roomId;
		client.onState(({ state }) => state === "reconnecting" && this.#onLost());
		client.on("LoadMessages", (messages) => on.history(messages));
		client.on("ReceiveMessage", (message) => here(message) && on.message(message));
		client.on("UserTyping", (event) => on.typing(event));
		client.on("UserJoinedRoom", (event) => here(event) && this.#refreshRoster());
		client.on("UserLeftRoom", (event) => here(event) && this.#refreshRoster());
	}

	// Membership ends with the connection, so every new connection joins again.
	async enter() {
		const { members } = await this.#client.invoke("JoinRoom", this.#roomId);
		const awayMs = this.#lostAt ? performance.now() - this.#lostAt : 0;
		this.#lostAt = 0;
		this.#on.joined(members, awayMs);
	}

	async leave() {
		clearTimeout(this.#rosterTimer);
		await this.#client.invoke("LeaveRoom", this.#roomId);
	}

	async say(text) {
		const sentAt = performance.now();
		await this.#client.invoke("SendMessage", this.#roomId, text);
		this.#on.ack(performance.now() - sentAt);
	}

	// Typing is a hint: when it cannot be sent, nobody misses anything.
	setTyping(isTyping) {
		this.#client.send(isTyping ? "StartTyping" : "StopTyping", this.#roomId).catch(() => {});
	}

	#onLost() {
		this.#lostAt ||= performance.now();
	}

	// Joins and leaves come in bursts, and one user may hold several tabs: ask, do not count.
	#refreshRoster() {
		clearTimeout(this.#rosterTimer);
		this.#rosterTimer = setTimeout(async () => {
			try {
				const { members } = await this.#client.invoke("RoomMembers", this.#roomId);
				this.#on.roster(members);
			} catch {
				// The connection went meanwhile; joining again brings the roster.
			}
		}, ROSTER_SETTLE_MS);
	}
}
