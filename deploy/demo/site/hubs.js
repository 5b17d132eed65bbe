// SPDX-License-Identifier: Apache-2.0
// The connections of one visitor, one for each hub that the page has opened, and what the page
// shows of them: the state of each, and one state out of all.

import { HubClientBuilder } from "./vendor/heliograph/index.js";

// What a visitor of this page may do; a cluster outside of dev mode gives no such tokens.
const ROLES = ["notify", "livedata.publish"];
const WORST_FIRST = ["disconnected", "reconnecting", "connecting", "connected"];

async function mintToken(user) {
	const response = await fetch("dev/token", {
		method: "POST",
		headers: { "Content-Type": "application/json" },
		body: JSON.stringify({ userId: user.id, name: user.name, roles: ROLES }),
	});
	if (!response.ok)
		throw new Error(`The gateway gave no token (status ${response.status}).`);
	return (await response.json()).token;
}

// Each cluster serves the hubs that it was told to.
function isNotServed(error) {
	return /Status code '404'/.test(error.message);
}

export class NotServedError extends Error {
	constructor(name) {
		super(`This cluster does not serve the hub ${name}.`);
	}
}

export class Hubs {
	#user;
	#on;
	#hubs = new Map(); // name -> {client, state, enter, wasIn, retry}

	// on: { states(), transport(name, transport), trouble(name, error) }
	constructor(user, on) {
		this.#user = user;
		this.#on = on;
	}

	// [name, state] of each, in the order in which they were opened.
	get states() {
		return [...this.#hubs].map(([name, { state }]) => [name, state]);
	}

	// The worst state of those that were connected once, or else of all.
	get state() {
		const all = [...this.#hubs.values()];
		const seen = all.filter((hub) => hub.wasIn);
		const states = (seen.length > 0 ? seen : all).map((hub) => hub.state);
		return WORST_FIRST.find((state) => states.includes(state)) ?? "idle";
	}

	// The next try of whichever hub tries last: {attempt, delayMs, due} or null.
	get retry() {
		const plans = [...this.#hubs.values()].filter((hub) => hub.state === "reconnecting" && hub.retry).map((hub) => hub.retry);
		return plans.sort((a, b) => b.due - a.due)[0] ?? null;
	}

	isIn(name) {
		return this.#hubs.get(name)?.state === "connected";
	}

	client(name) {
		return this.#hubs.get(name)?.client;
	}

	// A client for the hub, not started yet.
	make(name) {
		const client = new HubClientBuilder(`hubs/${name}`)
			.withToken(() => mintToken(this.#user))
			.withRetry({ giveUpOn: isNotServed })
			.withLogger({ log: (_level, text) => this.#onLog(name, text) })
			.build();
		const hub = { client, state: "idle", enter: null, wasIn: false, retry: null };
		this.#hubs.set(name, hub);
		client.onRetry((plan) => {
			hub.retry = { ...plan, due: performance.now() + plan.delayMs };
			this.#on.states();
		});
		client.onState(({ state, error }) => this.#onState(name, hub, state, error));
		return client;
	}

	// Connects, and runs `enter` after every connection: what the server knows of us ends with each.
	// Resolves when it was run for the first time.
	async start(name, enter) {
		const hub = this.#hubs.get(name);
		await new Promise((resolve, reject) => {
			hub.enter = async () => {
				const { connectionId } = hub.client;
				try {
					await enter(hub.wasIn);
					hub.wasIn = true;
					this.#set(hub, "connected");
					resolve();
				} catch (error) {
					// When the connection went meanwhile, the next one enters.
					if (hub.client.connectionId !== connectionId)
						return;
					this.#set(hub, "disconnected");
					this.#on.trouble(name, error);
					reject(error);
				}
			};
			this.#connect(name, hub).catch(reject);
		});
	}

	// Those that were given up are tried again, and entered again those that have a connection.
	restart() {
		for (const [name, hub] of this.#hubs) {
			if (hub.state !== "disconnected")
				continue;
			if (hub.client.state === "disconnected")
				this.#connect(name, hub).catch(() => {}); // the state tells
			else if (hub.client.state === "connected")
				this.#enter(hub);
		}
	}

	async stop() {
		const clients = [...this.#hubs.values()].map((hub) => hub.client);
		this.#hubs.clear();
		await Promise.all(clients.map((client) => client.stop().catch(() => {})));
	}

	async #connect(name, hub) {
		this.#set(hub, "connecting");
		try {
			await hub.client.start();
		} catch (error) {
			this.#set(hub, isNotServed(error) ? "idle" : "disconnected");
			throw isNotServed(error) ? new NotServedError(name) : error;
		}
	}

	#enter(hub) {
		this.#set(hub, "connecting");
		hub.enter();
	}

	#onState(name, hub, state, error) {
		if (state === "connected")
			hub.enter();
		else
			this.#set(hub, state);
		if (state === "disconnected" && error && hub.wasIn)
			this.#on.trouble(name, error);
	}

	#set(hub, state) {
		hub.state = state;
		if (state === "connected")
			hub.retry = null;
		this.#on.states();
	}

	// The client tells which transport it chose only in its log.
	#onLog(name, text) {
		const chosen = /Selecting transport '(\w+)'/.exec(text);
		if (chosen)
			this.#on.transport(name, chosen[1]);
	}
}
