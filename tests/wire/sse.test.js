// SPDX-License-Identifier: Apache-2.0
// Server-Sent Events as official clients use them, and what their stream is made of.
"use strict";

const { describe, test, before, after, afterEach } = require("node:test");
const assert = require("node:assert/strict");
const path = require("node:path");
const { sharedCluster, withCluster } = require("../kit/cluster.js");
const { Client, connect, mintToken, signalR } = require("../kit/clients.js");
const { freshRoom, sayMany, assertComplete } = require("../kit/chat.js");
const { eventClient, openEvents, readyEvents } = require("../kit/events.js");
const { RawSocket } = require("../kit/raw.js");
const { waitFor } = require("../kit/wait.js");

// The one that @microsoft/signalr itself uses.
const EventSource = require(require.resolve("eventsource", {
	paths: [path.dirname(require.resolve("@microsoft/signalr/package.json"))] }));

const WAIT_MS = 30000;
const MESSAGE_BYTES_MAX = 32768;
const sse = { http: { transport: signalR.HttpTransportType.ServerSentEvents } };
const lineEnds = "one\ntwo\r\nthree\rfour\u2028five\u2029six\u0085seven\n\n";

describe("the official client over Server-Sent Events", () => {
	const cluster = sharedCluster({ before, after, afterEach }, { routers: 2 });
	const stream = (t, options) => connect(t, cluster().urls[0], { ...sse, ...options });
	const metric = async (name) => (await cluster().metrics("g1")).get(`gateway_${name}`);

	test("is offered them before long polling, and falls back to them by itself", async (t) => {
		const client = await stream(t, { http: { transport: signalR.HttpTransportType.LongPolling
			| signalR.HttpTransportType.ServerSentEvents } });
		assert.equal(await client.invoke("LeaveRoom", "none"), null);
		assert.deepEqual([await metric("sse_sockets"), await metric("lp_transports")], [1, 0]);
	});

	test("each member gets each message once and in order, whatever carries it", async (t) => {
		const room = freshRoom();
		const polling = { http: { transport: signalR.HttpTransportType.LongPolling } };
		const members = await Promise.all([stream(t), stream(t), stream(t), stream(t, polling), connect(t, cluster().urls[0])]);
		await Promise.all(members.map((member) => member.invoke("JoinRoom", room)));
		const senders = members.slice(2);
		await Promise.all(senders.map((sender) => sayMany(sender, room, 100)));
		for (const member of members) {
			await member.until((m) => m.texts(room).length >= 300, "all messages");
			assertComplete(member, room, senders, 100);
		}
	});

	test("a send right after a join returned reaches the joiner", async (t) => {
		const [sender, joiner] = await Promise.all([connect(t, cluster().urls[0]), stream(t)]);
		for (let i = 0; i < 20; i++) {
			const room = freshRoom("join");
			await joiner.invoke("JoinRoom", room);
			await sender.invoke("SendMessage", room, `first ${i}`);
			await joiner.untilText(room, `first ${i}`);
		}
	});

	test("line ends of every kind in a text arrive as they were", async (t) => {
		const [writer, reader] = [await stream(t), await stream(t)];
		const room = freshRoom();
		await Promise.all([writer, reader].map((member) => member.invoke("JoinRoom", room)));
		await writer.invoke("SendMessage", room, lineEnds);
		await reader.untilText(room, lineEnds);
	});

	test("an unknown method is told so", async (t) => {
		const client = await stream(t);
		await assert.rejects(client.invoke("Nonsense"), {
			message: "Failed to invoke 'Nonsense' due to an error on the server. HubException: Method does not exist.",
		});
	});

	test("a message that is too large ends the connection, and the client is told why", async (t) => {
		const client = await stream(t);
		client.connection.send("LeaveRoom", "x".repeat(MESSAGE_BYTES_MAX)).catch(() => {});
		await client.until((c) => c.closed, "the end");
		assert.match(client.closed.error.message, /Server returned an error on close: Connection closed with an error\./);
	});

	test("a stop is in order, and nothing is left of the client", async (t) => {
		const room = freshRoom();
		const [client, watcher] = [await stream(t), await connect(t, cluster().urls[0])];
		await watcher.invoke("JoinRoom", room);
		await client.invoke("JoinRoom", room);
		await client.stop();
		assert.deepEqual(client.closed, { error: undefined });
		await watcher.until((w) => w.of("UserLeftRoom").length === 1, "the leave");
		await waitFor(async () => (await metric("sse_sockets")) === 0, 5000, "no stream");
	});

	test("MessagePack is refused, as is said", async (t) => {
		const client = await openEvents(t, cluster().addresses[0]);
		await client.post({ protocol: "messagepack", version: 1 });
		assert.deepEqual(await client.message(), { error: "Cannot use the 'messagepack' protocol on the current "
			+ "transport. The transport does not support 'Binary' transfer format." });
		await client.ended();
	});
});

