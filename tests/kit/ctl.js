// SPDX-License-Identifier: Apache-2.0
// "heliograph-presence ctl" as somebody at a terminal runs it.
"use strict";

const { spawn } = require("node:child_process");
const http = require("node:http");
const path = require("node:path");
const { buildFolder } = require("./program.js");
const { within } = require("./wait.js");

const PROGRAM = path.join(buildFolder(), "heliograph-presence");
const WAIT_MS = 20000;

// Only what the test sets of what ctl would read.
function environment(more = {}) {
	const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith("HELIOGRAPH_ADMIN")));
	return { ...env, ...more };
}

// Any program to its end: {status, out, err}. `begun` is given the child while it runs.
async function run(program, args, { env, input = "", begun = () => {} } = {}) {
	const child = spawn(program, args, { env: environment(env) });
	let out = "";
	let err = "";
	child.stdout.setEncoding("utf8").on("data", (text) => (out += text));
	child.stderr.setEncoding("utf8").on("data", (text) => (err += text));
	child.stdin.on("error", () => {}).end(input);
	begun(child, () => out);
	const ended = new Promise((resolve, reject) => child.on("error", reject).on("close", resolve));
	try {
		return { status: await within(ended, WAIT_MS, `${path.basename(program)} ${args.join(" ")}`), out, err };
	} finally {
		child.kill("SIGKILL");
	}
}

const ctl = (address, args, options = {}) =>
	run(PROGRAM, ["ctl", ...args], { ...options, env: { HELIOGRAPH_ADMIN: address, ...options.env } });

// A presence that says what a test wants: `answer(url, response, request)` for each request; an object it returns is sent as JSON.
async function fakeApi(t, answer) {
	const asked = [];
	const server = http.createServer((request, response) => {
		asked.push(request.url);
		const said = answer(new URL(request.url, "http://x"), response, request);
		if (said !== undefined)
			response.setHeader("Content-Type", "application/json").end(JSON.stringify(said));
	});
	await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
	t.after(() => new Promise((resolve) => {
		server.close(resolve);
		server.closeAllConnections();
	}));
	return { address: `127.0.0.1:${server.address().port}`, asked };
}

module.exports = { PROGRAM, run, ctl, fakeApi };
