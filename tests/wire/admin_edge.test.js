// SPDX-License-Identifier: Apache-2.0
// Who may use the admin API and what it takes: tokens, certificates, pages of other origins,
// and what somebody who means harm sends.
"use strict";

const { describe, test, before, after, afterEach } = require("node:test");
const assert = require("node:assert/strict");
const { execFileSync } = require("node:child_process");
const crypto = require("node:crypto");
const fs = require("node:fs");
const https = require("node:https");
const os = require("node:os");
const path = require("node:path");
const { Certificate } = require("../kit/certificate.js");
const { sharedCluster, withCluster } = require("../kit/cluster.js");
const { RawSocket, httpRequest } = require("../kit/raw.js");
const { waitFor } = require("../kit/wait.js");

const JSON_TYPE = { "Content-Type": "application/json" };
const admin = (cluster) => cluster.program("p1").admins[0];

function tokenFile(t, ...tokens) {
	const folder = fs.mkdtempSync(path.join(os.tmpdir(), "heliograph-admin-"));
	const file = path.join(folder, "tokens");
	t.after(() => fs.rmSync(folder, { recursive: true }));
	fs.writeFileSync(file, tokens.join("\n"), { mode: 0o600 });
	return file;
}

// Status and the type of the problem, which has to be one.
function verdict({ status, headers, body }) {
	if (status < 400)
		return [status];
	assert.equal(headers["content-type"], "application/problem+json");
	const problem = JSON.parse(body);
	assert.equal(problem.status, status);
	return [status, problem.type.replace("urn:heliograph:problem:", "")];
}

