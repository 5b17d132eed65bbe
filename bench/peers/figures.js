// SPDX-License-Identifier: Apache-2.0
// From the figures of single runs to medians, spreads and ratios.
"use strict";

const { GATEWAY, WHOLE } = require("./workloads.js");

function median(values) {
	const sorted = [...values].sort((a, b) => a - b);
	const half = sorted.length >> 1;
	return sorted.length % 2 ? sorted[half] : (sorted[half - 1] + sorted[half]) / 2;
}

function spread(values) {
	return { median: median(values), min: Math.min(...values), max: Math.max(...values), values };
}

const OWN_TITLE = "**Heliograph**, gateway";
const WHOLE_TITLE = "Heliograph, all processes";

// What one run of a workload says about one server: a row, and for us one more, with the
// share of router and presence.
function rowsOf(peer, figures) {
	const row = (name, title, cpu) => ({ name, title, figures: {
		cpu_us: cpu,
		deliveries_per_s: figures.delivery_rate,
		p50_ms: figures.delivery_p50_us / 1000,
		p99_ms: figures.delivery_p99_us / 1000,
	} });
	if (peer.name !== GATEWAY)
		return [row(peer.name, peer.title, figures.server_cpu_us_per_delivery)];
	return [row(GATEWAY, OWN_TITLE, figures.gateway_cpu_us_per_delivery),
		row(WHOLE, WHOLE_TITLE, figures.server_cpu_us_per_delivery)];
}

// The same of idle connections, from a run with few of them and one with `more` more.
function idleRowsOf(peer, few, many, more) {
	const row = (name, title, of) => ({ name, title, figures: {
		base_bytes: few[`${of}_rss_before_bytes`],
		connection_bytes: (many[`${of}_rss_bytes`] - few[`${of}_rss_bytes`]) / more,
		connects_per_s: many.connect_rate,
		connect_cpu_us: many[`${of}_cpu_us_per_connect`],
	} });
	if (peer.name !== GATEWAY)
		return [row(peer.name, peer.title, "server")];
	return [row(GATEWAY, OWN_TITLE, "gateway"), row(WHOLE, WHOLE_TITLE, "server")];
}

// `runs` are {round, row}; a summary per row name: each figure's spread, in order.
function summarise(runs) {
	const names = [...new Set(runs.map(({ row }) => row.name))];
	return names.map((name) => {
		const own = runs.filter(({ row }) => row.name === name);
		const keys = Object.keys(own[0].row.figures);
		return { name, title: own[0].row.title, rounds: own.map(({ round }) => round),
			figures: Object.fromEntries(keys.map((key) => [key, spread(own.map(({ row }) => row.figures[key]))])) };
	});
}

// The median of the ratios within each round that both took part in: what drifts over a
// run of minutes falls out. Null without such a round.
function ratioOf(rows, over, under, key = "cpu_us") {
	const [a, b] = [over, under].map((name) => rows.find((row) => row.name === name));
	if (!a || !b)
		return null;
	const ratios = a.rounds.flatMap((round, i) => {
		const j = b.rounds.indexOf(round);
		return j < 0 ? [] : [a.figures[key].values[i] / b.figures[key].values[j]];
	});
	return ratios.length ? spread(ratios) : null;
}

// Of each target that could be judged: what was found, and whether it is met.
function judge(targets, workloads) {
	return targets.flatMap((target) => {
		const workload = workloads.find(({ name }) => name === target.workload);
		const found = !workload ? null
			: target.figure ? workload.rows.find(({ name }) => name === target.of)?.figures[target.figure]
				: ratioOf(workload.rows, target.over, target.under);
		if (!found)
			return [];
		const isMet = target.max === undefined ? found.median >= target.min : found.median <= target.max;
		return [{ ...target, found, isMet }];
	});
}

module.exports = { idleRowsOf, judge, median, ratioOf, rowsOf, spread, summarise };
