// SPDX-License-Identifier: Apache-2.0
// What rows of the lab measure, as checks of stage.js.
"use strict";

// At most so many, of milliseconds unless told otherwise.
function atMost(what, value, max, unit = "ms") {
	return { what, goal: `<= ${Math.round(max * 10) / 10} ${unit}`.trimEnd(), value, unit, isMet: value <= max };
}

function none(what, value) {
	return { what, goal: "0", value, isMet: value === 0 };
}

// Nobody's connection ended but by its own user.
function keptConnections({ ends }) {
	return none("connections lost", ends.lost_stateful + ends.lost_plain);
}

// From the sending of a message to its arrival, for all there were.
function stalls({ delivery }, p99Ms, maxMs) {
	return [atMost("delivery p99", delivery.p99_ms, p99Ms), atMost("delivery max", delivery.max_ms, maxMs)];
}

// The share of sends that had an outcome other than "accepted" is no promise, but worth knowing.
function outcomes({ counts }) {
	return { what: "sends without acceptance", goal: "told",
		value: `${counts.unknown} unknown and ${counts.refused} refused of ${counts.sent}`, isMet: true };
}

// The 99th percentile of all phases of a kind beside that of the calm ones between them, and what
// chance alone does to it.
function sideBySide({ phases }, kind, calm = "calm", factor = 1.1) {
	const told = ({ n, p50_ms: p50, p99_ms: p99 }) => `${p99} ms (median ${p50} ms, ${n} deliveries)`;
	return [
		atMost(`delivery p99, ${kind}`, phases[kind].p99_ms, phases[calm].p99_ms * factor),
		{ what: `delivery p99, ${calm}`, goal: "told", value: told(phases[calm]), isMet: true },
		{ what: `of every other phase, ${calm}; ${kind}`, goal: "told", isMet: true,
			value: [calm, kind].map((each) => phases[each].halves.map((half) => `${half.p99_ms} ms`).join(", ")).join("; ") },
	];
}

// The worst of some measured times; "never" when one is.
const worst = (times) => times.length ? Math.max(...times) : Infinity;

module.exports = { atMost, none, keptConnections, stalls, sideBySide, outcomes, worst };
