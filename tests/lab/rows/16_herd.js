// SPDX-License-Identifier: Apache-2.0
// The edge is lost with every connection through it, and when it is back all come at once.
"use strict";

const { atMost, none, outcomes } = require("../checks.js");

const HERD = 6000; // at SCALE=1, and at most: the edge has two descriptors for each, of 20,000
const AWAY_MS = 2000;
const BACK_MS_MAX = 60000;
const LIMIT_MS = 120000;

module.exports = {
	row: 16,
	title: "thundering herd: all clients reconnect at once after the edge was lost",
	goal: "10,000: all back <= 10 s on 2 cores, 0 refused finally",
	traffic: { retry_ms: 500 },

	async faults(stage) {
		const { cluster, figures, load } = stage;
		const herd = Math.min(Math.round(HERD * stage.scale), HERD);
		const args = [`--url=${cluster.url}/hubs/bench`, "--scenario=idle", `--connections=${herd}`, "--connect_parallel=10000",
			"--warm_up=0"];
		figures.herd = herd;
		const first = stage.bench([...args, "--hold=3s"], LIMIT_MS);
		await stage.waitFor(async () => await cluster.total(cluster.gateways, "connections") >= herd, LIMIT_MS, "the herd");
		stage.mark(`the edge is killed with ${herd} clients behind it`);
		await cluster.edge.kill();
		await first;
		await stage.pause(AWAY_MS);
		stage.mark("the edge is started");
		const since = performance.now();
		await cluster.edge.start();
		const second = stage.bench([...args, "--hold=3s"], LIMIT_MS);
		await stage.waitFor(async () => {
			const { clients, joined } = await load.status();
			return joined === clients;
		}, BACK_MS_MAX, "all clients of the traffic back");
		figures.traffic = performance.now() - since;
		figures.second = (await second)?.figures ?? null;
	},

	checks(stage, verdict) {
		const { herd, second, traffic } = stage.figures;
		return [
			atMost(`${herd} clients back after`, second?.open === herd ? second.connect_s * 1000 : Infinity, 10000),
			none("of them refused", second ? second.connect_errors : Infinity),
			atMost("clients with traffic back after", traffic, 10000),
			outcomes(verdict),
		];
	},
};
