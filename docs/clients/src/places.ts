// SPDX-License-Identifier: Apache-2.0
// Places in a text that changes: where a cursor is once others have typed, and between the two
// ways to name it, an offset in UTF-16 units and a line with a column, both from 0.

import type { Change } from "./ot.js";

export interface Position {
	line: number;
	column: number;
}

export type Move = (offset: number) => number;

function movedBy(offset: number, change: Change): number {
	if (change.type === "insert")
		return change.position < offset ? offset + change.content.length : offset;
	if (change.type === "delete")
		return change.ranges.reduce((moved, { start, length }) => moved - Math.max(Math.min(length, offset - start), 0), offset);
	return offset;
}

/** Where a place is behind all the changes. What is inserted right at it comes after it. */
export function moveThrough(changes: readonly Change[]): Move {
	return (offset) => changes.reduce(movedBy, offset);
}

/** The same for a text that became another one in one place. */
export function moveBetween(before: string, after: string): Move {
	const most = Math.min(before.length, after.length);
	let head = 0;
	while (head < most && before[head] === after[head])
		head++;
	let tail = 0;
	while (tail < most - head && before.at(-1 - tail) === after.at(-1 - tail))
		tail++;
	const [gone, come] = [before.length - head - tail, after.length - head - tail];
	return (offset) => {
		if (offset <= head)
			return offset;
		return offset >= head + gone ? offset - gone + come : head;
	};
}

export function positionAt(text: string, offset: number): Position {
	const before = text.slice(0, offset);
	const start = before.lastIndexOf("\n") + 1;
	let line = 0;
	for (let at = before.indexOf("\n"); at >= 0; at = before.indexOf("\n", at + 1))
		line++;
	return { line, column: before.length - start };
}

/** The nearest place that there is. */
export function offsetOf(text: string, { line, column }: Position): number {
	let start = 0;
	for (let i = 0; i < line; i++) {
		const end = text.indexOf("\n", start);
		if (end < 0)
			return text.length;
		start = end + 1;
	}
	const end = text.indexOf("\n", start);
	return Math.min(start + Math.max(column, 0), end < 0 ? text.length : end);
}
