// SPDX-License-Identifier: Apache-2.0
// Routers are added, and taken away, while everybody talks.
"use strict";

const { atMost, keptConnections, none, outcomes, worst } = require("../checks.js");

const DONE_MS_MAX = 200000; // a change that takes so long has no end
const STOP_MS_MAX = 60000;
// Who are alone in many groups (attack.js): of few, chance would move any share.
const CROWD = 4;
const CROWD_GROUPS = 1000;
const SHARE_OVER = 0.05;
const FIVE = ["r1", "r2", "r3", "r4", "r5"];

// Resolves when nothing is left to be done on the way to these routers.
const untilRest = ({ cluster, waitFor }, names) => waitFor(async () => {
	const map = await cluster.json("/api/v1/cluster/routers");
	return map.epoch > 0 && map.phase === "stable" && map.state === "rest" && map.waitingFor.length === 0 &&
		map.routers.map((router) => router.name).join() === names.join();
}, DONE_MS_MAX, `the routers ${names.join(", ")}`);

// What all routers have, and what they have forgotten since it is others'; users count as groups.
const groups = ({ cluster }) => cluster.total(FIVE, "groups");
const dropped = ({ cluster }) => cluster.total(FIVE, "shards_dropped_total", 'kind="group"');

// What owns keys from now on; resolves when the cluster has got there, and every router has
// forgotten what others own: so much has moved.
async function change(stage, names) {
	const { cluster, figures } = stage;
	const had = [cluster.routers.length, await groups(stage), await dropped(stage)];
	stage.mark(`routers: ${names.join(", ")}`);
	const since = performance.now();
	await cluster.putRouters(names);
	await untilRest(stage, names);
	figures.took.push(performance.now() - since);
	stage.mark("done");
	const [routers, count, droppedBefore] = had;
	await stage.waitFor(async () => await groups(stage) === count, DONE_MS_MAX, `${count} groups again`);
	figures.moves.push({ from: routers, to: names.length, groups: count, moved: await dropped(stage) - droppedBefore });
}

// Of the groups, what the routers that come are to have, or those that leave had.
const least = ({ from, to }) => Math.abs(to - from) / Math.max(from, to);

const moved = (move) => atMost(`groups that moved, of ${move.groups}, from ${move.from} to ${move.to} routers`,
	100 * move.moved / move.groups, 100 * (least(move) + SHARE_OVER), "%");

module.exports = {
	row: 6,
	title: "routers 3 -> 5 -> 2 under load",
	goal: "moved groups <= K/N + 5 %; 0 lost, doubled, reordered; stall p99 <= 200 ms",
	cluster: { routersMax: 5 },

	async faults(stage) {
		const { cluster, figures } = stage;
		figures.took = [];
		figures.moves = [];
		await untilRest(stage, cluster.routers);
		for (const name of ["r4", "r5"])
			await cluster.addRouter(name, FIVE);
		const before = await groups(stage);
		const crowd = await stage.attack("crowd", CROWD, stage.pick(cluster.gateways));
		await stage.waitFor(async () => await groups(stage) >= before + CROWD_GROUPS, DONE_MS_MAX, "the crowd in its groups");
		await change(stage, FIVE);
		await stage.pause(stage.ms(5000, 120000));
		const two = [...FIVE];
		while (two.length > 2)
			two.splice(Math.floor(stage.random() * two.length), 1);
		await change(stage, two);
		await stage.pause(stage.ms(5000, 120000));
		for (const name of FIVE.filter((each) => !two.includes(each)))
			await cluster.program(name).stop(STOP_MS_MAX);
		stage.mark("the others have ended");
		await stage.pause(3000);
		await crowd.kill();
	},

	checks(stage, verdict) {
		return [
			...stage.figures.moves.map(moved),
			atMost("delivery p99", verdict.delivery.p99_ms, 200),
			atMost("longest change", worst(stage.figures.took), 30000),
			none("sends that failed", verdict.counts.unknown + verdict.counts.refused),
			keptConnections(verdict), outcomes(verdict),
		];
	},
};
