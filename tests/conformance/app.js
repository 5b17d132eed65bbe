// SPDX-License-Identifier: Apache-2.0
// The conformance app: starts a cluster with the hubs of testhub.c and stands before it with
// the routes of the suites that are no hubs. PORT (default 5000) and TLS_PORT (none) say where.
"use strict";

const fs = require("node:fs");
const http = require("node:http");
const https = require("node:https");
const net = require("node:net");
const os = require("node:os");
const path = require("node:path");
const signalR = require("@microsoft/signalr");
const { Cluster } = require("../kit/cluster.js");
const { Certificate } = require("../kit/certificate.js");
const { JwtKey } = require("../kit/jwt.js");
const { conformanceOptions } = require("./cluster.js");
const { Echo } = require("./echo.js");

const TOKEN_S = 5;
const NAME_IDENTIFIER = "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/nameidentifier";

const key = new JwtKey("HS256");
const echo = new Echo();
let cluster;
let asking; // a client of ours, by which a route calls a hub

function target() {
	const at = cluster.addresses[0].lastIndexOf(":");
	return { host: cluster.addresses[0].slice(0, at), port: Number(cluster.addresses[0].slice(at + 1)) };
}

function allowOrigin(request, response) {
	if (!request.headers.origin)
		return;
	response.setHeader("Access-Control-Allow-Origin", request.headers.origin);
	response.setHeader("Access-Control-Allow-Credentials", "true");
	response.setHeader("Access-Control-Allow-Methods", "GET, POST, DELETE, OPTIONS");
	response.setHeader("Access-Control-Allow-Headers", request.headers["access-control-request-headers"] ?? "*");
}

function setCookies(response) {
	response.setHeader("Set-Cookie", ["testCookie=testValue; path=/", "testCookie2=testValue2; path=/",
		"expiredCookie=doesntmatter; expires=Thu, 01 Jan 1970 00:00:00 GMT; path=/"]);
}

function generateToken(response) {
	const exp = Math.floor(Date.now() / 1000) + TOKEN_S;
	response.end(key.sign({ [NAME_IDENTIFIER]: "testuser", exp }));
}

function redirect(url, response) {
	const n = Number(url.searchParams.get("numRedirects") ?? 0) + 1;
	response.setHeader("Content-Type", "application/json");
	response.end(JSON.stringify({ url: `${url.searchParams.get("baseUrl")}/testHub?numRedirects=${n}` }));
}

async function clientResult(url, response) {
	const connection = url.pathname.slice("/clientresult/".length);
	try {
		response.end(String(await asking.invoke("ClientResult", connection)));
	} catch (error) {
		response.end(error.message);
	}
}

// The rest is the gateway's, bytes and all.
function pass(request, response) {
	const onward = http.request({ ...target(), method: request.method, path: request.url, headers: request.headers }, (answer) => {
		const { "set-cookie": cookies, ...headers } = answer.headers;
		response.writeHead(answer.statusCode, { ...headers, ...(cookies ? { "set-cookie": cookies } : {}) });
		answer.pipe(response);
	});
	onward.on("error", () => response.destroy());
	response.on("close", () => onward.destroy());
	request.pipe(onward);
}

function onRequest(request, response) {
	const url = new URL(request.url, "http://x");
	const route = url.pathname.toLowerCase();
	if (route.includes("/negotiate"))
		setCookies(response);
	if (route.startsWith("/echoredirect")) {
		allowOrigin(request, response);
		response.writeHead(307, { Location: request.url.replace(/echoredirect/i, "echo") });
		response.end();
		return;
	}
	const routes = [
		["/generatejwttoken", () => generateToken(response)],
		["/redirect", () => redirect(url, response)],
		["/clientresult/", () => clientResult(url, response)],
		["/bad-negotiate", () => { response.statusCode = 400; response.end("Some response from server"); }],
		["/echo/negotiate", () => echo.negotiate(request, response)],
		["/echo", () => echo.handle(request, response)],
	];
	const [, answer] = routes.find(([prefix]) => route.startsWith(prefix)) ?? [];
	if (!answer) {
		pass(request, response);
		return;
	}
	allowOrigin(request, response);
	if (request.method === "OPTIONS") {
		response.statusCode = 204;
		response.end();
	} else {
		answer();
	}
}

function onUpgrade(request, socket, head) {
	if (new URL(request.url, "http://x").pathname.toLowerCase() === "/echo") {
		echo.upgrade(request, socket, head);
		return;
	}
	const { host, port } = target();
	const onward = net.connect(port, host, () => {
		const lines = [`${request.method} ${request.url} HTTP/1.1`];
		for (let i = 0; i < request.rawHeaders.length; i += 2)
			lines.push(`${request.rawHeaders[i]}: ${request.rawHeaders[i + 1]}`);
		onward.write(`${lines.join("\r\n")}\r\n\r\n`);
		onward.write(head);
		socket.pipe(onward).pipe(socket);
	});
	onward.on("error", () => socket.destroy());
	socket.on("error", () => onward.destroy());
	socket.on("close", () => onward.destroy());
}

async function listen(server, port) {
	server.on("request", onRequest).on("upgrade", onUpgrade);
	await new Promise((resolve, reject) => server.on("error", reject).listen(port, "127.0.0.1", resolve));
	return server.address().port;
}

// `certificate`: the caller's, who trusts it; else one of our own.
async function start({ port = 0, tlsPort, certificate } = {}) {
	const folder = fs.mkdtempSync(path.join(os.tmpdir(), "heliograph-conformance-"));
	const keyFile = path.join(folder, "auth.key");
	fs.writeFileSync(keyFile, key.file, { mode: 0o600 });
	cluster = new Cluster(conformanceOptions(["--cors_origins=*", `--auth_key_file=${keyFile}`, "--auth_leeway=0"]));
	await cluster.start();
	asking = new signalR.HubConnectionBuilder().withUrl(`${cluster.urls[0]}/testhub`).configureLogging(signalR.LogLevel.None).build();
	await asking.start();
	const servers = [http.createServer()];
	const urls = [`http://127.0.0.1:${await listen(servers[0], port)}`];
	if (tlsPort !== undefined) {
		const used = certificate ?? new Certificate("conformance");
		servers.push(https.createServer({ cert: fs.readFileSync(used.cert), key: fs.readFileSync(used.key) }));
		if (!certificate)
			used.remove();
		urls.push(`https://127.0.0.1:${await listen(servers[1], tlsPort)}`);
	}
	const stop = async () => {
		await asking.stop();
		for (const server of servers) {
			server.close();
			server.closeAllConnections();
		}
		await cluster.stop();
		fs.rmSync(folder, { recursive: true, force: true });
	};
	return { urls, stop };
}

module.exports = { start };

if (require.main === module) {
	const { PORT, TLS_PORT } = process.env;
	start({ port: Number(PORT || 5000), tlsPort: TLS_PORT ? Number(TLS_PORT) : undefined }).then(({ urls, stop }) => {
		console.log(`The conformance app is ready: ${urls.join(" ")}`);
		for (const signal of ["SIGINT", "SIGTERM"])
			process.once(signal, () => stop().then(() => process.exit(0), () => process.exit(1)));
	}, (error) => {
		console.error(error);
		process.exit(1);
	});
}
