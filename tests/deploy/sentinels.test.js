// SPDX-License-Identifier: Apache-2.0
// The scripts that start Redis and its Sentinels in the component redis-sentinel, with real
// ones: in a network and an /etc/hosts of their own, where their pods' names are addresses.
"use strict";

const assert = require("node:assert/strict");
const { spawn, spawnSync } = require("node:child_process");
const fs = require("node:fs");
const os = require("node:os");
const path = require("node:path");
const test = require("node:test");
const { buildFolder } = require("../kit/program.js");
const { waitFor } = require("../kit/wait.js");
const { find, podOf } = require("./kit/objects.js");
const { KUBERNETES, overlay, secrets } = require("./kit/render.js");

const COMPONENT = path.join(KUBERNETES, "components/redis-sentinel");
const READY_MS = 60000;
// Five seconds until it is given up, an election, and a machine that is busy.
const FAILOVER_MS = 90000;
const COUNT = 3;
const NAMES = ["redis", "sentinel"].flatMap((kind) => Array.from({ length: COUNT }, (_, i) => ({ kind, name: `${kind}-${i}` })));
const NAMESPACES = ["--mount", "--net"];

const why = spawnSync("unshare", [...NAMESPACES, "ip", "link", "set", "lo", "up"]).status === 0 ? false : "no namespaces of our own here";

function addressOf({ kind, name }) {
	return `127.0.${kind === "redis" ? 1 : 2}.${10 + Number(name.slice(-1))}`;
}

class World {
	#folder = fs.mkdtempSync(path.join(os.tmpdir(), "heliograph-sentinels-"));
	#children = new Map();
	#holder = null;

	async start() {
		for (const folder of ["secrets", "conf"])
			fs.mkdirSync(path.join(this.#folder, folder), { mode: 0o700 });
		const wanted = new Set(["redis", "sentinel", "redis-presence"]);
		for (const secret of secrets("--redis").filter((one) => wanted.has(one.metadata.name)))
			for (const [key, text] of Object.entries(secret.data))
				fs.writeFileSync(this.#file("secrets", key), Buffer.from(text, "base64"), { mode: 0o600 });
		fs.writeFileSync(this.#file("secrets", "link.key"), "0123456789abcdef0123456789abcdef\n", { mode: 0o600 });
		fs.writeFileSync(this.#file("hosts"), ["127.0.0.1 localhost", ...NAMES.map((one) =>
			`${addressOf(one)} ${one.name}.${one.kind}`)].join("\n") + "\n");
		this.#holder = spawn("unshare", [...NAMESPACES, "sh", "-c",
			'ip link set lo up && mount --bind "$0" /etc/hosts && echo up && exec sleep infinity', this.#file("hosts")],
		{ stdio: ["ignore", "pipe", "inherit"] });
		await new Promise((resolve, reject) => {
			this.#holder.stdout.once("data", resolve);
			this.#holder.once("exit", () => reject(new Error("no namespaces")));
		});
		NAMES.forEach((one) => this.run(one));
	}

	#file(...names) {
		return path.join(this.#folder, ...names);
	}

	#inside(words) {
		return [`--target=${this.#holder.pid}`, "--mount", "--net", "--", ...words];
	}

