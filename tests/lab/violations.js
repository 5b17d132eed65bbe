// SPDX-License-Identifier: Apache-2.0
// What a history was found to break: every breach counted by its rule, the first of each
// rule kept with all that is known of it.
"use strict";

const KEPT_OF_EACH_RULE = 8;

class Violations {
	#counts = new Map();
	#kept = new Map();

	constructor(rules) {
		for (const rule of rules) {
			this.#counts.set(rule, 0);
			this.#kept.set(rule, []);
		}
	}

	// `tell` gives what is known; it is asked only when the breach is kept.
	add(rule, tell) {
		const kept = this.#kept.get(rule);
		if (!kept)
			throw new Error(`no rule "${rule}"`);
		this.#counts.set(rule, this.#counts.get(rule) + 1);
		if (kept.length < KEPT_OF_EACH_RULE)
			kept.push({ rule, ...tell() });
	}

	get total() {
		return [...this.#counts.values()].reduce((sum, n) => sum + n, 0);
	}

	// {rule: how often}, of all rules.
	get counts() {
		return Object.fromEntries(this.#counts);
	}

	get first() {
		return [...this.#kept.values()].flat();
	}
}

module.exports = { Violations };
