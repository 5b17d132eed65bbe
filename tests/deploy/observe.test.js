// SPDX-License-Identifier: Apache-2.0
// deploy/monitoring against a cluster under load and faults: every panel of the dashboard
// shows something, every rule can be evaluated and finds what it asks for, and what is
// broken here is told. Then the files themselves: names, runbook, unit tests.
"use strict";

const { describe, test, before, after, afterEach } = require("node:test");
const assert = require("node:assert/strict");
const fs = require("node:fs");
const path = require("node:path");
const { spawnSync } = require("node:child_process");
const { Cluster } = require("../kit/cluster.js");
const { connect, signalR } = require("../kit/clients.js");
const { startRedis } = require("../kit/redis.js");
const { waitFor, within } = require("../kit/wait.js");
const { MONITORING, Prometheus, promtool } = require("./kit/prometheus.js");

const WAIT_MS = 60000;
const SAY_MS = 50;
const ANSWER_MS = 10000;
const DOCS = path.resolve(__dirname, "../../docs");
const COUNTS = { gateways: 3, routers: 2, presences: 2 };
// The end of tests is where clients are stopped.
const LATER = { after: () => {} };
const METRIC = /\b(?:gateway|router|presence|process|heliograph|signalr)[a-z0-9_:]*(?:\{[^}]*\})?|\bup(?:\{[^}]*\})/g;

const dashboard = JSON.parse(fs.readFileSync(path.join(MONITORING, "dashboard.json"), "utf8"));
const queries = dashboard.panels.flatMap((panel) => (panel.targets ?? []).map(({ expr }) => ({ title: panel.title, expr })));
const read = (name) => fs.readFileSync(path.join(MONITORING, name), "utf8");

// As Grafana fills them in, with everything chosen.
function filled(expr) {
	return expr.replaceAll("$__rate_interval", "20s").replaceAll(/\$(cluster|namespace|instance)/g, ".*");
}

// What an expression asks for, with its labels; those that it groups by are no metrics.
function selectorsOf(expr) {
	return expr.replaceAll(/\b(by|ignoring|on) \([^)]*\)/g, "").match(METRIC) ?? [];
}

