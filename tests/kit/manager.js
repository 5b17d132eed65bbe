// SPDX-License-Identifier: Apache-2.0
// A service manager's end of $NOTIFY_SOCKET, which Node cannot bind: perl does, which every Debian
// has, and writes each datagram down as a line, its lines joined by "|".
"use strict";

const { spawn } = require("node:child_process");
const fs = require("node:fs");
const os = require("node:os");
const path = require("node:path");
const { waitFor } = require("./wait.js");

const WAIT_MS = 30000;
const LISTENER = `use Socket; $| = 1;
socket(S, PF_UNIX, SOCK_DGRAM, 0) && bind(S, sockaddr_un($ARGV[0])) or die "$!";
print "listens\\n";
while (defined(recv(S, $text, 65536, 0))) { $text =~ s/\\n/|/g; print "$text\\n"; }`;

class Manager {
	constructor() {
		this.folder = fs.mkdtempSync(path.join(os.tmpdir(), "heliograph-test-"));
		this.socket = path.join(this.folder, "notify");
		this.said = [];
	}

	async start() {
		this.child = spawn("perl", ["-e", LISTENER, this.socket], { stdio: ["ignore", "pipe", "inherit"] });
		let rest = "";
		let listens = false;
		this.child.stdout.setEncoding("utf8");
		this.child.stdout.on("data", (text) => {
			const lines = (rest + text).split("\n");
			rest = lines.pop();
			for (const line of lines)
				if (line === "listens")
					listens = true;
				else
					this.said.push(line);
		});
		await waitFor(() => listens, WAIT_MS, "the manager to listen");
		return this;
	}

	stop() {
		this.child.kill("SIGKILL");
		fs.rmSync(this.folder, { recursive: true });
	}

	// What is said after `from`, from the first that begins so; its place.
	async hears(begin, from = 0) {
		return waitFor(() => {
			const at = this.said.findIndex((text, i) => i >= from && text.startsWith(begin));
			return at >= 0 && { at, text: this.said[at] };
		}, WAIT_MS, `"${begin}" behind the first ${from} of:\n${this.said.join("\n")}`);
	}
}

// It ends with the test.
async function manage(test) {
	const manager = await new Manager().start();
	test.after(() => manager.stop());
	return manager;
}

module.exports = { manage };
