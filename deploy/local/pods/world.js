// SPDX-License-Identifier: Apache-2.0
// A world of the cluster's own: network, mount and process namespaces that the kernel takes away with
// everything in them (pods, their mounts and addresses) when the cluster ends, however it ends.
"use strict";

const { execFile, spawn, spawnSync } = require("node:child_process");
const fs = require("node:fs");
const path = require("node:path");
const { promisify } = require("node:util");

const ROOT = path.resolve(__dirname, "../../..");
const TOOLS = ["unshare", "setpriv", "nsenter", "ip", "podman", "runc", "conmon", "iptables-restore", "haproxy", "kubectl"];
// Debian keeps some of them where a user's PATH does not look; make puts kubectl into build/tools.
const PATH = `${process.env.PATH}:/usr/sbin:/sbin:${ROOT}/build/tools`;
const UNSHARE = ["--net", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc", "--"];
const SETTLE = "set -e; mount -t tmpfs run /run; mkdir /run/netns; mount -t tmpfs shm /dev/shm; ip link set lo up";
const CGROUPS = "/sys/fs/cgroup";
const OUTPUT_BYTES_MAX = 64 << 20;
const PROBE_MS = 20000;

const run = promisify(execFile);

// A tool to its end, its output; `input` for its stdin.
function tool(command, args, { input = "", env = {} } = {}) {
	const promise = run(command, args, { maxBuffer: OUTPUT_BYTES_MAX, env: { ...process.env, PATH, ...env } });
	promise.child.stdin.on("error", () => {}).end(input);
	return promise.then(({ stdout }) => stdout, (error) => {
		throw new Error(`${command} ${args.slice(0, 6).join(" ")}: ${error.stderr?.trim() || error.message}`);
	});
}

// Makes a world for a moment. What is missing, or "".
function missing() {
	if (process.getuid() !== 0)
		return "pods on this machine need root";
	for (const name of TOOLS)
		if (spawnSync("sh", ["-c", `command -v ${name}`], { env: { ...process.env, PATH } }).status !== 0)
			return `${name} is not installed (make deps-cluster)`;
	const script = `${SETTLE}; ip link add br0 type bridge; ip netns add probe
		ip link add v-probe type veth peer name eth0 netns probe; nsenter --net=/run/netns/probe iptables -A INPUT -p tcp --syn -j DROP`;
	const probe = spawnSync("unshare", [...UNSHARE, "sh", "-c", script],
		{ env: { ...process.env, PATH }, encoding: "utf8", timeout: PROBE_MS });
	if (probe.error)
		return probe.error.message;
	return probe.status === 0 ? "" : `no namespaces here: ${probe.stderr.trim() || `status ${probe.status}`}`;
}

/*
 * Starts a module in a new world, in a session of its own, so that a Ctrl-C is for us alone. Its first
 * process is a shell, which collects those that nobody waits for. It dies with us.
 */
function enter(file, args, env) {
	return spawn("setpriv", ["--pdeathsig", "KILL", "unshare", ...UNSHARE, "bash", "-c",
		`${SETTLE}; "$@" || exit`, "bash", process.execPath, file, ...args],
	{ detached: true, stdio: ["pipe", "pipe", "inherit"], env: { ...process.env, PATH, ...env } });
}

// The control groups of its containers, which are the machine's; empty by now. False: somebody is still on the
// way out of one.
function removeCgroups(name) {
	let isGone = true;
	const remove = (folder) => {
		for (const entry of fs.readdirSync(folder, { withFileTypes: true }))
			if (entry.isDirectory())
				remove(path.join(folder, entry.name));
		fs.rmdirSync(folder);
	};
	for (const place of ["", ...fs.readdirSync(CGROUPS)]) {
		const folder = path.join(CGROUPS, place, name);
		try {
			if (fs.statSync(folder).isDirectory())
				remove(folder);
		} catch (error) {
			isGone &&= error.code !== "EBUSY";
		}
	}
	return isGone;
}

module.exports = { PATH, ROOT, missing, enter, removeCgroups, tool };
