// SPDX-License-Identifier: Apache-2.0
// Runs of heliograph-bench: short, with its result as an object.
"use strict";

const { execFile } = require("node:child_process");
const fs = require("node:fs");
const os = require("node:os");
const path = require("node:path");
const { ROOT } = require("./program.js");

const BUILD = path.resolve(ROOT, process.env.HELIOGRAPH_BUILD || "build/release");
const SHORT = { warm_up: "50ms", duration: "300ms", drain: "5s", progress: "off", server_pids: "none" };
const RUN_MS = 30000;

// {code, text, figures, about}; `figures` is null when there is no result.
function bench(options) {
	const folder = fs.mkdtempSync(path.join(os.tmpdir(), "heliograph-test-"));
	const json = path.join(folder, "result.json");
	const args = Object.entries({ ...SHORT, ...options, json }).map(([name, value]) => `--${name}=${value}`);
	return new Promise((resolve) => {
		execFile(path.join(BUILD, "heliograph-bench"), args, { timeout: RUN_MS }, (error, stdout, stderr) => {
			const result = fs.existsSync(json) ? JSON.parse(fs.readFileSync(json, "utf8")) : {};
			fs.rmSync(folder, { recursive: true, force: true });
			resolve({ code: error ? error.code : 0, text: stdout + stderr,
				figures: result.figures ?? null, about: result.about });
		});
	});
}

module.exports = { bench };
