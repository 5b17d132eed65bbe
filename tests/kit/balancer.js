// SPDX-License-Identifier: Apache-2.0
// A load balancer without sticky sessions: every request, and every WebSocket, goes to the
// next gateway in turn, or to a random one. What a gateway does not accept goes to another
// one. A test may cut the WebSockets that it carries.
"use strict";

const http = require("node:http");
const net = require("node:net");

class Balancer {
	#turn = 0;
	#sockets = new Set(); // upgraded ones, on the client's side
	#open = new Set(); // all, to end them with the test
	#agent;
	#random;

	// addresses: of the gateways; a test may change the list on the way. random: chooses among
	// them, a function like Math.random(). keepAlive: sockets to gateways are used again.
	constructor(addresses, { random = null, keepAlive = true } = {}) {
		this.addresses = addresses;
		this.#random = random;
		this.#agent = new http.Agent({ keepAlive });
		this.taken = new Map(); // gateway -> requests and WebSockets it was given
		this.server = http.createServer((request, response) => this.#pass(request, response));
		this.server.on("connection", (socket) => this.#keep(this.#open, socket));
		this.server.on("upgrade", (request, socket, head) => this.#upgrade(request, socket, head));
	}

	async start() {
		await new Promise((resolve) => this.server.listen(0, "127.0.0.1", resolve));
		this.address = `127.0.0.1:${this.server.address().port}`;
		this.url = `http://${this.address}`;
		return this;
	}

	get sockets() {
		return [...this.#sockets];
	}

	// Ends some of the WebSockets as a broken network does; only those on which the client
	// has spoken, for one that breaks before makes an official client give up.
	cut(chosen = () => true) {
		const victims = this.sockets.filter((socket) => socket.hasSpoken).filter(chosen);
		for (const socket of victims)
			socket.resetAndDestroy();
		return victims.length;
	}

	stop() {
		for (const socket of this.#open)
			socket.destroy();
		this.#agent.destroy();
		return new Promise((resolve) => this.server.close(resolve));
	}

	#keep(set, socket) {
		set.add(socket);
		socket.on("close", () => set.delete(socket));
		socket.on("error", () => {});
	}

	// All of them, the one whose turn it is first.
	#choices() {
		const n = this.addresses.length;
		const first = this.#random ? Math.floor(this.#random() * n) : this.#turn++;
		return Array.from({ length: n }, (_, i) => this.addresses[(first + i) % n]);
	}

	#count(address) {
		this.taken.set(address, (this.taken.get(address) ?? 0) + 1);
		const [host, port] = address.split(":");
		return { host, port: Number(port) };
	}

	async #pass(request, response) {
		const body = [];
		request.on("error", () => response.destroy());
		for await (const chunk of request)
			body.push(chunk);
		this.#try(this.#choices(), request, Buffer.concat(body), response);
	}

	#try(choices, request, body, response) {
		const [address, ...others] = choices;
		const upstream = http.request({ ...this.#count(address), agent: this.#agent, method: request.method,
			path: request.url, headers: request.headers });
		upstream.on("response", (answer) => {
			response.writeHead(answer.statusCode, answer.headers);
			answer.pipe(response);
			answer.on("error", () => response.destroy());
		});
		upstream.on("error", (error) => {
			if (error.code === "ECONNREFUSED" && others.length > 0)
				this.#try(others, request, body, response);
			else
				response.destroy();
		});
		response.on("close", () => upstream.destroy());
		upstream.end(body);
	}

	// A socket to the first of them that accepts it.
	#connect(choices, onSocket) {
		const [address, ...others] = choices;
		const upstream = net.connect(this.#count(address));
		const onError = (error) => {
			if (error.code === "ECONNREFUSED" && others.length > 0)
				this.#connect(others, onSocket);
			else
				onSocket(null);
		};
		upstream.once("error", onError);
		upstream.once("connect", () => {
			upstream.off("error", onError);
			onSocket(upstream);
		});
	}

	#upgrade(request, socket, head) {
		socket.on("error", () => {});
		this.#connect(this.#choices(), (upstream) => {
			if (upstream && !socket.destroyed)
				this.#join(request, socket, head, upstream);
			else {
				socket.destroy();
				upstream?.destroy();
			}
		});
	}

	#join(request, socket, head, upstream) {
		const lines = [`${request.method} ${request.url} HTTP/1.1`];
		for (let i = 0; i < request.rawHeaders.length; i += 2)
			lines.push(`${request.rawHeaders[i]}: ${request.rawHeaders[i + 1]}`);
		this.#keep(this.#sockets, socket);
		this.#keep(this.#open, upstream);
		socket.setNoDelay(true);
		upstream.setNoDelay(true);
		upstream.write(`${lines.join("\r\n")}\r\n\r\n`);
		upstream.write(head);
		socket.once("data", () => {
			socket.hasSpoken = true;
		});
		socket.on("close", () => upstream.destroy());
		upstream.on("close", () => socket.destroy());
		socket.pipe(upstream);
		upstream.pipe(socket);
	}
}

// In front of all gateways of the cluster; it ends with the test.
async function balance(test, cluster, options) {
	const balancer = await new Balancer(cluster.addresses, options).start();
	test.after(() => balancer.stop());
	return balancer;
}

module.exports = { Balancer, balance };
