// SPDX-License-Identifier: Apache-2.0
// Several people type into one document, each over another gateway and whatever router: all come
// to the same text, also when routers are killed on the way and the document is in Redis.
"use strict";

const { test } = require("node:test");
const assert = require("node:assert/strict");
const { withCluster } = require("../kit/cluster.js");
const { freshRoom } = require("../kit/chat.js");
const { startRedis } = require("../kit/redis.js");
const { waitFor } = require("../kit/wait.js");
const { startWriters, untilConverged } = require("../kit/writer.js");

const HUBS = ["--hubs=collaboration"];
const SHAPE = { gateways: 3, routers: 2, gatewayArgs: HUBS, routerArgs: HUBS };
// They type faster than people do: who hears nothing while its router comes back must not fall behind.
const KEPT = "--hub.collaboration.operations_max=1000";
const FLOW_MS = 60000;
const SEED = Number(process.env.SEED || 1);

async function withRedis(t, body) {
	const redis = await startRedis();
	t.after(() => redis.stop());
	await withCluster({ ...SHAPE, routerArgs: [...HUBS, KEPT], hubRedis: redis.url() }, body);
}

// Each of them has made so many changes more than now.
async function untilTyped(writers, count) {
	const goals = writers.map((writer) => writer.edits + count);
	await waitFor(() => writers.every((writer, i) => writer.edits >= goals[i]), FLOW_MS, `${count} more changes of each`);
}

// Who comes later reads the same as those who wrote it.
async function assertReads(t, url, documentId, writers, text) {
	const [reader] = await startWriters(t, [url], documentId, SEED);
	assert.equal(reader.document.text, text);
	assert.equal(reader.document.version, writers[0].document.version);
}

// Of the routers there are now.
async function count(cluster, name) {
	const all = await Promise.all(["r1", "r2"].map((router) => cluster.metrics(router)));
	return all.reduce((sum, metrics) => sum + (metrics.get(`router_hub_counted_total{hub="collaboration",name="${name}"}`) ?? 0), 0);
}

// {writers, text} when all have stopped and come to one text.
async function type(t, cluster, { breaks = async () => {}, ...options } = {}) {
	const documentId = freshRoom("document");
	const writers = await startWriters(t, cluster.urls, documentId, SEED, options);
	writers.forEach((writer) => writer.startTyping());
	await untilTyped(writers, 60);
	await breaks(() => untilTyped(writers, 30));
	await Promise.all(writers.map((writer) => writer.stopTyping()));
	const text = await untilConverged(writers);
	const edits = writers.reduce((sum, writer) => sum + writer.edits, 0);
	t.diagnostic(`SEED=${SEED}: ${edits} changes, ${writers[0].document.version} versions, ${text.length} units, `
		+ `${await count(cluster, "conflicts")} conflicts, ${await count(cluster, "snapshots")} snapshots`);
	await assertReads(t, cluster.urls[0], documentId, writers, text);
	return { writers, text };
}

function assertUntroubled({ writers }) {
	assert.deepEqual(writers.flatMap((writer) => writer.troubles), []);
}

async function killRouters(cluster, untilMore) {
	for (const name of ["r1", "r2", "r1"]) {
		await cluster.kill(name);
		await cluster.restart(name);
		await untilMore();
	}
}

test("three who type at once over three gateways come to one text", async (t) => {
	await withCluster(SHAPE, async (cluster) => assertUntroubled(await type(t, cluster)));
});

test("so they do when the document is in Redis", async (t) => {
	await withRedis(t, async (cluster) => assertUntroubled(await type(t, cluster)));
});

test("and when routers are killed while they type", async (t) => {
	await withRedis(t, async (cluster) => {
		const { writers } = await type(t, cluster, { breaks: (untilMore) => killRouters(cluster, untilMore) });
		assert.deepEqual(writers.flatMap((writer) => writer.troubles).filter((text) => /lost:|HubException/.test(text)), []);
	});
});

test("nothing that is typed while routers are killed is lost, or there twice", async (t) => {
	await withRedis(t, async (cluster) => {
		const { writers, text } = await type(t, cluster, { isCounting: true, breaks: (untilMore) => killRouters(cluster, untilMore) });
		const typed = writers.flatMap((writer) => Array.from({ length: writer.edits }, (_, i) => writer.ownChar(i)));
		assert.equal([...text].sort().join(""), typed.sort().join(""));
	});
});
