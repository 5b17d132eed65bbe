// SPDX-License-Identifier: Apache-2.0
// docs/API.md against what is there: its table of paths and problems, and its examples, which
// are run as they stand.
"use strict";

const { test } = require("node:test");
const assert = require("node:assert/strict");
const { execFile } = require("node:child_process");
const fs = require("node:fs");
const path = require("node:path");
const { promisify } = require("node:util");
const { withCluster } = require("../kit/cluster.js");
const { connect } = require("../kit/clients.js");
const { openApi } = require("../kit/openapi.js");
const { ROOT } = require("../kit/program.js");
const { untilOnline } = require("../kit/presence.js");

const page = fs.readFileSync(path.join(ROOT, "docs/API.md"), "utf8");
const document = JSON.parse(fs.readFileSync(path.join(ROOT, "presence/openapi.json"), "utf8"));

test("the page lists every path with its methods, and no other", () => {
	const listed = [...page.matchAll(/^\| (`[A-Z].*?\/api\/\S+`) \|/gm)].flatMap(([, cell]) => {
		const target = /(\/api\/[^`?]+)/.exec(cell)[1];
		return cell.match(/\b(GET|PUT|POST|DELETE)\b/g).map((method) => `${method} ${target}`);
	});
	const described = Object.entries(document.paths).flatMap(([target, methods]) =>
		Object.keys(methods).map((method) => `${method.toUpperCase()} ${target}`));
	assert.deepEqual(listed.sort(), described.filter((line) => !line.endsWith("openapi.json")).sort());
});

test("the page lists every type of problem, and no other", () => {
	const source = fs.readFileSync(path.join(ROOT, "presence/admin_problem.h"), "utf8");
	const known = [...source.matchAll(/X\(ADMIN_\w+, "([a-z-]+)"/g)].map(([, name]) => name);
	const table = page.slice(page.indexOf("| type | status |"), page.indexOf("An act on many"));
	const listed = [...table.matchAll(/^\| (`.*?`) \|/gm)].flatMap(([, cell]) => cell.match(/[a-z-]+/g));
	assert.deepEqual(listed.sort(), known.sort());
});

test("the examples do what they say", async (t) => {
	const [, , block] = page.split("```sh\n").map((part) => part.split("```")[0]);
	const lines = block.trim().split("\n");
	assert.equal(lines.length, 7);
	assert.ok(lines.every((line) => line.startsWith("curl ")));
	await withCluster({ gateways: 1, routers: 1 }, async (cluster) => {
		const api = await openApi(cluster);
		const clients = [];
		const join = async () => {
			const one = await connect(t, cluster.urls[0], { userId: "ann", events: ["notice"] });
			clients.push(one);
			await untilOnline(cluster, ["ann"]);
			await api.ok("addConnectionToGroup", { params: { hub: "chat", group: "room 1", connectionId: one.id } });
			return one;
		};
		await join();
		for (const line of lines) {
			if (clients.at(-1).closed)
				await join();
			cluster.program("g1").wasKilled ||= line.includes("drain"); // it is to end
			const { stdout } = await promisify(execFile)("bash",
				["-c", `api=${api.origin}; ${line.replace("curl ", "curl -sS --fail-with-body ")}`]);
			assert.equal(typeof JSON.parse(stdout), "object", line);
			if (line.includes("DELETE"))
				await clients.at(-1).until((one) => one.closed, "the end");
			if (line.includes("tea is ready"))
				await clients.at(-1).until((one) => one.of("notice")[0] === "tea is ready", "the notice");
		}
		await cluster.program("g1").ended;
	});
});
