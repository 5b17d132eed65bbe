// SPDX-License-Identifier: Apache-2.0
// The livedata hub over several routers: a stream at one sees what is published at another, goes on when the router that
// keeps its values is gone, and with Redis the values outlive all routers.
"use strict";

const { test } = require("node:test");
const assert = require("node:assert/strict");
const { withCluster } = require("../kit/cluster.js");
const { connect, signalR } = require("../kit/clients.js");
const { freshRoom } = require("../kit/chat.js");
const { startRedis } = require("../kit/redis.js");
const { collect } = require("../kit/testhub.js");
const { waitFor } = require("../kit/wait.js");

const WAIT_MS = 30000;
const HUBS = ["--hubs=chat,livedata", "--hub.livedata.await_timeout=2s"];
const OPTIONS = { gateways: 2, routers: 2, gatewayArgs: HUBS.slice(0, 1), routerArgs: HUBS };

const open = (t, cluster, i) => connect(t, cluster.urls[i % 2], { hub: "livedata", roles: ["livedata.publish"], events: [] });

async function publish(client, type, key, value) {
	const subject = new signalR.Subject();
	const result = client.invoke("Publish", type, subject);
	subject.next({ key, value });
	subject.complete();
	assert.equal(await result, 1);
}

// A router may just have died: until the cluster takes it.
const publishSoon = (client, type, key, value) =>
	waitFor(() => publish(client, type, key, value).then(() => true), WAIT_MS, "the reading to be taken");

const subscribe = (client, type) => collect(client.connection.stream("Subscribe", type, ""));
const has = (seen, key, value) => seen.items.some((item) => item.key === key && item.value === value);
const until = (seen, key, value) => waitFor(() => seen.isOver || has(seen, key, value), WAIT_MS, `${key} = ${value}`);

// Whose connections lie where is the ring's choice: enough that some are at each router.
const READERS = 20;

async function readersOf(t, cluster, type) {
	const clients = await Promise.all(Array.from({ length: READERS }, (_, i) => open(t, cluster, i)));
	return clients.map((client) => ({ client, seen: subscribe(client, type) }));
}

for (const name of ["r1", "r2"]) {
	test(`streams of the other router go on without ${name}`, async (t) => {
		await withCluster(OPTIONS, async (cluster) => {
			const types = Array.from({ length: 6 }, () => freshRoom("type")); // values lie at both routers
			const source = await open(t, cluster, 0);
			const readers = (await Promise.all(types.map((type) => readersOf(t, cluster, type)))).flat();
			for (const type of types)
				await publish(source, type, "before", 1);
			await Promise.all(readers.map(({ seen }) => until(seen, "before", 1)));

			await cluster.kill(name);
			await cluster.restart(name);

			for (const type of types)
				await publishSoon(source, type, "after", 2);
			await Promise.all(readers.map(({ seen }) => until(seen, "after", 2)));
			const survivors = readers.filter(({ seen }) => !seen.isOver);
			assert.ok(survivors.length > 0 && survivors.length < readers.length, `${survivors.length} of ${readers.length}`);
			for (const { seen } of survivors) {
				const versions = seen.items.map((item) => item.version);
				assert.deepEqual(versions, [...versions].sort((a, b) => a - b));
			}
		});
	});
}

test("with Redis the values outlive every router, and streams at all of them see each change", async (t) => {
	const redis = await startRedis();
	t.after(() => redis.stop());
	await withCluster({ ...OPTIONS, hubRedis: redis.url() }, async (cluster) => {
		const type = freshRoom("type");
		const source = await open(t, cluster, 0);
		const readers = await readersOf(t, cluster, type);
		await publish(source, type, "a", 1);
		await publish(source, type, "b", 2);
		await Promise.all(readers.map(({ seen }) => until(seen, "b", 2)));
		for (const { seen } of readers)
			assert.deepEqual(seen.items.map((item) => item.key), ["a", "b"]);

		for (const name of ["r1", "r2"])
			await cluster.kill(name);
		for (const name of ["r1", "r2"])
			await cluster.restart(name);

		const late = await open(t, cluster, 1);
		const seen = await waitFor(async () => {
			const again = subscribe(late, type);
			await until(again, "b", 2);
			return !again.isOver && again;
		}, WAIT_MS, "a stream of the new routers");
		assert.deepEqual(seen.items.map((item) => [item.key, item.value, item.isSnapshot]), [["a", 1, true], ["b", 2, true]]);
		await publishSoon(source, type, "a", 3);
		await until(seen, "a", 3);
		assert.ok(!seen.isOver);
	});
});

test("a stream rests while Redis is away, and goes on with what it missed", async (t) => {
	const redis = await startRedis();
	t.after(() => redis.stop());
	await withCluster({ ...OPTIONS, hubRedis: redis.url() }, async (cluster) => {
		const type = freshRoom("type");
		const [source, reader] = [await open(t, cluster, 0), await open(t, cluster, 1)];
		await publish(source, type, "a", 1);
		const seen = subscribe(reader, type);
		await until(seen, "a", 1);
		redis.master.pause();
		await assert.rejects(publish(source, type, "a", 2));
		redis.master.resume();
		await publishSoon(source, type, "a", 3);
		await until(seen, "a", 3);
		assert.ok(!seen.isOver);
	});
});
