// SPDX-License-Identifier: Apache-2.0
// deploy/compose without Docker: what compose.yaml gives each program is what it takes, names and ports fit together, the
// keys are enough for real processes and a real Redis. `docker-compose config` judges the form where it is installed.
"use strict";

const { after, afterEach, before, beforeEach, describe, test } = require("node:test");
const assert = require("node:assert/strict");
const { spawn, spawnSync } = require("node:child_process");
const crypto = require("node:crypto");
const fs = require("node:fs");
const os = require("node:os");
const path = require("node:path");
const yaml = require("js-yaml");
const { ROOT, buildFolder } = require("../kit/program.js");
const { waitFor } = require("../kit/wait.js");

const WAIT_MS = 30000;

const SOURCE = path.join(ROOT, "deploy/compose");
const text = (name) => fs.readFileSync(path.join(SOURCE, name), "utf8");
const { services, secrets } = yaml.load(text("compose.yaml"));
const ours = Object.entries(services).filter(([, service]) => /^localhost\/heliograph:/.test(service.image));

function run(command, args, options = {}) {
	const { status, stdout, stderr } = spawnSync(command, args, { encoding: "utf8", ...options });
	return { status, said: `${stdout}${stderr}` };
}

describe("compose", () => {
	let folder;
	before(() => {
		folder = fs.mkdtempSync(path.join(os.tmpdir(), "heliograph-test-"));
		for (const name of ["compose.yaml", "haproxy.cfg", "secrets.sh"])
			fs.copyFileSync(path.join(SOURCE, name), path.join(folder, name));
		assert.equal(run(path.join(folder, "secrets.sh"), []).status, 0);
	});
	after(() => fs.rmSync(folder, { recursive: true }));

	test("there are two gateways, three routers, two presences, and each program takes what it is given", () => {
		const kinds = ours.map(([, service]) => service.command[0]);
		assert.deepEqual(kinds.sort(), [...Array(2).fill("heliograph-gateway"), ...Array(2).fill("heliograph-presence"),
			...Array(3).fill("heliograph-router")]);
		for (const [name, service] of ours) {
			assert.equal(service.environment.HELIOGRAPH_NAME, name);
			assert.ok(service.image.includes(`:-${fs.readFileSync(path.join(ROOT, "VERSION"), "utf8").trim()}}`), service.image);
			const { status, said } = run(path.join(buildFolder(), service.command[0]), ["-n"], { env: service.environment });
			assert.equal(status, 0, `${name}: ${said}`);
			const printed = run(path.join(buildFolder(), service.command[0]), ["--print-conf"]).said;
			for (const variable of Object.keys(service.environment))
				assert.match(printed, new RegExp(`^${variable.replace("HELIOGRAPH_", "").toLowerCase()} = ?`, "m"));
		}
	});

	test("all are closed containers, asked for their health by themselves, with time to drain", () => {
		for (const [name, service] of ours) {
			assert.deepEqual([service.read_only, service.cap_drop, service.user, service.security_opt],
				[true, ["ALL"], "10001:10001", ["no-new-privileges:true"]], name);
			const [how, program, flag] = service.healthcheck.test;
			assert.deepEqual([how, program], ["CMD", service.command[0]]);
			const { port } = new URL(flag.replace("--check=", ""));
			assert.ok(service.environment.HELIOGRAPH_ADMIN_LISTEN.endsWith(`:${port}`), name);
			assert.ok(parseInt(service.stop_grace_period, 10) > parseInt(service.environment.HELIOGRAPH_DRAIN_TIMEOUT ?? "10", 10), name);
		}
	});

	test("what is named is there: peers, secrets, the edge's gateways", () => {
		for (const [name, service] of ours) {
			for (const [variable, file] of Object.entries(service.environment).filter(([key]) => /_FILE$/.test(key)))
				assert.ok(service.secrets.includes(path.basename(file)), `${name}: ${variable}`);
			for (const [, host] of Object.values(service.environment).join(" ").matchAll(/redis:\/\/[a-z]+@([a-z]+):/g))
				assert.ok(services[host], host);
		}
		for (const [name, { file }] of Object.entries(secrets))
			assert.ok(fs.statSync(path.join(folder, file)).size > 0, name);
		const edge = text("haproxy.cfg");
		const gateways = ours.filter(([, service]) => service.command[0] === "heliograph-gateway").map(([name]) => name);
		assert.deepEqual([...edge.matchAll(/^\tserver (\S+) (\S+):8080$/gm)].map(([, name, host]) => [name, host]),
			[...gateways, ...gateways].map((name) => [name, name]), "ready ones, or any");
		assert.deepEqual(services.edge.ports, ["8080:8080"]);
		assert.match(edge, /^\tbind :8080$/m);
		const checked = run("haproxy", ["-c", "-f", path.join(folder, "haproxy.cfg")]);
		assert.equal(checked.status, 0, checked.said);
	});

	test("the edge differs from the example in addresses and sizes only", () => {
		const same = (file) => file.replace(/^#.*\n/gm, "").split("\n")
			.filter((line) => !/^\t(bind|maxconn|default-server|server) /.test(line)).join("\n");
		const example = same(fs.readFileSync(path.join(ROOT, "deploy/edge/haproxy.cfg"), "utf8"));
		assert.equal(same(text("haproxy.cfg")).split("\nresolvers docker")[0].trim(), example.trim());
	});

	test("keys are made once", () => {
		const key = () => fs.readFileSync(path.join(folder, "secrets/link.key"), "utf8");
		const before = key();
		assert.match(before, /^[0-9a-f]{64}$/);
		assert.equal(run(path.join(folder, "secrets.sh"), []).status, 0);
		assert.equal(key(), before);
	});

	// In a folder of its own, by whom it says; its user's passwords as Redis is told them.
	describe("users.acl", () => {
		const hashes = (place) => fs.readFileSync(path.join(place, "secrets/users.acl"), "utf8").match(/#[0-9a-f]{64}/g);
		const hash = (password) => `#${crypto.createHash("sha256").update(password).digest("hex")}`;
		let place;
		const make = (uid) => run(...(uid === undefined ? [path.join(place, "secrets.sh"), []]
			: ["setpriv", [`--reuid=${uid}`, "--clear-groups", path.join(place, "secrets.sh")]]));
		beforeEach(() => {
			place = fs.mkdtempSync(path.join(os.tmpdir(), "heliograph-test-"));
			fs.copyFileSync(path.join(SOURCE, "secrets.sh"), path.join(place, "secrets.sh"));
		});
		afterEach(() => fs.rmSync(place, { recursive: true }));

		test("has all passwords of the file, which a rotation goes by", () => {
			assert.equal(make().status, 0);
			fs.writeFileSync(path.join(place, "secrets/redis.password"), "new\r\n\n old one ");
			assert.equal(make().status, 0);
			assert.deepEqual(hashes(place), [hash("new"), hash(" old one ")]);
		});

		test("stays as it is when there is no password", () => {
			assert.equal(make().status, 0);
			const before = hashes(place);
			fs.writeFileSync(path.join(place, "secrets/redis.password"), "\n");
			const { status, said } = make();
			assert.notEqual(status, 0);
			assert.match(said, /redis\.password: there is no password/);
			assert.deepEqual(hashes(place), before);
		});

		test("stays as it is when the password is no longer ours to read", (t) => {
			const isRoot = process.getuid() === 0;
			const us = isRoot ? 65534 : undefined;
			if (isRoot) {
				if (run("setpriv", [`--reuid=${us}`, "--clear-groups", "true"]).status !== 0)
					return t.skip("setpriv cannot be another here");
				fs.chownSync(place, us, us);
			}
			assert.equal(make(us).status, 0);
			const before = hashes(place);
			if (isRoot)
				assert.equal(make().status, 0);
			else
				fs.chmodSync(path.join(place, "secrets/redis.password"), 0);
			const { status, said } = make(us);
			assert.notEqual(status, 0, said);
			assert.deepEqual(hashes(place), before);
		});
	});

	test("Redis knows the user by that password, and lets it do no more than it has to", async (t) => {
		const socket = path.join(folder, "redis.sock");
		const server = spawn("redis-server", ["--port", "0", "--unixsocket", socket, "--save", "", "--dir", folder,
			"--aclfile", path.join(folder, "secrets/users.acl")], { stdio: "ignore" });
		t.after(() => server.kill("SIGKILL"));
		const password = fs.readFileSync(path.join(folder, "secrets/redis.password"), "utf8");
		const ask = (...words) => run("redis-cli", ["-s", socket, ...words],
			{ env: { ...process.env, REDISCLI_AUTH: password } }).said.trim();
		await waitFor(() => ask("--user", "heliograph", "ping") === "PONG", WAIT_MS, "an answer");
		assert.equal(ask("--user", "heliograph", "set", "{heliograph}:x", "1"), "OK");
		assert.match(ask("--user", "heliograph", "set", "other", "1"), /NOPERM/);
		assert.match(ask("--user", "heliograph", "flushall"), /NOPERM/);
	});

	test("docker-compose reads it", (t) => {
		if (spawnSync("docker-compose", ["--version"]).status !== 0)
			return t.skip("docker-compose is not there");
		const { status, said } = run("docker-compose", ["-f", path.join(folder, "compose.yaml"), "config", "--quiet"]);
		assert.equal(status, 0, said);
	});
});
