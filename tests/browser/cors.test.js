// SPDX-License-Identifier: Apache-2.0
// A page of another origin in a real browser: what it may do where the gateway lists its
// origin, and that it may do nothing where it is not listed. The page runs the official
// client as browsers load it, with its defaults: credentials are included.
"use strict";

const { describe, test, before, after, afterEach } = require("node:test");
const assert = require("node:assert/strict");
const fs = require("node:fs");
const http = require("node:http");
const path = require("node:path");
const { sharedCluster } = require("../kit/cluster.js");
const { launch } = require("../kit/browser.js");
const { mintToken } = require("../kit/clients.js");
const { ROOT } = require("../kit/program.js");

const CLIENT = path.join(ROOT, "tests/node_modules/@microsoft/signalr/dist/browser/signalr.min.js");
const FILES = {
	"/": ["text/html", '<!doctype html><html lang="en"><title>A page</title><link rel="icon" href="data:,"><script src="/signalr.js"></script>'],
	"/signalr.js": ["text/javascript", fs.readFileSync(CLIENT)],
};
const TRANSPORTS = ["WebSockets", "ServerSentEvents", "LongPolling"];

// A web server of the page; its URL is its origin.
async function serve() {
	const server = http.createServer((request, response) => {
		const [type, body] = FILES[request.url] ?? ["text/plain", ""];
		response.writeHead(FILES[request.url] ? 200 : 404, { "Content-Type": type });
		response.end(body);
	});
	await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
	return { server, origin: `http://127.0.0.1:${server.address().port}` };
}

// In the page: connects by one transport alone and calls a method that answers with an event.
async function talk({ url, transport, token }) {
	const { signalR } = window;
	const connection = new signalR.HubConnectionBuilder()
		.withUrl(url, { transport: signalR.HttpTransportType[transport], accessTokenFactory: () => token })
		.configureLogging(signalR.LogLevel.None).build();
	const heard = new Promise((resolve) => connection.on("ReceiveMessage", resolve));
	try {
		await connection.start();
		await connection.invoke("JoinRoom", "cors");
		await connection.invoke("SendMessage", "cors", `by ${transport}`);
		const { message } = await heard;
		await connection.stop();
		return message;
	} catch (error) {
		return `failed: ${error.message}`;
	}
}

// In the page: the bare WebSocket, EventSource and fetch, with no client that would give up
// at negotiation. Whoever can read an answer says so.
async function reach({ url, id, token }) {
	const query = `?id=${encodeURIComponent(id)}&access_token=${encodeURIComponent(token)}`;
	const first = (target, good) => new Promise((resolve) => {
		target.addEventListener(good, () => resolve("open"));
		target.addEventListener("error", () => resolve("refused"));
	}).finally(() => target.close());
	const read = (options) => fetch(`${url}${query}`, { credentials: "include", ...options })
		.then((response) => `read ${response.status}`, () => "refused");
	return {
		// Without an id: one needs no negotiation for it.
		WebSockets: await first(new WebSocket(`${url.replace("http", "ws")}?access_token=${encodeURIComponent(token)}`), "open"),
		ServerSentEvents: await first(new EventSource(`${url}${query}`, { withCredentials: true }), "open"),
		LongPolling: await read({}),
		Post: await read({ method: "POST", body: "{}", headers: { "X-Requested-With": "XMLHttpRequest" } }),
	};
}

