// SPDX-License-Identifier: Apache-2.0

import { apply, cut, deletion, insertion, transform, type Change } from "../src/ot.js";
import type { AppliedOperation, Operation } from "../src/shared_text.js";

// What the hub does with what it is sent.
export class OtServer {
	readonly log: Operation[] = [];
	text: string;

	constructor(text: string) {
		this.text = text;
	}

	take(operation: Operation, userId: string): AppliedOperation {
		const known = this.log.filter(({ id }) => id === operation.id);
		if (known.length)
			return { ...known.at(-1)!, parts: known.length };
		let change: Change | null = operation.type === "insert"
			? insertion(userId, operation.position, operation.content!)
			: deletion(userId, [{ start: operation.position, length: operation.length }]);
		for (const earlier of this.log.slice(operation.baseVersion))
			change = transform(change, changeOf(earlier), true);
		const parts: Operation[] = [];
		for (let first; change; ) {
			[first, change] = cut(change);
			this.text = apply(this.text, first);
			parts.push({ ...operationOf(first), baseVersion: operation.baseVersion, userId, id: operation.id!, version: this.log.length + 1 });
			this.log.push(parts.at(-1)!);
		}
		return { ...parts.at(-1)!, ...(parts.length > 1 && { parts: parts.length }) };
	}
}

function operationOf(change: Change): Pick<Operation, "type" | "position" | "length" | "content"> {
	if (change.type === "insert")
		return { type: "insert", position: change.position, length: change.content.length, content: change.content };
	const range = change.type === "delete" ? change.ranges[0]! : { start: 0, length: 0 };
	return { type: change.type, position: range.start, length: range.length };
}

function changeOf({ type, userId, position, length, content }: Operation): Change {
	return type === "insert" ? insertion(userId!, position, content!)
		: deletion(userId!, type === "delete" ? [{ start: position, length }] : []);
}
