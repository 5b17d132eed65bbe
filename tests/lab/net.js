// SPDX-License-Identifier: Apache-2.0
// The hosts of the lab, each a network namespace with one interface on one bridge, and what
// can be wrong between them: cut one way, unplugged, slow, lossy, narrow. The lab itself is at
// the bridge, and reaches all of them whatever is cut between two.
"use strict";

const { execFile, spawn } = require("node:child_process");
const path = require("node:path");
const { promisify } = require("node:util");
const { buildFolder } = require("../kit/program.js");
const { within } = require("../kit/wait.js");

const run = promisify(execFile);
const NETWORK = "10.77.0";
const BITS = 24;
const LAB = `${NETWORK}.1`;
const START_MS = 10000;

class Net {
	#hosts = new Map(); // name -> address
	#queues = 0;
	#cuts = new Set();

	async start() {
		await run("ip", ["link", "add", "br0", "type", "bridge"]);
		await run("ip", ["addr", "add", `${LAB}/${BITS}`, "dev", "br0"]);
		await run("ip", ["link", "set", "br0", "up"]);
	}

	async add(name, number) {
		const ip = `${NETWORK}.${number}`;
		await run("ip", ["netns", "add", name]);
		await run("ip", ["link", "add", `v-${name}`, "type", "veth", "peer", "name", "eth0", "netns", name]);
		await run("ip", ["link", "set", `v-${name}`, "master", "br0", "up"]);
		await run("ip", ["-n", name, "link", "set", "lo", "up"]);
		await run("ip", ["-n", name, "link", "set", "eth0", "up"]);
		await run("ip", ["-n", name, "addr", "add", `${ip}/${BITS}`, "dev", "eth0"]);
		this.#hosts.set(name, ip);
	}

	ip(name) {
		const ip = this.#hosts.get(name);
		if (!ip)
			throw new Error(`no host ${name}`);
		return ip;
	}

	// Words to put before a command that is to run on that host. It stays the same process.
	at(name) {
		this.ip(name);
		return ["nsenter", `--net=/run/netns/${name}`];
	}

	in(name, ...words) {
		return run("nsenter", [`--net=/run/netns/${name}`, ...words]);
	}

	// What `from` sends does not come to `to` any more; the other way it does.
	async cut(from, to) {
		const key = `${from}>${to}`;
		if (this.#cuts.has(key))
			return;
		this.#cuts.add(key);
		await this.in(to, "iptables", "-I", "INPUT", "-s", this.ip(from), "-j", "DROP");
	}

	async mend(from, to) {
		if (this.#cuts.delete(`${from}>${to}`))
			await this.in(to, "iptables", "-D", "INPUT", "-s", this.ip(from), "-j", "DROP");
	}

	// Between one host and others, both ways.
	async part(name, others) {
		for (const other of others)
			await Promise.all([this.cut(name, other), this.cut(other, name)]);
	}

	async join(name, others) {
		for (const other of others)
			await Promise.all([this.mend(name, other), this.mend(other, name)]);
	}

	// The cable of a host: for everybody, the lab too.
	unplug(name) {
		return run("ip", ["link", "set", `v-${name}`, "down"]);
	}

	plug(name) {
		return run("ip", ["link", "set", `v-${name}`, "up"]);
	}

	/*
	 * What comes to `to` from `from` is late, by delayMs give or take jitterMs, and of a hundred
	 * packets lossPercent are lost. Resolves with the function that ends it, which resolves with
	 * {seen, lost} packets.
	 */
	async worsen(from, to, { delayMs = 0, jitterMs = 0, lossPercent = 0, reorder = true, seed = 1 }) {
		const queue = ++this.#queues;
		const rule = ["-s", this.ip(from), "-j", "NFQUEUE", "--queue-num", String(queue), "--queue-bypass"];
		const daemon = spawn("nsenter", [...this.at(to).slice(1), path.join(buildFolder(), "tests/lab/nfqd"),
			...[queue, delayMs * 1000, jitterMs * 1000, Math.round(lossPercent * 10000), Number(reorder), seed].map(String)],
		{ stdio: ["ignore", "pipe", "inherit"] });
		let said = "";
		const ended = new Promise((resolve, reject) => {
			daemon.on("exit", (code) => code ? reject(new Error(`nfqd ended with ${code}`)) : resolve());
			daemon.on("error", reject);
		});
		ended.catch(() => {});
		const ready = new Promise((resolve) => daemon.stdout.on("data", (text) => {
			said += text;
			if (said.includes("ready\n"))
				resolve();
		}));
		await within(Promise.race([ready, ended]), START_MS, `nfqd of ${from} to ${to}`);
		await this.in(to, "iptables", "-A", "INPUT", ...rule);
		return async () => {
			await this.in(to, "iptables", "-D", "INPUT", ...rule);
			daemon.kill("SIGTERM");
			await within(ended, START_MS, "the end of nfqd");
			const [, seen, lost] = /seen=(\d+) lost=(\d+)/.exec(said);
			return { seen: Number(seen), lost: Number(lost) };
		};
	}

	// What a host sends goes through a pipe so narrow.
	async narrow(name, mbit) {
		await this.in(name, "tc", "qdisc", "add", "dev", "eth0", "root", "tbf", "rate", `${mbit}mbit`, "burst", "32kbit",
			"latency", "400ms");
		return () => this.in(name, "tc", "qdisc", "del", "dev", "eth0", "root");
	}
}

module.exports = { Net, LAB };
