// SPDX-License-Identifier: Apache-2.0
// The transports as a browser has them: EventSource and fetch instead of node's, and the token of
// an event stream in its query, for a page can set no header there.
"use strict";

const { describe, test, before, after, afterEach } = require("node:test");
const assert = require("node:assert/strict");
const { sharedCluster } = require("../kit/cluster.js");
const { launch, Visitor } = require("../kit/browser.js");
const { connect, mintToken } = require("../kit/clients.js");
const { freshRoom } = require("../kit/chat.js");
const { waitFor } = require("../kit/wait.js");

const TEXT = "one\ntwo\r\nthree\u2028four \ud83d\ude00";

describe("in a browser", () => {
	const cluster = sharedCluster({ before, after, afterEach }, { gateways: 2, routers: 2 });
	let browser = null;
	before(async () => {
		browser = await launch();
	});
	after(() => browser?.close());

	for (const [name, gauge] of [["ServerSentEvents", "gateway_sse_sockets"], ["LongPolling", "gateway_lp_transports"]]) {
		test(`${name} carries a client, with its token`, async (t) => {
			const room = freshRoom();
			const [page, watcher] = [await Visitor.open(t, browser, `${cluster().urls[0]}/`), await connect(t, cluster().urls[1])];
			const urls = [];
			const token = await mintToken(cluster().urls[0], { userId: "page", name: "A page" });
			page.page.on("request", (request) => request.url().includes("/hubs/") && urls.push([request.method(), request.url()]));
			await watcher.invoke("JoinRoom", room);
			await page.page.evaluate(async ([transport, accessToken, roomId]) => {
				/* global signalR */
				window.texts = [];
				window.connection = new signalR.HubConnectionBuilder()
					.withUrl("/hubs/chat", { transport: signalR.HttpTransportType[transport], accessTokenFactory: () => accessToken })
					.configureLogging(signalR.LogLevel.None)
					.build();
				window.connection.on("ReceiveMessage", (message) => window.texts.push(message.message));
				for (const event of ["LoadMessages", "UserJoinedRoom", "UserLeftRoom", "UserTyping"])
					window.connection.on(event, () => {});
				await window.connection.start();
				await window.connection.invoke("JoinRoom", roomId);
			}, [name, token, room]);
			assert.equal((await cluster().metrics("g1")).get(gauge), 1);
			assert.equal(urls.some(([method, url]) => method === "GET" && url.includes("access_token=")),
				name === "ServerSentEvents");

			await watcher.invoke("SendMessage", room, TEXT);
			await page.until((wanted) => window.texts.includes(wanted), TEXT);
			await page.page.evaluate(([roomId, text]) => window.connection.invoke("SendMessage", roomId, text), [room, `back ${TEXT}`]);
			await watcher.untilText(room, `back ${TEXT}`);
			const own = watcher.of("ReceiveMessage").find((message) => message.message === `back ${TEXT}`);
			assert.equal(JSON.stringify(own).includes("A page"), true);

			// Before the end: stop() posts a Close and shuts the stream without waiting for one or the
			// other, and a POST about a connection that has gone meanwhile is rightly answered 404.
			assert.deepEqual(page.complaints, []);
			await page.page.evaluate(() => window.connection.stop());
			await watcher.until((w) => w.of("UserLeftRoom").length === 1, "the leave");
		});
	}

	test("a page that is closed ends its event stream at once", async (t) => {
		const page = await Visitor.open(t, browser, `${cluster().urls[0]}/`);
		await page.page.evaluate(async () => {
			window.connection = new signalR.HubConnectionBuilder()
				.withUrl("/hubs/chat", { transport: signalR.HttpTransportType.ServerSentEvents }).build();
			await window.connection.start();
		});
		assert.equal((await cluster().metrics("g1")).get("gateway_sse_sockets"), 1);
		await page.context.close();
		await waitFor(async () => (await cluster().metrics("g1")).get("gateway_sse_sockets") === 0, 5000, "no stream");
	});
});
