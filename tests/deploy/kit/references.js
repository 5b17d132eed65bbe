// SPDX-License-Identifier: Apache-2.0
// Whatever an object names: is it there? Selectors, ports, files, addresses, other objects.
"use strict";

const { containers, find, hasPort, labelsOf, matches, ofKind, podOf, selected, title, workloads } = require("./objects.js");
const { environment, filesOf, keysOf, mounted } = require("./mounts.js");
const { options } = require("./options.js");

// One check a function: yields problems.

function* services(docs) {
	for (const service of ofKind(docs, "Service")) {
		const targets = selected(docs, { matchLabels: service.spec.selector });
		if (targets.length !== 1)
			yield `${title(service)}: its selector is that of ${targets.length} workloads`;
		for (const port of service.spec.ports)
			for (const target of targets)
				if (!hasPort(target, port.targetPort ?? port.port))
					yield `${title(service)}: ${title(target)} has no port ${port.targetPort ?? port.port}`;
	}
}

function* selectors(docs) {
	for (const workload of workloads(docs)) {
		const { selector } = workload.spec;
		if (!matches(selector, labelsOf(workload)))
			yield `${title(workload)}: its selector is not that of its pods`;
		if (selected(docs, selector).length > 1)
			yield `${title(workload)}: its selector is that of others' pods, too`;
		const pod = podOf(workload);
		const terms = (pod.affinity && pod.affinity.podAntiAffinity) || {};
		const spread = [...(pod.topologySpreadConstraints || []), ...(terms.requiredDuringSchedulingIgnoredDuringExecution || []),
			...(terms.preferredDuringSchedulingIgnoredDuringExecution || []).map((one) => one.podAffinityTerm)];
		for (const { labelSelector, topologyKey } of spread)
			if (!matches(labelSelector, labelsOf(workload)))
				yield `${title(workload)}: what spreads it over ${topologyKey} does not select it`;
		if (workload.kind === "StatefulSet") {
			const service = find(docs, "Service", workload.spec.serviceName);
			if (!service || service.spec.clusterIP !== "None" || !matches({ matchLabels: service.spec.selector }, labelsOf(workload)))
				yield `${title(workload)}: ${workload.spec.serviceName} is no headless Service of its pods`;
		}
	}
}

function* budgets(docs) {
	for (const budget of ofKind(docs, "PodDisruptionBudget"))
		if (selected(docs, budget.spec.selector).length !== 1)
			yield `${title(budget)}: its selector is that of ${selected(docs, budget.spec.selector).length} workloads`;
	for (const scaler of ofKind(docs, "HorizontalPodAutoscaler"))
		if (!find(docs, scaler.spec.scaleTargetRef.kind, scaler.spec.scaleTargetRef.name))
			yield `${title(scaler)}: scales ${scaler.spec.scaleTargetRef.name}, which is not there`;
	for (const monitor of ofKind(docs, "PodMonitor")) {
		const targets = selected(docs, monitor.spec.selector);
		if (!targets.length)
			yield `${title(monitor)}: selects nothing`;
		for (const { port } of monitor.spec.podMetricsEndpoints)
			for (const target of targets.filter((one) => !hasPort(one, port)))
				yield `${title(monitor)}: ${title(target)} has no port ${port}`;
	}
}

// Secrets that others make: of the operator, as names; or by a Certificate.
function secretKeys(docs, name, outside) {
	if (outside.includes(name) || ofKind(docs, "Certificate").some((one) => one.spec.secretName === name))
		return { "tls.crt": "", "tls.key": "", "ca.crt": "" };
	return keysOf(docs, "Secret", name);
}

function* needs(docs, at, kind, name, key, outside) {
	const keys = kind === "Secret" ? secretKeys(docs, name, outside) : keysOf(docs, kind, name);
	if (!keys)
		yield `${at}: ${kind} ${name} is not there`;
	else if (key !== undefined && !Object.hasOwn(keys, key))
		yield `${at}: ${kind} ${name} has no ${key}`;
}

