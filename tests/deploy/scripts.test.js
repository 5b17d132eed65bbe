// SPDX-License-Identifier: Apache-2.0
// The operators' scripts before a kubectl that only remembers: their words, what they do in
// which order, what they do when something does not come true, and that no secret of theirs
// is where others could read it. tests/containers runs them on a cluster of containers.
"use strict";

const assert = require("node:assert/strict");
const crypto = require("node:crypto");
const fs = require("node:fs");
const http = require("node:http");
const os = require("node:os");
const path = require("node:path");
const test = require("node:test");
const zlib = require("node:zlib");
const { runScript } = require("../kit/script.js");
const { startFake } = require("./kit/fake_kubectl.js");

const OLD = "0123456789abcdef0123456789abcde1";
const OLDER = "0123456789abcdef0123456789abcde0";
const SCRIPTS = {
	"scale-gateways.sh": "4", "scale-routers.sh": "4", "rotate-keys.sh": "link", "rolling-upgrade.sh": "image:2",
	"restore-after-redis-loss.sh": "", "debug-bundle.sh": "",
};
const CHANGES = ["patch", "scale", "set", "rollout", "delete", "apply"];

// A cluster of which kubectl is asked; `state()` is how it is now.
async function fake(t, more = {}) {
	const folder = fs.mkdtempSync(path.join(os.tmpdir(), "heliograph-scripts-test-"));
	t.after(() => fs.rmSync(folder, { recursive: true }));
	const state = structuredClone({
		calls: [], history: [], owners: 3, replicas: { gateway: 3, router: 3, presence: 2 },
		images: { gateway: "image:1", router: "image:1", presence: "image:1" },
		secrets: {
			link: { "link.key": `${OLD}\n` }, clients: { "token.key": `${OLD}\n`, "auth.key": `${OLD}\n${OLDER}\n` },
			admin: { "admin.token": OLD }, "redis-presence": { "redis.password": OLD }, "redis-router": { "redis.password": OLD },
			redis: { "users.acl": `user default off\nuser heliograph on #${"0".repeat(64)} ~* +@all\nuser replica on #1 +psync\n` },
		},
		...more,
	});
	const { env, close } = await startFake(folder, state);
	t.after(close);
	return {
		folder, state: () => state,
		run: (name, args, wanted = 0) => runScript(name, args.filter(Boolean), { env, wanted }),
		changes: () => state.calls.filter(([verb]) => CHANGES.includes(verb)).map((words) => words.join(" ")),
	};
}

for (const [name, word] of Object.entries(SCRIPTS)) {
	test(`${name}: help and wrong words`, async (t) => {
		const cluster = await fake(t);
		const { out } = await cluster.run(name, ["--help"]);
		assert.match(out, new RegExp(`^${name}|\\t${name.replace(".", "\\.")}`, "m"));
		assert.match(out, /--dry-run/);
		// The shell reads 010 as eight, and ends amid the work at 08.
		for (const wrong of [["--nothing"], ["--timeout=soon"], ["--timeout=08"], ["--timeout=010"], ["--namespace="]])
			assert.match((await cluster.run(name, [word, ...wrong], 2)).err, /--help tells more/);
		assert.deepEqual(cluster.state().calls, []);
	});

	test(`${name}: a dry run changes nothing`, async (t) => {
		const cluster = await fake(t, { metrics: { gateway: { connections: 5 }, presence: { connections: 5, settled: 1, redis_away: 0 } } });
		await cluster.run(name, [word, "--dry-run"]);
		assert.deepEqual(cluster.changes(), []);
	});

	test(`${name}: a kubectl that is not there is told`, async (t) => {
		const cluster = await fake(t);
		await assert.rejects(runScript(name, [word, "--timeout=1"].filter(Boolean), { env: { KUBECTL: "/nowhere/kubectl" } }),
			/ended with [1-9]/);
		assert.deepEqual(cluster.state().calls, []);
	});
}

