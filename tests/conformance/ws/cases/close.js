// SPDX-License-Identifier: Apache-2.0
// 7: the close. The server answers a Close with its own, with the same code or 1000, sends
// nothing after it, reads nothing after ours, and ends the TCP connection first.
"use strict";

const { OP, text, ping, close, frame, closePayload, halves, fragments, expectEcho } = require("../plan.js");

const NORMAL_CODES = [1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 3000, 3999, 4000, 4999];
const BAD_CODES = [0, 999, 1004, 1005, 1006, 1016, 1100, 2000, 2999];
const UNDEFINED_CODES = [5000, 65535];
const REASON_MAX = 123;
const BAD_REASON = Buffer.from([0xce, 0xba, 0xed, 0xa0, 0x80, 0x65]);

function callThenClose(plan) {
	const call = plan.call();
	plan.write([text(call.bytes), close()]).expect(expectEcho(call)).orNonStrictly().closes();
}

function closeInsideMessage(plan) {
	const [first, last] = fragments(OP.TEXT, halves(plan.call("fragment1fragment2")));
	plan.write([first, close(), last]).closes();
}

function longThenClose(plan) {
	plan.write([text(plan.callsOf(262144).bytes), close(), ping("too late")]).ends();
}

// A Close payload as it is; a good one is answered with 1000 or its own code.
const answered = (payload, ...codes) => (plan) => plan.write(frame(OP.CLOSE, payload)).closes(1000, ...codes);
const refused = (payload, ...codes) => (plan) => plan.write(frame(OP.CLOSE, payload)).fails(...codes);

const perCode = (number, codes, title, fill) => codes.map((code, i) => ({
	id: `7.${number}.${i + 1}`,
	title: `${title} ${code}`,
	fill: fill(code),
}));

module.exports = [
	{ id: "7.1.1", title: "a call, then Close", fill: callThenClose },
	{ id: "7.1.2", title: "two Closes", fill: (plan) => plan.write([close(), close()]).closes() },
	{ id: "7.1.3", title: "a Ping after Close", fill: (plan) => plan.write([close(), ping("late")]).closes() },
	{
		id: "7.1.4",
		title: "a call after Close",
		fill: (plan) => plan.write([close(), text(plan.call("never run").bytes)]).closes(),
	},
	{ id: "7.1.5", title: "Close between the fragments of a call", fill: closeInsideMessage },
	{ id: "7.1.6", title: "256 KiB of calls, Close, a Ping", fill: longThenClose },
	{ id: "7.3.1", title: "an empty Close", fill: answered("", null) },
	{ id: "7.3.2", title: "a Close of one byte", fill: refused("a") },
	{ id: "7.3.3", title: "a Close with a code", fill: answered(closePayload(1000)) },
	{ id: "7.3.4", title: "a Close with a reason", fill: answered(closePayload(1000, "Hello, world!")) },
	{ id: "7.3.5", title: "a Close of 125 bytes", fill: answered(closePayload(1000, "*".repeat(REASON_MAX))) },
	{ id: "7.3.6", title: "a Close of 126 bytes", fill: refused(closePayload(1000, "*".repeat(REASON_MAX + 1))) },
	{
		id: "7.5.1",
		title: "a Close whose reason is not UTF-8",
		fill: refused(Buffer.concat([closePayload(1000), BAD_REASON]), 1007, 1002),
	},
	...perCode(7, NORMAL_CODES, "a Close with the code", (code) => answered(closePayload(code), code)),
	...perCode(9, BAD_CODES, "a Close with the bad code", (code) => refused(closePayload(code))),
	...perCode(13, UNDEFINED_CODES, "a Close with the undefined code",
		(code) => (plan) => plan.write(frame(OP.CLOSE, closePayload(code))).ends()),
];
