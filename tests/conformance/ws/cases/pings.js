// SPDX-License-Identifier: Apache-2.0
// 2: Pings and Pongs.
"use strict";

const { ping, pong, expectPong } = require("../plan.js");

const HELLO = "Hello, world!";
const BYTES = Buffer.from([0x00, 0xff, 0xfe, 0xfd, 0xfc, 0xfb, 0x00, 0xff]);
const LONGEST = Buffer.alloc(125, 0xfe);

const answered = (payload, chop) => (plan) => plan.write(ping(payload), chop).expect(expectPong(payload));

function tenPings(chop) {
	return (plan) => {
		const payloads = Array.from({ length: 10 }, (_, i) => `ping number ${i}`);
		plan.write(payloads.map((payload) => ping(payload)), chop).expect(...payloads.map(expectPong));
	};
}

module.exports = [
	{ id: "2.1", title: "an empty Ping", fill: answered("") },
	{ id: "2.2", title: "a Ping with text", fill: answered(HELLO) },
	{ id: "2.3", title: "a Ping with bytes that are no text", fill: answered(BYTES) },
	{ id: "2.4", title: "a Ping of 125 bytes", fill: answered(LONGEST) },
	{
		id: "2.5",
		title: "a Ping of 126 bytes is too long",
		fill: (plan) => plan.write(ping(Buffer.alloc(126, 0xfe))).fails(),
	},
	{ id: "2.6", title: "a Ping of 125 bytes, byte by byte", fill: answered(LONGEST, 1) },
	{ id: "2.7", title: "an empty Pong nobody asked for", fill: (plan) => plan.write(pong("")) },
	{ id: "2.8", title: "a Pong with text nobody asked for", fill: (plan) => plan.write(pong("unsolicited")) },
	{
		id: "2.9",
		title: "a Pong nobody asked for, then a Ping",
		fill: (plan) => plan.write([pong("unsolicited"), ping("solicited")]).expect(expectPong("solicited")),
	},
	{ id: "2.10", title: "ten Pings are answered in their order", fill: tenPings("once") },
	{ id: "2.11", title: "ten Pings, byte by byte", fill: tenPings(1) },
];