test("what is no number is refused", async (t) => {
	const cluster = await fake(t);
	for (const name of ["scale-gateways.sh", "scale-routers.sh"])
		for (const wrong of ["0", "-1", "many", "3x", "", "03", "08", "010", "00"])
			await cluster.run(name, [wrong], 2);
	assert.match((await cluster.run("scale-routers.sh", ["08"], 2)).err, /08: one number, 1 or more, is meant, without zeros in front/);
	assert.match((await cluster.run("scale-routers.sh", ["257"], 2)).err, /256 routers at most/);
	assert.match((await cluster.run("debug-bundle.sh", ["--logs=08"], 2)).err, /without zeros in front/);
	assert.deepEqual(cluster.state().calls, []);
});

// ---- gateways

test("gateways: the autoscaler's bounds make room, and those that end are waited for", async (t) => {
	const cluster = await fake(t, { hpa: [3, 6], ending: { gateway: [["gateway-7"], ["gateway-7"]] } });
	await cluster.run("scale-gateways.sh", ["8"]);
	assert.deepEqual(cluster.state().hpa, [3, 8]);
	assert.equal(cluster.state().replicas.gateway, 8);
	await cluster.run("scale-gateways.sh", ["2", "--pin"]);
	assert.deepEqual([cluster.state().hpa, cluster.state().replicas.gateway], [[2, 2], 2]);
	const slow = await fake(t, { ending: { gateway: Array(50).fill(["gateway-7"]) } });
	assert.match((await slow.run("scale-gateways.sh", ["2", "--timeout=2"], 1)).err, /in vain for 2 gateways, and no other/);
});

test("gateways: without an autoscaler there are no bounds", async (t) => {
	const cluster = await fake(t);
	await cluster.run("scale-gateways.sh", ["5"]);
	assert.deepEqual(cluster.changes(), ["scale deployment/gateway --replicas=5",
		"rollout status deployment/gateway --timeout=300s"]);
});

// No client is handed over while routers change.
test("gateways: none goes before a change of routers is over", async (t) => {
	const changing = [{ phase: "prepare", state: "doing" }, { phase: "stable", state: "step" }, { phase: "commit", state: "step" }];
	const cluster = await fake(t, { says: [...changing] });
	await cluster.run("scale-gateways.sh", ["2"]);
	assert.deepEqual(cluster.changes(), ["rollout status statefulset/presence --timeout=300s", "scale deployment/gateway --replicas=2",
		"rollout status deployment/gateway --timeout=300s"]);
	assert.equal(cluster.state().calls.filter(([verb]) => verb === "exec").length, changing.length + 1);
	const stuck = await fake(t, { hpa: [3, 6], says: Array(50).fill({ phase: "commit", state: "doing" }) });
	const { err } = await stuck.run("scale-gateways.sh", ["2", "--timeout=2"], 1);
	assert.match(err, /in vain for the routers to stay as they are/);
	assert.deepEqual(stuck.state().hpa, [3, 6], "the autoscaler would have ended some");
	// More of them hand nothing over, and a change that cannot begin may take for ever.
	await (await fake(t, { says: Array(50).fill({ phase: "commit", state: "doing" }) })).run("scale-gateways.sh", ["4", "--timeout=2"]);
	await (await fake(t, { says: Array(50).fill({ phase: "stable", state: "absent" }) })).run("scale-gateways.sh", ["2", "--timeout=2"]);
});

// ---- routers

const ofRouters = (changes) => changes.filter((call) => !call.startsWith("rollout"));

test("routers: more pods come before they are to own anything", async (t) => {
	const cluster = await fake(t, { says: [{ phase: "prepare", state: "doing" }, { phase: "commit", state: "step" }] });
	await cluster.run("scale-routers.sh", ["5"]);
	assert.deepEqual(ofRouters(cluster.changes()), ["scale statefulset/router --replicas=5",
		"set env statefulset/presence ROUTER_COUNT=5",
		'patch configmap cluster --type=merge -p {"data":{"routers":"5"}}']);
	assert.equal(cluster.state().calls.filter(([verb]) => verb === "exec").length, 3);
});

