// SPDX-License-Identifier: Apache-2.0
// Every key and password of a running cluster is changed, by the operators' script where it
// has one, while official clients of all transports talk: none is lost, none refused, none
// kept out. Processes notice changed files by themselves.
"use strict";

const { test } = require("node:test");
const assert = require("node:assert/strict");
const crypto = require("node:crypto");
const fs = require("node:fs");
const os = require("node:os");
const path = require("node:path");
const { withCluster } = require("../kit/cluster.js");
const { connect, mintToken, signalR } = require("../kit/clients.js");
const { freshRoom } = require("../kit/chat.js");
const { startRedis } = require("../kit/redis.js");
const { runScript } = require("../kit/script.js");
const { Traffic } = require("../kit/traffic.js");
const { untilOnline } = require("../kit/presence.js");
const { waitFor } = require("../kit/wait.js");

const WAIT_MS = 60000;
const LOOK = "--reload_interval=50ms";
const TRANSPORTS = ["WebSockets", "ServerSentEvents", "LongPolling"];

const linesOf = (file) => fs.readFileSync(file, "utf8").trim().split("\n");

// The number that a process is to show for such lines: as `sha256sum` has it.
const fingerprint = (lines) =>
	crypto.createHash("sha256").update(lines.map((line) => `${line}\n`).join("")).digest().readUInt32BE();

function folder(t) {
	const made = fs.mkdtempSync(path.join(os.tmpdir(), "heliograph-keys-"));
	t.after(() => fs.rmSync(made, { recursive: true }));
	return made;
}

// One of each transport at each gateway, and one that is stateful; all talk in one room.
async function talk(t, cluster, http = {}) {
	const clients = [];
	for (const url of cluster.urls) {
		for (const name of TRANSPORTS)
			clients.push(await connect(t, url, { http: { transport: signalR.HttpTransportType[name], ...http } }));
		clients.push(await connect(t, url, { stateful: true }));
	}
	const traffic = new Traffic(new Map([[freshRoom(), clients]]));
	await traffic.start();
	await traffic.flows(2);
	return { clients, traffic };
}

async function judge({ clients, traffic }) {
	await traffic.flows(2);
	await traffic.stop();
	await traffic.check();
	assert.deepEqual(traffic.lanes.flatMap((lane) => lane.refused), [], "no send failed");
	assert.deepEqual(clients.flatMap((client) => client.states), [], "no connection ended");
}

function rotate(cluster, kind, file, more = []) {
	const at = cluster.admins.map((address) => `--at=${address}`);
	const those = { link: at, admin: at.slice(0, 1) }[kind] ??
		cluster.options.names.map((name) => `--at=${cluster.program(name).admins[0]}`);
	return runScript("rotate-keys.sh", [kind, `--file=${file}`, ...those, "--timeout=90", ...more]);
}

// A machine that is busy is no reason for a link to break.
const STEADY = [LOOK, "--link_stream_timeout=20s", "--lease=60s"];
const options = {
	gateways: 2, routers: 2, names: ["g1", "g2"],
	gatewayArgs: [...STEADY, "--stateful_reconnect=on"], routerArgs: STEADY, presenceArgs: STEADY,
};

test("the link key changes while clients of all transports talk", async (t) => {
	await withCluster(options, async (cluster) => {
		const file = cluster.keyFile("link");
		const [before] = linesOf(file);
		const talking = await talk(t, cluster);

		await rotate(cluster, "link", file);

		const [after, ...others] = linesOf(file);
		assert.notEqual(after, before);
		assert.deepEqual(others, []);
		assert.equal(fs.statSync(file).mode & 0o777, 0o600);
		await judge(talking);
		for (const [name, program] of [["g1", "gateway"], ["r1", "router"], ["p1", "presence"]]) {
			const metrics = await cluster.metrics(name);
			assert.equal(metrics.get(`${program}_link_key_fingerprint`), fingerprint([after]));
			assert.equal(metrics.get(`${program}_link_refused_total`), 0);
			assert.equal(metrics.get(`${program}_link_downs_total`), 0, "links that stood were left alone");
		}
		// All of it goes by the new one: a router that comes back finds everybody.
		await cluster.kill("r1");
		await cluster.restart("r1");
		const late = await connect(t, cluster.urls[0]);
		await late.invoke("JoinRoom", freshRoom());
		assert.equal((await cluster.metrics("r1")).get("router_link_refused_total"), 0);
	});
});

test("a router that comes in the middle of a rotation is let in", async (t) => {
	await withCluster(options, async (cluster) => {
		const file = cluster.keyFile("link");
		const [old] = linesOf(file);
		const next = crypto.randomBytes(32).toString("hex");
		const talking = await talk(t, cluster);
		for (const lines of [[old, next], [next, old], [next]]) {
			fs.writeFileSync(`${file}.new`, lines.join("\n"), { mode: 0o600 });
			fs.renameSync(`${file}.new`, file);
			// r2 has it already, the others may not.
			await cluster.kill("r2");
			await cluster.restart("r2");
			for (const name of ["g1", "g2", "r1", "p1"])
				await waitFor(async () => [...await cluster.metrics(name)].some(([row, value]) =>
					row.endsWith("_link_key_fingerprint") && value === fingerprint(lines)), WAIT_MS, `${name} to have it`);
		}
		await talking.traffic.flows(2);
		await talking.traffic.stop();
		await talking.traffic.check();
		assert.deepEqual(talking.clients.flatMap((client) => client.states), []);
	});
});

