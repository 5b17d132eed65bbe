// SPDX-License-Identifier: Apache-2.0
// The units of `make install` under a systemd of the test's own: each program's life as an operator
// sees it. Where that cannot run, what systemd-analyze says of them.
"use strict";

const { after, before, describe, test } = require("node:test");
const assert = require("node:assert/strict");
const { spawnSync } = require("node:child_process");
const fs = require("node:fs");
const os = require("node:os");
const path = require("node:path");
const { Machine, STAGED } = require("./kit/machine.js");
const { waitFor, within } = require("../kit/wait.js");

const UNITS = path.join(STAGED, "usr/local/lib/systemd/system");
const SERVICES = ["heliograph-gateway.service", "heliograph-presence.service", "heliograph-router@r1.service"];
const WAIT_MS = 30000;
// Of 100; most services of a Debian are above 90.
const EXPOSURE_MAX = 15;

// systemd's own units, for what ours are ordered by, and ours; of the programs only that they are there.
function root() {
	const folder = fs.mkdtempSync(path.join(os.tmpdir(), "heliograph-test-"));
	const units = path.join(folder, "usr/local/lib/systemd/system");
	fs.mkdirSync(units, { recursive: true });
	fs.cpSync(UNITS, units, { recursive: true });
	fs.cpSync("/usr/lib/systemd/system", path.join(folder, "usr/lib/systemd/system"), { recursive: true, verbatimSymlinks: true });
	for (const program of ["/bin/kill", ...["gateway", "presence", "router"].map((name) => `/usr/local/sbin/heliograph-${name}`)]) {
		fs.mkdirSync(path.join(folder, path.dirname(program)), { recursive: true });
		fs.writeFileSync(path.join(folder, program), "", { mode: 0o755 });
	}
	return folder;
}

describe("systemd-analyze", () => {
	let folder;
	before(() => { folder = root(); });
	after(() => fs.rmSync(folder, { recursive: true }));

	const analyze = (...args) => spawnSync("systemd-analyze", args, { encoding: "utf8" });
	const verify = (name) => analyze("verify", "--man=no", "--recursive-errors=no", `--root=${folder}`, name);

	for (const name of SERVICES)
		test(`finds nothing wrong with ${name}, and it is closed enough`, () => {
			const { status, stderr } = verify(name);
			assert.deepEqual([status, stderr.split("\n").filter((line) => line.includes("heliograph"))], [0, []]);
			const rating = analyze("security", "--offline=true", `--root=${folder}`, `--threshold=${EXPOSURE_MAX}`, name);
			assert.equal(rating.status, 0, rating.stdout);
		});

	test("does find what is wrong, and what is open", () => {
		const file = path.join(folder, "usr/local/lib/systemd/system/heliograph-presence.service");
		const text = fs.readFileSync(file, "utf8");
		fs.writeFileSync(file, text.replace("KeyringMode=", "KeyringMood="));
		assert.match(verify("heliograph-presence.service").stderr, /KeyringMood/);
		fs.writeFileSync(file, text.replace(/^(NoNewPrivileges|PrivateUsers|SystemCallFilter)=.*\n/gm, ""));
		assert.notEqual(analyze("security", "--offline=true", `--root=${folder}`, `--threshold=${EXPOSURE_MAX}`,
			"heliograph-presence.service").status, 0);
		fs.writeFileSync(file, text);
	});
});

// A client in the other machine's network; "open" and "closed" on its stdout.
const CLIENT = `const { HubConnectionBuilder, LogLevel } = require("@microsoft/signalr");
const connection = new HubConnectionBuilder().withUrl("http://127.0.0.1:8080/hubs/chat").configureLogging(LogLevel.None).build();
connection.onclose(() => { console.log("closed"); process.exit(0); });
(async () => {
	for (;;)
		try { await connection.start(); break; } catch { await new Promise((resolve) => setTimeout(resolve, 100)); }
	console.log("open");
})();`;

