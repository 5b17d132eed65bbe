// SPDX-License-Identifier: Apache-2.0
// What has been applied: objects by kind and name, as their manifests have them.
"use strict";

const crypto = require("node:crypto");
const { EventEmitter } = require("node:events");

// What a name on the command line may mean.
const KINDS = {
	Deployment: ["deployment", "deployments", "deploy", "deployment.apps"],
	StatefulSet: ["statefulset", "statefulsets", "sts", "statefulset.apps"],
	Pod: ["pod", "pods", "po"],
	Service: ["service", "services", "svc"],
	ConfigMap: ["configmap", "configmaps", "cm"],
	Secret: ["secret", "secrets"],
	Namespace: ["namespace", "namespaces", "ns"],
	HorizontalPodAutoscaler: ["horizontalpodautoscaler", "horizontalpodautoscalers", "hpa"],
	PodDisruptionBudget: ["poddisruptionbudget", "poddisruptionbudgets", "pdb"],
	NetworkPolicy: ["networkpolicy", "networkpolicies", "netpol"],
	ServiceAccount: ["serviceaccount", "serviceaccounts", "sa"],
	Event: ["event", "events", "ev"], // of which nobody makes any here
};
const RUN = ["Deployment", "StatefulSet"];

function kindOf(word) {
	const kind = Object.keys(KINDS).find((one) => one === word || KINDS[one].includes(word.toLowerCase()));
	if (!kind)
		throw new Error(`the server doesn't have a resource type "${word}"`);
	return kind;
}

// What is the same for two templates when their pods would be the same.
function hashOf(value) {
	return crypto.createHash("sha256").update(JSON.stringify(value)).digest("hex").slice(0, 10);
}

// RFC 7386: null takes away.
function merged(value, patch) {
	if (patch === null || typeof patch !== "object" || Array.isArray(patch))
		return patch;
	const result = value && typeof value === "object" && !Array.isArray(value) ? { ...value } : {};
	for (const [key, part] of Object.entries(patch))
		if (part === null)
			delete result[key];
		else
			result[key] = merged(result[key], part);
	return result;
}

function matches(labels = {}, wanted = {}) {
	return Object.entries(wanted).every(([key, value]) => labels[key] === value);
}

// "a=b,c!=d,e" of kubectl's -l.
function selector(text) {
	const rules = text.split(",").filter(Boolean).map((rule) => {
		const [, key, sign, value] = /^([^=!]+)(!=|==?|$)(.*)$/.exec(rule) ?? [];
		if (!key)
			throw new Error(`unable to parse the selector "${rule}"`);
		return (labels) => sign === "" ? key in labels : (labels[key] === value) === (sign !== "!=");
	});
	return (labels = {}) => rules.every((rule) => rule(labels));
}

// Emits "change" with an object that is another than before.
class Objects extends EventEmitter {
	#all = new Map(); // "Kind/name" -> object

	get(kind, name) {
		return this.#all.get(`${kind}/${name}`);
	}

	need(kind, name) {
		const object = this.get(kind, name);
		if (!object)
			throw new Error(`${KINDS[kind]?.[1] ?? kind} "${name}" not found`);
		return object;
	}

	list(kind) {
		return [...this.#all.values()].filter((object) => object.kind === kind);
	}

	get runs() {
		return RUN.flatMap((kind) => this.list(kind));
	}

	// "created", "configured" or "unchanged".
	apply(manifest) {
		const key = `${manifest.kind}/${manifest.metadata?.name}`;
		if (!manifest.kind || !manifest.metadata?.name)
			throw new Error("an object without kind or name");
		const before = this.#all.get(key);
		const object = structuredClone(manifest);
		delete object.status;
		// As when somebody applies a manifest that leaves it to an autoscaler.
		if (RUN.includes(object.kind) && object.spec.replicas === undefined && before)
			object.spec.replicas = before.spec.replicas;
		return this.#put(key, object, before);
	}

	patch(kind, name, patch) {
		const before = this.need(kind, name);
		return this.#put(`${kind}/${name}`, merged(before, patch), before);
	}

	replace(object) {
		const key = `${object.kind}/${object.metadata.name}`;
		return this.#put(key, object, this.need(object.kind, object.metadata.name));
	}

	// How many pods are to be of something that runs.
	replicas(object) {
		if (object.spec.replicas !== undefined)
			return object.spec.replicas;
		const scaler = this.list("HorizontalPodAutoscaler").find(({ spec: { scaleTargetRef: of } }) =>
			of.kind === object.kind && of.name === object.metadata.name);
		return scaler?.spec.minReplicas ?? 1;
	}

	// Text of a ConfigMap's or Secret's key, as bytes; undefined if there is none.
	data(kind, name, key) {
		const object = this.get(kind, name);
		if (kind === "ConfigMap")
			return object?.data?.[key] === undefined ? undefined : Buffer.from(object.data[key]);
		if (object?.stringData?.[key] !== undefined)
			return Buffer.from(object.stringData[key]);
		return object?.data?.[key] === undefined ? undefined : Buffer.from(object.data[key], "base64");
	}

	keys(kind, name) {
		const object = this.get(kind, name);
		return object && Object.keys({ ...object.data, ...object.stringData });
	}

	#put(key, object, before) {
		if (before && hashOf(sorted(before)) === hashOf(sorted(object)))
			return "unchanged";
		this.#all.set(key, object);
		this.emit("change", object);
		return before ? "configured" : "created";
	}
}

function sorted(value) {
	if (Array.isArray(value))
		return value.map(sorted);
	if (value === null || typeof value !== "object")
		return value;
	return Object.fromEntries(Object.keys(value).sort().map((key) => [key, sorted(value[key])]));
}

module.exports = { KINDS, Objects, hashOf, kindOf, matches, selector, sorted };
