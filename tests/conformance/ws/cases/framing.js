// SPDX-License-Identifier: Apache-2.0
// 1: messages of many lengths; 10: a long one in automatic fragments.
"use strict";

const { OP, frame, fragments, pieces, expectEcho } = require("../plan.js");

const LENGTHS = [0, 125, 126, 127, 128, 65535, 65536];
const CHOP = 997;
const AUTO_FRAGMENT = 1300;

// A message of no bytes holds no call: that it does no harm is all there is to see.
function message(opcode, length, chop) {
	return (plan) => {
		const { calls, bytes } = plan.callsOf(length);
		plan.write(frame(opcode, bytes), chop).expect(...calls.map(expectEcho));
	};
}

function group(number, opcode, kind) {
	const cases = LENGTHS.map((length, i) => ({
		id: `1.${number}.${i + 1}`,
		title: `a ${kind} message of ${length} bytes`,
		fill: message(opcode, length),
	}));
	cases.push({
		id: `1.${number}.${cases.length + 1}`,
		title: `a ${kind} message of 65536 bytes, written ${CHOP} bytes at a time`,
		fill: message(opcode, 65536, CHOP),
	});
	return cases;
}

const autoFragments = {
	id: "10.1.1",
	title: `a text message of 65536 bytes in fragments of ${AUTO_FRAGMENT}`,
	fill(plan) {
		const { calls, bytes } = plan.callsOf(65536);
		plan.write(fragments(OP.TEXT, pieces(bytes, AUTO_FRAGMENT))).expect(...calls.map(expectEcho));
	},
};

module.exports = [...group(1, OP.TEXT, "text"), ...group(2, OP.BINARY, "binary"), autoFragments];
