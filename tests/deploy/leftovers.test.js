// SPDX-License-Identifier: Apache-2.0
// What is taken away of clusters on this machine that were killed, and what is not.
// tests/containers kills one.
"use strict";

const { test } = require("node:test");
const assert = require("node:assert/strict");
const { spawn, spawnSync } = require("node:child_process");
const fs = require("node:fs");
const os = require("node:os");
const path = require("node:path");
const { makeFolder, sweep } = require("../../deploy/local/pods/leftovers.js");
const { waitFor } = require("../kit/wait.js");

const MODULE = path.resolve(__dirname, "../../deploy/local/pods/leftovers.js");

test("the folders of dead processes go, all others stay", async (t) => {
	const place = fs.mkdtempSync(path.join(os.tmpdir(), "heliograph-leftovers-"));
	t.after(() => fs.rmSync(place, { recursive: true }));
	const ofAnother = (change = {}) => {
		const { stdout } = spawnSync(process.execPath, ["-p", `require(${JSON.stringify(MODULE)}).makeFolder("heliograph-0-0", ${JSON.stringify(place)})`],
			{ encoding: "utf8" });
		const file = path.join(stdout.trim(), "owner.json");
		fs.writeFileSync(file, JSON.stringify({ ...JSON.parse(fs.readFileSync(file, "utf8")), ...change }));
		return stdout.trim();
	};
	const dead = [ofAnother(), ofAnother({ pid: process.pid })]; // of the second one the number is another's now
	fs.mkdirSync(path.join(dead[0], "pods/x"), { recursive: true });
	const kept = [makeFolder("heliograph-1-1", place), ofAnother({ space: "pid:[1]" }), ofAnother({ name: "../x" }),
		fs.mkdtempSync(path.join(place, "heliograph-cluster.")), fs.mkdtempSync(path.join(place, "other."))];
	if (process.getuid() === 0) {
		kept.push(ofAnother());
		fs.chownSync(kept.at(-1), 65534, 65534);
	}
	assert.deepEqual((await sweep(place)).sort(), dead.sort());
	assert.deepEqual(fs.readdirSync(place).sort(), kept.map((folder) => path.basename(folder)).sort());
	assert.deepEqual(await sweep(place), []);
});

test("a process that nobody has asked how it ended is dead", async (t) => {
	const place = fs.mkdtempSync(path.join(os.tmpdir(), "heliograph-leftovers-"));
	const script = `require(${JSON.stringify(MODULE)}).makeFolder("heliograph-0-0", ${JSON.stringify(place)})`;
	const parent = spawn("sh", ["-c", '"$0" -e "$1" & exec sleep 600', process.execPath, script]);
	t.after(() => {
		parent.kill("SIGKILL");
		fs.rmSync(place, { recursive: true });
	});
	const stateOf = (pid) => fs.readFileSync(`/proc/${pid}/stat`, "utf8").split(") ")[1][0];
	await waitFor(() => {
		const [folder] = fs.readdirSync(place);
		return stateOf(JSON.parse(fs.readFileSync(path.join(place, folder, "owner.json"), "utf8")).pid) === "Z";
	}, 20000, "its end");
	assert.equal((await sweep(place)).length, 1);
});
