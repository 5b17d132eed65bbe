// SPDX-License-Identifier: Apache-2.0
// What the official libraries make of hub messages, for msgpack.txt beside it. A line has, between tabs:
//
//	a name
//	the message as @microsoft/signalr-protocol-msgpack writes it, in hexadecimal
//	the same message as JSON
//	what that JSON is in MessagePack, every element there as a server writes it, in hexadecimal
//
// node tests/wire/data/msgpack.js > tests/wire/data/msgpack.txt
"use strict";

const { JsonHubProtocol, MessageType } = require("@microsoft/signalr");
const { MessagePackHubProtocol } = require("@microsoft/signalr-protocol-msgpack");
const { encode } = require("@msgpack/msgpack");

const protocol = new MessagePackHubProtocol();
const hex = (bytes) => Buffer.from(bytes).toString("hex");

function serverFrame(message) {
	const { type, headers = {}, invocationId = null, target, streamIds = [] } = message;
	const call = [type, headers, invocationId];
	const shapes = {
		[MessageType.Invocation]: () => [...call, target, message.arguments, streamIds],
		[MessageType.StreamInvocation]: () => [...call, target, message.arguments, streamIds],
		[MessageType.StreamItem]: () => [...call, message.item],
		[MessageType.Completion]: () => {
			if (message.error !== undefined) return [...call, 1, message.error];
			return message.result === undefined ? [...call, 2] : [...call, 3, message.result];
		},
		[MessageType.CancelInvocation]: () => call,
		[MessageType.Ping]: () => [type],
		[MessageType.Close]: () => [type, message.error ?? null, message.allowReconnect === true],
		[MessageType.Ack]: () => [type, message.sequenceId],
		[MessageType.Sequence]: () => [type, message.sequenceId],
	};
	const body = Buffer.from(encode(shapes[type]()));
	const prefix = [];
	for (let left = body.length; ; left >>= 7) {
		prefix.push((left & 0x7f) | (left > 0x7f ? 0x80 : 0));
		if (left <= 0x7f) return Buffer.concat([Buffer.from(prefix), body]);
	}
}

// One row; `json` where a value has another form there.
function row(name, message, json = message) {
	const text = new JsonHubProtocol().writeMessage(json).slice(0, -1);
	return [name, hex(protocol.writeMessage(message)), text, hex(serverFrame(json))];
}

// An argument, and what it is in JSON.
const send = (argument) => ({ type: MessageType.Invocation, target: "Send", arguments: [argument] });
const argument = (name, value, json = value) => row(name, send(value), send(json));
const many = (n, make) => Array.from({ length: n }, (_, i) => make(i));
const members = (n) => Object.fromEntries(many(n, (i) => [`k${i}`, i]));

const integers = [0, 127, 128, 255, 256, 65535, 65536, 4294967295, 4294967296, Number.MAX_SAFE_INTEGER];
const negatives = [-1, -32, -33, -128, -129, -32768, -32769, -2147483648, -2147483649, Number.MIN_SAFE_INTEGER];

exports.rows = () => [
	row("ping", { type: MessageType.Ping }),
	row("close", { type: MessageType.Close }),
	row("ack", { type: MessageType.Ack, sequenceId: 36 }),
	row("sequence", { type: MessageType.Sequence, sequenceId: 4294967296 }),
	row("invocation", { type: MessageType.Invocation, target: "T", arguments: [] }),
	row("invocation that waits", { type: MessageType.Invocation, invocationId: "1", target: "T", arguments: [1, "a"] }),
	row("invocation with headers", {
		type: MessageType.Invocation, headers: { traceparent: "00-aa" }, invocationId: "1", target: "T", arguments: [],
	}),
	row("invocation with streams", {
		type: MessageType.Invocation, invocationId: "1", target: "T", arguments: [], streamIds: ["2", "3"],
	}),
	row("stream invocation", { type: MessageType.StreamInvocation, invocationId: "1", target: "T", arguments: [[]] }),
	row("stream invocation with streams", {
		type: MessageType.StreamInvocation, invocationId: "1", target: "T", arguments: [], streamIds: ["2"],
	}),
	row("cancel", { type: MessageType.CancelInvocation, invocationId: "1" }),
	row("item", { type: MessageType.StreamItem, invocationId: "1", item: { a: [true, false, null] } }),
	row("item of null", { type: MessageType.StreamItem, invocationId: "1", item: null }),
	row("completion", { type: MessageType.Completion, invocationId: "xyz" }),
	row("completion with null", { type: MessageType.Completion, invocationId: "xyz", result: null }),
	row("completion with result", { type: MessageType.Completion, invocationId: "xyz", result: 42 }),
	row("completion with error", { type: MessageType.Completion, invocationId: "xyz", error: "Error \u00e9" }),
	...integers.map((n) => argument(`integer ${n}`, n)),
	...negatives.map((n) => argument(`integer ${n}`, n)),
	...[0.5, -2.25, 0.1, 1e300, Number.MAX_VALUE].map((n) => argument(`double ${n}`, n)),
	...[0, 31, 32, 255, 256].map((n) => argument(`text of ${n}`, "t".repeat(n))),
	argument("text beyond ASCII", "\u00fc \u20ac \ud83d\ude00 \u0000 \"\\"),
	...[0, 15, 16].map((n) => argument(`array of ${n}`, many(n, (i) => i))),
	...[0, 15, 16].map((n) => argument(`map of ${n}`, members(n))),
	...[0, 1, 255, 256].map((n) => {
		const bytes = Buffer.from(many(n, (i) => i));
		return argument(`binary of ${n}`, new Uint8Array(bytes), bytes.toString("base64"));
	}),
	argument("timestamp of 32 bits", new Date("2023-11-14T22:13:20Z"), "2023-11-14T22:13:20Z"),
	argument("timestamp of 64 bits", new Date("2023-11-14T22:13:20.120Z"), "2023-11-14T22:13:20.12Z"),
	argument("timestamp of 96 bits", new Date("1969-12-31T23:59:59.999Z"), "1969-12-31T23:59:59.999Z"),
	argument("timestamp of the last second", new Date("9999-12-31T23:59:59Z"), "9999-12-31T23:59:59Z"),
	argument("nested", many(15, () => 0).reduce((inner) => [{ a: inner }], 1)),
];

exports.text = () => exports.rows().map((columns) => `${columns.join("\t")}\n`).join("");

if (require.main === module)
	process.stdout.write(exports.text());
