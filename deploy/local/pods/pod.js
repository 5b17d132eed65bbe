// SPDX-License-Identifier: Apache-2.0
// A pod from its first moment to its last: address, volumes, containers that are started again
// when they end, probes, and the end with preStop, SIGTERM and a grace.
"use strict";

const { EventEmitter } = require("node:events");
const fs = require("node:fs");
const path = require("node:path");
const { Container, removeContainers } = require("./container.js");
const { resolvConf } = require("./dns.js");
const { NODE } = require("./net.js");
const { Probe, act } = require("./probe.js");
const { Volume } = require("./volumes.js");

const GRACE_S = 30;
const BACKOFF_MS = [0, 10000, 20000, 40000, 80000, 160000, 300000]; // a kubelet's
const FORGIVEN_MS = 600000; // of running, after which the count begins anew
const RETRY_MS = 5000; // of what could not be started at all
const PRE_STOP_LEAST_MS = 2000; // between SIGTERM and SIGKILL, however long preStop took
const KNOWN = new Set(["containers", "volumes", "securityContext", "terminationGracePeriodSeconds", "serviceAccountName",
	"serviceAccount", "automountServiceAccountToken", "enableServiceLinks", "topologySpreadConstraints", "affinity", "priorityClassName",
	"restartPolicy", "dnsPolicy", "nodeSelector", "tolerations"]);

const isoNow = () => new Date().toISOString();

// Emits "change" whenever its readiness, its containers, or its being there is another.
class Pod extends EventEmitter {
	#probes = [];
	#timers = new Set();
	#restarts = 0;
	#forgiven = 0;
	#stopping = null;
	#volumes = new Map();

	// place: {objects, net, policies, folder, cgroup, imageOf} of the cluster.
	constructor(name, template, owner, place) {
		super();
		const unknown = Object.keys(template.spec).filter((key) => !KNOWN.has(key));
		if (unknown.length > 0 || template.spec.containers.length !== 1)
			throw new Error(`pod ${name}: ${unknown.join() || "more than one container"}: not supported here`);
		Object.assign(this, { name, owner, spec: template.spec, objects: place.objects, place });
		this.labels = { ...template.metadata?.labels };
		this.namespace = owner.metadata.namespace ?? "default";
		this.created = isoNow();
		this.deleted = null; // when somebody told it to end
		this.isGone = false;
		this.readySinceMs = 0; // 0: it is not
		this.why = "ContainerCreating";
		this.ip = "";
		this.folder = path.join(place.folder, name);
	}

	get isReady() {
		return this.readySinceMs > 0 && !this.deleted;
	}

	get restarts() {
		return this.#restarts;
	}

	// Ready for so long without a break.
	isAvailable(minReadySeconds = 0) {
		return this.isReady && performance.now() - this.readySinceMs >= minReadySeconds * 1000;
	}

	volume(name) {
		const volume = this.#volumes.get(name);
		if (!volume)
			throw new Error(`pod ${this.name} has no volume ${name}`);
		return volume;
	}

	start() {
		this.starting = this.#start();
		return this.starting;
	}

	// Told to end meanwhile, it goes on to where it can: what there is by then is taken away.
	async #start() {
		const [spec] = this.spec.containers;
		fs.mkdirSync(this.folder, { recursive: true });
		this.container = new Container(this, spec, this.folder, (exit) => this.#onEnd(exit));
		this.ip = await this.place.net.add(this.name);
		await this.place.policies.sync();
		this.resolvConf = path.join(this.folder, "resolv.conf");
		fs.writeFileSync(this.resolvConf, resolvConf(NODE, this.namespace));
		await this.#tryToRun();
	}

