// SPDX-License-Identifier: Apache-2.0
// Luck that a seed repeats.
"use strict";

// xorshift32: numbers from 0 up to 1, the same for the same seed.
function randomOf(seed) {
	let state = (seed >>> 0) || 1;
	return () => {
		state ^= state << 13;
		state ^= state >>> 17;
		state ^= state << 5;
		return (state >>> 0) / 4294967296;
	};
}

module.exports = { randomOf };
