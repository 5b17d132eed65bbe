// SPDX-License-Identifier: Apache-2.0
// ctl against a real cluster: every command, as a table and as JSON, and what it says and
// ends with when it cannot do what it is asked.
"use strict";

const { describe, test, before, after, afterEach } = require("node:test");
const assert = require("node:assert/strict");
const fs = require("node:fs");
const os = require("node:os");
const path = require("node:path");
const { Certificate } = require("../kit/certificate.js");
const { freshRoom } = require("../kit/chat.js");
const { connect } = require("../kit/clients.js");
const { sharedCluster, withCluster } = require("../kit/cluster.js");
const { ctl } = require("../kit/ctl.js");
const { untilOnline } = require("../kit/presence.js");
const { Program, ROOT } = require("../kit/program.js");
const { waitFor } = require("../kit/wait.js");

const WAIT_MS = 10000;

const lines = (text) => text.split("\n").filter((line) => line !== "");
const cells = (line) => line.trim().split(/ {2,}/);

describe("ctl", () => {
	const cluster = sharedCluster({ before, after, afterEach }, { gateways: 2, routers: 2 });
	const run = (...args) => ctl(cluster().program("p1").ready.admin, args);
	// What it prints, when all is well.
	const said = async (...args) => {
		const { status, out, err } = await run(...args);
		assert.equal(status, 0, err);
		return out;
	};
	const json = async (...args) => JSON.parse(await said("--json", ...args));
	const online = async (t, options = {}) => {
		const client = await connect(t, cluster().urls[options.gateway ?? 0], { userId: freshRoom("user"), ...options });
		await waitFor(async () => (await run("connection", client.id)).status === 0, WAIT_MS, "the connection to be known");
		return client;
	};

	test("stats are what the API tells", async (t) => {
		const client = await online(t);
		const card = Object.fromEntries(lines(await said("stats")).map(cells));
		const stats = await json("stats");
		assert.equal(card.users, String(stats.users));
		assert.equal(card.gateways, "2");
		assert.equal(card.routers, "2");
		assert.match(card["up for"], /s$/);
		await client.stop();
	});

	test("users: a table, some of them, those of a prefix, as JSON", async (t) => {
		const prefix = freshRoom("many");
		for (const i of [1, 2, 3])
			await online(t, { userId: `${prefix}-${i}`, name: `Name ${i}` });
		const rows = lines(await said("users", prefix));
		assert.deepEqual(cells(rows[0]), ["USER", "NAME", "CONNECTIONS", "SINCE"]);
		assert.deepEqual(rows.slice(1).map((row) => cells(row).slice(0, 3)),
			[1, 2, 3].map((i) => [`${prefix}-${i}`, `Name ${i}`, "1"]));
		const some = await run("users", prefix, "--limit", "2");
		assert.equal(lines(some.out).length, 3);
		assert.match(some.err, /there are more/);
		const all = await run("users", prefix, "--all");
		assert.deepEqual([lines(all.out).length, all.err], [4, ""]);
		assert.deepEqual((await json("users", `${prefix}-2`)).users.map((user) => user.userId), [`${prefix}-2`]);
		assert.deepEqual(cells(lines(await said("users", `${prefix}-none`))[0])[0], "USER");
	});

	test("a user and the connections", async (t) => {
		const userId = freshRoom("a b/c?");
		const clients = [await online(t, { userId }), await online(t, { userId, gateway: 1 })];
		const [head, table] = (await said("user", userId)).split("\n\n");
		assert.deepEqual(cells(lines(head)[0]), ["user", userId]);
		assert.deepEqual(cells(lines(head)[3]), ["connections", "2"]);
		const rows = lines(table).slice(1).map(cells);
		assert.deepEqual(rows.map((row) => row[0]).sort(), clients.map((client) => client.id).sort());
		assert.deepEqual(rows.map((row) => row[2]).sort(), ["g1", "g2"]);
		assert.equal((await json("user", userId)).userId, userId);
	});

	test("a connection and its groups", async (t) => {
		const client = await online(t);
		const room = freshRoom();
		await client.invoke("JoinRoom", room);
		const [head, table] = (await said("connection", client.id)).split("\n\n");
		const card = Object.fromEntries(lines(head).map(cells));
		assert.deepEqual([card.connection, card.user, card.hub, card.gateway, card.transport],
			[client.id, client.user.userId, "chat", "g1", "WebSockets"]);
		assert.deepEqual(lines(table), ["GROUP", `room-${room}`]);
		assert.deepEqual((await json("connection", client.id)).groups, [`room-${room}`]);
	});

	test("groups of a hub, and who is in one", async (t) => {
		const room = freshRoom();
		const clients = [await online(t), await online(t, { gateway: 1 })];
		for (const client of clients)
			await client.invoke("JoinRoom", room);
		const groups = lines(await said("groups", "chat", "--all")).map(cells);
		assert.deepEqual(groups[0], ["GROUP", "MEMBERS"]);
		assert.deepEqual(groups.find(([name]) => name === `room-${room}`), [`room-${room}`, "2"]);
		const [head, table] = (await said("group", "chat", `room-${room}`)).split("\n\n");
		assert.deepEqual(lines(head).map(cells), [["hub", "chat"], ["group", `room-${room}`], ["members", "2"]]);
		assert.deepEqual(lines(table).slice(1).map((row) => cells(row)[1]).sort(), clients.map((client) => client.user.userId).sort());
		assert.equal((await json("group", "chat", `room-${room}`)).size, 2);
	});

	test("somebody is put into a group, is sent to, and is taken out", async (t) => {
		const group = freshRoom("g 1/");
		const one = await online(t, { events: ["notice"] });
		const two = await online(t, { events: ["notice"], gateway: 1 });
		assert.equal(await said("group", "add", "chat", group, "connection", one.id), "connections added: 1\n");
		assert.equal(await said("group", "add", "chat", group, "user", two.user.userId), "connections added: 1\n");
		assert.equal(await said("send", "chat", "group", group, "notice", '["to both"]'), "delivered\n");
		for (const client of [one, two])
			await client.until(() => client.of("notice").includes("to both"), "the notice");
		assert.equal(await said("group", "remove", "chat", group, "user", two.user.userId), "connections removed: 1\n");
		assert.deepEqual(await json("group", "remove", "chat", group, "connection", one.id), { connections: 1 });
		assert.equal((await run("group", "chat", group)).status, 1, "nobody is in it any more");
	});

	test("sends to all, to a user, to a connection, and not to whom they exclude", async (t) => {
		const one = await online(t, { events: ["notice"] });
		const two = await online(t, { events: ["notice"], gateway: 1 });
		await said("send", "chat", "all", "notice", '["all"]');
		await said("send", "chat", "all", "notice", '["all but one"]', "--exclude", one.id);
		await said("send", "chat", "user", two.user.userId, "notice", '["user"]');
		assert.deepEqual(await json("send", "chat", "connection", one.id, "notice", '["connection"]'), { delivered: true });
		await one.until(() => one.of("notice").length === 2, "two notices");
		await two.until(() => two.of("notice").length === 3, "three notices");
		assert.deepEqual(one.of("notice"), ["all", "connection"]);
		assert.deepEqual(two.of("notice"), ["all", "all but one", "user"]);
	});

	test("a user is disconnected, and told why", async (t) => {
		const userId = freshRoom("user");
		const clients = [await online(t, { userId }), await online(t, { userId, gateway: 1 })];
		assert.equal(await said("disconnect", "user", userId, "--reason", 'go "home"'), "disconnected: 2\n");
		for (const client of clients)
			await client.until(() => client.closed !== null, "the end");
		assert.match(clients[0].closed.error.message, /go "home"/);
	});

	test("a connection is disconnected, and may come back", async (t) => {
		const client = await online(t, { reconnect: [0] });
		const { id } = client;
		assert.equal(await said("disconnect", "connection", id, "--allow-reconnect"), "disconnected: 1\n");
		await client.until(() => client.states.includes("reconnected"), "the reconnection");
		assert.notEqual(client.id, id);
	});

	test("the cluster: processes, shards, the largest groups", async () => {
		const out = await said("cluster");
		const processes = lines(out).map(cells).filter(([role]) => role === "gateway" || role === "router");
		assert.deepEqual(processes.map((row) => row[1]).sort(), ["g1", "g2", "r1", "r2"]);
		assert.match(out, /^told by +p1\n/);
		assert.match(out, /^SHARD +SHARE +HERE$/m);
		assert.equal((await json("cluster")).processes.length, 4);
	});

	test("events tell who comes and goes", async (t) => {
		const prefix = freshRoom("seen");
		let seen = null;
		const feed = ctl(cluster().program("p1").ready.admin, ["events", "--json", "--limit=4"], { begun: (child, out) => (seen = out) });
		// The feed does not say when it has begun: somebody comes and goes until it tells.
		await waitFor(async () => {
			const client = await connect(t, cluster().urls[0], { userId: `${prefix}-${Date.now()}` });
			await client.stop();
			return lines(seen()).length >= 4;
		}, WAIT_MS, "four events");
		const { status, out } = await feed;
		const all = lines(out).map((line) => JSON.parse(line));
		// While presence is young one "reset" may be among them.
		const events = all.filter((event) => event.event !== "reset");
		assert.deepEqual([status, all.length], [0, 4]);
		assert.ok(events.length >= 3);
		for (const event of events) {
			assert.match(event.event, /^(online|offline)$/);
			assert.ok(event.data.userId.startsWith(prefix));
			assert.ok(event.id !== "" && Date.parse(event.data.at) > 0);
		}
		const again = await ctl(cluster().program("p1").ready.admin, ["events", "--json", "--limit=1", `--after=${events[0].id}`]);
		assert.deepEqual(JSON.parse(again.out), events[1]);
	});

	test("what is not there is refused with its reason, and 1", async () => {
		const { status, out, err } = await run("user", "nobody");
		assert.deepEqual([status, out], [1, ""]);
		assert.match(err, /^heliograph-presence ctl: 404 \S.*: .+\n$/);
		const asJson = await run("user", "nobody", "--json");
		assert.equal(asJson.status, 1);
		assert.equal(JSON.parse(asJson.out).status, 404);
		assert.equal((await run("drain", "nobody")).status, 1);
		assert.equal((await run("groups", "nohub")).status, 1);
	});

	test("wrong words end with 2 and say what would be right", async () => {
		const wrong = [[], ["nothing"], ["user"], ["user", "a", "b"], ["disconnect", "group", "x"], ["users", "--nope"],
			["users", "--limit=x"], ["stats", "--reason=x"], ["send", "chat", "all", "n", "m", "[]"], ["send", "chat", "group", "m", "[]"],
			["send", "chat", "all", "m", "{}"], ["send", "chat", "all", "m", "["], ["completion", "fish"], ["stats", "--address=:1"],
			["stats", "--address=a:b:c"], ["stats", "--tls-cert=x"], ["stats", "--token-file=/nowhere"]];
		for (const args of wrong) {
			const { status, out, err } = await run(...args);
			assert.deepEqual([args, status, out], [args, 2, ""]);
			assert.match(err, /^heliograph-presence ctl: /);
		}
	});

	test("help is of the whole and of each command, and in the manual", async () => {
		const whole = await said("--help");
		const manual = fs.readFileSync(path.join(ROOT, "docs/OPERATING.md"), "utf8");
		assert.ok(manual.includes(`<!-- ctl -->\n\`\`\`\n${whole}\`\`\`\n<!-- end -->`), "docs/options.sh --write");
		assert.equal(whole, await said("help"));
		const names = [...whole.split("Options:")[0].matchAll(/^  ([a-z]+(?: add| remove)?)/gm)].map((match) => match[1]);
		assert.ok(names.length > 12);
		for (const name of names)
			assert.match(await said(...name.split(" "), "--help"), new RegExp(`^usage: heliograph-presence ctl ${name}`));
	});
});

