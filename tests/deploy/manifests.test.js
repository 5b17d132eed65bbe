// SPDX-License-Identifier: Apache-2.0
// The manifests of deploy/kubernetes without a cluster: they render, are what the API knows,
// name only what is there, and start the programs with options that these take.
"use strict";

const assert = require("node:assert/strict");
const fs = require("node:fs");
const path = require("node:path");
const test = require("node:test");
const { clone, containers, find, ofKind, podOf, workloads } = require("./kit/objects.js");
const { knownOptions, optionProblems, programOf } = require("./kit/options.js");
const { expandList, referenceProblems } = require("./kit/references.js");
const { KUBERNETES, ROOT, compose, overlay, overlays, parse, secrets } = require("./kit/render.js");
const { fieldProblems, typeProblems } = require("./kit/schema.js");

// What the operator brings: a certificate, a Redis.
const OUTSIDE = ["edge-tls", "redis.example.internal"];
const WITH_ALL = { resources: ["../ha"], components: ["../../components/tls-internal", "../../components/monitoring"] };

const rendered = new Map(overlays().map((name) => [name, overlay(name)]));
rendered.set("ha with every component", compose(WITH_ALL));
const everySecret = secrets("--redis");

function gatewayOf(docs) {
	return podOf(find(docs, "Deployment", "gateway"));
}

for (const [name, docs] of rendered)
	test(`${name}: types, references and options hold`, () => {
		assert.deepEqual(typeProblems(docs), []);
		assert.deepEqual(referenceProblems([...docs, ...everySecret], OUTSIDE), []);
		let programs = 0;
		for (const workload of workloads(docs))
			for (const container of containers(workload).filter(programOf)) {
				assert.deepEqual(optionProblems(docs, workload, container), []);
				programs++;
			}
		assert.equal(programs, 3);
		const names = docs.map((doc) => `${doc.apiVersion} ${doc.kind} ${doc.metadata.name}`);
		assert.equal(new Set(names).size, names.length, "an object twice");
	});

test("no field is one that the API does not have", () => {
	const all = new Map([...rendered.values()].flat().map((doc) => [JSON.stringify(doc), doc]));
	assert.deepEqual(fieldProblems([...all.values(), ...everySecret]), []);
});

test("the checks of the schema find what is planted", () => {
	const docs = clone(rendered.get("ha"));
	gatewayOf(docs).terminationGracePeriodSecond = 90;
	find(docs, "HorizontalPodAutoscaler", "gateway").spec.behavior.scaleDown.policy = [];
	const fields = fieldProblems([find(docs, "Deployment", "gateway"), find(docs, "HorizontalPodAutoscaler", "gateway")]);
	assert.equal(fields.length, 2, fields.join("\n"));
	assert.match(fields.join("\n"), /Deployment\/gateway: .*terminationGracePeriodSecond/);
	assert.match(fields.join("\n"), /HorizontalPodAutoscaler\/gateway: .*policy/);

	for (const [plant, expected] of [
		[(all) => { gatewayOf(all).containers[0].ports[0].containerPort = "8080"; }, /Deployment\/gateway/],
		[(all) => delete find(all, "StatefulSet", "router").spec.selector, /StatefulSet\/router.*selector/],
		[(all) => { find(all, "NetworkPolicy", "router").apiVersion = "networking.k8s.io/v2"; }, /no schema for networking.k8s.io\/v2/],
		[(all) => { find(all, "NetworkPolicy", "router").kind = "NetworkPolice"; }, /no such kind/],
	]) {
		const copy = clone(rendered.get("ha"));
		plant(copy);
		assert.match(typeProblems(copy).join("\n"), expected);
	}
});

