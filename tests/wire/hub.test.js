// SPDX-License-Identifier: Apache-2.0
// Hub messages in JSON: answers, error texts, limits, what ends a connection and what not.
"use strict";

const { describe, test, before, after, afterEach } = require("node:test");
const assert = require("node:assert/strict");
const { sharedCluster } = require("../kit/cluster.js");
const { frame, OP, RECORD_SEPARATOR } = require("../kit/raw.js");
const { freshRoom, rawHub, rawClient } = require("../kit/chat.js");
const { connect } = require("../kit/clients.js");

const MESSAGE_BYTES_MAX = 32768;

describe("hub messages", () => {
	const cluster = sharedCluster({ before, after, afterEach }, {});
	const open = (t) => rawClient(t, cluster().addresses[0]);
	const alive = async (ws) => assert.equal((await ws.call("LeaveRoom", "none")).error, undefined);
	const text = (ws, part) => ws.write(frame(OP.TEXT, part));
	// An invocation of exactly that many bytes, its separator included.
	const sized = (bytes) => {
		const [head, tail] = ['{"type":1,"invocationId":"big","target":"LeaveRoom","arguments":["none"],"pad":"', '"}\x1e'];
		return head + "x".repeat(bytes - head.length - tail.length) + tail;
	};
	// Hub Close with an error, and the WebSocket's end behind it.
	const ended = async (ws) => {
		const close = await ws.message();
		assert.equal(close.type, 7);
		await ws.close();
		await ws.untilEnd();
		return close;
	};
	const protocolError = (close) => {
		assert.match(close.error, /^Connection closed with an error\./);
		assert.equal(close.allowReconnect, true);
	};

	test("a method that returns nothing is answered with a null result", async (t) => {
		const ws = await open(t);
		assert.deepEqual(await ws.call("LeaveRoom", "none"), { type: 3, invocationId: "1", result: null });
	});

	test("method names match in any case", async (t) => {
		const ws = await open(t);
		assert.equal((await ws.call("leaveROOM", "none")).error, undefined);
	});

	test("an unknown method is told so", async (t) => {
		const client = await connect(t, cluster().urls[0]);
		await assert.rejects(client.invoke("Nonsense"), {
			message: "Failed to invoke 'Nonsense' due to an error on the server. HubException: Method does not exist.",
		});
	});

	test("a name with a NUL is told whole", async (t) => {
		const ws = await open(t);
		assert.match((await ws.call("a\0b")).error, /^Failed to invoke 'a\0b' due to an error on the server\./);
		await alive(ws);
	});

	for (const [name, args] of Object.entries({ "too few": [], "too many": ["a", "b", "c"], "a wrong type": [{ x: 1 }] })) {
		test(`${name} of an argument is an error completion`, async (t) => {
			const ws = await open(t);
			const { error } = await ws.call("LeaveRoom", ...args);
			assert.match(error, /^Failed to invoke 'LeaveRoom' due to an error on the server\./);
			await alive(ws);
		});
	}

	test("a plain method cannot be streamed", async (t) => {
		const ws = await open(t);
		ws.send({ type: 4, invocationId: "s", target: "LeaveRoom", arguments: ["none"] });
		assert.equal((await ws.completion("s")).error,
			"The client attempted to invoke the non-streaming 'LeaveRoom' method with a streaming invocation.");
	});

	test("without an invocation id nothing is answered, errors neither", async (t) => {
		const ws = await open(t);
		ws.send({ type: 1, target: "Nonsense", arguments: [] }, { type: 1, target: "LeaveRoom", arguments: [] });
		ws.send({ type: 1, target: "LeaveRoom", arguments: ["none"] });
		await alive(ws);
		assert.deepEqual(ws.pending, []);
	});

	test("members may come in any order, unknown ones among them", async (t) => {
		const ws = await open(t);
		text(ws, '{"arguments":["none"],"x":[{"y":"\\u001e"}],"target":"LeaveRoom","headers":{"a":"b"},"invocationId":"q","type":1}\x1e');
		assert.equal((await ws.completion("q")).error, undefined);
	});

	test("calls of one connection are answered in their order", async (t) => {
		const ws = await open(t);
		const ids = Array.from({ length: 50 }, (_, i) => `n${i}`);
		ws.send(...ids.map((invocationId) => ({ type: 1, invocationId, target: "LeaveRoom", arguments: ["none"] })));
		for (const id of ids)
			assert.equal((await ws.message()).invocationId, id);
	});

	test("what is meant for nobody is dropped", async (t) => {
		const ws = await open(t);
		ws.send({ type: 6 }, { type: 2, invocationId: "x", item: 1 }, { type: 3, invocationId: "x", result: 1 },
			{ type: 5, invocationId: "x" });
		await alive(ws);
	});

	test("an unknown message type is ignored", async (t) => {
		const ws = await open(t);
		ws.send({ type: 99, payload: [1, 2] });
		await alive(ws);
	});

	test("a message of exactly the limit passes", async (t) => {
		const ws = await open(t);
		text(ws, sized(MESSAGE_BYTES_MAX));
		assert.equal((await ws.completion("big")).error, undefined);
	});

	test("one byte more ends the connection", async (t) => {
		const ws = await open(t);
		text(ws, sized(MESSAGE_BYTES_MAX + 1));
		protocolError(await ended(ws));
	});

	test("a message that never ends is stopped at the limit", async (t) => {
		const ws = await open(t);
		for (let i = 0; i < 5; i++)
			text(ws, "x".repeat(8192));
		protocolError(await ended(ws));
	});

	test("the limit is for one hub message, not for one WebSocket message", async (t) => {
		const ws = await open(t);
		text(ws, sized(20000).replace("big", "one") + sized(20000).replace("big", "two"));
		await ws.completion("one");
		await ws.completion("two");
	});

	const fatal = {
		"malformed JSON": '{"type":1,',
		"no type": '{"target":"LeaveRoom","arguments":[]}',
		"an empty message": "",
		"no target": '{"type":1,"invocationId":"1","arguments":[]}',
		"no arguments": '{"type":1,"invocationId":"1","target":"LeaveRoom"}',
		"arguments that are no array": '{"type":1,"target":"LeaveRoom","arguments":{}}',
		"an id that is a number": '{"type":1,"invocationId":1,"target":"LeaveRoom","arguments":["none"]}',
		"a completion with result and error": '{"type":3,"invocationId":"1","result":null,"error":"x"}',
	};
	for (const [name, message] of Object.entries(fatal)) {
		test(`${name} ends the connection`, async (t) => {
			const ws = await open(t);
			text(ws, message + RECORD_SEPARATOR);
			protocolError(await ended(ws));
		});
	}

	test("the official client is told why it was closed", async (t) => {
		const client = await connect(t, cluster().urls[0]);
		client.connection.send("LeaveRoom", "x".repeat(MESSAGE_BYTES_MAX)).catch(() => {});
		await client.until((c) => c.closed, "the end");
		assert.match(client.closed.error.message, /Server returned an error on close: Connection closed with an error\./);
	});

	test("a client's Close is answered with Close and 1000", async (t) => {
		const ws = await open(t);
		ws.send({ type: 7 });
		assert.deepEqual(await ws.message(), { type: 7 });
		assert.equal((await ws.close()).code, 1000);
		ws.write(frame(OP.CLOSE));
		await ws.untilEnd();
	});

	test("calls before a Close are still carried out", async (t) => {
		const room = freshRoom();
		const watcher = await connect(t, cluster().urls[0]);
		await watcher.invoke("JoinRoom", room);
		const ws = await open(t);
		ws.send({ type: 1, target: "SendMessage", arguments: [room, "last words"] }, { type: 7 });
		await watcher.untilText(room, "last words");
	});

	test("a byte sequence may come in any two pieces, and byte by byte", async (t) => {
		const call = '{"type":1,"invocationId":"1","target":"LeaveRoom","arguments":["\u00fc\ud83d\ude00"]}';
		const bytes = Buffer.concat([
			frame(OP.TEXT, '{"protocol":"json","version":1}\x1e'),
			frame(OP.PING, "p"),
			frame(OP.TEXT, call.slice(0, 30), { fin: false }),
			frame(OP.CONTINUATION, call.slice(30) + RECORD_SEPARATOR),
			frame(OP.TEXT, `{"type":1,"invocationId":"2","target":"LeaveRoom","pad":"${"x".repeat(90)}","arguments":["none"]}\x1e`),
		]);
		const run = async (pieces) => {
			const ws = await rawHub(t, cluster().addresses[0]);
			await ws.writeInPieces(pieces);
			assert.deepEqual(await ws.message(), {});
			assert.equal((await ws.completion("1")).error, undefined);
			assert.equal((await ws.completion("2")).error, undefined);
			ws.destroy();
		};
		await run(Array.from(bytes, (byte) => Buffer.from([byte])));
		for (let cut = 1; cut < bytes.length; cut += 30) {
			const cuts = Array.from({ length: Math.min(30, bytes.length - cut) }, (_, i) => cut + i);
			await Promise.all(cuts.map((at) => run([bytes.subarray(0, at), bytes.subarray(at)])));
		}
	});
});