describe("a page in a browser", () => {
	let page = null; // server and origin of the listed one
	let other = null;
	let browser = null;
	const options = { gatewayArgs: [] };
	before(async () => {
		[page, other] = [await serve(), await serve()];
		options.gatewayArgs.push(`--cors_origins=${page.origin}`);
		browser = await launch();
	});
	after(async () => {
		await browser?.close();
		for (const it of [page, other])
			it?.server.close();
	});
	const cluster = sharedCluster({ before, after, afterEach }, options);
	const hub = () => `${cluster().urls[0]}/hubs/chat`;
	const token = () => mintToken(cluster().urls[0], { userId: "ann", name: "Ann" });
	const metric = async (name) => (await cluster().metrics("g1")).get(`gateway_${name}`);
	const negotiate = async (bearer) => (await (await fetch(`${hub()}/negotiate?negotiateVersion=1`,
		{ method: "POST", headers: { Authorization: `Bearer ${bearer}` } })).json()).connectionToken;

	// A page there, with all that the gateway answers it: {method, url, status, headers}.
	const visit = async (t, origin) => {
		const context = await browser.newContext();
		t.after(() => context.close());
		const tab = await context.newPage();
		const answers = [];
		tab.on("response", (response) => response.url().startsWith(cluster().urls[0])
			&& answers.push({ method: response.request().method(), url: response.url(), status: response.status(), headers: response.headers() }));
		const console = [];
		tab.on("console", (line) => console.push(line.text()));
		await tab.goto(`${origin}/`);
		return { tab, answers, console };
	};

	for (const transport of TRANSPORTS)
		test(`of a listed origin talks by ${transport}, with credentials and a token`, async (t) => {
			const { tab, answers } = await visit(t, page.origin);
			assert.equal(await tab.evaluate(talk, { url: hub(), transport, token: await token() }), `by ${transport}`);
			assert.ok(answers.some(({ url }) => url.includes("/negotiate")));
			for (const { headers, method, url } of answers)
				assert.deepEqual([headers["access-control-allow-origin"], headers["access-control-allow-credentials"]],
					[page.origin, "true"], `${method} ${url}`);
			assert.equal(await metric("origin_foreign_total"), 0);
			assert.equal(await metric("origin_refused_total"), 0);
		});

	test("of a listed origin does the same without the client, and reads what it is refused", async (t) => {
		const { tab } = await visit(t, page.origin);
		const bearer = await token();
		const seen = await tab.evaluate(reach, { url: hub(), id: await negotiate(bearer), token: bearer });
		assert.deepEqual([seen.WebSockets, seen.ServerSentEvents], ["open", "open"]);
		// The id was the event stream's, which is over or about to be.
		assert.match(seen.LongPolling, /^read 4\d\d$/);
		assert.match(seen.Post, /^read \d\d\d$/);
	});

	for (const transport of TRANSPORTS)
		test(`of an origin that is not listed does not talk by ${transport}`, async (t) => {
			const { tab } = await visit(t, other.origin);
			const opened = await metric("connections_total");
			assert.match(await tab.evaluate(talk, { url: hub(), transport, token: await token() }), /^failed: /);
			assert.equal(await metric("connections_total"), opened);
		});

	test("of an origin that is not listed reads nothing, even with an id and a token that are good", async (t) => {
		const { tab, console } = await visit(t, other.origin);
		const refused = await metric("origin_refused_total");
		const bearer = await token();
		assert.deepEqual(await tab.evaluate(reach, { url: hub(), id: await negotiate(bearer), token: bearer }),
			{ WebSockets: "refused", ServerSentEvents: "refused", LongPolling: "refused", Post: "refused" });
		assert.equal(await metric("origin_refused_total"), refused + 2, "the WebSocket and the preflight of the POST");
		assert.match(console.join("\n"), /WebSocket connection to .* Unexpected response code: 403/);
		assert.match(cluster().logs(), new RegExp(`event=edge\\.origin_refused .*origin="?${other.origin}`));
	});

	test("of the gateway itself talks by every transport without being listed", async (t) => {
		const { tab, answers } = await visit(t, cluster().urls[0]);
		for (const transport of TRANSPORTS)
			assert.equal(await tab.evaluate(talk, { url: hub(), transport, token: await token() }), `by ${transport}`);
		assert.ok(answers.some(({ url, status }) => /[?&]access_token=/.test(url) && status === 200), "an event stream's token is in its query");
	});
});
