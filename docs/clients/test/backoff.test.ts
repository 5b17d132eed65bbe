// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { RETRY_DEFAULTS, checkRetryOptions, retryDelayMs } from "../src/backoff.js";

const exact = { ...RETRY_DEFAULTS, jitter: 0 };

describe("the wait before a try", () => {
	test("doubles from one second to thirty, ten times, then ends", () => {
		const waits = Array.from({ length: 11 }, (_, failed) => retryDelayMs(failed, exact));
		assert.deepEqual(waits, [1000, 2000, 4000, 8000, 16000, 30000, 30000, 30000, 30000, 30000, null]);
	});

	test("stays within its jitter, and reaches both of its ends", () => {
		assert.equal(retryDelayMs(3, { ...RETRY_DEFAULTS, random: () => 0 }), 8000);
		assert.equal(retryDelayMs(3, { ...RETRY_DEFAULTS, random: () => 1 - Number.EPSILON }), 4000);
		for (let i = 0; i < 1000; i++) {
			const wait = retryDelayMs(7)!;
			assert.ok(wait >= 15000 && wait <= 30000, String(wait));
		}
	});

	test("never outgrows a timer, however many tries", () => {
		const patient = { ...exact, tries: Infinity, maxMs: 2 ** 31 - 1 };
		assert.equal(retryDelayMs(5000, patient), 2 ** 31 - 1);
	});

	test("is refused at its options where it would hammer, or never end", () => {
		checkRetryOptions(RETRY_DEFAULTS);
		checkRetryOptions({ ...exact, tries: 0, firstMs: 1, maxMs: 1 });
		for (const bad of [{ tries: -1 }, { tries: 1.5 }, { firstMs: 0 }, { firstMs: NaN }, { maxMs: 999 },
			{ maxMs: 2 ** 31 }, { jitter: -0.1 }, { jitter: 1.1 }])
			assert.throws(() => checkRetryOptions({ ...RETRY_DEFAULTS, ...bad }), RangeError, JSON.stringify(bad));
	});
});
