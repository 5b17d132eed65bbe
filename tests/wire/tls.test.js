// SPDX-License-Identifier: Apache-2.0
// Clients over https and wss, who check the certificate; one that is renewed while they are
// connected; and everybody who is at the wrong port or too old.
"use strict";

const { describe, test, before, after, afterEach } = require("node:test");
const assert = require("node:assert/strict");
const { spawn } = require("node:child_process");
const fs = require("node:fs");
const path = require("node:path");
const tls = require("node:tls");
const { Certificate } = require("../kit/certificate.js");
const { sharedCluster, withCluster } = require("../kit/cluster.js");
const { connect } = require("../kit/clients.js");
const { freshRoom, rawClient, sayMany, assertComplete } = require("../kit/chat.js");
const { RawSocket, frame, OP, RECORD_SEPARATOR } = require("../kit/raw.js");
const { waitFor, within } = require("../kit/wait.js");

const MiB = 1 << 20;
// What a message of SendToConnection has around its text.
const AROUND_BYTES_MAX = 256;
const EVERYTHING = ["relay.join", "relay.send", "relay.user", "relay.connection", "relay.all"];

// The name in the certificate that a new connection is shown.
function shownName(address) {
	const at = address.lastIndexOf(":");
	return within(new Promise((resolve, reject) => {
		const socket = tls.connect({ host: address.slice(0, at), port: Number(address.slice(at + 1)) }, () => {
			resolve(socket.getPeerCertificate().subject.CN);
			socket.destroy();
		});
		socket.on("error", reject);
	}), 5000, "a handshake");
}

function shake(address, options) {
	const at = address.lastIndexOf(":");
	return within(new Promise((resolve, reject) => {
		const socket = tls.connect({ host: address.slice(0, at), port: Number(address.slice(at + 1)), ...options }, () => {
			resolve({ protocol: socket.getProtocol(), alpn: socket.alpnProtocol, cipher: socket.getCipher().name });
			socket.destroy();
		});
		socket.on("error", reject);
	}), 5000, "a handshake");
}