test("routers: those that leave own nothing before their pods end", async (t) => {
	const cluster = await fake(t);
	await cluster.run("scale-routers.sh", ["2"]);
	assert.deepEqual(ofRouters(cluster.changes()), ["set env statefulset/presence ROUTER_COUNT=2",
		'patch configmap cluster --type=merge -p {"data":{"routers":"2"}}', "scale statefulset/router --replicas=2"]);
});

test("routers: what does not come to rest ends no pod", async (t) => {
	const cluster = await fake(t, { says: Array(50).fill({ state: "absent" }) });
	const { err } = await cluster.run("scale-routers.sh", ["2", "--timeout=2"], 1);
	assert.match(err, /waited 2 s in vain for 2 routers that own keys, and rest/);
	assert.equal(cluster.state().replicas.router, 3);
});

// ---- an upgrade

test("an upgrade goes part by part", async (t) => {
	const cluster = await fake(t);
	await cluster.run("rolling-upgrade.sh", ["image:2"]);
	assert.deepEqual(cluster.changes().filter((call) => call.startsWith("set")), [
		"set image statefulset/presence presence=image:2", "set image statefulset/router router=image:2",
		"set image deployment/gateway gateway=image:2"]);
	await cluster.run("rolling-upgrade.sh", ["image:2"]);
	assert.equal(cluster.changes().filter((call) => call.startsWith("set")).length, 3, "all of it is there");
});

test("an upgrade ends where a part does not become ready", async (t) => {
	const cluster = await fake(t, { broken: "statefulset/router" });
	const { err } = await cluster.run("rolling-upgrade.sh", ["image:2"], 1);
	assert.match(err, /rolling-upgrade\.sh image:1/, "it says how to go back");
	assert.equal(cluster.state().images.gateway, "image:1");
});

test("an upgrade begins only when no router is missing", async (t) => {
	const cluster = await fake(t, { says: Array(50).fill({ routers: [{ name: "router-0", url: "x", isHere: false }] }) });
	await cluster.run("rolling-upgrade.sh", ["image:2", "--timeout=2"], 1);
	assert.deepEqual(cluster.changes(), []);
	const changing = await fake(t, { says: Array(50).fill({ phase: "stable", state: "step" }) });
	await changing.run("rolling-upgrade.sh", ["image:2", "--timeout=2"], 1);
	assert.deepEqual(changing.changes(), []);
});

// ---- keys

function stepsOf(cluster, secret, key) {
	return cluster.state().history.filter(([of, at]) => of === secret && at === key)
		.map(([, , text]) => text.trim().split("\n"));
}

test("a link key is accepted, then used, then alone", async (t) => {
	const cluster = await fake(t);
	const { out, err } = await cluster.run("rotate-keys.sh", ["link"]);
	const steps = stepsOf(cluster, "link", "link.key");
	const fresh = steps[0][1];
	assert.match(fresh, /^[0-9a-f]{64}$/);
	assert.deepEqual(steps, [[OLD, fresh], [fresh, OLD], [fresh]]);
	// Whoever lists processes, or keeps what a terminal said, has not read it.
	assert.doesNotMatch(JSON.stringify(cluster.state().calls) + out + err, new RegExp(fresh));
	const asked = cluster.state().calls.filter(([verb]) => verb === "port-forward").map((words) => words.slice(1).join(" "));
	assert.deepEqual([...new Set(asked)].sort(), ["pod/gateway-0 :9090", "pod/gateway-1 :9090", "pod/gateway-2 :9090",
		"pod/presence-0 :8090", "pod/presence-1 :8090", "pod/router-0 :9090", "pod/router-1 :9090", "pod/router-2 :9090"]);
});

