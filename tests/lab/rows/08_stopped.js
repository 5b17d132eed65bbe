// SPDX-License-Identifier: Apache-2.0
// A router, then a gateway stands still for ten seconds and wakes up: the best maker of
// processes that believe what is no longer true.
"use strict";

const { atMost, none, outcomes, worst } = require("../checks.js");

const NOTICED_MS_MAX = 20000;
const HEALED_MS_MAX = 30000;

const peersUp = (cluster, names) => Promise.all(names.map((name) => cluster.value(name, "link_peers_up")));

// Its clients' connections stand still with a gateway. After its lease presence is right to say that
// they have gone, though they will come back: it is not judged meanwhile.
async function stop(stage, name, watchers) {
	const { cluster, figures } = stage;
	const before = await peersUp(cluster, watchers);
	stage.mark(`SIGSTOP ${name}`);
	if (cluster.gateways.includes(name))
		stage.load.observer.suspend();
	cluster.signal(name, "SIGSTOP");
	const noticed = stage.until(async () =>
		(await peersUp(cluster, watchers)).every((up, i) => up < before[i]), NOTICED_MS_MAX, "the others to notice");
	await stage.pause(stage.ms(10000, 10000));
	figures.noticed.push(await noticed);
	stage.mark(`SIGCONT ${name}`);
	cluster.signal(name, "SIGCONT");
	figures.healed.push(await stage.until(async () =>
		(await Promise.all(cluster.all.map((each) => cluster.get(each, "/readyz")))).every((answer) => answer.ok),
	HEALED_MS_MAX, "all ready"));
	await stage.pause(4000);
	stage.load.observer.resume();
}

module.exports = {
	row: 8,
	title: "SIGSTOP a router, then a gateway, 10 s each, then SIGCONT",
	goal: "0 stale deliveries after CONT; peers took over <= 3 s",

	async faults(stage) {
		const { cluster, figures } = stage;
		figures.noticed = [];
		figures.healed = [];
		for (let i = 0; i < stage.ms(1, 5); i++) {
			await stop(stage, stage.pick(cluster.routers), cluster.gateways);
			await stop(stage, stage.pick(cluster.gateways), cluster.routers);
		}
	},

	checks(stage, verdict) {
		const { noticed, healed } = stage.figures;
		return [atMost("noticed after", worst(noticed), 3000), atMost("converged after", worst(healed), 5000),
			none("stale deliveries", verdict.broken.doubled + verdict.broken.reordered + verdict.broken.stranger), outcomes(verdict)];
	},
};
