// SPDX-License-Identifier: Apache-2.0
// What a delivery asks of the kernel: one write. strace counts the system calls of the
// gateway's loop while a group of raw WebSockets is sent messages, one at a time.
"use strict";

const { describe, test, before, after, afterEach } = require("node:test");
const assert = require("node:assert/strict");
const { spawn } = require("node:child_process");
const { sharedCluster } = require("../kit/cluster.js");
const { freshRoom, rawClient } = require("../kit/chat.js");
const { waitFor, within } = require("../kit/wait.js");

const RECEIVERS = 200;
const MESSAGES = 50;
const DELIVERIES = RECEIVERS * MESSAGES;
// The link wants a dozen or two for each message; one for each delivery would be four times this.
const OTHERS_MAX = DELIVERIES / 4;
const WAIT_MS = 20000;

const ROLES = ["relay.join", "relay.send"];

// The summary of `strace -c`: its columns are %, seconds, usecs/call, calls, [errors], name.
function parseCounts(text) {
	const counts = new Map();
	for (const line of text.split("\n")) {
		const row = /^\s*[\d.]+\s+[\d.]+\s+\d+\s+(\d+)\s+(?:\d+\s+)?(\w+)\s*$/.exec(line);
		if (row && row[2] !== "total")
			counts.set(row[2], Number(row[1]));
	}
	return counts;
}

// Counts the calls of one thread until stop() is called; null: it may not be traced.
async function trace(pid) {
	const child = spawn("strace", ["-c", "-p", String(pid)], { stdio: ["ignore", "ignore", "pipe"] });
	let said = "";
	child.stderr.setEncoding("utf8").on("data", (text) => (said += text));
	const ended = new Promise((resolve) => {
		child.on("error", (error) => resolve(error.message));
		child.on("close", () => resolve(said));
	});
	await Promise.race([waitFor(() => said.includes("attached"), WAIT_MS, "strace"), ended]);
	if (!said.includes("attached"))
		return { reason: (await ended).trim() };
	return {
		stop: async () => {
			child.kill("SIGINT");
			return parseCounts(await within(ended, WAIT_MS, "strace's summary"));
		},
	};
}

describe("the system calls of a fan-out", () => {
	const cluster = sharedCluster({ before, after, afterEach }, {});

	test("are one write for each delivery", async (t) => {
		const address = cluster().addresses[0];
		const group = freshRoom("group");
		const members = [];
		for (let i = 0; i < RECEIVERS; i++) {
			const member = await rawClient(t, address, { hub: "relay", user: { userId: `m${i}`, roles: ROLES } });
			assert.equal((await member.call("JoinGroup", group)).error, undefined);
			members.push(member);
		}
		const sender = await rawClient(t, address, { hub: "relay", user: { userId: "sender", roles: ROLES } });
		const tracer = await trace(cluster().program("g1").pid);
		if (tracer.reason !== undefined) {
			t.skip(`a process may not be traced here: ${tracer.reason}`);
			return;
		}
		const deliveries = (await cluster().metrics("g1")).get("gateway_deliveries_total");
		for (let n = 0; n < MESSAGES; n++)
			assert.equal((await sender.call("SendToGroup", group, "news", n)).error, undefined);
		const counts = await tracer.stop();
		assert.equal((await cluster().metrics("g1")).get("gateway_deliveries_total") - deliveries, DELIVERIES);

		const writes = ["sendto", "sendmsg", "write", "writev"].reduce((sum, name) => sum + (counts.get(name) ?? 0), 0);
		const all = [...counts.values()].reduce((sum, n) => sum + n, 0);
		t.diagnostic(JSON.stringify(Object.fromEntries(counts)));
		// Messages that meet in one turn of a busy gateway share a write: fewer are no fault.
		assert.ok(counts.get("sendto") >= RECEIVERS, `${counts.get("sendto")} sends to ${RECEIVERS} receivers`);
		assert.ok(writes <= DELIVERIES + OTHERS_MAX, `${writes} writes for ${DELIVERIES} deliveries`);
		assert.ok(all - writes <= OTHERS_MAX, `${all - writes} other calls: ${JSON.stringify([...counts])}`);
		for (const member of [members[0], members[RECEIVERS - 1]])
			for (let n = 0; n < MESSAGES; n++)
				assert.deepEqual((await member.message()).arguments, [n]);
	});
});
