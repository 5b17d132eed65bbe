// SPDX-License-Identifier: Apache-2.0
// Operational transform of plain text, as router/hubs/ot.c does it, result for result. Two changes
// made of the same text, each transformed against the other, lead to the same text from both sides.
// Positions and lengths count UTF-16 code units: those of JavaScript's strings.

export interface Range {
	readonly start: number;
	readonly length: number;
}

export interface Insertion {
	readonly type: "insert";
	readonly user: string;
	readonly position: number;
	readonly content: string;
}

/** Ranges of one and the same text, in order, with something between each two. */
export interface Deletion {
	readonly type: "delete";
	readonly user: string;
	readonly ranges: readonly Range[];
}

/** Does nothing: what becomes of a deletion of what is gone. */
export interface Retention {
	readonly type: "retain";
	readonly user: string;
}

export type Change = Insertion | Deletion | Retention;

export function insertion(user: string, position: number, content: string): Change {
	return content === "" ? { type: "retain", user } : { type: "insert", user, position, content };
}

export function deletion(user: string, ranges: readonly Range[]): Change {
	return ranges.length === 0 ? { type: "retain", user } : { type: "delete", user, ranges };
}

/** Ordinal, by UTF-16 code units. */
function compareUsers(a: string, b: string): number {
	return a < b ? -1 : a > b ? 1 : 0;
}

/** How much of what stands before `position` is deleted. */
function deletedBefore(change: Deletion, position: number): number {
	let n = 0;
	for (const { start, length } of change.ranges) {
		if (start >= position)
			break;
		n += Math.min(length, position - start);
	}
	return n;
}

/** One more range behind the others, or more of the last one. */
function addRange(ranges: Range[], start: number, end: number): void {
	const last = ranges.at(-1);
	if (start === end)
		return;
	if (last && last.start + last.length === start)
		ranges[ranges.length - 1] = { start: last.start, length: end - last.start };
	else
		ranges.push({ start, length: end - start });
}

/** The range behind an insertion: one, or two with what was inserted between them. */
function addAround(ranges: Range[], { start, length }: Range, { position, content }: Insertion): void {
	const grown = content.length;
	const end = start + length;
	if (position <= start) {
		addRange(ranges, start + grown, end + grown);
	} else if (position >= end) {
		addRange(ranges, start, end);
	} else {
		addRange(ranges, start, position);
		addRange(ranges, position + grown, end + grown);
	}
}

function transformDeletion(change: Deletion, against: Insertion | Deletion): Change {
	const ranges: Range[] = [];
	for (const range of change.ranges) {
		const end = range.start + range.length;
		if (against.type === "insert")
			addAround(ranges, range, against);
		else
			addRange(ranges, range.start - deletedBefore(against, range.start), end - deletedBefore(against, end));
	}
	return deletion(change.user, ranges);
}

function transformInsertion(change: Insertion, against: Insertion | Deletion, isLater: boolean): Change {
	const { position } = change;
	if (against.type === "delete")
		return { ...change, position: position - deletedBefore(against, position) };
	const order = compareUsers(change.user, against.user) || (isLater ? 1 : -1);
	const moves = against.position < position || (against.position === position && order > 0);
	return moves ? { ...change, position: position + against.content.length } : change;
}

/**
 * What does the same as `change` behind `against`, both made of the same text. Of two insertions at
 * one position that of the smaller user keeps it; of one user's that which is not `isLater` in the
 * server's order.
 */
export function transform(change: Change, against: Change, isLater: boolean): Change {
	if (change.type === "retain" || against.type === "retain")
		return change;
	return change.type === "delete" ? transformDeletion(change, against) : transformInsertion(change, against, isLater);
}

/** [first, rest]: a deletion's first range, and what is left behind it; null: it has no more. */
export function cut(change: Change): [Change, Change | null] {
	if (change.type !== "delete" || change.ranges.length < 2)
		return [change, null];
	const [first, ...rest] = change.ranges as [Range, ...Range[]];
	const left = rest.map(({ start, length }) => ({ start: start - first.length, length }));
	return [deletion(change.user, [first]), deletion(change.user, left)];
}

/** Is the place between the two units of one character? */
export function isInsideCharacter(text: string, place: number): boolean {
	return /^[\uD800-\uDBFF][\uDC00-\uDFFF]$/.test(text.slice(Math.max(place - 1, 0), place + 1));
}

function checkPlace(text: string, place: number): void {
	if (!Number.isInteger(place) || place < 0 || place > text.length)
		throw new RangeError(`${place} is outside of a text of ${text.length}`);
	if (isInsideCharacter(text, place))
		throw new RangeError(`${place} is inside a character`);
}

/** The text with the change in it. */
export function apply(text: string, change: Change): string {
	switch (change.type) {
	case "retain":
		return text;
	case "insert":
		checkPlace(text, change.position);
		return text.slice(0, change.position) + change.content + text.slice(change.position);
	case "delete": {
		let left = "";
		let at = 0;
		for (const { start, length } of change.ranges) {
			checkPlace(text, start);
			checkPlace(text, start + length);
			left += text.slice(at, start);
			at = start + length;
		}
		return left + text.slice(at);
	}
	}
}
