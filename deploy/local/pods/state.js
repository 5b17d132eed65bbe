// SPDX-License-Identifier: Apache-2.0
// The cluster itself: objects, the pods that follow from them, and who is found under which name.
"use strict";

const fs = require("node:fs");
const { EventEmitter } = require("node:events");
const { Dns } = require("./dns.js");
const { Net, NODE } = require("./net.js");
const { Objects, matches } = require("./objects.js");
const { Pod } = require("./pod.js");
const { NAME_LABEL, Policies } = require("./policy.js");
const { WORKLOADS } = require("./workload.js");

const STEP_MS = 200;
// Who is no pod of ours, but in the network: where policies let such in, and where they do not.
const OUTSIDERS = {
	edge: { [NAME_LABEL]: "edge", "heliograph/edge": "true" },
	monitoring: { [NAME_LABEL]: "monitoring", "heliograph/monitoring": "true" },
	stranger: { [NAME_LABEL]: "stranger" },
};

// Emits "say" with a line for whoever looks on.
class State extends EventEmitter {
	#workloads = new Map(); // "Kind/name" -> workload
	#timer = null;
	#isStopping = false;
	#outsiders = []; // hosts, as policies see them

	// imageOf(name): what an image of the manifests is called here.
	constructor({ folder, cgroup, imageOf }) {
		super();
		this.objects = new Objects();
		this.net = new Net();
		this.policies = new Policies(this.objects, () => this.hosts, (text) => this.emit("say", text));
		this.place = { objects: this.objects, net: this.net, policies: this.policies, folder, cgroup, imageOf };
		this.dns = new Dns((service, namespace) => this.endpoints(service, namespace));
	}

	async start() {
		fs.mkdirSync(this.place.folder, { recursive: true });
		await this.net.start();
		await this.dns.start(NODE);
		for (const [name, namespace] of Object.entries(OUTSIDERS))
			this.#outsiders.push({ name, ip: await this.net.add(name), namespace, labels: {}, ports: {} });
		this.objects.on("change", (object) => {
			if (object.kind === "NetworkPolicy")
				this.#keepPolicies();
			if (object.kind === "ConfigMap" || object.kind === "Secret")
				this.pods.forEach((pod) => pod.updateVolumes());
		});
		this.#timer = setInterval(() => this.#step(), STEP_MS);
	}

	get pods() {
		return [...this.#workloads.values()].flatMap((workload) => workload.pods);
	}

	// Everybody with an address, as policies see them.
	get hosts() {
		const pods = this.pods.filter(({ ip, isGone }) => ip && !isGone).map(({ name, ip, labels, namespace, spec }) => ({
			name, ip, labels, isPod: true,
			namespace: { [NAME_LABEL]: namespace, ...this.objects.get("Namespace", namespace)?.metadata.labels },
			ports: Object.fromEntries(spec.containers.flatMap(({ ports = [] }) => ports.map((port) => [port.name, port.containerPort]))),
		}));
		return [...pods, ...this.#outsiders];
	}

	pod(name) {
		const pod = this.pods.find((one) => one.name === name);
		if (!pod)
			throw new Error(`pods "${name}" not found`);
		return pod;
	}

	workload(kind, name) {
		this.objects.need(kind, name);
		const workload = this.#workloads.get(`${kind}/${name}`);
		if (!workload)
			throw new Error(`${kind} ${name} has no pods`);
		return workload;
	}

	get workloads() {
		return [...this.#workloads.values()];
	}

	// All of a list; what runs begins only then, so that it finds what it needs.
	apply(manifests) {
		const said = manifests.map((manifest) => `${manifest.kind.toLowerCase()}/${manifest.metadata.name} ${this.objects.apply(manifest)}`);
		for (const object of this.objects.runs)
			this.#follow(object.kind, object.metadata.name);
		return said;
	}

	// Pods behind a Service, or null when there is none of that name.
	endpoints(name, namespace) {
		const service = this.objects.get("Service", name);
		if (!service || (namespace && (service.metadata.namespace ?? "default") !== namespace))
			return null;
		const { selector, publishNotReadyAddresses = false } = service.spec;
		return this.pods.filter((pod) => pod.ip && !pod.isGone && matches(pod.labels, selector) &&
			(pod.isReady || publishNotReadyAddresses)).map(({ name: of, ip }) => ({ name: of, ip }));
	}

	// Everything ends: gateways first, so that they find those whom they say goodbye to.
	async stop(graceS) {
		this.#isStopping = true;
		clearInterval(this.#timer);
		const deployments = this.pods.filter((pod) => pod.owner.kind === "Deployment");
		await Promise.all(deployments.map((pod) => pod.stop(graceS, true)));
		await Promise.all(this.pods.map((pod) => pod.stop(graceS, true)));
		this.policies.stop();
		this.dns.stop();
	}

	#keepPolicies() {
		this.policies.sync().catch((error) => this.emit("say", error.message));
	}

	#follow(kind, name) {
		const key = `${kind}/${name}`;
		if (!this.#workloads.has(key))
			this.#workloads.set(key, new WORKLOADS[kind]({
				get: () => this.objects.get(kind, name),
				replicas: () => this.objects.replicas(this.objects.get(kind, name)),
				run: (pod, template, object) => this.#run(pod, template, object),
			}));
	}

	#run(name, template, object) {
		const pod = new Pod(name, template, object, this.place);
		pod.on("say", (text) => this.emit("say", text));
		pod.start().catch((error) => {
			this.emit("say", `${name}: ${error.message}`);
			pod.stop(0);
		});
		return pod;
	}

	#step() {
		for (const workload of this.#isStopping ? [] : this.#workloads.values())
			try {
				workload.step();
			} catch (error) {
				this.emit("say", error.message);
			}
	}
}

module.exports = { State };