const MISSING = [
	["a Service's selector", (docs) => { find(docs, "Service", "gateway").spec.selector["app.kubernetes.io/component"] = "edge"; }, /Service\/gateway: its selector is that of 0/],
	["a Service's port", (docs) => { find(docs, "Service", "gateway").spec.ports[0].targetPort = "https"; }, /Service\/gateway: .* no port https/],
	["a workload's selector", (docs) => { find(docs, "Deployment", "gateway").spec.selector.matchLabels.x = "y"; }, /Deployment\/gateway: its selector is not that of its pods/],
	["a wide selector", (docs) => { find(docs, "Deployment", "gateway").spec.selector.matchLabels = { "app.kubernetes.io/name": "heliograph" }; }, /that of others' pods/],
	["a spread's selector", (docs) => { gatewayOf(docs).topologySpreadConstraints[0].labelSelector.matchLabels = { x: "y" }; }, /what spreads it/],
	["a StatefulSet's Service", (docs) => { find(docs, "StatefulSet", "router").spec.serviceName = "routers"; }, /routers is no headless Service/],
	["a budget's selector", (docs) => { find(docs, "PodDisruptionBudget", "router").spec.selector.matchLabels = { x: "y" }; }, /PodDisruptionBudget\/router: .* 0 workloads/],
	["who is scaled", (docs) => { find(docs, "HorizontalPodAutoscaler", "gateway").spec.scaleTargetRef.name = "gateways"; }, /scales gateways/],
	["a ConfigMap", (docs) => { find(docs, "ConfigMap", "router").metadata.name = "routers"; }, /ConfigMap router is not there/],
	["a ConfigMap's key", (docs) => delete find(docs, "ConfigMap", "cluster").data.presences, /ConfigMap cluster has no presences/],
	["a Secret", (docs) => { find(docs, "Secret", "clients").metadata.name = "client"; }, /Secret clients is not there/],
	["a Secret's key", (docs) => delete find(docs, "Secret", "redis").data["users.acl"], /Secret redis has no users.acl/],
	["a volume", (docs) => gatewayOf(docs).volumes.pop(), /mounts the volume secrets/],
	["a mount", (docs) => gatewayOf(docs).containers[0].volumeMounts.pop(), /nobody mounts the volume secrets/],
	["a claim", (docs) => gatewayOf(docs).volumes.push({ name: "data", persistentVolumeClaim: { claimName: "data" } }), /claim data is not there/],
	["an account", (docs) => { gatewayOf(docs).serviceAccountName = "gateways"; }, /ServiceAccount gateways/],
	["a priority", (docs) => { gatewayOf(docs).priorityClassName = "high"; }, /PriorityClass high/],
	["a variable before its use", (docs) => gatewayOf(docs).containers[0].env.reverse(), /HELIOGRAPH_PRESENCE names a variable/],
	["a probe's port", (docs) => { gatewayOf(docs).containers[0].livenessProbe.httpGet.port = "metrics"; }, /livenessProbe asks port metrics/],
	["a policy's pods", (docs) => { find(docs, "NetworkPolicy", "router").spec.podSelector.matchLabels = { x: "y" }; }, /NetworkPolicy\/router: selects nothing/],
	["a policy's own port", (docs) => { find(docs, "NetworkPolicy", "router").spec.ingress[0].ports[0].port = "links"; }, /StatefulSet\/router has no port links/],
	["a policy's peer", (docs) => { find(docs, "NetworkPolicy", "router").spec.ingress[0].from[0].podSelector.matchLabels = { x: "y" }; }, /a peer of it selects nothing/],
	["a policy's peer's port", (docs) => { find(docs, "NetworkPolicy", "router").spec.egress[1].ports[0].port = 7000; }, /StatefulSet\/presence has no port 7000/],
	["a file of an option", (docs) => { find(docs, "ConfigMap", "gateway").data["gateway.conf"] += "auth_jwks_file = /run/secrets/heliograph/jwks.json\n"; }, /nothing is mounted at .*jwks.json/],
	["a listener's port", (docs) => { find(docs, "ConfigMap", "gateway").data["gateway.conf"] += "listen = 0.0.0.0:8081\n"; }, /8081 is no port/],
	["a router's port", (docs) => { find(docs, "StatefulSet", "router").spec.template.spec.containers[0].ports[0].containerPort = 7001; }, /router-0.router has no port 7000/],
	["a router", (docs) => { find(docs, "StatefulSet", "router").spec.replicas = 4; }, /there are to be router-0,router-1,router-2,router-3/],
	["a Sentinel", (docs) => { find(docs, "StatefulSet", "sentinel").spec.replicas = 2; }, /there is no sentinel-2.sentinel/],
	["an Ingress's Service", (docs) => { find(docs, "Ingress", "hubs").spec.rules[0].http.paths[0].backend.service.name = "gateways"; }, /Service gateways is not there/, "edge-ingress"],
	["an Ingress's certificate", (docs) => { find(docs, "Ingress", "hubs").spec.tls[0].secretName = "tls"; }, /Secret tls is not there/, "edge-ingress"],
	["a route's listener", (docs) => { find(docs, "HTTPRoute", "hubs").spec.parentRefs[0].sectionName = "tls"; }, /no listener tls/, "edge-gateway-api"],
	["a route's Service", (docs) => { find(docs, "HTTPRoute", "hubs").spec.rules[0].backendRefs[0].port = 80; }, /Service gateway has no port 80/, "edge-gateway-api"],
	["a Gateway's certificate", (docs) => { find(docs, "Gateway", "edge").spec.listeners[1].tls.certificateRefs[0].name = "tls"; }, /Secret tls is not there/, "edge-gateway-api"],
	["a Redis that is somebody else's", (docs) => { find(docs, "ConfigMap", "redis-address").data.router = "redis://x@redis.example:6379"; }, /there is no redis.example/, "external-redis"],
	["a monitor's pods", (docs) => { find(docs, "PodMonitor", "heliograph").spec.selector.matchLabels = { x: "y" }; }, /PodMonitor\/heliograph: selects nothing/, "ha with every component"],
	["a monitor's port", (docs) => { find(docs, "PodMonitor", "heliograph").spec.podMetricsEndpoints[0].port = "metrics"; }, /has no port metrics/, "ha with every component"],
	["a Certificate's Secret", (docs) => { find(docs, "Certificate", "gateway").spec.secretName = "tls"; }, /Secret gateway-tls is not there/, "ha with every component"],
];

for (const [what, plant, expected, name = "ha"] of MISSING)
	test(`a reference that leads nowhere is found: ${what}`, () => {
		const docs = clone([...rendered.get(name), ...everySecret]);
		plant(docs);
		assert.match(referenceProblems(docs, OUTSIDE).join("\n"), expected);
	});

test("an option that no program has, or would not take, is found", () => {
	for (const [plant, expected] of [
		[(docs) => { find(docs, "ConfigMap", "gateway").data["gateway.conf"] += "conections_max = 1\n"; }, /conections_max/],
		[(docs) => { find(docs, "ConfigMap", "gateway").data["gateway.conf"] += "drain_timeout = 11m\n"; }, /drain_timeout/],
		[(docs) => gatewayOf(docs).containers[0].env.push({ name: "HELIOGRAPH_WORKER", value: "1" }), /no option worker/],
		[(docs) => gatewayOf(docs).containers[0].env.push({ name: "HELIOGRAPH_WORKERS", value: "many" }), /workers/],
		[(docs) => gatewayOf(docs).containers[0].args.push("--redis=redis://x"), /redis/],
		[(docs) => { gatewayOf(docs).containers[0].args[0] = "--conf=/etc/gateway.conf"; }, /is not mounted/],
	]) {
		const docs = clone(rendered.get("ha"));
		plant(docs);
		const workload = find(docs, "Deployment", "gateway");
		assert.match(optionProblems(docs, workload, podOf(workload).containers[0]).join("\n"), expected);
	}
});

// The jobs that rules and dashboard ask for are those that pods are scraped as.
test("Prometheus's jobs are those of the rules", () => {
	const docs = rendered.get("ha with every component");
	const [job] = find(docs, "PodMonitor", "heliograph").spec.podMetricsEndpoints[0].relabelings.filter((one) => one.targetLabel === "job");
	const jobs = workloads(docs).map((one) => one.spec.template.metadata.labels)
		.filter((labels) => labels["app.kubernetes.io/name"] === "heliograph")
		.map((labels) => job.replacement.replace("$1", labels["app.kubernetes.io/component"]));
	const rules = JSON.stringify(find(docs, "PrometheusRule", "heliograph").spec) +
		Object.values(find(docs, "ConfigMap", "heliograph-dashboard").data).join("");
	const asked = new Set([...rules.matchAll(/job=~?\\*"([^"\\]+)/g)].map(([, name]) => name).filter((name) => !name.includes("$")));
	assert.ok(asked.size > 0, "no rule asks for a job");
	const { rules: { custom } } = parse(fs.readFileSync(path.join(KUBERNETES, "components/monitoring/adapter.yaml"), "utf8"))[0];
	const scaledBy = find(docs, "HorizontalPodAutoscaler", "gateway").spec.metrics[0].pods.metric.name;
	assert.equal(custom[0].seriesQuery.split("{")[0], scaledBy, "the adapter serves something else");
	for (const name of asked)
		assert.ok(jobs.some((own) => new RegExp(`^(?:${name})$`).test(own)), `${name} is the job of nobody`);
});