describe("under systemd", () => {
	let machine;
	let why = null;
	before(async () => {
		machine = new Machine();
		await machine.start().catch((error) => { why = error.message.split("\n")[0]; });
		if (why)
			return console.error(`SKIPPED: ${why}`);
		machine.configure("heliograph-.service", "WatchdogSec=2s", "TimeoutAbortSec=2s");
		machine.run("sed", "-i", "s/^drain_delay.*/drain_delay = 1s/; $ a lease = 2s", "/etc/heliograph/gateway.conf");
	});
	after(async () => {
		if (!why)
			await machine.stop();
	});

	const ok = ({ status, out, err }) => assert.equal(status, 0, `${out}${err}\n${machine.log.slice(-4000)}`);
	// Never 0, which is everybody to kill(1).
	const pid = (unit) => {
		const main = Number(machine.show(unit, "MainPID"));
		assert.ok(main > 1, `${unit} does not run`);
		return main;
	};
	const clientOf = () => {
		const child = machine.inNetwork(process.execPath, "-e", CLIENT);
		const said = [];
		child.stdout.on("data", (text) => said.push(...String(text).trim().split("\n")));
		return { child, said, ended: new Promise((resolve) => child.on("exit", resolve)) };
	};

	test("all start, whatever is there already, and say how they are", async (t) => {
		if (why)
			return t.skip(why);
		ok(machine.systemctl("start", "heliograph-gateway"));
		ok(machine.systemctl("start", "heliograph-router@r1", "heliograph-router@r2", "heliograph-presence"));
		await waitFor(() => machine.show("heliograph-gateway", "StatusText") === "ready, 0 connections", WAIT_MS, "the gateway");
		await waitFor(() => machine.show("heliograph-router@r2", "StatusText").startsWith("ready, "), WAIT_MS, "a router");
		assert.equal(machine.show("heliograph-presence", "StatusText"), "ready");
		assert.equal(machine.show("heliograph-gateway", "NRestarts"), "0");
		ok(machine.run("/usr/local/sbin/heliograph-gateway", "--check=http://127.0.0.1:9100/readyz"));
		assert.notEqual(machine.run("/usr/local/sbin/heliograph-gateway", "--check=http://127.0.0.1:9100/nothing").status, 0);
	});

	test("a reload is one, and a configuration with a mistake makes it fail", (t) => {
		if (why)
			return t.skip(why);
		const file = "/etc/heliograph/gateway.conf";
		const main = pid("heliograph-gateway");
		ok(machine.systemctl("reload", "heliograph-gateway"));
		machine.run("sed", "-i", "$ a nonsense = 1", file);
		assert.notEqual(machine.systemctl("reload", "heliograph-gateway").status, 0);
		machine.run("sed", "-i", "$ d", file);
		assert.equal(machine.show("heliograph-gateway", "ActiveState"), "active");
		assert.equal(pid("heliograph-gateway"), main);
		assert.match(machine.log, /event=conf.reloaded node=g1.0 /);
		assert.match(machine.log, /unknown option nonsense/);
	});

	test("a process that stands still is ended and started again; a worker, alone", async (t) => {
		if (why)
			return t.skip(why);
		const router = pid("heliograph-router@r2");
		ok(machine.run("kill", "-STOP", String(router)));
		const gateway = pid("heliograph-gateway");
		ok(machine.run("sh", "-c", `read -r worker _ < /proc/${gateway}/task/${gateway}/children; kill -STOP "$worker"`));
		await waitFor(() => machine.show("heliograph-router@r2", "NRestarts") === "1", WAIT_MS, "a new router");
		await waitFor(() => machine.log.includes("event=workers.lost node=g1 "), WAIT_MS, "the worker's end");
		await waitFor(() => machine.show("heliograph-gateway", "StatusText") === "ready, 0 connections", WAIT_MS, "a new worker");
		assert.equal(pid("heliograph-gateway"), gateway);
		assert.equal(machine.show("heliograph-gateway", "NRestarts"), "0");
	});

	test("a stop drains", async (t) => {
		if (why)
			return t.skip(why);
		const client = clientOf();
		t.after(() => client.child.kill());
		await waitFor(() => client.said.includes("open"), WAIT_MS, "a client");
		ok(machine.systemctl("stop", "heliograph-gateway"));
		await within(client.ended, WAIT_MS, "the client's end");
		assert.deepEqual(client.said, ["open", "closed"]);
		assert.equal(machine.show("heliograph-gateway", "Result"), "success");
		assert.equal(machine.show("heliograph-gateway", "ExecMainStatus"), "0");
		assert.doesNotMatch(machine.log, /event=(proc.forced_exit|drain.cut|proc.drain_timeout) node=g1/);
		assert.equal(machine.log.match(/event=drain.over node=g1.*cut=0/g).length, 2);
	});

	test("a drain by command is an end that stays", async (t) => {
		if (why)
			return t.skip(why);
		ok(machine.systemctl("start", "heliograph-gateway"));
		await waitFor(() => machine.run("/usr/local/sbin/heliograph-presence", "ctl", "drain", "g1.0").status === 0, WAIT_MS, "the drain");
		await waitFor(() => machine.show("heliograph-gateway", "ActiveState") === "inactive", WAIT_MS, "the end");
		assert.equal(machine.show("heliograph-gateway", "Result"), "success");
	});

	test("the target stops all of them", async (t) => {
		if (why)
			return t.skip(why);
		ok(machine.systemctl("start", "heliograph.target", "heliograph-gateway"));
		ok(machine.systemctl("stop", "heliograph.target"));
		await waitFor(() => SERVICES.every((unit) => machine.show(unit, "ActiveState") === "inactive"), WAIT_MS, "all to end");
		assert.deepEqual(SERVICES.map((unit) => machine.show(unit, "Result")), ["success", "success", "success"]);
	});
});
