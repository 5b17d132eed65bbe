// SPDX-License-Identifier: Apache-2.0
// 3: reserved bits; 4: reserved opcodes. A Ping behind the violation must not be answered.
// The answer to a call before it may be on its way when the connection fails: strictly it
// comes, but a server that runs calls elsewhere cannot promise that.
"use strict";

const { OP, text, binary, ping, frame, closePayload, expectEcho } = require("../plan.js");

// The frame alone.
const alone = (bytes) => (plan) => plan.write(bytes(plan)).fails();

// A good call, the frame, a Ping.
function afterCall(bytes, chop) {
	return (plan) => {
		const call = plan.call();
		plan.write([text(call.bytes), bytes(plan), ping("too late")], chop)
			.expect(expectEcho(call)).orNonStrictly().fails();
	};
}

const reservedText = (rsv) => (plan) => text(plan.call("not to be run").bytes, { rsv });
const reservedOpcode = (opcode, payload = "") => () => frame(opcode, payload);

function opcodes(number, first, kind) {
	const payload = "reserved opcode payload";
	const id = (i) => `4.${number}.${i}`;
	return [
		{ id: id(1), title: `${kind} opcode ${first}, empty`, fill: alone(reservedOpcode(first)) },
		{ id: id(2), title: `${kind} opcode ${first + 1}`, fill: alone(reservedOpcode(first + 1, payload)) },
		{
			id: id(3),
			title: `a call, then ${kind} opcode ${first + 2}, empty, then a Ping`,
			fill: afterCall(reservedOpcode(first + 2)),
		},
		{
			id: id(4),
			title: `a call, then ${kind} opcode ${first + 3}, then a Ping`,
			fill: afterCall(reservedOpcode(first + 3, payload)),
		},
		{
			id: id(5),
			title: `a call, then ${kind} opcode ${first + 4}, then a Ping, byte by byte`,
			fill: afterCall(reservedOpcode(first + 4, payload), 1),
		},
	];
}

module.exports = [
	{ id: "3.1", title: "text with RSV 1", fill: alone(reservedText(1)) },
	{ id: "3.2", title: "a call, text with RSV 2, a Ping", fill: afterCall(reservedText(2)) },
	{ id: "3.3", title: "a call, text with RSV 3, a Ping, frame by frame", fill: afterCall(reservedText(3), "frames") },
	{ id: "3.4", title: "a call, text with RSV 4, a Ping, byte by byte", fill: afterCall(reservedText(4), 1) },
	{ id: "3.5", title: "binary with RSV 5", fill: alone(() => binary(Buffer.alloc(8, 0xff), { rsv: 5 })) },
	{ id: "3.6", title: "a Ping with RSV 6", fill: alone(() => ping("rsv", { rsv: 6 })) },
	{ id: "3.7", title: "a Close with RSV 7", fill: alone(() => frame(OP.CLOSE, closePayload(1000), { rsv: 7 })) },
	...opcodes(1, 3, "data"),
	...opcodes(2, 11, "control"),
];