describe("what the admin API takes", () => {
	const cluster = sharedCluster({ before, after, afterEach }, { presenceArgs: ["--admin_body_max=4KiB"] });
	const ask = async (method, target, options) => verdict(await httpRequest(admin(cluster()), method, target, options));
	const raw = (t) => {
		const socket = new RawSocket(admin(cluster()));
		t.after(() => socket.destroy());
		return socket;
	};
	// What was written, and all that came back until the end.
	const say = async (t, text) => {
		const socket = raw(t);
		socket.write(text);
		return verdict(await socket.response());
	};

	test("paths are what they are, not what they could be read as", async () => {
		for (const target of ["/api/v1/../v1/stats", "/api/v1/./stats", "//api/v1/stats", "/api/v1/stats/", "/api/v1/Stats",
			"/api/v1/%73tats", "/api%2fv1/stats", "/api/v1/stats;x", "/api/v1/", "/api", "/api/", "/api/v1/users//connections",
			"/api/v1/hubs/chat/groups/a/b", "/api/v1/..%2f..%2fetc%2fpasswd"])
			assert.equal((await ask("GET", target))[0], 404, target);
	});

	test("ids may hold any byte but NUL, and dots lead nowhere", async () => {
		for (let byte = 1; byte < 256; byte++) {
			const id = `%${byte.toString(16).padStart(2, "0")}`;
			assert.deepEqual(await ask("GET", `/api/v1/users/${id}`), [404, "not-here"], id);
		}
		assert.deepEqual(await ask("GET", "/api/v1/users/..%2f..%2fstats"), [404, "not-here"]);
		assert.deepEqual(await ask("GET", "/api/v1/users/.."), [404, "not-here"]);
		for (const id of ["%00", "%", "%4", "%zz", "a%"])
			assert.deepEqual(await ask("GET", `/api/v1/users/${id}`), [400, "bad-request"], id);
	});

	test("cursors that nobody gave out are refused", async () => {
		const made = (kind, bytes) => Buffer.concat([Buffer.from(kind), Buffer.from(bytes)]).toString("base64url");
		const lists = { users: "/api/v1/users", groups: "/api/v1/hubs/chat/groups", members: "/api/v1/hubs/chat/groups/none" };
		for (const target of Object.values(lists))
			for (const cursor of ["x", "%00", "AAAA", made("x", "y"), "..%2f", "a=b", "%F0%9F%98%80", made("u", "")])
				assert.deepEqual(await ask("GET", `${target}?cursor=${cursor}`), [400, "bad-cursor"], cursor);
		assert.deepEqual(await ask("GET", `${lists.users}?cursor=${made("u", [0, 255, 1, 10])}`), [400, "bad-cursor"]);
		assert.deepEqual(await ask("GET", `${lists.groups}?cursor=${made("g", "r1\0x")}`), [400, "bad-cursor"]);
		for (const limit of ["0", "-1", "1001", "1e3", "", "9".repeat(30), "%00"])
			assert.deepEqual(await ask("GET", `${lists.users}?limit=${limit}`), [400, "bad-request"], limit);
	});

	test("bodies are JSON, of the right kind, within their limit", async () => {
		const send = (body, headers = JSON_TYPE) => ask("POST", "/api/v1/hubs/chat/groups/none/send", { body, headers });
		assert.deepEqual(await send("{\"target\":\"x\"}"), [404, "not-here"]);
		assert.deepEqual(await send("{"), [400, "bad-body"]);
		assert.deepEqual(await send("\0"), [400, "bad-body"]);
		assert.deepEqual(await send("[".repeat(4000)), [400, "bad-body"]);
		assert.deepEqual(await send("{\"target\":\"x\",\"arguments\":" + "[".repeat(100) + "]".repeat(100) + "}"), [400, "bad-body"]);
		assert.deepEqual(await send("{\"target\":\"x\",\"__proto__\":{}}"), [422, "bad-member"]);
		assert.deepEqual(await send("{\"target\":\"x\"}", {}), [415, "media-type"]);
		assert.deepEqual(await send("{\"target\":\"x\"}", { "Content-Type": "application/x-www-form-urlencoded" }), [415, "media-type"]);
		assert.deepEqual(await send("{\"target\":\"x\"}", { "Content-Type": "text/plain;application/json" }), [415, "media-type"]);
		assert.deepEqual(await send(`{"target":"x","arguments":["${"y".repeat(5000)}"]}`), [413, "too-large"]);
		assert.deepEqual(await ask("PUT", "/api/v1/hubs/chat/groups/g/users/u", { body: "{}", headers: JSON_TYPE }), [400, "bad-request"]);
	});

	test("a body without an end in sight is refused before it comes", async (t) => {
		const head = (length) => `POST /api/v1/hubs/chat/send HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n${length}\r\n\r\n`;
		assert.deepEqual(await say(t, head("Content-Length: 99999999999")), [413, "too-large"]);
		assert.deepEqual(await say(t, head("Content-Length: 4097")), [413, "too-large"]);
		assert.deepEqual(await say(t, `${head("Transfer-Encoding: chunked")}fffff\r\n`), [413, "too-large"]);
	});

	test("what the HTTP parser refuses is a problem, too", async (t) => {
		assert.deepEqual(await say(t, "GARBAGE\r\n\r\n"), [400, "about:blank"]);
		assert.deepEqual(await say(t, "GET /api/v1/stats HTTP/1.1\r\n\r\n"), [400, "about:blank"]);
		assert.deepEqual(await say(t, "GET /api/v1/stats HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n"), [400, "about:blank"]);
		assert.deepEqual(await say(t, `GET /${"x".repeat(9000)} HTTP/1.1\r\nHost: a\r\n\r\n`), [414, "about:blank"]);
		assert.deepEqual(await say(t, `GET / HTTP/1.1\r\nHost: a\r\n${"A: b\r\n".repeat(70)}\r\n`), [431, "about:blank"]);
		assert.deepEqual(await say(t, "POST /api/v1/hubs/chat/send HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n"), [400, "about:blank"]);
	});

	test("no page of another origin, and no name that leads here, may use a listener without a token", async () => {
		const drain = (headers) => ask("POST", "/api/v1/gateways/none/drain", { headers });
		const own = admin(cluster());
		assert.deepEqual(await drain({}), [404, "not-here"]);
		assert.deepEqual(await drain({ Origin: `http://${own}` }), [404, "not-here"]);
		for (const headers of [{ Origin: "http://evil.example" }, { Origin: "null" }, { Origin: `https://${own}` },
			{ Origin: `http://${own}.evil.example` }, { "Sec-Fetch-Site": "cross-site" }, { "Sec-Fetch-Site": "same-site" },
			{ Host: "evil.example" }, { Host: "evil.example:80", Origin: "http://evil.example:80" },
			{ Host: "localhost.evil.example" }])
			assert.deepEqual(await drain(headers), [403, "foreign"], JSON.stringify(headers));
		for (const method of ["GET", "DELETE"])
			assert.deepEqual(await ask(method, "/api/v1/users/ann/connections", { headers: { Host: "evil.example" } }), [403, "foreign"]);
		const preflight = await httpRequest(own, "OPTIONS", "/api/v1/users/ann/connections",
			{ headers: { Origin: "http://evil.example", "Access-Control-Request-Method": "DELETE" } });
		assert.equal(preflight.status, 403);
		assert.ok(!Object.keys(preflight.headers).some((name) => name.startsWith("access-control-")));
	});

	test("methods: what a path allows it says", async () => {
		const allow = async (method, target) => (await httpRequest(admin(cluster()), method, target)).headers.allow;
		assert.equal(await allow("PATCH", "/api/v1/connections/c"), "GET, HEAD, DELETE");
		assert.equal(await allow("GET", "/api/v1/hubs/h/send"), "POST");
		assert.equal(await allow("POST", "/api/v1/hubs/h/groups/g/users/u"), "PUT, DELETE");
		assert.deepEqual(await ask("PATCH", "/api/v1/stats"), [405, "method"]);
	});

	test("many bad requests on one connection leave it in order", async (t) => {
		const socket = raw(t);
		for (let i = 0; i < 50; i++) {
			socket.write("DELETE /api/v1/connections/none HTTP/1.1\r\nHost: localhost\r\n\r\n");
			assert.deepEqual(verdict(await socket.response()), [404, "not-here"]);
		}
	});
});

