// SPDX-License-Identifier: Apache-2.0
// Manifests as objects. kubectl itself reads the YAML, without a server; no parser of ours.
"use strict";

const { tool } = require("./world.js");

const NOBODY = "heliograph.none"; // a label that nothing has, to be taken away

// Objects of YAML text, Lists unrolled.
async function parse(yaml) {
	if (!/\S/.test(yaml.replaceAll(/^(#.*|---)$/gm, "")))
		return [];
	const out = await tool("kubectl", ["label", "--local", "--dry-run=client", "--output=json", "--filename=-", `${NOBODY}-`],
		{ input: yaml, env: { KUBECONFIG: "/dev/null" } });
	return out.split(/^(?=\{$)/m).filter((text) => text.startsWith("{")).map((text) => JSON.parse(text))
		.flatMap((object) => object.kind === "List" ? object.items : [object]);
}

// What `kubectl apply -k` would send.
async function kustomize(folder) {
	return parse(await tool("kubectl", ["kustomize", folder]));
}

module.exports = { parse, kustomize };
