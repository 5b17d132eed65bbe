// SPDX-License-Identifier: Apache-2.0
// What somebody who means harm sends to a real gateway: too often, without an end, or larger
// than it may be. Each time: where it ends, what it costs, and how somebody fares who behaves.
"use strict";

const { describe, test, before, after, afterEach } = require("node:test");
const assert = require("node:assert/strict");
const fs = require("node:fs");
const { sharedCluster } = require("../kit/cluster.js");
const { connect } = require("../kit/clients.js");
const { rawClient, rawHub } = require("../kit/chat.js");
const { RawSocket, RawWebSocket, frame, headText, upgradeText, OP, RECORD_SEPARATOR } = require("../kit/raw.js");
const { poller, readyPoller } = require("../kit/poll.js");
const { waitFor } = require("../kit/wait.js");

const KEY = "dGhlIHNhbXBsZSBub25jZQ==";
const MIB = 2 ** 20;

const metric = async (cluster, name) => (await cluster.metrics("g1")).get(`gateway_${name}`);

function socket(t, cluster) {
	const raw = new RawSocket(cluster.addresses[0]);
	t.after(() => raw.destroy());
	return raw;
}

// The allocator's figure is a second old at most: one that is still above after three
// seconds is one that stays.
function untilMemory(cluster, bytes) {
	return waitFor(async () => await metric(cluster, "memory_used_bytes") <= bytes, 3000, `memory below ${bytes}`);
}

// The most address space that the gateway has ever had: an allocation shows even if it was
// never written to and is gone again.
function peakBytes(cluster) {
	const status = fs.readFileSync(`/proc/${cluster.program("g1").pid}/status`, "utf8");
	return Number(/^VmPeak:\s+(\d+) kB$/m.exec(status)[1]) * 1024;
}

// Calls all the time until it is told to end; gives the slowest call's milliseconds.
async function callUntil(client, isOver) {
	let slowest = 0;
	while (!isOver()) {
		const start = performance.now();
		await client.invoke("LeaveRoom", "none");
		slowest = Math.max(slowest, performance.now() - start);
		await new Promise((resolve) => setTimeout(resolve, 20));
	}
	return slowest;
}

describe("a flood of new sockets for one stateful connection", () => {
	const TURNS = 60;
	const SOCKETS = 20;
	const ATTEMPTS = 500; // of each
	const cluster = sharedCluster({ before, after, afterEach },
		{ gatewayArgs: ["--stateful_reconnect=on", `--reattach_per_minute_max=${TURNS}`] });

	// Goes on with the same socket as long as it is refused.
	const attack = async (t, target, statuses) => {
		let raw = null;
		for (let i = 0; i < ATTEMPTS; i++) {
			if (raw === null || raw.isEnded)
				raw = socket(t, cluster());
			raw.write(upgradeText(cluster().addresses[0], target, KEY));
			await waitFor(() => raw.isEnded || raw.bytes.includes("\r\n\r\n"), 8000, "an answer");
			// Of two who get their turn at once the first may not even hear of it.
			const { status, headers } = raw.bytes.length > 0 ? await raw.response() : { status: 101 };
			statuses.set(status, (statuses.get(status) ?? 0) + 1);
			if (status === 429)
				assert.ok(Number(headers["retry-after"]) >= 1);
			else
				raw = null;
		}
	};

	test("is answered 429, costs nothing that stays, and does not slow others", async (t) => {
		const good = await connect(t, cluster().urls[0]);
		const client = await poller(t, cluster().addresses[0], { query: "?negotiateVersion=1&useStatefulReconnect=true" });
		const own = await RawWebSocket.open(cluster().addresses[0], client.target);
		t.after(() => own.destroy());
		assert.deepEqual(await own.handshake({ protocol: "json", version: 2 }), {});
		const used = await metric(cluster(), "memory_used_bytes");
		const statuses = new Map();
		let isOver = false;
		const calling = callUntil(good, () => isOver);
		await Promise.all(Array.from({ length: SOCKETS }, () => attack(t, client.target, statuses)))
			.finally(() => (isOver = true));
		const slowest = await calling;

		assert.deepEqual([...statuses].sort(), [[101, TURNS], [429, SOCKETS * ATTEMPTS - TURNS]]);
		assert.equal(await metric(cluster(), "stateful_attached_total"), TURNS);
		assert.equal(await metric(cluster(), "stateful_refused_total"), SOCKETS * ATTEMPTS - TURNS);
		assert.equal(await metric(cluster(), "stateful_connections"), 1);
		assert.equal(good.closed, null);
		assert.ok(slowest < 1000, `the slowest call of another client took ${slowest} ms`);
		await waitFor(async () => await metric(cluster(), "ws_sockets") <= 2, 8000, "sockets that were taken over from to be closed");
		await untilMemory(cluster(), used + MIB);
	});
});

