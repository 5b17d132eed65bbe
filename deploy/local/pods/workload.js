// SPDX-License-Identifier: Apache-2.0
// What runs pods: Deployments and StatefulSets, brought step by step to what their manifests ask
// for, as their controllers do.
"use strict";

const crypto = require("node:crypto");
const { hashOf, matches, sorted } = require("./objects.js");

const KNOWN = {
	Deployment: new Set(["replicas", "selector", "template", "strategy", "minReadySeconds", "progressDeadlineSeconds",
		"revisionHistoryLimit"]),
	StatefulSet: new Set(["replicas", "selector", "template", "serviceName", "podManagementPolicy", "updateStrategy", "minReadySeconds",
		"revisionHistoryLimit"]),
};

// 25 or "25%" of n.
function part(value, n, round) {
	return typeof value === "string" ? round(Number.parseFloat(value) * n / 100) : value;
}

const suffix = () => Array.from(crypto.randomBytes(5), (byte) => "bcdfghjklmnpqrstvwxz2456789"[byte % 27]).join("");

// Both kinds. `run(name, template, object)` begins a pod and gives it back.
class Workload {
	// get(): the object as it is now. replicas(): how many pods are to be.
	constructor({ get, replicas, run }) {
		Object.assign(this, { get, replicas, run });
		this.pods = [];
		const object = get();
		const unknown = Object.keys(object.spec).filter((key) => !KNOWN[object.kind].has(key));
		if (unknown.length > 0)
			throw new Error(`${object.kind} ${object.metadata.name}: ${unknown.join()}: not supported here`);
		if (!matches(object.spec.template.metadata?.labels, object.spec.selector.matchLabels))
			throw new Error(`${object.kind} ${object.metadata.name}: its selector does not match its own template`);
	}

	get revision() {
		return hashOf(sorted(this.get().spec.template));
	}

	get minReady() {
		return this.get().spec.minReadySeconds ?? 0;
	}

	// Pods that nobody has told to end.
	get live() {
		return this.pods.filter((pod) => !pod.deleted);
	}

	get updated() {
		return this.live.filter((pod) => pod.revision === this.revision);
	}

	available(pods) {
		return pods.filter((pod) => pod.isAvailable(this.minReady));
	}

	get status() {
		const { live } = this;
		const available = this.available(live).length;
		return { replicas: live.length, updatedReplicas: this.updated.length, readyReplicas: live.filter((pod) => pod.isReady).length,
			availableReplicas: available, unavailableReplicas: Math.max(this.replicas() - available, 0), terminating: this.pods.length - live.length };
	}

	// What is still to be done, or "" when nothing is.
	get pending() {
		const [n, updated, live] = [this.replicas(), this.updated.length, this.live.length];
		const available = this.available(this.updated).length;
		if (updated < n)
			return `${updated} out of ${n} new replicas have been updated`;
		if (live > updated)
			return `${live - updated} old replicas are pending termination`;
		if (available < n)
			return `${available} of ${n} updated replicas are available`;
		return this.isOver ? "" : `${this.pods.length - live} pods are on their way out`;
	}

	start(name) {
		const { revision } = this;
		const object = this.get();
		const template = structuredClone(object.spec.template);
		template.metadata = { ...template.metadata, labels: { ...template.metadata?.labels, [this.hashLabel]: revision } };
		const pod = this.run(name, template, object);
		pod.revision = revision;
		this.pods.push(pod);
		pod.on("change", () => {
			if (pod.isGone)
				this.pods = this.pods.filter((one) => one !== pod);
		});
	}
}

class Deployment extends Workload {
	hashLabel = "pod-template-hash";

	// Pods of before may end for long: it does not wait for them.
	get isOver() {
		return true;
	}

	step() {
		const { spec, metadata } = this.get();
		const n = this.replicas();
		const { maxSurge = "25%", maxUnavailable = "25%" } = spec.strategy?.rollingUpdate ?? {};
		const recreate = spec.strategy?.type === "Recreate";
		const surge = recreate ? 0 : part(maxSurge, n, Math.ceil);
		const least = recreate ? 0 : n - part(maxUnavailable, n, Math.floor);
		const { updated, live } = this;
		const old = live.filter((pod) => !updated.includes(pod));
		this.#shrink(updated, updated.length - n);
		const room = recreate && old.length > 0 ? 0 : n + surge - live.length;
		for (let i = Math.min(n - updated.length, room); i > 0; i--)
			this.start(`${metadata.name}-${this.revision}-${suffix()}`);
		// Of the old ones, first those that are no use, then as many as the others can do without.
		const useless = old.filter((pod) => !pod.isAvailable(this.minReady));
		useless.forEach((pod) => pod.stop());
		const spare = this.available(live).length - least;
		this.#shrink(old.filter((pod) => !useless.includes(pod)), Math.max(spare, 0));
	}

	// Those that are not ready go first, then the youngest.
	#shrink(pods, count) {
		const order = [...pods].sort((a, b) => a.isReady - b.isReady || b.readySinceMs - a.readySinceMs);
		for (const pod of order.slice(0, Math.max(count, 0)))
			pod.stop();
	}
}

class StatefulSet extends Workload {
	hashLabel = "controller-revision-hash";

	get isOver() {
		return this.pods.length === this.live.length;
	}

	step() {
		const { spec, metadata } = this.get();
		const n = this.replicas();
		const isParallel = spec.podManagementPolicy === "Parallel";
		const at = (i) => this.pods.find((pod) => pod.name === `${metadata.name}-${i}`);
		const isFine = (pod) => pod && !pod.deleted && pod.isAvailable(this.minReady);
		for (let i = 0; i < n; i++) {
			if (!at(i))
				this.start(`${metadata.name}-${i}`);
			if (!isParallel && !isFine(at(i)))
				return;
		}
		const surplus = this.live.filter((pod) => Number(pod.name.split("-").pop()) >= n)
			.sort((a, b) => Number(b.name.split("-").pop()) - Number(a.name.split("-").pop()));
		if (!isParallel && surplus.length > 0 && this.pods.length > this.live.length)
			return;
		(isParallel ? surplus : surplus.slice(0, 1)).forEach((pod) => pod.stop());
		this.#update(n, at, isFine);
	}

	// One pod at a time, the last one first. A pod of before that does not get ready is not waited for.
	#update(n, at, isFine) {
		const { updateStrategy } = this.get().spec;
		if (updateStrategy?.type === "OnDelete")
			return;
		const { revision } = this;
		for (let i = n - 1; i >= 0; i--) {
			const pod = at(i);
			if (pod.revision !== revision) {
				pod.stop();
				return;
			}
			if (!isFine(pod))
				return;
		}
	}
}

const WORKLOADS = { Deployment, StatefulSet };

module.exports = { WORKLOADS };
