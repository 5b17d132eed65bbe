// SPDX-License-Identifier: Apache-2.0
// Thousands of connections that a test does not look at one by one: heliograph-bench holds
// them, as users "user-0", "user-1" and so on, until the test ends.
"use strict";

const { spawn } = require("node:child_process");
const path = require("node:path");
const { ROOT, buildFolder } = require("./program.js");

// At the gateway with this address; the test waits until presence knows them.
function hold(t, address, { connections, users = connections }) {
	const child = spawn(path.join(buildFolder(), "heliograph-bench"), ["--scenario=idle", "--hold=10m",
		`--url=http://${address}/hubs/chat`, "--dev_tokens=on", `--connections=${connections}`,
		`--users=${users}`, "--workers=1", "--progress=off", "--server_pids=none"],
	{ cwd: ROOT, stdio: ["ignore", "ignore", "pipe"] });
	const held = { child, said: "" };
	child.stderr.on("data", (text) => (held.said = (held.said + text).slice(-4000)));
	t.after(() => {
		child.kill("SIGKILL");
		return new Promise((resolve) => (child.exitCode !== null || child.signalCode !== null
			? resolve() : child.on("exit", resolve)));
	});
	return held;
}

module.exports = { hold };
