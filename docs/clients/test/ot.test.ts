// SPDX-License-Identifier: Apache-2.0
// Operational transform: the same results as the server's implementation in C has, and clients
// that converge whatever the order in which things reach them.

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { apply, deletion, insertion, transform, type Change, type Range } from "../src/ot.js";
import { SharedText, type Operation } from "../src/shared_text.js";
import { OtServer } from "./ot_server.js";

// xorshift, as in tests/unit/router/test_ot_random.c.
class Chance {
	#state: number;

	constructor(seed: number) {
		this.#state = seed;
	}

	below(n: number): number {
		this.#state ^= this.#state << 13;
		this.#state ^= this.#state >>> 17;
		this.#state ^= this.#state << 5;
		return (this.#state >>> 0) % n;
	}

	of<T>(all: readonly T[]): T {
		return all[this.below(all.length)]!;
	}
}

describe("transforming a pair", () => {
	const USERS = ["ann", "bob", "\ue000", "\u{10000}"];

	function vector(chance: Chance): Change {
		const user = chance.of(USERS);
		if (chance.below(2) === 0) {
			const position = chance.below(41);
			return insertion(user, position, "wxyz".slice(0, 1 + chance.below(4)));
		}
		const ranges: Range[] = [];
		let at = 0;
		for (let n = 1 + chance.below(4); n > 0; n--) {
			const start = at + chance.below(5);
			const length = 1 + chance.below(4);
			ranges.push({ start, length });
			at = start + length + 1;
		}
		return deletion(user, ranges);
	}

	function written(change: Change): string {
		switch (change.type) {
		case "retain": return "r;";
		case "insert": return `i${change.position}+${change.content.length};`;
		case "delete": return change.ranges.map(({ start, length }) => `d${start}+${length};`).join("");
		}
	}

	test("has the results of the server, 10,000 times", () => {
		const chance = new Chance(2463534242);
		let sum = 2166136261;
		for (let i = 0; i < 10000; i++) {
			const a = vector(chance);
			const b = vector(chance);
			for (const char of written(transform(a, b, true)) + written(transform(b, a, false)))
				sum = Math.imul(sum ^ char.charCodeAt(0), 16777619);
		}
		assert.equal(sum >>> 0, 4213674953); // VECTORS_DIGEST
	});

	test("leads to one text from both sides, 10,000 times", () => {
		const chance = new Chance(88172645);
		const text = Array.from({ length: 60 }, (_, i) => String.fromCharCode(65 + i)).join("");
		for (let i = 0; i < 10000; i++) {
			const [a, b] = [vector(chance), vector(chance)];
			assert.equal(apply(apply(text, a), transform(b, a, true)), apply(apply(text, b), transform(a, b, false)));
		}
	});
});

describe("a change", () => {
	test("that would cut a character in two is refused", () => {
		for (const change of [insertion("a", 2, "x"), deletion("a", [{ start: 1, length: 1 }]), deletion("a", [{ start: 2, length: 1 }])])
			assert.throws(() => apply("a\u{1f600}b", change), RangeError);
	});

	test("beyond the text is refused", () => {
		assert.throws(() => apply("abc", insertion("a", 4, "x")), RangeError);
		assert.throws(() => apply("abc", deletion("a", [{ start: 3, length: 1 }])), RangeError);
	});
});

describe("shared texts", () => {
	const SCHEDULES = 3000;
	const SCRAPS = ["a", "bc", "def", "\u00e9", "\u20ac!", "\u{1f600}", "x\u{1f600}y", "\n"];

	interface Party {
		user: string;
		shared: SharedText;
		seen: string; // what an editor shows that is told of changes only
		inbox: Operation[]; // on the way to it
		outbox: Operation[]; // ... and from it
		edits: number;
	}

	function edit(party: Party, chance: Chance): void {
		const chars = Array.from(party.shared.text);
		const [from, to] = [chance.below(chars.length + 1), chance.below(chars.length + 1)].sort((a, b) => a - b) as [number, number];
		const at = chars.slice(0, from).join("").length;
		switch (chance.below(3)) {
		case 0: party.shared.insert(at, chance.of(SCRAPS)); break;
		case 1: party.shared.delete(at, chars.slice(from, to).join("").length); break;
		default: party.shared.assign([...chars.slice(0, from), chance.of(SCRAPS), ...chars.slice(to)].join(""));
		}
		party.seen = party.shared.text;
		party.edits--;
	}

	function hear(party: Party, changes: Change[]): void {
		for (const change of changes)
			party.seen = apply(party.seen, change);
	}

	// One thing happens; events overtake one another and come twice, answers get lost.
	function step(server: OtServer, parties: Party[], chance: Chance): void {
		const party = chance.of(parties);
		switch (chance.below(4)) {
		case 0:
			if (party.edits > 0)
				edit(party, chance);
			break;
		case 1: {
			const operation = party.shared.next() ?? (chance.below(4) === 0 ? party.shared.again() : null);
			if (operation)
				party.outbox.push(operation);
			break;
		}
		case 2: {
			const operation = party.outbox.shift();
			if (!operation)
				break;
			const before = server.log.length;
			const result = server.take(operation, party.user);
			for (const other of parties)
				if (other !== party)
					other.inbox.push(...server.log.slice(before));
			if (chance.below(5) > 0)
				hear(party, party.shared.acknowledge(result));
			break;
		}
		default: {
			const [event] = party.inbox.splice(chance.below(Math.max(party.inbox.length, 1)), chance.below(6) === 0 ? 0 : 1);
			if (event)
				hear(party, party.shared.receive(event));
		}
		}
	}

	test(`converge in ${SCHEDULES} random schedules, whatever is lost, overtaken or doubled`, () => {
		for (let seed = 1; seed <= SCHEDULES; seed++) {
			const chance = new Chance(Math.imul(seed, 2654435761) | 1);
			const server = new OtServer("The quick \u{1f600} fox\njumps.");
			const parties = Array.from({ length: 3 + chance.below(4) }, (_, i): Party => {
				const user = chance.of(["mia", "ann", "zoe"]);
				let ids = 0;
				const shared = new SharedText({ content: server.text, version: 0, epoch: "e", userId: user }, () => `${i}:${ids++}`);
				return { user, shared, seen: server.text, inbox: [], outbox: [], edits: chance.below(5) };
			});
			const isOver = () => parties.every(({ shared, edits }) =>
				edits === 0 && shared.isSettled && shared.version === server.log.length);
			for (let steps = 0; !isOver(); steps++) {
				assert.ok(steps < 100000, `schedule ${seed} does not end`);
				step(server, parties, chance);
				if (steps % 200 === 199) // the last resort of a client: ask for what it lacks
					for (const party of parties)
						for (const operation of server.log.slice(party.shared.version))
							hear(party, party.shared.receive(operation));
			}
			for (const { shared, seen } of parties)
				assert.deepEqual([shared.text, seen], [server.text, server.text], `schedule ${seed}`);
		}
	});

	const textOf = (content: string) => new SharedText({ content, version: 0, epoch: "e", userId: "ann" });

	test("send what was typed in a row as one", () => {
		const shared = textOf("");
		for (const char of "hello")
			shared.insert(shared.text.length, char);
		shared.delete(4, 1);
		const { position, content, length } = shared.next()!;
		assert.deepEqual([position, content, length], [0, "hello", 5]);
		assert.equal(shared.next(), null);
	});

	test("send what was deleted in a row as one, either way", () => {
		const shared = textOf("abcdef");
		shared.delete(3, 1);
		shared.delete(2, 1);
		shared.delete(2, 1);
		const { position, length } = shared.next()!;
		assert.deepEqual([position, length], [2, 3]);
		assert.equal(shared.text, "abf");
	});

	test("send much text in pieces that cut no character", () => {
		const shared = textOf("");
		const much = `a${"\u{1f600}".repeat(5000)}`;
		shared.assign(much);
		const server = new OtServer("");
		for (let operation; (operation = shared.next());) {
			assert.ok(operation.content!.length <= 4096);
			assert.ok(!/^[\uDC00-\uDFFF]/.test(operation.content!));
			shared.acknowledge(server.take(operation, "ann"));
		}
		assert.equal(server.text, much);
	});

	test("find the smallest change that leads to another text, in whole characters", () => {
		const shared = textOf("a\u{1f600}b");
		shared.assign("a\u{1f601}b");
		const removed = shared.next()!;
		assert.deepEqual([removed.type, removed.position, removed.length], ["delete", 1, 2]);
		assert.equal(shared.text, "a\u{1f601}b");
	});

	test("refuse half a character", () => {
		assert.throws(() => textOf("").insert(0, "\ud83d"), RangeError);
	});

	test("begin anew when they are told to", () => {
		const shared = textOf("mine");
		shared.insert(0, "x");
		shared.next();
		shared.reset({ content: "theirs", version: 7, epoch: "f", userId: "ann" });
		assert.deepEqual([shared.text, shared.version, shared.isSettled, shared.again()], ["theirs", 7, true, null]);
	});

	const typed = (version: number, epoch: string): Operation =>
		({ type: "insert", position: 0, content: "x", length: 1, baseVersion: 0, userId: "bob", id: `${version}`, epoch, version });

	test("get their epoch from the first operation", () => {
		const shared = new SharedText({ content: "", version: 0, epoch: "", userId: "ann" });
		shared.receive(typed(1, "e"));
		shared.insert(0, "y");
		assert.deepEqual([shared.epoch, shared.next()!.epoch], ["e", "e"]);
	});

	test("take nothing of a document that has begun anew", () => {
		const shared = textOf("mine");
		assert.deepEqual(shared.receive(typed(1, "f")), []);
		assert.deepEqual([shared.text, shared.version, shared.isMissing], ["mine", 0, true]);
		shared.reset({ content: "", version: 0, epoch: "f", userId: "ann" });
		assert.equal(shared.isMissing, false);
	});
});
