// SPDX-License-Identifier: Apache-2.0
// Shared documents against a hub that the test plays: what is lost, late, refused or forgotten on
// the way. That concurrent changes converge is ot.test.ts' business.

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { HubClient } from "../src/client.js";
import { SharedDocument } from "../src/document.js";
import type { CollaborationClient, CollaborationServer } from "../src/hubs/collaboration.js";
import { moveBetween, moveThrough, offsetOf, positionAt } from "../src/places.js";
import { deletion, insertion } from "../src/ot.js";
import { ID, twoIn, assertText, type Hub, type Party } from "./document_hub.js";
import { FakeConnection, settle } from "./fakes.js";
import { OtServer } from "./ot_server.js";

describe("a shared document", () => {
	test("shows everybody what anybody writes", async () => {
		const { hub, ann, bob } = await twoIn("one two");
		hub.late = [];
		ann.document.edit("one, two");
		bob.document.edit("one two!");
		await settle();
		hub.late.forEach((run) => run());
		assertText(hub, "one, two!");
		assert.equal(ann.seen, "one, two!");
	});

	test("is not to be edited before it is there", () => {
		const client = new HubClient<CollaborationServer, CollaborationClient>(new FakeConnection().connect, { eventTarget: null });
		const document = new SharedDocument(client, ID);
		assert.equal(document.isJoined, false);
		assert.throws(() => document.edit("x"), /not there yet/);
	});

	test("sends what was written without a connection once there is one, behind what was missed", async () => {
		const { hub, ann, bob } = await twoIn("middle");
		ann.connection.lose();
		ann.document.edit("middle, ann");
		bob.document.edit("bob, middle");
		await settle();
		assert.equal(ann.document.isSettled, false);
		assert.equal(hub.server.text, "bob, middle");
		ann.connection.regain();
		await ann.document.join();
		await settle();
		assertText(hub, "bob, middle, ann");
		assert.deepEqual(ann.troubles, []);
	});

	test("is joined anew where nothing was written meanwhile", async () => {
		const { hub, ann, bob } = await twoIn("text");
		ann.connection.lose();
		bob.document.edit("new text");
		await settle();
		ann.connection.regain();
		await ann.document.join();
		assertText(hub, "new text");
		assert.equal(ann.connection.calls.filter(({ method }) => method === "OperationsSince").length, 0);
	});

	test("does an operation once whose answer was lost", async () => {
		const { hub, ann } = await twoIn("");
		hub.faults = ["lose"];
		ann.document.edit("once");
		await settle();
		assert.equal(ann.document.isSettled, false);
		await ann.clock.advance(500);
		assertText(hub, "once");
		assert.equal(hub.sends, 2);
		assert.equal(hub.server.log.length, 1);
	});

	test("sends nothing again whose meaning the hub has forgotten", async () => {
		const { hub, ann } = await twoIn("text");
		hub.faults = ["forget"];
		ann.document.edit("lost text");
		await settle();
		assertText(hub, "text");
		assert.equal(hub.sends, 1);
		assert.match(ann.troubles.join(), /Join again/);
	});

	for (const [what, change] of [
		["begins anew", (hub: Hub) => {
			hub.epoch = "e2";
			hub.server = new OtServer("another");
		}],
		["has forgotten too much", (hub: Hub) => {
			for (const [i, content] of ["", "an", "another"].entries())
				hub.server.take({ type: "insert", position: 0, content, length: content.length, baseVersion: i, id: `x${i}` }, "bob");
			hub.server.text = "another";
			hub.keptSince = 2;
		}],
	] as const)
		test(`that ${what} is taken as it is, and says what was lost`, async () => {
			const { hub, ann } = await twoIn("text");
			ann.connection.lose();
			ann.document.edit("lost text");
			change(hub);
			ann.connection.regain();
			await ann.document.join();
			assert.equal(ann.document.text, "another");
			assert.equal(ann.document.isSettled, true);
			assert.match(ann.troubles.join(), /is lost/);
		});

	test("takes operations in their order, and asks for one that stays away", async () => {
		const { hub, ann, bob } = await twoIn("");
		hub.late = [];
		ann.document.edit("1");
		await settle();
		ann.document.edit("12");
		await settle();
		const [first, second] = hub.late;
		hub.late = null;
		second!();
		assert.equal(bob.document.text, "");
		await bob.clock.advance(1999);
		assert.equal(bob.document.text, "");
		await bob.clock.advance(1);
		assert.equal(bob.document.text, "12");
		first!();
		assertText(hub, "12");
		assert.equal(bob.clock.pending, 0);
	});

	test("misses nothing that comes while it is joined", async () => {
		const { hub, ann, bob } = await twoIn("");
		const answer = bob.connection.answer;
		bob.connection.answer = async (method, args) => {
			const result = answer(method, args);
			if (method === "JoinDocument") {
				hub.late = [];
				ann.document.edit("meanwhile");
				await settle();
				hub.late.forEach((run) => run());
				hub.late = null;
			}
			return result;
		};
		await bob.document.join();
		assertText(hub, "meanwhile");
	});

	test("leaves an editor alone while it composes", async () => {
		const { hub, ann, bob } = await twoIn("text");
		bob.document.hold();
		ann.document.edit("a text");
		await settle();
		assert.equal(bob.document.text, "text");
		bob.document.edit("text b");
		bob.document.release();
		await settle();
		assertText(hub, "a text b");
	});

	test("hears nothing any more once closed", async () => {
		const { ann, bob } = await twoIn("text");
		bob.document.close();
		ann.document.edit("more text");
		await settle();
		assert.equal(bob.document.text, "text");
	});
});

