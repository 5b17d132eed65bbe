// SPDX-License-Identifier: Apache-2.0
// What a service manager hears from each program, from its start to its end.
"use strict";

const { test } = require("node:test");
const assert = require("node:assert/strict");
const { withCluster } = require("../kit/cluster.js");
const { connect } = require("../kit/clients.js");
const { manage } = require("../kit/manager.js");
const { waitFor, within } = require("../kit/wait.js");

const WAIT_MS = 30000;
const WORKERS = 2;

// Starts it again under that manager, whose watchdog allows it so many milliseconds.
async function underManager(cluster, name, manager, watchdogMs = 0) {
	const program = cluster.program(name);
	await program.stop();
	program.env = { NOTIFY_SOCKET: manager.socket };
	if (watchdogMs)
		program.env.WATCHDOG_USEC = String(watchdogMs * 1000);
	await program.start();
	return program;
}

for (const [name, status] of [["p1", "ready"], ["r1", "ready, 0 connections"], ["g1", "ready, 0 connections"]])
	test(`a manager hears of the whole life of ${name}`, async (t) => {
		await withCluster({}, async (cluster) => {
			const manager = await manage(t);
			const program = await underManager(cluster, name, manager, 1000);
			const ready = await manager.hears(`STATUS=${status}`);
			assert.equal(manager.said[0], "READY=1");
			const beat = await manager.hears("WATCHDOG=1", ready.at);

			program.signal("SIGHUP");
			const reloading = await manager.hears("RELOADING=1|MONOTONIC_USEC=", beat.at);
			const reloaded = await manager.hears("READY=1", reloading.at);
			await manager.hears("WATCHDOG=1", reloaded.at);

			const ended = program.signal("SIGTERM");
			const stopping = await manager.hears("STOPPING=1|EXTEND_TIMEOUT_USEC=7000000", reloaded.at);
			assert.deepEqual(await within(ended, WAIT_MS, "the end"), { code: 0, signal: null });
			assert.equal(manager.said.slice(stopping.at).filter((text) => text === "READY=1").length, 0);
		});
	});

test("a drain tells who is left", async (t) => {
	await withCluster({ gatewayArgs: ["--drain_timeout=30s", "--drain_delay=1s"] }, async (cluster) => {
		const manager = await manage(t);
		const program = await underManager(cluster, "g1", manager);
		await Promise.all([connect(t, cluster.urls[0]), connect(t, cluster.urls[0])]);
		const ended = program.signal("SIGTERM");
		const stopping = await manager.hears("STOPPING=1");
		await manager.hears("STATUS=draining, 2 connections left", stopping.at);
		assert.deepEqual(await within(ended, WAIT_MS, "the end"), { code: 0, signal: null });
	});
});

test("workers are told of by their supervisor, and one that stands still is replaced", async (t) => {
	await withCluster({ workers: WORKERS }, async (cluster) => {
		const manager = await manage(t);
		const program = await underManager(cluster, "g1", manager, 2000);
		const clients = await Promise.all(Array.from({ length: 8 }, () => connect(t, cluster.urls[0])));
		const ready = await manager.hears("STATUS=ready, 8 connections");
		assert.equal(manager.said.filter((text) => text === "READY=1").length, 1);

		// The watchdog's time has passed more than once, and nobody has been ended.
		let { at } = ready;
		for (let i = 0; i < 4; i++)
			({ at } = await manager.hears("WATCHDOG=1", at + 1));
		assert.equal(program.workers.length, WORKERS);

		program.signal("SIGHUP");
		const reloading = await manager.hears("RELOADING=1", ready.at);
		await manager.hears("READY=1", reloading.at);
		assert.equal(manager.said.filter((text) => text === "READY=1").length, 2);

		const [stuck, other] = program.workers.map((worker) => Number(worker.pid));
		process.kill(stuck, "SIGSTOP");
		await waitFor(() => program.log.some((line) => line.includes("event=workers.stuck ")), WAIT_MS, "it to be missed");
		await waitFor(() => program.workers.length === WORKERS + 1, WAIT_MS, "a new worker");
		assert.ok(program.workers.some((worker) => Number(worker.pid) === other), "the other one lives");
		const stayed = await Promise.all(clients.map((client) => client.connection.state === "Connected"));
		assert.ok(stayed.includes(true), "its clients notice nothing");
		await manager.hears("WATCHDOG=1", manager.said.length);

		const ended = program.signal("SIGTERM");
		await manager.hears("STOPPING=1", reloading.at);
		assert.deepEqual(await within(ended, WAIT_MS, "the end"), { code: 0, signal: null });
		assert.ok(manager.said.every((text) => !text.startsWith("X_")), "of single workers nothing is told");
	});
});
