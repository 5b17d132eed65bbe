// SPDX-License-Identifier: Apache-2.0
// The rendered manifests, run: overlay `ha` as pods on this machine, the demo page and official clients of all
// transports coming through the edge, and what operators do to it meanwhile with their scripts: gateways and routers
// are added and taken away, keys and the image change, a router dies, Redis loses all. Nothing that was accepted is
// lost or comes twice, and stateful clients do not notice.
"use strict";

const { describe, test, before, after } = require("node:test");
const assert = require("node:assert/strict");
const { execFileSync, spawn } = require("node:child_process");
const fs = require("node:fs");
const os = require("node:os");
const path = require("node:path");
const { Cluster, images, missing } = require("../../deploy/local/pods/cluster.js");
const { matrix } = require("../deploy/kit/network.js");
const { render } = require("../deploy/kit/render.js");
const { launch, Visitor } = require("../kit/browser.js");
const { freshRoom } = require("../kit/chat.js");
const { connect } = require("../kit/clients.js");
const { IMAGE, podman } = require("../kit/containers.js");
const { runScript } = require("../kit/script.js");
const { waitFor } = require("../kit/wait.js");
const { Helper } = require("../lab/helper.js");
const { check } = require("../lab/history.js");
const { words } = require("../lab/history_main.js");

const START_MS = 240000;
const SCRIPT_MS = 180000;
const FLOW_MS = 60000;
const STOP_MS = 150000;
const TRAFFIC = { clients: 36, users: 30, groups: 6, rate: 60, stateful_share: 0.5, sse_share: 0.3, longpolling_share: 0.3, retry_ms: 200 };
const ROOT = path.resolve(__dirname, "../..");
const COMPONENTS = ["gateway", "router", "presence", "redis", "sentinel"];
const GATEWAYS = "app.kubernetes.io/component=gateway";
const OURS = "app.kubernetes.io/name=heliograph";
const NEXT = `${IMAGE}-next`; // the same under another name
const KEYS = [["link", "link.key"], ["clients", "token.key"], ["redis-presence", "redis.password"]];
const EXACT_MS = 10000;
const PRE_STOP_MS = 9000; // a gateway's, before its drain begins
const RECONNECT = Array(100).fill(200);
const BUNDLE_BYTES_MAX = 64 << 20;
const CGROUPS = "/sys/fs/cgroup";

const skip = missing() || false;
let cluster;
let killed;

const gateways = async () => (await cluster.kubectl("get", "pods", "-l", GATEWAYS, "-o", "name")).trim().split("\n")
	.map((name) => name.replace("pod/", ""));
const admin = async (target) => {
	const response = await fetch(`${cluster.adminUrl}${target}`, { headers: { Authorization: `Bearer ${cluster.secret("admin", "admin.token")}` } });
	assert.equal(response.status, 200, target);
	return response.json();
};

const script = (name, ...args) => runScript(name, args, { env: cluster.env });
const map = async () => (await admin("/api/v1/cluster/routers"));
const routerCount = async () => JSON.parse(await cluster.kubectl("get", "statefulset/presence", "-o", "json")).spec.template.spec.containers[0].env
	.find(({ name }) => name === "ROUTER_COUNT").value;
const secret = async (name, key) => Buffer.from(JSON.parse(await cluster.kubectl("get", "secret", name, "-o", "json")).data[key], "base64")
	.toString().trim().split("\n");
// Of some pods' logs.
const events = (pods, name) => pods.flatMap((pod) => cluster.log(pod).split("\n")).filter((line) => line.includes(`"event":"${name}"`))
	.map((line) => JSON.parse(line));

// What a newcomer to a room is told of it.
async function talkOf(t, room) {
	const late = await connect(t, cluster.url);
	await late.invoke("JoinRoom", room);
	await late.until((client) => client.of("LoadMessages").length === 1, "the history");
	const [messages] = late.of("LoadMessages");
	await late.stop();
	return messages.map((message) => message.message);
}

