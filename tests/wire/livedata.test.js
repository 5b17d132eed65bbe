// SPDX-License-Identifier: Apache-2.0
// The livedata hub as the official client sees it: the values that are there, then what changes, and
// readers and producers of different speed.
"use strict";

const { describe, test, before, after, afterEach } = require("node:test");
const assert = require("node:assert/strict");
const { sharedCluster } = require("../kit/cluster.js");
const { connect, signalR } = require("../kit/clients.js");
const { freshRoom, rawClient } = require("../kit/chat.js");
const { collect } = require("../kit/testhub.js");
const { waitFor } = require("../kit/wait.js");

const WAIT_MS = 10000;
const NOON = "2026-11-22T12:00:00.000Z";

describe("the livedata hub", () => {
	const hubs = "--hubs=chat,livedata,notifications";
	const cluster = sharedCluster({ before, after, afterEach },
		{ gateways: 2, routers: 2, gatewayArgs: [hubs], routerArgs: [hubs] });
	const open = (t, i, roles = []) => connect(t, cluster().urls[i], { hub: "livedata", roles, events: [] });
	const producer = (t) => open(t, 0, ["livedata.publish"]);
	const reading = (key, value) => ({ key, value });

	async function publish(client, type, ...readings) {
		const subject = new signalR.Subject();
		const result = client.invoke("Publish", type, subject);
		readings.forEach((item) => subject.next(item));
		subject.complete();
		return result;
	}

	// What the stream has brought, once the last of it is `value` of `key`.
	async function until(seen, key, value) {
		await waitFor(() => seen.error || seen.items.some((item) => item.key === key && item.value === value),
			WAIT_MS, `${key} = ${value}`);
		assert.equal(seen.error, undefined);
		return seen.items;
	}

	const subscribe = (client, type, filter = "") => collect(client.connection.stream("Subscribe", type, filter));
	const shown = (items) => items.map((item) => `${item.isSnapshot ? "there" : "new"} ${item.key}=${item.value}`);

	test("first what is there, in the order of its changes, then what changes", async (t) => {
		const type = freshRoom("type");
		const [source, reader] = [await producer(t), await open(t, 1)];
		assert.equal(await publish(source, type, reading("a", 1), reading("b", 2), reading("a", 3)), 3);
		const seen = subscribe(reader, type);
		await until(seen, "a", 3);
		assert.deepEqual(shown(seen.items), ["there b=2", "there a=3"]);
		await publish(source, type, reading("b", 4));
		await until(seen, "b", 4);
		await publish(source, type, reading("c", 5));
		await until(seen, "c", 5);
		assert.deepEqual(shown(seen.items), ["there b=2", "there a=3", "new b=4", "new c=5"]);
	});

	test("an update says all of itself", async (t) => {
		const type = freshRoom("type");
		const [source, reader] = [await producer(t), await open(t, 1)];
		const value = { text: "\u00e4\ud83d\ude00", list: [1, null, true], deep: { a: 1.5 } };
		await publish(source, type, { key: "a", value, timestamp: "2026-11-22T13:00:00+01:00" }, reading("b", null));
		const seen = subscribe(reader, type);
		await until(seen, "b", null);
		const [a, b] = seen.items;
		assert.deepEqual(a, { dataType: type, key: "a", value, timestamp: NOON, version: a.version, isSnapshot: true });
		assert.ok(b.version > a.version && Number.isSafeInteger(b.version));
		assert.match(b.timestamp, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
	});

	test("a filter lets through what matches", async (t) => {
		const type = freshRoom("type");
		const [source, reader] = [await producer(t), await open(t, 1)];
		await publish(source, type, reading("hall/1", 1), reading("roof/1", 2), reading("hall/2", 3));
		const [hall, one, all] = ["hall/*", "hall/1", "*"].map((filter) => subscribe(reader, type, filter));
		await publish(source, type, reading("roof/1", 4), reading("hall/1", 5));
		for (const seen of [hall, one, all])
			await until(seen, "hall/1", 5);
		const keys = (seen) => [...new Set(seen.items.map((item) => item.key))].sort();
		assert.deepEqual(keys(hall), ["hall/1", "hall/2"]);
		assert.deepEqual(keys(one), ["hall/1"]);
		assert.deepEqual(keys(all), ["hall/1", "hall/2", "roof/1"]);
	});

	test("types are apart, and one that nothing is known of is waited for", async (t) => {
		const [type, other] = [freshRoom("type"), freshRoom("type")];
		const [source, reader] = [await producer(t), await open(t, 1)];
		const seen = subscribe(reader, type);
		await publish(source, other, reading("a", "elsewhere"));
		await publish(source, type, reading("a", "here"));
		assert.deepEqual(shown(await until(seen, "a", "here")).map((text) => text.replace(/^\w+ /, "")), ["a=here"]);
	});

	test("all readers get the last value, wherever they are", async (t) => {
		const type = freshRoom("type");
		const source = await producer(t);
		const readers = await Promise.all([0, 1, 0, 1, 0, 1].map((i) => open(t, i)));
		const streams = readers.map((reader) => subscribe(reader, type));
		await publish(source, type, ...Array.from({ length: 200 }, (_, i) => reading(`k${i % 3}`, i)));
		for (const seen of streams) {
			await until(seen, "k1", 199);
			const last = new Map(seen.items.map((item) => [item.key, item.value]));
			assert.deepEqual(Object.fromEntries(last), { k0: 198, k1: 199, k2: 197 });
			const versions = seen.items.map((item) => item.version);
			assert.deepEqual(versions, [...versions].sort((a, b) => a - b));
		}
	});

	// Nothing here depends on how fast anything is: far more is published than all buffers between the hub and the
	// reader take, so what it gets when it reads again cannot be all.
	test("a reader that does not read misses values, but never the last one", async (t) => {
		const type = freshRoom("type");
		const [rounds, keys, filler] = [400, 4, "x".repeat(12000)];
		const source = await producer(t);
		const ws = await rawClient(t, cluster().addresses[1], { hub: "livedata" });
		await publish(source, type, reading("first", 0));
		ws.send({ type: 4, invocationId: "s", target: "Subscribe", arguments: [type, ""] });
		assert.equal((await ws.message()).item.key, "first");
		ws.socket.pause();
		const readings = Array.from({ length: rounds * keys }, (_, i) =>
			reading(`k${i % keys}`, { round: Math.floor(i / keys), filler }));
		assert.equal(await publish(source, type, ...readings), rounds * keys);
		await publish(source, type, reading("last", 0));
		ws.socket.resume();
		const last = new Map();
		let items = 0;
		for (let item = null; item?.key !== "last"; items++) {
			({ item } = await ws.message());
			assert.ok(item.key === "last" || item.value.round > (last.get(item.key) ?? -1), "older than the one before");
			last.set(item.key, item.value.round);
		}
		for (let key = 0; key < keys; key++)
			assert.equal(last.get(`k${key}`), rounds - 1);
		assert.ok(items < rounds * keys, `${items} of ${rounds * keys}`);
	});

	test("a reading that is none ends the stream, and those before it count", async (t) => {
		const type = freshRoom("type");
		const [source, reader] = [await producer(t), await open(t, 1)];
		const refused = (wrong, why) => assert.rejects(publish(source, type, reading("good", 1), wrong), { message: why });
		await refused({ value: 1 }, /readings\.key: a string is wanted, there is none\.$/);
		await refused({ key: "a" }, /readings\.value: a value is wanted, there is none\.$/);
		await refused("a", /readings: an object is wanted/);
		await refused(reading("", 1), /Reading 2: a key has 1 to 256 bytes and no star\.$/);
		await refused(reading("x".repeat(257), 1), /Reading 2: a key has 1 to 256 bytes and no star\.$/);
		await refused(reading("a*", 1), /Reading 2: a key has 1 to 256 bytes and no star\.$/);
		await refused(reading("a", "x".repeat(16383)), /Reading 2: its value has more than 16384 bytes\.$/);
		await refused({ key: "a", value: 1, timestamp: "noon" }, /Reading 2: a timestamp is like 2026-11-22T10:00:00Z\.$/);
		assert.equal(await publish(source, type, reading("x".repeat(256), 1), reading("a", "x".repeat(16382))), 2);
		const seen = subscribe(reader, type);
		await waitFor(() => seen.items.length === 3, WAIT_MS, "what was taken");
		assert.deepEqual(seen.items.map((item) => item.key[0]), ["g", "x", "a"]);
	});

	test("types and filters have limits", async (t) => {
		const source = await producer(t);
		const refused = async (args, why) => {
			const seen = collect(source.connection.stream("Subscribe", ...args));
			await waitFor(() => seen.isOver, WAIT_MS, "the refusal");
			assert.match(seen.error, why);
		};
		await refused(["", ""], /A data type has 1 to 128 bytes\.$/);
		await refused(["x".repeat(129), ""], /A data type has 1 to 128 bytes\.$/);
		await refused(["x", "x".repeat(257)], /A filter has at most 256 bytes\.$/);
		await assert.rejects(publish(source, "", reading("a", 1)), /A data type has 1 to 128 bytes\.$/);
		assert.equal(await publish(source, "x".repeat(128), reading("a", 1)), 1);
	});

	test("who may publish stands in the token", async (t) => {
		const type = freshRoom("type");
		const [nobody, narrow] = [await open(t, 0), await open(t, 0, ["livedata.publish:other,type-*"])];
		await assert.rejects(publish(nobody, type, reading("a", 1)),
			{ message: new RegExp(`HubException: Not allowed: livedata\\.publish:${type} is missing\\.$`) });
		assert.equal(await publish(narrow, type, reading("a", 1)), 1);
		await assert.rejects(publish(narrow, "secret", reading("a", 1)), /Not allowed: livedata\.publish:secret is missing/);
	});

	test("the producer's own error ends its upload, and what came before it stays", async (t) => {
		const type = freshRoom("type");
		const [source, reader] = [await producer(t), await open(t, 1)];
		const subject = new signalR.Subject();
		const result = source.invoke("Publish", type, subject);
		subject.next(reading("a", 1));
		subject.error(new Error("sensor lost"));
		await assert.rejects(result, /sensor lost/);
		await until(subscribe(reader, type), "a", 1);
	});

	test("a producer far ahead of the hub is slowed down and loses nothing", async (t) => {
		const type = freshRoom("type");
		const [source, reader] = [await producer(t), await open(t, 1)];
		const total = 3000;
		assert.equal(await publish(source, type, ...Array.from({ length: total }, (_, i) => reading("a", i))), total);
		await until(subscribe(reader, type), "a", total - 1);
	});

	test("DataUpdated reaches those who asked notifications for that key, or for all", async (t) => {
		const type = freshRoom("type");
		const source = await producer(t);
		const watch = async (filter) => {
			const client = await connect(t, cluster().urls[1], { hub: "notifications", events: ["DataUpdated"] });
			await client.invoke("SubscribeToDataUpdates", type, filter);
			return client;
		};
		const [one, star, empty, other] = [await watch("a"), await watch("*"), await watch(""), await watch("b")];
		await publish(source, type, reading("a", 1), reading("c", 2), reading("b", 3));
		const keys = async (client, n) => {
			await client.until(() => client.of("DataUpdated").length >= n, "DataUpdated");
			return client.of("DataUpdated").map((update) => `${update.key}=${update.value}`);
		};
		assert.deepEqual(await keys(star, 3), ["a=1", "c=2", "b=3"]);
		assert.deepEqual(await keys(empty, 3), ["a=1", "c=2", "b=3"]);
		assert.deepEqual(await keys(other, 1), ["b=3"]);
		assert.deepEqual(await keys(one, 1), ["a=1"]);
		assert.equal(one.of("DataUpdated")[0].dataType, type);
	});
});