// In any layer: an overlay on an overlay, too.
test("the number of routers, and of presences, stands in one place", () => {
	const docs = compose({ resources: ["../edge-ingress"], transformers: ["../../counts"],
		replicas: [{ name: "router", count: 5 }, { name: "presence", count: 3 }] });
	assert.deepEqual(referenceProblems([...docs, ...everySecret], OUTSIDE), []);
	assert.deepEqual(find(docs, "ConfigMap", "cluster").data, { routers: "5", presences: "3" });
	const changed = docs.filter((doc) => !rendered.get("edge-ingress").some((one) => JSON.stringify(one) === JSON.stringify(doc)));
	// No gateway or router is restarted by it.
	assert.deepEqual(changed.map((doc) => `${doc.kind}/${doc.metadata.name}`).sort(),
		["ConfigMap/cluster", "StatefulSet/presence", "StatefulSet/router"]);
	const before = find(rendered.get("edge-ingress"), "StatefulSet", "router");
	assert.deepEqual({ ...find(docs, "StatefulSet", "router").spec, replicas: 3 }, before.spec);
});

test("ranges are what the programs take them for", () => {
	assert.deepEqual(expandList("r-{0..<2}=tcp://r-{}.r:1,x=tcp://x:2").map(({ name, url }) => `${name}@${url}`),
		["r-0@tcp://r-0.r:1", "r-1@tcp://r-1.r:1", "x@tcp://x:2"]);
	assert.deepEqual(expandList("r{1..3}=u{}").map(({ name }) => name), ["r1", "r2", "r3"]);
	assert.deepEqual(expandList("r{0..<0}=u{}"), []);
});

