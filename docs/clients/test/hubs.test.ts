// SPDX-License-Identifier: Apache-2.0
// The services on top of the client, with the hubs they are made for, in a real cluster.

import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { describe, test, type TestContext } from "node:test";
import { SharedDocument } from "../src/document.js";
import type { CollaborationClient, CollaborationServer } from "../src/hubs/collaboration.js";
import type { NotificationsClient, NotificationsServer } from "../src/hubs/notifications.js";
import { NotificationService } from "../src/notifications.js";
import { clientOf, realCluster, until, type User } from "./kit.js";

const HUBS = "--hubs=notifications,collaboration";

describe("with their hubs", () => {
	const cluster = realCluster({ gateways: 2, routers: 2, gatewayArgs: [HUBS], routerArgs: [HUBS] });

	async function paperOf(t: TestContext, gateway: number, user: User, id: string): Promise<SharedDocument> {
		const client = clientOf<CollaborationServer, CollaborationClient>(t, cluster().urls[gateway]!, "collaboration", user);
		const paper = new SharedDocument(client, id);
		t.after(() => paper.close());
		const joined = new Promise<void>((resolve) => paper.onState(() => paper.isOpen && resolve()));
		client.onState(({ state }) => state === "connected" && void paper.join().catch(() => {})); // the next one does
		await client.start();
		await joined;
		return paper;
	}

	const untilOne = (papers: SharedDocument[]) => until(() => papers.every(({ isSettled, text, version }) =>
		isSettled && text === papers[0]!.text && version === papers[0]!.version), "one text");

	test("a document is one for three writers, though a gateway dies while they write", async (t) => {
		const id = `paper-${randomUUID()}`;
		const papers = await Promise.all(["ann", "bob", "cy"].map((userId, i) => paperOf(t, i % 2, { userId, name: userId.toUpperCase() }, id)));
		const words = papers.map((_, i) => Array.from({ length: 40 }, (_unused, n) => `<${i}.${n}>`));
		let deaths = 0;
		for (let n = 0; n < 40; n++) {
			for (const [i, paper] of papers.entries()) {
				// Somewhere that is not inside of a word.
				const places = [0, ...[...paper.text.matchAll(/>/g)].map(({ index }) => index! + 1)];
				const at = places[(n * 7 + i * 3) % places.length]!;
				paper.edit(paper.text.slice(0, at) + words[i]![n] + paper.text.slice(at));
			}
			if (n === 20) {
				await cluster().kill("g1");
				deaths++;
				await until(() => !papers[0]!.isOpen, "the loss");
			}
			if (n === 30)
				await cluster().restart("g1");
			await new Promise((resolve) => setImmediate(resolve));
		}
		assert.equal(deaths, 1);
		await untilOne(papers);
		const found = papers[0]!.text.match(/<\d+\.\d+>/g) ?? [];
		assert.equal(found.join("").length, papers[0]!.text.length);
		assert.deepEqual(found.sort(), words.flat().sort());
	});

	test("cursors and locked lines are seen by the others", async (t) => {
		const id = `paper-${randomUUID()}`;
		const ann = await paperOf(t, 0, { userId: "ann", name: "Ann" }, id);
		const bob = await paperOf(t, 1, { userId: "bob", name: "Bob" }, id);
		ann.edit("one\ntwo\nthree");
		await untilOne([ann, bob]);
		ann.moveCursor(5);
		await until(() => bob.writers.some(({ userName, offset, color }) => userName === "Ann" && offset === 5 && color), "the cursor");
		await ann.lock(1, 2);
		const section = await until(() => bob.sections[0], "the lock");
		assert.deepEqual([section.userId, section.startLine, section.endLine], ["ann", 1, 2]);
		const troubles: string[] = [];
		bob.onTrouble((text) => troubles.push(text));
		await bob.lock(0, 1);
		await until(() => troubles.length === 1, "the refusal");
		await ann.unlock(section.lockId);
		await until(() => bob.sections.length === 0, "the end of the lock");
	});

	test("notifications wait, arrive in order, and are read", async (t) => {
		const serviceOf = async (gateway: number, user: User) => {
			const client = clientOf<NotificationsServer, NotificationsClient>(t, cluster().urls[gateway]!, "notifications", user);
			const service = new NotificationService(client);
			await client.start();
			return { client, service };
		};
		const [ann, bob] = [`ann-${randomUUID()}`, `bob-${randomUUID()}`];
		const sender = await serviceOf(0, { userId: bob, roles: ["Admin"] });
		const changes: string[] = [];
		sender.service.onUser(({ userId, isOnline }) => userId === ann && changes.push(isOnline ? "online" : "offline"));
		await sender.service.sendToUser(ann, { title: "First", message: "while away", priority: "low" });
		await sender.service.sendToUser(ann, { title: "Second", message: "while away", priority: "high" });

		const first = await serviceOf(1, { userId: ann });
		await until(() => first.service.unread === 2, "what was pending");
		assert.deepEqual(first.service.items.map(({ title, priority, read }) => [title, priority, read]),
			[["Second", "high", false], ["First", "low", false]]);
		await first.service.markAsRead(first.service.items[1]!.id);
		// A presence that has just begun tells of nobody for a while, and of none who went meanwhile.
		await until(() => changes.join() === "online", "the user to be there");
		await first.client.stop();
		await until(() => changes.at(-1) === "offline", "the user to be gone");

		const second = await serviceOf(0, { userId: ann });
		await until(() => second.service.items.length === 1, "what is pending still");
		assert.equal(second.service.items[0]!.title, "Second");
		await sender.service.sendToUser(ann, { title: "Third", message: "while here", priority: "normal" });
		await until(() => second.service.unread === 2, "the third");
		await until(() => changes.at(-1) === "online", "the user to be there again");
		await second.client.stop();
		await until(() => changes.at(-1) === "offline", "the user to be gone");
		assert.deepEqual(changes, ["online", "offline", "online", "offline"]);
	});
});
