// SPDX-License-Identifier: Apache-2.0
// The fixture that our codec is held against (test_hub_official.c) is what the official libraries write today, and
// the official client understands the frames in it that ours writes byte for byte.
"use strict";

const { describe, test } = require("node:test");
const assert = require("node:assert/strict");
const fs = require("node:fs");
const path = require("node:path");
const { MessageType } = require("@microsoft/signalr");
const { MessagePackHubProtocol } = require("@microsoft/signalr-protocol-msgpack");
const fixture = require("./data/msgpack.js");

// The members that the client's parser makes up, or leaves undefined where JSON has none.
const members = ["type", "headers", "invocationId", "target", "arguments", "item", "result", "error", "allowReconnect",
	"sequenceId"];
const defaults = {
	[MessageType.Ping]: {}, [MessageType.Ack]: {}, [MessageType.Sequence]: {},
	[MessageType.Close]: { error: null, allowReconnect: false },
};
const comparable = (message) => Object.fromEntries(members.map((name) => [name, message[name]]));

describe("MessagePack", () => {
	const text = fs.readFileSync(path.join(__dirname, "data/msgpack.txt"), "utf8");

	test("the fixture is what the official libraries write", () => {
		assert.equal(text, fixture.text());
	});

	for (const line of text.trimEnd().split("\n")) {
		const [name, , json, frame] = line.split("\t");
		test(`the client reads: ${name}`, () => {
			const bytes = Buffer.from(frame, "hex");
			const input = bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length);
			const logged = [];
			const logger = { log: (level, what) => logged.push(what) };
			const messages = new MessagePackHubProtocol().parseMessages(input, logger);
			const expected = JSON.parse(json);
			// Only a server reads these.
			if ([MessageType.StreamInvocation, MessageType.CancelInvocation].includes(expected.type)) {
				assert.deepEqual(logged, [`Unknown message type '${expected.type}' ignored.`]);
				return;
			}
			const made = defaults[expected.type] ?? { headers: {} };
			assert.deepEqual(messages.map(comparable), [comparable({ ...made, ...expected })]);
		});
	}
});
