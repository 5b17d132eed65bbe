// SPDX-License-Identifier: Apache-2.0
// What one case does and what it expects. Cases are data made by small functions: each is
// given an empty plan and fills it in. The frames are built here, the plan is carried out
// and judged in runner.js.
//
// A hub does not echo. A case's payload is therefore the name of a method that no hub has:
// the call's completion says so and repeats the name, to the byte. Whatever frames the
// call travels in, it comes back only if every layer put it together as it was meant.
"use strict";

const { frame, closePayload, OP, RECORD_SEPARATOR } = require("../../kit/raw.js");

// A long message is made of calls of this length: below the limit of every server's hub.
const CALL_BYTES = 16384;

// Of all answers to a long message: below what any server keeps for a client that does not
// read at this moment.
const ANSWERED_BYTES = 1024 * 1024;

const HANDSHAKE = Buffer.from(`{"protocol":"json","version":1}${RECORD_SEPARATOR}`);
const CALL_TAIL = Buffer.from(`"}${RECORD_SEPARATOR}`);

// How a plan ends.
const END = {
	ALIVE: "alive", // the connection still works; then we close it
	FAILED: "failed", // the server fails the connection by itself
	CLOSED: "closed", // one of the steps was our Close
	ANY: "any", // it ends, and nobody can say how
};

// ---- frames

const text = (payload, options) => frame(OP.TEXT, payload, options);
const binary = (payload, options) => frame(OP.BINARY, payload, options);
const continuation = (payload, options) => frame(OP.CONTINUATION, payload, options);
const ping = (payload, options) => frame(OP.PING, payload, options);
const pong = (payload, options) => frame(OP.PONG, payload, options);
const close = (code = 1000, reason = "") => frame(OP.CLOSE, closePayload(code, reason));

// One message in as many frames as there are pieces.
function fragments(opcode, pieces) {
	return pieces.map((piece, i) =>
		frame(i === 0 ? opcode : OP.CONTINUATION, piece, { fin: i === pieces.length - 1 }));
}

function octets(bytes) {
	return pieces(bytes, 1);
}

function pieces(bytes, size) {
	const all = [];
	for (let at = 0; at < bytes.length; at += size)
		all.push(bytes.subarray(at, at + size));
	return all;
}

// Two pieces, cut in the middle of what the call says, or where told.
function halves(call, at = call.head.length + (call.body.length >> 1)) {
	return [call.bytes.subarray(0, at), call.bytes.subarray(at)];
}

// Text in which every place looks different, so that nothing can be lost or doubled unseen.
function filler(length) {
	let all = "";
	for (let i = 0; all.length < length; i += 8)
		all += `${i.toString(36).padStart(7, ".")} `;
	return all.slice(0, length);
}

// `id` null: a call that wants no answer. The name is last, so that a message may end in it.
function callBytes(id, body) {
	const name = id === null ? "" : `"invocationId":"${id}",`;
	const head = Buffer.from(`{"type":1,${name}"arguments":[],"target":"`);
	return { id, head, body, tail: CALL_TAIL, bytes: Buffer.concat([head, body, CALL_TAIL]) };
}

// ---- what is expected to come, in the words of runner.js

const expectEcho = (call) => `echo ${call.id}`;
const expectPong = (payload = "") => `pong ${Buffer.from(payload).toString("hex")}`;
const expectHandshake = "handshake";

class Plan {
	constructor() {
		this.steps = [];
		this.calls = new Map(); // id -> text
		this.ok = [[]]; // each a list of what may come
		this.nonStrict = [];
		this.end = END.ALIVE;
		this.codes = [1000];
		this.hasHandshake = true;
		this.opening = Buffer.alloc(0); // in one packet with the opening request
		this.isRefusedByHub = false;
	}

	// ---- calls

	// `body`: text, or bytes that are no text at all.
	call(body = "Hello, world!") {
		const id = String(this.calls.size + 1);
		this.calls.set(id, body.toString("utf8"));
		return callBytes(id, typeof body === "string" ? Buffer.from(JSON.stringify(body).slice(1, -1)) : body);
	}

	// A call of exactly so many bytes; a silent one has no answer.
	callOf(length, isSilent = false) {
		const bare = callBytes(isSilent ? null : String(this.calls.size + 1), Buffer.alloc(0)).bytes.length;
		const body = filler(length - bare);
		return isSilent ? callBytes(null, Buffer.from(body)) : this.call(body);
	}

	// Calls of exactly so many bytes together. With a long message only some are answered:
	// a client that asks for much more than it can read at once is a slow one, and servers
	// end slow ones. `calls`: those with answers.
	callsOf(length) {
		const all = [];
		const nth = Math.ceil(length / ANSWERED_BYTES);
		for (let left = length; left > 0;) {
			const take = left < 2 * CALL_BYTES ? Math.ceil(left / Math.ceil(left / CALL_BYTES)) : CALL_BYTES;
			left -= take;
			all.push(this.callOf(take, left > 0 && all.length % nth !== 0));
		}
		return { calls: all.filter(({ id }) => id !== null), bytes: Buffer.concat(all.map(({ bytes }) => bytes)) };
	}

	// ---- steps

	// In one packet, or each frame in its own, or in pieces of so many bytes.
	write(frames, chop = "once") {
		const all = [frames].flat();
		const whole = () => Buffer.concat(all);
		const chops = chop === "frames" ? all : chop === "once" ? [whole()] : pieces(whole(), chop);
		this.steps.push({ kind: "write", chops });
		return this;
	}

	// Until that has come.
	await(expected) {
		this.steps.push({ kind: "await", expected });
		return this;
	}

	// What was sent must fail the connection by now; else it is strict no more.
	failsHere() {
		this.steps.push({ kind: "fails-here" });
		return this;
	}

	// One call after the other, each when the one before is answered.
	roundTrips(opcode, length, count) {
		const calls = Array.from({ length: count }, () => this.call(filler(length)));
		this.steps.push({
			kind: "round-trips",
			trips: calls.map((call) => ({ bytes: frame(opcode, call.bytes), expected: expectEcho(call) })),
		});
		return this.expect(...calls.map(expectEcho));
	}

	withoutHandshake() {
		this.hasHandshake = false;
		return this;
	}

	behindOpening(frames) {
		this.opening = Buffer.concat([frames].flat());
		return this.withoutHandshake();
	}

	// ---- expectations

	expect(...list) {
		this.ok = [list];
		return this;
	}

	orStrictly(...list) {
		this.ok.push(list);
		return this;
	}

	orNonStrictly(...list) {
		this.nonStrict.push(list);
		return this;
	}

	fails(...codes) {
		this.end = END.FAILED;
		this.codes = codes.length ? codes : [1002];
		return this;
	}

	closes(...codes) {
		this.end = END.CLOSED;
		this.codes = codes.length ? codes : [1000];
		return this;
	}

	ends() {
		this.end = END.ANY;
		return this;
	}

	// The WebSocket layer has nothing against it; the hub protocol has.
	refusedByHub() {
		this.isRefusedByHub = true;
		return this.fails(1011, 1000);
	}
}

module.exports = {
	Plan, END, HANDSHAKE, OP, text, binary, continuation, ping, pong, close, frame, closePayload,
	fragments, octets, pieces, halves, filler, expectEcho, expectPong, expectHandshake,
};