describe("what never ends", () => {
	const TIMEOUT_MS = 600;
	const cluster = sharedCluster({ before, after, afterEach }, { gatewayArgs: [`--message_timeout=${TIMEOUT_MS}ms`,
		`--body_timeout=${TIMEOUT_MS}ms`, `--head_timeout=${TIMEOUT_MS}ms`, "--keepalive_interval=200ms", "--close_timeout=300ms"] });
	const open = (t) => rawClient(t, cluster().addresses[0]);
	const MESSAGE = `{"type":1,"target":"LeaveRoom","arguments":["${"x".repeat(1000)}"]}`;

	// One byte at a time, so that the peer is never silent for long.
	const drip = (t, raw, byte) => {
		const timer = setInterval(() => raw.write(byte), 50);
		t.after(() => clearInterval(timer));
	};
	// It ends because of the timeout: not before, and not much later, however busy the machine.
	const assertEnds = async (counter, begin, until) => {
		const seen = await metric(cluster(), counter);
		const start = performance.now();
		const answer = await until(await begin());
		const took = performance.now() - start;
		assert.ok(took >= TIMEOUT_MS - 50 && took < TIMEOUT_MS + 5000, `it took ${took} ms`);
		assert.ok(await metric(cluster(), counter) > seen, counter);
		return answer;
	};
	const hubClose = async (ws) => {
		const message = await ws.message();
		assert.equal(message.type, 7);
		await ws.close();
		await ws.untilEnd();
	};

	test("somebody beside it stays, and is served", async (t) => {
		const good = await connect(t, cluster().urls[0]);
		const bad = await open(t);
		bad.write(frame(OP.TEXT, MESSAGE));
		await bad.untilEnd();
		await good.invoke("LeaveRoom", "none");
		assert.equal(good.closed, null);
	});

	test("a frame", async (t) => {
		const ws = await open(t);
		await assertEnds("message_timeout_total",
			() => ws.write(frame(OP.TEXT, MESSAGE, { declared: 2000n })), () => hubClose(ws));
	});

	test("a frame that comes byte by byte", async (t) => {
		const ws = await open(t);
		await assertEnds("message_timeout_total", () => {
			ws.write(Buffer.from([0x81, 0xfe, 0x75, 0x30, 0, 0, 0, 0])); // of 30,000 bytes, under a mask that changes none
			drip(t, ws, " ");
		}, () => hubClose(ws));
	});

	test("a message of many fragments", async (t) => {
		const ws = await open(t);
		await assertEnds("message_timeout_total", () => {
			ws.write(frame(OP.TEXT, "{", { fin: false }));
			drip(t, ws, frame(OP.CONTINUATION, " ", { fin: false }));
		}, () => hubClose(ws));
	});

	test("a hub message of whole frames, with pings between them", async (t) => {
		const ws = await open(t);
		await assertEnds("message_timeout_total", () => {
			ws.write(frame(OP.TEXT, MESSAGE));
			drip(t, ws, frame(OP.PING));
		}, async () => {
			const { code } = await ws.close();
			assert.notEqual(code, null);
			await ws.untilEnd();
		});
	});

	test("a hub message that was posted", async (t) => {
		const client = await readyPoller(t, cluster().addresses[0]);
		const message = await assertEnds("message_timeout_total",
			() => client.request("POST", MESSAGE), () => client.message());
		assert.equal(message.type, 7);
		assert.equal((await client.request("POST", "x")).status, 404);
	});

	test("a body", async (t) => {
		const client = await readyPoller(t, cluster().addresses[0]);
		const raw = socket(t, cluster());
		await assertEnds("http_timeouts_total", () => {
			raw.write(headText("POST", client.target, cluster().addresses[0], {}, 20000));
			drip(t, raw, "x");
		}, () => raw.untilEnd());
		assert.match(raw.bytes.toString(), /^HTTP\/1\.1 408 /);
		assert.match((await client.call("LeaveRoom", "none")).invocationId, /./);
	});

	test("a body in chunks", async (t) => {
		const raw = socket(t, cluster());
		await assertEnds("http_timeouts_total", () => {
			raw.write("POST /hubs/chat/negotiate HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n");
			drip(t, raw, "1\r\nx\r\n");
		}, () => raw.untilEnd());
		assert.match(raw.bytes.toString(), /^HTTP\/1\.1 408 /);
	});

	// Its time begins when it is accepted, so it is opened when the test's clock runs.
	test("a head", async (t) => {
		let raw;
		await assertEnds("http_timeouts_total", () => {
			raw = socket(t, cluster());
			raw.write("GET /hubs/chat HTTP/1.1\r\nHost: a\r\nX: ");
			drip(t, raw, "x");
		}, () => raw.untilEnd());
		assert.match(raw.bytes.toString(), /^HTTP\/1\.1 408 /);
	});

	test("two hundred heads at once keep nobody out", async (t) => {
		const good = await connect(t, cluster().urls[0]);
		const sockets = Array.from({ length: 200 }, () => socket(t, cluster()));
		for (const raw of sockets)
			raw.write("GET /hubs/chat HTTP/1.1\r\nHost: a\r\nX: ");
		await good.invoke("LeaveRoom", "none");
		assert.ok((await connect(t, cluster().urls[0])).id);
		await Promise.all(sockets.map((raw) => raw.untilEnd()));
		assert.equal(good.closed, null);
	});
});

