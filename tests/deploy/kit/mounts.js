// SPDX-License-Identifier: Apache-2.0
// What a container finds in its files and its environment: ConfigMaps and Secrets, resolved.
"use strict";

const path = require("node:path");
const { find, podOf } = require("./objects.js");

// Keys of a ConfigMap or a Secret, and a key's text; undefined: there is none of the name.
function keysOf(docs, kind, name) {
	const doc = find(docs, kind, name);
	return doc && { ...doc.data, ...doc.stringData, ...doc.binaryData };
}

// [file, kind, name, key] of all that a volume has; key undefined: all there are.
function filesOf(docs, volume) {
	const sources = volume.projected ? volume.projected.sources : [volume];
	return sources.flatMap((source) => {
		const [kind, from, name] = source.configMap ? ["ConfigMap", source.configMap, source.configMap.name]
			: source.secret ? ["Secret", source.secret, source.secret.secretName || source.secret.name] : [];
		if (!kind)
			return [];
		const items = from.items || Object.keys(keysOf(docs, kind, name) || {}).map((key) => ({ key, path: key }));
		return items.map((item) => ({ file: item.path, kind, name, key: item.key, isOptional: from.optional === true }));
	});
}

// Path -> {kind, name, key}, of one container.
function mounted(docs, workload, container) {
	const files = new Map();
	for (const mount of container.volumeMounts || []) {
		const volume = (podOf(workload).volumes || []).find((one) => one.name === mount.name);
		for (const file of volume ? filesOf(docs, volume) : [])
			files.set(path.posix.join(mount.mountPath, file.file), file);
	}
	return files;
}

// The environment as the kubelet makes it; fieldRefs are answered by `fields`.
function environment(docs, container, fields) {
	const env = {};
	for (const { name, value, valueFrom } of container.env || []) {
		if (valueFrom && valueFrom.configMapKeyRef)
			env[name] = (keysOf(docs, "ConfigMap", valueFrom.configMapKeyRef.name) || {})[valueFrom.configMapKeyRef.key];
		else if (valueFrom && valueFrom.fieldRef)
			env[name] = fields[valueFrom.fieldRef.fieldPath];
		else
			// $(NAME) of what stands before; an unknown one stays as it is, $$ is a $.
			env[name] = String(value ?? "").replace(/\$\$|\$\(([A-Za-z_][A-Za-z0-9_]*)\)/g,
				(all, key) => all === "$$" ? "$" : Object.hasOwn(env, key) ? env[key] : all);
	}
	return env;
}

module.exports = { environment, filesOf, keysOf, mounted };
