// SPDX-License-Identifier: Apache-2.0
// The load balancer in front of the gateways, HAProxy: no stickiness, each request to a gateway
// by chance, gateways that are not ready left out, and what found no gateway tried at another one.
// Of requests that have reached one only negotiations are tried again, which keep nothing, and
// WebSockets that a gateway on its way out refused: an
// answer to a poll that is lost takes messages with it, and a second poll would hide that.
"use strict";

const { spawn } = require("node:child_process");
const fs = require("node:fs");
const path = require("node:path");
const { waitFor, within } = require("../kit/wait.js");

const READY_MS = 120000;
const PORT = 80;

const conf = (ip, gateways) => `
global
	log stderr format raw local0 warning
defaults
	mode http
	timeout connect 500ms
	timeout client 75s
	timeout server 75s
	timeout http-request 10s
	timeout tunnel 1h
	timeout check 500ms
	retries 4
	option redispatch 1
	option forwardfor
frontend edge
	bind ${ip}:${PORT}
	http-request set-header X-Forwarded-Proto http
	http-request set-header X-Forwarded-Host %[req.hdr(Host)]
	use_backend unready if { nbsrv(gateways) eq 0 }
	default_backend gateways
backend unready
	balance random
${gateways.map(({ name, listen }) => `	server ${name} ${listen}`).join("\n")}
backend gateways
	balance random
	retry-on conn-failure empty-response 503
	http-request disable-l7-retry unless { path_end /negotiate } || { req.hdr(upgrade) -i websocket }
	option httpchk GET /readyz
	default-server inter 500ms fastinter 200ms downinter 300ms fall 2 rise 1
${gateways.map(({ name, listen, adminPort }) => `	server ${name} ${listen} check port ${adminPort}`).join("\n")}
`;

class Edge {
	constructor(net, folder, gateways) {
		this.net = net;
		this.folder = folder;
		this.gateways = gateways;
		this.url = `http://${net.ip("edge")}:${PORT}`;
		this.log = "";
	}

	async start() {
		const file = path.join(this.folder, "haproxy.cfg");
		fs.writeFileSync(file, conf(this.net.ip("edge"), this.gateways));
		const [command, ...words] = [...this.net.at("edge"), "haproxy", "-db", "-f", file];
		this.child = spawn(command, words, { stdio: ["ignore", "ignore", "pipe"] });
		this.child.stderr.on("data", (text) => { this.log = (this.log + text).slice(-20000); });
		let exit = null;
		this.ended = new Promise((resolve) => {
			this.child.on("error", (error) => resolve(exit = error.message));
			this.child.on("exit", (code, signal) => resolve(exit = `${code ?? signal}`));
		});
		await waitFor(async () => {
			if (exit)
				return true;
			const response = await fetch(`${this.url}/`, { signal: AbortSignal.timeout(10000) });
			return response.status !== 503;
		}, READY_MS, "the edge to have a gateway");
		if (exit)
			throw new Error(`haproxy ended: ${exit}\n${this.log}`);
	}

	async stop() {
		this.child.kill("SIGTERM");
		await within(this.ended, 5000, "the end of haproxy").catch(() => this.child.kill("SIGKILL"));
		await this.ended;
	}

	// With every connection through it.
	async kill() {
		this.child.kill("SIGKILL");
		await this.ended;
	}
}

module.exports = { Edge };