test("other keys stay good until the next rotation, or end with --drop", async (t) => {
	const cluster = await fake(t);
	await cluster.run("rotate-keys.sh", ["auth"]);
	let steps = stepsOf(cluster, "clients", "auth.key");
	const [, , fresh] = steps[0];
	assert.deepEqual(steps, [[OLD, OLDER, fresh], [fresh, OLD, OLDER], [fresh, OLD]]);
	await cluster.run("rotate-keys.sh", ["admin", "--drop"]);
	steps = stepsOf(cluster, "admin", "admin.token");
	assert.equal(steps.at(-1).length, 1);
	assert.equal(steps.length, 3);
	assert.equal(cluster.state().secrets.clients["token.key"], `${OLD}\n`, "nothing else changed");
});

test("the third of three lines makes room", async (t) => {
	const cluster = await fake(t, { secrets: { link: { "link.key": `${OLD}\n${OLDER}\nleft over from a run that was stopped\n` } } });
	await cluster.run("rotate-keys.sh", ["link"]);
	const steps = stepsOf(cluster, "link", "link.key");
	assert.deepEqual(steps[0].slice(0, 2), [OLD, OLDER]);
	assert.equal(steps[0].length, 3);
	assert.equal(steps.at(-1).length, 1);
});

test("a process that does not read it holds up the next step", async (t) => {
	const cluster = await fake(t, { deaf: { "router-1": OLD } });
	const { err } = await cluster.run("rotate-keys.sh", ["link", "--timeout=3"], 1);
	assert.match(err, /waited 3 s in vain for all processes to have read it/);
	assert.match(err, /written in this step, and perhaps not read by all: Secret link, link\.key\n/);
	assert.equal(stepsOf(cluster, "link", "link.key").length, 1, "it is accepted, and used by nobody");
});

// A list that could not be had is no list of nobody.
test("who could not be asked has not read it", async (t) => {
	await Promise.all([{ unlisted: { gateway: 1000 } }, { replicas: { gateway: 0, router: 3, presence: 2 } }].map(async (state) => {
		const cluster = await fake(t, state);
		await cluster.run("rotate-keys.sh", ["link", "--timeout=1"], 1);
		assert.equal(stepsOf(cluster, "link", "link.key").length, 1, "it is accepted, and used by nobody");
	}));
});

// A process that reads `file` each time it is asked.
async function reader(t, file) {
	const server = http.createServer((request, response) =>
		response.end(`router_link_key_fingerprint ${crypto.createHash("sha256").update(fs.readFileSync(file)).digest().readUInt32BE()}\n`));
	await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
	t.after(() => server.close());
	return `--at=127.0.0.1:${server.address().port}`;
}

test("a reload that fails is told, with what was written and how to go on", async (t) => {
	const { folder, run } = await fake(t);
	const file = path.join(folder, "link.key");
	fs.writeFileSync(file, `${OLD}\n`, { mode: 0o600 });
	const at = await reader(t, file);
	const { err } = await run("rotate-keys.sh", ["link", `--file=${file}`, at, "--reload=exit 3", "--timeout=2"], 1);
	assert.match(err, /--reload=exit 3: it ended with 3\n/);
	assert.match(err, /link: not done: the new one is accepted\n/);
	assert.ok(err.includes(`link: written in this step, and perhaps not read by all: ${file}\n`), err);
	assert.match(err, /run the same again\n$/);
	assert.doesNotMatch(err, /: link: the new one is accepted/, "nobody has shown that");
	const [first, fresh] = fs.readFileSync(file, "utf8").split("\n");
	assert.equal(first, OLD, "nobody uses the new one");
	assert.doesNotMatch(err, new RegExp(fresh));
	const again = await run("rotate-keys.sh", ["link", `--file=${file}`, at, "--reload=true"]);
	assert.match(again.err, /next: the new one is accepted\n.*: link: the new one is accepted\n.*next: the new one is used\n/);
	assert.match(again.err, /link: done\n$/);
	assert.match(fs.readFileSync(file, "utf8"), /^[0-9a-f]{64}\n$/);
});

test("a step that writes nothing says so", async (t) => {
	const cluster = await fake(t);
	const { err } = await cluster.run("rotate-keys.sh", ["redis-router"], 1);
	assert.match(err, /no user heliograph-hubs\n.*not done: Redis takes the new password, too\n.*nothing was written in this step\n/);
});

