// SPDX-License-Identifier: Apache-2.0
// The rendered manifests, run on this machine: every pod a podman container with the rights and limits that
// the manifests give it, an address and a name of its own, its probes asked, its preStop, SIGTERM
// and grace kept; HAProxy as the edge. `make cluster` builds the image and becomes this.
//
//	PORT=8080         clients and the demo page, on loopback
//	ADMIN_PORT=8090   presence's admin API and dashboard
//	OVERLAY=deploy/local/overlay   what is rendered: overlay `ha`, and the hub relay for tests
//
// It says where everything is once all pods are ready; Ctrl-C or TERM takes all of it away. A module too:
// tests start a cluster with `start`.
"use strict";

const { spawnSync } = require("node:child_process");
const crypto = require("node:crypto");
const fs = require("node:fs");
const net = require("node:net");
const path = require("node:path");
const readline = require("node:readline");
const { makeFolder, sweep } = require("./leftovers.js");
const manifests = require("./manifests.js");
const { ROOT, enter, missing, removeCgroups, tool } = require("./world.js");

const OVERLAY = "deploy/local/overlay";
const STORE = path.join(ROOT, "build/image/storage");
const LOOPBACK = "127.0.0.1";
const STOP_MS = 30000;
const ABANDON_MS = 5000;

// podman's configuration for one cluster: what it makes is in its folder, images are read only.
function configure(folder) {
	const files = {
		"containers.conf": `[containers]
default_ulimits = ["nofile=20000:20000", "nproc=8192:8192"]
[engine]
runtime = "runc"
cgroup_manager = "cgroupfs"
events_logger = "none"
[network]
network_backend = "netavark"
`,
		"storage.conf": `[storage]
driver = "overlay"
graphroot = "${folder}/storage"
runroot = "/run/containers/storage"
[storage.options]
additionalimagestores = ["${STORE}"]
`,
	};
	for (const [name, text] of Object.entries(files))
		fs.writeFileSync(path.join(folder, name), text);
	return { CONTAINERS_CONF: path.join(folder, "containers.conf"), CONTAINERS_STORAGE_CONF: path.join(folder, "storage.conf") };
}

// A port of this machine's loopback for a socket of the cluster's.
function forward(port, file) {
	const server = net.createServer((socket) => {
		const upstream = net.connect(file);
		socket.setNoDelay(true);
		socket.pipe(upstream).pipe(socket);
		socket.on("error", () => upstream.destroy()).on("close", () => upstream.destroy());
		upstream.on("error", () => socket.destroy()).on("close", () => socket.destroy());
	});
	return new Promise((resolve, reject) => server.once("error", reject).listen(port, LOOPBACK, () => resolve(server)));
}

const running = new Set();

// The last resort, for a process that ends in any way: its worlds go with it, but not their folders.
process.on("exit", () => {
	for (const cluster of running)
		cluster.abandon();
});

class Cluster {
	// options: port, adminPort (0: any that is free), overlay, say(line).
	constructor(options = {}) {
		this.options = { port: 0, adminPort: 0, overlay: OVERLAY, say: () => {}, ...options };
		this.name = `heliograph-${process.pid}-${crypto.randomBytes(3).toString("hex")}`;
		this.servers = [];
	}

	async start() {
		for (const folder of await sweep())
			this.options.say(`took away ${folder}, of a cluster that was killed`);
		this.folder = makeFolder(this.name);
		running.add(this);
		const { port, adminPort, overlay } = this.options;
		try {
			this.servers.push(await forward(port, path.join(this.folder, "edge")));
			this.servers.push(await forward(adminPort, path.join(this.folder, "admin")));
			const [edge, admin] = this.servers.map((server) => `http://${LOOPBACK}:${server.address().port}`);
			Object.assign(this, { url: edge, adminUrl: admin });
			const secrets = await tool(path.join(ROOT, "deploy/kubernetes/secrets.sh"), ["--redis"]);
			const objects = [...await manifests.parse(secrets), ...await manifests.kustomize(path.resolve(ROOT, overlay))];
			fs.writeFileSync(path.join(this.folder, "manifests.json"), JSON.stringify(objects), { mode: 0o600 });
			this.secret = (name, key) => Buffer.from(objects.find(({ kind, metadata }) => kind === "Secret" && metadata.name === name).data[key],
				"base64").toString().trim();
			await this.#enter();
		} catch (error) {
			await this.stop();
			throw error;
		}
	}

	// What kubectl of deploy/local needs in its environment.
	get env() {
		return { KUBECTL: path.join(ROOT, "deploy/local/kubectl"), HELIOGRAPH_CLUSTER: this.folder };
	}