test("two tokens let clients change from one to the other", async (t) => {
	const [old, fresh] = [0, 1].map(() => crypto.randomBytes(24).toString("hex"));
	const file = tokenFile(t, old, "");
	await withCluster({ presenceArgs: [`--admin_token_file=${file}`] }, async (cluster) => {
		const status = async (token) => (await fetch(`http://${admin(cluster)}/api/v1/stats`,
			{ headers: token ? { Authorization: `Bearer ${token}` } : {} })).status;
		const reload = async (...tokens) => {
			const before = cluster.program("p1").log.filter((line) => line.includes("event=conf.reloaded")).length;
			fs.writeFileSync(file, tokens.join("\n"));
			process.kill(cluster.program("p1").pid, "SIGHUP");
			await waitFor(() => cluster.program("p1").log.filter((line) => line.includes("event=conf.reloaded")).length > before,
				5000, "the reload");
		};
		const all = async () => Promise.all([status(), status(old), status(fresh)]);
		assert.deepEqual(await all(), [401, 200, 401]);
		await reload(old, fresh);
		await waitFor(async () => (await all()).join() === "401,200,200", 5000, "both tokens");
		await reload(fresh);
		await waitFor(async () => (await all()).join() === "401,401,200", 5000, "the new one alone");
		await reload("too short");
		await waitFor(() => cluster.program("p1").log.some((line) => line.includes("event=admin.reload_failed")), 5000, "the complaint");
		assert.deepEqual(await all(), [401, 401, 200]);
		const denied = await fetch(`http://${admin(cluster)}/api/v1/stats`);
		assert.match(denied.headers.get("www-authenticate"), /^Bearer /);
		assert.equal((await fetch(`http://${admin(cluster)}/api/openapi.json`)).status, 200);
		assert.ok(!cluster.program("p1").log.some((line) => line.includes(fresh) || line.includes(old)));
	});
});

// An authority, and a client's certificate that it made.
function authority(t, name) {
	const folder = fs.mkdtempSync(path.join(os.tmpdir(), "heliograph-ca-"));
	t.after(() => fs.rmSync(folder, { recursive: true }));
	const file = (of) => path.join(folder, of);
	const openssl = (...args) => execFileSync("openssl", args, { stdio: "pipe" });
	const key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"];
	openssl("req", "-x509", ...key, "-days", "2", "-subj", `/CN=${name}`, "-keyout", file("ca.key"), "-out", file("ca.pem"));
	openssl("req", ...key, "-subj", "/CN=deploy robot", "-keyout", file("client.key"), "-out", file("client.csr"));
	openssl("x509", "-req", "-in", file("client.csr"), "-CA", file("ca.pem"), "-CAkey", file("ca.key"), "-CAcreateserial",
		"-days", "2", "-out", file("client.pem"));
	return { ca: file("ca.pem"), cert: fs.readFileSync(file("client.pem")), key: fs.readFileSync(file("client.key")) };
}

