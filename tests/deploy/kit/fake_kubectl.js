#!/usr/bin/env node
// SPDX-License-Identifier: Apache-2.0
// Stands in for kubectl where the arguments and the order of what scripts do is tested. The state is a
// JSON file, FAKE_KUBECTL, with `calls`, each with its words and the file of a patch. Pods take what a Secret
// has at once, unless `deaf` names them. `unlisted`: how often a component's pods cannot be had. What no script
// should ask is an error.
"use strict";

const crypto = require("node:crypto");
const fs = require("node:fs");
const http = require("node:http");

const file = process.env.FAKE_KUBECTL;
const load = () => JSON.parse(fs.readFileSync(file, "utf8"));

function save(state) {
	fs.writeFileSync(`${file}.${process.pid}`, JSON.stringify(state));
	fs.renameSync(`${file}.${process.pid}`, file);
}

const words = process.argv.slice(2).filter((word, i, all) => word !== "-n" && all[i - 1] !== "-n");
const option = (name) => words.find((word) => word.startsWith(`--${name}=`))?.slice(name.length + 3);
const base64 = (text) => Buffer.from(text).toString("base64");

function fail(text) {
	process.stderr.write(`fake kubectl: ${text}\n`);
	process.exit(1);
}

function podsOf(state, component) {
	return Array.from({ length: state.replicas[component] }, (_, i) => `${component}-${i}`);
}

// What a process whose pod is `pod` tells of the lines that it has.
function fingerprintOf(state, pod, secret, key) {
	const of = state.deaf?.[pod] ?? state.secrets[secret]?.[key] ?? "";
	const lines = of.split("\n").filter(Boolean).map((line) => `${line}\n`).join("");
	return lines ? crypto.createHash("sha256").update(lines).digest().readUInt32BE() : 0;
}

function metrics(state, pod) {
	const program = pod.replace(/-.*/, "");
	const rows = { link_key_fingerprint: ["link", "link.key"] };
	if (program === "gateway")
		Object.assign(rows, { token_key_fingerprint: ["clients", "token.key"], auth_key_fingerprint: ["clients", "auth.key"] });
	if (program === "presence")
		rows.admin_token_fingerprint = ["admin", "admin.token"];
	return [
		...Object.entries(rows).map(([name, [secret, key]]) => `${program}_${name} ${fingerprintOf(state, pod, secret, key)}`),
		`${program}_conf_reloads_total ${state.reloads ?? 0}`,
		...Object.entries(state.metrics?.[program] ?? {}).map(([name, value]) => `${program}_${name} ${value}`),
	].join("\n") + "\n";
}

// ctl routers: what there is, or the next of what a test wants to be said.
function routers(state) {
	const list = Array.from({ length: state.owners }, (_, i) => ({ name: `router-${i}`, url: "tcp://x:1", isHere: true }));
	const map = { epoch: 1, phase: "stable", routers: list, next: [], target: "", state: "rest" };
	const said = state.says?.shift();
	save(state);
	return JSON.stringify({ ...map, ...said });
}

const verbs = {
	get(state) {
		const kind = words[1];
		const jsonpath = (words.includes("-o") ? words[words.indexOf("-o") + 1] : "").replace(/^jsonpath=/, "");
		if (kind === "pods" && words.includes("-l")) {
			const component = words[words.indexOf("-l") + 1].replace(/.*=/, "");
			if (state.unlisted?.[component]) {
				state.unlisted[component]--;
				save(state);
				return fail(`pods of ${component}: try again`);
			}
			const ending = state.ending?.[component]?.shift() ?? [];
			save(state);
			return podsOf(state, component).map((pod) => `${pod} \n`).join("") + ending.map((pod) => `${pod} 2026-01-01\n`).join("");
		}
		if (kind === "secret") {
			const key = /^\{\.data\.(.*)\}$/.exec(jsonpath)[1].replaceAll("\\.", ".");
			const value = state.secrets[words[2]]?.[key];
			return value === undefined ? fail(`no secret ${words[2]} with ${key}`) : base64(value);
		}
		if (kind === "hpa")
			return state.hpa ? state.hpa.join(" ") : "";
		const [, component] = /\/(\w+)$/.exec(kind) ?? [];
		if (jsonpath === "{.spec.replicas}")
			return String(state.replicas[component]);
		if (jsonpath === "{.spec.template.spec.containers[0].image}")
			return state.images[component];
		return state.objects?.[kind] ?? `kind: ${kind}\n`;
	},
	patch(state) {
		const patch = JSON.parse(option("patch-file") ? fs.readFileSync(option("patch-file"), "utf8") : words[words.indexOf("-p") + 1]);
		if (words[1] === "secret")
			for (const [key, value] of Object.entries(patch.data)) {
				state.secrets[words[2]][key] = Buffer.from(value, "base64").toString();
				state.reloads = (state.reloads ?? 0) + 1;
				state.history.push([words[2], key, state.secrets[words[2]][key]]);
			}
		else if (words[1] === "hpa")
			state.hpa = [patch.spec.minReplicas, patch.spec.maxReplicas];
		save(state);
		return `${words[1]}/${words[2]} patched\n`;
	},
	scale(state) {
		state.replicas[words[1].replace(/.*\//, "")] = Number(option("replicas"));
		save(state);
		return "scaled\n";
	},
	set(state) {
		const [what, component] = [words[1], words[2].replace(/.*\//, "")];
		const [name, value] = words[3].split("=");
		if (what === "image")
			state.images[name] = value;
		else if (component === "presence" && name === "ROUTER_COUNT")
			state.owners = Number(value);
		save(state);
		return "set\n";
	},
	rollout(state) {
		return state.broken === words[2] ? fail(`${words[2]}: timed out`) : "rolled out\n";
	},
	exec(state) {
		return words.includes("routers") ? `${routers(state)}\n` : `{"asked":${JSON.stringify(words.at(-2))}}\n`;
	},
	logs(state) {
		return state.logs ?? "a line\n";
	},
	version: () => "Client Version: fake\n",
	"port-forward"() {
		const pod = words[1].replace("pod/", "");
		const server = http.createServer((request, response) => response.end(request.url === "/metrics" ? metrics(load(), pod) : "ok\n"));
		server.listen(0, "127.0.0.1", () =>
			process.stdout.write(`Forwarding from 127.0.0.1:${server.address().port} -> ${words[2].slice(1)}\n`));
		process.on("SIGTERM", () => process.exit(0));
		return null;
	},
};

const state = load();
state.calls.push(words);
save(state);
const answer = (verbs[words[0]] ?? (() => fail(`no such verb: ${words.join(" ")}`)))(state);
if (answer !== null)
	process.stdout.write(answer);
