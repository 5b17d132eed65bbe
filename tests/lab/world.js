// SPDX-License-Identifier: Apache-2.0
// A world of the run's own: network, mount and process namespaces that the kernel takes away
// with everything in them (hosts, rules, processes, their sockets) when the run ends, however
// it ends. Nothing in it reaches the machine's network, or is reached from there. Without
// root a user namespace is made around it.
"use strict";

const { execFileSync, spawn, spawnSync } = require("node:child_process");
const fs = require("node:fs");

const TOOLS = ["unshare", "nsenter", "ip", "tc", "iptables", "haproxy", "redis-server"];
// Debian keeps some of them where a user's PATH does not look.
const PATH = `${process.env.PATH}:/usr/sbin:/sbin`;
const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"];
const worlds = new Set(); // that there are, by their first process
const MARK = "HELIOGRAPH_LAB_WORLD";

function unshareArgs() {
	const user = process.getuid() === 0 ? [] : ["--user", "--map-root-user"];
	return [...user, "--net", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc"];
}

// Makes a world for a moment and tries in it what the lab does. Resolves with what is
// missing, or "".
function missing() {
	for (const tool of TOOLS)
		if (spawnSync("sh", ["-c", `command -v ${tool}`], { env: { ...process.env, PATH } }).status !== 0)
			return `${tool} is not installed (make deps-lab)`;
	const script = `set -e
		mount -t tmpfs lab /run && mkdir /run/netns
		ip link set lo up && ip link add br0 type bridge
		ip netns add probe && ip link add v-probe type veth peer name eth0 netns probe
		nsenter --net=/run/netns/probe iptables -A INPUT -s 10.77.0.1 -j NFQUEUE --queue-num 1 --queue-bypass`;
	const probe = spawnSync("unshare", [...unshareArgs(), "--", "sh", "-c", script],
		{ env: { ...process.env, PATH }, encoding: "utf8", timeout: 20000 });
	if (probe.error)
		return probe.error.message;
	return probe.status === 0 ? "" : `no namespaces here: ${probe.stderr.trim() || `status ${probe.status}`}`;
}

const isInside = () => process.env[MARK] === "1";

// Its first process goes with it (--kill-child), and all others with that one.
function onSignal() {
	for (const child of worlds)
		child.kill("SIGKILL");
	process.exit(1);
}

/*
 * Runs this very command in a new world with more in its environment, and resolves with its exit
 * status, or with what ended it. After limitMs the world is over. There may be several.
 */
function enter(env, limitMs) {
	const child = spawn("unshare", [...unshareArgs(), "--", process.execPath, ...process.argv.slice(1)],
		{ stdio: "inherit", env: { ...process.env, PATH, [MARK]: "1", ...env } });
	const limit = setTimeout(() => child.kill("SIGKILL"), limitMs);
	if (worlds.size === 0)
		for (const signal of SIGNALS)
			process.on(signal, onSignal);
	worlds.add(child);
	return new Promise((resolve) => child.on("error", (error) => resolve(error.message))
		.on("exit", (code, signal) => resolve(signal ? `its time limit of ${limitMs / 1000} s` : code)))
		.finally(() => {
			clearTimeout(limit);
			worlds.delete(child);
			if (worlds.size === 0)
				for (const signal of SIGNALS)
					process.removeListener(signal, onSignal);
		});
}

// In the world: its own /run, where `ip netns` keeps names, and a loopback.
function settle() {
	execFileSync("mount", ["-t", "tmpfs", "lab", "/run"]);
	fs.mkdirSync("/run/netns");
	execFileSync("ip", ["link", "set", "lo", "up"]);
}

module.exports = { isInside, missing, enter, settle };
