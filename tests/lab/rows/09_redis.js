// SPDX-License-Identifier: Apache-2.0
// What may happen to presence's Redis: it is killed and empty when it is back, emptied, stands
// still. No message needs it.
"use strict";

const { atMost, keptConnections, outcomes, sideBySide, worst } = require("../checks.js");

const EXACT_MS_MAX = 40000;
// Before and after a fault for as long as it takes, so that many deliveries are on either side.
const CALM_MS = 9000;
const SETTLE_MS = 3000;
const ROUNDS = 2;
const LOOK_MS = 100; // questions one after the other would cost the messages more than Redis does

const calmly = ({ pause }, ask) => async () => await ask() || (await pause(LOOK_MS), false);

// Until every replica lists those who are there, and nobody else.
function exact(stage) {
	const { load, cluster } = stage;
	return stage.until(calmly(stage, async () => (await Promise.all(cluster.presences.map((name) => load.observer.online(name))))
		.every((users) => users.length === load.options.clients)), EXACT_MS_MAX, "presence exact");
}

// Does presence say that it does not know, and since when?
async function tellsStale(cluster) {
	const { store } = await cluster.json("/api/v1/stats");
	return store.isAway && store.staleSeconds >= 0;
}

async function calm(stage) {
	stage.mark("calm");
	await stage.pause(stage.ms(CALM_MS, 60000));
}

async function away(stage, what, ms, begin, end, settleMs = SETTLE_MS) {
	const { cluster, figures, load } = stage;
	load.observer.suspend();
	stage.mark(`Redis: ${what}`);
	await begin();
	if (ms) {
		const over = stage.pause(ms);
		figures.stale.push(await stage.until(calmly(stage, () => tellsStale(cluster)), ms, "a stale answer"));
		await over;
	}
	await end();
	figures.exact.push(await exact(stage));
	await stage.pause(settleMs); // what presence still has to write is of the fault, too
	load.observer.resume();
}

module.exports = {
	row: 9,
	title: "Redis: kill -9 and an outage, FLUSHALL, DEBUG SLEEP",
	goal: "message path: 0 lost, p99 within +10 %; presence API answers with `staleSeconds`; exact <= 5 s after return",

	async faults(stage) {
		const { cluster, figures } = stage;
		const { master } = cluster.redis;
		const nothing = () => {};
		figures.stale = [];
		figures.exact = [];
		for (let round = 0; round < ROUNDS; round++) {
			await calm(stage);
			await away(stage, "kill -9, an outage, back without anything", stage.ms(8000, 60000), () => master.kill(), () => master.start());
			await calm(stage);
			await away(stage, "FLUSHALL", 0, () => master.command("FLUSHALL"), nothing);
			await calm(stage);
			await away(stage, "DEBUG SLEEP", stage.ms(8000, 30000),
				() => void master.command("DEBUG", "SLEEP", stage.ms(8, 30)).catch(nothing), nothing);
		}
		stage.mark("after all");
	},

	checks(stage, verdict) {
		const { exact: times, stale } = stage.figures;
		return [
			...sideBySide(verdict, "Redis"),
			atMost("the API tells that it is stale after", worst(stale), 8000),
			atMost("presence exact after", worst(times), 5000),
			keptConnections(verdict), outcomes(verdict),
		];
	},

	away,
	calm,
	CALM_MS,
};
