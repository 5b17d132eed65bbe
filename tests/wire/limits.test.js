// SPDX-License-Identifier: Apache-2.0
// How often and how fast one client, one user and one address may do things, and what
// happens past it. Options are small here; their defaults are generous.
"use strict";

const { describe, test, before, after, afterEach } = require("node:test");
const assert = require("node:assert/strict");
const fs = require("node:fs");
const os = require("node:os");
const path = require("node:path");
const { sharedCluster, withCluster } = require("../kit/cluster.js");
const { connect, mintToken, signalR } = require("../kit/clients.js");
const { RawSocket, RawWebSocket, headText, httpRequest } = require("../kit/raw.js");
const { poller } = require("../kit/poll.js");
const { waitFor } = require("../kit/wait.js");

async function metric(cluster, name) {
	return (await cluster.metrics("g1")).get(`gateway_${name}`);
}

const limited = (cluster, reason) => metric(cluster, `rate_limited_total{reason="${reason}"}`);

// From an address of its own: the test's proxy is trusted.
const from = (address) => ({ "X-Forwarded-For": address });

function negotiate(cluster, headers, query = "") {
	return httpRequest(cluster.addresses[0], "POST", `/hubs/chat/negotiate?negotiateVersion=1${query}`, { headers });
}

async function open(t, cluster, headers = {}, target = "/hubs/chat") {
	const ws = await RawWebSocket.open(cluster.addresses[0], target, headers);
	t.after(() => ws.destroy());
	return ws;
}

// A request whose body is held, since its last byte does not come.
async function halfPost(t, cluster, bytes) {
	const raw = new RawSocket(cluster.addresses[0]);
	t.after(() => raw.destroy());
	raw.write(headText("POST", "/hubs/chat/negotiate", cluster.addresses[0], {}, bytes));
	await raw.writeInPieces([Buffer.alloc(bytes - 1)]);
}

function assertRefused({ status, headers }) {
	assert.equal(status, 429);
	assert.ok(Number(headers["retry-after"]) >= 1, `Retry-After: ${headers["retry-after"]}`);
}

