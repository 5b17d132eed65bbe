// SPDX-License-Identifier: Apache-2.0
// 9: long messages, many fragments, small packets, many round trips. The lengths are those
// of the WebSocket message; it holds as many calls as a hub's limit for one asks for. The
// number of fragments has a limit, too: with short ones the message is shorter.
//
// Each case has the machine to itself, for its time tells something.
"use strict";

const { OP, frame, fragments, pieces, expectEcho } = require("../plan.js");

const KIB = 1024;
const MIB = KIB * KIB;
const LENGTHS = [64 * KIB, 256 * KIB, MIB, 4 * MIB, 8 * MIB, 16 * MIB];
const FRAGMENTED = 4 * MIB;
const FRAGMENT_LENGTHS = [64, 256, KIB, 4 * KIB, 16 * KIB, 64 * KIB, 256 * KIB, MIB, 4 * MIB];
const FRAGMENTS_MAX = 1024;
const CHOPPED = MIB;
const CHOPS = [64, 128, 256, 512, KIB, 2 * KIB];
const TRIPS = 1000;

// The public cases begin with 0; but a method's name has a letter at least.
const TRIP_LENGTHS = [1, 16, 64, 256, KIB, 4 * KIB];

const message = (opcode, length, chop) => (plan) => {
	const { calls, bytes } = plan.callsOf(length);
	plan.write(frame(opcode, bytes), chop).expect(...calls.map(expectEcho));
};

const inFragments = (opcode, total, length) => (plan) => {
	const { calls, bytes } = plan.callsOf(total);
	plan.write(fragments(opcode, pieces(bytes, length)), "frames").expect(...calls.map(expectEcho));
};

// The same for text and binary, in two groups that follow each other.
function both(number, list) {
	return [[OP.TEXT, "text"], [OP.BINARY, "binary"]].flatMap(([opcode, kind], group) =>
		list.map(([title, fill], i) => ({
			id: `9.${number + group}.${i + 1}`,
			title: `${kind}, ${title}`,
			isAlone: true,
			fill: fill(opcode),
		})));
}

function fragmented(length) {
	const total = Math.min(FRAGMENTED, length * FRAGMENTS_MAX);
	return [`${total / KIB} KiB in fragments of ${length}`, (opcode) => inFragments(opcode, total, length)];
}

module.exports = [
	...both(1, LENGTHS.map((length) => [`${length / KIB} KiB`, (opcode) => message(opcode, length)])),
	...both(3, FRAGMENT_LENGTHS.map(fragmented)),
	...both(5, CHOPS.map((chop) =>
		[`${CHOPPED / KIB} KiB, written ${chop} bytes at a time`, (opcode) => message(opcode, CHOPPED, chop)])),
	...both(7, TRIP_LENGTHS.map((length) =>
		[`${TRIPS} round trips, ${length} bytes long`, (opcode) => (plan) => plan.roundTrips(opcode, length, TRIPS)])),
];
