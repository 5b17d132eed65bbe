// SPDX-License-Identifier: Apache-2.0
// A client's bytes mean the same in whatever pieces TCP brings them: whole lives, from the
// request to the close, in one packet, cut once at each place, and byte by byte.
"use strict";

const { describe, test, before, after, afterEach } = require("node:test");
const assert = require("node:assert/strict");
const { sharedCluster } = require("../kit/cluster.js");
const { waitFor } = require("../kit/wait.js");
const { frame, upgradeText, closePayload, RawWebSocket, OP, RECORD_SEPARATOR } = require("../kit/raw.js");

const JOBS = 48;
const WAIT_MS = 15000;
const PIECE_MS = 4; // between two pieces, so that the gateway reads them one by one
const KEY = "dGhlIHNhbXBsZSBub25jZQ==";

const hub = (...messages) => messages.map((message) => JSON.stringify(message) + RECORD_SEPARATOR).join("");
const HANDSHAKE = hub({ protocol: "json", version: 1 });
const PING = hub({ type: 6 });
const CLOSE = frame(OP.CLOSE, closePayload(1000));
const call = (id, target) => hub({ type: 1, invocationId: id, target, arguments: [] });

const cut = (text, ...places) => {
	const bytes = Buffer.from(text);
	return [0, ...places].map((from, i) => bytes.subarray(from, places[i] ?? bytes.length));
};

function fragmented(pieces, ...between) {
	const frames = pieces.map((piece, i) =>
		frame(i === 0 ? OP.TEXT : OP.CONTINUATION, piece, { fin: i === pieces.length - 1 }));
	return [frames[0], ...between, ...frames.slice(1)];
}

// Lives without calls: every byte of the answer is known before it comes. Where the server
// closes first, the last frame is the answer to its Close.
const EXACT = {
	"a quiet life": [
		frame(OP.TEXT, HANDSHAKE), frame(OP.TEXT, PING + PING + PING), frame(OP.PING, "one"),
		...fragmented(cut(PING, 1, 6), frame(OP.PING, "two"), frame(OP.PONG, "nobody asked")),
		frame(OP.BINARY, PING), frame(OP.TEXT, ""), frame(OP.PING, ""),
		frame(OP.CLOSE, closePayload(1000, "bye \u2600")),
	],
	"a life that ends with a hub Close": [
		frame(OP.TEXT, HANDSHAKE + PING), frame(OP.PING, "one"), frame(OP.TEXT, hub({ type: 7 })), CLOSE,
	],
	"a refused handshake": [frame(OP.PING, "one"), frame(OP.TEXT, hub({ protocol: "none", version: 1 })), CLOSE],
	"a frame without a mask": [
		frame(OP.TEXT, HANDSHAKE), frame(OP.PING, "one"), frame(OP.TEXT, PING, { mask: false }),
	],
	"text that is no UTF-8": [
		frame(OP.TEXT, HANDSHAKE), frame(OP.PING, "one"), frame(OP.TEXT, Buffer.from([0x7b, 0xe2, 0x98, 0x7d])),
	],
	"a hub message that is no JSON": [
		frame(OP.TEXT, HANDSHAKE), frame(OP.PING, "one"), frame(OP.TEXT, "{]\x1e"), CLOSE,
	],
};

// A life with calls. Their answers come from a router, so they take no fixed place among
// the Pongs; and Close must wait for them.
const CALLS = 5;
const BUSY = [
	frame(OP.TEXT, HANDSHAKE + call("1", "one")),
	frame(OP.TEXT, PING + call("2", "two") + call("3", "three")),
	frame(OP.PING, "one"),
	...fragmented(cut(call("4", "\u2600 \u{1f600}"), 40, 41, 60), frame(OP.PING, "two")),
	frame(OP.BINARY, call("5", "five")),
	frame(OP.PING, "three"),
];

