// SPDX-License-Identifier: Apache-2.0
// States and tries, with a connection and a clock that the test plays.

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { HubConnectionState, type IStreamResult } from "@microsoft/signalr";
import { HubClient, STATE_EVENT, StoppedError, type ClientOptions, type StateChange } from "../src/client.js";
import { FakeClock, FakeConnection, settle } from "./fakes.js";

const refused = () => new Error("refused");

function setUp(options: ClientOptions = {}) {
	const connection = new FakeConnection();
	const clock = new FakeClock();
	const client = new HubClient(connection.connect, {
		clock, eventTarget: null, ...options, retry: { jitter: 0, ...options.retry },
	});
	const states: string[] = [];
	client.onState(({ previous, state }) => states.push(`${previous}>${state}`));
	return { client, connection, clock, states };
}

function fail(connection: FakeConnection, times: number): void {
	connection.startErrors.push(...Array.from({ length: times }, refused));
}

describe("the first start", () => {
	test("connects, and tells the state once", async () => {
		const { client, connection, states } = setUp();
		await Promise.all([client.start(), client.start()]);
		await client.start();
		assert.equal(connection.starts, 1);
		assert.equal(client.state, "connected");
		assert.equal(client.connectionId, "id1");
		assert.deepEqual(states, ["disconnected>connected"]);
	});

	test("is tried again after one, two and four seconds", async () => {
		const { client, connection, clock, states } = setUp();
		fail(connection, 3);
		const started = client.start();
		await clock.advance(999);
		assert.equal(connection.starts, 1);
		await clock.advance(1);
		assert.equal(connection.starts, 2);
		await clock.advance(2000);
		assert.equal(connection.starts, 3);
		await clock.advance(4000);
		await started;
		assert.deepEqual(clock.delays, [1000, 2000, 4000]);
		assert.deepEqual(states, ["disconnected>reconnecting", "reconnecting>connected"]);
	});

	test("gives up after ten more tries, with the last one's error", async () => {
		const { client, connection, clock, states } = setUp();
		fail(connection, 10);
		connection.startErrors.push(new Error("the last"));
		const started = assert.rejects(client.start(), /the last/);
		await clock.advance(1000 + 2000 + 4000 + 8000 + 16000 + 5 * 30000);
		await started;
		assert.equal(connection.starts, 11);
		assert.equal(clock.pending, 0);
		assert.deepEqual(states, ["disconnected>reconnecting", "reconnecting>disconnected"]);
	});

	test("gives up at once on what no try will mend", async () => {
		const { client, connection, states } = setUp({ retry: { giveUpOn: ({ message }) => message === "no such hub" } });
		connection.startErrors.push(new Error("no such hub"));
		await assert.rejects(client.start(), /no such hub/);
		assert.equal(connection.starts, 1);
		assert.deepEqual(states, []);
	});

	test("begins anew after it was given up", async () => {
		const { client, connection, clock } = setUp({ retry: { tries: 1 } });
		fail(connection, 3);
		const first = assert.rejects(client.start(), /refused/);
		await clock.advance(1000);
		await first;
		const second = client.start();
		await clock.advance(1000);
		await second;
		assert.equal(client.state, "connected");
		assert.deepEqual(clock.delays, [1000, 1000]);
	});

	test("ends at stop(), in the middle of a wait", async () => {
		const { client, connection, clock, states } = setUp();
		fail(connection, 1);
		const started = assert.rejects(client.start(), StoppedError);
		await settle();
		await client.stop();
		await started;
		await clock.advance(60000);
		assert.equal(connection.starts, 1);
		assert.equal(clock.pending, 0);
		assert.deepEqual(states, ["disconnected>reconnecting", "reconnecting>disconnected"]);
	});

	test("ends at stop(), in the middle of a try", async () => {
		const { client, connection } = setUp();
		const started = assert.rejects(client.start(), StoppedError);
		await client.stop();
		await started;
		assert.equal(client.state, "disconnected");
		assert.equal(connection.state, HubConnectionState.Disconnected);
	});

	test("waits for the reconnection that is under way", async () => {
		const { client, connection } = setUp();
		await client.start();
		connection.lose();
		const again = client.start();
		connection.regain();
		await again;
		connection.lose();
		const given = assert.rejects(client.start(), /gone for good/);
		connection.close(new Error("gone for good"));
		await given;
		assert.equal(connection.starts, 1);
	});
});

