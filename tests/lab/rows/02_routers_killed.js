// SPDX-License-Identifier: Apache-2.0
// All routers are killed at once, and started a second later.
"use strict";

const { atMost, keptConnections, outcomes, worst } = require("../checks.js");

const AWAY_MS = 1000;

module.exports = {
	row: 2,
	title: "kill -9 all routers at once",
	goal: "0 accepted lost; sends fail fast (<= 2 s) or wait; groups rebuilt from gateways <= 3 s after restart; no client disconnected",

	async faults(stage) {
		const { cluster } = stage;
		stage.figures.back = [];
		for (let i = 0; i < stage.ms(2, 10); i++) {
			stage.mark("kill -9 all routers");
			await Promise.all(cluster.routers.map((name) => cluster.kill(name)));
			await stage.pause(AWAY_MS);
			stage.mark("all routers started");
			await Promise.all(cluster.routers.map((name) => cluster.program(name).start()));
			stage.figures.back.push(await stage.until(async () =>
				(await Promise.all(cluster.routers.map((name) => cluster.get(name, "/readyz")))).every((answer) => answer.ok),
			20000, "all routers ready"));
			await stage.pause(stage.between(6000, 10000));
		}
	},

	checks(stage, verdict) {
		return [atMost("groups rebuilt after", worst(stage.figures.back), 3000), keptConnections(verdict), outcomes(verdict),
			atMost("longest wait for an answer", verdict.answer.max_ms, AWAY_MS + 3000)];
	},
};
