// SPDX-License-Identifier: Apache-2.0
// 6: UTF-8. The bytes in question are the last of their message: the rest of the call
// comes in a second one, so that half a character stands where nothing can complete it.
"use strict";

const { isUtf8 } = require("node:buffer");
const { OP, text, fragments, octets, expectEcho } = require("../plan.js");
const { sequences } = require("./utf8_sequences.js");

const GREETING = "Hello-\u00b5@\u00df\u00f6\u00e4\u00fc\u00e0\u00e1-UTF-8!!";
const KOSME = Buffer.from("\u03ba\u1f79\u03c3\u03bc\u03b5");
const SURROGATE = Buffer.from([0xed, 0xa0, 0x80]);
const TOO_HIGH = Buffer.from([0xf4, 0x90, 0x80, 0x80]); // past U+10FFFF: clear with its second byte
const EDITED = Buffer.from("edited");

const start = (call) => Buffer.concat([call.head, call.body]);

// The message as frames, then the end of the call.
function valid(body, frames) {
	return (plan) => {
		const call = plan.call(body);
		plan.write(frames(start(call), call)).write(text(call.tail)).expect(expectEcho(call));
	};
}

function invalid(body, frames) {
	return (plan) => {
		const call = plan.call(body);
		plan.write(frames(start(call), call)).fails(1007);
	};
}

const whole = (bytes) => [text(bytes)];
const byOctet = (bytes) => fragments(OP.TEXT, octets(bytes));

// Between whole characters, behind the fifth letter.
const inTwo = (bytes, call) => {
	const at = call.head.length + Buffer.byteLength(GREETING.slice(0, 8));
	return fragments(OP.TEXT, [bytes.subarray(0, at), bytes.subarray(at)]);
};

// Three pieces; the second makes it invalid, and the third must not be needed to see that.
// `isFrames`: each is a frame, else a packet of one frame.
function failsFast(pieces, isFrames) {
	return (plan) => {
		const call = plan.call(Buffer.concat(pieces));
		const parts = [Buffer.concat([call.head, pieces[0]]), ...pieces.slice(1)];
		const ready = isFrames ? fragments(OP.TEXT, parts) : packets(text(Buffer.concat(parts)), parts);
		plan.write(ready[0]).write(ready[1]).failsHere().write(ready[2]).fails(1007);
	};
}

// One frame, cut where the payload's parts meet.
function packets(bytes, parts) {
	const head = bytes.length - parts.reduce((sum, part) => sum + part.length, 0);
	const first = head + parts[0].length;
	const second = first + parts[1].length;
	return [bytes.subarray(0, first), bytes.subarray(first, second), bytes.subarray(second)];
}

const CHARACTER_AT_ONCE = [KOSME, TOO_HIGH, EDITED];
const CHARACTER_CUT = [
	Buffer.concat([KOSME, TOO_HIGH.subarray(0, 1)]),
	TOO_HIGH.subarray(1, 2),
	Buffer.concat([TOO_HIGH.subarray(2), EDITED]),
];
const BROKEN = Buffer.concat([KOSME, SURROGATE, EDITED]);

// A raw NUL is a good character, but no JSON: the hub refuses what the WebSocket lets pass.
function sequence({ id, title, bytes }) {
	const isJson = bytes.every((byte) => byte >= 0x20);
	if (!isUtf8(bytes))
		return { id, title: `${title}: invalid`, fill: invalid(bytes, whole) };
	if (isJson)
		return { id, title: `${title}: valid`, fill: valid(bytes, whole) };
	return {
		id,
		title: `${title}: valid, though no JSON`,
		fill: (plan) => {
			const call = plan.call(bytes);
			plan.write(text(start(call))).write(text(call.tail)).refusedByHub();
		},
	};
}

const emptyFragments = (plan) => plan.write(fragments(OP.TEXT, ["", "", ""]));

function emptyAround(plan) {
	const call = plan.call("middle frame payload");
	plan.write(fragments(OP.TEXT, ["", call.bytes, ""])).expect(expectEcho(call));
}

module.exports = [
	{ id: "6.1.1", title: "an empty text message", fill: (plan) => plan.write(text("")) },
	{ id: "6.1.2", title: "three empty fragments", fill: emptyFragments },
	{ id: "6.1.3", title: "text between two empty fragments", fill: emptyAround },
	{ id: "6.2.1", title: "valid, in one frame", fill: valid(GREETING, whole) },
	{ id: "6.2.2", title: "valid, in two fragments cut between characters", fill: valid(GREETING, inTwo) },
	{ id: "6.2.3", title: "valid, each byte a fragment", fill: valid(GREETING, byOctet) },
	{ id: "6.2.4", title: "valid, long characters, each byte a fragment", fill: valid(KOSME, byOctet) },
	{ id: "6.3.1", title: "a surrogate between valid text, in one frame", fill: invalid(BROKEN, whole) },
	{ id: "6.3.2", title: "a surrogate between valid text, each byte a fragment", fill: invalid(BROKEN, byOctet) },
	{ id: "6.4.1", title: "invalid in the second of three fragments", fill: failsFast(CHARACTER_AT_ONCE, true) },
	{ id: "6.4.2", title: "invalid by the one byte of the second fragment", fill: failsFast(CHARACTER_CUT, true) },
	{ id: "6.4.3", title: "invalid in the second of a frame's three packets", fill: failsFast(CHARACTER_AT_ONCE, false) },
	{ id: "6.4.4", title: "invalid by the one byte of a frame's second packet", fill: failsFast(CHARACTER_CUT, false) },
	...sequences.map(sequence),
];
