// SPDX-License-Identifier: Apache-2.0
// The volumes of a pod as folders here: files of ConfigMaps and Secrets, replaced as a kubelet
// does (by one link, "..data"), and empty folders in memory.
"use strict";

const fs = require("node:fs");
const path = require("node:path");
const { tool } = require("./world.js");

const MODE = 0o644;
const KINDS = { configMap: "ConfigMap", secret: "Secret" };
const SIZE_DEFAULT = "64Mi";

// Kubernetes' "16Mi" as the number of bytes.
function bytesOf(text) {
	const [, number, unit] = /^(\d+(?:\.\d+)?)(Ki|Mi|Gi|k|M|G)?$/.exec(String(text)) ?? [];
	const units = { Ki: 2 ** 10, Mi: 2 ** 20, Gi: 2 ** 30, k: 1e3, M: 1e6, G: 1e9 };
	if (!number)
		throw new Error(`${text}: no size`);
	return Math.round(Number(number) * (units[unit] ?? 1));
}

// {file: bytes} of one source of files.
function filesOf(objects, source) {
	const [word] = Object.keys(source);
	const kind = KINDS[word];
	if (!kind)
		throw new Error(`a volume of ${word}: not supported here`);
	const { name, secretName, items, optional } = source[word];
	const from = name ?? secretName;
	if (!objects.get(kind, from)) {
		if (optional)
			return {};
		throw new Error(`${kind} ${from} is missing`);
	}
	const wanted = items ?? objects.keys(kind, from).map((key) => ({ key, path: key }));
	return Object.fromEntries(wanted.map((item) => {
		const bytes = objects.data(kind, from, item.key);
		if (bytes === undefined && !optional)
			throw new Error(`${kind} ${from} has no key ${item.key}`);
		return [item.path, bytes];
	}).filter(([, bytes]) => bytes !== undefined));
}

class Volume {
	#turn = 0;

	// folder: a new one of its own. group: who may read it beside root.
	constructor(objects, spec, folder, group) {
		Object.assign(this, { objects, spec, folder, group, text: null });
	}

	async create() {
		fs.mkdirSync(this.folder, { recursive: true });
		if (!this.spec.emptyDir)
			return this.update();
		const size = bytesOf(this.spec.emptyDir.sizeLimit ?? SIZE_DEFAULT);
		await tool("mount", ["-t", "tmpfs", "-o", `size=${size},mode=2777`, "volume", this.folder]);
		fs.chownSync(this.folder, 0, this.group);
		return true;
	}

	async remove() {
		if (this.spec.emptyDir)
			await tool("umount", ["--lazy", this.folder]);
		fs.rmSync(this.folder, { recursive: true, force: true });
	}

	// Writes what is another than before; true if something was.
	update() {
		const { emptyDir, projected, ...own } = this.spec;
		if (emptyDir)
			return false;
		const sources = projected ? projected.sources : [own];
		const files = Object.assign({}, ...sources.map((source) => {
			const { name, defaultMode, ...rest } = source;
			return filesOf(this.objects, rest);
		}));
		const text = JSON.stringify(Object.entries(files).map(([file, bytes]) => [file, bytes.toString("base64")]));
		if (text === this.text)
			return false;
		this.text = text;
		this.#write(files, (projected ?? own.configMap ?? own.secret).defaultMode ?? MODE);
		return true;
	}

	#write(files, mode) {
		const version = `..${++this.#turn}`;
		fs.mkdirSync(path.join(this.folder, version));
		for (const [file, bytes] of Object.entries(files)) {
			const to = path.join(this.folder, version, file);
			fs.writeFileSync(to, bytes);
			fs.chownSync(to, 0, this.group);
			fs.chmodSync(to, mode);
		}
		fs.symlinkSync(version, path.join(this.folder, "..next"));
		fs.renameSync(path.join(this.folder, "..next"), path.join(this.folder, "..data"));
		for (const file of Object.keys(files))
			if (!fs.existsSync(path.join(this.folder, file)))
				fs.symlinkSync(path.join("..data", file), path.join(this.folder, file));
		for (const entry of fs.readdirSync(this.folder))
			if (/^\.\.\d+$/.test(entry) && entry !== version)
				fs.rmSync(path.join(this.folder, entry), { recursive: true });
			else if (!entry.startsWith("..") && !(entry in files))
				fs.rmSync(path.join(this.folder, entry));
	}
}

module.exports = { Volume, bytesOf };
