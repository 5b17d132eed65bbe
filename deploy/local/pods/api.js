// SPDX-License-Identifier: Apache-2.0
// kubectl's verbs on this cluster, by way of a socket: what operators' scripts need, with kubectl's
// own words and exit statuses. deploy/local/kubectl is the other end.
//
//	apply -f|-k, get, get --raw, delete pod, scale, rollout restart|status, set env|image, patch,
//	wait, logs, exec, port-forward; and, which kubectl has not, kill POD [SIGNAL], and reach FROM TO
//	PORT...: whether one may connect to the other; edge, monitoring and stranger are no pods
//
// A request is a line of JSON, {args, input}; answers are lines {out}, {err}, and {status} as the
// last. After {connect: "pod:port"} the socket is one to that port.
"use strict";

const http = require("node:http");
const net = require("node:net");
const { namespaceOf } = require("./net.js");
const { portOf } = require("./probe.js");
const { KINDS, kindOf, selector } = require("./objects.js");
const { jsonpath } = require("./jsonpath.js");
const { tool } = require("./world.js");

const REQUEST_BYTES_MAX = 16 << 20;
const STEP_MS = 50;
const RAW_MS = 20000;
const REACH_S = 2;
const TIMEOUT_MS = 30000;
const UNITS = { s: 1000, m: 60000, h: 3600000 };
const VALUED = new Set(["-n", "-l", "-o", "-f", "-k", "-p", "-c", "--namespace", "--context", "--selector", "--output", "--filename",
	"--patch", "--type", "--replicas", "--timeout", "--tail", "--for", "--grace-period", "--raw", "--container", "--address", "--since"]);
const LONG = { "-n": "namespace", "-l": "selector", "-o": "output", "-f": "filename", "-k": "kustomize", "-p": "patch", "-c": "container" };

// {words, options, rest}: `rest` is behind "--".
function parse(args) {
	const [words, options] = [[], {}];
	for (let i = 0; i < args.length; i++) {
		const [name, value] = /^(--[^=]+)=(.*)$/s.exec(args[i])?.slice(1) ?? [args[i]];
		if (name === "--")
			return { words, options, rest: args.slice(i + 1) };
		if (!name.startsWith("-") || name === "-")
			words.push(args[i]);
		else
			options[LONG[name] ?? name.replace(/^-+/, "")] = value ?? (VALUED.has(name) ? args[++i] : "true");
	}
	return { words, options, rest: [] };
}

function msOf(text, otherwise = TIMEOUT_MS) {
	if (text === undefined)
		return otherwise;
	let ms = 0;
	for (const [, number, unit] of text.matchAll(/(\d+(?:\.\d+)?)([smh]?)/g))
		ms += Number(number) * (UNITS[unit] ?? 1000);
	return ms === 0 ? Infinity : ms;
}

// "kind/name", or "kind" "name"; without a name: all of a kind.
function targetOf(words) {
	const [first, ...others] = words;
	if (!first)
		throw new Error("you must specify the type of resource");
	if (first.includes("/"))
		return { kind: kindOf(first.split("/")[0]), names: words.map((word) => word.split("/").pop()) };
	return { kind: kindOf(first), names: others };
}

class Api {
	constructor(state) {
		this.state = state;
	}

	listen(path) {
		this.server = net.createServer((socket) => this.#serve(socket));
		return new Promise((resolve, reject) => this.server.once("error", reject).listen(path, resolve));
	}

	// Runs one command; say({out}|{err}); resolves with its exit status.
	async run(args, input, say, isGone = () => false) {
		const [verb, ...more] = args;
		const { words, options, rest } = parse(more);
		const known = { apply: this.#apply, get: this.#get, delete: this.#delete, scale: this.#scale, rollout: this.#rollout, set: this.#set,
			patch: this.#patch, wait: this.#wait, logs: this.#logs, exec: this.#exec, kill: this.#kill, reach: this.#reach, resolve: this.#resolve };
		try {
			if (!Object.hasOwn(known, verb))
				throw new Error(`${verb}: this cluster's kubectl knows ${Object.keys(known).join(", ")}`);
			return await known[verb].call(this, { words, options, rest, input, say, isGone }) ?? 0;
		} catch (error) {
			say({ err: `Error from server: ${error.message}\n` });
			return 1;
		}
	}

	#serve(socket) {
		let text = "";
		const onData = (data) => {
			text += data.toString("latin1"); // a line's bytes; what follows is not ours
			const end = text.indexOf("\n");
			if (end < 0) {
				if (text.length > REQUEST_BYTES_MAX)
					socket.destroy();
				return;
			}
			socket.off("data", onData);
			this.#request(socket, Buffer.from(text.slice(0, end), "latin1").toString(), Buffer.from(text.slice(end + 1), "latin1"));
		};
		socket.on("data", onData).on("error", () => socket.destroy());
	}

	#request(socket, line, rest) {
		let request;
		try {
			request = JSON.parse(line);
		} catch {
			socket.destroy();
			return;
		}
		if (request.connect) {
			this.#connect(socket, request.connect, rest);
			return;
		}
		const say = (what) => socket.writable && socket.write(`${JSON.stringify(what)}\n`);
		this.run(request.args, request.input, say, () => socket.destroyed).then((status) => {
			say({ status });
			socket.end();
		});
	}

