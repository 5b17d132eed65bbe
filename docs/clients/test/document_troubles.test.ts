// SPDX-License-Identifier: Apache-2.0
// What becomes of a shared document, and of what was written in it, when the hub refuses, fails or does not answer.

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { BUSY, ID, UNKNOWN, assertText, twoIn } from "./document_hub.js";
import { settle } from "./fakes.js";

describe("a shared document in trouble", () => {
	test("takes back what is refused, and says why", async () => {
		const { hub, ann } = await twoIn("full");
		hub.faults = ["refuse"];
		ann.document.edit("fuller");
		await settle();
		assertText(hub, "full");
		assert.equal(hub.sends, 1);
		assert.equal(ann.seen, "full");
		assert.match(ann.troubles.join(), /^[^,]*would be too long\.$/);
		ann.document.edit("full.");
		await settle();
		assertText(hub, "full.");
		ann.connection.lose();
		ann.document.edit("not full.");
		ann.connection.regain();
		await ann.document.join();
		await settle();
		assertText(hub, "not full.");
	});

	test("takes back what is typed, too, until the refusal is dealt with", async () => {
		const { hub, ann, bob } = await twoIn("full");
		let open = () => {};
		hub.faults = ["refuse"];
		hub.joinFaults = [new Promise((resolve) => (open = resolve))];
		ann.document.edit("fuller");
		await settle();
		assert.equal(ann.document.isOpen, false);
		ann.document.edit("fuller!");
		bob.document.edit("is full");
		await settle();
		open();
		await settle();
		assertText(hub, "is full");
		assert.equal(ann.seen, "is full");
		ann.document.edit("is full.");
		await settle();
		assertText(hub, "is full.");
		assert.deepEqual(hub.server.log.map(({ userId }) => userId), ["bob", "ann"]);
	});

	test("takes back what was refused over the next connection, where this one ends", async () => {
		const { hub, ann } = await twoIn("full");
		hub.faults = ["refuse"];
		hub.joinFaults = [UNKNOWN];
		ann.document.edit("fuller");
		await settle();
		ann.connection.lose();
		ann.document.edit("fuller!");
		ann.connection.regain();
		await ann.document.join();
		assertText(hub, "full");
		assert.equal(ann.clock.pending, 0);
	});

	test("keeps what nobody knows the outcome of, says so once, and sends it until it is done", async () => {
		const { hub, ann } = await twoIn("");
		hub.faults = Array.from({ length: 12 }, () => "crash" as const);
		ann.document.edit("kept");
		for (let sent = 1; sent <= 12; sent++) {
			await settle();
			assert.deepEqual([hub.sends, ann.document.text, ann.troubles.length], [sent, "kept", sent < 5 ? 0 : 1]);
			await ann.clock.next();
		}
		await settle();
		assertText(hub, "kept");
		assert.equal(hub.server.log.length, 1);
		assert.ok(ann.clock.delays.every((ms) => ms <= 30000));
	});

	test("does not wait with what was written once there is a new connection", async () => {
		const { hub, ann } = await twoIn("");
		hub.faults = ["crash"];
		ann.document.edit("soon");
		await settle();
		ann.connection.lose();
		ann.connection.regain();
		await ann.document.join();
		await settle();
		assertText(hub, "soon");
		assert.equal(ann.clock.now, 0);
	});

	test("is joined again where the hub does not know of it, and loses nothing", async () => {
		const { hub, ann } = await twoIn("");
		hub.faults = ["outside"];
		ann.document.edit("kept");
		await ann.clock.advance(500);
		assertText(hub, "kept");
		assert.equal(ann.connection.calls.filter(({ method }) => method === "JoinDocument").length, 2);
		assert.deepEqual(ann.troubles, []);
	});

	test("is joined again and again while there is the connection", async () => {
		const { hub, ann, bob } = await twoIn("full");
		hub.faults = ["refuse"];
		hub.joinFaults = [BUSY, BUSY, BUSY];
		ann.document.edit("fuller");
		for (let failed = 1; failed <= 3; failed++) {
			await settle();
			assert.equal(ann.document.isOpen, false);
			bob.document.edit(`full ${failed}`);
			await settle();
			for (const operation of hub.server.log) // which it is not waiting for
				ann.connection.receive("ReceiveOperation", { documentId: ID, operation, userId: "bob" });
			assert.equal(ann.document.version, 0);
			await ann.clock.next();
		}
		await settle();
		assertText(hub, "full 3");
		assert.deepEqual(ann.troubles.map((text) => /too long|Too many/.exec(text)?.[0]), ["too long", "Too many"]);
		assert.equal(ann.clock.pending, 0);
	});

	test("that is not for somebody is not asked for again", async () => {
		const { hub, ann } = await twoIn("");
		hub.joinFaults = ["HubException: Not allowed: collaboration.read:paper is missing."];
		await assert.rejects(ann.document.join(), /Not allowed/);
		assert.equal(ann.clock.pending, 0);
	});

	test("is not joined any more once it is closed, or the connection is gone", async () => {
		const { hub, ann, bob } = await twoIn("");
		hub.joinFaults = [BUSY, BUSY];
		const joining = [ann.document.join(), bob.document.join()].map((join) => assert.rejects(join, /Too many/));
		await settle();
		ann.document.close();
		bob.connection.lose();
		await Promise.all(joining);
		assert.deepEqual([ann.clock.pending, bob.clock.pending], [0, 0]);
	});

	test("keeps what was written when it cannot be told yet what was missed", async () => {
		const { hub, ann, bob } = await twoIn("middle");
		ann.connection.lose();
		ann.document.edit("middle, ann");
		bob.document.edit("bob, middle");
		await settle();
		ann.connection.regain();
		hub.sinceFaults = [UNKNOWN];
		const joining = ann.document.join();
		await ann.clock.advance(500);
		await joining;
		await settle();
		assertText(hub, "bob, middle, ann");
	});

	test("asks for what is too much to remember while it is joined", async () => {
		const { hub, ann, bob } = await twoIn("");
		const answer = bob.connection.answer;
		bob.connection.answer = async (method, args) => {
			const result = await answer(method, args);
			let seen = 0;
			if (method === "JoinDocument")
				for (let i = 0; seen <= 1000; i++) {
					ann.document.edit(`${i}`);
					await settle();
					hub.server.log.slice(seen).forEach((operation) =>
						bob.connection.receive("ReceiveOperation", { documentId: ID, operation, userId: "ann" }));
					seen = hub.server.log.length;
				}
			return result;
		};
		await bob.document.join();
		assert.notEqual(bob.document.text, ann.document.text);
		await bob.clock.advance(2000);
		assertText(hub, ann.document.text);
	});
});
