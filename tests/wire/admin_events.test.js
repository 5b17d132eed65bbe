// SPDX-License-Identifier: Apache-2.0
// The event feed with real clients that come and go.
"use strict";

const { describe, test, before, after, afterEach } = require("node:test");
const assert = require("node:assert/strict");
const { sharedCluster } = require("../kit/cluster.js");
const { connect } = require("../kit/clients.js");
const { freshRoom } = require("../kit/chat.js");
const { openApi } = require("../kit/openapi.js");
const { untilOnline } = require("../kit/presence.js");
const { waitFor } = require("../kit/wait.js");

// A reader of Server-Sent Events that keeps what came: {event, id, data}.
class Feed {
	constructor(api, response, controller) {
		this.api = api;
		this.controller = controller;
		this.events = [];
		this.headers = response.headers;
		this.#read(response.body).catch(() => {});
	}

	static async open(t, api, options) {
		const controller = new AbortController();
		const [url, init] = api.request("watchEvents", options);
		const response = await fetch(url, { ...init, signal: controller.signal });
		assert.equal(response.status, 200);
		const feed = new Feed(api, response, controller);
		t.after(() => feed.close());
		return feed;
	}

	async #read(body) {
		let rest = "";
		for await (const text of body.pipeThrough(new TextDecoderStream())) {
			const blocks = (rest + text).split("\n\n");
			rest = blocks.pop();
			for (const block of blocks) {
				const event = {};
				for (const line of block.split("\n").filter((line) => line !== "" && !line.startsWith(":")))
					event[line.slice(0, line.indexOf(":"))] = line.slice(line.indexOf(": ") + 2);
				if (event.event)
					this.events.push({ ...event, data: JSON.parse(event.data) });
			}
		}
	}

	// "online ann", ... of these users, in order.
	of(...userIds) {
		return this.events.filter(({ data }) => userIds.includes(data.userId)).map(({ event, data }) => `${event} ${data.userId}`);
	}

	async until(count, ...userIds) {
		await waitFor(() => this.of(...userIds).length >= count, 10000, `${count} events; had ${JSON.stringify(this.events)}`);
		return this.of(...userIds);
	}

	get last() {
		return this.events.at(-1).id;
	}

	close() {
		this.controller.abort();
	}
}

describe("the event feed", () => {
	const cluster = sharedCluster({ before, after, afterEach }, { gateways: 2, presenceArgs: ["--events_watchers_max=3", "--events_max=50"] });
	let api;
	before(async () => {
		api = await openApi(cluster());
		// What happened before presence knew the cluster is no news.
		await waitFor(async () => (await api.ok("getStats")).isSettled, 20000, "presence to be settled");
	});

	test("a user comes online once and goes offline once, over two gateways", async (t) => {
		const userId = freshRoom("user");
		const feed = await Feed.open(t, api);
		assert.equal(feed.headers.get("content-type"), "text/event-stream");
		const first = await connect(t, cluster().urls[0], { userId, name: "Ann" });
		const second = await connect(t, cluster().urls[1], { userId });
		await waitFor(async () => (await api.ok("getUser", { params: { userId } })).connectionCount === 2, 10000, "both");
		await first.stop();
		await second.stop();
		assert.deepEqual(await feed.until(2, userId), [`online ${userId}`, `offline ${userId}`]);
		const ajv = new (require("ajv/dist/2020"))({ strict: false });
		require("ajv-formats")(ajv);
		ajv.addSchema(api.document, "openapi");
		for (const { data } of feed.events)
			assert.ok(ajv.getSchema("openapi#/components/schemas/Event")(data), JSON.stringify(data));
		const ids = feed.events.map(({ id }) => id);
		assert.deepEqual(ids, [...ids].sort(), "ids grow");
	});

	test("who comes back with an id misses nothing and hears nothing twice", async (t) => {
		const users = ["a", "b", "c"].map((name) => freshRoom(name));
		const feed = await Feed.open(t, api);
		const clients = [await connect(t, cluster().urls[0], { userId: users[0] })];
		await feed.until(1, users[0]);
		const id = feed.last;
		feed.close();
		clients.push(await connect(t, cluster().urls[1], { userId: users[1] }));
		await waitFor(async () => (await api.call("getUser", { params: { userId: users[1] } })).status === 200, 10000, "b online");
		for (const options of [{ headers: { "Last-Event-ID": id } }, { query: { after: id } }]) {
			const again = await Feed.open(t, api, options);
			assert.deepEqual(await again.until(1, ...users), [`online ${users[1]}`]);
			again.close();
		}
		const again = await Feed.open(t, api, { query: { after: id } });
		clients.push(await connect(t, cluster().urls[0], { userId: users[2] }));
		assert.deepEqual(await again.until(2, ...users), [`online ${users[1]}`, `online ${users[2]}`]);
	});

	test("who comes too late is told to begin anew", async (t) => {
		const feed = await Feed.open(t, api);
		const userId = freshRoom("user");
		const one = await connect(t, cluster().urls[0], { userId });
		await feed.until(1, userId);
		const id = feed.last;
		await one.stop();
		const crowd = await Promise.all(Array.from({ length: 30 }, () => connect(t, cluster().urls[1], {})));
		await Promise.all(crowd.map((client) => client.stop()));
		await untilOnline(cluster(), []);
		await waitFor(() => feed.events.filter(({ event }) => event === "offline").length >= 31, 10000, "all to be told");
		feed.close();
		const late = await Feed.open(t, api, { query: { after: id } });
		await waitFor(() => late.events.some(({ event }) => event === "reset"), 10000, "the reset");
		await connect(t, cluster().urls[0], { userId });
		assert.deepEqual(await late.until(1, userId), [`online ${userId}`]);
	});

	test("watchers over the limit are refused, and a place is free again", async (t) => {
		const watchers = async () => (await cluster().metrics("p1")).get("presence_events_watchers");
		await waitFor(async () => await watchers() === 0, 10000, "nobody to watch");
		const feeds = [await Feed.open(t, api), await Feed.open(t, api), await Feed.open(t, api)];
		await api.problem("watchEvents", {}, 503, "busy");
		feeds[1].close();
		await waitFor(async () => await watchers() === 2, 10000, "a free place");
		await Feed.open(t, api);
	});
});
