// SPDX-License-Identifier: Apache-2.0
// Who clients are: tokens that node has signed, the official client that brings them, keys
// that change under way, and that no secret ever shows.
"use strict";

const { describe, test, before, after, afterEach } = require("node:test");
const assert = require("node:assert/strict");
const crypto = require("node:crypto");
const fs = require("node:fs");
const os = require("node:os");
const path = require("node:path");
const { spawnSync } = require("node:child_process");
const { sharedCluster, withCluster } = require("../kit/cluster.js");
const { Client } = require("../kit/clients.js");
const { freshRoom } = require("../kit/chat.js");
const { JwtKey } = require("../kit/jwt.js");
const { RawWebSocket, httpRequest } = require("../kit/raw.js");
const { waitFor } = require("../kit/wait.js");

const WAIT_MS = 8000;
const ID_URI = "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/nameidentifier";
const ROLE_URI = "http://schemas.microsoft.com/ws/2008/06/identity/claims/role";
const ALGORITHMS = ["HS256", "HS384", "HS512", "RS256", "ES256"];

const folder = fs.mkdtempSync(path.join(os.tmpdir(), "heliograph-auth-"));
process.on("exit", () => fs.rmSync(folder, { recursive: true, force: true }));

function write(name, text) {
	const file = path.join(folder, name);
	fs.writeFileSync(file, text, { mode: 0o600 });
	return file;
}

const writeSet = (name, keys) => write(name, JSON.stringify({ keys: keys.map((key) => key.jwk ?? key) }));
const bearer = (token) => ({ Authorization: `Bearer ${token}` });

async function negotiate(address, { headers, query = "" } = {}) {
	return httpRequest(address, "POST", `/hubs/relay/negotiate?negotiateVersion=1${query}`, { headers });
}

async function statusOf(address, token) {
	return (await negotiate(address, { headers: bearer(token) })).status;
}

// The official client with this token.
async function connectWith(t, url, token, options = {}) {
	const client = new Client(url, { hub: "relay", events: ["news"], ...options,
		http: { accessTokenFactory: () => token, ...options.http } });
	t.after(() => client.stop());
	await client.start();
	return client;
}

const failed = (metrics, reason) => metrics.get(`gateway_auth_failed_total{reason="${reason}"}`);

