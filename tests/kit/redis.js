// SPDX-License-Identifier: Apache-2.0
// Redis servers and Sentinels of a test's own, on ports that the kernel chose, without a
// file but in a folder of their own: killed, paused, emptied, failed over as the test
// likes. Owns their processes, which never outlive it.
"use strict";

const { spawn } = require("node:child_process");
const fs = require("node:fs");
const net = require("node:net");
const os = require("node:os");
const path = require("node:path");
const { waitFor, within } = require("./wait.js");

const READY_MS = 20000;
const ANSWER_MS = 10000;
const FAILOVER_MS = 30000;
// A master is down for a Sentinel when it has not answered for so long.
const DOWN_AFTER_MS = 500;
const MASTER = "hub";
const HERE = { host: "127.0.0.1", before: [] };

const running = new Set();

// The last resort, for a test file that ends in any way at all.
process.on("exit", () => {
	for (const server of running)
		server.child.kill("SIGKILL");
});
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"])
	process.on(signal, () => process.exit(1));

// Ports that nobody had a moment ago; all different.
async function freePorts(n) {
	const listeners = await Promise.all(Array.from({ length: n }, () => new Promise((resolve, reject) => {
		const listener = net.createServer();
		listener.on("error", reject);
		listener.listen(0, "127.0.0.1", () => resolve(listener));
	})));
	const ports = listeners.map((listener) => listener.address().port);
	await Promise.all(listeners.map((listener) => new Promise((resolve) => listener.close(resolve))));
	return ports;
}

// ---- the protocol

function encode(words) {
	const parts = words.map((word) => {
		const bytes = Buffer.from(String(word));
		return Buffer.concat([Buffer.from(`$${bytes.length}\r\n`), bytes, Buffer.from("\r\n")]);
	});
	return Buffer.concat([Buffer.from(`*${words.length}\r\n`), ...parts]);
}

// {value, next} of the reply at `at`, or null while it is not complete.
function decode(bytes, at = 0) {
	const end = bytes.indexOf("\r\n", at);
	if (end < 0)
		return null;
	const line = bytes.toString("utf8", at + 1, end);
	let next = end + 2;
	switch (String.fromCharCode(bytes[at])) {
	case "+":
		return { value: line, next };
	case "-":
		return { value: new Error(line), next };
	case ":":
		return { value: Number(line), next };
	case "$": {
		const len = Number(line);
		if (len < 0)
			return { value: null, next };
		if (bytes.length < next + len + 2)
			return null;
		return { value: bytes.toString("utf8", next, next + len), next: next + len + 2 };
	}
	case "*": {
		if (Number(line) < 0)
			return { value: null, next };
		const value = [];
		for (let i = 0; i < Number(line); i++) {
			const item = decode(bytes, next);
			if (!item)
				return null;
			value.push(item.value);
			next = item.next;
		}
		return { value, next };
	}
	default:
		throw new Error(`not Redis' protocol: ${bytes.toString("latin1", at, at + 40)}`);
	}
}

// One connection for a few commands; answers come in their order.
function ask({ port, host }, commands) {
	const answers = [];
	let bytes = Buffer.alloc(0);
	const socket = net.connect(port, host);
	const all = new Promise((resolve, reject) => {
		socket.on("error", reject);
		socket.on("close", () => reject(new Error(`port ${port} closed after ${answers.length} answers`)));
		socket.on("data", (more) => {
			bytes = Buffer.concat([bytes, more]);
			for (let found = decode(bytes); found; found = decode(bytes)) {
				answers.push(found.value);
				bytes = bytes.subarray(found.next);
			}
			if (answers.length >= commands.length)
				resolve(answers);
		});
		socket.write(Buffer.concat(commands.map(encode)));
	});
	return within(all, ANSWER_MS, `answer of port ${port}`).finally(() => socket.destroy());
}

// ---- servers