test("a link to a key's file stays one, to the new key", async (t) => {
	const { folder, run } = await fake(t);
	const [file, first, second] = ["real/link.key", "first", "second"].map((name) => path.join(folder, name));
	fs.mkdirSync(path.dirname(file));
	fs.writeFileSync(file, `${OLD}\n`, { mode: 0o600 });
	fs.symlinkSync("real/link.key", second);
	fs.symlinkSync("second", first);
	await run("rotate-keys.sh", ["link", `--file=${first}`, await reader(t, first)]);
	assert.deepEqual([first, second].map((name) => fs.readlinkSync(name)), ["second", "real/link.key"]);
	assert.match(fs.readFileSync(file, "utf8"), /^[0-9a-f]{64}\n$/);
	assert.equal(fs.statSync(file).mode & 0o777, 0o600);
	assert.deepEqual(fs.readdirSync(path.dirname(file)), ["link.key"]);
});

test("what leads to no file is refused before anything is written", async (t) => {
	const { folder, run } = await fake(t);
	const [file, nowhere] = ["link.key", "nowhere"].map((name) => path.join(folder, name));
	fs.writeFileSync(file, `${OLD}\n`, { mode: 0o600 });
	fs.symlinkSync("gone", nowhere);
	for (const wrong of [nowhere, folder, "/dev/null"]) {
		const { err } = await run("rotate-keys.sh", ["link", `--file=${file}`, `--file=${wrong}`, "--at=127.0.0.1:1"], 1);
		assert.match(err, /: no file, and no link to one/);
	}
	assert.equal(fs.readFileSync(file, "utf8"), `${OLD}\n`);
	assert.ok(fs.lstatSync(nowhere).isSymbolicLink());
});

test("a key of one's own is taken from a file, and has its limit", async (t) => {
	const cluster = await fake(t);
	const file = path.join(cluster.folder, "mine");
	for (const wrong of ["short\n", "a secret with a tab\tthat is long enough\n"]) {
		fs.writeFileSync(file, wrong);
		await cluster.run("rotate-keys.sh", ["token", `--secret=${file}`], 1);
	}
	assert.deepEqual(cluster.changes(), []);
	fs.writeFileSync(file, "a secret that has 32 characters.\r\n");
	await cluster.run("rotate-keys.sh", ["token", `--secret=${file}`]);
	assert.equal(stepsOf(cluster, "clients", "token.key").at(-1)[0], "a secret that has 32 characters.");
});

test("a run with the same secret again keeps the old one", async (t) => {
	for (const stopped of [`${OLD}\nNEW\n`, `NEW\n${OLD}\n`]) {
		const fresh = "a secret that has 32 characters.";
		const cluster = await fake(t, { secrets: { clients: { "token.key": stopped.replace("NEW", fresh) } } });
		const file = path.join(cluster.folder, "mine");
		fs.writeFileSync(file, fresh);
		await cluster.run("rotate-keys.sh", ["token", `--secret=${file}`]);
		assert.deepEqual(stepsOf(cluster, "clients", "token.key"), [[OLD, fresh], [fresh, OLD]]);
	}
});