describe("tokens of a key set", () => {
	const keys = Object.fromEntries(ALGORITHMS.map((alg) => [alg, new JwtKey(alg, `key-${alg}`)]));
	const key = keys.RS256;
	const set = writeSet("all.json", [...Object.values(keys), { kty: "RSA", use: "enc", n: "AQ", e: "AQ" }]);
	const cluster = sharedCluster({ before, after, afterEach }, { gateways: 1,
		gatewayArgs: ["--auth_key_file=", "--dev=off", `--auth_jwks_file=${set}`, "--auth_leeway=0"] });
	const address = () => cluster().addresses[0];
	const presence = (userId) =>
		waitFor(async () => cluster().adminJson(`/api/v1/users/${encodeURIComponent(userId)}`), WAIT_MS, `${userId} online`);

	for (const alg of ALGORITHMS) {
		test(`${alg}: the official client connects, with negotiation and without`, async (t) => {
			const userId = freshRoom(`user-${alg}`);
			const token = keys[alg].sign({ sub: userId, name: `Name of ${userId}` });
			const client = await connectWith(t, cluster().urls[0], token);
			const direct = await connectWith(t, cluster().urls[0], token, { http: { skipNegotiation: true } });
			assert.notEqual(client.id, null);
			assert.equal(direct.id, null);
			await waitFor(async () => (await presence(userId)).connectionCount === 2, WAIT_MS, "two connections");
			assert.equal((await presence(userId)).name, `Name of ${userId}`);
		});

		test(`${alg}: one changed letter is 401`, async () => {
			const token = keys[alg].sign({ sub: "u" });
			const at = token.length - 10;
			const bad = token.slice(0, at) + (token[at] === "A" ? "B" : "A") + token.slice(at + 1);
			assert.equal(await statusOf(address(), token), 200);
			assert.equal(await statusOf(address(), bad), 401);
		});
	}

	test("the token comes in the header or in the query, and the header wins", async () => {
		const good = key.sign({ sub: "u" });
		const bad = `${good.slice(0, -4)}AAAA`;
		const query = (token) => `&access_token=${encodeURIComponent(token)}`;
		const status = async (options) => (await negotiate(address(), options)).status;
		assert.equal(await status({ query: query(good) }), 200);
		assert.equal(await status({ query: query(bad) }), 401);
		assert.equal(await status({ headers: bearer(good), query: query(bad) }), 200);
		assert.equal(await status({ headers: bearer(bad), query: query(good) }), 401);
		const ws = await RawWebSocket.open(address(), `/hubs/relay?access_token=${encodeURIComponent(bad)}`);
		ws.destroy();
		assert.equal(ws.opened.status, 401);
	});

	test("401 tells nothing but that the token is not taken", async () => {
		const expired = key.sign({ sub: "u", exp: 1 });
		for (const token of ["x", "a.b.c", expired, key.sign({}, { kid: "nobody" }), key.sign({}, { alg: "none" })]) {
			const response = await negotiate(address(), { headers: bearer(token) });
			assert.deepEqual([response.status, response.body, response.headers["www-authenticate"]],
				[401, "", 'Bearer error="invalid_token"']);
		}
	});

	test("refusals are counted by reason", async () => {
		const stranger = new JwtKey("RS256", key.kid);
		const cases = { malformed: "a.b", no_key: key.sign({}, { kid: "nobody" }), algorithm: key.sign({}, { alg: "none" }),
			signature: stranger.sign({}), expired: key.sign({ exp: 1 }), claims: key.sign({ sub: 7 }),
			header: key.sign({}, { crit: ["x"] }), not_yet: key.sign({ nbf: 4102444800 }), limit: key.sign({ roles: Array(65).fill("r") }) };
		const earlier = await cluster().metrics("g1");
		for (const token of Object.values(cases))
			assert.equal(await statusOf(address(), token), 401);
		const later = await cluster().metrics("g1");
		for (const reason of Object.keys(cases))
			assert.deepEqual([reason, failed(later, reason) - failed(earlier, reason)], [reason, 1]);
		assert.equal(failed(later, "ok"), undefined);
	});

	for (const claim of ["sub", "nameid", ID_URI]) {
		test(`the user id is ${claim}`, async (t) => {
			const userId = freshRoom("user");
			const receiver = await connectWith(t, cluster().urls[0], key.sign({ [claim]: userId }));
			const sender = await connectWith(t, cluster().urls[0], key.sign({ sub: "sender", roles: "relay.user" }));
			await presence(userId);
			await sender.invoke("SendToUser", userId, "news", 1);
			await receiver.until((c) => c.of("news").length === 1, "the news");
		});
	}

	for (const [claim, value] of [["role", "relay.join"], ["roles", ["x", "relay.join"]], [ROLE_URI, ["relay.join"]]]) {
		test(`roles are those of ${claim}`, async (t) => {
			const may = await connectWith(t, cluster().urls[0], key.sign({ sub: "u", [claim]: value }));
			const mayNot = await connectWith(t, cluster().urls[0], key.sign({ sub: "u", groups: value }));
			assert.equal(await may.invoke("JoinGroup", "g"), null);
			await assert.rejects(mayNot.invoke("JoinGroup", "g"), /Not allowed: relay\.join/);
		});
	}

	test("an expired token does not open a connection, and does not end one", async (t) => {
		const soon = Math.floor(Date.now() / 1000) + 2;
		const token = key.sign({ sub: "u", exp: soon, role: "relay.join" });
		const client = await connectWith(t, cluster().urls[0], token);
		await waitFor(async () => await statusOf(address(), token) === 401, WAIT_MS, "the token to expire");
		assert.equal(await client.invoke("JoinGroup", "g"), null);
	});

	test("dev mode's key is none without dev mode", async () => {
		const guess = new JwtKey("HS256", "heliograph-dev");
		assert.equal(await statusOf(address(), guess.sign({ sub: "u" })), 401);
	});
});