	#connect(socket, target, rest) {
		const [name, port] = target.split(":");
		let upstream;
		try {
			upstream = net.connect({ host: this.state.pod(name).ip, port: Number(port) });
		} catch {
			socket.destroy();
			return;
		}
		upstream.write(rest);
		socket.pipe(upstream).pipe(socket);
		socket.on("close", () => upstream.destroy()).on("error", () => upstream.destroy());
		upstream.on("close", () => socket.destroy()).on("error", () => socket.destroy());
	}

	#apply({ input, say }) {
		for (const line of this.state.apply(input))
			say({ out: `${line}\n` });
	}

	#objects(kind) {
		if (kind === "Pod")
			return this.state.pods.map((pod) => pod.object);
		return this.state.objects.list(kind).map((object) => {
			const workload = this.state.workloads.find((one) => one.get() === object);
			return workload ? { ...object, spec: { ...object.spec, replicas: workload.replicas() }, status: workload.status } : object;
		});
	}

	// What is named, or what the selector finds.
	#found({ kind, names }, options) {
		const all = this.#objects(kind);
		for (const name of names)
			if (!all.some(({ metadata }) => metadata.name === name))
				throw new Error(`${KINDS[kind][1]} "${name}" not found`);
		const isWanted = selector(options.selector ?? "");
		return all.filter(({ metadata }) => (names.length === 0 || names.includes(metadata.name)) && isWanted(metadata.labels));
	}

	async #get({ words, options, say }) {
		if (options.raw)
			return this.#raw(options.raw, say);
		const target = targetOf(words);
		const found = this.#found(target, options);
		const { output = "" } = options;
		const isOne = target.names.length === 1;
		const value = isOne ? found[0] : { apiVersion: "v1", kind: "List", items: found };
		if (output === "name")
			say({ out: found.map(({ kind, metadata }) => `${kind.toLowerCase()}/${metadata.name}\n`).join("") });
		else if (output.startsWith("jsonpath="))
			say({ out: jsonpath(output.slice("jsonpath=".length), value) });
		else if (output === "json" || output === "yaml") // JSON is YAML
			say({ out: `${JSON.stringify(value, null, 4)}\n` });
		else
			say({ out: table(found, !options["no-headers"]) });
		return 0;
	}

	// GET by way of the API server's proxy.
	#raw(url, say) {
		const [, name, port, path] = /^\/api\/v1\/namespaces\/[^/]+\/pods\/([^/:]+):([\w-]+)\/proxy(\/.*)$/.exec(url) ?? [];
		if (!name)
			throw new Error(`${url}: only /api/v1/namespaces/NS/pods/POD:PORT/proxy/PATH`);
		const pod = this.state.pod(name);
		const number = /^\d+$/.test(port) ? Number(port) : portOf(pod.spec.containers[0], port);
		return new Promise((resolve, reject) => {
			http.get({ host: pod.ip, port: number, path, agent: false, timeout: RAW_MS }, (response) => {
				response.setEncoding("utf8").on("data", (out) => say({ out }))
					.on("end", () => resolve(response.statusCode < 400 ? 0 : 1)).on("error", reject);
			}).on("error", reject).on("timeout", function onTimeout() {
				this.destroy(new Error("timed out"));
			});
		});
	}

	async #delete({ words, options, say }) {
		const target = targetOf(words);
		if (target.kind !== "Pod" || (target.names.length === 0 && !options.selector))
			throw new Error("delete: pods only, by name or selector");
		const pods = this.#found(target, options).map(({ metadata }) => this.state.pod(metadata.name));
		const grace = options.now ? 1 : options["grace-period"] === undefined ? undefined : Number(options["grace-period"]);
		const ended = pods.map((pod) => {
			say({ out: `pod "${pod.name}" deleted\n` });
			return pod.stop(grace);
		});
		if (options.wait !== "false" && !options.force)
			await Promise.all(ended);
	}

	#scale({ words, options, say }) {
		const { kind, names: [name] } = targetOf(words);
		const replicas = Number(options.replicas);
		if (!Number.isInteger(replicas) || replicas < 0 || !name)
			throw new Error("scale: KIND/NAME --replicas=N");
		this.state.objects.patch(kind, name, { spec: { replicas } });
		say({ out: `${kind.toLowerCase()}.apps/${name} scaled\n` });
	}

	async #rollout({ words: [act, ...words], options, say, isGone }) {
		const { kind, names: [name] } = targetOf(words);
		const workload = this.state.workload(kind, name);
		if (act === "restart") {
			const annotations = { "kubectl.kubernetes.io/restartedAt": new Date().toISOString() };
			this.state.objects.patch(kind, name, { spec: { template: { metadata: { annotations } } } });
			say({ out: `${kind.toLowerCase()}.apps/${name} restarted\n` });
			return 0;
		}
		if (act !== "status")
			throw new Error("rollout: restart or status");
		const dueMs = performance.now() + msOf(options.timeout, Infinity);
		for (let last = ""; workload.pending && !isGone();) {
			if (performance.now() > dueMs)
				throw new Error("timed out waiting for the condition");
			if (workload.pending !== last)
				say({ out: `Waiting for ${kind.toLowerCase()} "${name}" rollout to finish: ${last = workload.pending}...\n` });
			await pause();
		}
		say({ out: `${kind.toLowerCase()} "${name}" successfully rolled out\n` });
		return 0;
	}

	// env KIND/NAME A=B… , image KIND/NAME CONTAINER=IMAGE…
	#set({ words: [what, target, ...pairs], say }) {
		const { kind, names: [name] } = targetOf([target]);
		const object = structuredClone(this.state.objects.need(kind, name));
		const { containers } = object.spec.template.spec;
		for (const pair of pairs) {
			const [, key, value] = /^([^=]+)=(.*)$/s.exec(pair) ?? [];
			const minus = /^(.+)-$/.exec(pair)?.[1];
			if (what === "image" && key)
				containers.find((one) => key === "*" || one.name === key).image = value;
			else if (what === "env" && (key || minus))
				setVariable(containers[0].env ??= [], key ?? minus, key ? value : null);
			else
				throw new Error(`set ${what} ${pair}: not understood`);
		}
		this.state.objects.replace(object);
		say({ out: `${kind.toLowerCase()}.apps/${name} ${what} updated\n` });
	}

	#patch({ words, options, say }) {
		const { kind, names: [name] } = targetOf(words);
		if ((options.type ?? "merge") !== "merge")
			throw new Error("patch: only --type=merge here");
		this.state.objects.patch(kind, name, JSON.parse(options.patch));
		say({ out: `${kind.toLowerCase()}/${name} patched\n` });
	}

	async #wait({ words, options, say, isGone }) {
		const target = targetOf(words);
		const condition = options.for?.replace(/^condition=/i, "").toLowerCase();
		if (target.kind !== "Pod" || !["ready", "delete"].includes(condition))
			throw new Error("wait: for=condition=Ready or for=delete, of pods");
		const dueMs = performance.now() + msOf(options.timeout);
		const isWanted = selector(options.selector ?? "");
		const pods = () => this.state.pods.filter((pod) => (target.names.length === 0 || target.names.includes(pod.name)) && isWanted(pod.labels));
		const isMet = () => condition === "delete" ? pods().length === 0 : pods().length > 0 && pods().every((pod) => pod.isReady);
		while (!isMet() && !isGone()) {
			if (performance.now() > dueMs)
				throw new Error(`timed out waiting for the condition on ${pods().map(({ name }) => `pods/${name}`).join() || "no pod"}`);
			await pause();
		}
		say({ out: pods().map(({ name }) => `pod/${name} condition met\n`).join("") });
		return 0;
	}

	#logs({ words: [name], options, say }) {
		const { container } = this.state.pod(name.replace(/^pods?\//, ""));
		const lines = options.previous || options.p ? container.previous : container.lines;
		const tail = options.tail === undefined || options.tail === "-1" ? lines.length : Number(options.tail);
		say({ out: lines.slice(lines.length - Math.min(tail, lines.length)).map((line) => `${line}\n`).join("") });
	}

	// A pod by its name, or one of what is named.
	#podOf(word) {
		if (!word.includes("/") || /^pods?\//.test(word))
			return this.state.pod(word.split("/").pop());
		const { kind, names: [name] } = targetOf([word]);
		const pods = kind === "Service" ? this.state.pods.filter((pod) => this.state.endpoints(name)?.some((one) => one.name === pod.name))
			: this.state.workload(kind, name).live;
		const pod = pods.find((one) => one.isReady) ?? pods[0];
		if (!pod)
			throw new Error(`${word} has no pod`);
		return pod;
	}

	async #exec({ words: [word], rest, input, say }) {
		const { status, out, err } = await this.#podOf(word).exec(rest, input);
		say({ out });
		say({ err });
		return status;
	}

	#kill({ words: [name, signal = "KILL"], say }) {
		this.state.pod(name).signal(`SIG${signal.replace(/^SIG/, "")}`);
		say({ out: `pod "${name}" was sent SIG${signal.replace(/^SIG/, "")}\n` });
	}

	// A line of each three words: "open", "refused" (it may, but nobody listens), or "shut".
	async #reach({ words, say }) {
		const asked = Array.from({ length: Math.ceil(words.length / 3) }, (_, i) => words.slice(3 * i, 3 * i + 3));
		const ip = (host) => this.state.hosts.find(({ name }) => name === host)?.ip;
		if (asked.length === 0 || asked.some(([from, to, port]) => !ip(from) || !ip(to) || !/^\d+$/.test(port)))
			throw new Error("reach FROM TO PORT...");
		const found = await Promise.all(asked.map(([from, to, port]) => tool("nsenter", [`--net=${namespaceOf(from)}`, "bash", "-c",
			`timeout ${REACH_S} bash -c '</dev/tcp/${ip(to)}/${port}' 2>/dev/null; echo $?`])));
		say({ out: found.map((said) => `${{ 0: "open", 1: "refused" }[said.trim()] ?? "shut"}\n`).join("") });
		return 0;
	}

	// For port-forward: "pod:number".
	#resolve({ words: [word, port], say }) {
		const pod = this.#podOf(word);
		const service = /^(svc|services?)\/(.+)$/.exec(word);
		const wanted = service ? this.state.objects.need("Service", service[2]).spec.ports.find((one) =>
			String(one.port) === port || one.name === port)?.targetPort ?? port : port;
		const number = /^\d+$/.test(wanted) ? Number(wanted) : portOf(pod.spec.containers[0], wanted);
		say({ out: `${pod.name}:${number}` });
	}
}

