// SPDX-License-Identifier: Apache-2.0
// What comparisons with other servers stand on: the floor passes on every message, in both
// of its modes and to many at once; ratios are taken within a round.
"use strict";

const { describe, test, before, after } = require("node:test");
const assert = require("node:assert/strict");
const { spawn } = require("node:child_process");
const fs = require("node:fs");
const os = require("node:os");
const path = require("node:path");
const { idleRowsOf, judge, median, ratioOf, rowsOf, summarise } = require("../../bench/peers/figures.js");
const { BUILD, choose } = require("../../bench/peers/peers.js");
const { markdown } = require("../../bench/peers/report.js");
const { Server } = require("../../bench/peers/server.js");
const { TARGETS } = require("../../bench/peers/workloads.js");
const { RawSocket, RawWebSocket, frame, OP } = require("../kit/raw.js");

const CORES = { server: "0", client: "0" };

// A clean run of the load tool, or what it said.
async function load(server, args) {
	const file = path.join(os.tmpdir(), `bench-peers-${process.pid}.json`);
	const child = spawn(path.join(BUILD, "heliograph-bench"), [...server.load, ...args, `--json=${file}`,
		"--progress=off"], { stdio: ["ignore", "pipe", "inherit"] });
	let text = "";
	child.stdout.on("data", (more) => { text += more; });
	const code = await new Promise((resolve) => child.on("close", resolve));
	assert.equal(code, 0, text);
	const { figures } = JSON.parse(fs.readFileSync(file, "utf8"));
	fs.unlinkSync(file);
	return figures;
}

for (const name of ["floor", "floor-batched"]) {
	describe(name, () => {
		const [peer] = choose([name]).present;
		const server = new Server(peer, CORES);
		const open = async (t) => {
			const ws = await RawWebSocket.open(new URL(server.load[0].slice("--url=".length)).host, "/any/path?x=1");
			t.after(() => ws.destroy());
			assert.equal(ws.opened.status, 101);
			return ws;
		};
		before(() => server.start());
		after(() => server.stop());

		for (const args of [["--in_flight=1"], ["--in_flight=16"], ["--rate=200"], ["--in_flight=4", "--size=8000"]])
			test(`loses nothing with ${args.join(" ")}`, async () => {
				const figures = await load(server, ["--scenario=broadcast", "--connections=60", "--warm_up=100ms",
					"--duration=300ms", ...args]);
				assert.ok(figures.deliveries > 0 && figures.deliveries === figures.due_deliveries);
				assert.equal(figures.lost, 0);
				assert.ok(figures.server_cpu_us_per_delivery > 0);
			});

		test("passes on what came in pieces, and several in one", async (t) => {
			const [one, other] = [await open(t), await open(t)];
			const bytes = Buffer.concat([frame(OP.TEXT, "a"), frame(OP.TEXT, "b".repeat(300)), frame(OP.TEXT, "c")]);
			await one.writeInPieces([...bytes].map((byte) => Buffer.from([byte])));
			one.write(bytes);
			for (const ws of [one, other])
				for (const text of ["a", "b".repeat(300), "c", "a", "b".repeat(300), "c"])
					assert.equal((await ws.frame()).payload.toString(), text);
		});

		test("answers a ping to its sender alone", async (t) => {
			const [one, other] = [await open(t), await open(t)];
			one.write(Buffer.concat([frame(OP.TEXT, "a"), frame(OP.PING, "p"), frame(OP.TEXT, "b")]));
			const kinds = [];
			for (let i = 0; i < 3; i++)
				kinds.push((await one.frame()).opcode);
			assert.deepEqual(kinds, [OP.TEXT, OP.PONG, OP.TEXT]);
			for (const text of ["a", "b"])
				assert.equal((await other.frame()).payload.toString(), text);
		});

		for (const [what, bytes] of [["an unmasked frame", frame(OP.TEXT, "a", { mask: false })],
			["a fragment", frame(OP.TEXT, "a", { fin: false })], ["a Close", frame(OP.CLOSE, "")],
			["a frame of 64 KiB", frame(OP.TEXT, "a".repeat(65536))]])
			test(`ends the connection at ${what}`, async (t) => {
				const ws = await open(t);
				ws.write(bytes);
				await ws.untilEnd();
			});

		test("ends the connection at a request that opens nothing", async (t) => {
			const raw = new RawSocket(new URL(server.load[0].slice("--url=".length)).host);
			t.after(() => raw.destroy());
			raw.write("GET / HTTP/1.1\r\nHost: floor\r\n\r\n");
			await raw.untilEnd();
		});
	});
}

