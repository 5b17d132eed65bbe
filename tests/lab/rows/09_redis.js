// SPDX-License-Identifier: Apache-2.0
// What may happen to presence's Redis: it is killed and empty when it is back, emptied, stands
// still. No message needs it.
"use strict";

const { atMost, keptConnections, outcomes, worst } = require("../checks.js");

const EXACT_MS_MAX = 40000;
const SETTLE_MS = 3000;

// Until every replica lists those who are there, and nobody else.
function exact(stage) {
	const { load, cluster } = stage;
	return stage.until(async () => (await Promise.all(cluster.presences.map((name) => load.observer.online(name))))
		.every((users) => users.length === load.options.clients), EXACT_MS_MAX, "presence exact");
}

// Does presence say that it does not know, and since when?
async function tellsStale(cluster) {
	const { store } = await cluster.json("/api/v1/stats");
	return store.isAway && store.staleSeconds >= 0;
}

async function away(stage, what, ms, begin, end) {
	const { cluster, figures, load } = stage;
	load.observer.suspend();
	stage.mark(what);
	await begin();
	if (ms) {
		const over = stage.pause(ms);
		figures.stale.push(await stage.until(() => tellsStale(cluster), ms, "a stale answer"));
		await over;
	}
	await end();
	figures.exact.push(await exact(stage));
	stage.mark(`exact after ${what}`);
	await stage.pause(SETTLE_MS);
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
		stage.mark("calm");
		await stage.pause(stage.ms(6000, 60000));
		await away(stage, "kill -9, an outage, back without anything", stage.ms(8000, 60000), () => master.kill(), () => master.start());
		await away(stage, "FLUSHALL", 0, () => master.command("FLUSHALL"), nothing);
		await away(stage, "DEBUG SLEEP", stage.ms(8000, 30000),
			() => void master.command("DEBUG", "SLEEP", stage.ms(8, 30)).catch(nothing), nothing);
	},

	checks(stage, verdict) {
		const { exact: times, stale } = stage.figures;
		const [calm, ...others] = verdict.marks.filter((mark) => mark.delivery.n > 0).map((mark) => mark.delivery.p99_ms);
		return [
			atMost("delivery p99, worst of the phases", worst(others), calm * 1.1),
			atMost("the API tells that it is stale after", worst(stale), 8000),
			atMost("presence exact after", worst(times), 5000),
			keptConnections(verdict), outcomes(verdict),
		];
	},

	away,
};
