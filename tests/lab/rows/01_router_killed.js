// SPDX-License-Identifier: Apache-2.0
// One router is killed again and again, and started a moment later, as a supervisor does.
"use strict";

const { atMost, keptConnections, outcomes, stalls, worst } = require("../checks.js");

const RESTART_MS = 200; // as RestartSec of deploy/systemd

module.exports = {
	row: 1,
	title: "kill -9 one router, again and again",
	goal: "0 accepted lost, 0 duplicates, 0 order breaks; delivery stall p99 <= 500 ms, max <= 1.5 s; no client disconnected",

	async faults(stage) {
		const { cluster } = stage;
		const kills = stage.ms(4, 30);
		const everyMs = stage.ms(8000, 20000);
		stage.figures.back = [];
		for (let i = 0; i < kills; i++) {
			const name = stage.pick(cluster.routers);
			stage.mark(`kill -9 ${name}`);
			await cluster.kill(name);
			await stage.pause(RESTART_MS);
			await cluster.program(name).start();
			stage.figures.back.push(await stage.until(async () => (await cluster.get(name, "/readyz")).ok, everyMs, "ready"));
			await stage.pause(stage.between(0.5, 1) * everyMs);
		}
	},

	checks(stage, verdict) {
		return [...stalls(verdict, 500, 1500), keptConnections(verdict), outcomes(verdict),
			atMost("longest rebuild", worst(stage.figures.back), 3000)];
	},
};