describe("what is too large", () => {
	const cluster = sharedCluster({ before, after, afterEach },
		{ gatewayArgs: ["--message_bytes_max=1MiB", "--close_timeout=300ms"] });
	const open = (t) => rawClient(t, cluster().addresses[0]);
	const call = (invocationId) => ({ type: 1, invocationId, target: "LeaveRoom", arguments: ["none"] });

	const fragments = (n) => {
		const text = JSON.stringify(call("c")) + RECORD_SEPARATOR;
		const parts = [...text, ...Array(n - text.length).fill("")];
		return Buffer.concat(parts.map((part, i) =>
			frame(i === 0 ? OP.TEXT : OP.CONTINUATION, part, { fin: i === n - 1 })));
	};

	test("a message of 1,024 fragments is one, of 1,025 it ends with 1008", async (t) => {
		const ws = await open(t);
		ws.write(fragments(1024));
		assert.equal((await ws.completion("c")).error, undefined);
		ws.write(fragments(1024));
		assert.equal((await ws.completion("c")).error, undefined);
		ws.write(fragments(1025));
		assert.equal((await ws.close()).code, 1008);
		await ws.untilEnd();
	});

	test("an invocation id of 256 bytes is good, of 257 it ends the connection", async (t) => {
		const seen = await metric(cluster(), "invocation_id_refused_total");
		const ws = await open(t);
		const id = "\u00e9".repeat(128);
		ws.send(call(id));
		assert.equal((await ws.completion(id)).error, undefined);
		assert.equal(await metric(cluster(), "invocation_id_refused_total"), seen);
		ws.send(call(`${id}x`));
		assert.equal((await ws.message()).type, 7);
		await ws.untilEnd();
		assert.equal(await metric(cluster(), "invocation_id_refused_total"), seen + 1);
	});

	// Each claims to be much more than it is: [1, {}, null, "x", ...] with a wrong count somewhere.
	const claims = {
		"a message of 2 GiB": [0xff, 0xff, 0xff, 0xff, 0x07, 0x96, 0x01],
		"a message past all lengths": [0xff, 0xff, 0xff, 0xff, 0xff, 0x01],
		"an array of four billion": [0x05, 0xdd, 0xff, 0xff, 0xff, 0xff],
		"a map of four billion": [0x07, 0x96, 0x01, 0xdf, 0xff, 0xff, 0xff, 0xff],
		"a text of 4 GiB": [0x09, 0x96, 0x01, 0x80, 0xc0, 0xdb, 0xff, 0xff, 0xff, 0xff],
		"bytes of 4 GiB": [0x0c, 0x96, 0x01, 0x80, 0xc0, 0xa1, 0x78, 0x91, 0xc6, 0xff, 0xff, 0xff, 0xff],
		"an argument with an array of four billion": [0x0c, 0x96, 0x01, 0x80, 0xc0, 0xa1, 0x78, 0x91, 0xdd, 0xff, 0xff, 0xff, 0xff],
		"an extension of 4 GiB": [0x0d, 0x96, 0x01, 0x80, 0xc0, 0xa1, 0x78, 0x91, 0xc9, 0xff, 0xff, 0xff, 0xff, 0x01],
	};
	for (const [name, bytes] of Object.entries(claims))
		test(`MessagePack: ${name} ends the connection, and no memory is taken for it`, async (t) => {
			const peak = peakBytes(cluster());
			const ws = await rawHub(t, cluster().addresses[0]);
			assert.deepEqual(await ws.handshake({ protocol: "messagepack", version: 1 }), {});
			ws.write(frame(OP.BINARY, Buffer.from(bytes)));
			await ws.close();
			await ws.untilEnd();
			assert.ok(peakBytes(cluster()) - peak < 32 * MIB);
		});

	test("MessagePack: who declares the longest message is not given its memory before it comes", async (t) => {
		const peak = peakBytes(cluster());
		const sockets = await Promise.all(Array.from({ length: 100 }, () => rawHub(t, cluster().addresses[0])));
		for (const ws of sockets) {
			assert.deepEqual(await ws.handshake({ protocol: "messagepack", version: 1 }), {});
			ws.write(frame(OP.BINARY, Buffer.from([0xf0, 0xff, 0x3f, 0x96, 0x01])));
			ws.write(frame(OP.PING));
		}
		for (const ws of sockets)
			assert.equal((await ws.frame()).opcode, OP.PONG);
		assert.ok(peakBytes(cluster()) - peak < 32 * MIB);
	});

	for (const [name, headers] of [["2,000 header fields", "X: a\r\n".repeat(2000)], ["a header of 64 KiB", `X: ${"x".repeat(65536)}\r\n`]])
		test(`${name}: 431, and the connection is over`, async (t) => {
			const seen = await metric(cluster(), "http_malformed_total");
			const good = await open(t);
			const raw = socket(t, cluster());
			raw.write(`GET /hubs/chat HTTP/1.1\r\nHost: a\r\n${headers}\r\n`);
			assert.equal((await raw.response()).status, 431);
			await raw.untilEnd();
			assert.equal(await metric(cluster(), "http_malformed_total"), seen + 1);
			assert.equal((await good.call("LeaveRoom", "none")).error, undefined);
		});
});