describe("a lost connection", () => {
	test("is reconnecting, then connected again", async () => {
		const { client, connection, states } = setUp();
		await client.start();
		connection.lose();
		assert.equal(client.state, "reconnecting");
		connection.regain();
		assert.deepEqual(states.slice(1), ["connected>reconnecting", "reconnecting>connected"]);
	});

	test("is tried for as the first start is, and each plan told", () => {
		const { client, connection } = setUp();
		const plans: string[] = [];
		client.onRetry(({ attempt, delayMs }) => plans.push(`${attempt}:${delayMs}`));
		const next = (previousRetryCount: number) => connection.policy!.nextRetryDelayInMilliseconds(
			{ previousRetryCount, elapsedMilliseconds: 0, retryReason: refused() });
		assert.deepEqual([0, 1, 9, 10].map(next), [1000, 2000, 30000, null]);
		assert.deepEqual(plans, ["1:1000", "2:2000", "10:30000"]);
	});

	test("is disconnected when it is given up, and says why", async () => {
		const { client, connection } = setUp();
		await client.start();
		const changes: StateChange[] = [];
		client.onState((change) => changes.push(change));
		connection.lose();
		connection.close(refused());
		assert.equal(client.state, "disconnected");
		assert.equal(changes[1]?.error?.message, "refused");
	});
});

describe("who is told of states", () => {
	test("the DOM, by an event with the change in it", async () => {
		const target = new EventTarget();
		const { client, connection } = setUp({ eventTarget: target });
		const details: StateChange[] = [];
		target.addEventListener(STATE_EVENT, (event) => details.push((event as CustomEvent<StateChange>).detail));
		await client.start();
		connection.lose(refused());
		assert.equal(STATE_EVENT, "signalr-state-changed");
		assert.deepEqual(details.map(({ error, ...rest }) => ({ ...rest, why: error?.message })), [
			{ url: connection.baseUrl, previous: "disconnected", state: "connected", why: undefined },
			{ url: connection.baseUrl, previous: "connected", state: "reconnecting", why: "refused" },
		]);
	});

	test("every handler, though one throws, until it unsubscribes", async (t) => {
		const complaints = t.mock.method(console, "error", () => {});
		const { client, connection } = setUp();
		const heard: string[] = [];
		client.onState(() => {
			throw new Error("a handler's own fault");
		});
		const unsubscribe = client.onState(({ state }) => heard.push(state));
		await client.start();
		unsubscribe();
		connection.lose();
		assert.deepEqual(heard, ["connected"]);
		assert.equal(complaints.mock.callCount(), 2);
	});
});

describe("events and methods", () => {
	interface Server {
		Add(a: number, b: number): Promise<number>;
		Count(to: number): IStreamResult<number>;
	}
	interface Client {
		Said(text: string): void;
	}

	test("are passed on with their arguments", async () => {
		const connection = new FakeConnection();
		const client = new HubClient<Server, Client>(connection.connect, { eventTarget: null });
		const heard: string[] = [];
		connection.answer = (_method, [a, b]) => Number(a) + Number(b);
		const unsubscribe = client.on("Said", (text) => void heard.push(text));
		connection.receive("Said", "one");
		unsubscribe();
		connection.receive("Said", "two");
		assert.equal(await client.invoke("Add", 2, 3), 5);
		await client.send("Add", 4, 5);
		assert.deepEqual(heard, ["one"]);
		assert.deepEqual(connection.calls.map(({ kind, args }) => [kind, ...args]), [["invoke", 2, 3], ["send", 4, 5]]);
	});

	test("are checked by the compiler", () => {
		const client = new HubClient<Server, Client>(new FakeConnection().connect, { eventTarget: null });
		const wrong = () => {
			// @ts-expect-error: no such method
			void client.invoke("Subtract", 1, 2);
			// @ts-expect-error: one argument is missing
			void client.invoke("Add", 1);
			// @ts-expect-error: a number is wanted
			void client.invoke("Add", 1, "2");
			// @ts-expect-error: it answers a number
			client.invoke("Add", 1, 2).then((sum: string) => sum);
			// @ts-expect-error: it is no stream
			client.stream("Add", 1, 2);
			// @ts-expect-error: it is one
			void client.invoke("Count", 3);
			// @ts-expect-error: its items are numbers
			client.stream("Count", 3).subscribe({ next: (item: string) => void item, error: () => {}, complete: () => {} });
			// @ts-expect-error: no such event
			client.on("Sung", () => {});
			// @ts-expect-error: the event has a text
			client.on("Said", (text: number) => void text);
		};
		assert.equal(typeof wrong, "function");
	});
});
