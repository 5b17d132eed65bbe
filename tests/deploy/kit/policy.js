// SPDX-License-Identifier: Apache-2.0
// Rules that manifests keep, each with a change that breaks it: a rule that does not find
// its own change is no rule. `check` yields problems, `breaks` changes a copy.
"use strict";

const fs = require("node:fs");
const path = require("node:path");
const { containers, find, matches, labelsOf, ofKind, podOf, title, workloads } = require("./objects.js");
const { effective, milliseconds, programOf } = require("./options.js");

const ROOT = path.resolve(__dirname, "../../..");
const VERSION = fs.readFileSync(path.join(ROOT, "VERSION"), "utf8").trim();
const LOW_ID_MAX = 9999;
const RESERVE_MS = 5000;
// docs/PERFORMANCE.md, "Sizing": a worker, a connection, the kernel's part of it.
const WORKER_BYTES = 7e6;
const CONNECTION_BYTES = 1000 + 5200;
const MEMORY_PART = 0.8;

function* pods(docs, problem) {
	for (const workload of workloads(docs)) {
		const text = problem(podOf(workload), workload);
		if (text)
			yield `${title(workload)}: ${text}`;
	}
}

function* each(docs, problem) {
	for (const workload of workloads(docs))
		for (const container of containers(workload)) {
			const text = problem(container, workload);
			if (text)
				yield `${title(workload)}: ${container.name}: ${text}`;
		}
}

function gateway(docs) {
	const workload = find(docs, "Deployment", "gateway");
	return { workload, pod: podOf(workload), container: podOf(workload).containers[0] };
}

function bytes(quantity) {
	const [, number, unit] = /^(\d+)(Ki|Mi|Gi|k|M|G)?$/.exec(quantity);
	return number * { Ki: 2 ** 10, Mi: 2 ** 20, Gi: 2 ** 30, k: 1e3, M: 1e6, G: 1e9 }[unit || ""] || Number(number);
}

function stopMs(container) {
	const { sleep } = (container.lifecycle && container.lifecycle.preStop) || {};
	return ((sleep && sleep.seconds) || 0) * 1000;
}

