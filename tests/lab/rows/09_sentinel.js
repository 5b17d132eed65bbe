// SPDX-License-Identifier: Apache-2.0
// Presence's Redis is a pair behind three Sentinels, and its master is killed.
"use strict";

const { away, checks } = require("./09_redis.js");

module.exports = {
	row: 9.1,
	title: "Redis: Sentinel failover",
	goal: "as 9",
	cluster: { sentinels: true },

	async faults(stage) {
		const { cluster, figures } = stage;
		figures.stale = [];
		figures.exact = [];
		stage.mark("calm");
		await stage.pause(stage.ms(6000, 60000));
		await away(stage, "the master killed", 0, () => cluster.redis.failOver(), () => {});
	},

	checks: (stage, verdict) => checks(stage, verdict).filter((check) => !check.what.startsWith("the API")),
};
