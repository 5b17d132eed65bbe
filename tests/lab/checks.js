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

// The worst of some measured times; "never" when one is.
const worst = (times) => times.length ? Math.max(...times) : Infinity;

module.exports = { atMost, none, keptConnections, stalls, outcomes, worst };
