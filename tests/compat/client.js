// SPDX-License-Identifier: Apache-2.0
// Tries all features with the client of one folder and prints a line of JSON for each:
//   node client.js FOLDER URL TOKEN [TRANSPORT]...
// A process of its own, because two versions of the client do not live well in one.
"use strict";

const net = require("node:net");
const path = require("node:path");
const { FEATURES } = require("./features.js");

const FEATURE_MS = 20000;
const [given, url, token, ...chosen] = process.argv.slice(2);
const transports = chosen.length ? chosen : ["WebSockets", "ServerSentEvents", "LongPolling"];
const folder = path.resolve(given);

function load(...names) {
	for (const name of names) {
		try {
			return require(path.join(folder, "node_modules", name));
		} catch (error) {
			if (error.code !== "MODULE_NOT_FOUND")
				throw error;
		}
	}
	throw new Error(`none of ${names} in ${folder}`);
}

const signalR = load("@microsoft/signalr", "@aspnet/signalr");
const msgpack = load("@microsoft/signalr-protocol-msgpack", "@aspnet/signalr-protocol-msgpack");
const version = parseFloat(/-(\d+\.\d+)/.exec(path.basename(folder))[1]);

// A way to the server that can be cut.
class Proxy {
	#sockets = new Set();

	async open(target) {
		const { hostname, port } = new URL(target);
		this.server = net.createServer((socket) => {
			const onward = net.connect(Number(port), hostname);
			for (const [from, to] of [[socket, onward], [onward, socket]]) {
				this.#sockets.add(from);
				from.on("error", () => {});
				from.on("close", () => {
					this.#sockets.delete(from);
					to.destroy();
				});
				from.pipe(to);
			}
		});
		await new Promise((resolve) => this.server.listen(0, "127.0.0.1", resolve));
		this.url = `http://127.0.0.1:${this.server.address().port}`;
		return this;
	}

	cut() {
		for (const socket of this.#sockets)
			socket.destroy();
	}

	close() {
		this.cut();
		this.server.close();
	}
}

// One attempt at one feature: makes what it asks for, and ends it all.
class Attempt {
	#ends = [];

	constructor(transport, protocol) {
		Object.assign(this, { signalR, version, transport, protocol, token });
	}

	build({ hub = "testhub", url: base = url, token: access, http = {}, reconnect, isStateful, serverTimeout } = {}) {
		const options = { transport: signalR.HttpTransportType[this.transport], logger: signalR.LogLevel.None, ...http };
		if (access)
			options.accessTokenFactory = () => access;
		const builder = new signalR.HubConnectionBuilder().withUrl(`${base}/${hub}`, options).configureLogging(signalR.LogLevel.None);
		if (this.protocol === "messagepack")
			builder.withHubProtocol(new msgpack.MessagePackHubProtocol());
		if (reconnect)
			builder.withAutomaticReconnect(reconnect);
		if (isStateful)
			builder.withStatefulReconnect();
		const connection = builder.build();
		if (serverTimeout)
			connection.serverTimeoutInMilliseconds = serverTimeout;
		this.#ends.push(() => connection.stop().catch(() => {}));
		return connection;
	}

	async started(connection) {
		await connection.start();
		return connection;
	}

	connect(options) {
		return this.started(this.build(options));
	}

	async proxy() {
		const proxy = await new Proxy().open(url);
		this.#ends.unshift(() => proxy.close());
		return proxy;
	}

	async end() {
		for (const end of this.#ends.reverse())
			await end();
	}
}

async function attempt(run, at) {
	let timer;
	const late = new Promise((_, reject) => {
		timer = setTimeout(() => reject(new Error(`not done after ${FEATURE_MS} ms`)), FEATURE_MS);
	});
	try {
		await Promise.race([run(at), late]);
		return { result: "works" };
	} catch (error) {
		return { result: "fails", detail: String(error.message).slice(0, 500) };
	} finally {
		clearTimeout(timer);
		await at.end();
	}
}

// What a feature left behind when it failed is told by its own result.
process.on("unhandledRejection", () => {});

async function main() {
	for (const protocol of ["json", "messagepack"]) {
		for (const transport of transports) {
			for (const [feature, { since = 0, only = () => true }, run] of FEATURES) {
				const at = new Attempt(transport, protocol);
				const isText = transport === "ServerSentEvents" && protocol === "messagepack";
				const outcome = isText || version < since || !only(at) ? { result: "-" } : await attempt(run, at);
				console.log(JSON.stringify({ feature, transport, protocol, ...outcome }));
			}
		}
	}
}

main().then(() => process.exit(0), (error) => {
	console.error(error);
	process.exit(1);
});
