// SPDX-License-Identifier: Apache-2.0
// Requests as attackers and broken clients write them (data/http_vectors.txt), raw to a real
// gateway: each in one piece and in many, with another request behind it that must be neither
// hidden nor swallowed.
"use strict";

const { describe, test, before, after, afterEach } = require("node:test");
const assert = require("node:assert/strict");
const fs = require("node:fs");
const path = require("node:path");
const { sharedCluster } = require("../kit/cluster.js");
const { RawSocket } = require("../kit/raw.js");
const { waitFor } = require("../kit/wait.js");

const FILE = path.join(__dirname, "data/http_vectors.txt");
// Asks for the end, and is answered as nothing in the file is.
const NEXT = Buffer.from("DELETE /hubs/chat HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
const NEXT_BODY = "Connection ID required";
// Longer requests do not become thousands of packets.
const PIECES_MAX = 400;

function unescape(text, names) {
	const parts = [];
	const simple = { r: "\r", n: "\n", t: "\t", 0: "\0", "\\": "\\" };
	const pattern = /\\x([0-9a-f]{2})|\\\{(\d+)\*([^}]*)\}|\\([rnt0\\])|\$\{([A-Z]+)\}|([^\\])/gy;
	let end = 0;
	for (const match of text.matchAll(pattern)) {
		const [, hex, times, repeated, letter, name, plain] = match;
		assert.equal(match.index, end, `what is this: ${text.slice(end, end + 20)}`);
		end += match[0].length;
		if (name && !(name in names))
			throw new Error(`no such name: ${name}`);
		parts.push(hex ? Buffer.from(hex, "hex")
			: times ? Buffer.concat(Array(Number(times)).fill(unescape(repeated, names)))
				: name ? names[name]
					: Buffer.from(letter ? simple[letter] : plain, "latin1"));
	}
	assert.equal(end, text.length, `what is this: ${text.slice(end)}`);
	return Buffer.concat(parts);
}

function readVectors(text) {
	const names = {};
	const sections = [];
	for (const line of text.split("\n")) {
		const section = /^# ---- (.*)$/.exec(line);
		const named = /^([A-Z]+) = (.*)$/.exec(line);
		const vector = /^([^|#]+) \| ([^|]+) \| (.*)$/.exec(line);
		if (section)
			sections.push({ title: section[1], vectors: [] });
		else if (named)
			names[named[1]] = unescape(named[2], names);
		else if (vector)
			sections.at(-1).vectors.push({
				answers: vector[1].split(" ").filter((word) => word !== "alone"),
				isAlone: vector[1].endsWith(" alone"),
				name: vector[2],
				bytes: unescape(vector[3], names),
			});
		else
			assert.match(line, /^(#|$)/, "neither a comment nor a vector");
	}
	return sections;
}

// All responses in `bytes`, as "status" or "NEXT"; nothing else may be there.
function readAnswers(bytes, isHead) {
	const answers = [];
	while (bytes.length > 0) {
		const end = bytes.indexOf("\r\n\r\n");
		assert.ok(end >= 0, `not a response: ${bytes.toString("latin1")}`);
		const [statusLine, ...fields] = bytes.subarray(0, end).toString("latin1").split("\r\n");
		assert.match(statusLine, /^HTTP\/1\.1 \d{3} /);
		for (const field of fields)
			assert.match(field, /^[A-Za-z-]+: [^\r\n\0]*$/);
		assert.ok(!/^injected/im.test(fields.join("\n")), "a field of the client's making");
		const status = statusLine.slice(9, 12);
		const length = fields.map((field) => /^Content-Length: (\d+)$/.exec(field)).find(Boolean);
		const bodyLength = length && !(isHead && answers.length === 0) ? Number(length[1]) : 0;
		const body = bytes.subarray(end + 4, end + 4 + bodyLength);
		assert.equal(body.length, bodyLength, "a body cut short");
		answers.push(body.toString() === NEXT_BODY ? "NEXT" : status);
		bytes = bytes.subarray(end + 4 + bodyLength);
	}
	return answers;
}

function* pieces(bytes) {
	const size = Math.ceil(bytes.length / PIECES_MAX);
	for (let at = 0; at < bytes.length; at += size)
		yield bytes.subarray(at, at + size);
}

const sections = readVectors(fs.readFileSync(FILE, "latin1"));

describe("HTTP vectors", () => {
	const cluster = sharedCluster({ before, after, afterEach },
		{ gatewayArgs: ["--head_timeout=4s", "--body_timeout=4s", "--idle_timeout=4s", "--post_bytes_max=16KiB", "--message_bytes_max=16KiB"] });

	const answersTo = async ({ bytes, isAlone }, write) => {
		const raw = new RawSocket(cluster().addresses[0]);
		await write(raw, isAlone ? bytes : Buffer.concat([bytes, NEXT]));
		await raw.untilEnd("the end of the connection");
		raw.destroy();
		return readAnswers(raw.bytes, bytes.toString("latin1").startsWith("HEAD "));
	};

	test("there are enough of them, with names of their own", () => {
		const vectors = sections.flatMap((section) => section.vectors);
		assert.ok(vectors.length >= 250, `${vectors.length}`);
		assert.equal(new Set(sections.flatMap(({ title, vectors }) => vectors.map(({ name }) => `${title}: ${name}`))).size,
			vectors.length);
		assert.ok(vectors.filter((vector) => vector.answers[0] >= "400" && !vector.answers.includes("NEXT")).length >= 150);
	});

	for (const { title, vectors } of sections)
		describe(title, { concurrency: 8 }, () => {
			for (const vector of vectors)
				test(`${vector.name}: ${vector.answers.join(", ")}`, async () => {
					assert.deepEqual(await answersTo(vector, (raw, bytes) => raw.write(bytes)), vector.answers, "in one piece");
					assert.deepEqual(await answersTo(vector, (raw, bytes) => raw.writeInPieces(pieces(bytes))),
						vector.answers, "in pieces");
				});
		});

	test("a body that waits for leave gets it, and only then comes", async () => {
		const raw = new RawSocket(cluster().addresses[0]);
		raw.write("POST /hubs/chat/negotiate HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\n");
		assert.equal((await raw.head()).status, 100);
		raw.write(Buffer.concat([Buffer.from("body"), NEXT]));
		await raw.untilEnd();
		assert.deepEqual(readAnswers(raw.bytes, false), ["200", "NEXT"]);
	});

	test("the gateway has lived through it, and has counted", async () => {
		const metrics = await cluster().metrics("g1");
		const refused = sections.flatMap((section) => section.vectors)
			.filter((vector) => vector.answers.at(-1) !== "NEXT" && !["404", "408"].includes(vector.answers.at(-1)));
		assert.ok(metrics.get("gateway_http_malformed_total") >= 2 * refused.length);
		await waitFor(async () => (await cluster().metrics("g1")).get("gateway_http_open") === 0, 5000, "all sockets closed");
		assert.equal(cluster().program("g1").exit, null);
	});
});
