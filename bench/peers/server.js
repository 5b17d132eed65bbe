// SPDX-License-Identifier: Apache-2.0
// One server under load, pinned to a core: started until it listens, ended by its id.
"use strict";

const { spawn } = require("node:child_process");
const net = require("node:net");
const { once } = require("node:events");
const { ROOT } = require("./peers.js");

const START_MS = 60000;
const STOP_MS = 10000;

const running = new Set();

process.on("exit", () => {
	for (const child of running)
		child.kill("SIGKILL");
});
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"])
	process.on(signal, () => process.exit(1));

async function freePort() {
	const server = net.createServer().listen(0, "127.0.0.1");
	await once(server, "listening");
	const { port } = server.address();
	server.close();
	await once(server, "close");
	return port;
}

// The first line of stdout that matches; what the process said when it ends before.
function lineOf(child, pattern) {
	let text = "";
	let errors = "";
	return new Promise((resolve, reject) => {
		const fail = (what) => reject(new Error(`${what}\n${text}${errors}`));
		const timer = setTimeout(() => fail("not ready in time"), START_MS);
		child.stderr.on("data", (more) => { errors = (errors + more).slice(-4000); });
		child.stdout.on("data", (more) => {
			text += more;
			const match = pattern.exec(text);
			if (match) {
				clearTimeout(timer);
				resolve(match);
			}
		});
		child.on("error", (error) => fail(error.message));
		child.on("exit", (code, signal) => fail(`ended with ${code ?? signal}`));
	});
}

class Server {
	constructor(peer, cores) {
		this.peer = peer;
		this.cores = cores;
	}

	// Sets `load`, the arguments that tell the load tool where and what this server is.
	async start() {
		try {
			if (this.peer.command)
				await this.#startPeer();
			else
				await this.#startCluster();
		} catch (error) {
			throw new Error(`${this.peer.title}: ${error.message}`);
		}
	}

	async stop() {
		const { child } = this;
		if (!child || !running.has(child))
			return;
		const ended = once(child, "exit");
		const timer = setTimeout(() => child.kill("SIGKILL"), STOP_MS);
		child.kill("SIGTERM");
		await ended;
		clearTimeout(timer);
	}

	async #startPeer() {
		const port = await freePort();
		this.#spawn("taskset", ["-c", this.cores.server, ...this.peer.command(port)], {});
		await lineOf(this.child, /^listening \d+$/m);
		this.load = [...this.peer.load(port), `--server_pids=server:${this.child.pid}`];
	}

	// The gateway has the server's core to itself; router and presence are with the client.
	async #startCluster() {
		this.#spawn("bench/cluster.sh", [], { CORES_GATEWAY: this.cores.server, CORES_REST: this.cores.client,
			GATEWAY_OPTIONS: "--keepalive_interval=10m --client_timeout=30m" });
		const [line] = await lineOf(this.child, /^.*\bURL=.*$/m);
		const fact = (name) => new RegExp(`\\b${name}=(\\S+)`).exec(line)[1];
		this.load = [`--url=${fact("URL")}`, "--protocol=json",
			`--server_pids=gateway:${fact("GATEWAY_PIDS")};router:${fact("ROUTER_PIDS")};presence:${fact("PRESENCE_PIDS")}`];
	}

	#spawn(command, args, env) {
		const child = spawn(command, args, { cwd: ROOT, env: { ...process.env, ...env },
			stdio: ["ignore", "pipe", "pipe"] });
		this.child = child;
		running.add(child);
		child.on("exit", () => running.delete(child));
	}
}

module.exports = { Server };
