// SPDX-License-Identifier: Apache-2.0
// The cluster of the lab: each program on a host of its own, talking TCP, configured by a file
// that SIGHUP reads again; Redis behind presence; an edge in front. Rows break it by name:
// "g1", "r2", "p1".
"use strict";

const crypto = require("node:crypto");
const fs = require("node:fs");
const path = require("node:path");
const { Program, buildFolder } = require("../kit/program.js");
const { startRedis, startSentinels } = require("../kit/redis.js");
const { parseMetrics } = require("../kit/cluster.js");
const { waitFor } = require("../kit/wait.js");
const { Edge } = require("./edge.js");

const TICKS = 100; // a second, of /proc
const READY_MS = 120000;
const ANSWER_MS = 20000;
const STOP_MS = 60000;
const NUMBERS = { gateway: 10, router: 20, presence: 30 };
const LETTERS = { gateway: "g", router: "r", presence: "p" };
const CLIENT_PORT = 8080;
const LINK_PORT = 7000;
const ADMIN_PORT = 9100;
const HUBS = "relay,chat,bench";
// One address has all the clients of a lab.
const NO_LIMITS = ["messages_per_second_max", "bytes_per_second_max", "user_connections_max",
	"user_negotiates_per_minute_max", "address_connections_max", "address_negotiates_per_minute_max",
	"address_auth_failed_per_minute_max", "address_ids_unknown_per_minute_max"];

class LabCluster {
	#programs = new Map();

	/*
	 * Options: `gateways`, `routers`, `presences` (how many), `routersMax` (hosts for routers that are added
	 * later), `sentinels` (Redis is a pair behind them), `conf` ({gateway: {option: value}, ...}),
	 * `run` ({name: {before, env}}: how one is started).
	 */
	constructor(net, folder, options = {}) {
		this.net = net;
		this.folder = folder;
		this.options = { gateways: 3, routers: 3, routersMax: 3, presences: 2, sentinels: false, conf: {}, run: {},
			...options };
		this.routers = names("router", this.options.routers);
		this.token = crypto.randomBytes(32).toString("hex");
		this.keys = {};
	}

	async start() {
		const { gateways, routersMax, presences } = this.options;
		for (const key of ["link", "token", "auth"]) {
			this.keys[key] = crypto.randomBytes(32).toString("hex");
			fs.writeFileSync(this.file(`${key}.key`), this.keys[key], { mode: 0o600 });
		}
		fs.writeFileSync(this.file("admin.token"), `${this.token}\n`, { mode: 0o600 });
		const count = { gateway: gateways, router: routersMax, presence: presences };
		for (const kind of Object.keys(count))
			for (const [i, name] of names(kind, count[kind]).entries())
				await this.net.add(name, NUMBERS[kind] + 1 + i);
		await this.net.add("redis", 41);
		await this.net.add("edge", 2);
		await this.net.add("clients", 3);
		await this.net.add("attackers", 4);
		const place = { host: this.net.ip("redis"), before: this.net.at("redis") };
		const settings = ["enable-debug-command yes"];
		this.redis = this.options.sentinels ? await startSentinels({ place, settings })
			: await startRedis({ place, settings });
		const all = [...names("presence", presences), ...this.routers, ...names("gateway", gateways)];
		for (const name of all)
			this.#add(name);
		await Promise.all(all.map((name) => this.program(name).start()));
		await Promise.all(all.map((name) => this.untilReady(name)));
		this.edge = new Edge(this.net, this.folder, names("gateway", gateways).map((name) =>
			({ name, listen: `${this.net.ip(name)}:${CLIENT_PORT}`, adminPort: ADMIN_PORT })));
		await this.edge.start();
	}

	get url() {
		return this.edge.url;
	}

	get gateways() {
		return names("gateway", this.options.gateways);
	}

	get presences() {
		return names("presence", this.options.presences);
	}

	// That are to be running.
	get all() {
		return [...this.gateways, ...this.routers, ...this.presences];
	}

