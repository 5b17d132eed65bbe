// SPDX-License-Identifier: Apache-2.0
// The hub collaboration as official clients see it, in both protocols.
"use strict";

const { describe, test, before, after, afterEach } = require("node:test");
const assert = require("node:assert/strict");
const { MessagePackHubProtocol } = require("@microsoft/signalr-protocol-msgpack");
const { sharedCluster } = require("../kit/cluster.js");
const { connect } = require("../kit/clients.js");
const { freshRoom } = require("../kit/chat.js");

const HUBS = "--hubs=collaboration";
const EVENTS = ["DocumentState", "UserJoinedDocument", "UserLeftDocument", "ReceiveOperation", "CursorUpdated",
	"SectionLocked", "LockFailed", "SectionUnlocked"];

const cluster = sharedCluster({ before, after, afterEach },
	{ gateways: 2, routers: 2, gatewayArgs: [HUBS], routerArgs: [HUBS] });

function open(t, gateway, name, options) {
	return connect(t, cluster().urls[gateway], { hub: "collaboration", events: EVENTS, userId: name, name, ...options });
}

// Two on two gateways, both in the document; the second in MessagePack.
async function pair(t, documentId) {
	const ann = await open(t, 0, "ann");
	const bob = await open(t, 1, "bob", { protocol: new MessagePackHubProtocol() });
	await ann.invoke("JoinDocument", documentId);
	await bob.invoke("JoinDocument", documentId);
	return { ann, bob };
}

const heard = (client, event, count = 1) =>
	client.until(() => client.of(event).length >= count && client.of(event), `${count} ${event}`);

describe("a shared document", () => {
	test("is given to who joins, and the others are told", async (t) => {
		const documentId = freshRoom("document");
		const { ann, bob } = await pair(t, documentId);
		const [state] = bob.of("DocumentState");
		assert.deepEqual({ ...state, activeUsers: state.activeUsers.map(({ userId }) => userId) }, { documentId,
			content: "", version: 0, epoch: "", userId: "bob", activeUsers: ["ann", "bob"], sections: [] });
		const [joined] = await heard(ann, "UserJoinedDocument");
		assert.deepEqual({ ...joined, color: null }, { documentId, userId: "bob", userName: "bob", color: null,
			cursor: { line: 0, column: 0 } });
		assert.match(joined.color, /^#[0-9a-f]{6}$/);
	});

	test("is written by both at once, in UTF-16 code units", async (t) => {
		const documentId = freshRoom("document");
		const { ann, bob } = await pair(t, documentId);
		const first = await ann.invoke("SendOperation", documentId,
			{ type: "insert", position: 0, content: "a\u{1f600}b", length: 4, baseVersion: 0 });
		assert.equal(first.version, 1);
		const [left, right] = await Promise.all([
			ann.invoke("SendOperation", documentId, { type: "insert", position: 3, content: "X", length: 1, baseVersion: 1 }),
			bob.invoke("SendOperation", documentId, { type: "insert", position: 3, content: "Y", length: 1, baseVersion: 1 }),
		]);
		assert.deepEqual([left.version, right.version].sort(), [2, 3]);
		const [event] = await heard(ann, "ReceiveOperation");
		assert.deepEqual([event.documentId, event.userId, event.operation.content, event.operation.version],
			[documentId, "bob", "Y", right.version]);
		const late = await open(t, 0, "cid");
		await late.invoke("JoinDocument", documentId);
		assert.equal(late.of("DocumentState")[0].content, "a\u{1f600}XYb"); // ann is before bob
	});

	test("refuses what fits none of its versions, and says so", async (t) => {
		const documentId = freshRoom("document");
		const { ann } = await pair(t, documentId);
		const send = (operation) => ann.invoke("SendOperation", documentId, operation);
		await assert.rejects(send({ type: "insert", position: 0, content: "x", baseVersion: 7 }),
			/HubException: Join again: there is no version 7, but 0\./);
		await assert.rejects(send({ type: "delete", position: 0, length: 1, baseVersion: 0 }),
			/HubException: operation: it is not within the text\./);
		await assert.rejects(send({ type: "jump", position: 0, baseVersion: 0 }), /operation\.type/);
		await assert.rejects(ann.invoke("SendOperation", freshRoom("other"),
			{ type: "insert", position: 0, content: "x", baseVersion: 0 }), /Join the document first\./);
	});

	test("is for those with a token", async (t) => {
		const nobody = await open(t, 0, "nobody", { http: { accessTokenFactory: undefined } });
		await assert.rejects(nobody.invoke("JoinDocument", "d"), /because user is unauthorized/);
	});
});

describe("people in a document", () => {
	test("see each other's cursors, each in one colour", async (t) => {
		const documentId = freshRoom("document");
		const { ann, bob } = await pair(t, documentId);
		await bob.invoke("UpdateCursor", documentId, { line: 2, column: 5 });
		await bob.invoke("UpdateCursor", documentId, { line: 2, column: 6 });
		const [first, second] = await heard(ann, "CursorUpdated", 2);
		assert.deepEqual(second, { documentId, userId: "bob", position: { line: 2, column: 6 }, color: first.color });
		const late = await open(t, 0, "cid");
		await late.invoke("JoinDocument", documentId);
		assert.deepEqual(late.of("DocumentState")[0].activeUsers.find(({ userId }) => userId === "bob").cursor,
			{ line: 2, column: 6 });
	});

	test("lock sections, one at a time", async (t) => {
		const documentId = freshRoom("document");
		const { ann, bob } = await pair(t, documentId);
		await Promise.all([ann.invoke("LockSection", documentId, 0, 3), bob.invoke("LockSection", documentId, 2, 5)]);
		const [locked] = await heard(ann, "SectionLocked");
		assert.deepEqual((await heard(bob, "SectionLocked")).length, 1);
		const [winner, loser] = locked.userId === "ann" ? [ann, bob] : [bob, ann];
		const [refusal] = await heard(loser, "LockFailed");
		assert.equal(refusal.conflictingUser, locked.userId);
		assert.ok(Date.parse(locked.expiresAt) > Date.now());
		await winner.invoke("UnlockSection", documentId, locked.lockId);
		assert.deepEqual(await heard(loser, "SectionUnlocked"), [{ documentId, lockId: locked.lockId }]);
	});

	test("leave nothing behind when their connection breaks", async (t) => {
		const documentId = freshRoom("document");
		const { ann, bob } = await pair(t, documentId);
		await bob.invoke("LockSection", documentId, 0, 3);
		const [locked] = await heard(ann, "SectionLocked");
		await bob.stop();
		assert.deepEqual(await heard(ann, "SectionUnlocked"), [{ documentId, lockId: locked.lockId }]);
		const [left] = await heard(ann, "UserLeftDocument");
		assert.equal(left.userId, "bob");
		await ann.invoke("LeaveDocument", documentId);
		await assert.rejects(ann.invoke("UpdateCursor", documentId, { line: 0, column: 0 }), /Join the document first\./);
	});
});
