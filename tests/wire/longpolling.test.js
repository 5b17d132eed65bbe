// SPDX-License-Identifier: Apache-2.0
// Long polling as official clients use it, and what a byte stream made of POSTs must bear.
"use strict";

const { describe, test, before, after, afterEach } = require("node:test");
const assert = require("node:assert/strict");
const { MessagePackHubProtocol } = require("@microsoft/signalr-protocol-msgpack");
const { sharedCluster, withCluster } = require("../kit/cluster.js");
const { connect, signalR } = require("../kit/clients.js");
const { freshRoom, sayMany, assertComplete } = require("../kit/chat.js");
const { openPoller, readyPoller } = require("../kit/poll.js");
const { waitFor } = require("../kit/wait.js");

const MESSAGE_BYTES_MAX = 32768;
const polling = { http: { transport: signalR.HttpTransportType.LongPolling } };

describe("the official client over long polling", () => {
	const cluster = sharedCluster({ before, after, afterEach }, { routers: 2 });
	const poll = (t, options) => connect(t, cluster().urls[0], { ...polling, ...options });

	test("is offered it", async (t) => {
		const client = await poll(t);
		assert.equal(await client.invoke("LeaveRoom", "none"), null);
		const metrics = await cluster().metrics("g1");
		assert.deepEqual(["ws_sockets", "sse_sockets", "lp_transports"].map((name) => metrics.get(`gateway_${name}`)), [0, 0, 1]);
	});

	test("each member gets each message once and in order, with members on WebSockets", async (t) => {
		const room = freshRoom();
		const members = await Promise.all([poll(t), poll(t), poll(t), connect(t, cluster().urls[0])]);
		await Promise.all(members.map((member) => member.invoke("JoinRoom", room)));
		const senders = members.slice(2);
		await Promise.all(senders.map((sender) => sayMany(sender, room, 100)));
		for (const member of members) {
			await member.until((m) => m.texts(room).length >= 200, "all messages");
			assertComplete(member, room, senders, 100);
		}
	});

	test("a send right after a join returned reaches the joiner", async (t) => {
		const [sender, joiner] = await Promise.all([connect(t, cluster().urls[0]), poll(t)]);
		for (let i = 0; i < 20; i++) {
			const room = freshRoom("join");
			await joiner.invoke("JoinRoom", room);
			await sender.invoke("SendMessage", room, `first ${i}`);
			await joiner.untilText(room, `first ${i}`);
		}
	});

	test("an unknown method is told so", async (t) => {
		const client = await poll(t);
		await assert.rejects(client.invoke("Nonsense"), {
			message: "Failed to invoke 'Nonsense' due to an error on the server. HubException: Method does not exist.",
		});
	});

	test("a message that is too large ends the connection, and the client is told why", async (t) => {
		const client = await poll(t);
		client.connection.send("LeaveRoom", "x".repeat(MESSAGE_BYTES_MAX)).catch(() => {});
		await client.until((c) => c.closed, "the end");
		assert.match(client.closed.error.message, /Server returned an error on close: Connection closed with an error\./);
	});

	test("a stop is in order, and nothing is left of the client", async (t) => {
		const room = freshRoom();
		const [client, watcher] = [await poll(t), await connect(t, cluster().urls[0])];
		await watcher.invoke("JoinRoom", room);
		await client.invoke("JoinRoom", room);
		const before = (await cluster().metrics("g1")).get('gateway_close_total{reason="client"}');
		await client.stop();
		assert.deepEqual(client.closed, { error: undefined });
		await watcher.until((w) => w.of("UserLeftRoom").length === 1, "the leave");
		const metrics = await cluster().metrics("g1");
		assert.equal(metrics.get('gateway_close_total{reason="client"}'), before + 1);
		await waitFor(async () => (await cluster().metrics("g1")).get("gateway_lp_transports") === 0, 5000, "no transport");
	});

	test("MessagePack is understood, in one room with JSON", async (t) => {
		const room = freshRoom();
		const members = await Promise.all([poll(t, { protocol: new MessagePackHubProtocol() }), poll(t)]);
		await Promise.all(members.map((member) => member.invoke("JoinRoom", room)));
		await Promise.all(members.map((member) => sayMany(member, room, 30)));
		for (const member of members) {
			await member.until((m) => m.texts(room).length >= 60, "all messages");
			assertComplete(member, room, members, 30);
		}
	});

	test("a history of many messages comes whole", async (t) => {
		const [writer, reader] = [await poll(t), await poll(t)];
		const room = freshRoom();
		await writer.invoke("JoinRoom", room);
		await sayMany(writer, room, 60);
		await reader.invoke("JoinRoom", room);
		await reader.until((r) => r.of("LoadMessages").length === 1, "the history");
	});
});

test("a gateway that ends tells its polling clients to reconnect", async (t) => {
	await withCluster({ gateways: 2 }, async (cluster) => {
		const client = await connect(t, cluster.urls[0], { ...polling, reconnect: [0, 100, 100, 100] });
		const gateway = cluster.program("g1");
		cluster.kill("g1", "SIGTERM");
		await client.until((c) => c.states.includes("reconnecting"), "the end");
		await waitFor(() => gateway.exit, 5000, "the gateway's end");
		assert.equal(gateway.exit.code, 0);
		assert.doesNotMatch(gateway.tail(), /proc\.drain_timeout/);
	});
});

