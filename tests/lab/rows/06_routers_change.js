// SPDX-License-Identifier: Apache-2.0
// Routers are added, and taken away, while everybody talks.
"use strict";

const { atMost, keptConnections, none, outcomes, worst } = require("../checks.js");

const DONE_MS_MAX = 200000; // a change that takes so long has no end
const STOP_MS_MAX = 60000;

// Resolves when nothing is left to be done on the way to these routers.
const untilRest = ({ cluster, waitFor }, names) => waitFor(async () => {
	const map = await cluster.json("/api/v1/cluster/routers");
	return map.epoch > 0 && map.phase === "stable" && map.state === "rest" && map.waitingFor.length === 0 &&
		map.routers.map((router) => router.name).join() === names.join();
}, DONE_MS_MAX, `the routers ${names.join(", ")}`);

// What owns keys from now on; resolves when the cluster has got there.
async function change(stage, names) {
	const { cluster, figures } = stage;
	stage.mark(`routers: ${names.join(", ")}`);
	const since = performance.now();
	await cluster.putRouters(names);
	await untilRest(stage, names);
	figures.took.push(performance.now() - since);
	stage.mark("done");
}

module.exports = {
	row: 6,
	title: "routers 3 -> 5 -> 2 under load",
	goal: "moved groups <= K/N + 5 %; 0 lost, doubled, reordered; stall p99 <= 200 ms",
	cluster: { routersMax: 5 },

	async faults(stage) {
		const { cluster, figures } = stage;
		const five = ["r1", "r2", "r3", "r4", "r5"];
		figures.took = [];
		await untilRest(stage, cluster.routers);
		for (const name of ["r4", "r5"])
			await cluster.addRouter(name, five);
		await change(stage, five);
		await stage.pause(stage.ms(5000, 120000));
		const two = [...five];
		while (two.length > 2)
			two.splice(Math.floor(stage.random() * two.length), 1);
		await change(stage, two);
		await stage.pause(stage.ms(5000, 120000));
		for (const name of five.filter((each) => !two.includes(each)))
			await cluster.program(name).stop(STOP_MS_MAX);
		stage.mark("the others have ended");
		await stage.pause(3000);
	},

	checks(stage, verdict) {
		return [
			atMost("delivery p99", verdict.delivery.p99_ms, 200),
			atMost("longest change", worst(stage.figures.took), 30000),
			none("sends that failed", verdict.counts.unknown + verdict.counts.refused),
			keptConnections(verdict), outcomes(verdict),
		];
	},
};