describe("figures", () => {
	const run = (round, name, cpu) => ({ round, row: { name, title: name, figures: { cpu_us: cpu } } });

	test("a median is the middle, or between the two in the middle", () => {
		assert.equal(median([5, 1, 3]), 3);
		assert.equal(median([4, 1, 3, 2]), 2.5);
		assert.equal(median([7]), 7);
	});

	// Medians of each would say 2; the machine was twice as slow in rounds 2 and 3.
	test("ratios are taken within rounds that both have", () => {
		const rows = summarise([run(1, "a", 3), run(1, "b", 1), run(2, "a", 6), run(2, "b", 2), run(3, "b", 2),
			run(4, "a", 5)]);
		assert.deepEqual(ratioOf(rows, "a", "b"), { median: 3, min: 3, max: 3, values: [3, 3] });
		assert.equal(ratioOf(rows, "a", "c"), null);
		assert.equal(ratioOf(summarise([run(1, "a", 1), run(2, "b", 1)]), "a", "b"), null);
	});

	test("the gateway alone and all of ours are two rows", () => {
		const rows = rowsOf({ name: "heliograph" }, { gateway_cpu_us_per_delivery: 4, server_cpu_us_per_delivery: 5,
			delivery_rate: 10, delivery_p50_us: 1500, delivery_p99_us: 2500 });
		assert.deepEqual(rows.map(({ figures }) => figures.cpu_us), [4, 5]);
		assert.deepEqual([rows[0].figures.p50_ms, rows[0].figures.p99_ms], [1.5, 2.5]);
	});

	test("idle connections of ours are held by more than the gateway", () => {
		const few = { gateway_rss_before_bytes: 5, server_rss_before_bytes: 9, gateway_rss_bytes: 100, server_rss_bytes: 300 };
		const many = { gateway_rss_bytes: 1100, server_rss_bytes: 2300, gateway_cpu_us_per_connect: 7,
			server_cpu_us_per_connect: 11, connect_rate: 50 };
		const figures = (name) => idleRowsOf({ name, title: name }, few, many, 10).map((row) => row.figures);
		const whole = { base_bytes: 9, connection_bytes: 200, connects_per_s: 50, connect_cpu_us: 11 };
		assert.deepEqual(figures("heliograph"),
			[{ base_bytes: 5, connection_bytes: 100, connects_per_s: 50, connect_cpu_us: 7 }, whole]);
		assert.deepEqual(figures("bun"), [whole]);
	});

	test("targets are met at their bound and missed past it, or not judged", () => {
		const found = (over, under, bound) => judge([{ workload: "w", over, under, ...bound }],
			[{ name: "w", rows: summarise([run(1, "a", 5), run(1, "b", 4)]) }]);
		assert.equal(found("a", "b", { max: 1.25 })[0].isMet, true);
		assert.equal(found("a", "b", { max: 1.24 })[0].isMet, false);
		assert.equal(found("a", "b", { min: 1.25 })[0].isMet, true);
		assert.equal(found("a", "b", { min: 1.26 })[0].isMet, false);
		assert.deepEqual(found("a", "c", { max: 1 }), []);
		assert.deepEqual(judge(TARGETS, []), []);
	});

	test("the report names who is absent and what failed", () => {
		const figures = { server_cpu_us_per_delivery: 4, gateway_cpu_us_per_delivery: 5, delivery_rate: 1000,
			delivery_p50_us: 1, delivery_p99_us: 2 };
		const rows = summarise(["floor", "heliograph"].flatMap((name) => rowsOf({ name, title: name }, figures))
			.map((row) => ({ round: 1, row })));
		const text = markdown({ about: { date: "d", command: "c", commit: "x", rounds: 1, versions: { floor: "1" } },
			machine: { cpu: "p", cores: 2, memory_gib: 1, kernel: "k", load: 0.6 },
			absent: [{ name: "bun", why: "no binary" }], workloads: [{ name: "w", title: "W", rows }], idle: [],
			targets: judge([{ workload: "w", over: "heliograph", under: "floor", max: 1.2 }], [{ name: "w", rows }]),
			failures: ["W, round 2, nats: lost: 3"] });
		for (const part of ["Absent: bun: no binary.", "Other work was running", "1.25 (1.25..1.25) | **missed**", "lost: 3"])
			assert.ok(text.includes(part), part);
	});

	test("a peer that nobody knows is refused", () => {
		assert.throws(() => choose(["nginx"]), /nginx: there are floor/);
	});
});
