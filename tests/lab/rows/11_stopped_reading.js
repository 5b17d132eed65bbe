// SPDX-License-Identifier: Apache-2.0
// One client of a hundred stops reading, in a group that goes on talking; again and again, and
// between that they read, so that what others notice is that and nothing else.
"use strict";

const { atMost, keptConnections, outcomes, sideBySide, worst } = require("../checks.js");

const SHARE = 0.01;
const LIMIT_MS = 40000;
const READ_MS = 3500; // about as long as it takes to close who does not
const LOOK_MS = 25;
const ROUNDS = 10;
const ROUNDS_LONG = 100;

const slow = (cluster) => cluster.total(cluster.gateways, "close_total", 'reason="slow"');

// Looks at what waits for them until so many are closed, or the time is over; resolves with how long it took.
async function watch({ cluster, figures, pause }, gateway, closed, limitMs) {
	const since = performance.now();
	for (;;) {
		figures.queue = Math.max(figures.queue, await cluster.value(gateway, "queue_bytes"));
		const took = performance.now() - since;
		if (await slow(cluster) >= closed)
			return took;
		if (took >= limitMs)
			return Infinity;
		await pause(LOOK_MS);
	}
}

module.exports = {
	row: 11,
	title: "1 % of the clients stop reading (zero window)",
	goal: "their queue <= 1 MiB, closed <= 10 s with reason; others' p99 <= +10 %",

	async faults(stage) {
		const { cluster, figures, load, net } = stage;
		// Small windows, as of a machine that has nothing to spare, fill soon.
		await net.in("attackers", "sh", "-c", "echo 4096 4096 8192 > /proc/sys/net/ipv4/tcp_rmem");
		const count = Math.max(Math.round(load.options.clients * SHARE), 3);
		const gateway = stage.pick(cluster.gateways);
		figures.queue = 0;
		figures.count = count;
		figures.closed = [];
		const stuck = await stage.attack("stuck", count, gateway);
		const shout = await stage.attack("shout", 1, gateway);
		for (let round = 0; round < (stage.isLong ? ROUNDS_LONG : ROUNDS); round++) {
			stage.mark(`calm: ${count} clients of ${gateway} read`);
			await watch(stage, gateway, Infinity, READ_MS);
			const closed = await slow(cluster);
			stage.mark("not reading: they stop");
			await stuck.pause();
			figures.closed.push(await watch(stage, gateway, closed + count, LIMIT_MS));
			stage.mark("between");
			await stuck.again();
			await stage.pause(LOOK_MS);
		}
		await Promise.all([stuck.kill(), shout.kill()]);
		stage.mark("without them");
	},

	checks(stage, verdict) {
		const { figures } = stage;
		return [
			atMost("all of them closed as slow after", worst(figures.closed), 10000),
			atMost("waiting for one of them", figures.queue / figures.count / 1024, 1024, "KiB"),
			...sideBySide(verdict, "not reading"),
			keptConnections(verdict), outcomes(verdict),
		];
	},
};