function setVariable(env, name, value) {
	const at = env.findIndex((one) => one.name === name);
	if (at >= 0)
		env.splice(at, 1, ...(value === null ? [] : [{ name, value }]));
	else if (value !== null)
		env.push({ name, value });
}

const pause = () => new Promise((resolve) => setTimeout(resolve, STEP_MS));

function rowOf({ kind, metadata, status, spec }) {
	if (kind === "Pod") {
		const [one] = status.containerStatuses;
		const word = metadata.deletionTimestamp ? "Terminating" : one.state.waiting?.reason ?? "Running";
		return [metadata.name, `${Number(one.ready)}/1`, word, one.restartCount, status.podIP];
	}
	return [metadata.name, status ? `${status.readyReplicas}/${spec.replicas}` : "", kind];
}

function table(objects, hasHead) {
	if (objects.length === 0)
		return "";
	const head = objects[0].kind === "Pod" ? ["NAME", "READY", "STATUS", "RESTARTS", "IP"] : ["NAME", "READY", "KIND"];
	const rows = [...(hasHead ? [head] : []), ...objects.map(rowOf)];
	const widths = head.map((_, i) => Math.max(...rows.map((row) => String(row[i]).length)));
	return rows.map((row) => `${row.map((cell, i) => String(cell).padEnd(widths[i])).join("   ").trimEnd()}\n`).join("");
}

module.exports = { Api, parse, msOf };
