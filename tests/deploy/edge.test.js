// SPDX-License-Identifier: Apache-2.0
// The examples of deploy/edge as they are shipped, with addresses of the test's: real HAProxy and nginx in front of
// three gateways, official clients, gateways that end under them.
"use strict";

const { after, before, describe, test } = require("node:test");
const assert = require("node:assert/strict");
const { spawn } = require("node:child_process");
const fs = require("node:fs");
const net = require("node:net");
const os = require("node:os");
const path = require("node:path");
const { Cluster } = require("../kit/cluster.js");
const { connect, signalR } = require("../kit/clients.js");
const { freshRoom } = require("../kit/chat.js");
const { ROOT } = require("../kit/program.js");
const { Traffic } = require("../kit/traffic.js");
const { waitFor, within } = require("../kit/wait.js");

const WAIT_MS = 30000;
const TRANSPORTS = ["WebSockets", "ServerSentEvents", "LongPolling"];
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
			return swap(text, /^\tserver (g\d) 10\.0\.0\.1\d:8080$/gm,
				(i, _, name) => `\tserver ${name} ${gateways[i].address} port ${gateways[i].adminPort}`, 3);
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
	constructor(kind, cluster) {
		this.kind = EDGES[kind];
		this.gateways = ["g1", "g2", "g3"].map((name) => cluster.program(name).ready)
			.map(({ http, admin }) => ({ address: http, adminPort: admin.split(":")[1] }));
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

const gatewayArgs = ["--stateful_reconnect=on", "--reattach_per_minute_max=100000", "--lease=2s", "--drain_timeout=20s",
	"--trusted_proxies=127.0.0.1"];

for (const kind of Object.keys(EDGES))
	describe(`${kind} in front of gateways`, () => {
		let cluster;
		let edge;
		before(async () => {
			cluster = new Cluster({ gateways: 3, routers: 2, gatewayArgs });
			await cluster.start();
			edge = new Edge(kind, cluster);
			await edge.start();
		});
		after(async () => {
			await edge?.stop();
			await cluster.stop();
		});

		const by = (t, transport, options) => connect(t, edge.url, { http: { transport: signalR.HttpTransportType[transport] }, ...options });

		test("every transport goes through, to any gateway, as it comes", async (t) => {
			const room = freshRoom();
			const clients = [];
			for (let i = 0; i < 9; i++)
				clients.push(await by(t, TRANSPORTS[i % 3]));
			for (const client of clients)
				await client.invoke("JoinRoom", room);
			for (const [i, client] of clients.entries()) {
				await client.invoke("SendMessage", room, `m${i}`);
				// Each before the next is sent: nothing waits in a buffer.
				await Promise.all(clients.map((receiver) => receiver.untilText(room, `m${i}`)));
			}
		});

		test("a client's address and the page's are passed on", async () => {
			const negotiate = (origin) => fetch(`${edge.url}/hubs/chat/negotiate?negotiateVersion=1`,
				{ method: "POST", headers: { origin, "x-forwarded-host": "evil.example", "x-forwarded-proto": "https" } });
			assert.equal((await negotiate(edge.url)).status, 200, "its own page");
			assert.equal((await negotiate("https://evil.example")).headers.get("access-control-allow-origin"), null);
		});

		test("stateful clients do not notice that each gateway in turn is drained and comes back", async (t) => {
			const clients = await Promise.all(Array.from({ length: 6 }, () => by(t, "WebSockets", { stateful: true })));
			const traffic = new Traffic(new Map([[freshRoom(), clients]]));
			t.after(() => traffic.stop().catch(() => {}));
			await traffic.start();
			await traffic.flows(1);
			for (const name of ["g1", "g2", "g3"]) {
				const { http, admin } = cluster.program(name).ready;
				cluster.program(name).args.push(`--listen=${http}`, `--admin_listen=${admin}`);
				assert.deepEqual(await cluster.kill(name, "SIGTERM"), { code: 0, signal: null });
				await traffic.flows(1);
				await cluster.restart(name);
				await waitFor(async () => (await cluster.admin(name, "/readyz")).status === 200, WAIT_MS, `${name} to be ready`);
				await traffic.flows(1);
			}
			await traffic.stop();
			await traffic.check();
			assert.deepEqual(traffic.lanes.flatMap((lane) => lane.refused), []);
			assert.deepEqual(clients.flatMap((client) => client.states), []);
		});

		test("nobody is sent to a gateway that is gone", async (t) => {
			const room = freshRoom();
			await cluster.kill("g2");
			for (let i = 0; i < 12; i++) {
				const client = await by(t, TRANSPORTS[i % 3]);
				await client.invoke("JoinRoom", room);
				await client.invoke("JoinRoom", room);
			}
		});
	});
