// SPDX-License-Identifier: Apache-2.0
// Waiting for a condition with a deadline: the only way these tests wait for anything.
"use strict";

const STEP_MS = 5;

const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

// Resolves with the first truthy answer of `ask`, which may be async and may throw while
// the condition does not hold yet. The error names what was waited for, and why in vain.
async function waitFor(ask, deadlineMs, what) {
	const due = performance.now() + deadlineMs;
	let lastError = null;
	for (;;) {
		try {
			const answer = await ask();
			if (answer)
				return answer;
			lastError = null;
		} catch (error) {
			lastError = error;
		}
		if (performance.now() > due) {
			const why = lastError ? `: ${lastError.message}` : "";
			throw new Error(`waited ${deadlineMs} ms in vain for ${what}${why}`);
		}
		await pause(STEP_MS);
	}
}

// Rejects when `promise` takes longer.
function within(promise, deadlineMs, what) {
	let timer;
	const late = new Promise((_, reject) => {
		timer = setTimeout(() => reject(new Error(`${what} took over ${deadlineMs} ms`)), deadlineMs);
	});
	return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}

module.exports = { pause, waitFor, within };