	gatewayUrl(name) {
		return `http://${this.net.ip(name)}:${CLIENT_PORT}`;
	}

	program(name) {
		const program = this.#programs.get(name);
		if (!program)
			throw new Error(`no program named ${name}`);
		return program;
	}

	file(name) {
		return path.join(this.folder, name);
	}

	signal(name, signal) {
		process.kill(this.program(name).pid, signal);
	}

	kill(name) {
		return this.program(name).signal("SIGKILL");
	}

	async restart(name) {
		await this.program(name).start();
		await this.untilReady(name);
	}

	async untilReady(name, deadlineMs = READY_MS) {
		await waitFor(async () => (await this.get(name, "/readyz")).ok, deadlineMs, `${name} to be ready`);
	}

	// One more router, which waits until it is asked for; `list` is to be its option `routers`.
	async addRouter(name, list) {
		this.#add(name, list);
		await this.program(name).start();
	}

	// Asks presence for these routers; it answers before the cluster has got there.
	async putRouters(list) {
		const response = await fetch(`http://${this.net.ip("p1")}:${ADMIN_PORT}/api/v1/cluster/routers`, { method: "PUT",
			headers: { Authorization: `Bearer ${this.token}`, "Content-Type": "application/json" },
			body: JSON.stringify({ routers: this.#list(list) }), signal: AbortSignal.timeout(ANSWER_MS) });
		if (response.status !== 202)
			throw new Error(`PUT routers answered ${response.status}: ${await response.text()}`);
		this.routers = list;
	}

	get(name, target) {
		return fetch(`http://${this.net.ip(name)}:${ADMIN_PORT}${target}`,
			{ headers: { Authorization: `Bearer ${this.token}` }, signal: AbortSignal.timeout(ANSWER_MS) });
	}

	async json(target, name = "p1") {
		const response = await this.get(name, target);
		if (!response.ok)
			throw new Error(`${target} answered ${response.status}`);
		return response.json();
	}

	async metrics(name) {
		return parseMetrics(await (await this.get(name, "/metrics")).text());
	}

	// One metric of a process, without the program in front; the sum of all that it has under
	// that name, of those with `label` ('reason="slow"') if given.
	async value(name, metric, label = "") {
		let sum = 0;
		for (const [key, value] of await this.metrics(name)) {
			const [, base, labels = ""] = /^([^{]*)(?:\{(.*)\})?$/.exec(key);
			if (base === `${kindOf(name)}_${metric}` && labels.includes(label))
				sum += value;
		}
		return sum;
	}

	// How many log lines of all processes are of that event.
	logged(event) {
		return [...this.#programs.values()].reduce((sum, program) =>
			sum + program.log.filter((line) => line.includes(` event=${event} `)).length, 0);
	}

	// The values that all log lines of that event have, summed up; `lines`: how many there were.
	loggedSums(event) {
		const sums = { lines: this.logged(event) };
		for (const program of this.#programs.values())
			for (const line of program.log.filter((each) => each.includes(` event=${event} `)))
				for (const [, key, value] of line.matchAll(/ (\w+)=(\d+)(?= |$)/g))
					sums[key] = (sums[key] ?? 0) + Number(value);
		return sums;
	}

	// What the kernel says of a process: resident bytes, and seconds of CPU so far.
	usage(name) {
		const { pid } = this.program(name);
		const stat = fs.readFileSync(`/proc/${pid}/stat`, "utf8").replace(/^.*\) /, "").split(" ");
		const [, rss] = /^VmRSS:\s*(\d+) kB$/m.exec(fs.readFileSync(`/proc/${pid}/status`, "utf8"));
		return { rssBytes: Number(rss) * 1024, cpuS: (Number(stat[11]) + Number(stat[12])) / TICKS };
	}

	async total(names, metric, label) {
		const values = await Promise.all(names.map((name) => this.value(name, metric, label)));
		return values.reduce((sum, value) => sum + value, 0);
	}

	// Presence knows everybody, as it does of a cluster that is older than a lease: in a younger
	// one a router that comes back has to wait for whom presence may not know yet.
	async untilSettled() {
		await waitFor(async () => await this.total(this.presences, "settled") === this.presences.length, READY_MS,
			"presence to be settled");
	}

	// Those that ended though nobody told them to, and those that end badly now.
	async stop() {
		const crashes = this.crashes();
		await this.edge?.stop();
		const programs = [...this.#programs.values()].filter((program) => program.child && !program.exit);
		for (const program of programs)
			process.kill(program.pid, "SIGCONT"); // who stands still cannot end
		for (const kind of ["gateway", "router", "presence"])
			await Promise.all(programs.filter((program) => program.kind === kind).map(async (program) => {
				const exit = await program.stop(STOP_MS).catch((error) => ({ error: error.message }));
				if (exit.code !== 0)
					crashes.push(`${program.name} ended with ${JSON.stringify(exit)}`);
			}));
		await this.redis?.stop();
		return crashes;
	}

	crashes() {
		return [...this.#programs.values()].filter((program) => program.exit && !program.wasKilled && !isFine(program.exit))
			.map((program) => `${program.name} ended with ${JSON.stringify(program.exit)}\n${program.tail(20)}`);
	}

	logs(lines = 40) {
		return [...this.#programs.values()].map((program) => program.tail(lines)).join("\n");
	}

	// Everything that they kept of their logs, a file each.
	writeLogs(folder) {
		fs.mkdirSync(folder, { recursive: true });
		for (const program of this.#programs.values())
			fs.writeFileSync(path.join(folder, `${program.name}.log`), `${program.log.join("\n")}\n`);
	}

	#add(name, routers = this.routers) {
		const kind = kindOf(name);
		this.#writeConf(name, routers);
		const { before = [], env = {} } = this.options.run[name] ?? {};
		this.#programs.set(name, new Program(kind, name, [`--conf=${this.file(`${name}.conf`)}`],
			{ before: [...this.net.at(name), ...before], env }));
	}

	#writeConf(name, routers = this.routers) {
		const kind = kindOf(name);
		const values = { name, log_level: process.env.HELIOGRAPH_TEST_LOG || "info", drain_timeout: "5s",
			link_key_file: this.file("link.key"), admin_listen: `${this.net.ip(name)}:${ADMIN_PORT}`,
			...this.#own(kind, name, routers), ...this.options.conf[kind] };
		fs.writeFileSync(this.file(`${name}.conf`),
			Object.entries(values).map(([key, value]) => `${key} = ${value}\n`).join(""));
	}

	#list(names) {
		return names.map((name) => `${name}=tcp://${this.net.ip(name)}:${LINK_PORT}`).join(",");
	}

	#own(kind, name, routers) {
		if (kind === "presence")
			return { link_listen: `tcp://${this.net.ip(name)}:${LINK_PORT}`, redis: this.redis.url(),
				admin_token_file: this.file("admin.token") };
		const shards = { routers: this.#list(routers), presence: this.#list(this.presences), hubs: HUBS };
		if (kind === "router")
			return { ...shards, hub_module: path.join(buildFolder(), "bench_hub.so") };
		return { ...shards, listen: `${this.net.ip(name)}:${CLIENT_PORT}`, token_key_file: this.file("token.key"),
			auth_key_file: this.file("auth.key"), trusted_proxies: this.net.ip("edge"), stateful_reconnect: "on",
			...Object.fromEntries(NO_LIMITS.map((option) => [option, 0])) };
	}
}

function names(kind, count) {
	return Array.from({ length: count }, (_, i) => `${LETTERS[kind]}${i + 1}`);
}

function kindOf(name) {
	return Object.keys(LETTERS).find((kind) => LETTERS[kind] === name[0]);
}

const isFine = (exit) => exit.code === 0;

module.exports = { LabCluster };
