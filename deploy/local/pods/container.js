// SPDX-License-Identifier: Apache-2.0
// One container of a pod: run by podman as its manifest says, started again when it ends, its
// output kept. What the manifest asks for and this does not know is refused.
"use strict";

const { spawn } = require("node:child_process");
const fs = require("node:fs");
const path = require("node:path");
const { namespaceOf } = require("./net.js");
const { bytesOf } = require("./volumes.js");
const { tool } = require("./world.js");

const KNOWN = new Set(["name", "image", "imagePullPolicy", "command", "args", "env", "ports", "livenessProbe",
	"readinessProbe", "startupProbe", "lifecycle", "resources", "securityContext", "volumeMounts"]);
const KNOWN_SECURITY = new Set(["allowPrivilegeEscalation", "readOnlyRootFilesystem", "capabilities", "runAsNonRoot", "runAsUser",
	"runAsGroup", "seccompProfile", "privileged"]);
const LINES_MAX = 4000;
const STARTED_MS = 60000; // podman itself
const STEP_MS = 10;
const NEVER_STARTED = 125; // podman's own mistakes; 126 and 127 are the command's

// "a-$(B)" as Kubernetes fills it in.
const expand = (text, values) => text.replaceAll(/\$\$|\$\((\w+)\)/g, (all, name) =>
	all === "$$" ? "$" : values[name] ?? all);

function fieldOf(pod, fieldPath) {
	const [, key] = /^metadata\.(?:labels|annotations)\['(.+)'\]$/.exec(fieldPath) ?? [];
	const value = key ? pod.labels[key] : { "metadata.name": pod.name, "metadata.namespace": pod.namespace, "status.podIP": pod.ip,
		"spec.nodeName": "node" }[fieldPath];
	if (value === undefined)
		throw new Error(`fieldRef ${fieldPath}: not supported here`);
	return value;
}

// A container's environment, {name: value}.
function environment(pod, spec) {
	const values = {};
	for (const { name, value, valueFrom } of spec.env ?? [])
		if (valueFrom?.fieldRef)
			values[name] = fieldOf(pod, valueFrom.fieldRef.fieldPath);
		else if (valueFrom) {
			const [kind, of] = valueFrom.configMapKeyRef ? ["ConfigMap", valueFrom.configMapKeyRef] : ["Secret", valueFrom.secretKeyRef];
			const bytes = of && pod.objects.data(kind, of.name, of.key);
			if (bytes === undefined)
				throw new Error(`${kind} ${of?.name} has no key ${of?.key}`);
			values[name] = bytes.toString();
		} else
			values[name] = expand(value ?? "", values);
	return values;
}

function refuseUnknown(what, spec, known) {
	const unknown = Object.keys(spec).filter((key) => !known.has(key));
	if (unknown.length > 0)
		throw new Error(`${what}: ${unknown.join()}: not supported here`);
}

class Container {
	#child = null;

	// onEnd(exit): each time that it has ended.
	constructor(pod, spec, folder, onEnd) {
		refuseUnknown(`container ${spec.name}`, spec, KNOWN);
		refuseUnknown("securityContext", spec.securityContext ?? {}, KNOWN_SECURITY);
		Object.assign(this, { pod, spec, folder, onEnd });
		this.id = `${pod.name}.${spec.name}`;
		this.pidFile = path.join(folder, `${spec.name}.pid`);
		this.lines = [];
		this.previous = [];
		this.pid = 0;
		this.startedMs = 0;
		this.isKnown = false; // to podman, it may be
	}

	get isRunning() {
		return this.pid > 0;
	}

