// SPDX-License-Identifier: Apache-2.0
// What the servers are put through, and what Heliograph must show in it.
"use strict";

// `isBatch`: more than one message is on the way, so a server may send several at once and
// is held against the floor that does. Seconds of warm-up and of measuring.
const WORKLOADS = [
	{ name: "1k-1", title: "1,000 receivers, 1 in flight", connections: 1000, window: 1, warmUp: 0.5, duration: 2 },
	{ name: "1k-16", title: "1,000 receivers, 16 in flight", connections: 1000, window: 16, isBatch: true,
		warmUp: 0.5, duration: 2 },
	{ name: "10k-1", title: "10,000 receivers, 1 in flight", connections: 10000, window: 1, warmUp: 0.5, duration: 3 },
	{ name: "10k-4", title: "10,000 receivers, 4 in flight", connections: 10000, window: 4, isBatch: true,
		warmUp: 0.5, duration: 3 },
	{ name: "100x100", title: "open loop: 100 receivers, 100 messages/s", connections: 100, rate: 100, warmUp: 0.5,
		duration: 3 },
	{ name: "1kx20", title: "open loop: 1,000 receivers, 20 messages/s", connections: 1000, rate: 20, warmUp: 0.5,
		duration: 3 },
];

// Slow is not lost: a server with thousands of deliveries behind is given time.
const DRAIN_S = 20;

function loadArgs(workload) {
	return ["--scenario=broadcast", `--connections=${workload.connections}`,
		workload.rate ? `--rate=${workload.rate}` : `--in_flight=${workload.window}`,
		`--warm_up=${workload.warmUp * 1000}ms`, `--duration=${workload.duration * 1000}ms`, `--drain=${DRAIN_S}s`];
}

// Idle connections: memory is the difference between few and many. Bytes repeat better than
// times do, so fewer rounds will do.
const IDLE = { few: 100, many: 10000, holdMs: 1000, roundsMax: 3 };

function idleArgs(connections) {
	return ["--scenario=idle", `--connections=${connections}`, `--hold=${IDLE.holdMs}ms`, "--warm_up=0s",
		"--duration=1s"];
}

const GATEWAY = "heliograph";
const WHOLE = "heliograph-whole";

// A ratio of CPU per delivery, `over` / `under`, or a figure of the gateway alone.
function ratio(workload, over, under, bound) {
	return { workload, over, under, ...bound };
}

const fanOut = (workload, isBatch) => [
	ratio(workload, GATEWAY, isBatch ? "floor-batched" : "floor", { max: isBatch ? 1.5 : 1.25 }),
	...(isBatch ? [ratio(workload, "aspnetcore", GATEWAY, { min: 7 }), ratio(workload, "nats", GATEWAY, { min: 3 })]
		: [ratio(workload, GATEWAY, "bun", { max: 1 })]),
	ratio(workload, GATEWAY, WHOLE, { min: 0.9 }),
];

const TARGETS = [
	...WORKLOADS.filter(({ window }) => window).flatMap(({ name, isBatch }) => fanOut(name, isBatch)),
	{ workload: "100x100", figure: "p99_ms", of: GATEWAY, max: 3 },
	{ workload: "1kx20", figure: "p99_ms", of: GATEWAY, max: 15 },
];

module.exports = { GATEWAY, IDLE, TARGETS, WHOLE, WORKLOADS, idleArgs, loadArgs };
