// SPDX-License-Identifier: Apache-2.0
// H: cases of our own, for what a fuzzing client of the public kind does not try because it
// is always masked, always shortest, and has no protocol above: first bytes, masks,
// lengths, and hub messages against frames.
"use strict";

const { OP, HANDSHAKE, text, binary, continuation, ping, close, frame, closePayload, fragments, octets, pieces,
	halves, expectEcho, expectPong, expectHandshake } = require("../plan.js");

const FRAGMENTS_MAX = 1024;

// A length in more bytes than it needs; the mask is zero.
function longLength(opcode, payload, lengthBytes, length = payload.length) {
	const head = Buffer.alloc(2 + lengthBytes + 4);
	head[0] = 0x80 | opcode;
	head[1] = 0x80 | (lengthBytes === 2 ? 126 : 127);
	if (lengthBytes === 2)
		head.writeUInt16BE(length, 2);
	else
		head.writeBigUInt64BE(BigInt(length), 2);
	return Buffer.concat([head, payload]);
}

function zeroMask(opcode, payload) {
	const length = Buffer.from([0x80 | opcode, 0x80 | payload.length, 0, 0, 0, 0]);
	return Buffer.concat([length, payload]);
}

// ---- first bytes

function pingFirst(plan) {
	plan.withoutHandshake().write([ping("first"), text(HANDSHAKE)]).expect(expectPong("first"), expectHandshake);
}

function handshakeInOctets(plan) {
	const [first, ...rest] = fragments(OP.TEXT, octets(HANDSHAKE));
	plan.withoutHandshake().write([first, ping("between"), ...rest]).expect(expectPong("between"), expectHandshake);
}

// What comes in one packet with the request is not lost, and its order is kept.
function allBehindOpening(plan) {
	const call = plan.call();
	plan.behindOpening([text(HANDSHAKE), text(call.bytes), ping("behind")])
		.expect(expectHandshake, expectPong("behind"), expectEcho(call))
		.orStrictly(expectHandshake, expectEcho(call), expectPong("behind"));
}

const firstFails = (bytes, code) => (plan) => plan.withoutHandshake().write(bytes).fails(code);

// ---- masks and lengths

const unmasked = (opcode, payload) => (plan) =>
	plan.write(frame(opcode, payload ?? plan.call("never run").bytes, { mask: false })).fails();

function unmaskedContinuation(plan) {
	const [first, second] = halves(plan.call("never run"));
	plan.write([text(first, { fin: false }), continuation(second, { mask: false })]).fails();
}

const notShortest = (length, lengthBytes) => (plan) =>
	plan.write(longLength(OP.TEXT, plan.callsOf(length).bytes, lengthBytes)).fails();

function maskOfZeros(plan) {
	const call = plan.callOf(100);
	plan.write(zeroMask(OP.TEXT, call.bytes)).expect(expectEcho(call));
}

function topBit(plan) {
	plan.write(frame(OP.TEXT, "", { declared: 1n << 63n })).fails();
}

// ---- hub messages and frames

function threeInOne(plan) {
	const calls = ["one", "two", "three"].map((name) => plan.call(name));
	plan.write(text(Buffer.concat(calls.map((call) => call.bytes)))).expect(...calls.map(expectEcho));
}

const overMessages = (make) => (plan) => {
	const call = plan.call("spread over messages");
	const parts = pieces(call.bytes, Math.ceil(call.bytes.length / 3));
	plan.write(parts.map((part, i) => make[i](part))).expect(expectEcho(call));
};

// What was right before the violation has been answered when the connection fails.
function goodBeforeBad(plan) {
	plan.write([ping("good"), frame(3, "bad"), ping("late")]).expect(expectPong("good")).fails();
}

function pingInsideCharacter(plan) {
	const call = plan.call("\u2600");
	const parts = halves(call, call.head.length + 1);
	const [first, second] = fragments(OP.TEXT, parts);
	plan.write([first, ping("between"), second], "frames").expect(expectPong("between"), expectEcho(call));
}

const manyFragments = (count, finish) => (plan) => {
	const call = plan.callOf(count);
	finish(plan.write(fragments(OP.TEXT, octets(call.bytes))), call);
};

const group = (number, list) => list.map(([title, fill], i) => ({ id: `H.${number}.${i + 1}`, title, fill }));

module.exports = [
	...group(1, [
		["a Ping before the handshake", pingFirst],
		["the handshake in fragments of a byte, a Ping between", handshakeInOctets],
		["handshake, call and Ping in one packet with the request", allBehindOpening],
		["Close before the handshake", (plan) => plan.withoutHandshake().write(close()).closes()],
		["text that is not UTF-8 before the handshake", firstFails(text(Buffer.from([0x7b, 0xff])), 1007)],
		["a frame without a mask before the handshake", firstFails(frame(OP.TEXT, HANDSHAKE, { mask: false }), 1002)],
	]),
	...group(2, [
		["text without a mask", unmasked(OP.TEXT)],
		["a Ping without a mask", unmasked(OP.PING, "x")],
		["a Close without a mask", unmasked(OP.CLOSE, closePayload(1000))],
		["a continuation without a mask", unmaskedContinuation],
		["a mask of zeros is a mask", maskOfZeros],
		["a length of 125 in 16 bits", notShortest(125, 2)],
		["a length of 125 in 64 bits", notShortest(125, 8)],
		["a length of 65535 in 64 bits", notShortest(65535, 8)],
		["a length with the top bit set", topBit],
		["a Ping of 5 bytes with its length in 16 bits",
			(plan) => plan.write(longLength(OP.PING, Buffer.from("12345"), 2)).fails()],
		["a Close with the code 1015", (plan) => plan.write(close(1015)).fails()],
	]),
	...group(3, [
		["three calls in one message", threeInOne],
		["one call over three messages", overMessages([text, text, text])],
		["one call over text and binary messages", overMessages([text, binary, text])],
		["a Ping inside a character", pingInsideCharacter],
		["what was right before a violation is answered", goodBeforeBad],
		["a call in as many fragments as may be",
			manyFragments(FRAGMENTS_MAX, (plan, call) => plan.expect(expectEcho(call)))],
		["a call in one fragment more", manyFragments(FRAGMENTS_MAX + 1, (plan) => plan.ends())],
	]),
];