describe("ctl and who may ask", () => {
	test("nobody there is 3", async () => {
		const { status, out, err } = await ctl("127.0.0.1:1", ["stats"]);
		assert.deepEqual([status, out], [3, ""]);
		assert.match(err, /127\.0\.0\.1 port 1: Connection refused/);
		assert.equal((await ctl("nowhere.invalid:1", ["stats"])).status, 3);
	});

	test("a token comes from a file", async (t) => {
		const folder = fs.mkdtempSync(path.join(os.tmpdir(), "heliograph-ctl-"));
		t.after(() => fs.rmSync(folder, { recursive: true }));
		const file = (name, text, mode = 0o600) => {
			fs.writeFileSync(path.join(folder, name), text, { mode });
			return path.join(folder, name);
		};
		const right = file("right", `${"r".repeat(40)}\n`);
		await withCluster({ presenceArgs: [`--admin_token_file=${right}`] }, async (cluster) => {
			const address = cluster.program("p1").ready.admin;
			assert.equal((await ctl(address, ["stats", "--token-file", right])).status, 0);
			assert.equal((await ctl(address, ["stats"], { env: { HELIOGRAPH_ADMIN_TOKEN_FILE: right } })).status, 0);
			const without = await ctl(address, ["stats"]);
			assert.equal(without.status, 1);
			assert.match(without.err, /401/);
			assert.equal((await ctl(address, ["stats", "--token-file", file("wrong", "w".repeat(40))])).status, 1);
			assert.equal((await ctl(address, ["stats", "--token-file", file("odd", "two words")])).status, 2);
			assert.equal((await ctl(address, ["stats", "--token-file", file("open", "r".repeat(40), 0o644)])).status, 2);
		});
	});

	test("TLS: the server's certificate is checked, and the own one is shown", async (t) => {
		const server = new Certificate("presence");
		const other = new Certificate("other");
		t.after(() => [server, other].forEach((certificate) => certificate.remove()));
		const linkKey = path.join(server.folder, "link.key");
		fs.writeFileSync(linkKey, "l".repeat(32), { mode: 0o600 });
		const presence = new Program("presence", "p1", ["--name=p1", "--link_listen=tcp://127.0.0.1:0", "--admin_listen=127.0.0.1:0",
			`--link_key_file=${linkKey}`, `--admin_tls_cert=${server.cert}`, `--admin_tls_key=${server.key}`,
			`--admin_tls_client_ca=${other.cert}`]);
		t.after(() => presence.stop());
		await presence.start();
		const address = presence.ready.admin;
		const own = [`--tls-cert=${other.cert}`, `--tls-key=${other.key}`];
		const good = await ctl(address, ["stats", `--tls-ca=${server.cert}`, ...own]);
		assert.equal(good.status, 0, good.err);
		assert.equal((await ctl(`https://${address}`, ["stats", ...own], { env: { SSL_CERT_FILE: server.cert } })).status, 0);
		const foreign = await ctl(address, ["stats", `--tls-ca=${other.cert}`, ...own]);
		assert.equal(foreign.status, 3);
		assert.match(foreign.err, /certificate/);
		const elsewhere = await ctl(address.replace("127.0.0.1", "127.0.0.2"), ["stats", `--tls-ca=${server.cert}`, ...own]);
		assert.equal(elsewhere.status, 3);
		const nameless = await ctl(address, ["stats", `--tls-ca=${server.cert}`]);
		assert.equal(nameless.status, 1);
		assert.match(nameless.err, /40[13]/);
		assert.equal((await ctl(address, ["stats"])).status, 3, "plain HTTP at the TLS port");
		assert.equal((await ctl(address, ["stats", "--tls-ca=/nowhere"])).status, 3);
	});
});

describe("ctl drain", () => {
	test("a gateway ends, its clients go elsewhere", async (t) => {
		await withCluster({ gateways: 2 }, async (cluster) => {
			const client = await connect(t, cluster.urls[0], { reconnect: Array(50).fill(20) });
			await untilOnline(cluster, [client.user.userId]);
			const { status, out } = await ctl(cluster.program("p1").ready.admin, ["drain", "g1"]);
			assert.deepEqual([status, out], [0, "draining\n"]);
			await client.until(() => client.states.includes("reconnecting"), "the reconnection");
			assert.equal((await cluster.program("g1").ended).code, 0);
			cluster.program("g1").wasKilled = true;
			await client.stop();
		});
	});
});