// "gateway_close_total{reason="slow"}" -> "gateway_close_total"
const nameOf = (selector) => selector.replace(/\{.*/, "");

function documented() {
	const page = fs.readFileSync(path.join(DOCS, "METRICS.md"), "utf8");
	return new Map([...page.matchAll(/^\| `(\w+)` \| (\w+)/gm)].map(([, name, type]) => [name, type]));
}

function isDocumented(name, known) {
	return name === "up" || known.has(name) || known.get(name.replace(/_(bucket|sum|count)$/, "")) === "histogram";
}

// What GitHub makes of the headings of a page.
function anchors(page) {
	const text = fs.readFileSync(page, "utf8");
	return new Set([...text.matchAll(/^#+ (.*)$/gm)].map(([, title]) =>
		title.toLowerCase().replaceAll(/[^\w\- ]/g, "").replaceAll(" ", "-")));
}

describe("a cluster that is watched", () => {
	let redis = null;
	let cluster = null;
	let prometheus = null;
	const clients = [];
	let talking = null;

	function jobs() {
		const of = (prefix, n) => Array.from({ length: n }, (_, i) => `${prefix}${i + 1}`)
			.map((name) => [name, cluster.program(name).ready.admin]);
		return { "heliograph-gateway": of("g", COUNTS.gateways), "heliograph-router": of("r", COUNTS.routers),
			"heliograph-presence": of("p", COUNTS.presences) };
	}

	// Clients of every transport; those with stateful reconnect move when their gateway drains.
	async function populate() {
		const { WebSockets, ServerSentEvents, LongPolling } = signalR.HttpTransportType;
		for (const url of cluster.urls) {
			for (const transport of [WebSockets, ServerSentEvents, LongPolling])
				clients.push(await connect(LATER, url, { http: { transport } }));
			clients.push(await connect(LATER, url, { stateful: true, reconnect: [0, 200, 500, 1000] }));
		}
		await Promise.all(clients.map((client) => client.invoke("JoinRoom", "watched")));
	}

	// Whoever is connected says something, now and then; and there are some who come and go.
	function talk() {
		let isOver = false;
		const lanes = [...clients.keys(), -1].map(async (i) => {
			for (let n = 0; !isOver; n++) {
				// An official client that lost its gateway may leave a call without an end.
				await within(i >= 0 ? clients[i].invoke("SendMessage", "watched", `${i}:${n}`) : visit(), ANSWER_MS, "an answer")
					.catch(() => {});
				await new Promise((resolve) => setTimeout(resolve, SAY_MS));
			}
		});
		return { stop: async () => {
			isOver = true;
			await Promise.all(clients.map((client) => client.stop().catch(() => {})));
			await within(Promise.all(lanes), WAIT_MS, "the end of all that was said");
		} };
	}

	async function visit() {
		const client = await connect(LATER, cluster.urls[0]);
		await client.invoke("JoinRoom", "watched");
		await client.stop();
	}

	const untilAlert = (name) => waitFor(async () => (await prometheus.alerts()).includes(name), WAIT_MS, name);
	const untilNoAlert = (name) => waitFor(async () => !(await prometheus.alerts()).includes(name), WAIT_MS, `an end of ${name}`);

	before(async () => {
		redis = await startRedis();
		cluster = new Cluster({ ...COUNTS, redis: redis.url(), hubRedis: redis.url(),
			gatewayArgs: ["--stateful_reconnect=on", "--drain_delay=0", "--drain_timeout=20s"] });
		await cluster.start();
		prometheus = new Prometheus(jobs());
		await prometheus.start();
		await populate();
		talking = talk();
	});
	afterEach((context) => {
		if (context?.passed === false)
			console.error(`${cluster.logs()}\n${prometheus.log}`);
	});
	after(async () => {
		await prometheus?.stop();
		await talking?.stop();
		await cluster?.stop();
		await redis?.stop();
	});

	test("every panel shows something", async () => {
		for (const { title, expr } of queries)
			await waitFor(async () => (await prometheus.query(filled(expr))).some(({ value }) => !Number.isNaN(value)),
				WAIT_MS, `data of the panel "${title}": ${filled(expr)}`);
	});

	test("the variables of the page find the processes", async () => {
		const names = dashboard.templating.list.filter((one) => one.type === "query").map((one) => one.query.query);
		assert.deepEqual(names, ["cluster", "namespace", "instance"].map((name) => `label_values(heliograph_build_info, ${name})`));
		const found = await prometheus.query("heliograph_build_info");
		assert.deepEqual(found.map(({ metric }) => metric.instance).sort(), ["g1", "g2", "g3", "p1", "p2", "r1", "r2"]);
	});

	test("every rule can be evaluated, and what it asks for is there", async () => {
		const rules = await waitFor(async () => {
			const all = await prometheus.rules();
			return all.every((rule) => rule.health === "ok") && all;
		}, WAIT_MS, "rules that were evaluated").catch(async (error) => {
			const bad = (await prometheus.rules()).filter((rule) => rule.health !== "ok");
			throw new Error(`${error.message}: ${bad.map((rule) => `${rule.name}: ${rule.health} ${rule.lastError ?? ""}`)}`);
		});
		const selectors = new Set(rules.flatMap((rule) => selectorsOf(rule.query)));
		assert.ok(selectors.size > 60, `${selectors.size} selectors`);
		for (const selector of selectors) {
			// Of these nobody has had a day.
			const last = `last_over_time(${selector}[5m])`;
			await waitFor(async () => (await prometheus.query(last)).length > 0, WAIT_MS, `data of ${selector}`);
		}
	});

	test("while all is well no alert is on its way", async () => {
		await waitFor(async () => (await prometheus.query('ALERTS{alertname=~"Heliograph.+"}')).every(({ metric }) =>
			// A machine that is busy with other tests may stall.
			["HeliographStalls", "HeliographBusy", "HeliographCallsSlow"].includes(metric.alertname)), WAIT_MS, "no alert");
	});

	test("a gateway that drains is shown to", async () => {
		const drained = cluster.program("g3");
		drained.signal("SIGTERM");
		await waitFor(async () => (await prometheus.query("max_over_time(gateway_drain_begin_seconds[1m]) > 0")).length > 0
			|| drained.exit !== null, WAIT_MS, "a drain that is seen, or over");
		await drained.ended;
		assert.equal(drained.exit.code, 0);
		await untilAlert("HeliographDown g3");
		const arrived = "sum(max_over_time(gateway_arrival_done_total[5m]))";
		await waitFor(async () => (await prometheus.query(arrived))[0].value >= 1, WAIT_MS, "a connection that was handed over");
	});

	test("a gateway that is killed is told of", async () => {
		await cluster.kill("g2");
		await untilAlert("HeliographDown g2");
		await untilAlert("HeliographLinkDown r1");
		await untilAlert("HeliographProcessLost");
		await cluster.restart("g2");
		await untilNoAlert("HeliographDown g2");
	});

	test("a Redis that stands still is told of, and then that it is well", async () => {
		redis.master.pause();
		const told = ["p1", "p2"].map((name) => `HeliographRedisAway ${name}`);
		for (const name of told)
			await untilAlert(name);
		await waitFor(async () => (await prometheus.query("presence_store_waiting_since_seconds > 0")).length > 0
			|| clients[0].invoke("JoinRoom", "another").catch(() => {}), WAIT_MS, "a change that waits");
		redis.master.resume();
		for (const name of told)
			await untilNoAlert(name);
	});

	test("then the panels show it all the same", async () => {
		const panel = (title) => filled(queries.find((query) => query.title === title).expr);
		await waitFor(async () => (await prometheus.query(panel("Processes that do not answer")))[0]?.value === 1, WAIT_MS,
			"one process that does not answer");
		const lost = "sum(max_over_time(presence_redis_away[5m]))";
		assert.ok((await prometheus.query(lost))[0].value >= 2);
	});
});

describe("the files", () => {
	test("generate.sh makes no others", () => {
		const { status, stderr } = spawnSync(path.join(MONITORING, "generate.sh"), ["--check"], { encoding: "utf8" });
		assert.equal(status, 0, stderr);
	});

	test("promtool has nothing to say about rules and configuration", () => {
		for (const [what, file] of [["rules", "rules.yaml"], ["config", "prometheus.yml"]]) {
			const { status, said } = promtool("check", what, path.join(MONITORING, file));
			assert.equal(status, 0, said);
		}
	});

	test("every metric is one of docs/METRICS.md", () => {
		const known = documented();
		const recorded = new Set([...read("rules.yaml").matchAll(/record: (\S+)/g)].map((match) => match[1]));
		const exprs = [...queries.map((query) => query.expr), ...read("rules.yaml").match(/(?<=expr: )(?:\|\n(?: {6}.*\n)+|.*)/g)];
		const names = new Set(exprs.flatMap((expr) => selectorsOf(expr).map(nameOf)));
		assert.ok(names.size > 100, `${names.size} names`);
		assert.deepEqual([...names].filter((name) => !recorded.has(name) && !isDocumented(name, known)), []);
	});

	test("every alert has its entry in the runbook, and every entry its alert", () => {
		const alerts = [...read("rules.yaml").matchAll(/alert: (\w+)$[^]*?runbook_url: docs\/(\S+)#(\S+)$/gm)];
		const names = read("rules.yaml").match(/(?<=alert: )\w+/g);
		assert.deepEqual(alerts.map((match) => match[1]), names);
		for (const [, name, page, anchor] of alerts) {
			assert.equal(anchor, name.toLowerCase());
			assert.ok(anchors(path.join(DOCS, page)).has(anchor), `docs/${page} has no heading #${anchor}`);
		}
		const entries = fs.readFileSync(path.join(DOCS, "RUNBOOK.md"), "utf8").match(/(?<=^### )Heliograph\w+$/gm);
		assert.deepEqual([...entries].sort(), [...names].sort());
	});

	test("every alert has a unit test in which it fires, and one in which it is silent", () => {
		const tests = read("rules_test.yaml") + read("rules_test_long.yaml");
		const samples = new Map([...tests.matchAll(/alertname="(\w+)",alertstate="firing",cluster="(.*)"\}\)\n.*\n +exp_samples: (.*)\n/g)]
			.map(([, name, as, sample]) => {
				assert.ok(as.startsWith(`${name} `) && tests.includes(`{cluster="${as}",`), `the test "${as}" of ${name}`);
				return [as, sample];
			}));
		for (const name of read("rules.yaml").match(/(?<=alert: )\w+/g)) {
			assert.match(samples.get(`${name} fires`) ?? "no test", /^\[\{labels: '\{\}', value: [1-9]\}\]$/, `${name} never fires`);
			assert.equal(samples.get(`${name} silent`), "[]", `${name} is never silent`);
		}
	});

	for (const file of ["rules_test.yaml", "rules_test_long.yaml"])
		test(`${file} passes`, () => {
			const { status, said } = promtool("test", "rules", path.join(MONITORING, file));
			assert.equal(status, 0, said);
		});
});