	// One command of kubectl's, its output.
	kubectl(...args) {
		return tool(this.env.KUBECTL, args, { env: this.env });
	}

	// What a pod's container wrote, from its first start on; it may be gone.
	log(pod) {
		const folder = path.join(this.folder, "pods", pod);
		return fs.readdirSync(folder).filter((file) => file.endsWith(".log"))
			.map((file) => fs.readFileSync(path.join(folder, file), "utf8")).join("");
	}

	// Every pod that there has been.
	get pods() {
		return fs.readdirSync(path.join(this.folder, "pods"));
	}

	async stop() {
		this.servers.forEach((server) => server.close());
		if (this.world) {
			this.world.stdin.on("error", () => {}).end("stop\n");
			const timer = setTimeout(() => this.world.kill("SIGKILL"), STOP_MS);
			await this.ended;
			clearTimeout(timer);
		}
		this.#remove();
	}

	// At once, without waiting for anything in order.
	abandon() {
		if (this.world?.exitCode === null) {
			this.world.kill("SIGKILL");
			spawnSync("tail", ["-f", "--pid", String(this.world.pid), "/dev/null"], { timeout: ABANDON_MS });
		}
		this.#remove();
	}

	#remove() {
		running.delete(this);
		removeCgroups(this.name);
		fs.rmSync(this.folder, { recursive: true, force: true, maxRetries: 10 });
	}

	#enter() {
		this.world = enter(path.join(__dirname, "inside.js"), [this.folder, this.name], configure(this.folder));
		this.ended = new Promise((resolve) => this.world.on("exit", resolve).on("error", resolve));
		return new Promise((resolve, reject) => {
			const said = [];
			readline.createInterface({ input: this.world.stdout }).on("line", (line) => {
				if (line === "ready")
					resolve();
				said.push(line.replace(/^say /, ""));
				if (line.startsWith("say "))
					this.options.say(line.slice("say ".length));
			});
			this.ended.then((how) => reject(new Error(`the cluster ended (${how}):\n${said.slice(-20).join("\n")}`)));
		});
	}
}

// The images that pods are made of, built if they are not there.
async function images() {
	const podman = path.join(ROOT, "deploy/image/podman.sh");
	await tool(podman, ["image", "exists", "localhost/redis:here"]).catch(() =>
		tool(podman, ["build", "--isolation=chroot", "--pull=never", "--network=host", "--tag=localhost/redis:here",
			"--file", path.join(ROOT, "deploy/local/redis.Dockerfile"), path.join(ROOT, "deploy/local")]));
}

function banner(cluster) {
	const lines = [
		"Heliograph is ready, from the manifests of " + cluster.options.overlay, "",
		`  demo page    ${cluster.url}/`,
		`  hubs         ${cluster.url}/hubs/<name>, by way of the edge`,
		`  token        POST ${cluster.url}/dev/token  {"userId": "ann"}`,
		`  who is here  ${cluster.adminUrl}/api/v1/users, the dashboard at ${cluster.adminUrl}/`,
		`               with this token: ${cluster.secret("admin", "admin.token")}`, "",
		"kubectl for it, in another terminal:", "",
		...Object.entries(cluster.env).map(([name, value]) => `  export ${name}=${value}`),
		"  $KUBECTL get pods; $KUBECTL scale deployment/gateway --replicas=5; $KUBECTL kill router-1", "",
		"Ctrl-C ends all.",
	];
	return `+${"-".repeat(78)}\n${lines.map((line) => `| ${line}`.trimEnd()).join("\n")}\n+${"-".repeat(78)}`;
}

async function main() {
	const why = missing();
	if (why)
		throw new Error(why);
	const { PORT = 8080, ADMIN_PORT = 8090, OVERLAY: overlay = OVERLAY } = process.env;
	await images();
	const cluster = new Cluster({ port: Number(PORT), adminPort: Number(ADMIN_PORT), overlay, say: (line) => console.log(`cluster: ${line}`) });
	const ended = new Promise((resolve) => {
		for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"])
			process.on(signal, resolve);
	});
	if (await Promise.race([cluster.start().then(() => "ready"), ended]) === "ready")
		console.log(banner(cluster));
	await Promise.race([ended, cluster.ended]);
	await cluster.stop();
}

module.exports = { Cluster, images, missing };

if (require.main === module)
	main().then(() => process.exit(0), (error) => {
		console.error(`cluster: ${error.message}`);
		process.exit(1);
	});
