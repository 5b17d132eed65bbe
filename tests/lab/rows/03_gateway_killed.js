// SPDX-License-Identifier: Apache-2.0
// One gateway is killed with all its clients, and started a few seconds later.
"use strict";

const { atMost, none, outcomes, worst } = require("../checks.js");

const BACK_MS_MAX = 60000;
const AWAY_MS = 3000;

module.exports = {
	row: 3,
	title: "kill -9 one gateway",
	goal: "stateful: >= 99.9 % re-attached within 2 s elsewhere, 0 accepted lost, 0 duplicates; plain: 100 % reconnected by the stock policy within 5 s; presence right within 5 s",

	async faults(stage) {
		const { cluster, figures, load } = stage;
		figures.back = [];
		for (let i = 0; i < stage.ms(2, 10); i++) {
			const name = stage.pick(cluster.gateways);
			const { clients } = await load.status();
			stage.mark(`kill -9 ${name}`);
			const since = performance.now();
			await cluster.kill(name);
			await stage.pause(AWAY_MS);
			await cluster.program(name).start();
			await stage.waitFor(async () => (await load.status()).joined === clients, BACK_MS_MAX, "all clients back");
			figures.back.push(performance.now() - since);
			stage.mark("all clients are back");
			await stage.pause(stage.between(4000, 8000));
		}
	},

	checks(stage, verdict) {
		return [
			none("stateful connections that began anew", verdict.ends.lost_stateful),
			atMost("all clients back after", worst(stage.figures.back), 5000),
			none("ghosts", verdict.broken.ghost),
			{ what: "plain connections that began anew", goal: "told", value: verdict.ends.lost_plain, isMet: true },
			outcomes(verdict),
		];
	},
};