// Two workers: each has the certificate, and each has to be told of a new one.
describe("clients over TLS", () => {
	const certificate = new Certificate("first");
	const cluster = sharedCluster({ before, after, afterEach }, {
		gateways: 2, routers: 2, workers: 2,
		gatewayArgs: [...certificate.options, "--message_bytes_max=1MiB", "--queue_bytes_max=8MiB"],
	});
	after(() => certificate.remove());
	const url = (i) => cluster().urls[i % 2];
	const metric = async (name) => {
		let sum = 0;
		for (const admin of ["g1", "g2"].flatMap((gateway) => cluster().program(gateway).admins))
			for (const line of (await (await fetch(`http://${admin}/metrics`)).text()).split("\n"))
				sum += line.startsWith(`${name} `) ? Number(line.split(" ")[1]) : 0;
		return sum;
	};

	test("members on two gateways get each message once and in order", async (t) => {
		const room = freshRoom();
		const members = await Promise.all(Array.from({ length: 8 }, (_, i) => connect(t, url(i))));
		await Promise.all(members.map((member) => member.invoke("JoinRoom", room)));
		const senders = members.slice(0, 3);
		await Promise.all(senders.map((sender) => sayMany(sender, room, 200)));
		for (const member of members) {
			await member.until((m) => m.texts(room).length >= 600, "all messages");
			assertComplete(member, room, senders, 200);
		}
		assert.ok(await metric("gateway_http_tls_handshakes_total") >= 8);
	});

	test("a client that does not negotiate connects too", async (t) => {
		const client = await connect(t, url(0), { http: { skipNegotiation: true } });
		await client.invoke("JoinRoom", freshRoom());
	});

	test("a message of 1 MiB goes both ways", async (t) => {
		const members = await Promise.all([0, 1].map((i) =>
			connect(t, url(i), { hub: "relay", roles: EVERYTHING, events: ["big"] })));
		const text = Array.from({ length: MiB - AROUND_BYTES_MAX }, (_, i) => String.fromCharCode(97 + (i * 7 + (i >> 8)) % 26)).join("");
		await members[0].invoke("SendToConnection", members[1].id, "big", text);
		await members[1].invoke("SendToConnection", members[0].id, "big", text);
		for (const member of members) {
			await member.until((m) => m.of("big").length === 1, "the big message");
			assert.ok(member.of("big")[0] === text, "it came as it was sent");
		}
	});

	test("a message in a thousand fragments, one record each, is one message", async (t) => {
		const ws = await rawClient(t, url(0));
		const bytes = Buffer.from(JSON.stringify({ type: 1, invocationId: "f", target: "LeaveRoom", arguments: ["x".repeat(950)] }) + RECORD_SEPARATOR);
		const pieces = [...bytes].map((byte, i) =>
			frame(i === 0 ? OP.TEXT : OP.CONTINUATION, Buffer.from([byte]), { fin: i === bytes.length - 1 }));
		await ws.writeInPieces(pieces);
		assert.equal((await ws.completion("f")).error, undefined);
	});

	test("many messages in one record are all answered", async (t) => {
		const ws = await rawClient(t, url(0));
		const calls = Array.from({ length: 500 }, (_, i) =>
			frame(OP.TEXT, JSON.stringify({ type: 1, invocationId: String(i), target: "LeaveRoom", arguments: ["none"] }) + RECORD_SEPARATOR));
		ws.write(Buffer.concat(calls));
		for (let i = 0; i < calls.length; i++)
			assert.equal((await ws.completion(String(i))).error, undefined);
	});

	test("what is spoken is TLS 1.3 and 1.2, and HTTP/1.1", async () => {
		const address = cluster().addresses[0];
		const now = await shake(address, { ALPNProtocols: ["h2", "http/1.1"] });
		assert.deepEqual([now.protocol, now.alpn], ["TLSv1.3", "http/1.1"]);
		const old = await shake(address, { maxVersion: "TLSv1.2" });
		assert.equal(old.protocol, "TLSv1.2");
		assert.match(old.cipher, /^ECDHE-.*(GCM|CHACHA20)/);
	});

	for (const [what, options] of Object.entries({
		"TLS 1.1": { minVersion: "TLSv1.1", maxVersion: "TLSv1.1", ciphers: "DEFAULT:@SECLEVEL=0" },
		"a cipher without forward secrecy": { maxVersion: "TLSv1.2", ciphers: "AES256-GCM-SHA384" },
		"HTTP/2 alone": { ALPNProtocols: ["h2"] },
	}))
		test(`${what} is refused and counted`, async () => {
			const failed = await metric("gateway_http_tls_failed_total");
			await assert.rejects(shake(cluster().addresses[0], options), /alert|no application protocol/i);
			await waitFor(async () => await metric("gateway_http_tls_failed_total") === failed + 1, 5000, "the count");
		});

	test("a plain request at the TLS port is hung up on", async () => {
		const raw = new RawSocket(cluster().addresses[0]);
		raw.write("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
		await raw.untilEnd();
		assert.equal(raw.bytes.length, 0);
		await waitFor(() => cluster().logs().includes('reason="http request"'), 5000, "the log line");
	});

	test("a TLS client at a plain port is answered 400", async () => {
		const raw = new RawSocket(cluster().program("g1").admins[0]);
		raw.write(Buffer.from("160301020001000001fc0303", "hex"));
		assert.equal((await raw.response()).status, 400);
		await raw.untilEnd();
	});

	test("a certificate is renewed under traffic, and nobody notices", { timeout: 60000 }, async (t) => {
		const room = freshRoom();
		const members = await Promise.all(Array.from({ length: 4 }, (_, i) => connect(t, url(i))));
		const ws = await rawClient(t, url(0));
		await Promise.all(members.map((member) => member.invoke("JoinRoom", room)));
		// A stranger in small fragments, all the while.
		let isOver = false;
		let stressed = 0;
		const stress = (async () => {
			while (!isOver || stressed < 50) {
				const id = String(++stressed);
				const bytes = Buffer.from(JSON.stringify({ type: 1, invocationId: id, target: "LeaveRoom", arguments: ["none"] }) + RECORD_SEPARATOR);
				for (let at = 0; at < bytes.length; at += 3)
					ws.write(frame(at === 0 ? OP.TEXT : OP.CONTINUATION, bytes.subarray(at, at + 3), { fin: at + 3 >= bytes.length }));
				assert.equal((await ws.completion(id)).error, undefined);
			}
		})();
		const senders = members.slice(0, 2);
		for (const name of ["second", "third"]) {
			certificate.renew(name);
			for (const gateway of ["g1", "g2"])
				process.kill(cluster().program(gateway).pid, "SIGHUP");
			const saying = Promise.all(senders.map((sender) => sayMany(sender, room, 100)));
			// Any of the workers may be asked, so several times.
			for (const address of cluster().addresses)
				await waitFor(async () => {
					const names = await Promise.all(Array.from({ length: 8 }, () => shownName(address)));
					return names.every((shown) => shown === name);
				}, 10000, `everybody to show ${name}`);
			await saying;
		}
		isOver = true;
		await stress;
		await Promise.all(members.map((member) => member.until((m) => m.texts(room).length >= 400, "all messages")));
		for (const member of members)
			assert.deepEqual(member.states, []);
		const late = await connect(t, url(0));
		await late.invoke("JoinRoom", room);
	});

	test("a certificate that will not do changes nothing", async (t) => {
		const before = await shownName(cluster().addresses[0]);
		fs.chmodSync(certificate.key, 0o644);
		process.kill(cluster().program("g1").pid, "SIGHUP");
		await waitFor(() => /event=tls\.reload_failed.*chmod 600/.test(cluster().program("g1").tail()), 5000, "the log line");
		fs.chmodSync(certificate.key, 0o600);
		fs.writeFileSync(certificate.cert, "nonsense");
		process.kill(cluster().program("g1").pid, "SIGHUP");
		await waitFor(() => /event=tls\.reload_failed.*cert\.pem/.test(cluster().program("g1").tail()), 5000, "the log line");
		assert.equal(await shownName(cluster().addresses[0]), before);
		assert.ok(await metric("gateway_tls_reload_failed_total") >= 2);
		const client = await connect(t, url(0));
		await client.invoke("JoinRoom", freshRoom());
		certificate.renew("mended");
		process.kill(cluster().program("g1").pid, "SIGHUP");
		await waitFor(async () => await shownName(cluster().addresses[0]) === "mended", 5000, "the mended one");
	});

	// Else none of the above would say anything about certificates.
	test("the clients of these tests look at names", async () => {
		const [host, port] = cluster().addresses[0].split(":");
		await assert.rejects(within(new Promise((resolve, reject) => {
			const socket = tls.connect({ host, port: Number(port), servername: "elsewhere.example" }, resolve);
			socket.on("error", reject);
		}), 5000, "a refusal"), { code: "ERR_TLS_CERT_ALTNAME_INVALID" });
	});
});

test("a certificate's end is told, and warned of", async () => {
	const certificate = new Certificate("long", 30);
	await withCluster({ gatewayArgs: certificate.options }, async (cluster) => {
		const endDays = async () => ((await cluster.metrics("g1")).get("gateway_tls_not_after_seconds") - Date.now() / 1000) / 86400;
		assert.ok(Math.abs(await endDays() - 30) < 0.1);
		assert.ok(!cluster.logs().includes("tls.ends_soon"));
		certificate.renew("short", 3);
		process.kill(cluster.program("g1").pid, "SIGHUP");
		await waitFor(() => /event=tls\.ends_soon .*days=[23]\b/.test(cluster.logs()), 5000, "the warning");
		assert.match(cluster.logs(), /event=tls\.reloaded .*days=[23]\b/);
		assert.ok(Math.abs(await endDays() - 3) < 0.1);
	}).finally(() => certificate.remove());
});

describe("start-up with a certificate that will not do", () => {
	const certificate = new Certificate();
	after(() => certificate.remove());
	const start = (...args) => new Promise((resolve) => {
		const folder = path.resolve(__dirname, "../..", process.env.HELIOGRAPH_BUILD || "build/release");
		const key = path.join(certificate.folder, "link.key");
		fs.writeFileSync(key, "0".repeat(64), { mode: 0o600 });
		const child = spawn(path.join(folder, "heliograph-gateway"), ["--listen=127.0.0.1:0",
			"--routers=r1=ipc:///nowhere", `--link_key_file=${key}`, ...args], { stdio: ["ignore", "ignore", "pipe"] });
		let text = "";
		child.stderr.on("data", (data) => (text += data));
		child.on("close", (code) => resolve({ code, text }));
	});

	for (const [what, args, expected] of [
		["no key", () => [`--tls_cert=${certificate.cert}`], /tls_key: needed with tls_cert/],
		["no certificate", () => [`--tls_key=${certificate.key}`], /tls_cert: needed with tls_key/],
		["a key that is not there", () => [`--tls_cert=${certificate.cert}`, "--tls_key=/nowhere.pem"], /tls_key: \/nowhere.pem: No such file/],
		["a certificate that is none", () => [`--tls_cert=${certificate.key}`, `--tls_key=${certificate.key}`], /key\.pem: /],
		["a key open to others", () => (fs.chmodSync(certificate.key, 0o640), certificate.options), /key\.pem: others may read it/],
	])
		test(`${what}: exit 1, and it says why`, async () => {
			const { code, text } = await within(start(...args()), 10000, "the exit");
			assert.equal(code, 1);
			assert.match(text, expected);
		});
});