describe("who asks too often", () => {
	const cluster = sharedCluster({ before, after, afterEach }, { gatewayArgs: ["--trusted_proxies=127.0.0.1",
		"--address_negotiates_per_minute_max=3", "--address_auth_failed_per_minute_max=2",
		"--address_ids_unknown_per_minute_max=2", "--address_connections_max=2",
		"--user_negotiates_per_minute_max=2", "--user_connections_max=2"] });
	const bearer = async (userId) => ({ Authorization: `Bearer ${await mintToken(cluster().urls[0], { userId })}` });

	test("negotiations of one address", async () => {
		for (let i = 0; i < 3; i++)
			assert.equal((await negotiate(cluster(), from("203.0.113.1"))).status, 200);
		assertRefused(await negotiate(cluster(), from("203.0.113.1")));
		assert.equal(await limited(cluster(), "address_negotiates"), 1);
		assert.equal((await negotiate(cluster(), from("203.0.113.2"))).status, 200);
		assert.match(cluster().logs(), /event=edge\.rate_limited .*reason=address_negotiates remote=203\.0\.113\.1/);
	});

	test("a /64 of IPv6 is one address", async () => {
		for (let i = 1; i <= 3; i++)
			assert.equal((await negotiate(cluster(), from(`2001:db8::${i}`))).status, 200);
		assertRefused(await negotiate(cluster(), from("2001:db8::ffff:4")));
		assert.equal((await negotiate(cluster(), from("2001:db8:0:1::1"))).status, 200);
	});

	test("negotiations of one user, whatever the address", async () => {
		const ann = await bearer("ann");
		assert.equal((await negotiate(cluster(), { ...ann, ...from("203.0.113.10") })).status, 200);
		assert.equal((await negotiate(cluster(), { ...ann, ...from("203.0.113.11") })).status, 200);
		assertRefused(await negotiate(cluster(), { ...ann, ...from("203.0.113.12") }));
		assert.equal(await limited(cluster(), "user_negotiates"), 1);
		assert.equal((await negotiate(cluster(), { ...await bearer("bob"), ...from("203.0.113.12") })).status, 200);
	});

	test("bad tokens of one address, and then good ones too", async () => {
		const bad = { Authorization: "Bearer bad", ...from("203.0.113.20") };
		for (let i = 0; i < 2; i++)
			assert.equal((await negotiate(cluster(), bad)).status, 401);
		assertRefused(await negotiate(cluster(), bad));
		assertRefused(await negotiate(cluster(), { ...await bearer("eve"), ...from("203.0.113.20") }));
		assert.equal(await limited(cluster(), "address_auth_failed"), 2);
		assert.equal((await negotiate(cluster(), from("203.0.113.20"))).status, 200);
		assert.equal((await negotiate(cluster(), { ...await bearer("eve"), ...from("203.0.113.21") })).status, 200);
	});

	test("unknown ids of one address", async () => {
		const guess = (address) => httpRequest(cluster().addresses[0], "GET", "/hubs/chat?id=guess", { headers: from(address) });
		for (let i = 0; i < 2; i++)
			assert.equal((await guess("203.0.113.30")).status, 404);
		assertRefused(await guess("203.0.113.30"));
		assert.equal(await limited(cluster(), "address_ids_unknown"), 1);
		assert.equal((await guess("203.0.113.31")).status, 404);
	});

	test("connections of one address at once, and one more when one has gone", async (t) => {
		const headers = from("203.0.113.40");
		const first = await open(t, cluster(), headers);
		assert.equal(first.opened.status, 101);
		assert.equal((await open(t, cluster(), headers)).opened.status, 101);
		assertRefused((await open(t, cluster(), headers)).opened);
		assert.equal(await limited(cluster(), "address_connections"), 1);
		assert.equal((await open(t, cluster(), from("203.0.113.41"))).opened.status, 101);
		first.destroy();
		await waitFor(async () => (await open(t, cluster(), headers)).opened.status === 101, 5000, "room for one more");
	});

	test("connections of one user at once, by any transport", async (t) => {
		const headers = await bearer("grace");
		assert.equal((await open(t, cluster(), { ...headers, ...from("203.0.113.50") })).opened.status, 101);
		const polling = await poller(t, cluster().addresses[0], { headers: { ...headers, ...from("203.0.113.51") } });
		assert.equal((await polling.poll()).status, 200);
		assertRefused((await open(t, cluster(), { ...headers, ...from("203.0.113.52") })).opened);
		assert.equal(await limited(cluster(), "user_connections"), 1);
		assert.equal((await polling.request("DELETE")).status, 202);
		await waitFor(async () => (await open(t, cluster(), { ...headers, ...from("203.0.113.53") })).opened.status === 101,
			5000, "room for one more");
	});
});

test("memory near its budget refuses newcomers, then closes whom the most waits for", async (t) => {
	const gatewayArgs = ["--memory_max=24MiB", "--queue_bytes_max=256MiB", "--send_timeout=60s", "--bytes_per_second_max=0"];
	await withCluster({ gatewayArgs }, async (cluster) => {
		const sender = await connect(t, cluster.urls[0]);
		const readers = [await open(t, cluster), await open(t, cluster)];
		for (const reader of readers) {
			await reader.handshake();
			await reader.call("JoinRoom", "fat");
			reader.socket.pause();
		}
		await sender.invoke("JoinRoom", "other");
		await sender.invoke("JoinRoom", "fat");
		const statuses = new Set();
		const closed = () => metric(cluster, 'close_total{reason="memory"}');
		for (let i = 0; i < 4000 && await closed() === 0; i++) {
			await Promise.all(Array.from({ length: 8 }, () => sender.invoke("SendMessage", "fat", "x".repeat(4000))));
			if (i % 8 === 0)
				statuses.add((await negotiate(cluster, {})).status);
		}
		assert.ok(await closed() > 0, "somebody was closed");
		assert.ok(statuses.has(200));
		await waitFor(async () => (await negotiate(cluster, {})).status === 200, 10000, "newcomers to be let in again");
		await sender.invoke("JoinRoom", "other");
		assert.equal(sender.closed, null);
		assert.ok(await metric(cluster, "memory_used_bytes") < await metric(cluster, "memory_max_bytes"));
		assert.match(cluster.logs(), /event=memory\.critical/);
		assert.match(cluster.logs(), /event=memory\.fine/);
	});
});