describe("messages that are long, and pings", () => {
	const cluster = sharedCluster({ before, after, afterEach }, { gatewayArgs: ["--message_bytes_max=1MiB",
		"--hub.chat.keepalive_interval=200ms", "--hub.chat.client_timeout=1s"], routers: 1 });

	test("a message of many packets arrives whole, among short ones", async (t) => {
		const client = await connect(t, cluster().urls[0], { ...sse, hub: "relay", roles: ["relay.connection"], events: ["Message"] });
		const text = "\u00fc\n\ud83d\ude00".repeat(30000);
		for (const sent of ["a", text, "b"])
			await client.invoke("SendToConnection", client.id, "Message", sent);
		await client.until((c) => c.of("Message").length === 3, "all three");
		assert.ok(client.of("Message").every((got, i) => got === ["a", text, "b"][i]), "they differ");
	});

	test("an idle client hears pings", async (t) => {
		const client = await readyEvents(t, cluster().addresses[0]);
		for (let i = 0; i < 3; i++)
			assert.equal(await client.event(), '{"type":6}\x1e');
	});

	test("a client that pinged once and fell silent is closed", async (t) => {
		const client = await readyEvents(t, cluster().addresses[0]);
		await client.post({ type: 6 });
		const close = await client.message();
		assert.equal(close.type, 7);
		assert.match(close.error, /^Connection closed with an error\./);
		await client.ended();
	});
});

