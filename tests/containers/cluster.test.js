// SPDX-License-Identifier: Apache-2.0
// The rendered manifests, run: overlay `ha` as pods on this machine, the demo page and official clients of all
// transports coming through the edge, and what operators do to it meanwhile: gateways are added, replaced and
// taken away, a router dies. Nothing that was accepted is lost or comes twice, and stateful
// clients do not notice.
"use strict";

const { describe, test, before, after } = require("node:test");
const assert = require("node:assert/strict");
const fs = require("node:fs");
const path = require("node:path");
const { Cluster, images, missing } = require("../../deploy/local/pods/cluster.js");
const { matrix } = require("../deploy/kit/network.js");
const { render } = require("../deploy/kit/render.js");
const { launch, Visitor } = require("../kit/browser.js");
const { freshRoom } = require("../kit/chat.js");
const { waitFor } = require("../kit/wait.js");
const { Helper } = require("../lab/helper.js");
const { check } = require("../lab/history.js");
const { words } = require("../lab/history_main.js");

const START_MS = 240000;
const ROLLOUT = "--timeout=180s";
const FLOW_MS = 60000;
const STOP_MS = 150000;
const TRAFFIC = { clients: 36, users: 30, groups: 6, rate: 60, stateful_share: 0.5, sse_share: 0.3, longpolling_share: 0.3, retry_ms: 200 };
const ROOT = path.resolve(__dirname, "../..");
const COMPONENTS = ["gateway", "router", "presence", "redis", "sentinel"];
const GATEWAYS = "app.kubernetes.io/component=gateway";

const skip = missing() || false;
let cluster;

const gateways = async () => (await cluster.kubectl("get", "pods", "-l", GATEWAYS, "-o", "name")).trim().split("\n")
	.map((name) => name.replace("pod/", ""));
const admin = async (target) => {
	const response = await fetch(`${cluster.adminUrl}${target}`, { headers: { Authorization: `Bearer ${cluster.secret("admin", "admin.token")}` } });
	assert.equal(response.status, 200, target);
	return response.json();
};

// Until pods that were told to end have ended.
async function gone(pods) {
	for (const pod of pods)
		await waitFor(async () => !(await gateways()).includes(pod), 180000, `the end of ${pod}`);
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
	const said = [];
	cluster = new Cluster({ say: (line) => said.push(line) });
	await cluster.start();
}, { timeout: START_MS });
after(() => cluster?.stop());

describe("the manifests as pods", { skip }, () => {
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

	test("nothing is lost or doubled while gateways come and go and a router dies", async (t) => {
		const history = path.join(cluster.folder, "history.jsonl");
		const traffic = new Traffic(t, history);
		await traffic.start();
		await traffic.flows();

		await traffic.ask("mark gateways 3 -> 5");
		await cluster.kubectl("scale", "deployment/gateway", "--replicas=5");
		await cluster.kubectl("rollout", "status", "deployment/gateway", ROLLOUT);
		await traffic.flows();

		await traffic.ask("mark rolling restart of gateways");
		const old = await gateways();
		await cluster.kubectl("rollout", "restart", "deployment/gateway");
		await cluster.kubectl("rollout", "status", "deployment/gateway", ROLLOUT);
		await gone(old);
		await traffic.flows();

		await traffic.ask("mark kill -9 of router-1");
		await cluster.kubectl("kill", "router-1", "KILL");
		await waitFor(async () => /^router-1 +1\/1 +Running +1 /m.test(await cluster.kubectl("get", "pods")), 60000, "router-1 to be back");
		await traffic.flows();

		await traffic.ask("mark gateways 5 -> 2");
		const five = await gateways();
		await cluster.kubectl("scale", "deployment/gateway", "--replicas=2");
		await waitFor(async () => (await gateways()).length === 2, 180000, "three gateways to end");
		const left = await gateways();
		await traffic.flows();

		const { answered, arrived, quiet } = await traffic.ask("stop");
		await traffic.ask("close");
		const verdict = check([history]);
		t.diagnostic(words(verdict));
		assert.deepEqual([answered, arrived, quiet], [true, true, true]);
		assert.ok(verdict.ok, words(verdict));
		assert.equal(verdict.ends.lost_stateful, 0, "no stateful connection was lost");
		const ended = [...old, ...five.filter((pod) => !left.includes(pod))];
		const drains = ended.flatMap((pod) => cluster.log(pod).split("\n")).filter((line) => line.includes('"event":"drain.over"'))
			.map((line) => JSON.parse(line));
		assert.equal(drains.length, old.length + five.length - 2);
		for (const drain of drains)
			assert.deepEqual([drain.cut, drain.failed], [0, 0], JSON.stringify(drain));
	});
});
