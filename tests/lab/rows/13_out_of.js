// SPDX-License-Identifier: Apache-2.0
// Running out: a gateway and a router get errors from the kernel for a share of their calls
// (libfiu), another gateway may have few descriptors and is asked for more.
"use strict";

const os = require("node:os");
const { atMost, outcomes } = require("../checks.js");

// libfiu's names. Not accept4, which it does not know, nor malloc: a program that gets no memory
// ends, by design.
const FAILING = ["send", "sendto", "sendmsg", "recv", "recvfrom", "recvmsg", "connect", "socket"].map((name) => `posix/io/net/${name}`)
	.concat(["readv", "writev"].map((name) => `posix/io/rw/${name}`));
const PRELOAD = ["fiu_run_preload.so", "fiu_posix_preload.so"];
const SHARE = 0.01;
const { ENOMEM } = os.constants.errno; // not EFAULT and the like, which no kernel gives a right program
const NOFILE = 400; // twice what its share of the clients takes
const MEASURE_S = 5;

const env = (name) => ({ LD_PRELOAD: PRELOAD.map((file) => `/usr/lib/fiu/${file}`).join(":"), FIU_CTRL_FIFO: `/run/fiu-${name}` });

// One call in a hundred fails from now on.
function fail(stage, name) {
	const commands = FAILING.flatMap((call) => ["-c", `enable_random name=${call},probability=${SHARE},failinfo=${ENOMEM}`]);
	return stage.net.in(name, "fiu-ctrl", "-f", `/run/fiu-${name}`, ...commands, String(stage.cluster.program(name).pid));
}

async function load(stage, name) {
	const before = stage.cluster.usage(name).cpuS;
	await stage.pause(MEASURE_S * 1000);
	return (stage.cluster.usage(name).cpuS - before) / MEASURE_S * 100;
}

module.exports = {
	row: 13,
	title: "EMFILE, ENOMEM (libfiu: 1 % of what gateway and router ask of the network)",
	goal: "no crash, no spin (CPU <= 5 %), no wrong answer",
	cluster: { run: { g1: { env: env("g1") }, r1: { env: env("r1") }, g2: { before: ["prlimit", `--nofile=${NOFILE}:${NOFILE}`] } } },
	traffic: { retry_ms: 500 },
	// Connections that open at the gateway and fail on the way are not in the clients' histories.
	judge: { lostMs: 120000 },

	async faults(stage) {
		const { cluster, figures } = stage;
		stage.mark("calls of g1 and r1 fail");
		await fail(stage, "g1");
		await fail(stage, "r1");
		figures.calmCpu = await load(stage, "g2");
		const attack = await stage.attack("hold", NOFILE, "g2");
		stage.mark("g2 without a descriptor left");
		figures.fullCpu = await load(stage, "g2");
		figures.refused = await cluster.value("g2", "http_accept_failed_total") + await cluster.value("g2", "http_refused_total");
		await attack.kill();
		stage.mark("g2 has some again");
		await stage.pause(stage.ms(10000, 120000));
	},

	checks(stage, verdict) {
		const { calmCpu, fullCpu, refused } = stage.figures;
		return [
			atMost("CPU of g2 without descriptors", fullCpu, calmCpu + 5, "%"),
			{ what: "sockets refused for want of descriptors", goal: ">= 1", value: refused, isMet: refused > 0 },
			outcomes(verdict),
		];
	},
};