class Server {
	// `settings` are lines of redis.conf.
	constructor(kind, folder, port, settings, place) {
		this.kind = kind; // server or sentinel
		this.folder = folder;
		this.port = port;
		this.host = place.host;
		this.before = place.before;
		this.settings = settings;
		this.password = null; // for ask(); of `user`, if there is one
		this.user = null;
		this.log = "";
	}

	// Beginning empty, or (a Sentinel) with what it was told.
	async start() {
		const conf = path.join(this.folder, `${this.kind}-${this.port}.conf`);
		fs.writeFileSync(conf, [...this.settings, ""].join("\n"), { mode: 0o600 });
		const [command, ...words] = [...this.before, "redis-server", conf,
			...(this.kind === "sentinel" ? ["--sentinel"] : [])];
		this.child = spawn(command, words, { stdio: ["ignore", "pipe", "pipe"] });
		running.add(this);
		for (const stream of [this.child.stdout, this.child.stderr])
			stream.on("data", (text) => { this.log = (this.log + text).slice(-20000); });
		let early = null;
		this.ended = new Promise((resolve) => {
			const end = (why) => {
				early = why;
				running.delete(this);
				resolve();
			};
			this.child.on("error", (error) => end(error.message));
			this.child.on("exit", (code, signal) => end(`exit ${code} ${signal}`));
		});
		await waitFor(async () => {
			if (early)
				return true;
			return (await this.command("PING")) === "PONG";
		}, READY_MS, `redis-${this.kind} on port ${this.port}`);
		if (early)
			throw new Error(`redis-${this.kind} ended: ${early}\n${this.log}`);
	}

	get pid() {
		return this.child.pid;
	}

	// The answer; an error of Redis' is thrown.
	async command(...words) {
		return (await this.commands([words]))[0];
	}

	async commands(all) {
		const auth = this.password ? [["AUTH", ...(this.user ? [this.user] : []), this.password]] : [];
		const answers = (await ask(this, [...auth, ...all])).slice(auth.length);
		for (const answer of answers)
			if (answer instanceof Error)
				throw answer;
		return answers;
	}

	async kill() {
		this.child.kill("SIGKILL");
		await this.ended;
	}

	// SIGSTOP: it is there, and says nothing.
	pause() {
		this.child.kill("SIGSTOP");
	}

	resume() {
		this.child.kill("SIGCONT");
	}
}

// What every test gets from here: a folder, its servers, and their end.
class Redis {
	constructor(place) {
		this.place = place;
		this.folder = fs.mkdtempSync(path.join(os.tmpdir(), "heliograph-redis-"));
		this.servers = [];
		this.sentinels = [];
	}

	get master() {
		return this.servers[0];
	}

	// As the option `redis` wants it; `db` and `user` if there are.
	url({ db = "", user = "" } = {}) {
		const who = user ? `${user}@` : "";
		const where = db === "" ? "" : `/${db}`;
		if (!this.sentinels.length)
			return `redis://${who}${this.place.host}:${this.master.port}${where}`;
		const hosts = this.sentinels.map((sentinel) => `${this.place.host}:${sentinel.port}`).join(",");
		return `redis-sentinel://${who}${hosts}/${MASTER}${where}`;
	}

	get socketUrl() {
		return `unix://${this.master.socket}`;
	}

	async addServer(port, settings) {
		const socket = path.join(this.folder, `${port}.sock`);
		const server = new Server("server", this.folder, port, [`port ${port}`, `bind ${this.place.host}`, "protected-mode no",
			`unixsocket ${socket}`, "unixsocketperm 700", `dir ${this.folder}`, 'save ""', "appendonly no",
			`dbfilename ${port}.rdb`, ...settings], this.place);
		server.socket = socket;
		this.servers.push(server);
		await server.start();
		return server;
	}

