// SPDX-License-Identifier: Apache-2.0
// The examples of deploy/edge as they are shipped, with addresses of a test's: a real HAProxy or nginx in front of the
// three gateways of a cluster, g1 to g3, which come back where they were. Owns its process.
"use strict";

const assert = require("node:assert/strict");
const { spawn } = require("node:child_process");
const fs = require("node:fs");
const net = require("node:net");
const os = require("node:os");
const path = require("node:path");
const { ROOT } = require("./program.js");
const { waitFor, within } = require("./wait.js");

const WAIT_MS = 30000;
const example = (name) => fs.readFileSync(path.join(ROOT, "deploy/edge", name), "utf8");

// As often as it says, so that an example that changes does not pass unchanged.
function swap(text, pattern, replacement, count) {
	let n = 0;
	const swapped = text.replace(pattern, (...args) => {
		n++;
		return typeof replacement === "function" ? replacement(n - 1, ...args) : replacement;
	});
	assert.equal(n, count, `${pattern} in\n${text}`);
	return swapped;
}

const EDGES = {
	haproxy: {
		words: (file) => ["haproxy", "-db", "-f", file],
		conf(port, gateways) {
			let text = swap(example("haproxy.cfg"), /^\tbind :80$/gm, `\tbind 127.0.0.1:${port}`, 1);
			text = swap(text, /maxconn 100000/g, "maxconn 1000", 1);
			// Those that are asked whether they are ready, then those that are not.
			text = swap(text, /default-server check port 9100/g, "default-server check", 1);
			return swap(text, /^\tserver (g\d) 10\.0\.0\.1\d:8080$/gm, (i, _, name) =>
				`\tserver ${name} ${gateways[i % 3].address}${i < 3 ? ` port ${gateways[i].adminPort}` : ""}`, 6);
		},
	},
	nginx: {
		words: (file, folder) => ["nginx", "-c", file, "-p", folder, "-g", "daemon off; user root;"],
		conf(port, gateways, folder) {
			let text = swap(example("nginx.conf"), /^\t\tlisten 80;$/gm, `\t\tlisten 127.0.0.1:${port};`, 1);
			text = swap(text, /^load_module modules\//gm, "load_module /usr/lib/nginx/modules/", 1);
			text = swap(text, /^worker_processes auto;/gm, "worker_processes 2;", 1);
			text = swap(text, /worker_rlimit_nofile 200000;|worker_connections 50000;/g,
				(i) => (i ? "worker_connections 1000;" : ""), 2);
			text = swap(text, /\/run\/nginx/g, path.join(folder, "nginx"), 6);
			return swap(text, /10\.0\.0\.1\d:8080/g, (i) => gateways[i].address, 3);
		},
	},
};

async function freePort() {
	const server = net.createServer();
	await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
	const { port } = server.address();
	await new Promise((resolve) => server.close(resolve));
	return port;
}

class Edge {
	// `kind`: haproxy or nginx
	constructor(kind, cluster) {
		this.kind = EDGES[kind];
		this.gateways = ["g1", "g2", "g3"].map((name) => {
			const { args, ready: { http, admin } } = cluster.program(name);
			args.push(`--listen=${http}`, `--admin_listen=${admin}`);
			return { address: http, adminPort: admin.split(":")[1] };
		});
		this.folder = fs.mkdtempSync(path.join(os.tmpdir(), "heliograph-test-"));
		this.log = "";
	}

	async start() {
		const port = await freePort();
		const file = path.join(this.folder, "edge.conf");
		fs.writeFileSync(file, this.kind.conf(port, this.gateways, this.folder));
		const [command, ...words] = this.kind.words(file, this.folder);
		this.url = `http://127.0.0.1:${port}`;
		this.child = spawn(command, words, { stdio: ["ignore", "pipe", "pipe"] });
		for (const stream of [this.child.stdout, this.child.stderr])
			stream.on("data", (text) => { this.log = (this.log + text).slice(-10000); });
		let exit = null;
		this.ended = new Promise((resolve) => {
			this.child.on("error", (error) => resolve(exit = error.message));
			this.child.on("exit", (code, signal) => resolve(exit = `${code ?? signal}`));
		});
		await waitFor(async () => exit || (await fetch(`${this.url}/`, { signal: AbortSignal.timeout(2000) })).status < 500,
			WAIT_MS, "the edge to have a gateway");
		assert.equal(exit, null, `it ended\n${this.log}`);
	}

	async stop() {
		this.child.kill("SIGTERM");
		await within(this.ended, WAIT_MS, "its end").catch(() => this.child.kill("SIGKILL"));
		await this.ended;
		fs.rmSync(this.folder, { recursive: true });
	}
}

module.exports = { EDGES, Edge };