	// As its pod begins: with nothing of its own.
	run({ kind, name }) {
		const [data, conf] = [this.#file(`data-${name}`), this.#file("conf", name)];
		fs.rmSync(data, { recursive: true, force: true });
		fs.mkdirSync(data);
		fs.cpSync(COMPONENT, conf, { recursive: true });
		// All of them share this network, where a pod has one of its own.
		fs.appendFileSync(path.join(conf, `${kind}.conf`), `\nbind ${addressOf({ kind, name })}\n`);
		const log = fs.openSync(this.#file(`${name}.log`), "a");
		const env = { PATH: process.env.PATH, NAME: name, CONF_DIR: conf, DATA_DIR: data, SECRETS_DIR: this.#file("secrets") };
		const child = spawn("nsenter", this.#inside(["sh", path.join(conf, `${kind}.sh`)]), { env, stdio: ["ignore", log, log] });
		fs.closeSync(log);
		this.#children.set(name, child);
	}

	kill(...names) {
		return Promise.all(names.map((name) => {
			const child = this.#children.get(name);
			return new Promise((resolve) => {
				child.once("exit", resolve);
				child.kill("SIGKILL");
			});
		}));
	}

	cli({ kind, name }, user, file, ...words) {
		const run = spawnSync("nsenter", this.#inside(["timeout", "10", "redis-cli", "-h", `${name}.${kind}`,
			"-p", kind === "redis" ? "6379" : "26379", ...user ? ["--user", user] : [], ...words]),
		{ encoding: "utf8", env: { PATH: process.env.PATH, REDISCLI_AUTH: fs.readFileSync(this.#file("secrets", file), "utf8").trim() } });
		return run.stdout.trim().split("\n");
	}

	// As presence does.
	redis(i, ...words) {
		return this.cli({ kind: "redis", name: `redis-${i}` }, "heliograph", "redis.password", ...words);
	}

	sentinel(i, ...words) {
		return this.cli({ kind: "sentinel", name: `sentinel-${i}` }, "", "sentinel.password", ...words);
	}

	// Who is the master, when all agree and the others follow it.
	untilSettled(isMaster) {
		return waitFor(() => {
			const named = [0, 1, 2].map((i) => this.sentinel(i, "sentinel", "get-master-addr-by-name", "heliograph")[0]);
			const roles = [0, 1, 2].map((i) => this.redis(i, "role"));
			const master = roles.findIndex(([role]) => role === "master");
			const isSettled = master >= 0 && isMaster(master) && named.every((host) => host === `redis-${master}.redis`) &&
				roles.every(([role, host, , state], i) => i === master || (role === "slave" && host === `redis-${master}.redis` && state === "connected"));
			if (!isSettled)
				throw new Error(JSON.stringify({ named, roles: roles.map((role) => role.slice(0, 4)) }));
			return { master };
		}, FAILOVER_MS, "one master that all follow");
	}

	log(name) {
		return fs.readFileSync(this.#file(`${name}.log`), "utf8");
	}

	// Presence, with the very options of its pod.
	presence(env) {
		const own = { ...env, HELIOGRAPH_REDIS_PASSWORD_FILE: this.#file("secrets", "redis.password"),
			HELIOGRAPH_REDIS_SENTINEL_PASSWORD_FILE: this.#file("secrets", "sentinel.password"),
			HELIOGRAPH_LINK_KEY_FILE: this.#file("secrets", "link.key"), HELIOGRAPH_LINK_LISTEN: "tcp://127.0.0.1:7100",
			HELIOGRAPH_ADMIN_LISTEN: "127.0.0.1:8090" };
		const child = spawn("nsenter", this.#inside([path.join(buildFolder(), "heliograph-presence")]),
			{ env: own, stdio: ["ignore", "ignore", fs.openSync(this.#file("presence.log"), "a")] });
		this.#children.set("presence", child);
	}

	metric(name) {
		const run = spawnSync("nsenter", this.#inside(["curl", "-fsS", "--max-time", "10", "http://127.0.0.1:8090/metrics"]), { encoding: "utf8" });
		const found = new RegExp(`^${name} (.*)$`, "m").exec(run.stdout);
		return found ? Number(found[1]) : undefined;
	}

	async stop() {
		for (const child of [...this.#children.values(), this.#holder])
			if (child && child.exitCode === null && child.signalCode === null) {
				const ended = new Promise((resolve) => child.once("exit", resolve));
				child.kill("SIGKILL");
				await ended;
			}
		fs.rmSync(this.#folder, { recursive: true, force: true });
	}
}

test("Redis and its Sentinels, as their pods start them", { skip: why }, async (t) => {
	const world = new World();
	t.after(() => world.stop());
	await world.start();
	let master;

	await t.test("redis-0 begins as the master, and the others follow", async () => {
		({ master } = await world.untilSettled((i) => i === 0));
		await waitFor(() => [0, 1, 2].every((i) => /slaves=2,sentinels=3/.test(world.sentinel(i, "info", "sentinel").join("\n"))),
			READY_MS, "Sentinels to know each other and all servers");
	});

	await t.test("presence works with what its pod is told, and may do no more", async () => {
		const docs = overlay("ha");
		const env = podOf(find(docs, "StatefulSet", "presence")).containers[0].env;
		world.presence({ HELIOGRAPH_REDIS: env.find((one) => one.name === "HELIOGRAPH_REDIS").value });
		await waitFor(() => world.metric("presence_redis_away") === 0, READY_MS, "presence to have its Redis");
		assert.match(world.redis(0, "set", "{heliograph}:test", "kept")[0], /^OK$/);
		assert.match(world.redis(0, "set", "heliograph:state:x", "1")[0], /^NOPERM/);
		assert.match(world.redis(0, "flushall")[0], /^NOPERM/);
		assert.match(world.cli({ kind: "redis", name: "redis-0" }, "", "link.key", "ping").join(" "), /WRONGPASS|NOAUTH/);
	});

	await t.test("a master that ends and is back at once, empty, loses nothing for the others", async () => {
		await world.kill("redis-0");
		world.run({ kind: "redis", name: "redis-0" });
		({ master } = await world.untilSettled((i) => i !== 0));
		for (const i of [0, 1, 2])
			assert.deepEqual(world.redis(i, "get", "{heliograph}:test"), ["kept"]);
		assert.match(world.log("redis-0"), /redis-0.redis was the master and is empty: waiting for another one/);
		await waitFor(() => world.metric("presence_redis_away") === 0, FAILOVER_MS, "presence to have found the new master");
	});

	await t.test("a Sentinel that begins anew hears of it from the others", async () => {
		await world.kill("sentinel-0");
		world.run({ kind: "sentinel", name: "sentinel-0" });
		await world.untilSettled((i) => i === master);
		assert.match(world.log("sentinel-0"), new RegExp(`sentinel.sh: the master is redis-${master}.redis\n(?![^]*sentinel.sh)`));
	});

	await t.test("when all Sentinels begin anew, the master says so itself", async () => {
		await world.kill("sentinel-0", "sentinel-1", "sentinel-2");
		for (const i of [0, 1, 2])
			world.run({ kind: "sentinel", name: `sentinel-${i}` });
		await world.untilSettled((i) => i === master);
		assert.deepEqual(world.redis(master, "get", "{heliograph}:test"), ["kept"]);
	});
});