// A cluster whose first pods run, killed as `kill -9` of `make cluster` does it: what it leaves.
async function killedCluster() {
	const child = spawn(process.execPath, [path.join(ROOT, "deploy/local/pods/cluster.js")],
		{ env: { ...process.env, PORT: "0", ADMIN_PORT: "0", OVERLAY: "deploy/kubernetes/overlays/dev" }, stdio: "ignore" });
	const found = await waitFor(() => {
		for (const entry of fs.readdirSync(os.tmpdir()).filter((one) => one.startsWith("heliograph-cluster."))) {
			const folder = path.join(os.tmpdir(), entry);
			const file = path.join(folder, "owner.json");
			const { pid, name } = fs.existsSync(file) ? JSON.parse(fs.readFileSync(file, "utf8")) : {};
			if (pid === child.pid && fs.readdirSync(path.join(folder, "pods"), { recursive: true }).some((one) => one.endsWith(".pid")))
				return { folder, name };
		}
		return null;
	}, START_MS, "a pod to run");
	child.kill("SIGKILL");
	await new Promise((resolve) => child.on("exit", resolve));
	return { ...found, groups: fs.readdirSync(CGROUPS).map((place) => path.join(CGROUPS, place, found.name)).filter(fs.existsSync) };
}

// Clients in a process of their own: tests/lab/traffic.js has its manual.
class Traffic {
	constructor(t, history) {
		const args = Object.entries({ ...TRAFFIC, history, urls: cluster.url }).map(([name, value]) => `--${name}=${value}`);
		this.helper = new Helper("traffic", [process.execPath, path.join(ROOT, "tests/lab/traffic.js"), ...args]);
		t.after(() => this.helper.kill());
	}

	async ask(line) {
		const said = await this.helper.ask(line, STOP_MS);
		return JSON.parse(/^\w+ ?(.*)$/.exec(said)[1] || "null");
	}

	start() {
		return this.helper.answer(START_MS, "its beginning");
	}

	// Everybody is connected, and messages are accepted still.
	async flows() {
		const { accepted } = await this.ask("status");
		await waitFor(async () => {
			const status = await this.ask("status");
			return status.up === TRAFFIC.clients && status.accepted > accepted + TRAFFIC.rate;
		}, FLOW_MS, "messages to flow");
	}
}

before(async () => {
	if (skip)
		return;
	await images();
	await podman("tag", IMAGE, NEXT);
	killed = await killedCluster();
	const said = [];
	cluster = new Cluster({ say: (line) => said.push(line) });
	await cluster.start();
}, { timeout: START_MS });
after(async () => {
	if (skip)
		return;
	await cluster?.stop();
	await podman("untag", IMAGE, NEXT);
});