test("Redis's users have the rights that the documentation tells", () => {
	const acl = Buffer.from(find(everySecret, "Secret", "redis").data["users.acl"], "base64").toString();
	for (const [file, user] of [["PRESENCE.md", "heliograph"], ["OPERATING.md", "heliograph-hubs"]]) {
		const told = new RegExp(`^ACL SETUSER ${user} on >secret (.*)$`, "m").exec(fs.readFileSync(path.join(ROOT, "docs", file), "utf8"));
		assert.match(acl, new RegExp(`^user ${user} on #[0-9a-f]{64} ${told[1].replace(/[.*+?^${}()|[\]\\]/g, "\\$&")}$`, "m"));
	}
});

test("secrets.sh makes other keys each time, long enough, for the namespace it is told", () => {
	const other = secrets("--namespace=other");
	assert.deepEqual(other.map((secret) => secret.metadata.name), ["link", "clients", "admin"]);
	assert.deepEqual([...new Set(other.map((secret) => secret.metadata.namespace))], ["other"]);
	const texts = [...other, ...everySecret].flatMap((secret) => Object.entries(secret.data))
		.filter(([key]) => key !== "users.acl").map(([, text]) => Buffer.from(text, "base64").toString().trimEnd());
	const passwords = ofKind(everySecret, "Secret").filter((secret) => secret.metadata.name !== "redis");
	assert.ok(texts.every((text) => /^[0-9a-f]{64}$/.test(text)), "not 32 bytes in hexadecimal");
	assert.equal(new Set(texts).size, texts.length, "a key twice");
	assert.ok(passwords.length > 0);
	assert.throws(() => secrets("--redsi"), /--redis, --namespace=NS or --help is meant/);
});

test("README.md tells the ports, Secrets and files that there are", () => {
	const text = fs.readFileSync(path.join(KUBERNETES, "README.md"), "utf8");
	for (const secret of everySecret)
		for (const word of [secret.metadata.name, ...Object.keys(secret.data)])
			assert.ok(text.includes(`\`${word}\``) || text.includes(word), `${word} is not told`);
	for (const workload of workloads(rendered.get("dev")))
		for (const { name, containerPort } of containers(workload)[0].ports)
			assert.match(text, new RegExp(`\`${name}\` ${containerPort}\\b`), `port ${name} of ${workload.metadata.name}`);
	for (const name of overlays())
		assert.ok(text.includes(`\`${name}\``), `overlay ${name} is not told`);
	assert.ok(knownOptions("heliograph-gateway").size > 50);
});
