// SPDX-License-Identifier: Apache-2.0
// A whole cluster of real processes for one test: presence, routers, gateways, linked by
// sockets in a folder of its own, listening where the kernel likes. HELIOGRAPH_BUILD names
// the folder with the programs (build/release when unset).
"use strict";

const crypto = require("node:crypto");
const fs = require("node:fs");
const os = require("node:os");
const path = require("node:path");
const { Program } = require("./program.js");
const { waitFor } = require("./wait.js");

const READY_MS = 15000;
// Of every cluster that is not told otherwise; by default relay is none of them.
const HUBS = "relay,chat";
// Official clients acknowledge once a second; traffic that goes as fast as the machine lets it
// must not be held back meanwhile, and its receivers closed as slow. Who tests that says less.
const STATEFUL_BUFFER = "--stateful_buffer_bytes_max=16MiB";

// name{label="value"} -> number, from the text exposition.
function parseMetrics(text) {
	const values = new Map();
	for (const line of text.split("\n")) {
		const row = /^([^#\s][^{\s]*(?:\{.*\})?)\s+(\S+)/.exec(line);
		if (row)
			values.set(row[1], Number(row[2]));
	}
	return values;
}

function get(address, target) {
	return fetch(`http://${address}${target}`, { signal: AbortSignal.timeout(5000) });
}

class Cluster {
	#programs = new Map();
	#folder;

	constructor(options) {
		this.options = { gateways: 1, routers: 1, presences: 1, redis: "", hubRedis: "", workers: 1, gatewayArgs: [],
			routerArgs: [], presenceArgs: [], ...options };
		this.#folder = fs.mkdtempSync(path.join(os.tmpdir(), "heliograph-test-"));
	}

	async start() {
		for (const key of ["link", "token", "auth"])
			fs.writeFileSync(this.#file(`${key}.key`), crypto.randomBytes(32).toString("hex"), { mode: 0o600 });
		const routers = this.#names("r", this.options.routers);
		const gateways = this.#names("g", this.options.gateways);
		const redis = this.options.redis ? [`--redis=${this.options.redis}`] : [];
		for (const name of this.#names("p", this.options.presences))
			this.#add("presence", name, [`--link_listen=${this.#link(name)}`, ...redis, ...this.options.presenceArgs]);
		const hubRedis = this.options.hubRedis ? [`--redis=${this.options.hubRedis}`] : [];
		for (const name of routers)
			this.#add("router", name, [...this.#shards(routers), `--hubs=${HUBS}`, ...hubRedis,
				...this.options.routerArgs]);
		for (const name of gateways)
			this.#add("gateway", name, [...this.#shards(routers), `--hubs=${HUBS}`, ...this.#gatewayArgs()]);
		await Promise.all([...this.#programs.values()].map((program) => program.start()));
		await Promise.all([...this.#programs.keys()].map((name) => this.untilReady(name)));
	}

	// Every program must end in order and with 0, unless the test itself killed it.
	async stop() {
		const programs = [...this.#programs.values()].filter((program) => program.child);
		const isOver = programs.map((program) => program.exit !== null);
		const order = ["gateway", "router", "presence"];
		const errors = [];
		for (const kind of order)
			await Promise.all(programs.filter((program) => program.kind === kind)
				.map((program) => program.stop().catch((error) => errors.push(error))));
		programs.forEach((program, i) => {
			const exit = program.exit;
			if (!program.wasKilled && (isOver[i] || exit.code !== 0))
				errors.push(new Error(`${program.name} ended with ${JSON.stringify(exit)}`));
		});
		fs.rmSync(this.#folder, { recursive: true, force: true });
		if (errors.length) {
			console.error(this.logs());
			throw errors[0];
		}
	}

	// Addresses of the gateways: "127.0.0.1:43211", for raw sockets.
	get addresses() {
		return this.#names("g", this.options.gateways).map((name) => this.program(name).ready.http);
	}

	// The same as URLs, for clients; raw sockets take those of gateways with TLS.
	get urls() {
		const scheme = this.options.gatewayArgs.some((arg) => arg.startsWith("--tls_cert=")) ? "https" : "http";
		return this.addresses.map((address) => `${scheme}://${address}`);
	}

	program(name) {
		const program = this.#programs.get(name);
		if (!program)
			throw new Error(`no program named ${name}`);
		return program;
	}

	// The file that all have of "link", "token" or "auth".
	keyFile(key) {
		return this.#file(`${key}.key`);
	}

	// Of all its processes, workers too.
	get admins() {
		return [...this.#programs.values()].flatMap((program) => program.admins);
	}

	kill(name, signal = "SIGKILL") {
		return this.program(name).signal(signal);
	}

	// The same process again, on the addresses it had.
	async restart(name) {
		const program = this.program(name);
		program.args = program.args.map((arg) =>
			arg.startsWith("--listen=") ? `--listen=${program.ready.http}`
			: arg.startsWith("--admin_listen=") && program.ready.admin ? `--admin_listen=${program.ready.admin}` : arg);
		await program.start();
		await this.untilReady(name);
	}

	// "r1=ipc://...,r2=ipc://...": a list of routers as options have it.
	routerList(names) {
		return names.map((name) => `${name}=${this.#link(name)}`).join(",");
	}

	// One more router, which begins with that list.
	async addRouter(name, list) {
		const hubRedis = this.options.hubRedis ? [`--redis=${this.options.hubRedis}`] : [];
		this.#add("router", name, [...this.#shards([]).slice(1), `--routers=${list}`, `--hubs=${HUBS}`, ...hubRedis,
			...this.options.routerArgs]);
		await this.program(name).start();
	}

	async untilReady(name) {
		for (const address of this.program(name).admins)
			await waitFor(async () => (await get(address, "/readyz")).ok, READY_MS, `${name} to be ready`);
	}

	// A presence or router has its Redis, again perhaps.
	untilRedis(name, deadlineMs) {
		const metric = `${this.program(name).kind}_redis_away`;
		return waitFor(async () => (await this.metrics(name)).get(metric) === 0, deadlineMs, `${name} to have its Redis`);
	}

	admin(name, target) {
		return get(this.program(name).admins[0], target);
	}

	async adminJson(target, name = "p1") {
		const response = await this.admin(name, target);
		if (!response.ok)
			throw new Error(`${target} answered ${response.status}`);
		return response.json();
	}

	async metrics(name) {
		return parseMetrics(await (await this.admin(name, "/metrics")).text());
	}

	// What every program last said: printed when a test fails.
	logs() {
		return [...this.#programs.values()].map((program) => program.tail()).join("\n");
	}

	#add(kind, name, args) {
		const common = [`--name=${name}`, `--log_level=${process.env.HELIOGRAPH_TEST_LOG || "info"}`,
			"--admin_listen=127.0.0.1:0", `--link_key_file=${this.#file("link.key")}`, "--drain_timeout=2s"];
		this.#programs.set(name, new Program(kind, name, [...common, ...args]));
	}

	#names(prefix, count) {
		return Array.from({ length: count }, (_, i) => `${prefix}${i + 1}`);
	}

	#file(name) {
		return path.join(this.#folder, name);
	}

	#link(name) {
		return `ipc://${this.#file(name)}.sock`;
	}

	#shards(routers) {
		return [`--routers=${this.routerList(routers)}`,
			`--presence=${this.routerList(this.#names("p", this.options.presences))}`];
	}

	#gatewayArgs() {
		return ["--listen=127.0.0.1:0", `--workers=${this.options.workers}`, "--dev=on",
			"--demo_dir=deploy/demo/site", STATEFUL_BUFFER, `--token_key_file=${this.#file("token.key")}`,
			`--auth_key_file=${this.#file("auth.key")}`, ...this.options.gatewayArgs];
	}
}

// Runs `body(cluster)` on a fresh cluster and ends every process, whatever happens.
async function withCluster(options, body) {
	const cluster = new Cluster(options);
	let failed = true;
	try {
		await cluster.start();
		await body(cluster);
		failed = false;
	} finally {
		if (failed)
			console.error(cluster.logs());
		await cluster.stop().catch((error) => {
			if (!failed)
				throw error;
		});
	}
}

// One cluster for all tests of a file: hands it out through the returned function.
function sharedCluster({ before, after, afterEach }, options) {
	let cluster = null;
	before(async () => {
		cluster = new Cluster(options);
		await cluster.start();
	});
	afterEach((context) => {
		if (context?.passed === false)
			console.error(cluster.logs());
	});
	after(() => cluster?.stop());
	return () => cluster;
}

module.exports = { Cluster, withCluster, sharedCluster, parseMetrics };