describe("the stream", () => {
	const cluster = sharedCluster({ before, after, afterEach }, { gatewayArgs: ["--close_timeout=1s"] });
	const address = () => cluster().addresses[0];
	const metric = async (name) => (await cluster().metrics("g1")).get(`gateway_${name}`);
	const closed = (reason) => metric(`close_total{reason="${reason}"}`);

	test("is an answer without a length, kept and packed by nobody", async (t) => {
		const client = await eventClient(t, address());
		client.stream = client.begin("GET", "", { Accept: "text/event-stream" });
		await waitFor(() => client.stream.bytes.includes("\r\n\r\n"), 5000, "the head");
		const head = client.stream.bytes.toString();
		assert.match(head, /^HTTP\/1\.1 200 OK\r\nDate: [^\r\n]+ GMT\r\nConnection: close\r\nContent-Type: text\/event-stream\r\n/);
		const { headers } = await client.stream.head();
		assert.equal(headers["cache-control"], "no-cache,no-store");
		assert.equal(headers.pragma, "no-cache");
		assert.equal(headers["content-encoding"], "identity");
		assert.equal(headers["x-accel-buffering"], "no");
		assert.ok(!("content-length" in headers) && !("transfer-encoding" in headers));
		assert.equal(await client.line(), ":");
		await client.post({ protocol: "json", version: 1 });
		await waitFor(() => client.stream.bytes.length >= 13, 5000, "the first event");
		assert.equal(client.stream.bytes.toString(), "data: {}\x1e\r\n\r\n");
	});

	test("is opened by HTTP/1.0, and by an Accept with several types", async (t) => {
		for (const [version, accept] of [["1.0", "text/event-stream"], ["1.1", "text/html, Text/Event-Stream"]]) {
			const client = await eventClient(t, address());
			client.stream = new RawSocket(address());
			t.after(() => client.drop(client.stream));
			client.stream.write(`GET ${client.target} HTTP/${version}\r\nHost: a\r\nAccept: ${accept}\r\n\r\n`);
			assert.equal((await client.stream.head()).status, 200);
			assert.equal(await client.line(), ":");
			await client.post({ protocol: "json", version: 1 });
			assert.deepEqual(await client.message(), {});
		}
	});

	test("is fed by POSTs that may be cut anywhere", async (t) => {
		const bytes = Buffer.from('{"protocol":"json","version":1}\x1e'
			+ '{"type":1,"invocationId":"1","target":"LeaveRoom","arguments":["\u00fc\ud83d\ude00"]}\x1e'
			+ '{"type":1,"invocationId":"2","target":"LeaveRoom","arguments":["none"]}\x1e');
		const run = async (pieces) => {
			const client = await openEvents(t, address());
			for (const piece of pieces)
				assert.equal((await client.request("POST", piece)).status, 200);
			assert.deepEqual(await client.message(), {});
			for (const id of ["1", "2"])
				assert.equal((await client.completion(id)).error, undefined);
			client.destroy();
		};
		for (let first = 1; first < bytes.length; first += 16) {
			const cuts = Array.from({ length: Math.min(16, bytes.length - first) }, (_, i) => first + i);
			await Promise.all(cuts.map((cut) => run([bytes.subarray(0, cut), bytes.subarray(cut)])));
		}
		await run(Array.from(bytes, (byte) => Buffer.from([byte])));
	});

	test("has no line but data, however a message is spaced", async (t) => {
		const token = await mintToken(cluster().urls[0], { userId: "spaced", roles: ["relay.connection"] });
		const client = await readyEvents(t, address(), { hub: "relay", headers: { Authorization: `Bearer ${token}` } });
		const text = `{"type":1,\r"invocationId":"1",\n"target":"SendToConnection",\r\n"arguments":["${client.answer.connectionId}",`
			+ '"Message",{"a":\r\r1,\n\n"b":\r\n2}]}\x1e';
		await client.request("POST", text);
		const message = await client.message();
		assert.deepEqual([message.target, message.arguments], ["Message", [{ a: 1, b: 2 }]]);
		assert.equal((await client.completion("1")).error, undefined);
	});

	test("ignores what a client sends on its socket", async (t) => {
		const client = await readyEvents(t, address());
		client.stream.write('{"type":7}\x1eGET / HTTP/1.1\r\n\r\n'.repeat(1000));
		assert.equal((await client.call("LeaveRoom", "none")).error, undefined);
		client.stream.write("x");
		assert.equal((await client.call("LeaveRoom", "none")).error, undefined);
	});

	test("that breaks off ends the connection at once", async (t) => {
		const room = freshRoom();
		const [client, watcher] = [await readyEvents(t, address()), await connect(t, cluster().urls[0])];
		await watcher.invoke("JoinRoom", room);
		assert.equal((await client.call("JoinRoom", room)).error, undefined);
		const seen = await closed("transport");
		client.stream.destroy();
		await watcher.until((w) => w.of("UserLeftRoom").length === 1, "the leave");
		assert.equal(await closed("transport"), seen + 1);
		assert.equal((await client.post({ type: 6 })).status, 404);
	});

	test("that breaks off before the handshake leaves nothing", async (t) => {
		const client = await openEvents(t, address());
		client.stream.destroy();
		await waitFor(async () => (await metric("sse_sockets")) === 0, 5000, "no stream");
		assert.equal((await client.post({ type: 6 })).status, 404);
	});

	test("ends behind the answer to a client's Close", async (t) => {
		const client = await readyEvents(t, address());
		assert.equal((await client.post({ type: 7 })).status, 200);
		assert.deepEqual(await client.message(), { type: 7 });
		await client.ended();
	});

	test("ends behind the error of what is no hub message", async (t) => {
		const client = await readyEvents(t, address());
		assert.equal((await client.request("POST", "nonsense\x1e")).status, 200);
		assert.deepEqual(await client.message(),
			{ type: 7, error: "Connection closed with an error.", allowReconnect: true });
		await client.ended();
	});

	test("is let go after close_timeout when the client keeps its side open", async (t) => {
		const client = await readyEvents(t, address());
		const seen = await metric("sse_close_timeout_total");
		client.stream.socket.allowHalfOpen = true;
		await client.post({ type: 7 });
		await waitFor(async () => (await metric("sse_close_timeout_total")) === seen + 1, 5000, "the timeout");
		assert.equal(await metric("sse_sockets"), 0);
	});
});

