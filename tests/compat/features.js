// SPDX-License-Identifier: Apache-2.0
// What an official client can do with a hub, as a table: every feature is tried by the client
// of one folder over one transport and protocol. "since" is the client's version that brought
// it; "only" leaves out transports and protocols that do not have it.
"use strict";

const assert = require("node:assert/strict");

const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

async function until(condition, what, ms = 8000) {
	const end = Date.now() + ms;
	while (!condition()) {
		if (Date.now() > end)
			throw new Error(`waited in vain for ${what}`);
		await sleep(5);
	}
}

// All of a stream: its items, and how it ended.
function collect(stream) {
	return new Promise((resolve) => {
		const items = [];
		stream.subscribe({
			next: (item) => items.push(item),
			complete: () => resolve({ items, error: null }),
			error: (error) => resolve({ items, error: error.message }),
		});
	});
}

async function rejection(promise) {
	try {
		await promise;
	} catch (error) {
		return error.message;
	}
	return "(did not fail)";
}

const notPolling = (at) => at.transport !== "LongPolling";
const webSockets = (at) => at.transport === "WebSockets";
const withSubject = (at) => typeof at.signalR.Subject === "function";

const FEATURES = [
	["start and stop", {}, async (at) => {
		const connection = await at.connect();
		await connection.stop();
		assert.equal(String(connection.state), String(at.signalR.HubConnectionState.Disconnected));
	}],
	["the transport that was asked for", {}, async (at) => {
		const connection = await at.connect();
		assert.equal(await connection.invoke("GetActiveTransportName"), at.transport);
	}],
	["connection id", { since: 3.1 }, async (at) => {
		const connection = await at.connect();
		assert.equal(await connection.invoke("GetCallerConnectionId"), connection.connectionId);
	}],
	["invoke", {}, async (at) => {
		const connection = await at.connect();
		for (const text of ["", "hello", "\u00e9\u4e16\u{1f30d}", "two\nlines\r\n\u2028", "x".repeat(30000)])
			assert.equal(await connection.invoke("Echo", text), text);
	}],
	["calls at once are answered each", {}, async (at) => {
		const connection = await at.connect();
		const texts = Array.from({ length: 50 }, (_, i) => `call ${i}`);
		assert.deepEqual(await Promise.all(texts.map((text) => connection.invoke("Echo", text))), texts);
	}],
	["send, and a call from the server", {}, async (at) => {
		const connection = await at.connect();
		const got = [];
		connection.on("Message", (text) => got.push(text));
		await connection.send("InvokeWithString", "one");
		assert.equal(await connection.invoke("InvokeWithString", "two") ?? null, null);
		await until(() => got.length === 2, "two messages");
		assert.deepEqual(got, ["one", "two"]);
	}],
	["a call from the server that nobody handles", {}, async (at) => {
		const connection = await at.connect();
		await connection.invoke("InvokeWithString", "unheard");
		assert.equal(await connection.invoke("Echo", "still here"), "still here");
	}],
	["objects", {}, async (at) => {
		const connection = await at.connect();
		const got = [];
		connection.on("CustomObject", (object) => got.push(object));
		await connection.invoke("SendCustomObject", { Name: "n", Value: 42 });
		await until(() => got.length === 1, "the object");
		assert.deepEqual(got, [{ Name: "n", Value: 42 }]);
		const object = { Deep: [{ A: null, B: true }, [1.5, -2, "s"]], IntArray: [1, 2, 3] };
		assert.deepEqual(await connection.invoke("EchoComplexObject", object), object);
	}],
	["objects of the server's", {}, async (at) => {
		const connection = await at.connect();
		const object = await connection.invoke("SendComplexObject");
		assert.deepEqual(object.IntArray, [1, 2, 3]);
		assert.equal(object.String, "hello world");
		const bytes = at.protocol === "json" ? Buffer.from(object.ByteArray, "base64") : Buffer.from(object.ByteArray);
		assert.deepEqual([...bytes], [1, 2, 3]);
	}],
	["bytes", { only: (at) => at.protocol === "messagepack" }, async (at) => {
		const connection = await at.connect();
		const bytes = Uint8Array.from({ length: 300 }, (_, i) => i & 255);
		const back = await connection.invoke("EchoComplexObject", { Bytes: bytes });
		assert.deepEqual(Buffer.from(back.Bytes), Buffer.from(bytes));
	}],
	["unknown method", {}, async (at) => {
		const connection = await at.connect();
		assert.match(await rejection(connection.invoke("NoSuchMethod")), /^Failed to invoke 'NoSuchMethod' due to an error on the server\. HubException: Method does not exist\.$/);
	}],
	["wrong number of arguments", {}, async (at) => {
		const connection = await at.connect();
		assert.match(await rejection(connection.invoke("Echo")), /^Failed to invoke 'Echo' due to an error on the server\. InvalidDataException: Invocation provides 0 argument\(s\) but target expects 1\.$/);
	}],
	["error of a method", {}, async (at) => {
		const connection = await at.connect();
		assert.equal(await rejection(connection.invoke("ThrowException", "the reason")),
			"An unexpected error occurred invoking 'ThrowException' on the server. InvalidOperationException: the reason");
	}],
	["stream", {}, async (at) => {
		const connection = await at.connect();
		assert.deepEqual(await collect(connection.stream("Stream")), { items: ["a", "b", "c"], error: null });
		assert.deepEqual(await collect(connection.stream("EmptyStream")), { items: [], error: null });
	}],
	["stream that fails", {}, async (at) => {
		const connection = await at.connect();
		const { items, error } = await collect(connection.stream("StreamThrowException", "the reason"));
		assert.deepEqual(items, []);
		assert.equal(error, "An unexpected error occurred invoking 'StreamThrowException' on the server. InvalidOperationException: the reason");
	}],
	// The MessagePack package of 1.1 cannot write a cancellation.
	["stream that is canceled", { only: (at) => at.version >= 3 || at.protocol === "json" }, async (at) => {
		const connection = await at.connect();
		let isCanceled = false;
		connection.on("StreamCanceled", () => (isCanceled = true));
		const subscription = connection.stream("InfiniteStream").subscribe({ next() {}, complete() {}, error() {} });
		assert.equal(await connection.invoke("Echo", "beside"), "beside");
		subscription.dispose();
		await until(() => isCanceled, "the method to see it");
	}],
	["invoke on a stream, stream on a method", {}, async (at) => {
		const connection = await at.connect();
		assert.equal(await rejection(connection.invoke("Stream")),
			"The client attempted to invoke the streaming 'Stream' method with a non-streaming invocation.");
		assert.equal((await collect(connection.stream("Echo", "x"))).error,
			"The client attempted to invoke the non-streaming 'Echo' method with a streaming invocation.");
	}],
	["upload", { since: 3.0, only: withSubject }, async (at) => {
		const connection = await at.connect();
		const subject = new at.signalR.Subject();
		const result = connection.invoke("StreamingConcat", subject);
		const words = Array.from({ length: 40 }, (_, i) => `word${i} `);
		for (const word of words)
			subject.next(word);
		subject.complete();
		assert.equal(await result, words.join(""));
	}],
	["upload that fails", { since: 3.0, only: withSubject }, async (at) => {
		const connection = await at.connect();
		const subject = new at.signalR.Subject();
		const result = connection.invoke("StreamingConcat", subject);
		subject.next("one");
		subject.error(new Error("the client's reason"));
		assert.match(await rejection(result), /^An unexpected error occurred invoking 'StreamingConcat' on the server\. HubException: .*the client's reason/);
	}],
	["result of a client", { since: 7.0 }, async (at) => {
		const connection = await at.connect();
		const asking = await at.connect();
		connection.on("Result", () => 10);
		assert.equal(await asking.invoke("ClientResult", connection.connectionId), 10);
		connection.off("Result");
		connection.on("Result", () => {
			throw new Error("from callback");
		});
		assert.match(await rejection(asking.invoke("ClientResult", connection.connectionId)), /from callback/);
		connection.off("Result");
		assert.match(await rejection(asking.invoke("ClientResult", connection.connectionId)), /Client didn't provide a result\./);
	}],
	["result of the caller itself", { since: 7.0 }, async (at) => {
		const connection = await at.connect();
		connection.on("Result", async () => 11);
		assert.equal(await connection.invoke("ClientResult", connection.connectionId), 11);
	}],
	["headers of the client", { since: 5.0 }, async (at) => {
		const connection = await at.connect({ http: { headers: { "x-test": "a value" } } });
		assert.equal(await connection.invoke("GetHeader", "x-test"), "a value");
		assert.equal(await connection.invoke("GetHeader", "not-there"), null);
	}],
	["user agent", { since: 5.0 }, async (at) => {
		const connection = await at.connect();
		assert.match(await connection.invoke("GetHeader", "User-Agent"), /^Microsoft SignalR\//);
	}],
	["token", {}, async (at) => {
		const connection = await at.connect({ hub: "authorizedhub", token: at.token });
		assert.equal(await connection.invoke("Echo", "let in"), "let in");
		assert.match(await rejection(at.connect({ hub: "authorizedhub" })), /401|Unauthorized/);
	}],
	["skipping the negotiation", { only: webSockets }, async (at) => {
		const connection = await at.connect({ http: { skipNegotiation: true } });
		assert.equal(await connection.invoke("Echo", "x"), "x");
	}],
	["keep-alive", { only: notPolling }, async (at) => {
		const connection = await at.connect({ hub: "authorizedhub", token: at.token, serverTimeout: 2500 });
		let isClosed = false;
		connection.onclose(() => (isClosed = true));
		await sleep(3500);
		assert.equal(isClosed, false);
		assert.equal(await connection.invoke("Echo", "x"), "x");
	}],
	// Told while its first Ping is still on the way, as a POST, the client ends without a word
	// and takes itself for connected: then its next call shows it.
	["a hub whose beginning fails", {}, async (at) => {
		const connection = at.build({ hub: "uncreatable" });
		const errors = [];
		connection.onclose((error) => errors.push(error));
		connection.start().then(() => connection.invoke("Echo", "x")).catch((error) => errors.push(error));
		await until(() => errors.length, "the end");
		assert.match(errors[0].message, /Connection closed with an error|404|Not Found|not in the 'Connected' State|connection being closed/);
	}],
	["coming back by itself", { since: 3.0 }, async (at) => {
		const proxy = await at.proxy();
		const connection = at.build({ url: proxy.url, reconnect: [0, 50, 100] });
		const states = [];
		connection.onreconnecting(() => states.push("reconnecting"));
		connection.onreconnected(() => states.push("reconnected"));
		await at.started(connection);
		proxy.cut();
		await until(() => states.includes("reconnected"), "the reconnect");
		assert.deepEqual(states, ["reconnecting", "reconnected"]);
		assert.equal(await connection.invoke("Echo", "back"), "back");
	}],
	["stateful reconnect", { since: 8.0, only: webSockets }, async (at) => {
		const proxy = await at.proxy();
		const connection = at.build({ url: proxy.url, isStateful: true });
		const got = [];
		connection.on("Message", (text) => got.push(text));
		let isClosed = false;
		connection.onclose(() => (isClosed = true));
		await at.started(connection);
		const id = connection.connectionId;
		const sent = [];
		for (let i = 0; i < 100; i++) {
			sent.push(`message ${i}`);
			connection.send("InvokeWithString", `message ${i}`);
			if (i % 25 === 10)
				proxy.cut();
			if (i % 5 === 0)
				await sleep(10);
		}
		await until(() => got.length >= sent.length || isClosed, "all messages");
		assert.deepEqual(got, sent);
		assert.equal(isClosed, false);
		assert.equal(await connection.invoke("GetCallerConnectionId"), id);
	}],
];

module.exports = { FEATURES };
