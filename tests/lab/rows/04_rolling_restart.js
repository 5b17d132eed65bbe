// SPDX-License-Identifier: Apache-2.0
// Every gateway is drained and started again, one after the other.
"use strict";

const { atMost, none, outcomes, worst } = require("../checks.js");

const DRAIN_MS_MAX = 30000;
// Until the edge has seen that it is back.
const BETWEEN_MS = 2000;

// All drains told how they went, and some had what could be handed over: without that the row says nothing
// of hand-overs, and is broken.
function wereHandedOver({ lines, offered, handed_over, untaken, failed, cut }, drains) {
	return [
		{ what: "drains that told how they went", goal: `${drains}`, value: lines, isMet: lines === drains, isGate: true },
		{ what: "connections handed over", goal: "> 0, all that were offered",
			value: `${handed_over} of ${offered}: ${untaken} untaken, ${failed} failed, ${cut} cut`,
			isMet: handed_over > 0 && handed_over === offered },
		{ what: "hand-overs happen", goal: "yes", value: handed_over > 0 ? "yes" : "no", isMet: handed_over > 0, isGate: true },
	];
}

module.exports = {
	row: 4,
	title: "rolling restart of all gateways (drain)",
	goal: "stateful: 0 failed sends, 0 lost, 0 onclose, added latency p99 <= 500 ms; plain: `Close{allowReconnect}` at the evict rate, 0 errors on invocations under way",

	async faults(stage) {
		const { cluster, figures } = stage;
		figures.drained = [];
		stage.mark("calm");
		await stage.pause(5000);
		for (let i = 0; i < stage.ms(1, 3); i++)
			for (const name of cluster.gateways) {
				stage.mark(`SIGTERM ${name}`);
				const since = performance.now();
				await cluster.program(name).stop(DRAIN_MS_MAX);
				figures.drained.push(performance.now() - since);
				await cluster.restart(name);
				stage.mark(`${name} is back`);
				await stage.pause(BETWEEN_MS);
			}
		await stage.pause(5000);
		figures.handovers = cluster.loggedSums("drain.over");
	},

	checks(stage, verdict) {
		const [calm, ...others] = verdict.marks.filter((mark) => mark.delivery.n > 0).map((mark) => mark.delivery.p99_ms);
		const { ends, unaccepted } = verdict;
		const { handovers, drained } = stage.figures;
		return [
			...wereHandedOver(handovers, drained.length),
			none("stateful connections that began anew", ends.lost_stateful),
			none("sends of stateful clients that failed", unaccepted.stateful),
			atMost("delivery p99 beyond the calm one", worst(others) - calm, 500),
			atMost("longest drain", worst(drained), 7000),
			{ what: "plain connections sent elsewhere", goal: "told", value: ends.lost_plain, isMet: true },
			outcomes(verdict),
		];
	},
};