test("short memory refuses newcomers alone, and only while it is short", async (t) => {
	const file = path.join(fs.mkdtempSync(path.join(os.tmpdir(), "heliograph-test-")), "gateway.conf");
	t.after(() => fs.rmSync(path.dirname(file), { recursive: true }));
	fs.writeFileSync(file, "memory_max = 1GiB\n");
	const gatewayArgs = [`--conf=${file}`, "--post_bytes_max=2MiB", "--body_timeout=1m"];
	await withCluster({ gatewayArgs }, async (cluster) => {
		const budget = async (bytes) => {
			fs.writeFileSync(file, `memory_max = ${bytes}B\n`);
			process.kill(cluster.program("g1").pid, "SIGHUP");
			await waitFor(async () => await metric(cluster, "memory_max_bytes") === bytes, 5000, `a budget of ${bytes}`);
		};
		const member = await connect(t, cluster.urls[0]);
		assert.equal((await negotiate(cluster, {})).status, 200);
		for (let i = 0; i < 16; i++)
			await halfPost(t, cluster, 2 ** 21);
		await waitFor(async () => await metric(cluster, "memory_used_bytes") > 2 ** 24, 5000, "memory in use");
		await budget(Math.round(await metric(cluster, "memory_used_bytes") / 0.9));
		const refused = await negotiate(cluster, {});
		assert.equal(refused.status, 503);
		assert.equal(refused.headers["retry-after"], "5");
		assert.equal((await open(t, cluster)).opened.status, 503);
		assert.equal(await metric(cluster, "memory_refused_total"), 2);
		assert.equal(await metric(cluster, "connections_refused_total"), 0);
		assert.equal(await metric(cluster, 'close_total{reason="memory"}'), 0);
		await member.invoke("JoinRoom", "short");
		assert.match(cluster.logs(), /event=memory\.short/);
		await budget(2 ** 30);
		assert.equal((await negotiate(cluster, {})).status, 200);
		assert.equal((await open(t, cluster)).opened.status, 101);
	});
});

describe("who sends too fast", () => {
	const cluster = sharedCluster({ before, after, afterEach }, { gatewayArgs: ["--messages_per_second_max=20",
		"--bytes_per_second_max=64KiB"] });
	// Fewer than fit in a burst, and many more: all are handled, and the many take their time.
	const paced = async (client, n) => {
		const start = Date.now();
		await Promise.all(Array.from({ length: n }, () => client.invoke("JoinRoom", "pace")));
		return Date.now() - start;
	};

	test("is not read for a while, loses nothing, and does not slow others", async (t) => {
		const before = await metric(cluster(), "rate_paused_total");
		const fast = await connect(t, cluster().urls[0]);
		const other = await connect(t, cluster().urls[0]);
		const slowed = paced(fast, 60);
		assert.ok(await paced(other, 5) < 1500);
		const took = await slowed;
		assert.ok(took >= 1500, `60 calls at 20 a second took ${took} ms`);
		assert.ok(await metric(cluster(), "rate_paused_total") > before);
	});

	test("by long polling too", async (t) => {
		const client = await connect(t, cluster().urls[0], { http: { transport: signalR.HttpTransportType.LongPolling } });
		const took = await paced(client, 60);
		assert.ok(took >= 1500, `60 calls at 20 a second took ${took} ms`);
	});

	test("bytes count as messages do", async (t) => {
		const ws = await open(t, cluster());
		await ws.handshake();
		const start = Date.now();
		for (let i = 0; i < 10; i++)
			ws.send({ type: 1, target: "Unknown", arguments: ["x".repeat(20000)] });
		await ws.call("JoinRoom", "bytes");
		const took = Date.now() - start;
		assert.ok(took >= 1500, `200 kB at 64 KiB a second took ${took} ms`);
	});

	// Opcode 1 and 9, no payload, a mask of zeros.
	for (const [what, opcode] of [["empty frames", 0x01], ["pings", 0x89]])
		test(`${what} count with all their bytes`, async (t) => {
			const ws = await open(t, cluster());
			await ws.handshake();
			const start = Date.now();
			const frame = Buffer.from([opcode, 0x80, 0, 0, 0, 0]);
			const first = opcode === 0x01 ? [frame, ...Array(1000).fill(Buffer.from([0x00, 0x80, 0, 0, 0, 0])), Buffer.from([0x80, 0x80, 0, 0, 0, 0])]
				: Array(1002).fill(frame);
			for (let i = 0; i < 30; i++)
				ws.socket.write(Buffer.concat(first));
			await ws.call("JoinRoom", "idle");
			const took = Date.now() - start;
			assert.ok(took >= 1500, `180 kB at 64 KiB a second took ${took} ms`);
		});
});
