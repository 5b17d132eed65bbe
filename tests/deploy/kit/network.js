// SPDX-License-Identifier: Apache-2.0
// NetworkPolicies judged by what they let through: who may open a connection to whom, at
// which port. A connection inside of the namespace needs a rule at both ends; a pod that no
// policy selects is open.
"use strict";

const { labelsOf, matches, ofKind, portNumber, ports, workloads } = require("./objects.js");

const OWN_NAMESPACE = "heliograph";

// Whoever is out there: namespaces' and pods' labels, or an address.
const OUTSIDE = {
	edge: { namespace: { "kubernetes.io/metadata.name": "ingress", "heliograph/edge": "true" }, labels: { app: "proxy" } },
	monitoring: { namespace: { "kubernetes.io/metadata.name": "watch", "heliograph/monitoring": "true" }, labels: { app: "prometheus" } },
	dns: { namespace: { "kubernetes.io/metadata.name": "kube-system" }, labels: { "k8s-app": "kube-dns" }, ports: [53, 9153] },
	system: { namespace: { "kubernetes.io/metadata.name": "kube-system" }, labels: { app: "other" }, ports: [443] },
	stranger: { namespace: { "kubernetes.io/metadata.name": "other" }, labels: { "app.kubernetes.io/name": "heliograph",
		"app.kubernetes.io/component": "gateway" }, ports: [6379, 7000] },
	internet: { address: "203.0.113.7", ports: [80, 443, 6379] },
	redisOutside: { address: "192.0.2.10", ports: [80, 6379] },
};

// Ours have their workload; a pod of ours that nobody knows, too, for what is open by mistake.
function actors(docs) {
	const own = workloads(docs).map((workload) => [workload.metadata.name, { workload, labels: labelsOf(workload),
		namespace: { "kubernetes.io/metadata.name": OWN_NAMESPACE }, isOwn: true,
		ports: ports(workload).map((port) => port.containerPort) }]);
	const unknown = ["unknown", { labels: { app: "unknown" }, namespace: { "kubernetes.io/metadata.name": OWN_NAMESPACE },
		isOwn: true, ports: [8000] }];
	return Object.fromEntries([...own, unknown, ...Object.entries(OUTSIDE)]);
}

function inBlock(address, cidr) {
	const [base, bits] = cidr.split("/");
	const number = (text) => text.split(".").reduce((sum, part) => sum * 256 + Number(part), 0);
	const size = 2 ** (32 - Number(bits));
	return Math.floor(number(address) / size) === Math.floor(number(base) / size);
}

function peerIs(peer, actor) {
	if (peer.ipBlock)
		return actor.address !== undefined && inBlock(actor.address, peer.ipBlock.cidr) &&
			!(peer.ipBlock.except || []).some((cidr) => inBlock(actor.address, cidr));
	if (actor.address !== undefined)
		return false;
	const isThere = peer.namespaceSelector ? matches(peer.namespaceSelector, actor.namespace) : actor.isOwn === true;
	return isThere && (!peer.podSelector || matches(peer.podSelector, actor.labels));
}

function portIs(rule, actor, port) {
	return !rule.ports || rule.ports.some((one) => {
		const number = typeof one.port === "string" ? actor.workload && portNumber(actor.workload, one.port) : one.port;
		return one.port === undefined || number === port;
	});
}

// Policies of one direction that apply to a pod; none: open.
function lets(docs, actor, direction, peer, target, port) {
	if (!actor.isOwn)
		return true;
	const [type, rules, peers] = direction === "in" ? ["Ingress", "ingress", "from"] : ["Egress", "egress", "to"];
	const own = ofKind(docs, "NetworkPolicy").filter((policy) => policy.spec.policyTypes.includes(type) &&
		matches(policy.spec.podSelector, actor.labels));
	return own.length === 0 || own.some((policy) => (policy.spec[rules] || []).some((rule) =>
		(!rule[peers] || rule[peers].some((one) => peerIs(one, peer))) && portIs(rule, target, port)));
}

// "gateway -> router:7000" of all that is let through, but what is between strangers.
function matrix(docs) {
	const all = actors(docs);
	const through = [];
	for (const [from, source] of Object.entries(all))
		for (const [to, target] of Object.entries(all)) {
			if (!source.isOwn && !target.isOwn)
				continue;
			for (const port of target.ports || [])
				if (lets(docs, source, "out", target, target, port) && lets(docs, target, "in", source, target, port))
					through.push(`${from} -> ${to}:${port}`);
		}
	return through.sort();
}

module.exports = { matrix };