describe("a stream of POSTs", () => {
	const cluster = sharedCluster({ before, after, afterEach }, {});
	const address = () => cluster().addresses[0];

	test("may be cut anywhere", async (t) => {
		const bytes = Buffer.from('{"protocol":"json","version":1}\x1e'
			+ '{"type":1,"invocationId":"1","target":"LeaveRoom","arguments":["\u00fc\ud83d\ude00"]}\x1e'
			+ '{"type":1,"invocationId":"2","target":"LeaveRoom","arguments":["none"]}\x1e');
		const run = async (pieces) => {
			const client = await openPoller(t, address());
			for (const piece of pieces)
				assert.equal((await client.request("POST", piece)).status, 200);
			assert.deepEqual(await client.message(), {});
			for (const id of ["1", "2"])
				assert.equal((await client.completion(id)).error, undefined);
			await client.request("DELETE");
		};
		for (let first = 1; first < bytes.length; first += 16) {
			const cuts = Array.from({ length: Math.min(16, bytes.length - first) }, (_, i) => first + i);
			await Promise.all(cuts.map((cut) => run([bytes.subarray(0, cut), bytes.subarray(cut)])));
		}
		await run(Array.from(bytes, (byte) => Buffer.from([byte])));
	});

	test("may hold many messages in one", async (t) => {
		const client = await readyPoller(t, address());
		const ids = Array.from({ length: 50 }, (_, i) => `n${i}`);
		await client.post(...ids.map((invocationId) => ({ type: 1, invocationId, target: "LeaveRoom", arguments: ["none"] })));
		for (const id of ids)
			assert.equal((await client.completion(id)).error, undefined);
	});

	test("may hold more than a message may have", async (t) => {
		const client = await readyPoller(t, address());
		const pad = "x".repeat(20000);
		await client.post(...["a", "b", "c"].map((invocationId) =>
			({ type: 1, invocationId, target: "LeaveRoom", arguments: ["none"], pad })));
		for (const id of ["a", "b", "c"])
			assert.equal((await client.completion(id)).error, undefined);
	});

	test("is ended by what is no hub message", async (t) => {
		const client = await readyPoller(t, address());
		assert.equal((await client.request("POST", "nonsense\x1e")).status, 200);
		assert.deepEqual(await client.message(),
			{ type: 7, error: "Connection closed with an error.", allowReconnect: true });
		assert.equal((await client.poll()).status, 204);
	});

	test("a refused handshake is told, then 204", async (t) => {
		const client = await openPoller(t, address());
		await client.post({ protocol: "nonsense", version: 1 });
		assert.deepEqual(await client.message(), { error: "The protocol 'nonsense' is not supported." });
		assert.equal((await client.poll()).status, 204);
	});
});

test("POSTs wait while too many calls are in flight, and are handled in their order", async (t) => {
	await withCluster({ gatewayArgs: ["--invocations_max=2"] }, async (cluster) => {
		const metric = async (name) => (await cluster.metrics("g1")).get(`gateway_${name}`);
		const client = await readyPoller(t, cluster.addresses[0]);
		const call = (invocationId) => ({ type: 1, invocationId, target: "LeaveRoom", arguments: ["none"] });
		const text = (...messages) => messages.map((message) => JSON.stringify(message) + "\x1e").join("");
		const posts = [];
		const post = async (...messages) => {
			const seen = await metric("post_total");
			posts.push(client.begin("POST", text(...messages)));
			await waitFor(async () => (await metric("post_total")) > seen, 5000, "the POST to arrive");
		};
		process.kill(cluster.program("r1").pid, "SIGSTOP");
		try {
			await post(call("0a"), call("0b"), call("0c"));
			for (let i = 1; i < 16; i++)
				await post(call(`${i}`));
			const refused = await client.post(call("no"));
			assert.deepEqual([refused.status, refused.headers["retry-after"]], [503, "5"]);
			assert.equal(await metric("post_refused_total"), 1);
			assert.ok(posts.every((raw) => raw.bytes.length === 0), "a POST was answered in the pause");
		} finally {
			process.kill(cluster.program("r1").pid, "SIGCONT");
		}
		for (const raw of posts)
			assert.equal((await raw.response()).status, 200);
		for (const id of ["0a", "0b", "0c", ...Array.from({ length: 15 }, (_, i) => String(i + 1))])
			assert.equal((await client.message()).invocationId, id);
	});
});

test("who polls too slowly for what is sent is closed as slow", async (t) => {
	await withCluster({ gatewayArgs: ["--queue_bytes_max=64KiB"] }, async (cluster) => {
		const room = freshRoom();
		const slow = await readyPoller(t, cluster.addresses[0]);
		assert.equal((await slow.call("JoinRoom", room)).error, undefined);
		const writer = await connect(t, cluster.urls[0]);
		await writer.invoke("JoinRoom", room);
		await waitFor(async () => {
			await writer.invoke("SendMessage", room, "x".repeat(1900));
			return (await cluster.metrics("g1")).get('gateway_close_total{reason="slow"}') === 1;
		}, 20000, "the slow one to be closed");
		assert.equal((await slow.poll()).status, 404);
	});
});