describe("cursors", () => {
	const at = (party: Party, user: string) => party.document.writers.find(({ userId }) => userId === user)?.offset;

	test("are sent in lines and columns, the latest of a while", async () => {
		const { ann } = await twoIn("one\ntwo");
		const sent = () => ann.connection.calls.filter(({ method }) => method === "UpdateCursor").map(({ args }) => args[1]);
		const before = sent().length;
		for (const offset of [1, 4, 6])
			ann.document.moveCursor(offset);
		await ann.clock.advance(80);
		ann.document.moveCursor(6);
		await ann.clock.advance(80);
		assert.deepEqual(sent().slice(before), [{ line: 1, column: 2 }]);
	});

	test("of others move with the text, and with what their owners type", async () => {
		const { hub, ann, bob } = await twoIn("one\ntwo");
		hub.tell(null, "CursorUpdated", { documentId: ID, userId: "bob", position: { line: 1, column: 1 }, color: "#654321" });
		assert.equal(at(ann, "bob"), 5);
		ann.document.edit("zero\none\ntwo");
		assert.equal(at(ann, "bob"), 10);
		await settle();
		bob.document.edit("zero\none\ntwo three");
		await settle();
		assert.equal(at(ann, "bob"), 18);
		assert.equal(ann.document.writers.find(({ userId }) => userId === "bob")?.color, "#654321");
	});

	test("come and go with their owners", async () => {
		const { hub, ann } = await twoIn("");
		const cy = { documentId: ID, userId: "cy", userName: "Cy", color: "#000", cursor: { line: 9, column: 9 } };
		hub.tell(null, "UserJoinedDocument", cy);
		assert.equal(at(ann, "cy"), 0);
		hub.tell(null, "UserLeftDocument", cy);
		assert.equal(at(ann, "cy"), undefined);
		hub.tell(null, "CursorUpdated", { ...cy, position: cy.cursor });
		assert.equal(at(ann, "cy"), undefined);
	});

	test("of another document are none of this one's business", async () => {
		const { hub, ann } = await twoIn("");
		hub.tell(null, "UserJoinedDocument", { documentId: "other", userId: "cy", userName: "Cy", color: "#000", cursor: { line: 0, column: 0 } });
		assert.equal(at(ann, "cy"), undefined);
	});
});

test("sections are locked and unlocked, and a conflict names who is in the way", async () => {
	const { hub, ann } = await twoIn("one\ntwo");
	const section = { documentId: ID, lockId: "l1", userId: "bob", startLine: 0, endLine: 1, expiresAt: "2026-01-01T00:00:00.000Z" };
	let changes = 0;
	ann.document.onPeople(() => changes++);
	await ann.document.lock(0, 1);
	hub.tell(null, "LockFailed", { documentId: ID, reason: "Taken", conflictingUser: "bob" });
	hub.tell(null, "SectionLocked", section);
	assert.deepEqual(ann.document.sections, [section]);
	hub.tell(null, "SectionUnlocked", { documentId: ID, lockId: "l1" });
	hub.tell(null, "SectionUnlocked", { documentId: ID, lockId: "l1" });
	assert.deepEqual(ann.document.sections, []);
	assert.equal(changes, 2);
	assert.deepEqual(ann.troubles, ["Taken (BOB)"]);
	await ann.document.unlock("l1");
	assert.deepEqual(ann.connection.calls.filter(({ method }) => /LockSection/i.test(method)).map(({ args }) => args), [[ID, 0, 1], [ID, "l1"]]);
});

describe("places", () => {
	test("are lines and columns, and back", () => {
		const text = "ab\n\n\u{1f600}c";
		for (let offset = 0; offset <= text.length; offset++)
			assert.equal(offsetOf(text, positionAt(text, offset)), offset);
		assert.deepEqual(positionAt(text, 6), { line: 2, column: 2 });
	});

	test("that are not there are the nearest that are", () => {
		assert.equal(offsetOf("ab\ncd", { line: 0, column: 99 }), 2);
		assert.equal(offsetOf("ab\ncd", { line: 9, column: 0 }), 5);
		assert.equal(offsetOf("ab\ncd", { line: 1, column: -1 }), 3);
	});

	test("move with what is written before them", () => {
		const move = moveThrough([insertion("a", 2, "xyz"), deletion("a", [{ start: 0, length: 1 }, { start: 6, length: 2 }])]);
		assert.deepEqual([0, 1, 2, 3, 4, 5, 9].map(move), [0, 0, 1, 5, 5, 5, 9]);
	});

	test("move with a text that became another", () => {
		const move = moveBetween("one two three", "one 2 three");
		assert.deepEqual([0, 4, 5, 7, 13].map(move), [0, 4, 4, 5, 11]);
	});
});
