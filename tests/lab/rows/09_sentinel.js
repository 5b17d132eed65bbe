// SPDX-License-Identifier: Apache-2.0
// Presence's Redis is a pair behind three Sentinels, and its master is killed.
"use strict";

const { away, calm, checks, CALM_MS } = require("./09_redis.js");

module.exports = {
	row: 9.1,
	title: "Redis: Sentinel failover",
	goal: "as 9",
	cluster: { sentinels: true },

	async faults(stage) {
		const { cluster, figures } = stage;
		figures.stale = [];
		figures.exact = [];
		await calm(stage);
		await away(stage, "the master killed", 0, () => cluster.redis.failOver(), () => {}, 2 * CALM_MS);
		await calm(stage);
	},

	checks: (stage, verdict) => checks(stage, verdict).filter((check) => !check.what.startsWith("the API")),
};
