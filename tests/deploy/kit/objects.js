// SPDX-License-Identifier: Apache-2.0
// Rendered objects, and what of them belongs together.
"use strict";

const WORKLOADS = ["Deployment", "StatefulSet", "DaemonSet", "Job", "CronJob"];

function title(doc) {
	return `${doc.kind}/${doc.metadata.name}`;
}

function ofKind(docs, ...kinds) {
	return docs.filter((doc) => kinds.includes(doc.kind));
}

function find(docs, kind, name) {
	return docs.find((doc) => doc.kind === kind && doc.metadata.name === name);
}

function workloads(docs) {
	return ofKind(docs, ...WORKLOADS);
}

function podOf(workload) {
	const spec = workload.kind === "CronJob" ? workload.spec.jobTemplate.spec : workload.spec;
	return spec.template.spec;
}

function labelsOf(workload) {
	return workload.spec.template.metadata.labels || {};
}

function containers(workload) {
	const pod = podOf(workload);
	return [...(pod.initContainers || []), ...pod.containers];
}

function ports(workload) {
	return containers(workload).flatMap((container) => container.ports || []);
}

// A number or a name, as Services, probes and policies have it.
function hasPort(workload, port) {
	return ports(workload).some((own) => own.containerPort === port || own.name === port);
}

function portNumber(workload, port) {
	const own = ports(workload).find((one) => one.containerPort === port || one.name === port);
	return own ? own.containerPort : undefined;
}

function expressionMatches({ key, operator, values = [] }, labels) {
	const has = Object.hasOwn(labels, key);
	switch (operator) {
	case "In": return has && values.includes(labels[key]);
	case "NotIn": return !has || !values.includes(labels[key]);
	case "Exists": return has;
	case "DoesNotExist": return !has;
	default: throw new Error(`matchExpressions: operator ${operator}`);
	}
}

// A LabelSelector; an empty one selects all.
function matches(selector, labels) {
	return Object.entries(selector.matchLabels || {}).every(([key, value]) => labels[key] === value) &&
		(selector.matchExpressions || []).every((expression) => expressionMatches(expression, labels));
}

function selected(docs, selector) {
	return workloads(docs).filter((workload) => matches(selector, labelsOf(workload)));
}

// A copy to change.
function clone(docs) {
	return structuredClone(docs);
}

module.exports = { clone, containers, find, hasPort, labelsOf, matches, ofKind, podOf, portNumber, ports, selected, title,
	workloads };
