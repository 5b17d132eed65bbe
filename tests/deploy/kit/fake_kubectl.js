// SPDX-License-Identifier: Apache-2.0
// Stands in for kubectl where the arguments and the order of what scripts do is tested. It answers in the test's own
// process, by way of fake_kubectl.sh. The state has `calls`, each with its words and the file of a patch. Pods take what
// a Secret has at once, unless `deaf` names them. `unlisted`: how often a component's pods cannot be had. What no script
// should ask is an error.
"use strict";

const crypto = require("node:crypto");
const fs = require("node:fs");
const http = require("node:http");
const path = require("node:path");

const base64 = (text) => Buffer.from(text).toString("base64");

// What a call says on stderr, and ends with 1 for.
class Refusal extends Error {}

function fail(text) {
	throw new Refusal(`fake kubectl: ${text}`);
}

function podsOf(state, component) {
	return Array.from({ length: state.replicas[component] }, (_, i) => `${component}-${i}`);
}

const linesOf = (text = "") => text.split("\n").filter(Boolean).map((line) => `${line}\n`);

// What a process whose pod is `pod` tells of the lines that it has; of passwords behind the link key.
function fingerprintOf(state, pod, secret, key) {
	const lines = linesOf(state.deaf?.[pod] ?? state.secrets[secret]?.[key]);
	const before = key === "redis.password" ? linesOf(state.secrets.link["link.key"])[0] : "";
	return lines.length ? crypto.createHash("sha256").update(before + lines.join("")).digest().readUInt32BE() : 0;
}

function metrics(state, pod) {
	const program = pod.replace(/-.*/, "");
	const rows = { link_key_fingerprint: ["link", "link.key"] };
	if (program === "gateway")
		Object.assign(rows, { token_key_fingerprint: ["clients", "token.key"], auth_key_fingerprint: ["clients", "auth.key"] });
	if (program === "presence")
		rows.admin_token_fingerprint = ["admin", "admin.token"];
	if (program !== "gateway")
		rows.redis_password_fingerprint = [`redis-${program}`, "redis.password"];
	return [
		...Object.entries(rows).map(([name, [secret, key]]) => `${program}_${name} ${fingerprintOf(state, pod, secret, key)}`),
		...Object.entries(state.metrics?.[program] ?? {}).map(([name, value]) => `${program}_${name} ${value}`),
	].join("\n") + "\n";
}

// ctl routers: what there is, or the next of what a test wants to be said.
function routers(state) {
	const list = Array.from({ length: state.owners }, (_, i) => ({ name: `router-${i}`, url: "tcp://x:1", isHere: true }));
	const map = { epoch: 1, phase: "stable", routers: list, next: [], target: "", state: "rest" };
	const said = state.says?.shift();
	return JSON.stringify({ ...map, ...said });
}

const verbs = {
	get(state, { words }) {
		const kind = words[1];
		const jsonpath = (words.includes("-o") ? words[words.indexOf("-o") + 1] : "").replace(/^jsonpath=/, "");
		if (kind === "pods" && words.includes("-l")) {
			const component = words[words.indexOf("-l") + 1].replace(/.*=/, "");
			if (state.unlisted?.[component]) {
				state.unlisted[component]--;
				return fail(`pods of ${component}: try again`);
			}
			const ending = state.ending?.[component]?.shift() ?? [];
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
	patch(state, { words, option }) {
		const patch = JSON.parse(option("patch-file") ? fs.readFileSync(option("patch-file"), "utf8") : words[words.indexOf("-p") + 1]);
		if (words[1] === "secret")
			for (const [key, value] of Object.entries(patch.data)) {
				state.secrets[words[2]][key] = Buffer.from(value, "base64").toString();
				state.history.push([words[2], key, state.secrets[words[2]][key]]);
			}
		else if (words[1] === "hpa")
			state.hpa = [patch.spec.minReplicas, patch.spec.maxReplicas];
		return `${words[1]}/${words[2]} patched\n`;
	},
	scale(state, { words, option }) {
		state.replicas[words[1].replace(/.*\//, "")] = Number(option("replicas"));
		return "scaled\n";
	},
	set(state, { words }) {
		const [what, component] = [words[1], words[2].replace(/.*\//, "")];
		const [name, value] = words[3].split("=");
		if (what === "image")
			state.images[name] = value;
		else if (component === "presence" && name === "ROUTER_COUNT")
			state.owners = Number(value);
		return "set\n";
	},
	rollout(state, { words }) {
		return state.broken === words[2] ? fail(`${words[2]}: timed out`) : "rolled out\n";
	},
	exec(state, { words }) {
		return words.includes("routers") ? `${routers(state)}\n` : `{"asked":${JSON.stringify(words.at(-2))}}\n`;
	},
	logs(state) {
		return state.logs ?? "a line\n";
	},
	version: () => "Client Version: fake\n",
	// Until the script ends it, which ends the request.
	"port-forward"(state, { words, response }) {
		const pod = words[1].replace("pod/", "");
		const server = http.createServer((request, answer) => answer.end(request.url === "/metrics" ? metrics(state, pod) : "ok\n"));
		server.listen(0, "127.0.0.1", () =>
			response.write(`Forwarding from 127.0.0.1:${server.address().port} -> ${words[2].slice(1)}\n`));
		response.on("close", () => {
			server.close();
			server.closeAllConnections();
		});
		return null;
	},
};

function answer(state, args, response) {
	const words = args.filter((word, i, all) => word !== "-n" && all[i - 1] !== "-n");
	const option = (name) => words.find((word) => word.startsWith(`--${name}=`))?.slice(name.length + 3);
	state.calls.push(words);
	try {
		const said = (verbs[words[0]] ?? (() => fail(`no such verb: ${words.join(" ")}`)))(state, { words, option, response });
		if (said !== null)
			response.end(said);
	} catch (e) {
		response.writeHead(e instanceof Refusal ? 400 : 500).end(`${e.stack}\n`);
	}
}

// `state` is changed by what it is asked to do; `env` is for who asks. The socket is in `folder`.
async function startFake(folder, state) {
	const socket = path.join(folder, "kubectl.sock");
	const server = http.createServer((request, response) => {
		const chunks = [];
		request.on("data", (chunk) => chunks.push(chunk));
		request.on("end", () => answer(state, Buffer.concat(chunks).toString().split("\0").slice(0, -1), response));
	});
	await new Promise((resolve) => server.listen(socket, resolve));
	return {
		env: { KUBECTL: path.join(__dirname, "fake_kubectl.sh"), FAKE_KUBECTL: socket },
		close() {
			server.close();
			server.closeAllConnections();
		},
	};
}

module.exports = { startFake };
