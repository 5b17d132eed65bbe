// SPDX-License-Identifier: Apache-2.0
// NetworkPolicies, kept: each pod's namespace drops connections that no policy lets through, at both
// ends. The node may connect to all, as kubelets may; DNS is there, and is a pod of kube-system's to
// policies. Only the beginning of a TCP connection is judged: what has begun stays.
"use strict";

const { NODE, namespaceOf } = require("./net.js");
const { tool } = require("./world.js");

const NAME_LABEL = "kubernetes.io/metadata.name";
const DNS = { ip: NODE, namespace: { [NAME_LABEL]: "kube-system" }, labels: { "k8s-app": "kube-dns" }, ports: {} };
const RETRY_MS = 1000; // of a table that could not be set
const OPERATORS = {
	In: (value, values) => values.includes(value),
	NotIn: (value, values) => !values.includes(value),
	Exists: (value) => value !== undefined,
	DoesNotExist: (value) => value === undefined,
};

function selects({ matchLabels = {}, matchExpressions = [] } = {}, labels = {}) {
	return Object.entries(matchLabels).every(([key, value]) => labels[key] === value) &&
		matchExpressions.every(({ key, operator, values }) => OPERATORS[operator](labels[key], values));
}

// Addresses that a peer of a rule stands for: of hosts, {ip, namespace, labels}, or a block.
function peers(peer, own, hosts) {
	if (peer.ipBlock) {
		if (peer.ipBlock.except)
			throw new Error("a NetworkPolicy's ipBlock.except: not supported here");
		return [{ ip: peer.ipBlock.cidr, ports: {} }];
	}
	return hosts.filter((host) => (peer.namespaceSelector ? selects(peer.namespaceSelector, host.namespace)
		: host.namespace[NAME_LABEL] === own.namespace[NAME_LABEL]) && (!peer.podSelector || selects(peer.podSelector, host.labels)));
}

// Words for a rule's ports; a name is the target's.
function portWords(ports, target) {
	if (!ports)
		return [["-p", "tcp", "--syn"], ["-p", "udp"]];
	return ports.flatMap(({ protocol = "TCP", port, endPort }) => {
		const number = typeof port === "string" ? target.ports[port] : port;
		if (port !== undefined && number === undefined)
			return [];
		const words = ["-p", protocol.toLowerCase(), ...(protocol === "TCP" ? ["--syn"] : [])];
		return [port === undefined ? words : [...words, "--dport", endPort ? `${number}:${endPort}` : String(number)]];
	});
}

// Lines for one direction, or none when no policy of it selects the pod.
function chain(name, type, policies, own, hosts) {
	const mine = policies.filter(({ spec }) => spec.policyTypes.includes(type) && selects(spec.podSelector, own.labels));
	if (mine.length === 0)
		return [];
	const isIn = type === "Ingress";
	const lines = [];
	for (const rule of mine.flatMap(({ spec }) => (isIn ? spec.ingress : spec.egress) ?? [])) {
		const list = isIn ? rule.from : rule.to;
		const found = list ? list.flatMap((peer) => peers(peer, own, hosts)) : [{ ip: "0.0.0.0/0", ports: {} }];
		for (const peer of found)
			for (const words of portWords(rule.ports, isIn ? own : peer))
				lines.push(["-A", name, isIn ? "-s" : "-d", peer.ip, ...words, "-j", "ACCEPT"].join(" "));
	}
	return [...new Set(lines), `-A ${name} -p tcp ! --syn -j ACCEPT`, `-A ${name} -j DROP`];
}

// iptables-restore's text for a pod.
function table(policies, own, hosts) {
	return ["*filter", ":INPUT ACCEPT", ":FORWARD ACCEPT", ":OUTPUT ACCEPT", "-A INPUT -i lo -j ACCEPT", `-A INPUT -s ${NODE} -j ACCEPT`,
		"-A OUTPUT -o lo -j ACCEPT", ...chain("INPUT", "Ingress", policies, own, hosts), ...chain("OUTPUT", "Egress", policies, own, hosts),
		"COMMIT", ""].join("\n");
}

const restore = (pod, text) => tool("nsenter", [`--net=${namespaceOf(pod)}`, "iptables-restore", "--wait"], { input: text });

class Policies {
	#tables = new Map(); // pod -> its table as it is
	#running = null;
	#next = null;
	#failures = new Map(); // pod -> why its table could not be set
	#again = null; // a timer

	// hosts(): all that have an address, {name, ip, namespace, labels, ports, isPod}. say(text): what went wrong.
	// set(pod, text): its table is to be that.
	constructor(objects, hosts, say, set = restore) {
		Object.assign(this, { objects, hosts, say, set });
	}

	// Resolves when all pods have what follows from now.
	sync() {
		this.#next ??= (this.#running ?? Promise.resolve()).catch(() => {}).then(() => {
			this.#running = this.#next;
			this.#next = null;
			return this.#write();
		});
		return this.#next;
	}

	async #write() {
		const hosts = [...this.hosts(), DNS];
		const policies = this.objects.list("NetworkPolicy");
		const pods = hosts.filter(({ isPod }) => isPod);
		for (const name of this.#tables.keys())
			if (!pods.some((pod) => pod.name === name))
				this.#tables.delete(name);
		await Promise.all(pods.map(async (own) => {
			const text = table(policies, own, hosts);
			if (this.#tables.get(own.name) === text)
				return;
			this.#tables.set(own.name, text);
			await this.set(own.name, text).catch((error) => this.#failed(own.name, error));
		}));
	}

	#failed(name, error) {
		this.#tables.delete(name);
		this.#failures.set(name, error.message);
		this.#again ??= setTimeout(() => this.retry(), RETRY_MS);
	}

	// Whose pod has ended meanwhile, nobody has to hear of.
	retry() {
		clearTimeout(this.#again);
		this.#again = null;
		for (const { name } of this.hosts().filter((host) => host.isPod && this.#failures.has(host.name)))
			this.say(`${name}: its NetworkPolicies are not kept, and tried again: ${this.#failures.get(name)}`);
		this.#failures.clear();
		return this.sync().catch((error) => this.say(error.message));
	}

	stop() {
		clearTimeout(this.#again);
	}
}

module.exports = { NAME_LABEL, Policies, table };