// One piece, two pieces for each place from `from` on, and all in pieces of one byte.
function cuttings(bytes, from) {
	const all = [[bytes]];
	for (let at = from; at < bytes.length; at++)
		all.push([bytes.subarray(0, at), bytes.subarray(at)]);
	all.push([...bytes].map((byte) => Buffer.from([byte])));
	return all;
}

async function writePieces(raw, pieces) {
	for (const piece of pieces) {
		raw.write(piece);
		if (pieces.length > 1)
			await new Promise((resolve) => setTimeout(resolve, pieces.length > 2 ? 1 : PIECE_MS));
	}
}

async function inParallel(list, work) {
	const left = [...list.entries()];
	await Promise.all(Array.from({ length: JOBS }, async () => {
		for (let next = left.shift(); next; next = left.shift())
			await work(next[1], next[0]);
	}));
}

const describeCut = (pieces) => (pieces.length === 2 ? `cut at ${pieces[0].length}` : `${pieces.length} pieces`);

describe("the pieces a stream comes in", () => {
	const cluster = sharedCluster({ before, after, afterEach }, {});
	const request = () => Buffer.from(upgradeText(cluster().addresses[0], "/hubs/chat", KEY));

	async function answerTo(pieces) {
		const raw = new RawWebSocket(cluster().addresses[0]);
		try {
			await writePieces(raw, pieces);
			await raw.untilEnd();
			return raw.bytes.toString("latin1");
		} finally {
			raw.destroy();
		}
	}

	for (const [i, [name, frames]] of Object.entries(EXACT).entries())
		test(`do not matter to ${name}`, async () => {
			const bytes = Buffer.concat([request(), ...frames]);
			const all = cuttings(bytes, i === 0 ? 1 : request().length); // one life for the request is enough
			const expected = await answerTo(all[0]);
			assert.ok(expected.startsWith("HTTP/1.1 101 "), expected);
			assert.ok(expected.includes("\x8a\x03one"), expected);
			await inParallel(all, async (pieces) =>
				assert.equal(await answerTo(pieces), expected, describeCut(pieces)));
		});

	// Frame by frame until the calls are answered, then the close.
	async function busyLife(pieces, closePieces) {
		const raw = new RawWebSocket(cluster().addresses[0]);
		const seen = { status: 0, messages: [], control: [] };
		const next = async () => {
			const { opcode, payload } = await raw.frame();
			if (opcode === OP.TEXT)
				seen.messages.push(...payload.toString().split(RECORD_SEPARATOR).filter((record) => record !== ""));
			else
				seen.control.push(`${opcode} ${payload.toString("latin1")}`);
			return opcode;
		};
		try {
			await writePieces(raw, pieces);
			seen.status = (await raw.head()).status;
			while (seen.messages.length < 1 + CALLS)
				await next();
			await writePieces(raw, closePieces);
			while (await next() !== OP.CLOSE)
				;
			await raw.untilEnd();
			assert.equal(raw.bytes.length, 0);
			seen.messages.sort();
			return seen;
		} finally {
			raw.destroy();
		}
	}

	test("do not matter to a life with calls", async () => {
		const all = cuttings(Buffer.concat([request(), ...BUSY]), request().length);
		const closings = cuttings(CLOSE, 1);
		const expected = await busyLife(all[0], closings[0]);
		assert.equal(expected.status, 101);
		assert.equal(expected.messages.filter((message) => message.includes("Method does not exist")).length, CALLS);
		assert.deepEqual(expected.control, ["10 one", "10 two", "10 three", "8 \x03\xe8"]);
		await inParallel(all, async (pieces, i) =>
			assert.deepEqual(await busyLife(pieces, closings[i % closings.length]), expected, describeCut(pieces)));
	});

	test("leave no socket behind", async () => {
		await waitFor(async () => (await cluster().metrics("g1")).get("gateway_ws_sockets") === 0,
			WAIT_MS, "all sockets to be gone");
	});
});