const rules = [
	{
		name: "pods run as a user that is nobody",
		check: (docs) => pods(docs, ({ securityContext: own = {} }) => own.runAsNonRoot !== true ? "may be root"
			: !(own.runAsUser > LOW_ID_MAX && own.runAsGroup > LOW_ID_MAX) && "its user or group may be one of the node's"),
		breaks: (docs) => delete gateway(docs).pod.securityContext.runAsNonRoot,
	},
	{
		name: "root file systems are read-only",
		check: (docs) => each(docs, ({ securityContext: own = {} }) => own.readOnlyRootFilesystem !== true && "may write"),
		breaks: (docs) => { gateway(docs).container.securityContext.readOnlyRootFilesystem = false; },
	},
	{
		name: "all capabilities are dropped, none is added",
		check: (docs) => each(docs, ({ securityContext: { capabilities = {} } = {} }) =>
			(!(capabilities.drop || []).includes("ALL") || (capabilities.add || []).length > 0) && "has capabilities"),
		breaks: (docs) => { gateway(docs).container.securityContext.capabilities.add = ["NET_BIND_SERVICE"]; },
	},
	{
		name: "nobody becomes more than he is",
		check: (docs) => each(docs, ({ securityContext: own = {} }) =>
			(own.allowPrivilegeEscalation !== false || own.privileged === true) && "may become privileged"),
		breaks: (docs) => delete gateway(docs).container.securityContext.allowPrivilegeEscalation,
	},
	{
		name: "system calls are filtered",
		check: (docs) => pods(docs, ({ securityContext: { seccompProfile = {} } = {} }) =>
			seccompProfile.type !== "RuntimeDefault" && "has no seccomp profile"),
		breaks: (docs) => { gateway(docs).pod.securityContext.seccompProfile.type = "Unconfined"; },
	},
	{
		name: "nothing of the node is shared",
		check: (docs) => pods(docs, (pod) => (pod.hostNetwork || pod.hostPID || pod.hostIPC || pod.volumes.some((one) => one.hostPath) ||
			pod.containers.some((one) => (one.ports || []).some((port) => port.hostPort))) && "shares its node's network, processes or files"),
		breaks: (docs) => gateway(docs).pod.volumes.push({ name: "node", hostPath: { path: "/" } }),
	},
	{
		name: "nobody has a token for the API server",
		check: function* (docs) {
			yield* pods(docs, (pod) => pod.automountServiceAccountToken !== false && "has a token");
			for (const account of ofKind(docs, "ServiceAccount"))
				if (account.automountServiceAccountToken !== false)
					yield `${title(account)}: gives its token away`;
		},
		breaks: (docs) => delete gateway(docs).pod.automountServiceAccountToken,
	},
	{
		name: "an account is of one workload",
		check: (docs) => pods(docs, (pod, workload) => (pod.serviceAccountName === "default" || workloads(docs).some((other) =>
			other !== workload && podOf(other).serviceAccountName === pod.serviceAccountName)) && "shares its account"),
		breaks: (docs) => { gateway(docs).pod.serviceAccountName = "router"; },
	},
	{
		name: "Services do not leak into environments",
		check: (docs) => pods(docs, (pod) => pod.enableServiceLinks !== false && "has variables of all Services"),
		breaks: (docs) => delete gateway(docs).pod.enableServiceLinks,
	},
	{
		name: "memory is bounded and reserved, CPU reserved and not bounded",
		check: (docs) => each(docs, ({ resources: { requests = {}, limits = {} } = {} }) =>
			!limits.memory || requests.memory !== limits.memory ? "its memory is not all reserved, or not bounded"
				: !requests.cpu ? "no CPU is reserved" : limits.cpu && "its CPU is bounded"),
		breaks: (docs) => { gateway(docs).container.resources.limits.cpu = "1"; },
	},
	{
		name: "a gateway's memory is enough for its connections",
		check: function* (docs) {
			const { workload, container } = gateway(docs);
			const connections = Number(effective(docs, workload, container, "connections_max"));
			const workers = Number(effective(docs, workload, container, "workers"));
			const needed = workers * (WORKER_BYTES + connections * CONNECTION_BYTES);
			if (needed > MEMORY_PART * bytes(container.resources.limits.memory))
				yield `Deployment/gateway: ${connections} connections of ${workers} workers need ${needed} bytes`;
		},
		breaks: (docs) => { find(docs, "ConfigMap", "gateway").data["gateway.conf"] += "\nconnections_max = 100000\n"; },
	},
	{
		name: "writable folders are bounded",
		check: (docs) => pods(docs, (pod) => pod.volumes.some((one) => one.emptyDir && !one.emptyDir.sizeLimit) && "an emptyDir without a limit"),
		breaks: (docs) => gateway(docs).pod.volumes.push({ name: "tmp", emptyDir: {} }),
	},
	{
		name: "every container is probed, for life by itself alone",
		check: (docs) => each(docs, ({ livenessProbe: live, readinessProbe: ready, command }) => !live || !ready ? "a probe is missing"
			: /heliograph/.test(command[0]) && (live.httpGet.path !== "/livez" || ready.httpGet.path !== "/readyz") &&
				"its probes are others than /livez and /readyz"),
		breaks: (docs) => { gateway(docs).container.livenessProbe.httpGet.path = "/readyz"; },
	},
	{
		name: "there is time to drain before SIGKILL",
		check: (docs) => each(docs, (container, workload) => {
			if (!programOf(container))
				return false;
			const needed = stopMs(container) + milliseconds(effective(docs, workload, container, "drain_timeout")) + RESERVE_MS;
			return podOf(workload).terminationGracePeriodSeconds * 1000 < needed && `is killed before ${needed} ms`;
		}),
		breaks: (docs) => { find(docs, "ConfigMap", "gateway").data["gateway.conf"] += "\ndrain_timeout = 90s\n"; },
	},
	{
		name: "the edge hears of it before a gateway stops to listen",
		check: function* (docs) {
			if (stopMs(gateway(docs).container) < 5000)
				yield "Deployment/gateway: SIGTERM comes before the edge knows";
		},
		breaks: (docs) => delete gateway(docs).container.lifecycle,
	},
	{
		name: "images are pinned, and ours is this version",
		check: (docs) => each(docs, ({ image }) => !/(@sha256:[0-9a-f]{64}|:v?\d+\.\d+[^:/]*)$/.test(image) ? `${image} may be anything`
			: /\bheliograph:/.test(image) && !image.endsWith(`:${VERSION}`) && `${image} is not version ${VERSION}`),
		breaks: (docs) => { gateway(docs).container.image = "localhost/heliograph:latest"; },
	},
	{
		name: "a node can be emptied, one pod of a kind at a time",
		check: function* (docs) {
			for (const workload of workloads(docs)) {
				const own = ofKind(docs, "PodDisruptionBudget").filter((one) => matches(one.spec.selector, labelsOf(workload)));
				if (own.length !== 1 || own[0].spec.maxUnavailable !== 1 || own[0].spec.unhealthyPodEvictionPolicy !== "AlwaysAllow")
					yield `${title(workload)}: no PodDisruptionBudget of one at a time`;
			}
		},
		breaks: (docs) => { find(docs, "PodDisruptionBudget", "gateway").spec.maxUnavailable = 0; },
	},
	{
		name: "pods of a kind are spread over nodes",
		check: (docs) => pods(docs, (pod) => !/kubernetes\.io\/hostname/.test(JSON.stringify([pod.affinity, pod.topologySpreadConstraints])) &&
			"may all be on one node"),
		breaks: (docs) => { gateway(docs).pod.topologySpreadConstraints.length = 1; },
	},
	{
		name: "no gateway goes before another one has come",
		check: function* (docs) {
			const { rollingUpdate = {}, type } = gateway(docs).workload.spec.strategy;
			if (type !== "RollingUpdate" || rollingUpdate.maxUnavailable !== 0)
				yield "Deployment/gateway: an update leaves fewer than there were";
		},
		breaks: (docs) => { gateway(docs).workload.spec.strategy.rollingUpdate.maxUnavailable = 1; },
	},
	{
		name: "members of a StatefulSet start together and find each other",
		check: function* (docs) {
			for (const set of ofKind(docs, "StatefulSet")) {
				const service = find(docs, "Service", set.spec.serviceName);
				if (set.spec.podManagementPolicy !== "Parallel" || !service || service.spec.publishNotReadyAddresses !== true)
					yield `${title(set)}: one waits for another one that it cannot find`;
			}
		},
		breaks: (docs) => delete find(docs, "Service", "router").spec.publishNotReadyAddresses,
	},
	{
		name: "nothing is sticky",
		check: function* (docs) {
			for (const service of ofKind(docs, "Service"))
				if ((service.spec.sessionAffinity || "None") !== "None")
					yield `${title(service)}: has session affinity`;
			for (const doc of ofKind(docs, "Service", "Ingress", "HTTPRoute"))
				for (const name of Object.keys(doc.metadata.annotations || {}))
					if (/affinity|sticky|cookie|upstream-hash|load-balance/.test(name))
						yield `${title(doc)}: ${name}`;
		},
		breaks: (docs) => { find(docs, "Service", "gateway").spec.sessionAffinity = "ClientIP"; },
	},
	{
		name: "the Service of clients has the clients' port alone",
		check: function* (docs) {
			for (const service of ofKind(docs, "Service"))
				for (const port of service.spec.ports)
					if (service.spec.type === "LoadBalancer" || service.spec.type === "NodePort" ||
						(service.metadata.name === "gateway" && port.targetPort !== "http"))
						yield `${title(service)}: ${port.name} is open to clients`;
		},
		breaks: (docs) => find(docs, "Service", "gateway").spec.ports.push({ name: "admin", port: 9090, targetPort: "admin" }),
	},
	{
		name: "secrets are files, and nobody else's to read",
		check: function* (docs) {
			yield* each(docs, ({ env = [], envFrom = [] }) => (env.some((one) => one.valueFrom && one.valueFrom.secretKeyRef) ||
				envFrom.length > 0) && "a secret is in its environment");
			yield* pods(docs, (pod) => pod.volumes.some((one) => ((one.projected && one.projected.sources.some((source) => source.secret)) ||
				one.secret) && ((one.projected || one.secret).defaultMode ?? 0o644) & 0o337) && "others may read its secrets");
			yield* pods(docs, (pod) => pod.securityContext.fsGroup !== pod.securityContext.runAsGroup && "may not read its own secrets");
		},
		breaks: (docs) => { gateway(docs).pod.volumes.find((one) => one.name === "secrets").projected.defaultMode = 0o444; },
	},
	{
		name: "files that the kubelet changes are noticed",
		check: (docs) => each(docs, (container, workload) => programOf(container) &&
			milliseconds(effective(docs, workload, container, "reload_interval")) === 0 && "would have to be told"),
		breaks: (docs) => { find(docs, "ConfigMap", "router").data["router.conf"] += "\nreload_interval = 0\n"; },
	},
	{
		name: "no secret is among the manifests",
		check: function* (docs) {
			for (const secret of ofKind(docs, "Secret"))
				yield `${title(secret)}: is in them`;
		},
		breaks: (docs) => docs.push({ apiVersion: "v1", kind: "Secret", metadata: { name: "link", namespace: "heliograph" }, data: {} }),
	},
	{
		name: "everything is in one namespace, which is restricted",
		check: function* (docs) {
			for (const doc of docs)
				if (!["Namespace", "PriorityClass", "ClusterRole"].includes(doc.kind) && doc.metadata.namespace !== "heliograph")
					yield `${title(doc)}: is in the namespace ${doc.metadata.namespace}`;
			const own = find(docs, "Namespace", "heliograph");
			if (!own || own.metadata.labels["pod-security.kubernetes.io/enforce"] !== "restricted")
				yield "Namespace/heliograph: its pods may be anything";
		},
		breaks: (docs) => delete find(docs, "Namespace", "heliograph").metadata.labels["pod-security.kubernetes.io/enforce"],
	},
	{
		name: "what no policy allows is denied, both ways",
		check: function* (docs) {
			const all = ofKind(docs, "NetworkPolicy").filter((one) => Object.keys(one.spec.podSelector).length === 0 &&
				!one.spec.ingress && !one.spec.egress).flatMap((one) => one.spec.policyTypes);
			if (!all.includes("Ingress") || !all.includes("Egress"))
				yield "NetworkPolicy: none denies what others do not allow";
			for (const policy of ofKind(docs, "NetworkPolicy"))
				for (const peers of [...(policy.spec.ingress || []).map((one) => one.from), ...(policy.spec.egress || []).map((one) => one.to)])
					if (!peers || !peers.length || peers.some((peer) => Object.values(peer).some((one) => !Object.keys(one).length)))
						yield `${title(policy)}: a rule of it is for anybody`;
		},
		breaks: (docs) => delete find(docs, "NetworkPolicy", "gateway").spec.ingress[0].from,
	},
	{
		name: "the autoscaler asks for what there is, and lets drains end",
		check: function* (docs) {
			for (const scaler of ofKind(docs, "HorizontalPodAutoscaler")) {
				const { workload, container } = gateway(docs);
				const max = Number(effective(docs, workload, container, "connections_max"));
				const names = scaler.spec.metrics.filter((one) => one.type === "Pods");
				if (names.length !== 1 || Number(names[0].pods.target.averageValue) > 0.8 * max)
					yield `${title(scaler)}: gateways are full before there are more`;
				const metrics = fs.readFileSync(path.join(ROOT, "docs/METRICS.md"), "utf8");
				for (const { pods: { metric } } of names)
					if (!metrics.includes(`\`${metric.name}\` | gauge`))
						yield `${title(scaler)}: docs/METRICS.md has no gauge ${metric.name}`;
				const { stabilizationWindowSeconds, policies } = scaler.spec.behavior.scaleDown;
				const graceMs = podOf(workload).terminationGracePeriodSeconds * 1000;
				if (stabilizationWindowSeconds < 300 || policies.some((one) => one.type !== "Pods" || one.value !== 1 || one.periodSeconds * 1000 < graceMs))
					yield `${title(scaler)}: takes a gateway before the last one has drained`;
				if (workload.spec.replicas !== undefined)
					yield `${title(workload)}: has replicas, and an autoscaler`;
			}
		},
		breaks: (docs) => { find(docs, "HorizontalPodAutoscaler", "gateway").spec.metrics[0].pods.metric.name = "gateway_conections"; },
	},
];

function policyProblems(docs) {
	return rules.flatMap((rule) => [...rule.check(docs)].map((text) => `${rule.name}: ${text}`));
}

module.exports = { policyProblems, rules };