test("a client certificate does for a token", async (t) => {
	const server = new Certificate("presence");
	t.after(() => server.remove());
	const [ours, theirs] = [authority(t, "ours"), authority(t, "theirs")];
	const token = crypto.randomBytes(24).toString("hex");
	const args = [`--admin_tls_cert=${server.cert}`, `--admin_tls_key=${server.key}`, `--admin_tls_client_ca=${ours.ca}`];
	const ask = (address, { cert, key } = {}, headers = {}, method = "GET", target = "/api/v1/processes") => new Promise((resolve, reject) => {
		const [host, port] = address.split(":");
		const request = https.request({ host, port, path: target, method, headers, cert, key, agent: false,
			ca: fs.readFileSync(server.cert) }, (response) => {
			response.resume();
			response.on("end", () => resolve(response.statusCode));
		});
		request.on("error", reject);
		request.end();
	});
	const metrics = (address, { cert, key }) => new Promise((resolve, reject) => {
		const [host, port] = address.split(":");
		https.get({ host, port, path: "/metrics", cert, key, agent: false, ca: fs.readFileSync(server.cert) }, (response) => {
			let text = "";
			response.on("data", (more) => { text += more; });
			response.on("end", () => resolve(text));
		}).on("error", reject);
	});
	// The cluster's kit asks plainly, so this presence stands alone.
	const { Program } = require("../kit/program.js");
	const link = path.join(server.folder, "link");
	fs.writeFileSync(link, crypto.randomBytes(32).toString("hex"), { mode: 0o600 });
	const start = async (more) => {
		const program = new Program("presence", "p1", ["--name=p1", "--admin_listen=127.0.0.1:0", `--link_listen=ipc://${link}.sock`,
			`--link_key_file=${link}`, ...args, ...more]);
		await program.start();
		return program;
	};
	const alone = await start([]);
	try {
		const address = alone.ready.admin;
		assert.equal(await ask(address, ours), 200);
		assert.equal(await ask(address), 403);
		assert.equal(await ask(address, {}, {}, "GET", "/healthz"), 200);
		assert.equal(await ask(address, {}, { Authorization: `Bearer ${token}` }), 403);
		await assert.rejects(ask(address, theirs));
		assert.equal(await ask(address, ours, { Origin: "https://evil.example" }, "DELETE", "/api/v1/connections/x"), 403);
		assert.equal(await ask(address, ours, { Origin: `https://${address}` }, "DELETE", "/api/v1/connections/x"), 404);
		assert.equal(await ask(address, ours, {}, "DELETE", "/api/v1/connections/x"), 404);
		await waitFor(() => alone.log.some((line) => line.includes("by=certificate") && line.includes("certificate=\"deploy robot\"")),
			5000, "the name in the log");
		server.renew("renewed");
		process.kill(alone.pid, "SIGHUP");
		await waitFor(async () => await ask(address, ours) === 200, 5000, "the new certificate");
		fs.writeFileSync(server.key, "no key");
		process.kill(alone.pid, "SIGHUP");
		await waitFor(() => alone.log.some((line) => line.includes("event=admin.reload_failed")), 5000, "the complaint");
		assert.equal(await ask(address, ours), 200);
		assert.match(await metrics(address, ours), /^presence_secret_reload_failed_total 1$/m);
		server.renew("mended");
	} finally {
		await alone.stop();
	}
	const both = await start([`--admin_token_file=${tokenFile(t, token)}`]);
	try {
		const address = both.ready.admin;
		assert.equal(await ask(address, ours), 200);
		assert.equal(await ask(address), 401);
		assert.equal(await ask(address, {}, { Authorization: `Bearer ${token}` }), 200);
	} finally {
		await both.stop();
	}
});