	async addSentinel(port, masterPort, quorum) {
		const sentinel = new Server("sentinel", this.folder, port, [`port ${port}`, `bind ${this.place.host}`, "protected-mode no",
			`dir ${this.folder}`, `sentinel monitor ${MASTER} ${this.place.host} ${masterPort} ${quorum}`,
			`sentinel down-after-milliseconds ${MASTER} ${DOWN_AFTER_MS}`,
			`sentinel failover-timeout ${MASTER} 3000`], this.place);
		this.sentinels.push(sentinel);
		await sentinel.start();
		return sentinel;
	}

	async command(...words) {
		return this.master.command(...words);
	}

	flush() {
		return this.command("FLUSHALL");
	}

	// Kills it and starts it again: without persistence, so it is empty.
	async restartEmpty() {
		await this.master.kill();
		await this.master.start();
	}

	// Clients are not answered for `ms`, or until CLIENT UNPAUSE.
	pauseClients(ms) {
		return this.command("CLIENT", "PAUSE", ms, "ALL");
	}

	// The server that all Sentinels name now.
	async named() {
		const ports = await Promise.all(this.sentinels.map(async (sentinel) =>
			Number((await sentinel.command("SENTINEL", "GET-MASTER-ADDR-BY-NAME", MASTER))[1])));
		return new Set(ports).size === 1 ? this.servers.find((server) => server.port === ports[0]) : undefined;
	}

	// Until all Sentinels name another server than `old`, and it is the master.
	async waitFailover(old) {
		const master = await waitFor(async () => {
			const named = await this.named();
			if (!named || named === old)
				return null;
			return (await named.command("ROLE"))[0] === "master" && named;
		}, FAILOVER_MS, "another master");
		this.servers = [master, ...this.servers.filter((server) => server !== master)];
		return master;
	}

	// Kills the master; resolves when a replica has taken over.
	async failOver() {
		const old = this.master;
		await old.kill();
		return this.waitFailover(old);
	}

	async stop() {
		await Promise.all([...this.servers, ...this.sentinels].map((server) => server.kill()));
		fs.rmSync(this.folder, { recursive: true, force: true });
	}
}

/*
 * One server. Options: `password` (of the default user), `acl` (lines of an ACL: "user presence
 * on >secret ~{heliograph}* +@all"), `settings` (lines of redis.conf), `place` (the address that it
 * listens at, and the words `before` its command that put it there).
 */
async function startRedis({ password, acl = [], settings = [], place = HERE } = {}) {
	const redis = new Redis(place);
	const [port] = await freePorts(1);
	const server = redis.addServer(port, [...(password ? [`requirepass ${password}`] : []), ...acl, ...settings]);
	if (password)
		redis.master.password = password;
	try {
		await server;
	} catch (error) {
		await redis.stop();
		throw error;
	}
	return redis;
}

/*
 * A master, its replica, and Sentinels that know them and one another. The replica is in step
 * with the master when this resolves.
 */
async function startSentinels({ sentinels = 3, settings = [], place = HERE } = {}) {
	const redis = new Redis(place);
	const [first, second, ...ports] = await freePorts(2 + sentinels);
	const quick = ["repl-diskless-sync yes", "repl-diskless-sync-delay 0", ...settings];
	try {
		await redis.addServer(first, quick);
		const replica = await redis.addServer(second, [...quick, `replicaof ${place.host} ${first}`]);
		await waitFor(async () => (await replica.command("ROLE"))[3] === "connected", READY_MS, "a replica in step");
		for (const port of ports)
			await redis.addSentinel(port, first, Math.floor(sentinels / 2) + 1);
		await waitFor(async () => (await Promise.all(redis.sentinels.map((sentinel) => knows(sentinel, sentinels))))
			.every(Boolean), READY_MS, "Sentinels that know one another");
	} catch (error) {
		await redis.stop();
		throw error;
	}
	return redis;
}

async function knows(sentinel, sentinels) {
	const [others, replicas] = await sentinel.commands([["SENTINEL", "SENTINELS", MASTER],
		["SENTINEL", "REPLICAS", MASTER]]);
	return others.length === sentinels - 1 && replicas.length === 1;
}

module.exports = { startRedis, startSentinels };