test("connection tokens and JWTs of the old key stay good, and those of the new one are", async (t) => {
	await withCluster(options, async (cluster) => {
		const old = await mintToken(cluster.urls[0], { userId: "old" });
		const talking = await talk(t, cluster);

		for (const kind of ["token", "auth"]) {
			const file = cluster.keyFile(kind);
			const [before] = linesOf(file);
			await rotate(cluster, kind, file);
			const lines = linesOf(file);
			assert.equal(lines.length, 2);
			assert.equal(lines[1], before);
			for (const name of options.names)
				assert.equal((await cluster.metrics(name)).get(`gateway_${kind}_key_fingerprint`), fingerprint(lines));
		}

		await judge(talking);
		const byOld = await connect(t, cluster.urls[1], { userId: "old", http: { accessTokenFactory: () => old } });
		const byNew = await connect(t, cluster.urls[0], { userId: "new" });
		await untilOnline(cluster, [...talking.clients, byOld, byNew].map((client) => client.user.userId));
		for (const name of options.names) {
			const metrics = await cluster.metrics(name);
			assert.equal(metrics.get("gateway_id_unknown_total"), 0);
			assert.equal(metrics.get('gateway_auth_failed_total{reason="signature"}'), 0);
		}
		// The next rotation drops the old one, or this does.
		await rotate(cluster, "auth", cluster.keyFile("auth"), ["--drop"]);
		assert.equal(linesOf(cluster.keyFile("auth")).length, 1);
		await assert.rejects(connect(t, cluster.urls[1], { http: { accessTokenFactory: () => old } }), /401/);
	});
});

test("a key that will not do changes nothing, and is told", async (t) => {
	await withCluster(options, async (cluster) => {
		const file = cluster.keyFile("token");
		const talking = await talk(t, cluster);
		const { err } = await runScript("rotate-keys.sh", ["token", `--file=${file}`, "--timeout=3",
			`--at=${cluster.program("g1").admins[0]}`, "--secret=/dev/stdin"], { wanted: 1 });
		assert.match(err, /it is empty|fewer than 32/);
		fs.appendFileSync(file, "\nshort\n");
		const told = (event) => cluster.program("g1").log.filter((line) => line.includes(`event=${event} `));
		// It is tried again and again, and told once.
		await waitFor(async () => (await cluster.metrics("g1")).get("gateway_secret_reload_failed_total") >= 3, WAIT_MS,
			"the mistake to be counted");
		assert.equal((await cluster.metrics("g1")).get("gateway_conf_stale"), 1);
		assert.equal(told("secret.reload_failed").filter((line) => line.includes("option=token_key_file")).length, 1);
		fs.writeFileSync(file, `${linesOf(file)[0]}\n`);
		await waitFor(async () => (await cluster.metrics("g1")).get("gateway_conf_stale") === 0, WAIT_MS, "the mistake to be mended");
		await waitFor(() => told("conf.caught_up").length === 1, WAIT_MS, "that to be told");
		await judge(talking);
	});
});

test("the admin token changes, and both are taken meanwhile", async (t) => {
	const file = path.join(folder(t), "admin.token");
	const first = crypto.randomBytes(32).toString("hex");
	fs.writeFileSync(file, `${first}\n`, { mode: 0o600 });
	await withCluster({ presenceArgs: [LOOK, `--admin_token_file=${file}`] }, async (cluster) => {
		const ask = async (token) => (await fetch(`http://${cluster.program("p1").admins[0]}/api/v1/stats`,
			{ headers: { Authorization: `Bearer ${token}` } })).status;
		assert.equal(await ask(first), 200);
		await rotate(cluster, "admin", file);
		const [second] = linesOf(file);
		assert.deepEqual([await ask(first), await ask(second)], [200, 200]);
		await rotate(cluster, "admin", file, ["--drop"]);
		const [third] = linesOf(file);
		assert.deepEqual([await ask(first), await ask(second), await ask(third)], [401, 401, 200]);
	});
});

test("Redis' password changes, and presence stays exact", async (t) => {
	const redis = await startRedis();
	t.after(() => redis.stop());
	const file = path.join(folder(t), "redis.password");
	await redis.command("ACL", "SETUSER", "heliograph", "on", ">first", "~*", "&*", "+@all");
	fs.writeFileSync(file, "first\n", { mode: 0o600 });
	const replaced = (text) => {
		fs.writeFileSync(`${file}.new`, text, { mode: 0o600 });
		fs.renameSync(`${file}.new`, file);
	};
	const args = [LOOK, `--redis_password_file=${file}`];
	const url = redis.url({ user: "heliograph" });
	await withCluster({ presences: 2, redis: url, hubRedis: url, presenceArgs: args, routerArgs: args }, async (cluster) => {
		const client = await connect(t, cluster.urls[0]);
		await untilOnline(cluster, [client.user.userId]);
		replaced("second\nfirst\n");
		const shown = fingerprint([linesOf(cluster.keyFile("link"))[0], "second", "first"]);
		for (const [name, program] of [["p1", "presence"], ["p2", "presence"], ["r1", "router"]])
			await waitFor(async () => (await cluster.metrics(name)).get(`${program}_redis_password_fingerprint`) === shown, WAIT_MS,
				`${name} to have read it`);
		// Redis takes the old one still: a connection that begins anew is let in with it.
		await redis.command("CLIENT", "KILL", "USER", "heliograph");
		await untilOnline(cluster, [client.user.userId]);
		await redis.command("ACL", "SETUSER", "heliograph", ">second", "<first");
		await redis.command("CLIENT", "KILL", "USER", "heliograph");
		for (const name of ["p1", "p2"])
			await cluster.untilRedis(name, WAIT_MS);
		const late = await connect(t, cluster.urls[0]);
		await untilOnline(cluster, [client, late].map((each) => each.user.userId));
		assert.equal(client.closed, null);
		await late.invoke("SendMessage", freshRoom(), "kept in Redis").catch(() => {});
		await cluster.untilRedis("r1", WAIT_MS);
	});
});
