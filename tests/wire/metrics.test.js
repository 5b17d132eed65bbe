// SPDX-License-Identifier: Apache-2.0
// /metrics of every program: what promtool thinks of it, what the documentation says of it,
// and the two metrics that ASP.NET Core has as well.
"use strict";

const { describe, test, before, after, afterEach } = require("node:test");
const assert = require("node:assert/strict");
const fs = require("node:fs");
const path = require("node:path");
const { spawnSync } = require("node:child_process");
const { sharedCluster, withCluster } = require("../kit/cluster.js");
const { connect, signalR } = require("../kit/clients.js");
const { rawClient } = require("../kit/chat.js");
const { readyPoller } = require("../kit/poll.js");
const { ROOT, buildFolder } = require("../kit/program.js");
const { waitFor } = require("../kit/wait.js");

const WAIT_MS = 10000;
const ACTIVE = "signalr_server_active_connections";
const DURATION = "signalr_server_connection_duration_seconds";
const STATUSES = ["normal_closure", "timeout", "app_shutdown"];
const TRANSPORTS = ["web_sockets", "server_sent_events", "long_polling"];

// What it complains of; "" when all is well.
function promtool(text) {
	const { error, status, stdout, stderr } = spawnSync("promtool", ["check", "metrics"], { input: text });
	if (error)
		throw new Error(`promtool does not run (deploy/deps.sh test installs it): ${error.message}`);
	const said = `${stdout}${stderr}`;
	assert.equal(status === 0, said === "", `promtool ended with ${status} and said: ${said}`);
	return said;
}

function run(script) {
	const { status, stdout, stderr } = spawnSync(path.join(ROOT, script), [buildFolder()], { encoding: "utf8" });
	assert.equal(status, 0, stderr);
	return stdout;
}

const page = (name) => fs.readFileSync(path.join(ROOT, "docs", name), "utf8");

// Every series of the SignalR metrics that has counted: "web_sockets normal_closure" -> n.
async function durations(cluster) {
	const metrics = await cluster.metrics("g1");
	const counted = {};
	for (const status of STATUSES)
		for (const transport of TRANSPORTS) {
			const n = metrics.get(`${DURATION}_count{signalr_connection_status="${status}",signalr_transport="${transport}"}`);
			if (n !== 0)
				counted[`${transport} ${status}`] = n;
		}
	return counted;
}

async function active(cluster) {
	const metrics = await cluster.metrics("g1");
	return TRANSPORTS.map((transport) => metrics.get(`${ACTIVE}{signalr_transport="${transport}"}`));
}

const untilActive = (cluster, expected) => waitFor(async () =>
	assert.deepEqual(await active(cluster), expected) ?? true, WAIT_MS, `${expected} active connections`);
const untilDurations = (cluster, expected) => waitFor(async () =>
	assert.deepEqual(await durations(cluster), expected) ?? true, WAIT_MS, JSON.stringify(expected));

describe("metrics", () => {
	const cluster = sharedCluster({ before, after, afterEach }, { gateways: 1, routers: 2 });

	test("promtool complains of what is wrong", () => {
		assert.match(promtool("# HELP a_b A.\n# TYPE a_b counter\na_b 1\n"), /_total/);
		assert.match(promtool("# TYPE a_b gauge\na_b 1\n"), /help/);
		assert.match(promtool("# HELP aB A.\n# TYPE aB gauge\naB 1\n"), /camelCase/);
		assert.match(promtool("# HELP a_ms A.\n# TYPE a_ms gauge\na_ms 1\n"), /unit/);
	});

	for (const name of ["g1", "r1", "p1"])
		test(`and not of ${name}'s`, async (t) => {
			const client = await connect(t, cluster().urls[0]);
			await client.invoke("JoinRoom", "metrics");
			const response = await cluster().admin(name, "/metrics");
			assert.equal(response.headers.get("content-type"), "text/plain; version=0.0.4; charset=utf-8");
			assert.equal(promtool(await response.text()), "");
		});

	test("a histogram's buckets grow, and the last is its count", async () => {
		const metrics = await cluster().metrics("g1");
		const last = new Map();
		let buckets = 0;
		for (const [series, value] of metrics) {
			const bucket = /^(\w+)_bucket\{(.*),?le="([^"]*)"\}$/.exec(series);
			if (!bucket)
				continue;
			const labels = bucket[2].replace(/,$/, "");
			const key = labels === "" ? bucket[1] : `${bucket[1]}{${labels}}`;
			assert.ok(value >= (last.get(key) ?? 0), series);
			last.set(key, value);
			buckets++;
			if (bucket[3] === "+Inf")
				assert.equal(value, metrics.get(labels === "" ? `${bucket[1]}_count` : `${bucket[1]}_count{${labels}}`), series);
		}
		assert.ok(buckets > 100);
	});
});

