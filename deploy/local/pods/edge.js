// SPDX-License-Identifier: Apache-2.0
// The edge in front of the gateways, HAProxy, as an ingress controller would be: it learns of them from
// the cluster's DNS, sticks to none, and tries at another one what was refused. Beside it,
// for the demo page, whoever would serve an application's pages and sign its users' tokens.
"use strict";

const { spawn } = require("node:child_process");
const crypto = require("node:crypto");
const fs = require("node:fs");
const http = require("node:http");
const path = require("node:path");
const { DOMAIN } = require("./dns.js");
const { NODE, namespaceOf } = require("./net.js");
const { ROOT } = require("./world.js");

const SITE = path.join(ROOT, "deploy/demo/site");
const SERVERS_MAX = 20;
const TOKEN_S = 3600;
const BODY_BYTES_MAX = 4096;
const TYPES = { ".html": "text/html; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".css": "text/css; charset=utf-8",
	".svg": "image/svg+xml" };

// Only negotiations, which keep nothing, and WebSockets that a gateway on its way out refused are
// sent a second time once they have reached one.
const conf = (folder, namespace) => `
global
	log stderr format raw local0 warning
	maxconn 4000
defaults
	mode http
	timeout connect 500ms
	timeout client 75s
	timeout server 100s
	timeout http-request 10s
	timeout tunnel 1h
	retries 4
	option redispatch 1
	option forwardfor
resolvers cluster
	nameserver dns ${NODE}:53
	accepted_payload_size 8192
	timeout resolve 200ms
	timeout retry 500ms
	hold valid 200ms
	hold obsolete 0s
	hold nx 200ms
frontend edge
	bind unix@${folder}/edge mode 666
	http-request set-header X-Forwarded-Proto http
	http-request set-header X-Forwarded-Host %[req.hdr(Host)]
	use_backend gateways if { path_beg -i /hubs/ }
	default_backend demo
backend gateways
	balance random
	retry-on conn-failure empty-response 503
	http-request disable-l7-retry unless { path_end /negotiate } || { req.hdr(upgrade) -i websocket }
	server-template gateway ${SERVERS_MAX} gateway.${namespace}.${DOMAIN}:8080 resolvers cluster resolve-opts prevent-dup-ip init-addr none
backend demo
	server demo unix@${folder}/demo
`;

const base64url = (value) => Buffer.from(value).toString("base64url");

// HS256, the first line of the key file.
function token(key, { userId, name, roles }) {
	const claims = { sub: userId, ...(name ? { name } : {}), ...(roles ? { roles } : {}),
		exp: Math.floor(Date.now() / 1000) + TOKEN_S };
	const text = `${base64url(JSON.stringify({ alg: "HS256", typ: "JWT" }))}.${base64url(JSON.stringify(claims))}`;
	return `${text}.${crypto.createHmac("sha256", key).update(text).digest("base64url")}`;
}

// The demo page, and POST /dev/token as a gateway in dev mode has it; gateways here are not in it.
class Demo {
	constructor(keyOf) {
		this.keyOf = keyOf;
	}

	listen(file) {
		this.server = http.createServer((request, response) => this.#serve(request, response));
		return new Promise((resolve, reject) => this.server.once("error", reject).listen(file, resolve));
	}

	async #serve(request, response) {
		const { pathname } = new URL(request.url, "http://x");
		if (request.method === "POST" && pathname === "/dev/token")
			return this.#token(request, response);
		const file = path.join(SITE, pathname.endsWith("/") ? `${pathname}index.html` : pathname);
		if (!file.startsWith(`${SITE}/`) || !fs.statSync(file, { throwIfNoEntry: false })?.isFile())
			return response.writeHead(404).end();
		response.writeHead(200, { "Content-Type": TYPES[path.extname(file)] ?? "application/octet-stream" });
		return fs.createReadStream(file).pipe(response);
	}

	async #token(request, response) {
		let body = "";
		for await (const data of request)
			if ((body += data).length > BODY_BYTES_MAX)
				return response.writeHead(413).end();
		try {
			const wanted = JSON.parse(body);
			if (typeof wanted.userId !== "string" || wanted.userId === "")
				throw new Error("no userId");
			return response.writeHead(200, { "Content-Type": "application/json" }).end(JSON.stringify({ token: token(this.keyOf(), wanted) }));
		} catch {
			return response.writeHead(400).end();
		}
	}
}

class Edge {
	// keyOf(): the key that clients' tokens are signed with.
	constructor({ folder, namespace, keyOf }) {
		Object.assign(this, { folder, namespace });
		this.demo = new Demo(keyOf);
		this.log = "";
		this.exit = null;
	}

	async start() {
		await this.demo.listen(path.join(this.folder, "demo"));
		const file = path.join(this.folder, "haproxy.cfg");
		fs.writeFileSync(file, conf(this.folder, this.namespace));
		this.child = spawn("nsenter", [`--net=${namespaceOf("edge")}`, "haproxy", "-db", "-f", file], { stdio: ["ignore", "ignore", "pipe"] });
		this.child.stderr.on("data", (text) => { this.log = (this.log + text).slice(-20000); });
		this.ended = new Promise((resolve) => this.child.on("error", resolve).on("exit", resolve));
		this.ended.then((exit) => {
			this.exit = exit;
		});
	}

	// Whether it has a gateway to send somebody to.
	isReady() {
		if (this.exit !== null)
			throw new Error(`haproxy ended: ${this.log}`);
		return new Promise((resolve) => {
			http.request({ socketPath: path.join(this.folder, "edge"), method: "POST", path: "/hubs/chat/negotiate?negotiateVersion=1", agent: false, timeout: 1000 },
				(response) => {
					response.resume();
					resolve(response.statusCode !== 503);
				}).on("error", () => resolve(false)).on("timeout", function onTimeout() {
				this.destroy();
			}).end();
		});
	}

	async stop() {
		this.child?.kill("SIGKILL");
		await this.ended;
		this.demo.server?.close();
		this.demo.server?.closeAllConnections();
	}
}

module.exports = { Edge };
