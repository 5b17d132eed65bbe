// SPDX-License-Identifier: Apache-2.0
// The text of a document of the hub `collaboration` as one client has it: its own changes are in it
// at once, those of others as they come, in the order of their versions. Pure: it knows nothing of
// a connection. One operation is under way at a time; what is typed meanwhile waits behind it.

import { apply, cut, deletion, insertion, isInsideCharacter, transform, type Change, type Insertion } from "./ot.js";

/** As it is on the wire. */
export interface Operation {
	type: "insert" | "delete" | "retain";
	position: number;
	content?: string | null;
	length: number;
	baseVersion: number;
	userId?: string | null;
	/** The sender's: an operation that is sent again is not done again. */
	id?: string | null;
	/** Of the document that baseVersion belongs to. */
	epoch?: string | null;
	/** The document's behind it; the server's. */
	version?: number | null;
}

/** What SendOperation answers with. */
export interface AppliedOperation extends Operation {
	/** How many versions it became, when others typed into what is deleted; its own is the last of them. */
	parts?: number | null;
}

export interface TextState {
	content: string;
	version: number;
	/** Changes when a document begins anew, its old versions forgotten. */
	epoch: string;
	/** Who the client is to the server: it decides between insertions at one place. */
	userId: string;
}

/** No operation inserts more; what is longer goes in several. */
export const INSERT_MAX = 4096;

