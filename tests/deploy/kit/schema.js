// SPDX-License-Identifier: Apache-2.0
// Are these objects what the API says? Types and required fields are told by the validators
// of kubernetes-models, fields that there are not by the TypeScript compiler, for which
// every object is written down as a constant of its type.
"use strict";

const { spawnSync } = require("node:child_process");
const fs = require("node:fs");
const path = require("node:path");

const HERE = path.resolve(__dirname, "..");
const TSC = path.resolve(HERE, "../../docs/clients/node_modules/typescript/bin/tsc");
const TSC_MS = 120000;
const PACKAGES = [
	[/^gateway\.networking\.k8s\.io\//, "@kubernetes-models/gateway-api"],
	[/^monitoring\.coreos\.com\//, "@kubernetes-models/prometheus-operator"],
	[/^cert-manager\.io\//, "@kubernetes-models/cert-manager"],
	[/./, "kubernetes-models"],
];

function moduleOf(doc) {
	const [, name] = PACKAGES.find(([pattern]) => pattern.test(doc.apiVersion));
	return `${name}/${doc.apiVersion}`;
}

// Wrong types, and what is missing.
function typeProblems(docs) {
	return docs.flatMap((doc) => {
		const at = `${doc.kind}/${doc.metadata && doc.metadata.name}`;
		let Model;
		try {
			Model = require(moduleOf(doc))[doc.kind];
		} catch (error) {
			return [`${at}: no schema for ${doc.apiVersion}: ${error.code}`];
		}
		if (!Model)
			return [`${at}: ${doc.apiVersion} has no such kind`];
		try {
			new Model(doc).validate();
			return [];
		} catch (error) {
			return [`${at}: ${error.message}`];
		}
	});
}

// Fields that the types do not have. One run of the compiler for all: it takes seconds.
function fieldProblems(docs) {
	const folder = fs.mkdtempSync(path.join(HERE, "node_modules", ".types-"));
	const titles = [];
	const text = docs.map((doc, i) => {
		titles.push(`${doc.kind}/${doc.metadata.name}`);
		return `import { I${doc.kind} as T${i} } from ${JSON.stringify(moduleOf(doc))};\n` +
			`export const d${i}: T${i} = ${JSON.stringify(doc)};\n`;
	});
	try {
		fs.writeFileSync(path.join(folder, "all.ts"), text.join(""));
		const run = spawnSync(process.execPath, [TSC, "--noEmit", "--strict", "--skipLibCheck", "--moduleResolution", "node",
			"--target", "es2020", "--pretty", "false", path.join(folder, "all.ts")],
		{ encoding: "utf8", timeout: TSC_MS, cwd: HERE });
		if (run.error)
			throw run.error;
		const located = [...run.stdout.matchAll(/^.*all\.ts\((\d+),\d+\): (.*)$/gm)];
		const problems = located.map(([, row, text]) => `${titles[(row - 1) >> 1]}: ${text}`);
		if ((run.status !== 0) !== (problems.length > 0))
			throw new Error(`tsc: ${run.stdout}${run.stderr}`);
		return problems;
	} finally {
		fs.rmSync(folder, { recursive: true, force: true });
	}
}

module.exports = { fieldProblems, typeProblems };