	// Files of a ConfigMap or Secret may have changed.
	updateVolumes() {
		for (const volume of this.#volumes.values())
			try {
				volume.update();
			} catch (error) {
				this.#say(error.message);
			}
	}

	signal(signal) {
		this.container.signal(signal);
	}

	exec(command, input) {
		return this.container.exec(command, input);
	}

	// Told a second time, the shorter grace counts. isAll: everybody ends, so no one has to hear of it before.
	stop(graceS = this.spec.terminationGracePeriodSeconds ?? GRACE_S, isAll = false) {
		this.isUnannounced = isAll;
		const dueMs = performance.now() + graceS * 1000;
		this.dueMs = Math.min(this.dueMs ?? Infinity, dueMs);
		this.isHurried ||= graceS === 0;
		if (this.isHurried)
			this.signal("SIGKILL");
		this.#stopping ??= this.#stop();
		return this.#stopping;
	}

	async #stop() {
		this.deleted = isoNow();
		this.emit("change");
		await this.starting?.catch(() => {}); // whoever started it says why it could not
		this.#later("end", 0);
		const { container } = this;
		const hook = this.isUnannounced ? null : container?.spec.lifecycle?.preStop;
		if (hook && container.isRunning)
			await Promise.race([this.#act(hook, this.dueMs - performance.now()), this.#due(), container.ended]);
		this.#stopProbes();
		if (container?.isRunning) {
			container.signal("SIGTERM");
			this.dueMs = Math.max(this.dueMs, hook ? performance.now() + PRE_STOP_LEAST_MS : 0);
			await Promise.race([container.ended, this.#due()]);
			if (container.isRunning) {
				if (!this.isHurried)
					this.#say("did not end within its grace: SIGKILL");
				container.signal("SIGKILL");
				await container.ended;
			}
		}
		await this.#remove();
	}

	async #remove() {
		if (this.container?.isKnown)
			await removeContainers([this.container.id]).catch((error) => this.#say(error.message));
		for (const volume of this.#volumes.values())
			await volume.remove().catch((error) => this.#say(error.message));
		if (this.ip)
			await this.place.net.remove(this.name).catch((error) => this.#say(error.message));
		this.isGone = true;
		this.emit("change");
		this.place.policies.sync().catch((error) => this.#say(error.message));
	}

	#act(hook, timeoutMs) {
		return act(hook, this.container.spec, this.ip, async (command, ms) =>
			(await this.container.exec(command, "", ms)).status === 0, Math.max(timeoutMs, 1));
	}

	// The end of its grace, which may come nearer on the way.
	async #due() {
		while (performance.now() < this.dueMs)
			await new Promise((resolve) => setTimeout(resolve, 20));
	}

	#run() {
		this.starting = this.#tryToRun();
	}

	async #tryToRun() {
		if (this.deleted)
			return;
		try {
			await this.#mount();
			await this.container.start(this.place.imageOf(this.container.spec.image), this.place.cgroup);
		} catch (error) {
			this.why = "CreateContainerError";
			this.#say(error.message);
			this.#later("run", RETRY_MS, () => this.#run());
			this.emit("change");
			return;
		}
		this.why = "";
		this.#probe();
		this.emit("change");
	}

	async #mount() {
		for (const spec of this.spec.volumes ?? []) {
			if (this.#volumes.has(spec.name))
				continue;
			const volume = new Volume(this.objects, spec, path.join(this.folder, "volumes", spec.name),
				this.spec.securityContext?.fsGroup ?? 0);
			await volume.create();
			this.#volumes.set(spec.name, volume);
		}
	}

	#onEnd({ code, signal }) {
		this.#stopProbes();
		this.#setReady(false);
		if (this.deleted)
			return;
		if (performance.now() - this.container.startedMs > FORGIVEN_MS)
			this.#forgiven = this.#restarts;
		const pause = BACKOFF_MS[Math.min(this.#restarts - this.#forgiven, BACKOFF_MS.length - 1)];
		this.#restarts++;
		this.why = pause > 0 ? "CrashLoopBackOff" : "Error";
		this.#say(`ended with ${signal ?? code}, starts again${pause > 0 ? ` in ${pause / 1000} s` : ""}`);
		this.emit("change");
		this.#later("run", pause, () => this.#run());
	}

	#probe() {
		const { readinessProbe, livenessProbe, startupProbe } = this.container.spec;
		const add = (spec, onResult) => this.#probes.push(new Probe(spec, this.container.spec, this.ip, {
			exec: async (command, ms) => (await this.container.exec(command, "", ms)).status === 0, onResult }));
		const rest = () => {
			if (readinessProbe)
				add(readinessProbe, (isFine) => this.#setReady(isFine));
			else
				this.#setReady(true);
			if (livenessProbe)
				add(livenessProbe, (isFine) => isFine || this.#kill("liveness"));
		};
		if (!startupProbe)
			return rest();
		let isOver = false;
		return add(startupProbe, (isFine) => {
			if (!isFine)
				this.#kill("startup");
			else if (!isOver) {
				isOver = true;
				rest();
			}
		});
	}

	// A probe has failed for good: the container ends in order, and starts again.
	#kill(which) {
		this.#say(`its ${which} probe fails: it is started anew`);
		this.#stopProbes();
		this.signal("SIGTERM");
		this.#later("kill", (this.spec.terminationGracePeriodSeconds ?? GRACE_S) * 1000, () => this.signal("SIGKILL"));
	}

	#setReady(isReady) {
		if (isReady === (this.readySinceMs > 0))
			return;
		this.readySinceMs = isReady ? performance.now() : 0;
		this.emit("change");
	}

	#stopProbes() {
		for (const probe of this.#probes.splice(0))
			probe.stop();
	}

	// One timer for everything but the grace; a new one takes the place of the last.
	#later(what, ms, does) {
		for (const timer of this.#timers)
			clearTimeout(timer);
		this.#timers.clear();
		if (does)
			this.#timers.add(setTimeout(does, ms));
	}

	#say(text) {
		this.emit("say", `${this.name}: ${text}`);
	}

	// As the API would show it.
	get object() {
		const [spec] = this.spec.containers;
		const isReady = this.readySinceMs > 0;
		const isRunning = Boolean(this.container?.isRunning);
		return {
			apiVersion: "v1", kind: "Pod",
			metadata: { name: this.name, namespace: this.namespace, labels: this.labels, creationTimestamp: this.created,
				...(this.deleted ? { deletionTimestamp: this.deleted } : {}),
				ownerReferences: [{ kind: this.owner.kind, name: this.owner.metadata.name }] },
			spec: { ...this.spec, nodeName: "node" },
			status: {
				phase: isRunning || this.#restarts > 0 ? "Running" : "Pending", podIP: this.ip, hostIP: NODE, startTime: this.created,
				conditions: [{ type: "Ready", status: isReady ? "True" : "False" }],
				containerStatuses: [{ name: spec.name, image: spec.image, ready: isReady, restartCount: this.#restarts,
					state: isRunning ? { running: {} } : { waiting: { reason: this.why || "Error" } } }],
			},
		};
	}
}

module.exports = { Pod };
