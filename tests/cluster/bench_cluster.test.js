// SPDX-License-Identifier: Apache-2.0
// bench/cluster.sh: what it says is so, and it leaves nothing behind however it ends.
"use strict";

const { after, test } = require("node:test");
const assert = require("node:assert/strict");
const { spawn } = require("node:child_process");
const fs = require("node:fs");
const os = require("node:os");
const path = require("node:path");
const { ROOT } = require("../kit/program.js");
const { mintToken } = require("../kit/clients.js");
const { bencher } = require("../kit/benchhub.js");
const { waitFor, within } = require("../kit/wait.js");

const folder = fs.mkdtempSync(path.join(os.tmpdir(), "heliograph-test-"));
after(() => fs.rmSync(folder, { recursive: true, force: true }));

// {child, out, errors, ended}; told to end, if it still runs, at the end of the test.
function start(t, variables = {}, command = []) {
	const child = spawn(path.join(ROOT, "bench/cluster.sh"), command,
		{ env: { ...process.env, PORT: "0", TMPDIR: folder, ...variables }, stdio: ["ignore", "pipe", "pipe"] });
	const run = { child, out: "", errors: "" };
	child.stdout.on("data", (data) => { run.out += data; });
	child.stderr.on("data", (data) => { run.errors += data; });
	run.ended = new Promise((resolve) => child.on("close", (code) => resolve(code)));
	t.after(async () => {
		child.kill("SIGTERM");
		await within(run.ended, 15000, "the end of cluster.sh");
	});
	return run;
}

async function facts(run) {
	await waitFor(() => run.out.includes("\n") || run.child.exitCode !== null, 30000, "the facts");
	assert.notEqual(run.out, "", run.errors);
	return Object.fromEntries(run.out.trim().split(/(?<!\\) /).map((fact) => fact.split("=")));
}

const list = (text) => text.split(",").filter((item) => item !== "");
const program = (pid) => path.basename(fs.readlinkSync(`/proc/${pid}/exe`));

function lives(pid) {
	try {
		return !/^State:\s*Z/m.test(fs.readFileSync(`/proc/${pid}/status`, "utf8"));
	} catch {
		return false;
	}
}

const allPids = (said) => list([said.GATEWAY_PIDS, said.ROUTER_PIDS, said.PRESENCE_PIDS].join(","));

test("the facts are so, and TERM ends all", async (t) => {
	const run = start(t, { GATEWAYS: "2", ROUTERS: "2", DEV: "on" });
	const said = await facts(run);
	assert.deepEqual(list(said.GATEWAY_PIDS).map(program), Array(2).fill("heliograph-gateway"));
	assert.deepEqual(list(said.ROUTER_PIDS).map(program), Array(2).fill("heliograph-router"));
	assert.deepEqual(list(said.PRESENCE_PIDS).map(program), ["heliograph-presence"]);
	for (const address of [...list(said.GATEWAY_ADMINS), ...list(said.ROUTER_ADMINS)])
		assert.equal((await fetch(`http://${address}/readyz`)).status, 200, address);
	assert.equal(fs.readFileSync(said.AUTH_KEY_FILE, "utf8").length, 64);
	assert.ok(fs.existsSync(path.join(said.LOG, "g1.log")));

	const origin = said.URL.replace(/\/hubs\/bench$/, "");
	assert.ok(await mintToken(origin, { userId: "user-1" }));
	const client = await bencher(t, origin);
	assert.equal(await client.invoke("Echo", "here"), "here");
	await client.stop();

	run.child.kill("SIGTERM");
	assert.equal(await run.ended, 0);
	assert.deepEqual(allPids(said).filter(lives), []);
	assert.ok(!fs.existsSync(said.LOG), "its folder is gone");
});

test("a command gets the facts, and its status is the script's", async (t) => {
	const run = start(t, { PRESENCE: "0", CORES_GATEWAY: "0", GATEWAY_OPTIONS: "--poll_timeout=5s --head_timeout=3s" },
		["bash", "-c", 'tr "\\0" " " < /proc/$GATEWAY_PIDS/cmdline; taskset -cp "$GATEWAY_PIDS"; echo "p=$PRESENCE_PIDS."; exit 7']);
	assert.equal(await run.ended, 7);
	assert.match(run.out, / --poll_timeout=5s --head_timeout=3s /);
	assert.match(run.out, /affinity list: 0\n/);
	assert.match(run.out, /p=\.\n/);
});

test("one that dies takes the others along, and its log stays", async (t) => {
	const log = path.join(folder, "kept log");
	const run = start(t, { LOG: log });
	const said = await facts(run);
	process.kill(Number(said.ROUTER_PIDS), "SIGKILL");
	assert.equal(await run.ended, 1);
	assert.match(run.errors, /r1 ended by itself with status 137/);
	assert.deepEqual(allPids(said).filter(lives), []);
	assert.ok(fs.existsSync(path.join(log, "r1.log")));
});

test("what cannot be is said", async (t) => {
	for (const [variables, error] of [
		[{ GATEWAYS: "0" }, /GATEWAYS=0: a number from 1 to 256/],
		[{ ROUTERS: "many" }, /ROUTERS=many: a number from 1 to 64/],
		[{ HELIOGRAPH_BUILD: "/nowhere" }, /nowhere\/heliograph-gateway is not built/],
		[{ ROUTER_OPTIONS: "--no_such_option=1" }, /r1 ended while starting: .*no_such_option/s],
	]) {
		const run = start(t, variables);
		assert.equal(await run.ended, 1);
		assert.match(run.errors, error);
		assert.equal(run.out, "");
	}
});
