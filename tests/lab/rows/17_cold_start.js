// SPDX-License-Identifier: Apache-2.0
// The power fails: every process of the cluster and its Redis are killed, and all are started
// at once. What is known of anybody comes from the clients that come back.
"use strict";

const { atMost, outcomes } = require("../checks.js");

const DEADLINE_MS = 60000;

module.exports = {
	row: 17,
	title: "kill -9 everything, cold start",
	goal: "ready <= 2 s; clients back <= 10 s; presence exact <= 5 s later",
	// As the stock client comes back, but without the 30 s that it waits before its last try.
	traffic: { retry_ms: 500 },

	async faults(stage) {
		const { cluster, figures, load } = stage;
		load.observer.suspend();
		stage.mark("kill -9 everything");
		await Promise.all([...cluster.all.map((name) => cluster.kill(name)), cluster.redis.master.kill()]);
		await stage.pause(1000);
		stage.mark("all started");
		const since = performance.now();
		await cluster.redis.master.start();
		await Promise.all(cluster.all.map((name) => cluster.program(name).start()));
		await Promise.all(cluster.all.map((name) => cluster.untilReady(name, DEADLINE_MS)));
		figures.ready = performance.now() - since;
		await stage.waitFor(async () => {
			const { clients, joined } = await load.status();
			return joined === clients;
		}, DEADLINE_MS, "all clients back");
		figures.back = performance.now() - since;
		stage.mark("all clients are back");
		figures.exact = await stage.until(async () => (await Promise.all(cluster.presences.map((name) =>
			load.observer.online(name)))).every((users) => users.length === load.options.clients), DEADLINE_MS, "presence exact");
		load.observer.resume(true);
		await stage.pause(stage.ms(6000, 60000));
	},

	checks(stage, verdict) {
		const { ready, back, exact } = stage.figures;
		return [atMost("ready after", ready, 2000), atMost("clients back after", back, 10000),
			atMost("presence exact, later", exact, 5000), outcomes(verdict)];
	},
};
