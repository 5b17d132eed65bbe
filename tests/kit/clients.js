// SPDX-License-Identifier: Apache-2.0
// Official SignalR clients with a memory: every event that a test names is kept in order.
"use strict";

const signalR = require("@microsoft/signalr");
const { waitFor } = require("./wait.js");

const EVENTS = ["LoadMessages", "ReceiveMessage", "UserJoinedRoom", "UserLeftRoom", "UserTyping"];
const WAIT_MS = 10000;

let users = 0;

async function mintToken(url, user) {
	const response = await fetch(`${url}/dev/token`, {
		method: "POST",
		headers: { "Content-Type": "application/json" },
		body: JSON.stringify({ roles: [], ...user }),
	});
	if (!response.ok)
		throw new Error(`/dev/token answered ${response.status}`);
	return (await response.json()).token;
}

class Client {
	constructor(url, options = {}) {
		const userId = options.userId ?? `user${++users}`;
		this.user = { userId, name: options.name ?? `Name of ${userId}`, roles: options.roles ?? [] };
		this.events = []; // {event, args}, in order of arrival
		this.transport = signalR.HttpTransportType[options.http?.transport ?? signalR.HttpTransportType.WebSockets];
		this.closed = null; // {error} once onclose was called
		this.states = []; // "reconnecting", "reconnected", "closed"
		const builder = new signalR.HubConnectionBuilder()
			.withUrl(`${url}/hubs/${options.hub ?? "chat"}`, {
				transport: signalR.HttpTransportType.WebSockets,
				accessTokenFactory: () => mintToken(url, this.user),
				...options.http,
			})
			.configureLogging(signalR.LogLevel.None);
		if (options.protocol)
			builder.withHubProtocol(options.protocol);
		if (options.stateful)
			builder.withStatefulReconnect();
		if (options.reconnect)
			builder.withAutomaticReconnect(options.reconnect);
		this.connection = builder.build();
		this.connection.onreconnecting(() => this.states.push("reconnecting"));
		this.connection.onreconnected(() => this.states.push("reconnected"));
		this.connection.onclose((error) => {
			this.states.push("closed");
			this.closed = { error };
		});
		for (const event of options.events ?? EVENTS)
			this.connection.on(event, (...args) => this.events.push({ event, args }));
	}

	get id() {
		return this.connection.connectionId;
	}

	start() {
		return this.connection.start();
	}

	stop() {
		return this.connection.stop();
	}

	invoke(method, ...args) {
		return this.connection.invoke(method, ...args);
	}

	// The first arguments of all events of that name.
	of(event) {
		return this.events.filter((entry) => entry.event === event).map((entry) => entry.args[0]);
	}

	// The texts of the chat messages of one room, in order of arrival.
	texts(roomId) {
		return this.of("ReceiveMessage").filter((message) => message.roomId === roomId)
			.map((message) => message.message);
	}

	until(ask, what, deadlineMs = WAIT_MS) {
		return waitFor(() => ask(this), deadlineMs, `${this.user.userId}: ${what}`);
	}

	untilText(roomId, text) {
		return this.until(() => this.texts(roomId).includes(text), `"${text}" in ${roomId}`);
	}
}

// Starts a client and has it stopped when the test ends.
async function connect(test, url, options) {
	const client = new Client(url, options);
	test.after(() => client.stop());
	await client.start();
	return client;
}

module.exports = { Client, connect, mintToken, signalR };