test("a stream of a client that does not read is closed as slow", async (t) => {
	await withCluster({ gatewayArgs: ["--queue_bytes_max=64KiB"] }, async (cluster) => {
		const room = freshRoom();
		const slow = await readyEvents(t, cluster.addresses[0]);
		assert.equal((await slow.call("JoinRoom", room)).error, undefined);
		slow.stream.socket.pause();
		const writers = await Promise.all(Array.from({ length: 4 }, () => connect(t, cluster.urls[0])));
		const text = "x".repeat(1900);
		await Promise.all(writers.map((writer) => writer.invoke("JoinRoom", room)));
		await waitFor(async () => {
			await Promise.all(writers.flatMap((writer) =>
				Array.from({ length: 100 }, () => writer.invoke("SendMessage", room, text))));
			return (await cluster.metrics("g1")).get('gateway_close_total{reason="slow"}') === 1;
		}, 30000, "the slow one to be closed");
		assert.equal((await slow.post({ type: 6 })).status, 404);
		assert.equal((await cluster.metrics("g1")).get("gateway_sse_sockets"), 0);
	});
});

test("a gateway that ends tells its clients on streams to reconnect", async (t) => {
	await withCluster({ gateways: 2 }, async (cluster) => {
		const client = await connect(t, cluster.urls[0], { ...sse, reconnect: [0, 100, 100, 100] });
		const raw = await readyEvents(t, cluster.addresses[0]);
		const gateway = cluster.program("g1");
		cluster.kill("g1", "SIGTERM");
		assert.deepEqual(await raw.message(), { type: 7, allowReconnect: true });
		await raw.ended();
		await client.until((c) => c.states.includes("reconnecting"), "the end");
		await waitFor(() => gateway.exit, 5000, "the gateway's end");
		assert.equal(gateway.exit.code, 0);
		assert.doesNotMatch(gateway.tail(), /proc\.drain_timeout/);
	});
});

test("a stream at one gateway is fed by POSTs at another", async (t) => {
	await withCluster({ gateways: 2, routers: 2 }, async (cluster) => {
		const client = await openEvents(t, cluster.addresses[0]);
		client.address = cluster.addresses[1];
		assert.equal((await client.post({ protocol: "json", version: 1 })).status, 200);
		assert.deepEqual(await client.message(), {});
		assert.equal((await client.call("LeaveRoom", "none")).error, undefined);
		const again = await client.request("GET", "", { Accept: "text/event-stream" });
		assert.deepEqual([again.status, again.body], [409, ""]);
		assert.equal((await client.poll()).status, 400);
		client.stream.destroy();
		await waitFor(async () => (await client.post({ type: 6 })).status === 404, 5000, "the end");
	});
});

test("connections_max is for all transports together", async (t) => {
	await withCluster({ gatewayArgs: ["--connections_max=2"] }, async (cluster) => {
		const [address] = cluster.addresses;
		const late = await eventClient(t, address);
		await readyEvents(t, address);
		await connect(t, cluster.urls[0]);
		await late.begins();
		assert.deepEqual([late.head.status, late.head.headers["retry-after"]], [404, "5"]);
		await assert.rejects(eventClient(t, address), /negotiate answered 503/);
	});
});

// An EventSource that was answered 503 asks again by itself under Node, after the client has given it up: a
// second stream for one client, who takes what comes over it, and its end, for its own.
test("a stream that cannot be opened now is not asked for again behind the client's back", async (t) => {
	const sources = [];
	class Watched extends EventSource {
		constructor(...args) {
			super(...args);
			sources.push(this);
		}
	}
	await withCluster({ gatewayArgs: ["--forward_timeout=300ms", "--link_stream_timeout=1m"] }, async (cluster) => {
		const [address] = cluster.addresses;
		const client = new Client(cluster.urls[0], { http: { ...sse.http, EventSource: Watched } });
		t.after(() => client.stop());
		process.kill(cluster.program("r1").pid, "SIGSTOP");
		await assert.rejects(client.start(), /EventSource failed to connect/);
		assert.deepEqual(sources.map((source) => source.readyState), [EventSource.CLOSED]);
		const raw = await eventClient(t, address);
		await raw.begins();
		assert.equal(raw.head.status, 404);
		process.kill(cluster.program("r1").pid, "SIGCONT");
		await waitFor(() => client.start().then(() => true), WAIT_MS, "the client to come");
		assert.equal(sources.at(-1).readyState, EventSource.OPEN);
		assert.equal((await cluster.metrics("g1")).get("gateway_sse_sockets"), 1);
	});
});
