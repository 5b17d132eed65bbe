// SPDX-License-Identifier: Apache-2.0
// Nothing happens: what the lab itself costs and measures.
"use strict";

module.exports = {
	row: 0,
	title: "no fault",
	goal: "what the machine gives",

	async faults(stage) {
		stage.mark("calm");
		await stage.pause(stage.ms(10000, 60000));
	},

	checks(stage, verdict) {
		const { delivery, answer, ends } = verdict;
		return [
			{ what: "delivery p99", goal: "", value: delivery.p99_ms, unit: "ms", isMet: true },
			{ what: "answer p99", goal: "", value: answer.p99_ms, unit: "ms", isMet: true },
			{ what: "connections lost", goal: "0", value: ends.lost_stateful + ends.lost_plain,
				isMet: ends.lost_stateful + ends.lost_plain === 0 },
		];
	},
};
