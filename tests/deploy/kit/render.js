// SPDX-License-Identifier: Apache-2.0
// What kubectl makes of an overlay, as objects.
"use strict";

const { execFileSync } = require("node:child_process");
const fs = require("node:fs");
const os = require("node:os");
const path = require("node:path");
const yaml = require("js-yaml");

const ROOT = path.resolve(__dirname, "../../..");
const DEPLOY = path.join(ROOT, "deploy");
const KUBERNETES = path.join(DEPLOY, "kubernetes");
// How kustomize fails to parse is worth a look; how much it writes is bounded.
const OUTPUT_BYTES_MAX = 16 << 20;

// The one on PATH, or the one that make gets from npm.
function kubectl() {
	const folders = (process.env.PATH || "").split(path.delimiter);
	const found = [...folders, path.join(ROOT, "build/tools")].map((folder) => path.join(folder, "kubectl"))
		.find((file) => fs.existsSync(file));
	if (!found)
		throw new Error("no kubectl on PATH, nor in build/tools: make build/tools/kubectl");
	return found;
}

function parse(text) {
	return yaml.loadAll(text).filter((doc) => doc !== null && doc !== undefined);
}

// The objects of a folder with a kustomization.
function render(folder) {
	return parse(execFileSync(kubectl(), ["kustomize", folder],
		{ encoding: "utf8", maxBuffer: OUTPUT_BYTES_MAX, stdio: ["ignore", "pipe", "pipe"] }));
}

function overlay(name) {
	return render(path.join(KUBERNETES, "overlays", name));
}

function overlays() {
	return fs.readdirSync(path.join(KUBERNETES, "overlays")).sort();
}

// The objects of an overlay that somebody else might write: `kustomization` stands beside
// those of the tree, in a copy of it.
function compose(kustomization) {
	const folder = fs.mkdtempSync(path.join(os.tmpdir(), "heliograph-kustomize-"));
	try {
		for (const part of ["kubernetes", "monitoring"])
			if (fs.existsSync(path.join(DEPLOY, part)))
				fs.cpSync(path.join(DEPLOY, part), path.join(folder, part), { recursive: true });
		const mine = path.join(folder, "kubernetes/overlays/mine");
		fs.mkdirSync(mine);
		fs.writeFileSync(path.join(mine, "kustomization.yaml"), yaml.dump({
			apiVersion: "kustomize.config.k8s.io/v1beta1", kind: "Kustomization", namespace: "heliograph",
			...kustomization }));
		return render(mine);
	} finally {
		fs.rmSync(folder, { recursive: true, force: true });
	}
}

// The Secrets that secrets.sh makes, with --redis or whatever it is told.
function secrets(...args) {
	return parse(execFileSync(path.join(KUBERNETES, "secrets.sh"), args, { encoding: "utf8" }));
}

module.exports = { KUBERNETES, ROOT, compose, kubectl, overlay, overlays, parse, render, secrets };
