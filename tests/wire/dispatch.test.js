// SPDX-License-Identifier: Apache-2.0
// The rest of TestHub: what calls run beside what, roles, error texts, what a hub knows of
// its caller.
"use strict";

const { describe, test, before, after, afterEach } = require("node:test");
const assert = require("node:assert/strict");
const signalR = require("@microsoft/signalr");
const { MessagePackHubProtocol } = require("@microsoft/signalr-protocol-msgpack");
const { sharedCluster } = require("../kit/cluster.js");
const { rawClient } = require("../kit/chat.js");
const { collect, tester, testhub } = require("../kit/testhub.js");
const { waitFor } = require("../kit/wait.js");

const WAIT_MS = 10000;

describe("dispatch", () => {
	const cluster = sharedCluster({ before, after, afterEach }, testhub({
		gatewayArgs: ["--hub.testhub.request_headers=content-type,cookie,x-test", "--hub.testhub.request_query=on"],
		routerArgs: ["--hub.testhub.detailed_errors=on", "--hub.testhub-nowebsockets.invocations_parallel_max=3"],
	}));
	const open = (t, options) => tester(t, cluster().urls[0], options);

	test("values come back as they went", async (t) => {
		const client = await open(t);
		assert.equal(await client.invoke("Echo", "text"), "text");
		const object = { ByteArray: "AQID", IntArray: [1, 2, 3], String: "x", Nothing: null, Real: 1.5, Deep: { a: [{}] } };
		assert.deepEqual(await client.invoke("EchoComplexObject", object), object);
		assert.deepEqual(await client.invoke("SendComplexObject"), {
			ByteArray: "AQID", DateTime: "2000-01-01T00:00:00Z", Guid: "00010203-0405-0607-0706-050403020100",
			IntArray: [1, 2, 3], String: "hello world",
		});
	});

	test("the hub calls its caller", async (t) => {
		const client = await open(t);
		await client.invoke("InvokeWithString", "hello");
		await client.invoke("SendCustomObject", { Name: "n", Value: 3 });
		await client.until(() => client.events.length === 2, "both calls");
		assert.deepEqual(client.of("Message"), ["hello"]);
		assert.deepEqual(client.of("CustomObject"), [{ Name: "n", Value: 3 }]);
	});

	test("details of exceptions where the hub shows them", async (t) => {
		const client = await open(t);
		await assert.rejects(client.invoke("ThrowException", "text"), {
			message: "An unexpected error occurred invoking 'ThrowException' on the server. " +
				"InvalidOperationException: text",
		});
		const other = await open(t, { hub: "testhub-nowebsockets" });
		await assert.rejects(other.invoke("ThrowException", "text"), {
			message: "An unexpected error occurred invoking 'ThrowException' on the server.",
		});
		const seen = collect(client.connection.stream("ThrowMidway", "text"));
		await waitFor(() => seen.isOver, WAIT_MS, "the stream to end");
		assert.equal(seen.error,
			"An error occurred on the server while streaming results. InvalidOperationException: text");
	});

	test("everything in MessagePack", async (t) => {
		const client = await open(t, { protocol: new MessagePackHubProtocol() });
		const sent = await client.invoke("SendComplexObject");
		assert.deepEqual({ ...sent, ByteArray: [...sent.ByteArray] }, {
			ByteArray: [1, 2, 3], DateTime: "2000-01-01T00:00:00Z", Guid: "00010203-0405-0607-0706-050403020100",
			IntArray: [1, 2, 3], String: "hello world",
		});
		const object = { Bytes: new Uint8Array([0, 255]), Real: 1.5, Big: 2 ** 40, Nothing: null, Deep: [{ a: [] }] };
		const echo = await client.invoke("EchoComplexObject", object);
		assert.deepEqual({ ...echo, Bytes: new Uint8Array(echo.Bytes) }, object);
		await client.invoke("SendCustomObject", object);
		await client.until(() => client.of("CustomObject").length === 1, "the object");
		assert.deepEqual([...client.of("CustomObject")[0].Bytes], [0, 255]);
		const seen = collect(client.connection.stream("Stream"));
		await waitFor(() => seen.isOver, WAIT_MS, "the stream to end");
		assert.deepEqual([seen.items, seen.error], [["a", "b", "c"], undefined]);
		const subject = new signalR.Subject();
		const concat = client.invoke("StreamingConcat", subject);
		subject.next("up");
		subject.complete();
		assert.equal(await concat, "up");
		client.connection.on("Result", () => 42);
		const asker = await open(t);
		assert.equal(await asker.invoke("ClientResult", client.id), 42);
		await assert.rejects(client.invoke("Nonsense"), {
			message: "Failed to invoke 'Nonsense' due to an error on the server. HubException: Method does not exist.",
		});
	});

	test("roles", async (t) => {
		const user = await open(t);
		await assert.rejects(user.invoke("ForAdmins"), {
			message: "Failed to invoke 'ForAdmins' because user is unauthorized",
		});
		const admin = await open(t, { roles: ["ops"] });
		assert.equal(await admin.invoke("ForAdmins"), admin.id);
	});

	test("one plain call at a time, unless the hub allows more", async (t) => {
		const order = async (client) => {
			const seen = [];
			await Promise.all([
				client.invoke("Sleep", 300).then(() => seen.push("slow")),
				client.invoke("Echo", "x").then(() => seen.push("quick")),
			]);
			return seen;
		};
		assert.deepEqual(await order(await open(t)), ["slow", "quick"]);
		assert.deepEqual(await order(await open(t, { hub: "testhub-nowebsockets" })), ["quick", "slow"]);
	});

	test("the name of the transport", async (t) => {
		const client = await open(t);
		assert.equal(await client.invoke("GetActiveTransportName"), "WebSockets");
		const polling = await open(t, { http: { transport: signalR.HttpTransportType.LongPolling } });
		assert.equal(await polling.invoke("GetActiveTransportName"), "LongPolling");
	});

	test("headers and cookies of the request, if the hub may read them", async (t) => {
		const client = await open(t, { http: { headers: { "X-Test": "yes", "X-Other": "no", Cookie: "a=1; b=2" } } });
		assert.equal(await client.invoke("GetHeader", "x-test"), "yes");
		assert.equal(await client.invoke("GetHeader", "X-Other"), null);
		assert.equal(await client.invoke("GetCookie", "b"), "2");
		assert.equal(await client.invoke("GetCookie", "c"), null);
	});

	test("a hub that cannot be made ends its connections", async (t) => {
		const ws = await rawClient(t, cluster().addresses[0], { hub: "uncreatable" });
		assert.deepEqual(await ws.message(), { type: 7, error: "Connection closed with an error." });
		const client = open(t, { hub: "uncreatable" });
		await assert.rejects(client.then((started) => started.invoke("Echo", "x")), /Connection closed with an error\./);
	});
});
