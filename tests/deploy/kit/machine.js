// SPDX-License-Identifier: Apache-2.0
// A systemd of the test's own (boot.sh), with what `make install` puts on a machine.
"use strict";

const { spawn, spawnSync } = require("node:child_process");
const fs = require("node:fs");
const os = require("node:os");
const path = require("node:path");
const { buildFolder } = require("../../kit/program.js");
const { waitFor } = require("../../kit/wait.js");

const WAIT_MS = 60000;
const NAMESPACES = ["--fork", "--pid", "--mount", "--cgroup", "--ipc", "--uts", "--net", "--kill-child"];
const STAGED = path.join(buildFolder(), "staged");

class Machine {
	// Throws where this machine has no namespaces, or no systemd.
	async start() {
		this.folder = fs.mkdtempSync(path.join(os.tmpdir(), "heliograph-test-"));
		fs.writeFileSync(this.logFile, "");
		this.child = spawn("unshare", [...NAMESPACES, path.join(__dirname, "../boot.sh"), STAGED, this.folder],
			{ stdio: ["ignore", "pipe", "pipe"] });
		let said = "";
		for (const stream of [this.child.stdout, this.child.stderr])
			stream.on("data", (text) => { said += text; });
		let exit = null;
		this.ended = new Promise((resolve) => this.child.on("exit", (code, signal) => resolve(exit = code ?? signal)));
		try {
			await waitFor(() => exit !== null || this.#isUp(), WAIT_MS, "systemd to be up");
			if (exit !== null)
				throw new Error(`it ended: ${exit}`);
		} catch (error) {
			await this.stop();
			throw new Error(`no systemd here: ${error.message}\n${said}`);
		}
	}

	get logFile() {
		return path.join(this.folder, "log");
	}

	get log() {
		return fs.readFileSync(this.logFile, "utf8");
	}

	// The pid of that systemd, as this machine counts.
	get pid() {
		const children = fs.readFileSync(`/proc/${this.child.pid}/task/${this.child.pid}/children`, "utf8");
		return Number(children.split(" ")[0]);
	}

	run(command, ...args) {
		const root = `/proc/${this.pid}/root`;
		const { status, stdout, stderr } = spawnSync("nsenter", ["-t", String(this.pid), "-m", "-p", "-C", "-i", "-u", "-n",
			`--root=${root}`, command, ...args], { encoding: "utf8", cwd: "/", timeout: WAIT_MS });
		return { status, out: stdout, err: stderr };
	}

	systemctl(...args) {
		return this.run("systemctl", ...args);
	}

	show(unit, property) {
		return this.systemctl("show", "--property", property, "--value", unit).out.trim();
	}

	// A command of this machine in the other one's network.
	inNetwork(command, ...args) {
		return spawn("nsenter", ["-t", String(this.pid), "-n", command, ...args],
			{ stdio: ["ignore", "pipe", "inherit"], cwd: path.join(__dirname, "../..") });
	}

	// More of a unit's settings, or of all units that begin so.
	configure(unit, ...lines) {
		const text = `[Service]\n${lines.join("\n")}\n`;
		const folder = `/etc/systemd/system/${unit}.d`;
		this.run("sh", "-c", `mkdir -p ${folder} && printf %s "$1" > ${folder}/test.conf && systemctl daemon-reload`, "sh", text);
	}

	async stop() {
		this.child.kill("SIGKILL"); // the namespace's processes with it
		await this.ended;
		fs.rmSync(this.folder, { recursive: true, force: true });
	}

	#isUp() {
		return this.pid && this.systemctl("is-active", "basic.target").out.trim() === "active";
	}
}

module.exports = { Machine, STAGED };
