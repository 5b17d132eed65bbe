// SPDX-License-Identifier: Apache-2.0
// 5: fragments, with control frames between them, and out of order.
"use strict";

const { OP, text, continuation, ping, frame, fragments, halves, pieces, expectEcho, expectPong } = require("../plan.js");

const CHOPS = [["once", "in one packet"], ["frames", "frame by frame"], [1, "byte by byte"]];
const OPEN = { fin: false };

// The same case in the three ways of writing it, numbered from `first`.
function inThreeWays(first, title, fill) {
	return CHOPS.map(([chop, way], i) => ({
		id: `5.${first + i}`,
		title: `${title}, ${way}`,
		fill: (plan) => fill(plan, chop),
	}));
}

const controlInTwo = (opcode) => (plan) =>
	plan.write([frame(opcode, "fragment1", OPEN), continuation("fragment2")]).fails();

function inTwo(plan, chop) {
	const call = plan.call("fragment1fragment2");
	plan.write(fragments(OP.TEXT, halves(call)), chop).expect(expectEcho(call));
}

function pingBetween(plan, chop) {
	const call = plan.call("fragment1fragment2");
	const [first, second] = fragments(OP.TEXT, halves(call));
	plan.write([first, ping("ping payload"), second], chop).expect(expectPong("ping payload"), expectEcho(call));
}

// Nothing is open, so nothing can be continued.
const continuationOfNothing = (options) => (plan, chop) => {
	const call = plan.call("never run");
	plan.write([continuation("non-continuation payload", options), text(call.bytes)], chop).fails();
};

function continuationAfterTheEnd(plan) {
	const call = plan.call("fragment1fragment2");
	const never = plan.call("never run");
	plan.write([...fragments(OP.TEXT, halves(call)), continuation("nothing", OPEN), text(never.bytes)])
		.expect(expectEcho(call)).orNonStrictly().fails();
}

const continuationFirstTwice = (options) => (plan) => {
	const call = plan.call("fragment1fragment2");
	const round = [continuation("nothing", options), ...fragments(OP.TEXT, halves(call))];
	plan.write([...round, ...round]).fails();
};

function newMessageInside(plan) {
	const [first, second] = halves(plan.call("fragment1fragment2"));
	plan.write([text(first, OPEN), text(second)]).fails();
}

// Two fragments, a Ping, its Pong; two more, a Ping, the last. The server has to have
// answered the first Ping while the message is open.
const fiveWithPings = (chop) => (plan) => {
	const call = plan.call("fragment1fragment2fragment3fragment4fragment5");
	const frames = fragments(OP.TEXT, pieces(call.bytes, Math.ceil(call.bytes.length / 5)));
	plan.write([frames[0], frames[1], ping("pongme 1!")], chop)
		.await(expectPong("pongme 1!"))
		.write([frames[2], frames[3], ping("pongme 2!"), frames[4]], chop)
		.expect(expectPong("pongme 1!"), expectPong("pongme 2!"), expectEcho(call));
};

module.exports = [
	{ id: "5.1", title: "a Ping in two fragments", fill: controlInTwo(OP.PING) },
	{ id: "5.2", title: "a Pong in two fragments", fill: controlInTwo(OP.PONG) },
	...inThreeWays(3, "text in two fragments", inTwo),
	...inThreeWays(6, "text in two fragments, a Ping between them", pingBetween),
	...inThreeWays(9, "a last continuation of nothing, then text", continuationOfNothing({})),
	...inThreeWays(12, "a continuation of nothing, then text", continuationOfNothing(OPEN)),
	{ id: "5.15", title: "text in two fragments, a continuation of nothing, text", fill: continuationAfterTheEnd },
	{ id: "5.16", title: "twice: a continuation of nothing, text in two fragments", fill: continuationFirstTwice(OPEN) },
	{ id: "5.17", title: "twice: a last continuation of nothing, text in two fragments", fill: continuationFirstTwice({}) },
	{ id: "5.18", title: "two fragments that both begin a message", fill: newMessageInside },
	{ id: "5.19", title: "text in five fragments, two Pings between them", fill: fiveWithPings("once") },
	{ id: "5.20", title: "text in five fragments, two Pings between them, frame by frame", fill: fiveWithPings("frames") },
];
