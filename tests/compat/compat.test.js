// SPDX-License-Identifier: Apache-2.0
// Every feature of features.js, with every official client in clients/, over every transport
// and protocol, against one cluster with two workers behind one port. The outcome is also
// left in $HELIOGRAPH_BUILD/compat.json, from which docs/COMPATIBILITY.md is made.
"use strict";

const { describe, test, before, after } = require("node:test");
const assert = require("node:assert/strict");
const { execFile } = require("node:child_process");
const fs = require("node:fs");
const path = require("node:path");
const { promisify } = require("node:util");
const { BUILD, conformanceOptions } = require("../conformance/cluster.js");
const { Cluster } = require("../kit/cluster.js");
const { mintToken } = require("../kit/clients.js");

const CLIENT_MS = 240000;
const FOLDERS = fs.readdirSync(path.join(__dirname, "clients")).sort();
const run = promisify(execFile);

describe("official clients", () => {
	const results = {};
	let cluster;

	before(async () => {
		cluster = new Cluster(conformanceOptions());
		await cluster.start();
	});
	after(async () => {
		fs.writeFileSync(path.join(BUILD, "compat.json"), `${JSON.stringify(results, null, 1)}\n`);
		await cluster.stop();
	});

	for (const folder of FOLDERS) {
		test(folder, async (t) => {
			const url = cluster.urls[0];
			const token = await mintToken(url, { userId: "u", name: "U" });
			const { stdout } = await run(process.execPath,
				[path.join(__dirname, "client.js"), path.join(__dirname, "clients", folder), url, token],
				{ timeout: CLIENT_MS, killSignal: "SIGKILL", maxBuffer: 1 << 24 });
			const rows = stdout.split("\n").filter((line) => line.startsWith("{")).map((line) => JSON.parse(line));
			results[folder] = rows;
			for (const { feature, transport, protocol, result, detail } of rows) {
				if (result === "-")
					continue;
				await t.test(`${feature}, ${transport}, ${protocol}`, () => assert.equal(detail ?? result, "works"));
			}
			assert.ok(rows.filter(({ result }) => result === "works").length > 60, "hardly anything was tried");
		});
	}
});
