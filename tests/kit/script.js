// SPDX-License-Identifier: Apache-2.0
// A script of deploy/scripts, run to its end.
"use strict";

const { spawn } = require("node:child_process");
const path = require("node:path");
const { within } = require("./wait.js");

const FOLDER = path.resolve(__dirname, "../../deploy/scripts");
const WAIT_MS = 180000;

// {status, out, err}; a status that is not `wanted` is an error with what it said (null: any is wanted).
async function runScript(name, args, { env = {}, wanted = 0 } = {}) {
	const child = spawn(path.join(FOLDER, name), args, { env: { ...process.env, ...env }, stdio: ["ignore", "pipe", "pipe"] });
	let out = "";
	let err = "";
	child.stdout.setEncoding("utf8").on("data", (text) => (out += text));
	child.stderr.setEncoding("utf8").on("data", (text) => (err += text));
	const ended = new Promise((resolve, reject) => child.on("error", reject).on("close", resolve));
	try {
		const status = await within(ended, WAIT_MS, `${name} ${args.join(" ")}`);
		if (wanted !== null && status !== wanted)
			throw new Error(`${name} ${args.join(" ")} ended with ${status}\n${out}${err}`);
		return { status, out, err };
	} finally {
		child.kill("SIGTERM");
	}
}

module.exports = { runScript };