	// Resolves when its process is there; rejects if podman could not.
	async start(image, cgroup) {
		fs.rmSync(this.pidFile, { force: true });
		this.previous = this.lines;
		this.lines = [];
		const child = spawn("podman", ["run", ...this.#options(cgroup), image, ...this.#words()],
			{ stdio: ["ignore", "pipe", "pipe"] });
		this.#child = child;
		this.isKnown = true;
		this.#keep(child.stdout);
		this.#keep(child.stderr);
		const ended = new Promise((resolve) => child.on("error", (error) => resolve({ code: NEVER_STARTED, error: error.message }))
			.on("close", (code, signal) => resolve({ code: code ?? 128, signal })));
		let exit = null;
		ended.then((how) => {
			exit = how;
		});
		for (const dueMs = performance.now() + STARTED_MS; !(this.pid = this.#readPid()) && !exit;) {
			if (performance.now() > dueMs) {
				child.kill("SIGKILL");
				throw new Error(`podman took over ${STARTED_MS / 1000} s to start ${this.id}`);
			}
			await new Promise((resolve) => setTimeout(resolve, STEP_MS));
		}
		if (!this.pid && exit.code === NEVER_STARTED)
			throw new Error(`podman run: ${exit.error ?? this.lines.slice(-3).join(" ")}`);
		this.startedMs = performance.now();
		this.ended = ended.then((how) => {
			this.pid = 0;
			this.onEnd(how);
			return how;
		});
	}

	// To its first process, which is ours to signal: we see it.
	signal(signal) {
		try {
			if (this.pid)
				process.kill(this.pid, signal);
		} catch {
			// It has ended, and podman is about to say so.
		}
	}

	// {status, out, err} of a command in it.
	exec(command, input = "", timeoutMs = 0) {
		return new Promise((resolve) => {
			const child = spawn("podman", ["exec", ...(input ? ["-i"] : []), this.id, ...command],
				{ stdio: ["pipe", "pipe", "pipe"], timeout: timeoutMs });
			let [out, err] = ["", ""];
			child.stdout.setEncoding("utf8").on("data", (text) => { out += text; });
			child.stderr.setEncoding("utf8").on("data", (text) => { err += text; });
			child.stdin.on("error", () => {}).end(input);
			child.on("error", (error) => resolve({ status: 126, out, err: error.message }))
				.on("close", (code) => resolve({ status: code ?? 137, out, err }));
		});
	}

	#readPid() {
		try {
			return Number(fs.readFileSync(this.pidFile, "utf8")) || 0;
		} catch {
			return 0;
		}
	}

	#words() {
		const { args = [] } = this.spec;
		const values = environment(this.pod, this.spec);
		return args.map((word) => expand(word, values));
	}

	#options(cgroup) {
		const { pod, spec } = this;
		const security = { ...pod.spec.securityContext, ...spec.securityContext };
		const options = ["--name", this.id, "--replace", "--rm", "--pull=never", "--log-driver=none", "--sig-proxy=false",
			"--pidfile", this.pidFile, "--network", `ns:${namespaceOf(pod.name)}`, "--hostname", pod.name, "--no-hosts",
			"--cgroup-parent", `/${cgroup}`, "--volume", `${pod.resolvConf}:/etc/resolv.conf:ro`];
		if (security.runAsUser !== undefined)
			options.push("--user", `${security.runAsUser}:${security.runAsGroup ?? security.runAsUser}`);
		if (security.runAsNonRoot && !security.runAsUser)
			throw new Error(`${this.id}: runAsNonRoot needs runAsUser here`);
		if (security.fsGroup !== undefined)
			options.push("--group-add", String(security.fsGroup));
		if (security.readOnlyRootFilesystem)
			options.push("--read-only", "--read-only-tmpfs=false");
		for (const name of security.capabilities?.drop ?? [])
			options.push(`--cap-drop=${name}`);
		for (const name of security.capabilities?.add ?? [])
			options.push(`--cap-add=${name}`);
		if (security.allowPrivilegeEscalation === false)
			options.push("--security-opt=no-new-privileges");
		if (security.privileged)
			throw new Error(`${this.id}: privileged: not here`);
		const { limits = {} } = spec.resources ?? {};
		if (limits.memory)
			options.push(`--memory=${bytesOf(limits.memory)}`, `--memory-swap=${bytesOf(limits.memory)}`);
		if (limits.cpu)
			options.push(`--cpus=${limits.cpu.endsWith("m") ? Number(limits.cpu.slice(0, -1)) / 1000 : limits.cpu}`);
		for (const [name, value] of Object.entries(environment(pod, spec)))
			options.push("--env", `${name}=${value}`);
		for (const { name, mountPath, readOnly, subPath } of spec.volumeMounts ?? []) {
			if (subPath)
				throw new Error(`${this.id}: subPath: not supported here`);
			options.push("--volume", `${pod.volume(name).folder}:${mountPath}:${readOnly ? "ro" : "rw"}`);
		}
		if (spec.command)
			options.push("--entrypoint", JSON.stringify(spec.command));
		return options;
	}

	#keep(stream) {
		const { lines } = this;
		const log = fs.createWriteStream(path.join(this.folder, `${this.spec.name}.log`), { flags: "a" });
		let rest = "";
		stream.setEncoding("utf8").on("data", (text) => {
			log.write(text);
			const all = (rest + text).split("\n");
			rest = all.pop();
			lines.push(...all);
			lines.splice(0, lines.length - LINES_MAX);
		}).on("close", () => log.end());
	}
}

// Takes away what podman still knows of an ended pod's containers.
function removeContainers(ids) {
	return tool("podman", ["rm", "--force", "--ignore", "--time=0", ...ids]);
}

module.exports = { Container, environment, expand, removeContainers };
