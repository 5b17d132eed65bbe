// SPDX-License-Identifier: Apache-2.0
// The conformance app as an outside suite meets it: every route once, over HTTP and TLS.
"use strict";

const { describe, test, before, after } = require("node:test");
const assert = require("node:assert/strict");
const { Certificate } = require("../kit/certificate.js");
const { signalR } = require("../kit/clients.js");
const { start } = require("../conformance/app.js");
// What is under a hub connection; the package does not name it.
const { HttpConnection } = require("@microsoft/signalr/dist/cjs/HttpConnection.js");

const { HttpTransportType } = signalR;

describe("the conformance app", () => {
	const certificate = new Certificate("conformance");
	let app;
	before(async () => (app = await start({ tlsPort: 0, certificate })));
	after(async () => {
		await app?.stop();
		certificate.remove();
	});

	const connect = async (t, url, options = {}) => {
		const connection = new signalR.HubConnectionBuilder().withUrl(url, options)
			.configureLogging(signalR.LogLevel.None).build();
		t.after(() => connection.stop());
		await connection.start();
		return connection;
	};

	for (const scheme of ["http", "https"]) {
		for (const transport of ["WebSockets", "ServerSentEvents", "LongPolling"]) {
			test(`serves TestHub over ${scheme} and ${transport}`, async (t) => {
				const url = app.urls.find((at) => at.startsWith(`${scheme}:`));
				const connection = await connect(t, `${url}/testhub`, { transport: HttpTransportType[transport] });
				assert.equal(await connection.invoke("Echo", "x"), "x");
				assert.equal(await connection.invoke("GetActiveTransportName"), transport);
				assert.equal(await connection.invoke("GetCookie", "testCookie"), "testValue");
				assert.equal(await connection.invoke("GetCookie", "expiredCookie"), null);
			});
		}
	}

	test("a hub without WebSockets takes the next transport", async (t) => {
		const connection = await connect(t, `${app.urls[0]}/testhub-nowebsockets`);
		assert.equal(await connection.invoke("GetActiveTransportName"), "ServerSentEvents");
	});

	test("tokens open the hub that needs one, for five seconds", async (t) => {
		const token = await (await fetch(`${app.urls[0]}/generateJwtToken`)).text();
		const connection = await connect(t, `${app.urls[0]}/authorizedhub`, { accessTokenFactory: () => token });
		assert.equal(await connection.invoke("Echo", "in"), "in");
		await assert.rejects(connect(t, `${app.urls[0]}/authorizedhub`), /401/);
	});

	test("redirects count up", async (t) => {
		const connection = await connect(t, `${app.urls[0]}/redirect?baseUrl=${app.urls[0]}`);
		assert.equal(await connection.invoke("GetNumRedirects"), 1);
	});

	test("a route asks a client for its result", async (t) => {
		const connection = await connect(t, `${app.urls[0]}/testhub`);
		const ask = async () => (await fetch(`${app.urls[0]}/clientresult/${connection.connectionId}`)).text();
		connection.on("Result", () => 10);
		assert.equal(await ask(), "10");
		connection.off("Result");
		assert.match(await ask(), /Client didn't provide a result\./);
	});

	test("answers that are no negotiation, and elsewhere", async () => {
		const bad = await fetch(`${app.urls[0]}/bad-negotiate/negotiate`, { method: "POST" });
		assert.deepEqual([bad.status, await bad.text()], [400, "Some response from server"]);
		const moved = await fetch(`${app.urls[0]}/echoredirect?x=1`, { redirect: "manual" });
		assert.deepEqual([moved.status, moved.headers.get("location")], [307, "/echo?x=1"]);
	});

	test("other origins are let in everywhere", async () => {
		for (const path of ["/testhub/negotiate?negotiateVersion=1", "/generateJwtToken", "/echo/negotiate"]) {
			const response = await fetch(`${app.urls[0]}${path}`, { method: "OPTIONS", headers: { Origin: "http://other.example",
				"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "x-requested-with" } });
			assert.equal(response.status, 204, path);
			assert.equal(response.headers.get("access-control-allow-origin"), "http://other.example", path);
			assert.equal(response.headers.get("access-control-allow-credentials"), "true", path);
		}
	});

	for (const transport of ["WebSockets", "ServerSentEvents", "LongPolling"]) {
		test(`the raw endpoint echoes over ${transport}`, async (t) => {
			const connection = new HttpConnection(`${app.urls[0]}/echo`,
				{ transport: HttpTransportType[transport], logger: signalR.NullLogger.instance });
			const received = new Promise((resolve) => (connection.onreceive = resolve));
			await connection.start(signalR.TransferFormat.Text);
			t.after(() => connection.stop());
			await connection.send("as it came");
			assert.equal(await received, "as it came");
		});
	}

	test("a hub that cannot be made closes its clients", async () => {
		const connection = new signalR.HubConnectionBuilder().withUrl(`${app.urls[0]}/uncreatable`)
			.configureLogging(signalR.LogLevel.None).build();
		// Which of the two depends on what comes first, the Close or the client's next step.
		const error = await new Promise((resolve) => {
			connection.onclose(resolve);
			connection.start().catch(resolve);
		});
		assert.match(error.message, /Connection closed with an error|404/);
	});
});