test("issuer, audience and other claims are options", async (t) => {
	const key = new JwtKey("ES256", "k");
	const args = [`--auth_jwks_file=${writeSet("strict.json", [key])}`, "--auth_issuer=https://id.example/", "--auth_audience=heliograph",
		"--auth_user_claim=email", "--auth_role_claims=groups", "--auth_name_claim=nick"];
	await withCluster({ gatewayArgs: args }, async (cluster) => {
		const [address] = cluster.addresses;
		const claims = { iss: "https://id.example/", aud: ["heliograph", "x"], email: "ada@example.com", nick: "ad", groups: ["relay.join"] };
		const client = await connectWith(t, cluster.urls[0], key.sign(claims));
		assert.equal(await client.invoke("JoinGroup", "g"), null);
		const user = await waitFor(() => cluster.adminJson(`/api/v1/users/${encodeURIComponent("ada@example.com")}`), WAIT_MS, "Ada");
		assert.equal(user.name, "ad");
		for (const wrong of [{ iss: "https://id.example" }, { aud: "x" }, { email: undefined }, { iss: undefined }, { aud: undefined }])
			assert.deepEqual([wrong, await statusOf(address, key.sign({ ...claims, ...wrong }))], [wrong, 401]);
		// Dev mode makes tokens as these options want them.
		const dev = new Client(cluster.urls[0], { hub: "relay", userId: "dev@example.com", roles: ["relay.join"] });
		t.after(() => dev.stop());
		await dev.start();
		assert.equal(await dev.invoke("JoinGroup", "g"), null);
		await client.stop();
		await dev.stop();
	});
});

for (const alg of ["RS256", "ES256", "HS512"]) {
	test(`a lone ${alg} key needs no kid`, async () => {
		const key = new JwtKey(alg);
		const args = [`--auth_key_file=${write(`lone-${alg}`, key.file)}`, `--auth_algorithm=${alg}`, "--dev=off"];
		await withCluster({ gatewayArgs: args }, async (cluster) => {
			const [address] = cluster.addresses;
			assert.equal(await statusOf(address, key.sign({ sub: "u" })), 200);
			assert.equal(await statusOf(address, key.sign({ sub: "u" }, { kid: "any" })), 200);
			assert.equal(await statusOf(address, new JwtKey(alg).sign({ sub: "u" })), 401);
		});
	});
}

test("keys change on SIGHUP, in all workers, and a bad file changes nothing", async (t) => {
	const [first, second] = [new JwtKey("RS256", "first"), new JwtKey("ES256", "second")];
	const set = writeSet("rotating.json", [first]);
	const args = ["--auth_key_file=", "--dev=off", `--auth_jwks_file=${set}`];
	await withCluster({ workers: 2, gatewayArgs: args }, async (cluster) => {
		const [address] = cluster.addresses;
		const gateway = cluster.program("g1");
		const lines = (event) => gateway.log.filter((line) => line.includes(`event=${event}`)).length;
		const reload = async (event) => {
			const expected = lines(event) + 2;
			process.kill(gateway.pid, "SIGHUP");
			await waitFor(() => lines(event) >= expected, WAIT_MS, event);
		};
		// Often enough that both workers have answered.
		const statuses = async (key) => new Set(await Promise.all(
			Array.from({ length: 24 }, () => statusOf(address, key.sign({ sub: "u" })))));
		const client = await connectWith(t, cluster.urls[0], first.sign({ sub: "u", role: "relay.join" }));
		assert.deepEqual([await statuses(first), await statuses(second)], [new Set([200]), new Set([401])]);
		writeSet("rotating.json", [first, second]);
		await reload("auth.reloaded");
		assert.deepEqual([await statuses(first), await statuses(second)], [new Set([200]), new Set([200])]);
		write("rotating.json", '{"keys":[{"kty":"RSA"');
		await reload("auth.reload_failed");
		assert.match(gateway.log.join("\n"), /level=error event=auth\.reload_failed .*rotating\.json: not a JSON object/);
		assert.deepEqual([await statuses(first), await statuses(second)], [new Set([200]), new Set([200])]);
		assert.equal((await cluster.metrics("g1")).get("gateway_auth_reload_failed_total"), 1);
		writeSet("rotating.json", [second]);
		await reload("auth.reloaded");
		assert.deepEqual([await statuses(first), await statuses(second)], [new Set([401]), new Set([200])]);
		// The connection that its key opened is not touched.
		assert.equal(await client.invoke("JoinGroup", "g"), null);
		await client.stop();
	});
});

