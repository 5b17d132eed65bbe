// SPDX-License-Identifier: Apache-2.0
// The links between gateways and routers are far, lossy and narrow.
"use strict";

const { keptConnections, none, outcomes } = require("../checks.js");

const WORSE = { delayMs: 50, jitterMs: 20, lossPercent: 1 };
const MBIT = 10;

module.exports = {
	row: 10,
	title: "50±20 ms, 1 % loss, 10 Mbit/s between gateways and routers",
	goal: "0 lost; throughput limited only by bandwidth; no false failover",

	async faults(stage) {
		const { cluster, figures, net } = stage;
		const lost = () => cluster.logged("link.peer_lost");
		stage.mark("calm");
		await stage.pause(5000);
		const before = lost();
		stage.mark("worse");
		const ends = [];
		for (const gateway of cluster.gateways)
			for (const router of cluster.routers)
				for (const [from, to] of [[gateway, router], [router, gateway]])
					ends.push(await net.worsen(from, to, { ...WORSE, seed: Math.floor(stage.random() * 1e9) }));
		for (const router of cluster.routers)
			ends.push(await net.narrow(router, MBIT));
		await stage.pause(stage.ms(20000, 600000));
		figures.packets = { seen: 0, lost: 0 };
		for (const end of ends) {
			const packets = await end();
			figures.packets.seen += packets.seen ?? 0;
			figures.packets.lost += packets.lost ?? 0;
		}
		figures.failovers = lost() - before;
		stage.mark("as before");
		await stage.pause(3000);
	},

	checks(stage, verdict) {
		const { failovers, packets } = stage.figures;
		const worse = verdict.marks.find((mark) => mark.text === "worse").delivery;
		return [
			none("peers given up", failovers),
			{ what: "packets lost", goal: "about 1 %", value: `${packets.lost} of ${packets.seen}`, isMet: packets.lost > 0 },
			{ what: "delivery p50, p99", goal: "told", value: `${worse.p50_ms} and ${worse.p99_ms} ms`, isMet: true },
			keptConnections(verdict), outcomes(verdict),
		];
	},
};