describe("the manifests as pods", { skip }, () => {
	test("what a killed cluster left is gone", () => {
		assert.ok(killed.groups.length > 0, "it had control groups");
		assert.deepEqual([killed.folder, ...killed.groups].filter(fs.existsSync), []);
	});

	test("every pod has the rights and the memory that its manifest says", async () => {
		const pods = JSON.parse(await cluster.kubectl("get", "pods", "-o", "json")).items;
		const count = (component) => pods.filter(({ metadata }) => metadata.labels["app.kubernetes.io/component"] === component).length;
		assert.deepEqual(COMPONENTS.map(count), [3, 3, 2, 3, 3]);
		const [gateway] = await gateways();
		const metrics = await cluster.kubectl("get", "--raw", `/api/v1/namespaces/heliograph/pods/${gateway}:admin/proxy/metrics`);
		const [, limit] = /^gateway_memory_max_bytes (\S+)$/m.exec(metrics);
		assert.ok(Math.abs(Number(limit) - (512 << 20) * 0.8) < 1024, `${limit} is to be 80 % of the pod's limit`);
	});

	// tests/deploy reckons with the policies as they are written; here they are kept by packet filters.
	test("who may connect to whom is who can", async () => {
		const meant = new Set(matrix(render(path.join(ROOT, cluster.options.overlay))));
		const pods = JSON.parse(await cluster.kubectl("get", "pods", "-o", "json")).items;
		const of = (component) => pods.filter(({ metadata }) => metadata.labels["app.kubernetes.io/component"] === component);
		const asked = [];
		for (const from of [...COMPONENTS, "edge", "monitoring", "stranger"])
			for (const to of COMPONENTS)
				for (const { containerPort } of of(to)[0].spec.containers[0].ports) {
					const source = of(from)[0]?.metadata.name ?? from;
					const target = of(to).find(({ metadata }) => metadata.name !== source).metadata.name;
					asked.push({ row: `${from} -> ${to}:${containerPort}`, words: [source, target, String(containerPort)] });
				}
		const said = (await cluster.kubectl("reach", ...asked.flatMap(({ words: place }) => place))).trim().split("\n");
		const open = asked.filter((_, i) => said[i] !== "shut").map(({ row }) => row);
		assert.ok(asked.length >= 60 && open.length >= 10, `${open.length} of ${asked.length}`);
		assert.deepEqual(open.sort(), asked.map(({ row }) => row).filter((row) => meant.has(row)).sort());
	});

	test("two pages talk through the edge, and presence says who they are", async (t) => {
		const browser = await launch();
		t.after(() => browser.close());
		const [ada, grace] = await Promise.all([0, 1].map(() => Visitor.open(t, browser, `${cluster.url}/`)));
		const room = freshRoom();
		await ada.enter("Ada Lovelace", room);
		await grace.enter("Grace Hopper", room);
		await ada.say("From a pod to a pod.");
		await grace.untilMessage("From a pod to a pod.");
		await ada.untilRoster(["Ada Lovelace", "Grace Hopper"]);
		const { users } = await admin("/api/v1/users");
		assert.deepEqual(users.map(({ name }) => name).sort(), ["Ada Lovelace", "Grace Hopper"]);
		assert.deepEqual([...ada.complaints, ...grace.complaints], []);
	});

	test("kubectl's words for it", async () => {
		assert.equal(await cluster.kubectl("get", "statefulset/router", "-o", "jsonpath={.spec.replicas}"), "3");
		assert.equal(await cluster.kubectl("get", "deployment/gateway", "-o", "jsonpath={.spec.replicas}"), "3");
		const key = await cluster.kubectl("get", "secret", "clients", "-o", "jsonpath={.data.auth\\.key}");
		assert.equal(Buffer.from(key, "base64").toString().trim(), cluster.secret("clients", "auth.key"));
		assert.match(await cluster.kubectl("exec", "presence-0", "--", "/usr/sbin/heliograph-presence", "--version"), /^heliograph-presence /);
		await assert.rejects(cluster.kubectl("get", "pod", "nobody"), /pods "nobody" not found/);
		await assert.rejects(cluster.kubectl("rollout", "status", "deployment/nobody"), /not found/);
		await assert.rejects(cluster.kubectl("dance"), /knows apply/);
	});

	test("a changed ConfigMap is in the pods' files, and the old one is whole until then", async () => {
		const before = JSON.parse(await cluster.kubectl("get", "configmap", "gateway", "-o", "json"));
		const file = path.join(cluster.folder, "pods", (await gateways())[0], "volumes/conf/gateway.conf");
		const text = `${before.data["gateway.conf"]}# changed\n`;
		await cluster.kubectl("patch", "configmap", "gateway", "--type=merge", "-p", JSON.stringify({ data: { "gateway.conf": text } }));
		assert.equal(fs.readFileSync(file, "utf8"), text);
		assert.match(fs.readlinkSync(path.join(path.dirname(file), "..data")), /^\.\.\d+$/);
	});

	test("nothing is lost or doubled while operators' scripts change all of it", async (t) => {
		const history = path.join(cluster.folder, "history.jsonl");
		const traffic = new Traffic(t, history);
		await traffic.start();
		await traffic.flows();
		const step = async (name, does) => {
			await traffic.ask(`mark ${name}`);
			await t.test(name, does);
			await traffic.flows();
		};

		// What a rollout waits for besides readiness is there for larger stores, and slower nodes.
		for (const [name, seconds] of [["redis", 3], ["presence", 2]])
			await cluster.kubectl("patch", "statefulset", name, "--type=merge", "-p", `{"spec":{"minReadySeconds":${seconds}}}`);
		await step("keys, Redis's password, a gateway more, and a bundle of what there is to know", async () => {
			const before = Object.fromEntries(await Promise.all(KEYS.map(async (of) => [of, await secret(...of)])));
			const file = path.join(cluster.folder, "bundle.tar.gz");
			const [{ err }] = await Promise.all([
				script("scale-gateways.sh", "4").then(() => Promise.all(["link", "token"].map((kind) => script("rotate-keys.sh", kind))))
					.then(() => script("debug-bundle.sh", `--output=${file}`)),
				script("rotate-keys.sh", "redis-presence"),
			]);
			assert.equal((await gateways()).length, 4);
			assert.doesNotMatch(err, /could not be had/);
			const bundle = execFileSync("tar", ["-xzOf", file], { encoding: "utf8", maxBuffer: BUNDLE_BYTES_MAX });
			assert.match(bundle, /^gateway_connections /m);
			assert.match(bundle, /"event":"secret.reloaded"/);
			for (const of of KEYS) {
				const now = await secret(...of);
				assert.ok(now[0] !== before[of][0], `${of}: the first is new`);
				assert.deepEqual(now.slice(1), of[1] === "token.key" ? before[of] : [], `${of}: the old one`);
				for (const line of [...now, ...before[of]])
					assert.ok(!bundle.includes(line), `${of} is in the bundle`);
			}
		});

		await step("a router more, and two gateways fewer when that is over", async () => {
			const four = await gateways();
			const grown = script("scale-routers.sh", "4");
			await waitFor(async () => await routerCount() === "4", SCRIPT_MS, "presence to be told");
			const fewer = script("scale-gateways.sh", "2");
			await grown;
			const { epoch, routers } = await map();
			assert.equal(routers.length, 4);
			await fewer;
			const left = await gateways();
			assert.equal(left.length, 2);
			const stable = Math.min(...events(["presence-0", "presence-1"], "shards.stable").filter((event) => event.epoch === epoch)
				.map(({ time }) => Date.parse(time)));
			const drains = events(four.filter((pod) => !left.includes(pod)), "drain.start").map(({ time }) => Date.parse(time));
			assert.equal(drains.length, 2);
			assert.ok(drains.every((time) => time > stable + PRE_STOP_MS), `${drains} with the routers at rest from ${stable} on`);
		});

		await step("kill -9 of router-1", async () => {
			await cluster.kubectl("kill", "router-1", "KILL");
			await waitFor(async () => /^router-1 +1\/1 +Running +1 /m.test(await cluster.kubectl("get", "pods")), 60000, "router-1 to be back");
		});

		await step("Redis's loss", async () => {
			const room = freshRoom();
			const ada = await connect(t, cluster.url, { userId: "ada", reconnect: RECONNECT });
			// The router that has just begun anew confirms nothing before the gateways that went shortly before are forgotten.
			await waitFor(() => ada.invoke("JoinRoom", room).then(() => true), FLOW_MS, "a room");
			await ada.invoke("SendMessage", room, "before");
			assert.deepEqual(await talkOf(t, room), ["before"]);
			await Promise.all([0, 1, 2].map((i) => cluster.kubectl("kill", `redis-${i}`, "KILL")));
			assert.match((await script("restore-after-redis-loss.sh")).err, /: done/);
			const users = Array.from({ length: TRAFFIC.users }, (_, i) => `tu${i}`);
			await waitFor(async () => {
				const said = await admin("/api/v1/users?limit=1000");
				assert.deepEqual(said.users.map(({ userId }) => userId).sort(), [...users, "ada"].sort());
				return true;
			}, EXACT_MS, "who is online to be exact");
			await waitFor(async () => /gateways hold (\d+) connections, presence knows \1\n/.test((await script("restore-after-redis-loss.sh", "--dry-run")).err),
				EXACT_MS, "presence to know as many connections as gateways hold");
			assert.deepEqual(await talkOf(t, room), [], "what a hub kept is gone");
			await ada.invoke("SendMessage", room, "after");
			assert.deepEqual(await talkOf(t, room), ["after"]);
			await ada.stop();
		});

		await step("two routers fewer", async () => {
			await script("scale-routers.sh", "2");
			const { phase, routers } = await map();
			assert.deepEqual([phase, routers.map(({ name }) => name).sort()], ["stable", ["router-0", "router-1"]]);
			assert.equal(await cluster.kubectl("get", "configmap", "cluster", "-o", "jsonpath={.data.routers}"), "2");
		});

		await step("another image", async () => {
			await script("rolling-upgrade.sh", NEXT);
			const pods = JSON.parse(await cluster.kubectl("get", "pods", "-l", OURS, "-o", "json")).items
				.filter(({ metadata }) => !metadata.deletionTimestamp);
			assert.equal(pods.length, 2 + 2 + 2);
			assert.deepEqual([...new Set(pods.map(({ spec }) => spec.containers[0].image))], [NEXT]);
		});

		const { answered, arrived, quiet } = await traffic.ask("stop");
		await traffic.ask("close");
		const verdict = check([history]);
		t.diagnostic(words(verdict));
		assert.deepEqual([answered, arrived, quiet], [true, true, true]);
		assert.ok(verdict.ok, words(verdict));
		assert.equal(verdict.ends.lost_stateful, 0, "no stateful connection was lost");
		const live = await gateways();
		const ended = cluster.pods.filter((pod) => pod.startsWith("gateway-") && !live.includes(pod));
		await waitFor(async () => !/Terminating/.test(await cluster.kubectl("get", "pods")), SCRIPT_MS, "the last to end");
		const drains = events(ended, "drain.over");
		assert.equal(drains.length, ended.length);
		for (const drain of drains)
			assert.deepEqual([drain.cut, drain.failed], [0, 0], JSON.stringify(drain));
	});
});