/* New, not secret: Node 18, which has no global crypto, gets by without it. */
function randomId(): string {
	const bytes = new Uint8Array(12);
	const crypto = globalThis.crypto as Crypto | undefined;
	if (crypto)
		crypto.getRandomValues(bytes);
	else
		bytes.forEach((_, i) => { bytes[i] = Math.random() * 256; });
	return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** The change that an operation of the server's order makes. */
function changeOf(operation: Operation): Change {
	const user = operation.userId ?? "";
	if (operation.type === "insert")
		return insertion(user, operation.position, operation.content ?? "");
	if (operation.type === "delete" && operation.length > 0)
		return deletion(user, [{ start: operation.position, length: operation.length }]);
	return { type: "retain", user };
}

/** Two that were made one after the other as one, or null. */
function merge(first: Change, second: Change): Change | null {
	if (first.type === "insert" && second.type === "insert")
		return mergeInsertions(first, second);
	if (first.type !== "delete" || second.type !== "delete" || first.ranges.length > 1 || second.ranges.length > 1)
		return null;
	const [a, b] = [first.ranges[0]!, second.ranges[0]!];
	if (b.start > a.start || b.start + b.length < a.start)
		return null; // they do not touch
	return deletion(first.user, [{ start: b.start, length: a.length + b.length }]);
}

function mergeInsertions(first: Insertion, second: Insertion): Change | null {
	const at = second.position - first.position;
	if (at < 0 || at > first.content.length || first.content.length + second.content.length > INSERT_MAX)
		return null;
	return { ...first, content: first.content.slice(0, at) + second.content + first.content.slice(at) };
}

/** Of at most `max` units each, none of them half a character. */
function pieces(content: string, max: number): string[] {
	const all: string[] = [];
	for (let at = 0; at < content.length;) {
		let end = Math.min(at + max, content.length);
		if (isInsideCharacter(content, end))
			end--;
		all.push(content.slice(at, end));
		at = end;
	}
	return all;
}

export class SharedText {
	readonly #newId: () => string;
	#user = "";
	#text = "";
	#version = 0;
	#epoch = "";
	#underWay: Change | null = null; // as it is behind #version
	#sent: Operation | null = null; // ... and as it left
	#waiting: Change[] = [];
	#early = new Map<number, Operation>(); // by version, while one before them is missing
	#isForeign = false; // one of another epoch has come

	constructor(state: TextState, newId: () => string = randomId) {
		this.#newId = newId;
		this.reset(state);
	}

	get text(): string {
		return this.#text;
	}

	/** What of the server's order is in the text. */
	get version(): number {
		return this.#version;
	}

	get epoch(): string {
		return this.#epoch;
	}

	/** Are all changes made here known to be the server's? */
	get isSettled(): boolean {
		return this.#underWay === null && this.#waiting.length === 0;
	}

	/** What has come cannot be taken in: a version before it has not, or the document has begun anew. */
	get isMissing(): boolean {
		return this.#early.size > 0 || this.#isForeign;
	}

	/** Begins anew; what was not settled is gone. */
	reset(state: TextState): void {
		this.#user = state.userId;
		this.#text = state.content;
		this.#version = state.version;
		this.#epoch = state.epoch;
		this.#underWay = null;
		this.#sent = null;
		this.#waiting = [];
		this.#early.clear();
		this.#isForeign = false;
	}

	insert(position: number, content: string): void {
		for (const piece of pieces(content, INSERT_MAX)) {
			this.#edit(insertion(this.#user, position, piece));
			position += piece.length;
		}
	}

	delete(start: number, length: number): void {
		this.#edit(deletion(this.#user, length > 0 ? [{ start, length }] : []));
	}

	/** Whatever makes the text into `text`: for a text area that tells no more than its content. */
	assign(text: string): void {
		const old = this.#text;
		const most = Math.min(old.length, text.length);
		let head = 0;
		while (head < most && old[head] === text[head])
			head++;
		if (isInsideCharacter(old, head) || isInsideCharacter(text, head))
			head--;
		let tail = 0;
		while (tail < most - head && old.at(-1 - tail) === text.at(-1 - tail))
			tail++;
		if (isInsideCharacter(old, old.length - tail) || isInsideCharacter(text, text.length - tail))
			tail--;
		this.delete(head, old.length - tail - head);
		this.insert(head, text.slice(head, text.length - tail));
	}

	/** What to send now, or null: nothing, or one is under way. */
	next(): Operation | null {
		if (this.#underWay)
			return null;
		this.#waiting = this.#waiting.filter((change) => change.type !== "retain");
		const change = this.#waiting.shift();
		if (!change)
			return null;
		const [first, rest] = cut(change); // on the wire a deletion has one range
		if (rest)
			this.#waiting.unshift(rest);
		this.#underWay = first;
		this.#sent = this.#operation(first);
		return { ...this.#sent };
	}

	/** What to send again when nobody knows what became of it: the server does it once. */
	again(): Operation | null {
		return this.#sent && { ...this.#sent };
	}

	/** An operation of the server's order, whenever it comes; what is to be done to what the user sees. */
	receive(operation: Operation): Change[] {
		const changes: Change[] = [];
		const version = operation.version ?? 0;
		// A document has no epoch before its first operation.
		if (this.#epoch !== "" && (operation.epoch ?? "") !== "" && operation.epoch !== this.#epoch)
			this.#isForeign = true;
		else if (version > this.#version)
			this.#early.set(version, operation);
		for (let next; (next = this.#early.get(this.#version + 1));) {
			this.#early.delete(++this.#version);
			const change = this.#take(next);
			if (change.type !== "retain")
				changes.push(change);
		}
		return changes;
	}

	/** What SendOperation answered. */
	acknowledge(result: AppliedOperation): Change[] {
		const parts = result.parts ?? 1;
		return Array.from({ length: parts }, (_, i) => ({ ...result, version: (result.version ?? 0) - parts + 1 + i }))
			.flatMap((part) => this.receive(part));
	}

	#edit(change: Change): void {
		if (change.type === "retain")
			return;
		if (change.type === "insert" && !isWellFormed(change.content))
			throw new RangeError("half a character cannot be inserted");
		this.#text = apply(this.#text, change);
		const last = this.#waiting.at(-1);
		const merged = last ? merge(last, change) : null;
		if (merged)
			this.#waiting[this.#waiting.length - 1] = merged;
		else
			this.#waiting.push(change);
	}

	#operation(change: Change): Operation {
		const common = { baseVersion: this.#version, userId: this.#user, id: this.#newId(), epoch: this.#epoch };
		if (change.type === "insert")
			return { type: "insert", position: change.position, content: change.content, length: change.content.length, ...common };
		const range = change.type === "delete" ? change.ranges[0]! : { start: 0, length: 0 };
		return { type: change.type, position: range.start, length: range.length, ...common };
	}

	#take(operation: Operation): Change {
		this.#epoch ||= operation.epoch ?? "";
		if (this.#sent && operation.id === this.#sent.id && operation.userId === this.#user) {
			// Its own, or the first part of it, which is in the text for long.
			this.#underWay = cut(this.#underWay!)[1];
			if (!this.#underWay)
				this.#sent = null;
			return { type: "retain", user: this.#user };
		}
		let change = changeOf(operation);
		if (this.#underWay) {
			const mine = this.#underWay;
			this.#underWay = transform(mine, change, true);
			change = transform(change, mine, false);
		}
		this.#waiting = this.#waiting.map((mine) => {
			const behind = transform(mine, change, true);
			change = transform(change, mine, false);
			return behind;
		});
		this.#text = apply(this.#text, change);
		return change;
	}
}

function isWellFormed(text: string): boolean {
	return !/[\uD800-\uDBFF](?![\uDC00-\uDFFF])|(?<![\uD800-\uDBFF])[\uDC00-\uDFFF]/.test(text);
}
