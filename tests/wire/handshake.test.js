// SPDX-License-Identifier: Apache-2.0
// The SignalR handshake on a WebSocket: what is accepted, and how each error is told.
"use strict";

const { describe, test, before, after, afterEach } = require("node:test");
const assert = require("node:assert/strict");
const { sharedCluster, withCluster } = require("../kit/cluster.js");
const { frame, OP, RECORD_SEPARATOR } = require("../kit/raw.js");
const { rawHub } = require("../kit/chat.js");

const HELLO = '{"protocol":"json","version":1}';
const UNEXPECTED = /^An unexpected error occurred during connection handshake\./;

describe("handshake", () => {
	const cluster = sharedCluster({ before, after, afterEach }, {});
	const open = (t) => rawHub(t, cluster().addresses[0]);
	const text = (ws, ...parts) => parts.forEach((part) => ws.write(frame(OP.TEXT, part)));
	// The error, and then the end without a hub Close.
	const refusal = async (ws) => {
		const { error } = await ws.message();
		await ws.close();
		assert.deepEqual(ws.pending, []);
		return error;
	};

	const accepted = {
		"json version 1": HELLO,
		"json version 2": '{"protocol":"json","version":2}',
		"members in another order": '{"version":1,"protocol":"json"}',
		"unknown members": '{"x":{"y":[1,"}"]},"protocol":"json","z":null,"version":1}',
		"white space": ' {\n"protocol" : "json" ,\t"version":1 } ',
		"escapes in a value": '{"protocol":"\\u006ason","version":1}',
	};
	for (const [name, request] of Object.entries(accepted)) {
		test(`accepts ${name}`, async (t) => {
			const ws = await open(t);
			text(ws, request + RECORD_SEPARATOR);
			assert.deepEqual(await ws.message(), {});
			assert.equal((await ws.call("LeaveRoom", "none")).error, undefined);
		});
	}

	test("the answer is two bytes of JSON and a separator", async (t) => {
		const ws = await open(t);
		text(ws, HELLO + RECORD_SEPARATOR);
		const { opcode, payload } = await ws.frame();
		assert.deepEqual([opcode, payload.toString()], [OP.TEXT, "{}\x1e"]);
	});

	test("a first call may ride in the same message", async (t) => {
		const ws = await open(t);
		const call = '{"type":1,"invocationId":"a","target":"LeaveRoom","arguments":["none"]}';
		text(ws, HELLO + RECORD_SEPARATOR + call + RECORD_SEPARATOR);
		assert.deepEqual(await ws.message(), {});
		assert.equal((await ws.completion("a")).error, undefined);
	});

	test("a handshake may come in several messages", async (t) => {
		const ws = await open(t);
		text(ws, HELLO.slice(0, 10), HELLO.slice(10), RECORD_SEPARATOR);
		assert.deepEqual(await ws.message(), {});
	});

	test("a binary frame serves as well", async (t) => {
		const ws = await open(t);
		ws.write(frame(OP.BINARY, HELLO + RECORD_SEPARATOR));
		assert.deepEqual(await ws.message(), {});
	});

	const refused = {
		"an unknown protocol": ['{"protocol":"smoke","version":1}', /^The protocol 'smoke' is not supported\.$/],
		"a version to come": ['{"protocol":"json","version":3}',
			/^The server does not support version 3 of the 'json' protocol\.$/],
		"malformed JSON": ['{"protocol":"json"', UNEXPECTED],
		"no protocol": ['{"version":1}', UNEXPECTED],
		"no version": ['{"protocol":"json"}', UNEXPECTED],
		"a protocol that is no string": ['{"protocol":1,"version":1}', UNEXPECTED],
		"a version that is no number": ['{"protocol":"json","version":"1"}', UNEXPECTED],
		"something that is no object": ["[1]", UNEXPECTED],
	};
	for (const [name, [request, error]] of Object.entries(refused)) {
		test(`refuses ${name}`, async (t) => {
			const ws = await open(t);
			text(ws, request + RECORD_SEPARATOR);
			assert.match(await refusal(ws), error);
		});
	}

	test("a handshake larger than a message may be is canceled", async (t) => {
		const ws = await open(t);
		text(ws, `{"protocol":"json","version":1,"pad":"${"x".repeat(33000)}"}${RECORD_SEPARATOR}`);
		assert.equal(await refusal(ws), "Handshake was canceled.");
	});

	test("a client that closes first is let go", async (t) => {
		const ws = await open(t);
		ws.write(frame(OP.CLOSE));
		assert.equal((await ws.close()).code, 1000);
	});

	test("no handshake in time is canceled", async (t) => {
		await withCluster({ gatewayArgs: ["--handshake_timeout=300ms"] }, async (own) => {
			const ws = await rawHub(t, own.addresses[0]);
			assert.equal(await refusal(ws), "Handshake was canceled.");
		});
	});
});
