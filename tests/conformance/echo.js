// SPDX-License-Identifier: Apache-2.0
// The raw connection endpoint of the conformance app: SignalR's transports without a hub
// protocol on them; bytes come back as they came. Of the app, not of the product: hubs are
// what Heliograph serves.
"use strict";

const crypto = require("node:crypto");
const { createRequire } = require("node:module");
// The WebSocket library that the official client brings along.
const { Server: WebSocketServer } = createRequire(require.resolve("@microsoft/signalr"))("ws");

const POLL_MS = 90000;
const TRANSPORTS = [
	{ transport: "WebSockets", transferFormats: ["Text", "Binary"] },
	{ transport: "ServerSentEvents", transferFormats: ["Text"] },
	{ transport: "LongPolling", transferFormats: ["Text", "Binary"] },
];

class Echo {
	#connections = new Map(); // id -> {queue, give}: give() hands the queue to whoever waits
	#sockets = new WebSocketServer({ noServer: true });

	negotiate(request, response) {
		const version = new URL(request.url, "http://x").searchParams.get("negotiateVersion");
		const id = crypto.randomBytes(16).toString("base64url");
		this.#connections.set(id, { queue: [], give: null });
		const answer = version ? { negotiateVersion: 1, connectionId: crypto.randomUUID(), connectionToken: id }
			: { connectionId: id };
		response.setHeader("Content-Type", "application/json");
		response.end(JSON.stringify({ ...answer, availableTransports: TRANSPORTS }));
	}

	upgrade(request, socket, head) {
		this.#sockets.handleUpgrade(request, socket, head, (ws) => {
			ws.on("message", (data, isBinary) => ws.send(data, { binary: isBinary ?? Buffer.isBuffer(data) }));
		});
	}

	async handle(request, response) {
		const id = new URL(request.url, "http://x").searchParams.get("id");
		const connection = this.#connections.get(id);
		if (!connection) {
			response.statusCode = id ? 404 : 400;
			response.end(id ? "No Connection with that ID" : "Connection ID required");
		} else if (request.method === "POST") {
			await this.#post(connection, request, response);
		} else if (request.method === "DELETE") {
			this.#connections.delete(id);
			connection.end?.();
			response.statusCode = 202;
			response.end();
		} else if ((request.headers.accept ?? "").includes("text/event-stream")) {
			this.#events(connection, response);
		} else {
			this.#poll(connection, request, response);
		}
	}

	async #post(connection, request, response) {
		const chunks = [];
		for await (const chunk of request)
			chunks.push(chunk);
		connection.queue.push(Buffer.concat(chunks));
		response.end();
		connection.give?.();
	}

	#events(connection, response) {
		response.writeHead(200, { "Content-Type": "text/event-stream", "Cache-Control": "no-cache,no-store", "Content-Encoding": "identity" });
		response.write(":\r\n");
		connection.give = () => {
			for (const data of connection.queue.splice(0)) {
				const lines = data.toString().split("\n").map((line) => `data: ${line.replace(/\r$/, "")}\r\n`);
				response.write(`${lines.join("")}\r\n`);
			}
		};
		connection.give();
	}

	#poll(connection, request, response) {
		const finish = (status) => {
			clearTimeout(timer);
			connection.give = connection.end = null;
			response.statusCode = status;
			response.setHeader("Content-Type", "application/octet-stream");
			response.end(status === 200 ? Buffer.concat(connection.queue.splice(0)) : undefined);
		};
		const timer = setTimeout(() => finish(200), POLL_MS);
		connection.end?.();
		connection.give = () => connection.queue.length && finish(200);
		connection.end = () => finish(204);
		request.on("close", () => clearTimeout(timer));
		if (!connection.isPolled) {
			connection.isPolled = true;
			finish(200);
		} else {
			connection.give();
		}
	}
}

module.exports = { Echo };