test("Redis knows a password before it is used, and after only that", async (t) => {
	const cluster = await fake(t);
	await cluster.run("rotate-keys.sh", ["redis-presence"]);
	const { history } = cluster.state();
	const users = history.filter(([secret]) => secret === "redis").map(([, , text]) => text);
	assert.deepEqual(history.map(([secret]) => secret), ["redis", "redis-presence", "redis", "redis-presence"]);
	assert.match(users[0], /^user heliograph on #[0-9a-f]{64} #[0-9a-f]{64} ~\* \+@all$/m);
	assert.match(users[1], /^user heliograph on #[0-9a-f]{64} ~\* \+@all$/m);
	for (const text of users)
		assert.match(text, /^user default off\nuser replica on #1 \+psync$/m);
	assert.equal(cluster.state().secrets["redis-presence"]["redis.password"].trim().split("\n").length, 1);
	assert.equal(cluster.state().secrets["redis-router"]["redis.password"], OLD);
});

// It may have read its files for another reason, as often as it likes.
test("a password that one pod has not read holds up the next step", async (t) => {
	const cluster = await fake(t, { deaf: { "router-1": OLD } });
	const { out, err } = await cluster.run("rotate-keys.sh", ["redis-router", "--timeout=1"], 1);
	assert.match(err, /no user heliograph-hubs/);
	cluster.state().secrets.redis["users.acl"] += `user heliograph-hubs on #${"0".repeat(64)} ~* +@all\n`;
	const late = await cluster.run("rotate-keys.sh", ["redis-router", "--timeout=1"], 1);
	assert.match(late.err, /waited 1 s in vain for all processes to have read it/);
	assert.deepEqual(cluster.state().history.map(([secret]) => secret), ["redis", "redis-router"], "Redis still takes the old one");
	const [fresh] = stepsOf(cluster, "redis-router", "redis.password")[0];
	assert.doesNotMatch(JSON.stringify(cluster.state().calls) + out + err + late.out + late.err, new RegExp(`${fresh}|${OLD}`));
});

// A pod that has not read the file of the run before knows its old one only.
test("after a run that was stopped Redis takes all that the file has", async (t) => {
	const cluster = await fake(t, { secrets: { link: { "link.key": OLD }, "redis-presence": { "redis.password": `${OLDER}\n${OLD}\n` },
		redis: { "users.acl": `user heliograph on #${"0".repeat(64)} ~* +@all\n` } } });
	await cluster.run("rotate-keys.sh", ["redis-presence"]);
	const users = cluster.state().history.filter(([secret]) => secret === "redis").map(([, , text]) => text);
	const hashOf = (text) => crypto.createHash("sha256").update(text).digest("hex");
	assert.match(users[0], new RegExp(`^user heliograph on #${hashOf(OLDER)} #${hashOf(OLD)} #[0-9a-f]{64} ~\\* \\+@all$`, "m"));
	assert.match(users[1], /^user heliograph on #[0-9a-f]{64} ~\* \+@all$/m);
});

// ---- Redis's loss

test("after a loss of Redis the counts are compared", async (t) => {
	const presence = { connections: 30, settled: 1, redis_away: 0 };
	const cluster = await fake(t, { metrics: { gateway: { connections: 10 }, presence } });
	const { err } = await cluster.run("restore-after-redis-loss.sh", []);
	assert.match(err, /gateways hold 30 connections, presence knows 30: done/);
	await Promise.all([{ connections: 20 }, { settled: 0 }, { redis_away: 1 }].map(async (wrong) => {
		const other = await fake(t, { metrics: { gateway: { connections: 10 }, presence: { ...presence, ...wrong } } });
		await other.run("restore-after-redis-loss.sh", ["--timeout=1"], 1);
		assert.deepEqual(other.changes(), [], "nobody asked for a restart");
	}));
	// Nobody's count is not a count of nobody.
	const unlisted = await fake(t, { unlisted: { gateway: 1000 }, metrics: { presence: { ...presence, connections: 0 } } });
	await unlisted.run("restore-after-redis-loss.sh", ["--timeout=1"], 1);
	const other = await fake(t, { metrics: { gateway: { connections: 10 }, presence: { ...presence, connections: 0 } } });
	await other.run("restore-after-redis-loss.sh", ["--timeout=1", "--restart"], 1);
	assert.deepEqual(other.changes(), ["rollout restart statefulset/presence", "rollout status statefulset/presence --timeout=1s"]);
});

// ---- the bundle

// The names and texts of what a tar.gz holds.
function unpack(file) {
	const bytes = zlib.gunzipSync(fs.readFileSync(file));
	const files = new Map();
	for (let at = 0; at < bytes.length && bytes[at];) {
		const text = (from, length) => bytes.toString("utf8", at + from, at + from + length).replace(/\0.*$/s, "");
		const size = parseInt(text(124, 12), 8);
		if (text(156, 1) === "0")
			files.set(text(0, 100).replace(/^[^/]*\//, ""), bytes.toString("utf8", at + 512, at + 512 + size));
		at += 512 + Math.ceil(size / 512) * 512;
	}
	return files;
}

const JWT = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhbm4ifQ.c2lnbmF0dXJlIG9mIGl0";
const TOKEN = "AGkwZmFrZQ-_fakefakefakefakefakefakefakefakefakefakefakefakefakefakefak".slice(0, 71).padEnd(71, "x");
const HEX = "0f".repeat(32);

test("a bundle has what is needed, and no secret", async (t) => {
	const secrets = [JWT, TOKEN, HEX, "hunter2", "op3nsesame"];
	const cluster = await fake(t, {
		logs: [`event=x url="/hubs/chat?id=${TOKEN}&access_token=${JWT}"`, `Authorization: Bearer ${JWT}`, `token=${TOKEN} and ${HEX}`,
			`rows ${HEX} ${HEX} ${HEX}`, `rows ${TOKEN},${TOKEN} ${TOKEN}`, 'password: "hunter1,hunter2 hunter2" event=quoted',
			"password: 'hunter1 hunter2' event=single", "password=one,hunter2 event=bare", '{"a":"{\\"password\\":\\"x hunter2\\",\\"event\\":1}"}',
			'{"token":"hunter\\"hunter2","event":"escaped"}', 'password: "" event=empty',
			'{"password":"hunter2","event":"y"}', "redis://user:op3nsesame@host:6379", "event=link.up peer=router-1 incarnation=cd2c016a6d3e967b",
			""].join("\n"),
		objects: { configmaps: `requirepass hunter2\nmasterauth: hunter2\nlink_key_file = /run/secrets/heliograph/link.key\nkey: ${HEX}\n` },
	});
	const file = path.join(cluster.folder, "bundle.tar.gz");
	const { err } = await cluster.run("debug-bundle.sh", [`--output=${file}`]);
	assert.doesNotMatch(err, /could not be had/);
	assert.equal(fs.statSync(file).mode & 0o077, 0, "others may not read it");
	const files = unpack(file);
	const wanted = ["gateway-0/metrics.txt", "gateway-2/log.txt", "router-0/readyz.txt", "presence-1/log-before.txt", "api/cluster.json",
		"api/routers.json", "objects/configmaps.yaml", "objects/events.txt"];
	for (const name of wanted)
		assert.ok(files.get(name)?.length, `${name} of ${[...files.keys()]}`);
	const all = [...files.values()].join("\n");
	for (const secret of secrets)
		assert.ok(!all.includes(secret), `${secret} is in it`);
	for (const event of ["=quoted", "=single", "=bare", '\\":1}', '":"escaped"', '=empty'])
		assert.ok(all.includes(`event${event}`), `event${event} is not in it`);
	for (const kept of ["event=link.up peer=router-1 incarnation=cd2c016a6d3e967b", "/run/secrets/heliograph/link.key"])
		assert.ok(all.includes(kept), `${kept} is not in it`);
	assert.ok(!cluster.state().calls.some((words) => /^secrets?$/.test(words[1])), "Secrets are not even read");
});

test("files of one name are all in the bundle", async (t) => {
	const cluster = await fake(t);
	const files = ["a", "b"].map((folder) => path.join(cluster.folder, folder, "router.conf"));
	for (const file of files) {
		fs.mkdirSync(path.dirname(file));
		fs.writeFileSync(file, `name = ${file}\n`);
	}
	const bundle = path.join(cluster.folder, "bundle.tar.gz");
	await cluster.run("debug-bundle.sh", [`--output=${bundle}`, "--at=127.0.0.1:1", ...files.map((file) => `--conf=${file}`)]);
	const all = [...unpack(bundle).values()].join("\n");
	for (const file of files)
		assert.ok(all.includes(`name = ${file}`), all);
});