describe("documentation", () => {
	test("docs/METRICS.md has what the programs have: docs/metrics.sh --write", () => {
		// Older kernels do not count descriptors.
		const lines = (text) => text.split("\n").filter((line) => !line.startsWith("| `process_open_fds` |"));
		assert.deepEqual(lines(run("docs/metrics.sh")), lines(page("METRICS.md")));
	});

	test("no page names a metric that is not there", () => {
		const known = new Set([...page("METRICS.md").matchAll(/^\| `(\w+)` \|/gm)].map((match) => match[1]));
		const unknown = [];
		assert.ok(known.size > 100);
		for (const name of ["OPERATING.md", "RUNBOOK.md", "ARCHITECTURE.md", "WIRE.md"])
			for (const [, metric, prefix] of page(name).matchAll(/`((gateway|router|presence|\*|signalr)_[a-z_]+)(?:\{[^`]*\})?`/g)) {
				const names = prefix === "*" ? ["gateway", "router", "presence"].map((one) => metric.replace("*", one)) : [metric];
				if (!names.some((one) => known.has(one)))
					unknown.push(`${name}: ${metric}`);
			}
		assert.deepEqual(unknown, []);
	});
});

describe("ASP.NET Core's", () => {
	const cluster = sharedCluster({ before, after, afterEach }, { gatewayArgs: ["--disconnect_timeout=500ms"] });

	test("every series is there from the start, at 0", async () => {
		assert.deepEqual(await active(cluster()), [0, 0, 0]);
		assert.deepEqual(await durations(cluster()), {});
	});

	test("bounds, type and help are those of OpenTelemetry's conventions", async () => {
		const text = await (await cluster().admin("g1", "/metrics")).text();
		const labels = 'signalr_connection_status="timeout",signalr_transport="long_polling"';
		const bounds = [...text.matchAll(new RegExp(`^${DURATION}_bucket\\{${labels},le="([^"]+)"\\}`, "gm"))].map((match) => match[1]);
		assert.deepEqual(bounds, ["0.01", "0.02", "0.05", "0.1", "0.2", "0.5", "1", "2", "5", "10", "30", "60", "120", "300", "+Inf"]);
		assert.match(text, new RegExp(`^# HELP ${DURATION} The duration of connections on the server\\.\n# TYPE ${DURATION} histogram\n`, "m"));
		assert.match(text, new RegExp(`^# HELP ${ACTIVE} Number of connections that are currently active on the server\\.\n# TYPE ${ACTIVE} gauge\n`, "m"));
	});

	test("a client of each transport is active, then one of its duration", async (t) => {
		const { WebSockets, ServerSentEvents, LongPolling } = signalR.HttpTransportType;
		const clients = [];
		for (const transport of [WebSockets, ServerSentEvents, LongPolling])
			clients.push(await connect(t, cluster().urls[0], { http: { transport } }));
		clients.push(await connect(t, cluster().urls[0]));
		assert.deepEqual(await active(cluster()), [2, 1, 1]);
		for (const client of clients)
			await client.stop();
		await untilActive(cluster(), [0, 0, 0]);
		assert.deepEqual(await durations(cluster()), { "web_sockets normal_closure": 2,
			"server_sent_events normal_closure": 1, "long_polling normal_closure": 1 });
	});

	test("a client that polls no more is a timeout, of at least disconnect_timeout", async (t) => {
		const before = await durations(cluster());
		await readyPoller(t, cluster().addresses[0]);
		await untilDurations(cluster(), { ...before, "long_polling timeout": 1 });
		const metrics = await cluster().metrics("g1");
		const labels = 'signalr_connection_status="timeout",signalr_transport="long_polling"';
		assert.ok(metrics.get(`${DURATION}_sum{${labels}}`) >= 0.5);
		assert.equal(metrics.get(`${DURATION}_bucket{${labels},le="0.2"}`), 0);
	});

	test("a socket that breaks is a normal closure", async (t) => {
		const before = await durations(cluster());
		const raw = await rawClient(t, cluster().addresses[0]);
		raw.destroy();
		await untilDurations(cluster(), { ...before, "web_sockets normal_closure": before["web_sockets normal_closure"] + 1 });
	});

	test("a gateway that ends is app_shutdown", async (t) => {
		await withCluster({}, async (other) => {
			// It does not answer the Close: the gateway waits for it, and can be asked.
			await rawClient(t, other.addresses[0]);
			other.program("g1").signal("SIGTERM");
			await untilDurations(other, { "web_sockets app_shutdown": 1 });
			assert.deepEqual(await active(other), [0, 0, 0]);
		});
	});
});