function* volumes(docs, outside) {
	for (const workload of workloads(docs)) {
		const pod = podOf(workload);
		const at = title(workload);
		for (const volume of pod.volumes || []) {
			for (const file of filesOf(docs, volume))
				yield* needs(docs, `${at}: volume ${volume.name}`, file.kind, file.name, file.key, outside);
			if (volume.configMap)
				yield* needs(docs, `${at}: volume ${volume.name}`, "ConfigMap", volume.configMap.name, undefined, outside);
			if (volume.persistentVolumeClaim && !find(docs, "PersistentVolumeClaim", volume.persistentVolumeClaim.claimName))
				yield `${at}: claim ${volume.persistentVolumeClaim.claimName} is not there`;
			if (!containers(workload).some((one) => (one.volumeMounts || []).some((mount) => mount.name === volume.name)))
				yield `${at}: nobody mounts the volume ${volume.name}`;
		}
		for (const container of containers(workload))
			for (const mount of container.volumeMounts || [])
				if (!(pod.volumes || []).some((volume) => volume.name === mount.name) &&
					!(workload.spec.volumeClaimTemplates || []).some((claim) => claim.metadata.name === mount.name))
					yield `${at}: mounts the volume ${mount.name}, which it does not have`;
	}
}

function* others(docs, outside) {
	for (const workload of workloads(docs)) {
		const pod = podOf(workload);
		const at = title(workload);
		if (!find(docs, "ServiceAccount", pod.serviceAccountName))
			yield `${at}: ServiceAccount ${pod.serviceAccountName} is not there`;
		if (pod.priorityClassName && !find(docs, "PriorityClass", pod.priorityClassName))
			yield `${at}: PriorityClass ${pod.priorityClassName} is not there`;
		for (const container of containers(workload)) {
			for (const { name, value, valueFrom = {} } of container.env || []) {
				const [kind, ref] = valueFrom.configMapKeyRef ? ["ConfigMap", valueFrom.configMapKeyRef]
					: valueFrom.secretKeyRef ? ["Secret", valueFrom.secretKeyRef] : [];
				if (kind)
					yield* needs(docs, `${at}: ${name}`, kind, ref.name, ref.key, outside);
				if (/\$\(/.test(environment(docs, { env: container.env }, {})[name] || "") && value)
					yield `${at}: ${name} names a variable that does not stand before it`;
			}
			for (const kind of ["livenessProbe", "readinessProbe", "startupProbe"]) {
				const { httpGet, tcpSocket } = container[kind] || {};
				const target = httpGet || tcpSocket;
				if (target && !(container.ports || []).some((own) => [own.name, own.containerPort].includes(target.port)))
					yield `${at}: ${kind} asks port ${target.port}, which it does not have`;
			}
		}
	}
}

function* backend(docs, at, name, port) {
	const service = find(docs, "Service", name);
	if (!service)
		yield `${at}: Service ${name} is not there`;
	else if (!service.spec.ports.some((own) => own.name === port || own.port === port))
		yield `${at}: Service ${name} has no port ${port}`;
}

function* edges(docs, outside) {
	for (const ingress of ofKind(docs, "Ingress")) {
		for (const { http } of ingress.spec.rules)
			for (const { backend: { service } } of http.paths)
				yield* backend(docs, title(ingress), service.name, service.port.name || service.port.number);
		for (const { secretName } of ingress.spec.tls || [])
			yield* needs(docs, title(ingress), "Secret", secretName, undefined, outside);
	}
	for (const gateway of ofKind(docs, "Gateway"))
		for (const { tls } of gateway.spec.listeners)
			for (const { name } of (tls && tls.certificateRefs) || [])
				yield* needs(docs, title(gateway), "Secret", name, undefined, outside);
	for (const route of ofKind(docs, "HTTPRoute")) {
		for (const { name, sectionName } of route.spec.parentRefs) {
			const gateway = find(docs, "Gateway", name);
			if (!gateway || !gateway.spec.listeners.some((listener) => listener.name === sectionName))
				yield `${title(route)}: there is no listener ${sectionName} of a Gateway ${name}`;
		}
		for (const rule of route.spec.rules)
			for (const { name, port } of rule.backendRefs || [])
				yield* backend(docs, title(route), name, port);
	}
}

function* policies(docs) {
	for (const policy of ofKind(docs, "NetworkPolicy")) {
		const { podSelector, ingress = [], egress = [] } = policy.spec;
		const own = selected(docs, podSelector);
		if (!own.length)
			yield `${title(policy)}: selects nothing`;
		for (const rule of ingress)
			for (const { port } of rule.ports || [])
				for (const workload of own.filter((one) => !hasPort(one, port)))
					yield `${title(policy)}: ${title(workload)} has no port ${port}`;
		for (const [rule, peers] of [...ingress.map((one) => [one, one.from || []]), ...egress.map((one) => [one, one.to || []])])
			for (const peer of peers.filter((one) => one.podSelector && !one.namespaceSelector)) {
				const targets = selected(docs, peer.podSelector);
				if (!targets.length)
					yield `${title(policy)}: a peer of it selects nothing`;
				for (const { port } of egress.includes(rule) ? rule.ports || [] : [])
					for (const workload of targets.filter((one) => !hasPort(one, port)))
						yield `${title(policy)}: ${title(workload)} has no port ${port}`;
			}
	}
}

// Names and replicas of a pod: router-1.router is one when there are two.
function podAt(docs, host) {
	const [name, service, ...rest] = host.split(".");
	const at = /^(.+)-(\d+)$/.exec(name);
	const set = at && find(docs, "StatefulSet", at[1]);
	const isIn = set && set.spec.serviceName === service && Number(at[2]) < set.spec.replicas;
	return isIn && !rest.length ? set : undefined;
}

// "r{0..<3}=tcp://r{}:1" as the three that it is.
function expandList(list) {
	return list.split(",").filter((entry) => entry !== "").flatMap((entry) => {
		const at = entry.indexOf("=");
		const [name, url] = [entry.slice(0, at), entry.slice(at + 1)];
		const range = /^(.*)\{(\d+)\.\.(<?)(\d+)\}(.*)$/.exec(name);
		if (!range)
			return [{ name, url }];
		const [, before, first, isOpen, last, behind] = range;
		return Array.from({ length: Math.max(0, last - first + (isOpen ? 0 : 1)) }, (_, i) => ({
			name: `${before}${Number(first) + i}${behind}`, url: url.replaceAll("{}", String(Number(first) + i)) }));
	});
}

// Hosts and ports in options, and the files that they name.
function* optionTargets(docs, outside) {
	for (const workload of workloads(docs))
		for (const container of containers(workload)) {
			const own = options(docs, workload, container);
			if (!own)
				continue;
			const files = mounted(docs, workload, container);
			for (const [name, value] of Object.entries(own.values)) {
				const at = `${title(workload)}: option ${name}`;
				if (/(_file|tls_cert|tls_key|tls_client_ca)$/.test(name) && value !== "" && !files.has(value))
					yield `${at}: nothing is mounted at ${value}`;
				if (name === "routers" || name === "presence")
					yield* listTargets(docs, at, value, name === "routers" ? "router" : "presence");
				if (name === "redis" && value !== "")
					yield* redisTargets(docs, at, value, outside);
				if (/^(link_|admin_)?listen$/.test(name) && !hasPort(workload, Number(value.split(":").pop())))
					yield `${at}: ${value} is no port of the container`;
			}
		}
}

function* listTargets(docs, at, list, kind) {
	const set = find(docs, "StatefulSet", kind);
	const entries = expandList(list);
	const wanted = Array.from({ length: set.spec.replicas }, (_, i) => `${kind}-${i}`);
	if (JSON.stringify(entries.map((entry) => entry.name)) !== JSON.stringify(wanted))
		yield `${at}: ${entries.map((entry) => entry.name)}, but there are to be ${wanted}`;
	for (const { name, url } of entries) {
		const { hostname, port } = new URL(url);
		const target = podAt(docs, hostname);
		if (!target || !hostname.startsWith(`${name}.`))
			yield `${at}: ${name} is not at ${hostname}`;
		else if (!hasPort(target, Number(port)))
			yield `${at}: ${hostname} has no port ${port}`;
	}
}

function* redisTargets(docs, at, url, outside) {
	for (const [, host, port] of url.replace(/^[a-z-]+:\/\/([^@]*@)?/, "").split("/")[0].matchAll(/([^,:]+):(\d+)/g)) {
		const target = podAt(docs, host);
		if (!target && !outside.includes(host))
			yield `${at}: there is no ${host}`;
		else if (target && !hasPort(target, Number(port)))
			yield `${at}: ${host} has no port ${port}`;
	}
}

const CHECKS = { services, selectors, budgets, volumes, others, edges, policies, optionTargets };

// `outside`: names of Secrets and hosts that are somebody else's.
function referenceProblems(docs, outside = []) {
	return Object.values(CHECKS).flatMap((check) => [...check(docs, outside)]);
}

module.exports = { expandList, referenceProblems };
