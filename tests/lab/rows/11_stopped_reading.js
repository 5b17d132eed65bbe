// SPDX-License-Identifier: Apache-2.0
// One client of a hundred stops reading, in a group that goes on talking.
"use strict";

const { atMost, keptConnections, outcomes } = require("../checks.js");

const SHARE = 0.01;
const LIMIT_MS = 40000;

const slow = (cluster) => cluster.total(cluster.gateways, "close_total", 'reason="slow"');

module.exports = {
	row: 11,
	title: "1 % of the clients stop reading (zero window)",
	goal: "their queue <= 1 MiB, closed <= 10 s with reason; others' p99 <= +10 %",

	async faults(stage) {
		const { cluster, figures, load, net } = stage;
		// Small windows, as of a machine that has nothing to spare, fill soon.
		await net.in("attackers", "sh", "-c", "echo 4096 4096 8192 > /proc/sys/net/ipv4/tcp_rmem");
		stage.mark("calm");
		await stage.pause(stage.ms(8000, 60000));
		const count = Math.max(Math.round(load.options.clients * SHARE), 3);
		const gateway = stage.pick(cluster.gateways);
		const before = await slow(cluster);
		figures.queue = 0;
		const stuck = await stage.attack("stuck", count, gateway);
		stage.mark(`${count} clients of ${gateway} stop reading`);
		const shout = await stage.attack("shout", 1, gateway);
		figures.closed = await stage.until(async () => {
			figures.queue = Math.max(figures.queue, await cluster.value(gateway, "queue_bytes"));
			return await slow(cluster) - before >= count;
		}, LIMIT_MS, "all of them closed");
		figures.count = count;
		await Promise.all([stuck.kill(), shout.kill()]);
		stage.mark("calm again");
	},

	checks(stage, verdict) {
		const { figures } = stage;
		const [calm, stuck] = verdict.marks.map((mark) => mark.delivery.p99_ms);
		return [
			atMost("all of them closed as slow after", figures.closed, 20000),
			atMost("waiting for one of them", figures.queue / figures.count / 1024, 1024, "KiB"),
			atMost("delivery p99 of the others meanwhile", stuck, calm * 1.1),
			keptConnections(verdict), outcomes(verdict),
		];
	},
};
