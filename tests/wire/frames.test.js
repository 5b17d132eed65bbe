// SPDX-License-Identifier: Apache-2.0
// WebSocket frames, right and wrong, as RFC 6455 has them.
"use strict";

const { describe, test, before, after, afterEach } = require("node:test");
const assert = require("node:assert/strict");
const { sharedCluster } = require("../kit/cluster.js");
const { frame, closePayload, httpRequest, upgradeText, RawSocket, OP } = require("../kit/raw.js");
const { rawClient } = require("../kit/chat.js");

const CALL = '{"type":1,"invocationId":"c","target":"LeaveRoom","arguments":["none"]}\x1e';

describe("WebSocket frames", () => {
	const cluster = sharedCluster({ before, after, afterEach }, {});
	const open = (t) => rawClient(t, cluster().addresses[0]);
	const alive = async (ws) => assert.equal((await ws.call("LeaveRoom", "none")).error, undefined);

	test("a ping is answered with its own bytes", async (t) => {
		const ws = await open(t);
		ws.write(frame(OP.PING, "are you there"));
		const { opcode, payload } = await ws.frame();
		assert.deepEqual([opcode, payload.toString()], [OP.PONG, "are you there"]);
	});

	test("the largest and the empty ping are answered", async (t) => {
		const ws = await open(t);
		for (const body of ["", "x".repeat(125)]) {
			ws.write(frame(OP.PING, body));
			assert.equal((await ws.frame()).payload.toString(), body);
		}
	});

	test("a pong nobody asked for is ignored", async (t) => {
		const ws = await open(t);
		ws.write(frame(OP.PONG, "hello"));
		await alive(ws);
	});

	test("a message in many fragments is one message", async (t) => {
		const ws = await open(t);
		const pieces = [...CALL].map((char, i) =>
			frame(i === 0 ? OP.TEXT : OP.CONTINUATION, char, { fin: i === CALL.length - 1 }));
		ws.write(Buffer.concat(pieces));
		assert.equal((await ws.completion("c")).error, undefined);
	});

	test("a ping may come between fragments", async (t) => {
		const ws = await open(t);
		ws.write(frame(OP.TEXT, CALL.slice(0, 20), { fin: false }));
		ws.write(frame(OP.PING, "now"));
		assert.equal((await ws.frame()).opcode, OP.PONG);
		ws.write(frame(OP.CONTINUATION, CALL.slice(20)));
		assert.equal((await ws.completion("c")).error, undefined);
	});

	test("a character may be cut by a fragment", async (t) => {
		const ws = await open(t);
		const bytes = Buffer.from(CALL.replace("none", "\u2600"));
		const cut = bytes.indexOf(0xe2) + 1;
		ws.write(frame(OP.TEXT, bytes.subarray(0, cut), { fin: false }));
		ws.write(frame(OP.CONTINUATION, bytes.subarray(cut)));
		assert.equal((await ws.completion("c")).error, undefined);
	});

	test("an empty message and an empty fragment change nothing", async (t) => {
		const ws = await open(t);
		ws.write(frame(OP.TEXT, ""));
		ws.write(frame(OP.TEXT, "", { fin: false }));
		ws.write(frame(OP.CONTINUATION, CALL));
		assert.equal((await ws.completion("c")).error, undefined);
	});

	const broken = {
		"an unmasked frame": [1002, () => frame(OP.TEXT, CALL, { mask: false })],
		"a reserved data opcode": [1002, () => frame(3, "x")],
		"a reserved control opcode": [1002, () => frame(11, "x")],
		"a reserved bit": [1002, () => frame(OP.TEXT, CALL, { rsv: 4 })],
		"a fragmented ping": [1002, () => frame(OP.PING, "x", { fin: false })],
		"a ping of 126 bytes": [1002, () => frame(OP.PING, "x".repeat(126))],
		"a continuation of nothing": [1002, () => frame(OP.CONTINUATION, CALL)],
		"a new message inside another": [1002, () =>
			Buffer.concat([frame(OP.TEXT, "{", { fin: false }), frame(OP.TEXT, CALL)])],
		"a length with the top bit set": [1002, () => frame(OP.TEXT, "", { declared: 1n << 63n })],
		"text that is no UTF-8": [1007, () => frame(OP.TEXT, Buffer.from([0x7b, 0xc3, 0x28]))],
		"an overlong encoding": [1007, () => frame(OP.TEXT, Buffer.from([0xc0, 0xaf]))],
		"half a character at the end": [1007, () => frame(OP.TEXT, Buffer.from([0x7b, 0xe2, 0x98]))],
		"a Close of one byte": [1002, () => frame(OP.CLOSE, "x")],
		"a Close with a code of nobody's": [1002, () => frame(OP.CLOSE, closePayload(1005))],
	};
	for (const [name, [code, bytes]] of Object.entries(broken)) {
		test(`${name} ends with ${code}`, async (t) => {
			const ws = await open(t);
			ws.write(bytes());
			assert.equal((await ws.close()).code, code);
			await ws.untilEnd();
		});
	}

	test("a frame that declares more than any message ends the connection", async (t) => {
		const ws = await open(t);
		ws.write(frame(OP.TEXT, "x".repeat(40000), { declared: 1n << 40n }));
		await ws.close();
		await ws.untilEnd();
	});

	for (const [name, payload] of [["an empty Close", ""], ["Close 1000", closePayload(1000, "bye")],
		["Close 1001", closePayload(1001)]]) {
		test(`${name} is answered with 1000`, async (t) => {
			const ws = await open(t);
			ws.write(frame(OP.CLOSE, payload));
			assert.equal((await ws.close()).code, 1000);
			await ws.untilEnd();
		});
	}

	test("what follows a Close is not read", async (t) => {
		const ws = await open(t);
		ws.write(Buffer.concat([frame(OP.CLOSE, closePayload(1000)), frame(OP.TEXT, CALL)]));
		assert.equal((await ws.close()).code, 1000);
		assert.deepEqual(ws.pending, []);
	});

	test("a socket that vanishes in the middle of a frame hurts nobody", async (t) => {
		const gone = await open(t);
		gone.write(frame(OP.TEXT, CALL).subarray(0, 20));
		gone.destroy();
		await alive(await open(t));
	});

	describe("the upgrade", () => {
		const KEY = "dGhlIHNhbXBsZSBub25jZQ==";
		const head = async (t, key, change) => {
			const raw = new RawSocket(cluster().addresses[0]);
			t.after(() => raw.destroy());
			raw.write(upgradeText(cluster().addresses[0], "/hubs/chat", key, change));
			return raw.head();
		};

		for (const [name, key, change] of [
			["an old version", KEY, { "Sec-WebSocket-Version": "8" }],
			["no version", KEY, { "Sec-WebSocket-Version": null }],
			["no key", null, {}],
			["a short key", "c2hvcnQ=", {}],
		])
			test(`is refused with ${name}`, async (t) => {
				const { status } = await head(t, key, change);
				assert.ok(status >= 400 && status < 500, `status ${status}`);
			});

		test("matches its header values in any case", async (t) => {
			const { status } = await head(t, KEY, { Connection: "keep-alive, UPGRADE", Upgrade: "WebSocket" });
			assert.equal(status, 101);
		});
	});

	test("a head that is no HTTP is 400", async () => {
		const response = await httpRequest(cluster().addresses[0], "GET", "/ a b", {});
		assert.equal(response.status, 400);
	});
});