test("a bad key ends the start with a sentence that names option, file and key", () => {
	const key = new JwtKey("RS256", "k");
	const weak = crypto.generateKeyPairSync("rsa", { modulusLength: 1024 }).publicKey.export({ format: "jwk" });
	const start = (...args) => spawnSync(path.join(process.env.HELIOGRAPH_BUILD ?? "build/release", "heliograph-gateway"),
		["--listen=127.0.0.1:0", "--routers=r1=tcp://127.0.0.1:1", `--link_key_file=${write("link.key", "l".repeat(32))}`, ...args],
		{ encoding: "utf8", timeout: WAIT_MS });
	const set = writeSet("weak.json", [key, weak]);
	const pem = write("public.pem", key.file);
	for (const [args, sentence] of [
		[[`--auth_jwks_file=${set}`], `auth_jwks_file = ${set}: key 1: an RSA key needs 2048 bits`],
		[[`--auth_key_file=${pem}`], `auth_key_file = ${pem}: a PEM file is no secret; set auth_algorithm to RS256 or ES256`],
		[[`--auth_key_file=${pem}`, "--auth_algorithm=ES256"], `auth_key_file = ${pem}: ES256 needs an EC key`],
		[["--auth_jwks_file=/nonexistent"], "auth_jwks_file = /nonexistent: No such file or directory"],
	]) {
		const { status, stderr } = start(...args);
		assert.equal(status, 1);
		assert.ok(stderr.includes(sentence), stderr);
	}
});

test("no token, and no id of a connection, shows anywhere", async (t) => {
	const key = new JwtKey("RS256", "k");
	const args = [`--auth_jwks_file=${writeSet("canary.json", [key])}`, "--auth_key_file=", "--log_level=debug"];
	const debug = ["--log_level=debug"];
	const canaries = [];
	const answers = [];
	const keep = (token) => {
		canaries.push(token, ...token.split(".").filter((part) => part.length > 20));
		return token;
	};
	await withCluster({ gatewayArgs: args, routerArgs: debug, presenceArgs: debug }, async (cluster) => {
		const [address] = cluster.addresses;
		const ask = async (method, target, headers) => {
			const response = await httpRequest(address, method, target, { headers });
			answers.push(JSON.stringify(response));
			return response;
		};
		const good = keep(key.sign({ sub: "u", jti: "canary-good" }));
		const bad = [keep(new JwtKey("RS256", "k").sign({ sub: "u", jti: "canary-forged" })), keep(key.sign({ sub: "u", exp: 1 })),
			keep(key.sign({ sub: "u", jti: "canary-header" }, { crit: ["x"] })), keep("canary-".repeat(40)), keep(`${good}%00`)];
		for (const token of bad) {
			assert.equal((await ask("POST", "/hubs/relay/negotiate?negotiateVersion=1", bearer(token))).status, 401);
			assert.equal((await ask("POST", `/hubs/relay/negotiate?negotiateVersion=1&access_token=${token}`)).status, 401);
			const ws = await RawWebSocket.open(address, `/hubs/relay?access_token=${token}`);
			answers.push(JSON.stringify(ws.opened));
			ws.destroy();
		}
		// Where it does not belong: paths, other routes, methods and heads that are refused.
		for (const [method, target] of [["GET", `/${good}`], ["GET", `/hubs/${good}`], ["PUT", `/hubs/relay?access_token=${good}`],
			["POST", `/dev/token?access_token=${good}`], ["GET", `/hubs/relay?id=${good}&access_token=${good}`]])
			await ask(method, target, { "X-Canary": good });
		await ask("POST", "/hubs/relay/negotiate", { "Bad Name": good });
		const client = await connectWith(t, cluster.urls[0], good);
		const { body } = await negotiate(address, { headers: bearer(good) });
		const { connectionToken } = JSON.parse(body);
		canaries.push(connectionToken);
		const second = await RawWebSocket.open(address, `/hubs/relay?id=${connectionToken}&access_token=${good}`);
		assert.deepEqual(await second.handshake(), {});
		const taken = await ask("GET", `/hubs/relay?id=${connectionToken}`, bearer(good));
		assert.equal(taken.status, 400);
		const ws = await RawWebSocket.open(address, `/hubs/relay?id=${connectionToken}x&access_token=${good}`);
		answers.push(JSON.stringify(ws.opened));
		ws.destroy();
		second.destroy();
		await client.stop();
		const texts = [...answers];
		for (const name of ["g1", "r1", "p1"])
			texts.push(await (await cluster.admin(name, "/metrics")).text());
		assert.equal((await cluster.kill("g1", "SIGTERM")).code, 0);
		for (const name of ["g1", "r1", "p1"])
			texts.push(cluster.program(name).log.join("\n"));
		// The log is there at all, and tells of the refusals.
		assert.match(texts.at(-3), /event=edge\.unauthorized .*reason=signature/);
		assert.match(texts.at(-3), /event=proc\.stopped/);
		for (const canary of canaries)
			assert.ok(!texts.some((text) => text.includes(canary)), `${canary} shows`);
		assert.ok(!texts.some((text) => text.includes("canary-")), "a claim or a token shows");
	});
});
